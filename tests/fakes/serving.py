"""A server of some routes, for a test or a fake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serving(routes: Sequence[web.AbstractRouteDef]) -> AsyncIterator[str]:
    """The root of a server of these routes on a free port of loopback."""
    app = web.Application(client_max_size=2**22)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
