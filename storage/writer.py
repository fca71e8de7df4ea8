"""The one thread that writes a SQLite file: what waits is committed together, each closure in its own savepoint."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from reviews.errors import StoreUnavailable
from reviews.ports import Tx
from storage.store import SqlTx

T = TypeVar("T")

#: Enough to spread one fsync over all who wait, few enough that the first of them is not kept long.
_GROUP = 256


@dataclass(slots=True)
class _Job:
    """A closure, who waits for it, and what came of it."""

    fn: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    value: Any = None
    fault: BaseException | None = None

    def settle(self) -> None:
        """Tell who waits, if somebody still does."""
        if self.future.done():
            return
        if self.fault is not None:
            self.future.set_exception(self.fault)
        else:
            self.future.set_result(self.value)


class _GroupLost(Exception):
    """The transaction ended under a closure (a full disk rolls everything back): no closure of the group is kept."""


class Writer:
    """Owns the writing connection. `connect` opens it, `begin` makes a transaction over it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], begin: Callable[[sqlite3.Connection], SqlTx]) -> None:
        self._connect = connect
        self._begin = begin
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._conn: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._open = False
        self.journal = ""

    def start(self) -> None:
        """Open the connection and begin to write. Raises StoreUnavailable."""
        try:
            self._conn = self._connect()
            self.journal = str(self._conn.execute("PRAGMA journal_mode").fetchone()[0])
        except sqlite3.Error as fault:
            raise StoreUnavailable(f"The database cannot be opened: {fault}.") from fault
        self._thread = threading.Thread(target=self._write, name="placet-write", daemon=True)
        self._open = True
        self._thread.start()

    def submit(self, fn: Callable[[Tx], T]) -> asyncio.Future[T]:
        """Have a closure run. Who gives up waiting does not stop it. Raises StoreUnavailable when closed."""
        if not self._open:
            raise StoreUnavailable("The store is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Job(fn, future))
        return future

    def stop(self) -> None:
        """Write what waits, then close."""
        self._open = False
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    # ------------------------------------------------------------------------------------------ in the thread

    def _write(self) -> None:
        more = True
        while more:
            jobs, more = self._waiting()
            if jobs:
                self._commit(jobs)
                _settle(jobs)

    def _waiting(self) -> tuple[list[_Job], bool]:
        """What waits now, at least one; and whether to go on after it."""
        jobs: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == _GROUP:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _commit(self, jobs: list[_Job]) -> None:
        """Run a group and commit it, or fail all of it and open the connection anew."""
        try:
            if self._conn is None:
                self._conn = self._connect()
            self._conn.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run(self._conn, job)
            self._conn.execute("COMMIT")
        except (sqlite3.Error, _GroupLost) as fault:
            self._abandon()
            for job in jobs:
                job.fault = _unavailable(fault.__cause__ or fault)

    def _run(self, conn: sqlite3.Connection, job: _Job) -> None:
        conn.execute("SAVEPOINT closure")
        try:
            job.value = job.fn(self._begin(conn))
        except BaseException as fault:  # it belongs to whoever waits; the writer must live
            if not conn.in_transaction:
                raise _GroupLost from fault
            conn.execute("ROLLBACK TO closure")
            job.fault = _unavailable(fault) if isinstance(fault, sqlite3.Error) else fault
        conn.execute("RELEASE closure")

    def _abandon(self) -> None:
        """Close the connection, which rolls back whatever is left of its transaction."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


def _unavailable(fault: BaseException) -> StoreUnavailable:
    text = (
        f"The database did not take it ({fault}); nothing was changed. Try again; if it stays, look at disk space "
        "and the log."
    )
    made = StoreUnavailable(text)
    made.__cause__ = fault
    return made


def _settle(jobs: Iterable[_Job]) -> None:
    """Tell those who wait, with one call into each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, theirs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_here, theirs)


def _settle_here(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()
