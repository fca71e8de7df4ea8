"""A house of one's own for each test, and a receiver for its callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.app import Caller, House, running
from tests.fakes.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Where callbacks go."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def house(tmp_path: Path, receiver: Receiver) -> AsyncIterator[House]:
    """A running Placet that may call the receiver."""
    async with running(tmp_path, config={"callbacks": {"allow": [receiver.address]}}) as made:
        yield made


@pytest.fixture
async def agent(house: House) -> Caller:
    """An agent with its key."""
    return await house.agent()
