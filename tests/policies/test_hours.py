"""Business time and the instants of a chain, on every night of the year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.hours import ALWAYS, HOLD_MAX, Calendar, business_add, is_open, schedule
from reviews.model import Route, Rung, Then, Tier

WEEKDAYS = frozenset(range(5))
DESK = Calendar(timezone="Europe/Berlin", hours=True, days=WEEKDAYS, opens=540, closes=1080, country="DE")
NIGHT = Calendar(timezone="Europe/Berlin", hours=True, opens=0, closes=1440)
BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    """An instant by the wall in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def span(**parts: float) -> timedelta:
    """A duration."""
    return timedelta(**parts)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-04T09:00", True),
        ("2026-03-04T08:59:59", False),
        ("2026-03-04T17:59:59", True),
        ("2026-03-04T18:00", False),
        ("2026-03-07T12:00", False),
        ("2026-12-25T12:00", False),
        ("2026-03-30T09:00", True),
    ],
)
def test_the_desk_opens_and_closes_by_the_wall(at: str, expected: bool) -> None:
    """Weekends and holidays are closed; the day after the clocks change opens at nine all the same."""
    assert is_open(DESK, local(at)) is expected


def test_a_desk_without_hours_never_closes() -> None:
    """Then business time is time."""
    at = local("2026-03-07T03:00")
    assert is_open(ALWAYS, at)
    assert business_add(ALWAYS, at, span(hours=2)) == at + span(hours=2)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-03-04T10:00", 1, "2026-03-04T11:00"),
        ("2026-03-04T17:30", 1, "2026-03-05T09:30"),
        ("2026-03-04T17:00", 1, "2026-03-04T18:00"),
        ("2026-03-06T17:30", 1, "2026-03-09T09:30"),
        ("2026-03-07T12:00", 0, "2026-03-09T09:00"),
        ("2026-03-04T12:00", 0, "2026-03-04T12:00"),
        ("2026-12-24T17:00", 2, "2026-12-28T10:00"),
        ("2026-03-27T17:00", 2, "2026-03-30T10:00"),
        ("2026-10-23T17:00", 2, "2026-10-26T10:00"),
        ("2026-03-02T09:00", 45, "2026-03-06T18:00"),
    ],
)
def test_business_time_skips_what_is_closed(start: str, hours: int, expected: str) -> None:
    """Nights, weekends, Christmas, and both changes of the clocks."""
    assert business_add(DESK, local(start), span(hours=hours)) == local(expected)


def test_the_nights_of_the_clocks_are_as_long_as_they_are() -> None:
    """A desk open all day has 23 hours on one Sunday and 25 on another."""
    assert business_add(NIGHT, local("2026-03-29T00:00"), span(hours=23)) == local("2026-03-30T00:00")
    assert business_add(NIGHT, local("2026-10-25T00:00"), span(hours=25)) == local("2026-10-26T00:00")


def test_a_list_of_dates_is_closed() -> None:
    """Dates of one's own close the desk as holidays do."""
    own = Calendar(timezone="UTC", hours=True, opens=540, closes=600, closed=frozenset({date(2026, 3, 4)}))
    assert business_add(own, datetime(2026, 3, 4, 9, tzinfo=UTC), span(minutes=5)).day == 5


def test_a_desk_that_never_opens_does_not_hang() -> None:
    """Looking ahead ends somewhere, and never before the start."""
    never = Calendar(timezone="UTC", hours=True, days=frozenset(), opens=0, closes=1)
    at = datetime(2026, 3, 4, tzinfo=UTC)
    assert business_add(never, at, span(hours=1)) >= at


instants = st.integers(0, 10 * 365 * 86_400).map(lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
spans = st.integers(0, 3 * 24 * 3600).map(lambda n: timedelta(seconds=n))
zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Cairo",
    ]
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """A desk anywhere that opens at least once a week."""
    opens = draw(st.integers(0, 1320))
    return Calendar(
        timezone=draw(zones),
        hours=True,
        days=frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        opens=opens,
        closes=draw(st.integers(opens + 120, 1440)),
    )


@given(calendars(), instants, spans, spans)
def test_business_time_is_a_clock(calendar: Calendar, at: datetime, a: timedelta, b: timedelta) -> None:
    """It never runs back, more takes longer, and two steps are one step of both."""
    one = business_add(calendar, at, a)
    assert one - at >= a
    assert one <= business_add(calendar, at, a + b)
    assert business_add(calendar, one, b) == business_add(calendar, at, a + b) or a == timedelta(0) or b == timedelta(0)


@given(calendars(), instants)
def test_the_next_open_instant_is_open(calendar: Calendar, at: datetime) -> None:
    """No time from now is now when open, else the moment it opens."""
    soon = business_add(calendar, at, timedelta(0))
    assert is_open(calendar, soon)
    assert not is_open(calendar, at) or soon == at


# ------------------------------------------------------------------------------------------ schedules

AT = local("2026-03-04T12:00")


def rung(minutes: float, target: str | None = "role:x", **fields: object) -> Rung:
    """A rung that calls somebody, or a final one."""
    return Rung(after=timedelta(minutes=minutes), notify=(target,) if target else (), **fields)


def route(*chain: Rung, sla: timedelta | None = None) -> Route:
    """A route with a chain."""
    return Route(tier=Tier.APPROVE, chain=chain, sla=sla)


def minutes(at: datetime) -> float:
    """Minutes since AT."""
    return (at - AT) / timedelta(minutes=1)


def test_the_deadline_is_the_last_step_else_the_promise_else_a_day() -> None:
    """In this order."""
    ending = route(rung(0), rung(60, None, then=Then.EXPIRE), sla=span(minutes=5))
    assert minutes(schedule(ending, AT).deadline_at) == 60
    assert minutes(schedule(ending, AT).sla_at or AT) == 5
    assert minutes(schedule(route(rung(0), sla=span(minutes=5)), AT).deadline_at) == 5
    assert schedule(route(rung(0)), AT).deadline_at == AT + span(hours=24)
    assert schedule(route(), AT).rungs == ()


@pytest.mark.parametrize("then", [Then.HOLD, Then.FALLBACK_ROLE, Then.HUMAN_ONLY])
def test_what_waits_without_an_expiry_ends_too(then: Then) -> None:
    """Every review ends."""
    assert schedule(route(rung(0), rung(60, None, then=then)), AT).deadline_at == AT + HOLD_MAX


def test_business_rungs_wait_for_the_desk_and_never_decrease() -> None:
    """A rung in business time may fall after one in plain time; the order of the chain holds."""
    evening = local("2026-03-04T17:50")
    chain = (rung(0), rung(20, clock="business"), rung(30), rung(60 * 24, None, then=Then.EXPIRE))
    rungs = schedule(route(*chain), evening, calendar=DESK).rungs
    assert rungs[1] == rungs[2] == local("2026-03-05T09:10")
    assert rungs[3] == local("2026-03-05T17:50")


def test_the_promise_counts_the_clock_of_the_chain() -> None:
    """A business chain has a business SLA."""
    evening = local("2026-03-04T17:50")
    found = schedule(route(rung(0, clock="business"), sla=span(hours=1)), evening, calendar=DESK)
    assert found.sla_at == found.deadline_at == local("2026-03-05T09:50")


ON_CALL = route(rung(0), rung(10), rung(30), rung(60, None, then=Then.EXPIRE), sla=span(minutes=40))


def test_a_later_review_deadline_changes_nothing() -> None:
    """An agent can only bring the deadline forward."""
    assert schedule(ON_CALL, AT, review_deadline=AT + span(hours=5)) == schedule(ON_CALL, AT)


def test_an_earlier_review_deadline_draws_the_rungs_together() -> None:
    """In proportion: half the time, half the waits."""
    found = schedule(ON_CALL, AT, review_deadline=AT + span(minutes=30))
    assert [minutes(at) for at in found.rungs] == [0, 5, 15, 30]
    assert minutes(found.deadline_at) == minutes(found.sla_at or AT) == 30


def test_the_last_person_keeps_a_minimum() -> None:
    """At least a tenth of the window and at least the minimum, as far as the window goes."""
    late = route(rung(0), rung(59), rung(60, None, then=Then.EXPIRE))
    found = schedule(late, AT, review_deadline=AT + span(minutes=30), minimum=span(minutes=2))
    assert [round(minutes(at), 6) for at in found.rungs] == [0, 27, 30]
    short = schedule(late, AT, review_deadline=AT + span(minutes=5), minimum=span(minutes=2))
    assert [round(minutes(at), 6) for at in short.rungs] == [0, 3, 5]
    tiny = schedule(late, AT, review_deadline=AT + span(minutes=1), minimum=span(minutes=2))
    assert [round(minutes(at), 6) for at in tiny.rungs] == [0, 0, 1]


def test_a_deadline_in_the_past_is_now() -> None:
    """Then everything is due at once, and nothing before the review was asked."""
    found = schedule(ON_CALL, AT, review_deadline=AT - span(hours=1))
    assert set(found.rungs) == {AT}
    assert found.deadline_at == found.sla_at == AT


@st.composite
def chains(draw: st.DrawFn) -> Route:
    """Any chain, with or without an end."""
    afters = sorted(draw(st.lists(st.integers(0, 3000), min_size=1, max_size=5)))
    clocks = st.sampled_from(["always", "business"])
    made = [rung(after, clock=draw(clocks)) for after in afters]
    if draw(st.booleans()):
        made.append(rung(afters[-1] + 1, None, then=draw(st.sampled_from(list(Then))), clock=draw(clocks)))
    return route(*made, sla=draw(st.none() | st.integers(1, 3000).map(lambda n: timedelta(minutes=n))))


@given(chains(), instants, calendars(), st.none() | st.integers(-60, 6000))
def test_any_schedule_is_in_order_and_ends(
    asked: Route, at: datetime, calendar: Calendar, deadline_minutes: int | None
) -> None:
    """Aligned with the chain, never decreasing, never before the asking; a deadline only comes nearer."""
    deadline = None if deadline_minutes is None else at + timedelta(minutes=deadline_minutes)
    plain = schedule(asked, at, calendar=calendar)
    found = schedule(asked, at, calendar=calendar, review_deadline=deadline)
    assert len(found.rungs) == len(asked.chain)
    assert list(found.rungs) == sorted(found.rungs)
    assert all(instant >= at for instant in found.rungs)
    assert at <= found.deadline_at <= plain.deadline_at
    if deadline is not None and deadline < plain.deadline_at:
        assert found.deadline_at == max(deadline, at)
        assert all(instant <= found.deadline_at for instant in found.rungs)
        assert all(new <= old for new, old in zip(found.rungs, plain.rungs, strict=True) if old <= plain.deadline_at)
        window = found.deadline_at - at
        calls = [instant for one, instant in zip(asked.chain, found.rungs, strict=True) if one.notify]
        assert found.deadline_at - calls[-1] >= window / 10 - timedelta(microseconds=10)
