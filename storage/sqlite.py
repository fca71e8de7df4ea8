"""SQLite: one writer thread that owns the one writing connection and commits in groups; readers of their own.

Versions 3.7.0 to 3.51.2 can corrupt a WAL when two connections write or checkpoint at once
(https://www.sqlite.org/changes.html, 3.51.3): the readers are `mode=ro`, and a lock keeps other processes away.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from reviews.errors import StoreUnavailable
from reviews.keeping import Tx
from reviews.ports import Clock
from storage.lock import FileLock
from storage.rows import Params, Row
from storage.sql import Statement
from storage.store import SqlTx
from storage.upgrade import upgrade_sqlite
from storage.writer import BUSY_MS, Writer

#: No worker claims anything for longer.
_LONGEST_LEASE = timedelta(seconds=60)

T = TypeVar("T")

_READERS = 2
#: Whom another process told of a change here: the lock keeps others away.
_NOBODY: tuple[str, ...] = ()


def open_writer(path: Path) -> sqlite3.Connection:
    """The writing connection. `synchronous=FULL`: what is acknowledged survives a power cut."""
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    conn.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA journal_size_limit=67108864")
    conn.execute("PRAGMA temp_store=MEMORY")  # where savepoints note the pages they would bring back
    conn.execute("PRAGMA cache_size=-8192")  # KiB
    return conn


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    conn = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    conn.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    return conn


def risky_wal(version: tuple[int, ...]) -> bool:
    """Whether this version of SQLite has the WAL-reset bug (fixed in 3.51.3, and in 3.50.7 and 3.44.6)."""
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return version >= (3, 7, 0) and not fixed


class SqliteDb:
    """A bare connection, as the transaction asks for it."""

    locks = False

    def __init__(self, conn: sqlite3.Connection, clock: Clock) -> None:
        self._conn = conn
        self._clock = clock

    def one(self, statement: Statement, params: Params) -> Row | None:
        """The first row, if there is one."""
        found = self.all(statement, params)
        return found[0] if found else None

    def all(self, statement: Statement, params: Params) -> Sequence[Row]:
        """Every row."""
        return self._inside().execute(statement.text, statement.ordered(params)).fetchall()

    def run(self, statement: Statement, params: Params) -> int:
        """Run it; how many rows it touched."""
        return self._inside().execute(statement.text, statement.ordered(params)).rowcount

    def many(self, statement: Statement, rows: Sequence[Params]) -> None:
        """Run it for each of the rows."""
        self._inside().executemany(statement.text, [statement.ordered(params) for params in rows])

    def alone(self, work: str) -> None:
        """There is one writer: it is alone."""

    def now(self) -> datetime:
        """The store's clock."""
        return self._clock.now()

    def _inside(self) -> sqlite3.Connection:
        """The connection, while its transaction lives: a full disk ends it, and what came after would be kept."""
        if not self._conn.in_transaction:
            raise StoreUnavailable("The transaction is gone; nothing of it was kept. Look at disk space and the log.")
        return self._conn


def _free(tx: SqlTx) -> None:
    """Whoever held this file before has died: what it had claimed need not wait for its leases to end."""
    tx.take_over(_LONGEST_LEASE)


class SqliteStore:
    """`Store` on a SQLite file. `connect` opens the writing connection; tests hand in one that fails."""

    def __init__(
        self, path: Path, clock: Clock, *, connect: Callable[[Path], sqlite3.Connection] = open_writer
    ) -> None:
        self._path = path
        self._clock = clock
        self._lock = FileLock(path)
        self._writer = Writer(lambda: connect(path), lambda conn: SqlTx(SqliteDb(conn, clock)))
        self._readers = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="placet-read")
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._stopped = asyncio.Event()

    async def tx(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction, committed together with others that wait. Raises StoreUnavailable."""
        return await self._writer.submit(fn)

    async def view(self, fn: Callable[[Tx], T]) -> T:
        """Run a read-only `fn` on a connection that cannot write. Raises StoreUnavailable."""
        if self._stopped.is_set():
            raise StoreUnavailable("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._view, fn)

    async def start(self) -> None:
        """Take the lock, bring the file up to date, open. Raises StoreUnavailable naming what is in the way."""
        await asyncio.to_thread(self._prepare)
        try:
            await self._writer.start()
            await self._writer.submit(_free)
        except BaseException:
            self._lock.release()
            raise

    async def stop(self) -> None:
        """Finish what was begun and close."""
        self._stopped.set()
        await self._writer.stop()
        await asyncio.to_thread(self._close)

    async def listen(self) -> AsyncIterator[str]:
        """Nothing: no other process writes this file. Ends when the store stops."""
        await self._stopped.wait()
        for name in _NOBODY:
            yield name

    def facts(self) -> dict[str, Any]:
        """Engine, file, version, journal and warnings."""
        warnings = []
        if risky_wal(sqlite3.sqlite_version_info):
            warnings.append(
                f"SQLite {sqlite3.sqlite_version} can corrupt its WAL when two connections write at once. Placet uses "
                "one writer and is safe; let no other program write to this file, or upgrade to SQLite 3.51.3."
            )
        if self._writer.journal not in ("wal", ""):
            warnings.append(f"The journal is {self._writer.journal}, not WAL: this file system does not take it.")
        return {
            "engine": "sqlite",
            "version": sqlite3.sqlite_version,
            "file": str(self._path),
            "journal": self._writer.journal,
            "synchronous": "full",
            "fault": self._writer.fault,
            "warnings": warnings,
        }

    def _prepare(self) -> None:
        self._lock.take()
        try:
            upgrade_sqlite(self._path)
        except BaseException:
            self._lock.release()
            raise

    def _close(self) -> None:
        self._readers.shutdown(wait=True)
        for conn in self._opened:
            conn.close()
        self._lock.release()

    def _view(self, fn: Callable[[Tx], T]) -> T:
        try:
            conn = self._reader()
            conn.execute("BEGIN")
            try:
                return fn(SqlTx(SqliteDb(conn, self._clock)))
            finally:
                conn.execute("ROLLBACK")
        except sqlite3.Error as fault:
            raise StoreUnavailable(f"The database could not be read: {fault}.") from fault

    def _reader(self) -> sqlite3.Connection:
        """This thread's connection."""
        conn: sqlite3.Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = self._local.conn = open_reader(self._path)
            self._opened.append(conn)
        return conn
