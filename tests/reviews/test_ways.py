"""Which ways wake people."""

from __future__ import annotations

import pytest

from reviews.ways import CARDS, EMAIL, GATEWAYS, rings


@pytest.mark.parametrize("way", [*CARDS, EMAIL])
def test_a_card_and_a_letter_wake_nobody(way: str) -> None:
    """Whoever sleeps sees them in the morning."""
    assert not rings(way)


@pytest.mark.parametrize("way", [*(gateway for gateway in GATEWAYS if gateway != EMAIL), "pager"])
def test_every_other_gateway_may_wake_people(way: str) -> None:
    """Also one of a name of the house's own."""
    assert rings(way)
