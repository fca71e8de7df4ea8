"""Where the one writer of a SQLite file commits: on the loop while the disk is quick, else in its thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.sqlite import SqliteDb
from storage.store import SqlTx
from storage.writer import Writer
from tests.fakes.builders import a_review
from tests.fakes.clock import FakeClock

QUICK, SLOW = 0.001, 0.003


class Disk:
    """A disk whose commits take as long as told (`takes`, seconds, by its own clock), and that notes where each ran."""

    def __init__(self) -> None:
        self.takes = QUICK
        self.seconds = 0.0
        self.on_loop: list[bool] = []

    def connect(self, path: Path) -> sqlite3.Connection:
        """A connection on this disk."""
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                """As it is, but that a COMMIT takes its time."""
                if sql == "COMMIT":
                    disk.on_loop.append(threading.current_thread() is threading.main_thread())
                    disk.seconds += disk.takes
                return super().execute(sql, *parameters)

        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)


@pytest.fixture
def disk() -> Disk:
    """A quick one."""
    return Disk()


@pytest.fixture
async def writer(sqlite_file: Path, disk: Disk) -> AsyncIterator[Writer]:
    """A writer that tells the time by its disk."""
    made = Writer(
        lambda: disk.connect(sqlite_file),
        lambda conn: SqlTx(SqliteDb(conn, FakeClock())),
        clock=lambda: disk.seconds,
    )
    await made.start()
    yield made
    await made.stop()


async def _where(writer: Writer, disk: Disk, commits: int) -> list[bool]:
    """Whether each of so many commits ran on the loop."""
    disk.on_loop.clear()
    for _ in range(commits):
        await writer.submit(lambda tx: tx.open(a_review(), [], key=None, fingerprint="f"))
    return list(disk.on_loop)


async def test_quick_commits_stay_on_the_loop(writer: Writer, disk: Disk) -> None:
    """The first one runs apart, since nothing is known of the disk; then going to the thread would take longer."""
    assert await _where(writer, disk, 5) == [False, True, True, True, True]


async def test_one_slow_commit_sends_the_next_to_the_thread(writer: Writer, disk: Disk) -> None:
    """Once the disk was slow it keeps nobody on the loop waiting again."""
    await _where(writer, disk, 3)
    disk.takes = SLOW
    assert await _where(writer, disk, 4) == [True, False, False, False]


async def test_quick_commits_bring_it_back(writer: Writer, disk: Disk) -> None:
    """One hiccup is forgotten after some quick commits, and not after a single one."""
    await _where(writer, disk, 3)
    disk.takes = SLOW
    await _where(writer, disk, 1)
    disk.takes = QUICK
    ran = await _where(writer, disk, 60)
    assert ran == sorted(ran)
    assert 5 < ran.count(False) < 50
