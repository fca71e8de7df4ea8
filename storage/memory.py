"""`Store` in plain dicts: what tests and demos run on. The same promises, none of them beyond the process's life.

A closure runs at once in the event loop, so nothing runs between its steps; every write notes how to undo it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from reviews.errors import StoreUnavailable
from reviews.keeping import Tx
from reviews.ports import Clock
from storage.dicts import MemoryTx
from storage.shelf import Data

T = TypeVar("T")

#: Whom another process told of a change here: there is none.
_NOBODY: tuple[str, ...] = ()


class MemoryStore:
    """`Store` that forgets everything when it goes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._data = Data()
        self._stopped = asyncio.Event()

    async def tx(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn`; when it raises, nothing of it is kept."""
        return self._run(fn, writes=True)

    async def view(self, fn: Callable[[Tx], T]) -> T:
        """Run a read-only `fn`."""
        return self._run(fn, writes=False)

    async def start(self) -> None:
        """There is nothing to open."""

    async def stop(self) -> None:
        """Take nothing more."""
        self._stopped.set()

    async def listen(self) -> AsyncIterator[str]:
        """Nothing: there is no other process. Ends when the store stops."""
        await self._stopped.wait()
        for name in _NOBODY:
            yield name

    def facts(self) -> dict[str, Any]:
        """What this is, and that it keeps nothing."""
        warnings = ["Everything is lost when this process ends. Set `database` to keep it."]
        return {"engine": "memory", "version": "", "warnings": warnings}

    def _run(self, fn: Callable[[Tx], T], *, writes: bool) -> T:
        if self._stopped.is_set():
            raise StoreUnavailable("The store is closed.")
        tx = MemoryTx(self._data, self._clock, writes=writes)
        try:
            return fn(tx)
        except BaseException:
            tx.undo()
            raise
