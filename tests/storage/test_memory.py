"""The store in memory keeps every promise, for as long as it lives."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import storage
from reviews.keeping import Store
from tests.contracts.house_contract import HouseContract
from tests.contracts.places_contract import PlacesContract
from tests.contracts.store_contract import StoreContract
from tests.fakes.clock import FakeClock


class TestMemory(StoreContract, PlacesContract, HouseContract):
    """The suite on plain dicts."""

    @pytest.fixture
    async def store(self, clock: FakeClock) -> AsyncIterator[Store]:
        """A store in memory."""
        made = storage.open_store("memory://", clock)
        await made.start()
        yield made
        await made.stop()
