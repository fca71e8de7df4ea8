"""Which engine a `database` URL names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from reviews.keeping import Store
from reviews.ports import Clock
from storage import rows, upgrade
from storage.lock import FileLock

T = TypeVar("T")

_ADVICE = "Write sqlite:///placet.db, sqlite:////var/lib/placet/placet.db or postgresql://user@host/placet."


def open_store(url: str, clock: Clock) -> Store:
    """The store a URL names, not started yet.

    `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://user@host/database`. The clock is
    for the first two; PostgreSQL has its own. Raises ValueError for any other URL.
    """
    parsed = _parse(url)
    match parsed.get_backend_name():
        case "memory":
            from storage.memory import MemoryStore  # noqa: PLC0415 - each engine loads what it alone needs

            return MemoryStore(clock)
        case "sqlite":
            from storage.sqlite import SqliteStore  # noqa: PLC0415 - as above

            return SqliteStore(_file(parsed), clock)
        case "postgresql" | "postgres":
            from storage.postgres import PostgresStore  # noqa: PLC0415 - as above

            return PostgresStore(parsed)
        case other:
            raise ValueError(f"`database` names {other}, which is not known here. {_ADVICE}")


def migrate(url: str) -> str | None:
    """Bring the tables up to date while no server runs. The revision reached; None where there is nothing to keep.

    Raises StoreUnavailable, ValueError. Not to be called from a running event loop.
    """
    parsed = _parse(url)
    match parsed.get_backend_name():
        case "memory":
            return None
        case "sqlite":
            lock = FileLock(_file(parsed))
            lock.take()
            try:
                upgrade.upgrade_sqlite(_file(parsed))
            finally:
                lock.release()
        case _:
            from storage.postgres import with_connection  # noqa: PLC0415 - as above

            asyncio.run(with_connection(parsed, upgrade.upgrade))
    return upgrade.HEAD


def current(url: str) -> str | None:
    """The revision a database is at; None for an empty or a missing one. Changes nothing.

    Raises StoreUnavailable, ValueError. Not to be called from a running event loop.
    """
    return _look(url, upgrade.revision_of)


def agents(url: str) -> int:
    """How many agents may ask. Changes nothing, and raises as `current`."""
    return _look(url, _agents) or 0


def _agents(connection: Connection) -> int:
    if not connection.dialect.has_table(connection, "agents"):
        return 0
    found = connection.execute(text("SELECT body FROM agents")).scalars()
    return sum(not rows.agent_from(body).revoked for body in found)


def _look(url: str, fn: Callable[[Connection], T]) -> T | None:
    """What is found in a database as it stands; None where there is none yet."""
    parsed = _parse(url)
    match parsed.get_backend_name():
        case "memory":
            return None
        case "sqlite":
            if not _file(parsed).exists():
                return None
            with create_engine(parsed, poolclass=NullPool).connect() as connection:
                return fn(connection)
        case _:
            from storage.postgres import with_connection  # noqa: PLC0415 - as above

            return asyncio.run(with_connection(parsed, fn))


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as fault:
        raise ValueError(f"`database` is no URL. {_ADVICE}") from fault


def _file(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise ValueError(f"`database` names no file. {_ADVICE}")
    return Path(url.database)
