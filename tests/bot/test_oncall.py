"""Rotations in the short form, read as calendars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.entries import Layer
from bot.oncall import Copy, Shift, on_call, stretches

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


# --- the nights of the clocks, minute by minute


def spring_and_autumn(zone: str, year: int) -> list[datetime]:
    """The instants, UTC, at which the clocks of a zone change in a year."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(366 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [now for now, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after]


def expected(layer: Layer, at: datetime) -> str:
    """Whose turn it is, by counting on the wall clock alone: the last turn that had begun there when it was this late.

    A turn begins the first time the wall clock shows its time; a time that is left out counts as shown at the change.
    """
    zone, length = (
        ZoneInfo(layer.timezone),
        timedelta(hours=int(layer.every[:-1]) * {"h": 1, "d": 24, "w": 168}[layer.every[-1]]),
    )
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(layer.handoff[:3])
    first = datetime.combine(datetime(2024, 1, 1) + timedelta(days=day), layer.at)  # noqa: DTZ001 - on the wall clock
    turn = (at.astimezone(zone).replace(tzinfo=None) - first) // length + 2
    while (first + turn * length).replace(tzinfo=zone).astimezone(UTC) > at:
        turn -= 1
    return layer.people[turn % len(layer.people)]


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]),
    every=st.sampled_from(["1h", "2h", "8h", "12h", "1d", "3d", "1w", "2w"]),
    handoff=st.builds(
        "{} {:02}:{:02}".format,
        st.sampled_from(["sat", "sun", "mon"]),
        st.integers(0, 23),
        st.sampled_from([0, 15, 30, 59]),
    ),
    people=st.sampled_from([("ana",), ("ana", "bo"), ("ana", "bo", "cy")]),
    year=st.integers(2024, 2030),
)
def test_at_every_minute_around_both_changes_of_the_clocks_it_is_the_right_person(
    zone: str, every: str, handoff: str, people: tuple[str, ...], year: int
) -> None:
    """Exactly one, from four hours before each change to five hours after, whatever the turns are."""
    layer = Layer(people=people, every=every, handoff=handoff, timezone=zone)
    changes = spring_and_autumn(zone, year)
    assert len(changes) == 2
    for change in changes:
        for minute in (change + timedelta(minutes=n) for n in range(-240, 300)):
            assert on_call(layer, minute) == (expected(layer, minute),), minute


# --- overrides and gaps


def test_an_override_takes_its_time_and_no_more() -> None:
    """To the minute, in the layer's zone; the later in the list wins; what is left of the turn stays."""
    overrides = [
        {"person": "cy", "from": "2026-11-18 18:00", "until": "2026-11-19 08:00"},
        {"person": "di", "from": "2026-11-19T05:00:00Z", "until": "2026-11-19T06:00:00Z"},
    ]
    layer = Layer.model_validate({"people": ["ana"], "timezone": "Europe/Madrid", "overrides": overrides})
    asked = {hour: on_call(layer, datetime(2026, 11, 18, tzinfo=UTC) + timedelta(hours=hour)) for hour in range(16, 33)}
    assert [hour for hour, people in asked.items() if people == ("cy",)] == [*range(17, 29), 30]
    assert [hour for hour, people in asked.items() if people == ("di",)] == [29]
    assert {people for hour, people in asked.items() if hour == 16 or hour >= 31} == {("ana",)}


def a_copy(*turns: tuple[int, int, str | None]) -> Copy:
    """A calendar of hours from the start of 2026-11-18."""
    start = datetime(2026, 11, 18, tzinfo=UTC)
    shifts = tuple(
        Shift(start=start + timedelta(hours=a), end=start + timedelta(hours=b), person=who, why="" if who else "who?")
        for a, b, who in turns
    )
    return Copy(shifts=shifts, since=start, until=start + timedelta(hours=48))


def test_the_stretches_of_a_calendar_have_no_break() -> None:
    """Two at once are two; a gap is a stretch, and says why where an event means nobody; an override fills one."""
    filled = {"person": "cy", "from": "2026-11-18 20:00", "until": "2026-11-18 22:00"}
    layer = Layer.model_validate({"ical": "rota.ics", "overrides": [filled]})
    copy, start = (
        a_copy((0, 8, "ana"), (6, 12, "bo"), (12, 14, "bo"), (16, 18, None)),
        datetime(2026, 11, 18, tzinfo=UTC),
    )
    found = stretches(layer, start, start + timedelta(hours=99), copy)
    assert [(hours(s.start - start), hours(s.end - start), s.people, s.why) for s in found] == [
        (0, 6, ("ana",), ""),
        (6, 8, ("ana", "bo"), ""),
        (8, 14, ("bo",), ""),
        (14, 16, (), ""),
        (16, 18, (), "who?"),
        (18, 20, (), ""),
        (20, 22, ("cy",), ""),
        (22, 48, (), ""),
    ]
    for stretch in found:
        assert set(on_call(layer, stretch.start, copy)) == set(stretch.people)


def hours(span: timedelta) -> float:
    """A span in hours."""
    return span / timedelta(hours=1)


def test_a_calendar_that_was_never_read_is_a_gap() -> None:
    """Nobody is guessed."""
    layer, now = Layer(ical="rota.ics"), datetime(2026, 11, 18, tzinfo=UTC)
    assert on_call(layer, now) == ()
    assert [s.people for s in stretches(layer, now, now + timedelta(days=1))] == [()]


def test_stretches_and_instants_agree() -> None:
    """The short form over 30 days: each stretch is the person of its first and last minute."""
    now = datetime(2026, 10, 20, 3, 7, tzinfo=UTC)
    found = stretches(WEEKLY, now, now + timedelta(days=30))
    assert len(found) == 5
    assert all(before.end == after.start for before, after in pairwise(found))
    for stretch in found:
        assert on_call(WEEKLY, stretch.start) == on_call(WEEKLY, stretch.end - timedelta(minutes=1)) == stretch.people
