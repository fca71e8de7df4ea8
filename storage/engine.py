"""Which engine a `database` URL names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from reviews.keeping import Store
from reviews.ports import Clock
from storage import upgrade
from storage.lock import FileLock

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
    parsed = _parse(url)
    match parsed.get_backend_name():
        case "memory":
            return None
        case "sqlite":
            if not _file(parsed).exists():
                return None
            with create_engine(parsed, poolclass=NullPool).connect() as connection:
                return upgrade.revision_of(connection)
        case _:
            from storage.postgres import with_connection  # noqa: PLC0415 - as above

            return asyncio.run(with_connection(parsed, upgrade.revision_of))


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as fault:
        raise ValueError(f"`database` is no URL. {_ADVICE}") from fault


def _file(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise ValueError(f"`database` names no file. {_ADVICE}")
    return Path(url.database)
