"""Databases are brought up to date by themselves, whole or not at all, and an older file is copied aside first."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url

import storage
from reviews.errors import StoreUnavailable
from reviews.events import Record
from reviews.keeping import Agent
from storage import engine, tables, upgrade
from storage.postgres import with_connection
from tests.contracts.store_contract import a_delivery
from tests.fakes.builders import START, a_review
from tests.fakes.clock import FakeClock
from tests.fakes.postgres import Postgres


def differences(connection: Connection) -> list[Any]:
    """Where the tables of a database are not those of `tables.py`."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, tables.metadata))


def test_migrations_make_the_tables_of_the_models_on_sqlite(sqlite_file: Path) -> None:
    """Nobody changed a model and forgot its migration."""
    with create_engine(f"sqlite:///{sqlite_file}").connect() as connection:
        assert differences(connection) == []


def test_migrations_make_the_tables_of_the_models_on_postgres(postgres: Postgres) -> None:
    """The same on the other engine."""
    assert asyncio.run(with_connection(make_url(postgres.database()), differences)) == []


def test_the_head_known_without_alembic_is_its_head() -> None:
    """`HEAD` is written down by hand; it must be the newest revision there is."""
    with create_engine("sqlite://").connect() as connection:
        assert ScriptDirectory.from_config(upgrade.config(connection)).get_heads() == [upgrade.HEAD]


def test_an_older_file_is_copied_aside_and_brought_up_to_date(tmp_path: Path) -> None:
    """Rows are kept, the log's triggers are made, and the copy is what there was before."""
    path = tmp_path / "placet.db"
    upgrade.upgrade_sqlite(path, "0001")
    with sqlite3.connect(path) as old:
        old.execute("INSERT INTO agents VALUES ('a', '{}')")
    old.close()
    assert storage.current(f"sqlite:///{path}") == "0001"
    assert list(tmp_path.glob("*.before-*")) == []
    assert storage.migrate(f"sqlite:///{path}") == upgrade.HEAD
    assert storage.current(f"sqlite:///{path}") == upgrade.HEAD
    copy = tmp_path / "placet.db.before-upgrade-from-0001"
    assert copy.stat().st_mode & 0o077 == 0
    for file, triggers in ((copy, 0), (path, 3)):
        conn = sqlite3.connect(file)
        assert conn.execute("SELECT name FROM agents").fetchall() == [("a",)]
        found = conn.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log'")
        assert found.fetchone() == (triggers,)
        conn.close()


def test_messages_on_their_way_are_given_their_receivers(tmp_path: Path) -> None:
    """What waited before deliveries were claimed by receiver is claimed after; what is done stays as it is."""
    path = tmp_path / "placet.db"
    upgrade.upgrade_sqlite(path, "0002")
    urls = {"due": "https://me:x@Hooks.example.com:81/a?b", "dead": "no url", "done": "https://hooks.example.com/"}
    with sqlite3.connect(path) as old:
        for state, url in urls.items():
            old.execute(
                "INSERT INTO deliveries (id, review, agent, message, url, body, state, due_at, attempts) "
                "VALUES (?, 'r', 'a', 'm', ?, x'', ?, 1, 0)",
                (state, url, state),
            )
    old.close()
    storage.migrate(f"sqlite:///{path}")
    conn = sqlite3.connect(path)
    found = dict(conn.execute("SELECT state, receiver FROM deliveries").fetchall())
    conn.close()
    assert found == {"due": "hooks.example.com:81", "dead": "", "done": ""}
    assert found["due"] == a_delivery("x", START, url=urls["due"]).receiver


def test_copies_posted_before_know_whether_their_reviews_are_open(tmp_path: Path) -> None:
    """Cards of decided reviews take no room at their place, and every older copy is of a card."""
    path = tmp_path / "placet.db"
    upgrade.upgrade_sqlite(path, "0003")
    with sqlite3.connect(path) as old:
        for name, open_ in (("over", 0), ("open", 1)):
            old.execute(
                "INSERT INTO reviews (id, agent, fingerprint, status, open, action, tier, risk, rule, rank, "
                "created_at, deadline_at, revision, version, held, sandbox, state) "
                "VALUES (?, 'a', 'f', 'x', ?, 'x', 'approve', 'low', 'r', 1, 1, 1, 1, 1, 0, 0, '{}')",
                (name, open_),
            )
            old.execute(
                "INSERT INTO copies (id, review, surface, address, epoch, rung, state, wanted, shown, attempts, "
                "created_at) VALUES (?, ?, 's', 'C1', 0, 0, 'posted', 1, 1, 0, 1)",
                (f"cpy_{name}", name),
            )
    old.close()
    storage.migrate(f"sqlite:///{path}")
    conn = sqlite3.connect(path)
    found = conn.execute("SELECT review, open, kind, told, thread, mark FROM copies ORDER BY review").fetchall()
    conn.close()
    assert found == [("open", 1, "card", 0, "", None), ("over", 0, "card", 0, "", None)]


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Whole or not at all, and it says so."""
    path = tmp_path / "placet.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE votes (mine)")  # in the way of a migration, after others were made
    conn.close()
    with pytest.raises(StoreUnavailable, match="as it was"):
        storage.migrate(f"sqlite:///{path}")
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT name FROM sqlite_master").fetchall() == [("votes",)]
    conn.close()


async def test_a_database_of_a_newer_placet_is_refused(sqlite_file: Path) -> None:
    """An older program never touches it, and says what to do."""
    with sqlite3.connect(sqlite_file) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    store = storage.open_store(f"sqlite:///{sqlite_file}", FakeClock())
    with pytest.raises(StoreUnavailable, match=r"9999.*Install the newer version"):
        await store.start()


def test_a_new_file_and_a_missing_one(tmp_path: Path) -> None:
    """Asking for the revision makes no file; migrating does."""
    url = f"sqlite:///{tmp_path / 'placet.db'}"
    assert storage.current(url) is None
    assert not (tmp_path / "placet.db").exists()
    storage.migrate(url)
    assert storage.current(url) == upgrade.HEAD
    assert (storage.migrate("memory://"), storage.current("memory://"), engine.agents("memory://")) == (None, None, 0)


def test_postgres_is_migrated_by_a_command(postgres: Postgres) -> None:
    """An empty database has no revision; afterwards it has the newest; again changes nothing."""
    url = postgres.empty()
    assert storage.current(url) is None
    assert storage.migrate(url) == upgrade.HEAD
    assert storage.migrate(url) == storage.current(url) == upgrade.HEAD


async def test_replicas_that_start_together_migrate_once(postgres: Postgres) -> None:
    """Three on an empty database: one makes the tables, the others wait for it."""
    url = await asyncio.to_thread(postgres.empty)
    stores = [storage.open_store(url, FakeClock()) for _ in range(3)]
    await asyncio.gather(*(store.start() for store in stores))
    review = a_review()
    await stores[0].tx(lambda tx: tx.open(review, [Record(kind="k", at=START, actor="a")], key=None, fingerprint="f"))
    assert await stores[2].view(lambda tx: tx.read(review.id)) is not None
    await asyncio.gather(*(store.stop() for store in stores))


@pytest.mark.parametrize("url", ["", "placet.db", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    """With the forms that do."""
    with pytest.raises(ValueError, match=r"sqlite:///placet\.db"):
        storage.open_store(url, FakeClock())


def test_agents_are_counted_without_touching_anything(tmp_path: Path, postgres: Postgres) -> None:
    """Those that may ask; none where there is no database yet, or an empty one."""
    file = tmp_path / "placet.db"
    for url in (f"sqlite:///{file}", postgres.empty()):
        assert engine.agents(url) == 0
        assert not file.exists()
        storage.migrate(url)
        asyncio.run(_with_agents(url))
        assert engine.agents(url) == 1
        file.unlink(missing_ok=True)


async def _with_agents(url: str) -> None:
    store = storage.open_store(url, FakeClock())
    await store.start()
    for name, revoked in (("a", False), ("b", True)):
        agent = Agent(name=name, key_hash="0" * 64, secrets=(), revoked=revoked)
        await store.tx(lambda tx, agent=agent: tx.put_agent(agent))
    await store.stop()
