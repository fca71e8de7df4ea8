"""What runs beside the listeners: each worker for ever, started again when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

#: A worker that failed starts again after this long (seconds).
RESTART = 1.0


class Workers:
    """The workers of one server. `failing` are those that fail, by name, and why; readiness says so meanwhile."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.failing: dict[str, str] = {}

    @property
    def any(self) -> bool:
        """Whether one was begun."""
        return bool(self.tasks)

    def begin(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a worker until `stop`, or until it ends by itself."""
        self.tasks.append(asyncio.create_task(self._keep_going(name, work), name=name))

    async def stop(self) -> None:
        """Cancel all, and wait until they are gone."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _keep_going(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
                return
            except asyncio.CancelledError:
                raise
            except Exception as fault:
                self.failing[name] = repr(fault)
                log.exception("worker_failed", worker=name)
                await asyncio.sleep(RESTART)
            self.failing.pop(name, None)
