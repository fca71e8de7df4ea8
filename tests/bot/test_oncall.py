"""Rotations in the short form, read as calendars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Layer
from bot.oncall import on_call

MADRID = ZoneInfo("Europe/Madrid")
WEEKLY = Layer(people=("ana", "bo", "cy"), every="1w", handoff="mon 09:00", timezone="Europe/Madrid")


def test_turns_change_at_the_handoff() -> None:
    """A minute before Monday nine it is the one before, at nine the next."""
    handoff = datetime(2026, 11, 16, 9, tzinfo=MADRID)
    before, after = on_call(WEEKLY, handoff - timedelta(minutes=1)), on_call(WEEKLY, handoff)
    order = WEEKLY.people
    assert len(before) == len(after) == 1
    assert order[(order.index(before[0]) + 1) % 3] == after[0]


@pytest.mark.parametrize("night", [datetime(2026, 3, 29, 9, tzinfo=MADRID), datetime(2026, 10, 25, 9, tzinfo=MADRID)])
def test_the_handoff_keeps_its_hour_through_a_change_of_clocks(night: datetime) -> None:
    """Nine in the morning is nine by the wall clock, in summer and in winter."""
    monday = night + timedelta(days=1)
    assert on_call(WEEKLY, monday - timedelta(minutes=1)) != on_call(WEEKLY, monday)
    assert on_call(WEEKLY, monday) == on_call(WEEKLY, monday + timedelta(days=6, hours=23))


@given(st.integers(0, 3 * 366 * 24 * 60), st.sampled_from(["12h", "1d", "1w", "2w"]))
def test_there_is_never_a_gap_nor_two(minutes: int, every: str) -> None:
    """Whenever one asks, the short form has exactly one person on call, night of the clocks or not."""
    layer = Layer(people=("ana", "bo", "cy"), every=every, handoff="mon 09:00", timezone="Europe/Madrid")
    assert len(on_call(layer, datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))) == 1


def test_everybody_takes_the_same_number_of_turns() -> None:
    """Over three months of weeks, each of three people has a third."""
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    turns = [on_call(WEEKLY, start + timedelta(weeks=n))[0] for n in range(12)]
    assert {person: turns.count(person) for person in WEEKLY.people} == {"ana": 4, "bo": 4, "cy": 4}
