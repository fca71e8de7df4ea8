"""Clicks in Slack: from the signed request to its acknowledgement, at a steady rate, against the server as it ships."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from adapters.slack.press import ACT, BECAUSE, FORM, action_id
from adapters.token import Token
from bench.beside import ENV, beside
from bench.rig import Server, quantile, server
from reviews.model import Verb
from tests.fakes.slack import signed
from tests.fakes.slack_process import TEAM, TOKEN

PENDING, RATE, SECONDS = 2_000, 50, 10
#: What is pressed, in turn: most decide, some open a form.
PRESSED = ((Verb.APPROVE, ACT), (Verb.REJECT, BECAUSE), (Verb.APPROVE, ACT), (Verb.REJECT, FORM))
ENDS = {(Verb.APPROVE, ACT): "approved", (Verb.REJECT, BECAUSE): "rejected", (Verb.REJECT, FORM): "pending"}
_AT_ONCE = 32

Json = dict[str, Any]


async def ack_ms() -> float:
    """The 99th percentile (ms) of click → acknowledgement, beside so many pending reviews. Raises where one fails."""
    async with beside() as chats, server(chats.slack, env=ENV) as ours:
        reviews = [made["id"] for made in await _together(ours.create, PENDING)]
        times = await _clicks(ours, chats.told, reviews[: RATE * SECONDS])
        await _verified(ours, reviews[: RATE * SECONDS])
    return quantile(times, 0.99) * 1000


async def _together(work: Callable[[], Coroutine[Any, Any, Json]], count: int) -> list[Json]:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one() -> Json:
        async with slots:
            return await work()

    return await asyncio.gather(*(one() for _ in range(count)))


async def _clicks(ours: Server, slack: Json, reviews: list[str]) -> list[float]:
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


async def _trigger(session: aiohttp.ClientSession, slack: Json) -> str:
    """A trigger as Slack sends one with each press: good once, for three seconds."""
    url, headers = f"{slack['upstream']}/api/views.generateTriggerId", {"Authorization": f"Bearer {TOKEN}"}
    async with session.post(url, json={"user_id": slack["person"]}, headers=headers) as answer:
        return str((await answer.json())["trigger_id"])


def _press(slack: Json, verb: Verb, way: str, review: str, trigger: str) -> Json:
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
        "user": {"id": slack["person"], "username": "ana", "name": "ana", "team_id": TEAM},
        "api_app_id": "A0PLACET",
        "team": {"id": TEAM, "domain": "placet-tests"},
        "channel": {"id": slack["channel"], "name": "reviews"},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": slack["channel"], "is_ephemeral": True},
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
