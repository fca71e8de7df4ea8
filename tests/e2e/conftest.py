"""One Slack emulator for every whole way through it, and a Teams for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.slack_process import Emulator, start_emulator
from tests.fakes.teams import Teams, teams_server


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The Slack emulator, ended at the end."""
    running = start_emulator()
    yield running
    running.stop()


@pytest.fixture
async def teams() -> AsyncIterator[Teams]:
    """A Teams."""
    async with teams_server() as running:
        yield running
