"""The store on a SQLite file keeps every promise, also when the disk is full, a commit fails, or it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import storage
from reviews.errors import StoreUnavailable
from reviews.events import Post, Record
from reviews.keeping import Query, Store, Tx
from reviews.model import Target
from storage.sqlite import SqliteStore, open_writer, risky_wal
from tests.contracts.house_contract import HouseContract
from tests.contracts.places_contract import PlacesContract
from tests.contracts.store_contract import StoreContract, a_delivery
from tests.fakes.builders import START, a_request, a_review
from tests.fakes.clock import FakeClock


class TestSqlite(StoreContract, PlacesContract, HouseContract):
    """The suite on a SQLite file."""

    @pytest.fixture
    async def store(self, clock: FakeClock, sqlite_file: Path) -> AsyncIterator[Store]:
        """A store on a file."""
        made = storage.open_store(f"sqlite:///{sqlite_file}", clock)
        await made.start()
        yield made
        await made.stop()


@asynccontextmanager
async def started(path: Path, **options: Any) -> AsyncIterator[SqliteStore]:
    """A store while it runs."""
    store = SqliteStore(path, FakeClock(), **options)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


def opening(size: int = 0) -> Any:
    """A closure that opens a review of about so many bytes."""
    review = a_review(request=a_request(arguments={"text": "x" * size}))
    return lambda tx: tx.open(review, [], key=None, fingerprint="f")


def count(tx: Tx) -> int:
    """How many reviews there are."""
    return tx.count(Query())


# ---------------------------------------------------------------------------------------------- what can go wrong


async def test_a_full_disk_fails_the_group_and_no_more(sqlite_file: Path) -> None:
    """When nothing more fits, all who wrote together are told; when there is room again, it goes on."""
    room = [1_000_000]

    def connect(path: Path) -> sqlite3.Connection:
        conn = open_writer(path)
        conn.execute(f"PRAGMA max_page_count={room[0]}")
        return conn

    async with started(sqlite_file, connect=connect) as store:
        await store.tx(opening())
        room[0] = 1  # SQLite takes the present size instead: not one page more
        store._writer._abandon()
        group = [store.tx(opening(size)) for size in (0, 200_000, 0)]
        results = await asyncio.gather(*group, return_exceptions=True)
        assert any(isinstance(result, StoreUnavailable) and "full" in str(result) for result in results)
        kept = sum(not isinstance(result, BaseException) for result in results)
        assert await store.view(count) == 1 + kept
        room[0] = 1_000_000
        store._writer._abandon()
        await asyncio.gather(store.tx(opening(200_000)), store.tx(opening()))
        assert await store.view(count) == 3 + kept


class Faulty(sqlite3.Connection):
    """A connection that can fail at a statement, with or without what SQLite does to the transaction then."""

    fails_at = ""
    rolls_back = False

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        """Fail at the statement named, once."""
        if Faulty.fails_at and sql.startswith(Faulty.fails_at):
            Faulty.fails_at = ""
            if Faulty.rolls_back:
                super().execute("ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *args)


def faulty(path: Path) -> sqlite3.Connection:
    """Open such a connection."""
    Faulty.fails_at, Faulty.rolls_back = "", False
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Faulty)
    conn.execute("PRAGMA journal_mode=WAL")
    return conn


async def test_a_failed_commit_fails_everyone_in_it(sqlite_file: Path) -> None:
    """No caller is told of success when the commit fails; nothing is kept; the next one succeeds."""
    async with started(sqlite_file, connect=faulty) as store:
        Faulty.fails_at = "COMMIT"
        group = [asyncio.ensure_future(store.tx(opening())) for _ in range(3)]
        results = await asyncio.gather(*group, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        assert failed
        assert all(isinstance(fault, StoreUnavailable) for fault in failed)
        assert await store.view(count) == 3 - len(failed)
        await store.tx(opening())
        assert await store.view(count) == 4 - len(failed)


async def test_a_transaction_lost_under_a_closure_is_lost_for_all(sqlite_file: Path) -> None:
    """Where SQLite rolled back everything, no closure of the group is told it was kept."""
    async with started(sqlite_file, connect=faulty) as store:

        def fill(tx: Tx) -> None:
            Faulty.fails_at, Faulty.rolls_back = "INSERT INTO reviews", True
            opening()(tx)

        def swallows(tx: Tx) -> None:
            Faulty.fails_at, Faulty.rolls_back = "INSERT INTO reviews", True
            with pytest.raises(sqlite3.OperationalError):
                opening()(tx)
            with pytest.raises(StoreUnavailable, match="gone"):
                opening()(tx)  # outside any transaction it would be kept

        for bad in (fill, swallows):
            before = await store.view(count)
            group = asyncio.gather(*map(store.tx, (opening(), bad, opening())), return_exceptions=True)
            results = await group
            assert isinstance(results[1], StoreUnavailable)
            kept = sum(not isinstance(result, BaseException) for result in results)
            assert await store.view(count) == before + kept


async def test_a_closure_that_raises_spares_its_group(sqlite_file: Path) -> None:
    """Those committed together with one that raises are kept."""

    def raises(tx: Tx) -> None:
        opening()(tx)
        raise LookupError("mine alone")

    async with started(sqlite_file) as store:
        group = (opening(), raises, opening(), raises, opening())
        results = await asyncio.gather(*map(store.tx, group), return_exceptions=True)
        assert [isinstance(result, LookupError) for result in results] == [False, True, False, True, False]
        assert await store.view(count) == 3


async def test_what_a_dead_process_had_claimed_is_free_at_once(sqlite_file: Path) -> None:
    """The next to open the file holds its lock, so nobody works on those claims any more."""
    later = START + timedelta(seconds=60)

    def claim(tx: Tx) -> int:
        return len(tx.claim_deliveries(START, later, 10, each=10, busy={})) + len(tx.claim_copies(START, later, 10))

    async with started(sqlite_file) as store:
        post = Post(target=Target(surface="slack", address="C1"), epoch=1, rung=0)
        review = a_review()
        await store.tx(lambda tx: tx.open(review, [post], key=None, fingerprint="f"))
        await store.tx(lambda tx: tx.add_delivery(a_delivery("msg_1", START, review=review.id)))
        assert (await store.tx(claim), await store.tx(claim)) == (2, 0)
    async with started(sqlite_file) as store:
        assert await store.tx(claim) == 2


async def test_a_writer_that_cannot_reopen_says_so_and_tries_again(sqlite_file: Path) -> None:
    """While the file cannot be opened every caller is told; afterwards it goes on by itself."""
    broken = [False]

    def connect(path: Path) -> sqlite3.Connection:
        if broken[0]:
            raise sqlite3.OperationalError("unable to open database file")
        return open_writer(path)

    async with started(sqlite_file, connect=connect) as store:
        broken[0] = True
        store._writer._abandon()
        with pytest.raises(StoreUnavailable, match="unable to open"):
            await store.tx(opening())
        broken[0] = False
        await store.tx(opening())
        assert await store.view(count) == 1


_KILLED = """
    import asyncio, os, sys
    import storage
    from tests.fakes.builders import a_review
    from tests.fakes.clock import FakeClock

    async def main():
        store = storage.open_store(sys.argv[1], FakeClock())
        await store.start()

        async def client():
            while True:
                review = a_review(id="rev_" + os.urandom(8).hex())
                await store.tx(lambda tx: tx.open(review, [], key=review.id, fingerprint="f"))
                print(review.id, flush=True)

        await asyncio.gather(*(client() for _ in range(8)))

    asyncio.run(main())
"""


async def test_kill_9_loses_nothing_acknowledged(sqlite_file: Path) -> None:
    """A writer killed in the middle leaves a sound file with every review it acknowledged, and no lock."""
    url = f"sqlite:///{sqlite_file}"
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop
        [sys.executable, "-c", textwrap.dedent(_KILLED), url],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
    with sqlite3.connect(sqlite_file) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    whole = [line for line in told if len(line) == len("rev_") + 16]
    async with started(sqlite_file) as store:
        assert None not in await store.view(lambda tx: [tx.read(review_id) for review_id in whole])
        assert len(whole) >= 200


# ---------------------------------------------------------------------------------------------- one writer


async def test_a_second_server_is_told_who_has_the_file(sqlite_file: Path) -> None:
    """Two on one file: the second is refused with the pid and the file, and the first goes on."""
    async with started(sqlite_file) as store:
        second = SqliteStore(sqlite_file, FakeClock())
        with pytest.raises(StoreUnavailable, match=f"pid {os.getpid()}") as refused:
            await second.start()
        assert str(sqlite_file) in str(refused.value)
        with pytest.raises(StoreUnavailable, match="pid"):
            await asyncio.to_thread(storage.migrate, f"sqlite:///{sqlite_file}")
        await store.tx(opening())
    async with started(sqlite_file) as store:
        assert await store.view(count) == 1


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says what to do."""
    with pytest.raises(StoreUnavailable, match="Create its folder"):
        await SqliteStore(tmp_path / "no" / "placet.db", FakeClock()).start()


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Requests hold personal data: nobody else may read the file or its journal."""
    path = tmp_path / "placet.db"
    async with started(path) as store:
        await store.tx(opening())
        for file in (path, path.with_name("placet.db-wal"), path.with_name("placet.db.lock")):
            assert file.stat().st_mode & 0o077 == 0


async def test_it_is_written_through(sqlite_file: Path) -> None:
    """WAL and FULL: what is acknowledged survives a power cut."""
    async with started(sqlite_file) as store:
        assert store.facts()["journal"] == "wal"
        conn = open_writer(sqlite_file)
        assert conn.execute("PRAGMA synchronous").fetchone() == (2,)
        conn.close()


@pytest.mark.parametrize(
    ("version", "risky"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 6), False), ((3, 45, 0), True),
     ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 4), False)],
)  # fmt: skip
def test_it_knows_the_versions_with_the_wal_bug(version: tuple[int, ...], risky: bool) -> None:
    """From 3.7.0 until it was mended, in three lines of versions."""
    assert risky_wal(version) is risky


# ---------------------------------------------------------------------------------------------- the log


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log SET kind = 'other'",
        "DELETE FROM log",
        "INSERT OR REPLACE INTO log SELECT seq, at, review, 'other', actor, public, body, detail FROM log",
        "REPLACE INTO log SELECT seq, at, review, 'other', actor, public, body, detail FROM log",
    ],
)
async def test_the_log_cannot_be_changed(sqlite_file: Path, change: str) -> None:
    """Not even by somebody who opens the file."""
    async with started(sqlite_file) as store:
        await store.tx(lambda tx: tx.record(Record(kind="k", at=START, actor="a")))
    conn = sqlite3.connect(sqlite_file)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute(change)
    assert conn.execute("SELECT kind FROM log").fetchall() == [("k",)]
    conn.close()
