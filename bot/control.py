"""The control socket: how commands reach the serving process, which alone writes an embedded database.

A Unix socket beside the database, mode 0600: whoever may open it may already read the database's file. The commands'
end is `bot/control_client.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from bot.operations import Operations
from reviews.errors import PlacetError


class NoControl(PlacetError):
    """The control socket cannot be made where the database lies."""


class Control:
    """The serving side. `changed` is called after each operation."""

    def __init__(self, path: Path, operations: Operations, changed: Callable[[], None]) -> None:
        self._path, self._operations, self._changed = path, operations, changed
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. A socket left by a process that died is replaced; the store's lock says nobody else serves."""
        self._path.unlink(missing_ok=True)
        app = web.Application()
        app.add_routes([web.post("/run", self._run)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.UnixSite(self._runner, str(self._path)).start()
            self._path.chmod(0o600)
        except OSError as fault:
            raise NoControl(
                f"Cannot listen on the control socket {self._path}: {fault}. Keep the database in a folder of a local "
                "disk; the path of a socket may have about 100 characters at most."
            ) from fault

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    async def _run(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            result = await self._operations.run(asked["name"], asked["given"])
        except (PlacetError, TypeError) as fault:
            return web.json_response({"error": str(fault)}, status=422)
        self._changed()
        return web.json_response({"result": result})
