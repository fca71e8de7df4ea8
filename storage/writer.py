"""The one writer of a SQLite file: what waits is committed together, each closure in its own savepoint.

Closures run on the event loop, a few milliseconds of them at a time; what may wait for the disk or for a lock
(opening, a COMMIT where commits are slow, a BEGIN that finds the file locked) runs in the writer's one thread. SQLite
gives the interpreter away at every statement, so closures in a thread of their own waited for it at each of a dozen
statements while the loop was busy.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from reviews.errors import StoreUnavailable
from storage.store import SqlTx

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Enough to spread one fsync over all who wait.
_GROUP = 256
#: How long a group may keep the event loop (seconds); the rest of it waits for the next.
_SLICE = 0.016
#: A commit as quick as this (seconds) may run on the loop, and how fast slower ones are forgotten.
_QUICK = 0.002
_MEMORY = 0.98
#: How long to wait for a lock that somebody else's program holds on the file (milliseconds).
BUSY_MS = 5_000


@dataclass(slots=True)
class _Job:
    """A closure, who waits for it, and what came of it."""

    fn: Callable[[SqlTx], Any]
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
    """Owns the writing connection. `connect` opens it, `begin` makes a transaction over it.

    `clock` (seconds) tells how long a commit took.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        begin: Callable[[sqlite3.Connection], SqlTx],
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._connect = connect
        self._begin = begin
        self._clock = clock
        self._waiting: deque[_Job] = deque()
        self._more = asyncio.Event()
        self._conn: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="placet-write")
        self._task: asyncio.Task[None] | None = None
        self._open = False
        self._pace = _QUICK
        self.journal = ""
        #: Why nothing could be written, until something is again.
        self.fault = ""

    async def start(self) -> None:
        """Open the connection and begin to write. Raises StoreUnavailable."""
        try:
            await self._apart(self._reopen)
        except sqlite3.Error as fault:
            raise StoreUnavailable(f"The database cannot be opened: {fault}.") from fault
        self._open = True
        self._task = asyncio.create_task(self._write(), name="placet-write")

    def submit(self, fn: Callable[[SqlTx], T]) -> asyncio.Future[T]:
        """Have a closure run. Who gives up waiting does not stop it. Raises StoreUnavailable when closed."""
        if not self._open:
            raise StoreUnavailable("The store is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(fn, future))
        self._more.set()
        return future

    async def stop(self) -> None:
        """Write what waits, then close."""
        self._open = False
        self._more.set()
        task, self._task = self._task, None
        if task is None:
            return
        await task
        self._thread.submit(self._abandon)
        self._thread.shutdown()

    # ------------------------------------------------------------------------------------------ on the loop

    async def _write(self) -> None:
        while self._open or self._waiting:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
                continue
            await self._commit([self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP))])

    async def _commit(self, jobs: list[_Job]) -> None:
        """Run what fits of a group and commit it, or fail all of it and open the connection anew."""
        try:
            conn = self._conn if self._conn is not None else await self._apart(self._reopen)
            await self._enter(conn)
            written = conn.total_changes
            jobs = self._run_some(conn, jobs)
            await self._finish(conn)
            self.fault = "" if conn.total_changes != written else self.fault
        except (sqlite3.Error, _GroupLost) as fault:
            self.fault = str(fault.__cause__ or fault)
            log.error("Nothing could be written: %s", self.fault)
            await self._apart(self._abandon)
            for job in jobs:
                job.fault = _unavailable(fault.__cause__ or fault)
        for job in jobs:
            job.settle()

    async def _finish(self, conn: sqlite3.Connection) -> None:
        """Commit: here while the disk is quick, since going to the thread and back takes longer; else apart."""
        began = self._clock()
        if self._pace < _QUICK:
            conn.execute("COMMIT")
        else:
            await self._apart(partial(conn.execute, "COMMIT"))
        # One slow commit sends the next ones to the thread; many quick ones bring them back.
        self._pace = max(self._clock() - began, self._pace * _MEMORY)

    async def _enter(self, conn: sqlite3.Connection) -> None:
        """Begin, at once where the file is free, else waiting for it apart from the loop."""
        try:
            conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._apart(lambda: _begin_patiently(conn))

    def _run_some(self, conn: sqlite3.Connection, jobs: list[_Job]) -> list[_Job]:
        """Run jobs for a slice of time, one at least; the others wait for the next group. Those run."""
        clock = asyncio.get_running_loop().time
        until = clock() + _SLICE
        for count, job in enumerate(jobs, 1):
            self._run(conn, job)
            if clock() >= until:
                self._waiting.extendleft(reversed(jobs[count:]))
                return jobs[:count]
        return jobs

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

    # ------------------------------------------------------------------------------------------ in the thread

    async def _apart(self, call: Callable[[], T]) -> T:
        """Run what may wait for the disk where it keeps nobody else."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _reopen(self) -> sqlite3.Connection:
        self._conn = self._connect()
        self._conn.execute("PRAGMA busy_timeout=0")  # the loop never waits for a lock
        self.journal = str(self._conn.execute("PRAGMA journal_mode").fetchone()[0])
        return self._conn

    def _abandon(self) -> None:
        """Close the connection, which rolls back whatever is left of its transaction."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


def _begin_patiently(conn: sqlite3.Connection) -> None:
    conn.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    try:
        conn.execute("BEGIN IMMEDIATE")
    finally:
        with suppress(sqlite3.Error):  # the fault that counts is that of BEGIN
            conn.execute("PRAGMA busy_timeout=0")


def _unavailable(fault: BaseException) -> StoreUnavailable:
    text = (
        f"The database did not take it ({fault}); nothing was changed. Try again; if it stays, look at disk space "
        "and the log."
    )
    made = StoreUnavailable(text)
    made.__cause__ = fault
    return made
