"""An agent's end of the callbacks: a real server on loopback that does to each message what its path says."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.fakes.app import PATIENCE


@dataclass(frozen=True, slots=True)
class Call:
    """One message as it came."""

    path: str
    headers: CIMultiDictProxy[str]
    body: bytes


class Receiver:
    """`/ok` takes, `/hang` never answers, `/redirect` points to `/ok`, `/410`, `/500`… answer so.

    `/later/N` answers 503 with `Retry-After: N`. `answers` puts another status on a path for the calls to come.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, int] = {}
        self._queues: defaultdict[str, asyncio.Queue[Call]] = defaultdict(asyncio.Queue)
        self._release = asyncio.Event()
        self.port = 0

    @property
    def address(self) -> str:
        """What an operator's allow-list names."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/ok") -> str:
        """A callback address here."""
        return f"http://{self.address}{path}"

    async def next(self, path: str = "/ok") -> Call:
        """The next message to this path."""
        async with asyncio.timeout(PATIENCE):
            return await self._queues[path].get()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take a message, and do what the path says."""
        call = Call(request.path, request.headers, await request.read())
        self.calls.append(call)
        self._queues[request.path].put_nowait(call)
        match request.path.split("/")[1:]:
            case ["hang"]:
                await self._release.wait()
            case ["redirect"]:
                return web.Response(status=307, headers={"Location": self.url("/ok")})
            case ["later", seconds]:
                return web.Response(status=503, headers={"Retry-After": seconds})
            case [status] if status.isdigit():
                return web.Response(status=self.answers.get(request.path, int(status)))
        return web.Response(status=self.answers.get(request.path, 200))

    def release(self) -> None:
        """Let whoever hangs go."""
        self._release.set()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Bring one up."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        receiver.release()
        await runner.cleanup()


def closed_port() -> int:
    """A port of this machine where nobody listens: connecting is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
