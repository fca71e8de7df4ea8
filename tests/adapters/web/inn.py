"""The inbox on a loopback port with the fake desk, for tests and pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.port import Setup
from adapters.web.adapter import WebAdapter, create
from tests.fakes.desk import FakeDesk, FakeDoor, FixedClock, desk_of
from tests.fakes.references import FakeReferences


@dataclass
class Inn:
    """A running inbox and what stands behind it."""

    adapter: WebAdapter
    desk: FakeDesk
    door: FakeDoor
    clock: FixedClock
    server: TestServer

    def url(self, path: str) -> str:
        """A page's full address."""
        return str(self.server.make_url(path))


@asynccontextmanager
async def inn(
    desk: FakeDesk | None = None,
    *,
    demo: bool = False,
    public_url: str = "http://127.0.0.1",
    clock: FixedClock | None = None,
) -> AsyncIterator[Inn]:
    """Serve the inbox for as long as the block runs."""
    clock = clock or FixedClock()
    desk = desk or desk_of()
    door = FakeDoor(clock=clock, demo=demo)
    setup = Setup(
        config={},
        env={},
        desk=desk,
        door=door,
        references=FakeReferences(),
        clock=clock,
        public_url=public_url,
        demo=demo,
    )
    adapter = create(setup)
    assert isinstance(adapter, WebAdapter)
    app = web.Application()
    app.add_routes(adapter.routes())
    server = TestServer(app, host="127.0.0.1")
    await adapter.start()
    await desk.watched.wait()
    await server.start_server()
    try:
        yield Inn(adapter=adapter, desk=desk, door=door, clock=clock, server=server)
    finally:
        await adapter.stop()
        await server.close()
