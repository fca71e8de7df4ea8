"""What the benchmarks drive with: a server process, a client, receivers of callbacks. Loopback only."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

BODY = {
    "action": {"name": "refund.issue", "arguments": {"order": "A-4721", "amount": 180.0, "iban": "ES9121000418"}},
    "summary": "Refund order A-4721, parcel lost",
    "confidence": 0.62,
    "subject": "order:A-4721",
    "context": {"goal": "Make it right", "reasoning": ["The carrier lost it.", "The customer is of 2019."]},
    "evidence": [{"title": "Carrier status", "snippet": "lost in transit", "score": 0.93}],
}


class Server:
    """A running server process and a session to it."""

    def __init__(
        self, told: dict[str, Any], process: asyncio.subprocess.Process, session: aiohttp.ClientSession
    ) -> None:
        self.told, self.process, self.session = told, process, session
        self.url: str = told["url"]
        self._agent = {"Authorization": f"Bearer {told['key']}"}
        self._person = {"Authorization": f"Bearer {told['token']}"}

    async def create(self, **more: Any) -> dict[str, Any]:
        """Ask for a review."""
        async with self.session.post(f"{self.url}/v1/reviews", json={**BODY, **more}, headers=self._agent) as answer:
            body: dict[str, Any] = await answer.json()
            if answer.status != 201:
                raise RuntimeError(f"create answered {answer.status}: {body}")
            return body

    async def read(self, review: str) -> dict[str, Any]:
        """A review as its agent sees it."""
        async with self.session.get(f"{self.url}/v1/reviews/{review}", headers=self._agent) as answer:
            body: dict[str, Any] = await answer.json()
            return body

    async def approve(self, review: str) -> None:
        """Approve a review as the person."""
        vote = {"vote": "approve", "revision": 1}
        url = f"{self.url}/v1/reviews/{review}/votes"
        async with self.session.post(url, json=vote, headers=self._person) as answer:
            if answer.status != 200:
                raise RuntimeError(f"approve answered {answer.status}: {await answer.text()}")


@asynccontextmanager
async def server(
    config: dict[str, Any] | str, folder: Path | None = None, env: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """A server in a process of its own, ended by a line on its standard input. `env` is added to its environment."""
    with tempfile.TemporaryDirectory() as fresh:
        where = folder or Path(fresh)
        given = config if isinstance(config, str) else json.dumps(config)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.serve", str(where), given,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start; run: python -m bench.serve {where} '{given}'")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield Server(json.loads(line), process, session)
        process.stdin.write(b"\n")
        await process.stdin.drain()
        await process.wait()


class Receiver:
    """A receiver of callbacks on loopback: notes when each review's decision came. `hang` never answers."""

    def __init__(self, *, hang: bool = False) -> None:
        self.came: dict[str, float] = {}
        self._hang, self._more, self._never = hang, asyncio.Event(), asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Receiver:
        app = web.Application()
        app.add_routes([web.post("/hook", self._hook)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._never.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self._hang:
            await self._never.wait()
        self.came.setdefault(body["data"]["id"], time.perf_counter())
        self._more.set()
        return web.Response()

    async def wait_for(self, reviews: list[str], seconds: float = 30.0) -> None:
        """Until the decision of each review came. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not all(review in self.came for review in reviews):
                self._more.clear()
                await self._more.wait()


def quantile(values: list[float], q: float) -> float:
    """The q-quantile (0..1) of some numbers."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]
