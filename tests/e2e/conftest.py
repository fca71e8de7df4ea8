"""One Slack emulator for every whole way through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.slack_process import Emulator, start_emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The Slack emulator, ended at the end."""
    running = start_emulator()
    yield running
    running.stop()
