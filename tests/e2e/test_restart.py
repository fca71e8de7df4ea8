"""kill -9 at any instant, start again: everything accepted ends once, and is told at least once."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from tests.fakes.serving import serving

POLICY = """
policy: restart
version: 1
chains:
  quick:
    - {after: 0m, notify: channel:role}
    - {after: 1s, notify: person:bo}
    - {after: 2s, notify: person:cy}
    - {after: 6s, then: expire}
rules: []
default: {tier: approve, role: clerk, chain: quick}
"""
ROUNDS = 4
pytestmark = pytest.mark.slow
ASKED_A_ROUND = 12


class Receiver:
    """Takes callbacks, badly: some answers are 500, and some connections are cut after it was read."""

    def __init__(self) -> None:
        self.ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.verdicts: defaultdict[str, set[str]] = defaultdict(set)
        self._dice = random.Random(7)
        self._came = asyncio.Event()
        self._failed: set[str] = set()

    async def told(self, reviews: list[str]) -> None:
        """Wait until the decision of each came; a failed delivery is sent again after five seconds."""
        async with asyncio.timeout(90):
            while not all(self.ids[review, "review.decided"] for review in reviews):
                self._came.clear()
                await self._came.wait()

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """One callback."""
        body = await request.json()
        review, message = body["data"]["id"], body["type"]
        luck, first = self._dice.random(), request.headers["webhook-id"] not in self._failed
        if luck < 0.15 and first:
            self._failed.add(request.headers["webhook-id"])
            return web.Response(status=500)
        self.ids[review, message].add(request.headers["webhook-id"])
        if message == "review.decided":
            self.verdicts[review].add(body["data"]["decision"]["verdict"])
        self._came.set()
        if luck < 0.3 and request.transport is not None:
            request.transport.abort()  # taken, but the sender never learns
        return web.Response()


class Server:
    """`placet serve` as a process that is killed and started again."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.process: asyncio.subprocess.Process
        self.url = ""

    async def start(self) -> None:
        """Start, and learn where it listens."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", "--config", str(self._config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while not self.url:
                line = (await self.process.stdout.readline()).decode()
                assert line, "the server did not start"
                self.url = line.split()[-1] if "listens on" in line else ""

    async def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        await self.process.wait()
        self.url = ""


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    async with serving([web.post("/hook", receiver.hook)]) as url:
        yield receiver, url


async def placet(*args: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *args, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()[-1]


class Round:
    """Asking and voting until the server is killed under it. What was acknowledged is remembered."""

    def __init__(self, server: Server, key: str, token: str, callback: str) -> None:
        self._server, self._key, self._token, self._callback = server, key, token, callback
        self.asked: list[str] = []
        self.approved: set[str] = set()

    async def go(self, number: int, dice: random.Random) -> None:
        """Ask a few, approve some of them, and die at a moment of chance's choosing."""
        async with aiohttp.ClientSession() as session:
            doom = asyncio.create_task(self._doom(dice.uniform(0.05, 0.6)))
            try:
                for n in range(ASKED_A_ROUND):
                    await self._one(session, f"{number}-{n}", approve=n % 3 == 0)
            except (aiohttp.ClientError, ConnectionError):
                pass  # the server died under the call: what was not acknowledged may or may not have happened
            await doom

    async def _doom(self, seconds: float) -> None:
        # Dying is what is tested here, at an instant nothing in the server waits for.
        loop = asyncio.get_running_loop()
        died = loop.create_future()
        loop.call_later(seconds, died.set_result, None)
        await died
        await self._server.kill()

    async def _one(self, session: aiohttp.ClientSession, key: str, *, approve: bool) -> None:
        body = {"action": {"name": "note.write", "arguments": {"n": key}}, "callback_url": self._callback}
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": key}
        async with session.post(f"{self._server.url}/v1/reviews", json=body, headers=headers) as answer:
            assert answer.status == 201
            review = (await answer.json())["id"]
        self.asked.append(review)
        if approve:
            url = f"{self._server.url}/v1/reviews/{review}/votes"
            headers = {"Authorization": f"Bearer {self._token}"}
            async with session.post(url, json={"vote": "approve", "revision": 1}, headers=headers) as answer:
                if answer.status == 200:
                    self.approved.add(review)


async def test_nothing_lost_nothing_twice(tmp_path: Path) -> None:
    """Killed four times under load with a bad receiver, started again: each promise of the README holds."""
    async with receiving() as (receiver, url):
        config = _installation(tmp_path, url.removeprefix("http://"))
        key = await placet("agent", "add", "agent-desk", "--config", str(config))
        token = await placet("token", "ana", "--config", str(config))
        server, dice = Server(config), random.Random(11)
        story = Round(server, key, token, f"{url}/hook")
        for number in range(ROUNDS):
            await server.start()
            await story.go(number, dice)
        await server.start()
        try:
            ends = await _ends(server, key, story)
            await receiver.told(story.asked)
        finally:
            await server.kill()
    assert len(story.asked) > ROUNDS
    assert all(ends[review]["status"] == "approved" for review in story.approved), "an acknowledged vote is committed"
    for review in story.asked:
        assert len(receiver.ids[review, "review.decided"]) == 1, "one end, one webhook-id, however often it came"
        assert receiver.verdicts[review] == {ends[review]["status"]}
        rungs = Counter(rung for entry in ends[review]["events"] for rung in entry["detail"].get("rungs", ()))
        assert all(count == 1 for count in rungs.values()), "each rung fires once"


async def _ends(server: Server, key: str, story: Round) -> dict[str, Any]:
    """Every review asked for, at its end, with its history."""
    found: dict[str, Any] = {}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session, asyncio.timeout(60):
        for review in story.asked:
            url = f"{server.url}/v1/reviews/{review}"
            while True:
                async with session.get(f"{url}?wait=30") as answer:
                    assert answer.status == 200, "what was accepted is there"
                    body = await answer.json()
                if body["decision"] is not None:
                    break
            async with session.get(f"{url}/events") as answer:
                found[review] = body | {"events": (await answer.json())["items"]}
    return found


def _installation(folder: Path, receiver: str) -> Path:
    (folder / "policy.yml").write_text(POLICY)
    people = [{"id": "ana", "name": "Ana", "roles": ["clerk"]}, {"id": "bo", "name": "Bo"}, {"id": "cy", "name": "Cy"}]
    config = {
        "server": {"port": 0, "votes_by_token": True},
        "callbacks": {"allow": [receiver]},
        "roles": {"clerk": {"level": 1}},
        "people": people,
    }
    path = folder / "placet.yml"
    path.write_text(yaml.safe_dump(config))
    return path
