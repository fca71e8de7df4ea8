"""Work that follows an acknowledgement: telling people, filling a form, redrawing a card.

Nobody waits for it, so it is kept here: a task that nothing refers to may be collected in the middle, and at a stop
what was begun is given a moment to end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from reviews.errors import PlacetError

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: Chores under way at once; beyond that, new ones are left out rather than let the memory fill.
MOST = 1000


class Chores:
    """The chores of one surface, which `surface` names in the log."""

    def __init__(self, surface: str, most: int = MOST) -> None:
        self._surface = surface
        self._most = most
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin what must be done, however much there is; its outcome is the caller's."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def add(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin what may be left out when there is too much; a failure is logged."""
        if len(self._tasks) >= self._most:
            work.close()
            _log.error("%d answers to %s are under way; one more was left out", len(self._tasks), self._surface)
            return
        self.begin(logged(work, self._surface))

    async def drain(self, seconds: float = 2.0) -> None:
        """Let what was begun end, for so long; then cancel it."""
        until = asyncio.get_running_loop().time() + seconds
        while self._tasks and (rest := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=rest)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def logged(work: Awaitable[None], surface: str) -> None:
    """Do it; a failure goes into the log, for nobody else would hear of it."""
    try:
        await work
    except PlacetError as fault:
        _log.warning("something for %s was left undone: %s", surface, fault)
    except Exception:  # noqa: BLE001 - a defect here must not end what goes on beside it
        _log.exception("something for %s was left undone", surface)
