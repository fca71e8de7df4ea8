"""Slack and Teams for the benchmarks, in a process of their own, so that they cost the server under test nothing.

    python -m bench.beside

prints where they are as JSON. A line with a review's id on standard input is answered by a line once its card is in
both; an empty line ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.e2e.loop import until
from tests.fakes.signing import directory
from tests.fakes.slack import Slack, slack_server
from tests.fakes.slack_process import SECRET, TOKEN, start_emulator
from tests.fakes.teams import APP_ID, CHANNEL, TEAMS_ANA, TENANT, Teams, teams_server
from tests.fakes.teams_service import BEARER

Json = dict[str, Any]
_PASSWORD = "a-secret-of-the-bot"
#: The secrets that open both.
ENV = {
    "PLACET_SLACK_BOT_TOKEN": TOKEN,
    "PLACET_SLACK_SIGNING_SECRET": SECRET,
    "PLACET_TEAMS_APP_PASSWORD": _PASSWORD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The chats of one measurement, as `told` says where they are."""

    told: Json
    process: asyncio.subprocess.Process

    @property
    def slack(self) -> Json:
        """The sections of placet.yml that lead to Slack alone; their secrets are in ENV."""
        return self._sections({"slack": self.told["channel"]}, {"slack": self.told["person"]}, "slack")

    @property
    def both(self) -> Json:
        """The sections that lead to Slack and to Teams."""
        channels = {"slack": self.told["channel"], "teams": CHANNEL}
        return self._sections(channels, {"slack": self.told["person"], "teams": TEAMS_ANA}, "slack", "teams")

    def _sections(self, channels: Json, identities: Json, *chats: str) -> Json:
        return {chat: self.told[chat] for chat in chats} | {
            "people": [{"id": "ana", "name": "Ana Ruiz", "roles": ["reviewer"], "identities": identities}],
            "roles": {"reviewer": {"level": 1, "channels": channels}},
        }

    async def posted(self, review: str) -> None:
        """Return once the review's card is in both."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{review}\n".encode())
        if not await self.process.stdout.readline():
            raise RuntimeError(f"the card of {review} came to no chat")


@asynccontextmanager
async def beside() -> AsyncIterator[Beside]:
    """Both, for as long as the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.beside", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the chats beside did not start; run: python -m bench.beside")
    try:
        yield Beside(told=json.loads(line), process=process)
    finally:
        process.stdin.write(b"\n")
        await process.stdin.drain()
        await process.wait()


async def _serve() -> None:
    async with AsyncExitStack() as stack:
        emulator = start_emulator()
        stack.callback(emulator.stop)
        slack = await stack.enter_async_context(slack_server(emulator))
        teams = await stack.enter_async_context(teams_server())
        login = await stack.enter_async_context(directory(APP_ID, TENANT, _PASSWORD, BEARER))
        channel = await slack.channel("reviews")
        told = {
            "slack": {"api_url": slack.api_url},
            "upstream": emulator.url,
            "channel": channel,
            "person": await slack.user("ana"),
            "teams": {
                "app_id": APP_ID,
                "tenant_id": TENANT,
                "service_url": teams.service,
                "openid_url": teams.openid,
                "login_url": login,
            },
        }
        print(json.dumps(told), flush=True)
        await _until_told(slack, teams, channel)


async def _until_told(slack: Slack, teams: Teams, channel: str) -> None:
    loop = asyncio.get_running_loop()
    while review := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        await until(slack, partial(_in_slack, slack, channel, review))
        await teams.until(partial(_in_teams, teams, review))
        print("{}", flush=True)


async def _in_slack(slack: Slack, channel: str, review: str) -> bool:
    return any(review in json.dumps(message) for message in await slack.history(channel))


def _in_teams(teams: Teams, review: str) -> bool:
    return any(review in json.dumps(post.card) for post in teams.posts())


if __name__ == "__main__":
    asyncio.run(_serve())
