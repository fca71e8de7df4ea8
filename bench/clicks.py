"""Clicks in Slack: from the signed request to its acknowledgement, at a steady rate, against the server as it ships.

    python -m bench.clicks

run as a program, it is the Slack beside: the emulator behind the tests' shim, in processes of their own. It prints
where it is as JSON, and a line on standard input ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from adapters.slack.press import ACT, BECAUSE, FORM, Token, action_id
from bench.rig import Server, quantile, server
from reviews.model import Verb
from tests.fakes.slack import signed, slack_server
from tests.fakes.slack_process import SECRET, TEAM, TOKEN, start_emulator

PENDING, RATE, SECONDS = 2_000, 50, 10
#: What is pressed, in turn: most decide, some open a form.
PRESSED = ((Verb.APPROVE, ACT), (Verb.REJECT, BECAUSE), (Verb.APPROVE, ACT), (Verb.REJECT, FORM))
ENDS = {(Verb.APPROVE, ACT): "approved", (Verb.REJECT, BECAUSE): "rejected", (Verb.REJECT, FORM): "pending"}
_AT_ONCE = 32

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The Slack of one measurement: where its API is, the emulator behind it, a channel and a person in it."""

    api_url: str
    upstream: str
    channel: str
    person: str

    def config(self) -> Json:
        """The parts of placet.yml that lead to it."""
        return {
            "slack": {"api_url": self.api_url},
            "people": [{"id": "ana", "name": "Ana Ruiz", "roles": ["reviewer"], "identities": {"slack": self.person}}],
            "roles": {"reviewer": {"level": 1, "channels": {"slack": self.channel}}},
        }


async def ack_ms() -> float:
    """The 99th percentile (ms) of click → acknowledgement, beside so many pending reviews. Raises where one fails."""
    secrets = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": SECRET}
    async with _beside() as slack, server(slack.config(), env=secrets) as ours:
        reviews = [made["id"] for made in await _together(ours.create, PENDING)]
        times = await _clicks(ours, slack, reviews[: RATE * SECONDS])
        await _verified(ours, reviews[: RATE * SECONDS])
    return quantile(times, 0.99) * 1000


async def _together(work: Callable[[], Coroutine[Any, Any, Json]], count: int) -> list[Json]:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one() -> Json:
        async with slots:
            return await work()

    return await asyncio.gather(*(one() for _ in range(count)))


async def _clicks(ours: Server, slack: Beside, reviews: list[str]) -> list[float]:
    """Press one after the other on a fixed schedule, whether or not the one before is answered; seconds each took."""
    began = time.perf_counter()

    async def click(nth: int, review: str) -> float:
        await asyncio.sleep(began + nth / RATE - time.perf_counter())
        verb, way = PRESSED[nth % len(PRESSED)]
        trigger = await _trigger(ours.session, slack) if way == FORM else "1.2.3"
        body, headers = signed(_press(slack, verb, way, review, trigger))
        pressed = time.perf_counter()
        async with ours.session.post(f"{ours.url}/slack/events", data=body, headers=headers) as answer:
            if answer.status != 200:
                raise RuntimeError(f"a click was answered {answer.status}: {await answer.text()}")
            return time.perf_counter() - pressed

    return await asyncio.gather(*(click(nth, review) for nth, review in enumerate(reviews)))


async def _trigger(session: aiohttp.ClientSession, slack: Beside) -> str:
    """A trigger as Slack sends one with each press: good once, for three seconds."""
    url, headers = f"{slack.upstream}/api/views.generateTriggerId", {"Authorization": f"Bearer {TOKEN}"}
    async with session.post(url, json={"user_id": slack.person}, headers=headers) as answer:
        return str((await answer.json())["trigger_id"])


def _press(slack: Beside, verb: Verb, way: str, review: str, trigger: str) -> Json:
    """A press on a card only this person sees, so that no posted copy is needed for each of so many."""
    token = str(Token(copy="", review=review, revision=1, shown=""))
    action: Json = {"action_id": action_id(verb, way), "block_id": f"0|{token}", "action_ts": f"{time.time():.6f}"}
    if way == BECAUSE:
        reason = {"text": {"type": "plain_text", "text": "too much"}, "value": "too much"}
        action |= {"type": "static_select", "selected_option": reason}
    else:
        action |= {"type": "button", "value": token}
    return {
        "type": "block_actions",
        "user": {"id": slack.person, "username": "ana", "name": "ana", "team_id": TEAM},
        "api_app_id": "A0PLACET",
        "team": {"id": TEAM, "domain": "placet-tests"},
        "channel": {"id": slack.channel, "name": "reviews"},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": slack.channel, "is_ephemeral": True},
        "trigger_id": trigger,
        "actions": [action],
    }


async def _verified(ours: Server, reviews: list[str]) -> None:
    """What was pressed is what became of each: a fast refusal is no speed."""
    for nth, review in enumerate(reviews):
        wanted = ENDS[PRESSED[nth % len(PRESSED)]]
        found = (await ours.read(review))["status"]
        if found != wanted:
            raise RuntimeError(f"{review} is {found} after a click that makes it {wanted}")


# ---------------------------------------------------------------------------------------------- the Slack beside


@asynccontextmanager
async def _beside() -> AsyncIterator[Beside]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.clicks", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the Slack beside did not start; run: python -m bench.clicks")
    try:
        yield Beside(**json.loads(line))
    finally:
        process.stdin.write(b"\n")
        await process.stdin.drain()
        await process.wait()


async def _serve() -> None:
    emulator = start_emulator()
    try:
        async with slack_server(emulator) as slack:
            channel, person = await slack.channel("reviews"), await slack.user("ana")
            told = {"api_url": slack.api_url, "upstream": emulator.url, "channel": channel, "person": person}
            print(json.dumps(told), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    finally:
        emulator.stop()


if __name__ == "__main__":
    asyncio.run(_serve())
