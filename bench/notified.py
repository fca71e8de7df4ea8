"""From the request until the first message about it is posted, at a steady rate, to a Slack that is only a receiver."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

from aiohttp import web

from bench.beside import ENV
from bench.rig import Server, quantile, server
from tests.fakes.serving import serving
from tests.fakes.slack_process import TEAM

ASKED, RATE, CHANNELS = 200, 20, 40
_REVIEW = re.compile(r"rev_[0-9A-Za-z]+")
#: Nobody waits longer (seconds) for a message that does not come.
_PATIENCE = 60.0

Json = dict[str, Any]


class Posts:
    """What of Slack's API a bot that only posts needs: each message is taken, and when it came is kept."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self._more = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        """Any method."""
        body = await request.text()
        if request.match_info["method"] == "chat.postMessage" and (found := _REVIEW.search(body)):
            self.came.setdefault(found[0], time.perf_counter())
            self._more.set()
        told = {"ok": True, "ts": f"{time.time():.6f}", "channel": "C0", "team_id": TEAM, "user_id": "U0"}
        return web.json_response(told, headers={"X-OAuth-Scopes": "chat:write"})

    async def all(self, reviews: list[str]) -> None:
        """Until each was posted. Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            while not all(review in self.came for review in reviews):
                self._more.clear()
                await self._more.wait()


async def notified_ms() -> float:
    """The 99th percentile (ms) of request → message, each role in a channel of its own."""
    posts = Posts()
    roles = {f"r{n}": {"level": 1, "channels": {"slack": f"C{n:04}"}} for n in range(CHANNELS)}
    people = [{"id": "ana", "name": "Ana Ruiz", "roles": ["reviewer", *roles]}]
    async with serving([web.post("/api/{method}", posts.answer)]) as root:
        slack = {"api_url": f"{root}/api/"}
        sections = {"slack": slack, "roles": {"reviewer": {"level": 1}, **roles}, "people": people}
        async with server(sections, env=ENV) as ours:
            asked = await _ask(ours)
            await posts.all(list(asked))
    return quantile([posts.came[review] - at for review, at in asked.items()], 0.99) * 1000


async def _ask(ours: Server) -> dict[str, float]:
    """Ask on a fixed schedule, whether or not the one before is answered; when each was sent."""
    began, asked = time.perf_counter(), dict[str, float]()

    async def ask(nth: int) -> None:
        await asyncio.sleep(began + nth / RATE - time.perf_counter())
        at = time.perf_counter()
        made = await ours.create(reviewer_role=f"r{nth % CHANNELS}")
        asked[made["id"]] = at

    await asyncio.gather(*(ask(nth) for nth in range(ASKED)))
    return asked


if __name__ == "__main__":
    print(json.dumps({"p99_ms": asyncio.run(notified_ms())}))
