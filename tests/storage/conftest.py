"""What the store's tests share: a clock, a server, files with tables already in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import storage
from tests.fakes.clock import FakeClock
from tests.fakes.postgres import Postgres, running


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the session."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "placet.db"
    storage.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_file(_template: Path, tmp_path: Path) -> Path:
    """A SQLite file with Placet's tables, for this test alone."""
    return Path(shutil.copy(_template, tmp_path / "placet.db"))


@pytest.fixture
def sqlite_url() -> Callable[[Path], str]:
    """The URL of a file."""
    return lambda path: f"sqlite:///{path}"
