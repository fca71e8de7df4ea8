"""Starting the store while another process has its file open."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import opening
from bot.clock import SystemClock
from reviews.errors import StoreUnavailable
from storage.lock import FileLock
from storage.sqlite import SqliteStore


class Log:
    """The log; tells when a start begins to wait."""

    def __init__(self, waiting: Callable[[], None]) -> None:
        self._waiting = waiting

    def info(self, event: str) -> None:
        """Heed the one event there is."""
        assert event == "waiting_for_database"
        self._waiting()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database's path, short: a socket's may have 107 bytes at most."""
    monkeypatch.chdir(tmp_path)
    return Path("placet.db")


@pytest.fixture
def lock(database: Path) -> Iterator[FileLock]:
    """Its lock, held by somebody."""
    held = FileLock(database)
    held.take()
    yield held
    held.release()


async def test_a_command_that_holds_the_database_is_waited_for(
    database: Path, lock: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as it lets go, the store starts; a control socket that a dead server left does not matter."""
    Path("placet.db.sock").touch()
    monkeypatch.setattr(opening, "log", Log(lock.release))
    store = SqliteStore(database, SystemClock())
    await opening.start(store, Path("placet.db.sock"))
    assert list(await store.view(lambda tx: tx.agents())) == []
    await store.stop()


async def test_the_wait_is_bounded_and_said(database: Path, lock: FileLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards the sentence names the holder, its lock, and how long it was waited for."""
    monkeypatch.setattr(opening, "PATIENCE", 0.2)
    with pytest.raises(StoreUnavailable) as fault:
        await opening.start(SqliteStore(database, SystemClock()), None)
    assert f"open in another Placet (pid {os.getpid()}, lock {lock.path})" in str(fault.value)
    assert str(fault.value).endswith("It was waited for, 0.2 s.")


@pytest.mark.usefixtures("lock")
async def test_a_server_that_holds_it_is_not_waited_for(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It listens on its control socket, and will not let go by itself."""
    monkeypatch.setattr(opening, "log", Log(lambda: pytest.fail("it waited")))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("placet.db.sock")
        server.listen()
        with pytest.raises(StoreUnavailable, match="open in another Placet"):
            await opening.start(SqliteStore(database, SystemClock()), Path("placet.db.sock"))


async def test_what_waiting_does_not_mend_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a folder that is not there."""
    monkeypatch.setattr(opening, "log", Log(lambda: pytest.fail("it waited")))
    with pytest.raises(StoreUnavailable, match="Create its folder"):
        await opening.start(SqliteStore(tmp_path / "missing" / "placet.db", SystemClock()), None)
