"""The addresses people and agents come in by: taken before anything else, served once all is ready."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from aiohttp import web

from bot import wire
from bot.addresses import bound, bracketed
from bot.config import Server
from bot.problems import middleware
from reviews.ports import Clock


class Listening:
    """The listeners of one server: one for all, or one for people and one inside. `url` is where people reach it."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server, self._clock = server, clock
        self._sockets: list[socket.socket] = []
        self.runners: list[web.AppRunner] = []
        self.url = server.public_url or ""

    def bind(self) -> None:
        """Take the addresses: links need the port, and a port in use is better said first. Raises CannotServe."""
        server, internal = self._server, self._server.internal
        self._sockets = [bound(where.host, where.port) for where in (server, internal) if where is not None]
        host, port = self._sockets[0].getsockname()[:2]
        self.url = server.public_url or f"http://{bracketed(host)}:{port}"

    async def start(
        self,
        people: Sequence[web.AbstractRouteDef],
        agents: Sequence[web.AbstractRouteDef],
        probes: Sequence[web.AbstractRouteDef],
        numbers: Sequence[web.AbstractRouteDef],
    ) -> None:
        """Answer. Where there is a listener inside, it alone answers agents and tells the `numbers`."""
        outside, *inside = self._sockets
        if not inside:
            await self._serve(outside, [*people, *agents, *probes, *numbers])
            return
        await self._serve(outside, [*people, *probes])
        await self._serve(inside[0], [*agents, *probes, *numbers])

    async def stop(self) -> None:
        """Finish what is being answered, and let the addresses go."""
        for runner in self.runners:
            await runner.cleanup()
        for taken in self._sockets:
            taken.close()

    async def _serve(self, taken: socket.socket, routes: Sequence[web.AbstractRouteDef]) -> None:
        application = web.Application(
            middlewares=[middleware(self.url, self._clock)], client_max_size=wire.MAX_BODY + 1
        )
        application.add_routes(routes)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=3.0)
        await runner.setup()
        self.runners.append(runner)
        await web.SockSite(runner, taken, backlog=128).start()
