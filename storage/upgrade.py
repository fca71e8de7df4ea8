"""Bringing a database to this version's tables, with Alembic, under a lock, from inside an installed package."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from reviews.errors import StoreUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest revision. Known without loading Alembic, which a start with nothing to do never needs.
HEAD = "0006"
SCRIPTS = Path(__file__).parent / "migrations"
#: Any number that nobody else in the database is likely to take.
_ADVISORY = 0x506C6163


def config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection; there is no ini file."""
    from alembic.config import Config  # noqa: PLC0415 - a third of a second that most starts do not need

    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["connection"] = connection
    return made


def revision_of(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Bring a database up to a revision, in the connection's transaction. Raises StoreUnavailable."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY})
    at = revision_of(connection)
    if at == to:
        return
    from alembic import command  # noqa: PLC0415 - as in `config`
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as in `config`

    made = config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(made).walk_revisions()}
    if at is not None and at not in known:
        raise StoreUnavailable(
            f"The database is at revision {at}, which this version of Placet does not know (it goes up to {HEAD}). "
            "Install the newer version again, or put back the backup made before it."
        )
    command.upgrade(made, to)


def upgrade_sqlite(path: Path, to: str = HEAD) -> None:
    """Bring a SQLite file up to date, making it if there is none; an older one is copied aside first.

    The caller holds the file's lock. Raises StoreUnavailable.
    """
    try:
        path.touch(mode=0o600)
        engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path), poolclass=NullPool)
        with engine.connect() as connection:
            at = revision_of(connection)
        if at is not None and at != to:
            back_up(path, at)
        # Alembic's own statements and the version's number stand or fall together: the driver must not commit DDL.
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            if not isinstance(driver, sqlite3.Connection):
                raise TypeError(driver)
            driver.isolation_level = None
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            upgrade(connection, to)
            connection.exec_driver_sql("COMMIT")
    except (OSError, sqlite3.Error, SQLAlchemyError) as fault:
        raise StoreUnavailable(f"{path} could not be brought up to date: {fault}. It is as it was.") from fault


def back_up(path: Path, revision: str) -> Path:
    """Copy a database beside itself, whole or not at all. The copy's path, named after its revision."""
    copy = path.with_name(f"{path.name}.before-upgrade-from-{revision}")
    part = copy.with_name(copy.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    source, target = sqlite3.connect(path), sqlite3.connect(part)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()
    part.replace(copy)
    return copy
