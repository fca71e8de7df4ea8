"""One Slack emulator for every whole way through it, a Teams for each, one PostgreSQL for all replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.postgres import Postgres, running
from tests.fakes.slack_process import Emulator, start_emulator
from tests.fakes.teams import Teams, teams_server


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The Slack emulator, ended at the end."""
    started = start_emulator()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server; each test has a database of its own."""
    with running() as server:
        yield server


@pytest.fixture
async def teams() -> AsyncIterator[Teams]:
    """A Teams."""
    async with teams_server() as started:
        yield started
