"""PostgreSQL: the engine for several replicas. The same closures, run inside SQLAlchemy's asynchronous engine."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it ships neither stubs nor py.typed
from sqlalchemy import URL, Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import Text

from reviews.errors import StoreUnavailable
from reviews.keeping import Tx
from storage import upgrade
from storage.rows import Params, Row
from storage.sql import Statement
from storage.store import SqlTx

T = TypeVar("T")

CHANNEL = "placet"
_POOL = 10
#: How long to wait before trying again what lost against another transaction; seconds, times a random share.
_PAUSES = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
_RECONNECT_S = (0.1, 0.5, 1.0, 2.0, 5.0)
#: How often a silent subscription is asked whether it still stands; seconds.
_HEARTBEAT_S = 30.0
_LOST_A_RACE = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
_UNREACHABLE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

_NOW = select(func.clock_timestamp())
_ALONE = select(func.pg_advisory_xact_lock(func.hashtext(bindparam("work", type_=Text()))))
_NOTIFY = select(func.pg_notify(CHANNEL, func.unnest(bindparam("names", type_=ARRAY(Text())))))


class PgDb:
    """SQLAlchemy's connection, as the transaction asks for it. `locks` is off where nothing is written."""

    def __init__(self, conn: Connection, *, locks: bool) -> None:
        self._conn = conn
        self.locks = locks

    def one(self, statement: Statement, params: Params) -> Row | None:
        """The first row, if there is one."""
        return self._conn.execute(statement.core, params).first()

    def all(self, statement: Statement, params: Params) -> Sequence[Row]:
        """Every row."""
        return self._conn.execute(statement.core, params).all()

    def run(self, statement: Statement, params: Params) -> int:
        """Run it; how many rows it touched."""
        return self._conn.execute(statement.core, params).rowcount

    def many(self, statement: Statement, rows: Sequence[Params]) -> None:
        """Run it for each of the rows."""
        if rows:
            self._conn.execute(statement.core, list(rows))

    def alone(self, work: str) -> None:
        """Serialise this work over all replicas: a claim sees every claim before it."""
        self._conn.execute(_ALONE, {"work": f"placet.{work}"})

    def now(self) -> datetime:
        """The database's clock: replicas may disagree, it does not."""
        at: datetime = self._conn.execute(_NOW).scalar_one()
        return at.astimezone(UTC)


class _Again(Exception):
    """Nothing was kept and the same closure may well succeed now."""


class PostgresStore:
    """`Store` on PostgreSQL."""

    def __init__(self, url: URL) -> None:
        self._url = asyncpg_url(url)
        self._engine = make_engine(self._url)
        self._sender = secrets.token_hex(4)
        self._running: set[asyncio.Task[Any]] = set()
        self._ears: set[asyncio.Queue[str | None]] = set()
        self._stopping = False
        self._version = ""

    async def tx(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction; again when it lost against another. Raises StoreUnavailable.

        Who gives up waiting does not stop it.
        """
        self._check_open()
        task = asyncio.get_running_loop().create_task(self._insist(fn, locks=True))
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def view(self, fn: Callable[[Tx], T]) -> T:
        """Run a read-only `fn` on one snapshot. Raises StoreUnavailable."""
        self._check_open()
        return await self._insist(fn, locks=False)

    async def start(self) -> None:
        """Connect and bring the tables up to date. Raises StoreUnavailable."""
        try:
            async with self._engine.begin() as conn:
                await conn.run_sync(upgrade.upgrade)
                self._version = str(await conn.scalar(select(func.current_setting("server_version"))))
        except _UNREACHABLE as fault:
            raise StoreUnavailable(
                f"PostgreSQL at {self._url.render_as_string()} cannot be used: {_cause(fault)}. "
                "Check `database`, that the server runs, and that this user may create tables."
            ) from fault

    async def stop(self) -> None:
        """Finish what was begun and close."""
        self._stopping = True
        for ear in self._ears:
            ear.put_nowait(None)
        if self._running:
            await asyncio.wait(self._running)
        await self._engine.dispose()

    def facts(self) -> dict[str, Any]:
        """Engine, version, where it is, warnings."""
        return {
            "engine": "postgresql",
            "version": self._version,
            "url": self._url.render_as_string(),
            "warnings": [],
        }

    # ------------------------------------------------------------------------------------------ transactions

    def _check_open(self) -> None:
        if self._stopping:
            raise StoreUnavailable("The store is closed.")

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # looked at here, since who waited may have gone

    async def _insist(self, fn: Callable[[Tx], T], *, locks: bool) -> T:
        fault: BaseException | None = None
        for pause in _PAUSES:
            await asyncio.sleep(pause * random.random())  # noqa: S311 - it spreads retries, it keeps no secret
            try:
                return await self._once(fn, locks=locks)
            except _Again as again:
                fault = again.__cause__
        raise _unavailable(fault, "nothing was changed") from fault

    async def _once(self, fn: Callable[[Tx], T], *, locks: bool) -> T:
        committing = False
        try:
            async with self._engine.connect() as conn:
                if not locks:
                    await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                value = await conn.run_sync(self._run, fn, locks)
                committing = locks
                await (conn.commit() if locks else conn.rollback())
                return value
        except _UNREACHABLE as fault:
            state = getattr(getattr(fault, "orig", None), "sqlstate", None)
            if state in _LOST_A_RACE:
                raise _Again from fault
            lost = not isinstance(fault, SQLAlchemyError) or (
                isinstance(fault, DBAPIError) and fault.connection_invalidated
            )
            if lost and not committing:
                raise _Again from fault
            kept = "it could not be learned whether it was kept" if lost and committing else "nothing was changed"
            raise _unavailable(fault, kept) from fault

    def _run(self, conn: Connection, fn: Callable[[Tx], T], locks: bool) -> T:
        tx = SqlTx(PgDb(conn, locks=locks))
        value = fn(tx)
        if locks and tx.changed:
            conn.execute(_NOTIFY, {"names": [f"{self._sender} {name}" for name in sorted(tx.changed)]})
        return value

    # ------------------------------------------------------------------------------------------ listening

    async def listen(self) -> AsyncIterator[str]:
        """What other processes changed: `review:ID`, `copies`, `deliveries`, `agents`.

        `resync` comes first, and again after every break: from now on nothing is missed, so read what there is.
        """
        attempt = 0
        while not self._stopping:
            ear: asyncio.Queue[str | None] = asyncio.Queue()
            self._ears.add(ear)  # before anything is awaited: `stop` speaks to every ear there is
            try:
                conn = await self._subscribe(ear)
            except _UNREACHABLE:
                self._ears.discard(ear)
                await asyncio.sleep(_RECONNECT_S[min(attempt, len(_RECONNECT_S) - 1)])
                attempt += 1
                continue
            attempt = 0
            try:
                yield "resync"
                while (name := await _next(ear, conn)) is not None:
                    yield name
            finally:
                self._ears.discard(ear)
                conn.terminate()

    async def _subscribe(self, ear: asyncio.Queue[str | None]) -> Any:
        def heard(_conn: object, _pid: int, _channel: str, payload: object) -> None:
            sender, _, name = str(payload).partition(" ")
            if sender != self._sender:
                ear.put_nowait(name)

        conn = await asyncpg.connect(_dsn(self._url), timeout=5, command_timeout=5)
        conn.add_termination_listener(lambda _conn: ear.put_nowait(None))
        await conn.add_listener(CHANNEL, heard)
        return conn


async def _next(ear: asyncio.Queue[str | None], conn: Any) -> str | None:
    """The next name heard; None when the subscription is over."""
    while True:
        try:
            async with asyncio.timeout(_HEARTBEAT_S):
                return await ear.get()
        except TimeoutError:
            try:
                await conn.execute("SELECT 1")
            except _UNREACHABLE:
                return None


def asyncpg_url(url: URL) -> URL:
    """The URL for SQLAlchemy's asyncpg; libpq's `sslmode` becomes asyncpg's `ssl`."""
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


def make_engine(url: URL) -> AsyncEngine:
    """An engine whose every wait has an end."""
    limits = {
        "application_name": "placet",
        "statement_timeout": "15000",
        "lock_timeout": "10000",
        "idle_in_transaction_session_timeout": "30000",
    }
    return create_async_engine(
        url,
        pool_size=_POOL,
        max_overflow=0,
        pool_timeout=10,
        connect_args={"timeout": 5, "command_timeout": 20, "server_settings": limits},
    )


async def with_connection(url: URL, fn: Callable[[Connection], T]) -> T:
    """Run `fn` on a connection of its own, committed. For commands that run alone."""
    engine = make_engine(asyncpg_url(url))
    try:
        async with engine.begin() as conn:
            return await _sync(conn, fn)
    except _UNREACHABLE as fault:
        raise _unavailable(fault, "nothing was changed") from fault
    finally:
        await engine.dispose()


async def _sync(conn: AsyncConnection, fn: Callable[[Connection], T]) -> T:
    return await conn.run_sync(fn)


def _dsn(url: URL) -> str:
    query = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


def _cause(fault: BaseException | None) -> str:
    return str(getattr(fault, "orig", None) or fault)


def _unavailable(fault: BaseException | None, kept: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The database did not take it ({_cause(fault)}); {kept}. Try again under the same key; if it stays, look at "
        "the server's log."
    )
