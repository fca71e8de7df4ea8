"""Business hours, holidays, and the instants of a chain. Pure: every instant is an argument and aware.

Local opening times are turned into instants day by day, so nights on which the clocks change are as long or short
as they really are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import holidays as public_holidays

from reviews.model import Route, Rung, Schedule, Then

#: A review without an SLA and without a final step expires after this.
WITHOUT_SLA = timedelta(hours=24)
#: A held review expires after this where the chain says nothing else.
HOLD_MAX = timedelta(days=7)
#: The last person called keeps this part of a window an agent has cut short.
LAST_SHARE = 0.1
#: … and at least this long, as far as the window goes.
LAST_MINIMUM = timedelta(minutes=1)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
#: Business time is looked for this far ahead; a chain never is that long.
_HORIZON_DAYS = 3_660


def weekdays(first: str, last: str) -> frozenset[int]:
    """The days from one to another, both of DAYS, Monday being 0; `fri` to `mon` is four."""
    start, end = DAYS.index(first), DAYS.index(last)
    return frozenset(day % 7 for day in range(start, end + 1 if end >= start else end + 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When the desk is open: local weekdays (0 is Monday) from `opens` to `closes`, in minutes after midnight.

    `country` is an ISO 3166 code with an optional subdivision (`DE`, `DE-BY`) whose public holidays are closed;
    `closed` holds further dates. Without `hours` the desk is always open.
    """

    timezone: str = "UTC"
    hours: bool = False
    days: frozenset[int] = frozenset(range(7))
    opens: int = 0
    closes: int = 1440
    country: str | None = None
    closed: frozenset[date] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone. Raises ZoneInfoNotFoundError for a name nobody knows."""
        return ZoneInfo(self.timezone)

    def works(self, day: date) -> bool:
        """Whether the desk opens on this local date."""
        if day.weekday() not in self.days or day in self.closed:
            return False
        return self.country is None or day not in country_holidays(self.country)

    def window(self, day: date) -> tuple[datetime, datetime]:
        """When the desk opens and closes on this local date, in UTC."""
        return self._instant(day, self.opens), self._instant(day, self.closes)

    def _instant(self, day: date, minutes: int) -> datetime:
        if minutes == 1440:
            day, minutes = day + _DAY, 0
        local = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=self.zone)
        return local.astimezone(UTC)


#: The desk that never closes.
ALWAYS = Calendar()


@lru_cache(maxsize=64)
def country_holidays(code: str) -> public_holidays.HolidayBase:
    """The public holidays of `DE` or `DE-BY`. Raises NotImplementedError for a code nobody knows."""
    country, _, subdivision = code.partition("-")
    return public_holidays.country_holidays(country, subdiv=subdivision or None)


def is_open(calendar: Calendar, instant: datetime) -> bool:
    """Whether the desk is open at an instant; it closes on the minute."""
    if not calendar.hours:
        return True
    day = instant.astimezone(calendar.zone).date()
    opens, closes = calendar.window(day)
    return calendar.works(day) and opens <= instant < closes


def business_add(calendar: Calendar, start: datetime, duration: timedelta) -> datetime:
    """The instant at which `duration` of open time has passed since `start`; for none, the next open instant."""
    if not calendar.hours:
        return start + duration
    rest, closes = duration, start
    for opens, closes in _windows(calendar, start):
        if rest <= closes - opens:
            return opens + rest
        rest -= closes - opens
    return closes


def _windows(calendar: Calendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open windows from `start` on, the first one cut at it."""
    first = start.astimezone(calendar.zone).date()
    for day in (first + timedelta(days=n) for n in range(_HORIZON_DAYS)):
        if calendar.works(day):
            opens, closes = calendar.window(day)
            if max(opens, start) < closes:
                yield max(opens, start.astimezone(UTC)), closes


def schedule(
    route: Route,
    at: datetime,
    *,
    calendar: Calendar = ALWAYS,
    review_deadline: datetime | None = None,
    minimum: timedelta = LAST_MINIMUM,
) -> Schedule:
    """The instants of a route asked at `at`: its rungs, its SLA, its deadline.

    The deadline is the chain's final `then: expire`, else the SLA, else 24 h. The SLA counts the clock of the
    chain's first rung. A `review_deadline` only brings it forward: the rungs are then compressed in proportion, and
    further where needed, so that the last person called keeps a tenth of the window and at least `minimum`.
    """
    rungs = tuple(accumulate((_instant(rung, at, calendar) for rung in route.chain), max))
    sla_at = _sla(route, at, calendar)
    deadline = _deadline(route, rungs, sla_at, at)
    if review_deadline is None or review_deadline >= deadline:
        return Schedule(rungs=rungs, deadline_at=deadline, sla_at=sla_at)
    sooner = max(review_deadline, at)
    return Schedule(
        rungs=_compressed(route.chain, rungs, at, deadline, sooner, minimum),
        deadline_at=sooner,
        sla_at=None if sla_at is None else min(sla_at, sooner),
    )


def _instant(rung: Rung, at: datetime, calendar: Calendar) -> datetime:
    return business_add(calendar, at, rung.after) if rung.clock == "business" else at + rung.after


def _sla(route: Route, at: datetime, calendar: Calendar) -> datetime | None:
    if route.sla is None:
        return None
    business = bool(route.chain) and route.chain[0].clock == "business"
    return business_add(calendar, at, route.sla) if business else at + route.sla


def _deadline(route: Route, rungs: tuple[datetime, ...], sla_at: datetime | None, at: datetime) -> datetime:
    match route.chain[-1].then if route.chain else None:
        case None:
            return sla_at if sla_at is not None else at + WITHOUT_SLA
        case Then.EXPIRE:
            return rungs[-1]
        case Then.HOLD | Then.FALLBACK_ROLE | Then.HUMAN_ONLY:
            return max(rungs[-1], at + HOLD_MAX)


def _compressed(
    chain: tuple[Rung, ...],
    rungs: tuple[datetime, ...],
    at: datetime,
    deadline: datetime,
    sooner: datetime,
    minimum: timedelta,
) -> tuple[datetime, ...]:
    """The rungs drawn together so that they fit before `sooner`. The final step falls on it."""
    window = sooner - at
    reserve = min(max(window * LAST_SHARE, minimum), window)
    calls = [instant - at for rung, instant in zip(chain, rungs, strict=True) if rung.notify]
    last = max(calls, default=timedelta(0))
    factor = window / (deadline - at)
    if last * factor > window - reserve:
        factor = (window - reserve) / last
    drawn = (
        sooner if rung.then is Then.EXPIRE else min(at + (instant - at) * factor, sooner)
        for rung, instant in zip(chain, rungs, strict=True)
    )
    return tuple(accumulate(drawn, max))
