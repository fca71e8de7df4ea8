"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.durations import parse, show


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0m", 0), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("1d", 86_400), ("1w", 604_800), ("1m1m", 120)],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    """Numbers with units, summed."""
    assert parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-1m", "1.5h", "1y", "10M", "1h ", "٣m", "99999999999s"])
def test_anything_else_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert parse(text) is None


@given(st.integers(0, 366 * 86_400))
def test_what_is_shown_reads_the_same(seconds: int) -> None:
    """Shown and read again it is the same duration."""
    assert parse(show(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
