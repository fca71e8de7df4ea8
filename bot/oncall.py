"""Who is on call: rotations as calendars, whatever their source, read over a stretch of time.

Nothing here reads a file or an address: a calendar kept elsewhere comes as a `Copy` (`bot/calendars.py`), and the short
form becomes the same calendar. So gaps, overrides and daylight saving have one meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar

from bot.entries import Layer, PersonEntry
from bot.expansion import Span, spans
from policies.hours import DAYS
from reviews.values import replace

#: Turns are counted from this Monday, so that a rotation does not change when the service is restarted.
_FIRST_MONDAY = date(2024, 1, 1)
_UNITS = {"h": "HOURLY", "d": "DAILY", "w": "WEEKLY"}
_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAY = timedelta(days=1)
#: What calendars write around a name: `[L1] ana`, `L1: ana`, `On Call - Ana Ruiz - Payments`, `Ana Ruiz on call`.
_LEVEL = re.compile(r"^\[?l\d\]?\s*:?\s+", re.IGNORECASE)
_AROUND = re.compile(r"^on[ -]?call\s*[:-]\s*|\s*[:-]?\s*on[ -]?call$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody's turn, UTC, the end not in it. `person` is None where a calendar means nobody or two; `why` says so."""

    start: datetime
    end: datetime
    person: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time in which the same people are on call; nobody in a gap, and why where that is known."""

    start: datetime
    end: datetime
    people: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The last good copy of a calendar, good from `since` to `until`.

    `read_at` is when its source last said that it is so; `fault` why it has not since, empty when all is well.
    """

    shifts: tuple[Shift, ...] = ()
    since: datetime
    until: datetime
    read_at: datetime | None = None
    fault: str = ""


# ---------------------------------------------------------------------------------------------- reading


def on_call(layer: Layer, at: datetime, copy: Copy | None = None) -> tuple[str, ...]:
    """The ids of the people on call at an instant; empty in a gap. `copy` is the calendar's, where it is one."""
    found = shifts(layer, at, at + timedelta(seconds=1), copy)
    return tuple(dict.fromkeys(s.person for s in found if s.person is not None and s.start <= at < s.end))


def stretches(layer: Layer, since: datetime, until: datetime, copy: Copy | None = None) -> list[Stretch]:
    """Who is on call from one instant to another, without a break: gaps are stretches too."""
    if layer.dated and copy is not None:
        until = min(until, copy.until)  # what comes after is not known yet, and so is no gap
    changes = sorted({since, until, *(at for s in shifts(layer, since, until, copy) for at in (s.start, s.end))})
    bounds = [at for at in changes if since <= at <= until]
    todo = sorted(shifts(layer, since, until, copy), key=lambda shift: shift.start, reverse=True)
    active, made = list[Shift](), list[Stretch]()
    for start, end in pairwise(bounds):
        while todo and todo[-1].start <= start:
            active.append(todo.pop())
        active = [shift for shift in active if shift.end > start]
        made.append(_stretch(start, end, active))
    return _joined(made)


def _stretch(start: datetime, end: datetime, active: Iterable[Shift]) -> Stretch:
    active = list(active)
    people = tuple(dict.fromkeys(shift.person for shift in active if shift.person is not None))
    why = "" if people else "; ".join(dict.fromkeys(shift.why for shift in active))
    return Stretch(start=start, end=end, people=people, why=why)


def _joined(found: Iterable[Stretch]) -> list[Stretch]:
    made = list[Stretch]()
    for each in found:
        if made and (made[-1].people, made[-1].why) == (each.people, each.why):
            made[-1] = replace(made[-1], end=each.end)
        else:
            made.append(each)
    return made


def shifts(layer: Layer, since: datetime, until: datetime, copy: Copy | None = None) -> list[Shift]:
    """The turns that touch a stretch of time, overrides in place."""
    if layer.dated:
        found: Sequence[Shift] = () if copy is None else copy.shifts
    else:
        first = since.astimezone(UTC).date()
        days = (until.astimezone(UTC).date() - first).days + 1
        found = _short(layer.people, layer.every, layer.handoff, layer.timezone, first, days)
    touching = [shift for shift in found if shift.start < until and since < shift.end]
    for instead in _overrides(layer):
        if instead.start < until and since < instead.end:
            touching = [part for shift in touching for part in _without(shift, instead)] + [instead]
    return touching


def _overrides(layer: Layer) -> Iterator[Shift]:
    zone = ZoneInfo(layer.timezone)
    for each in layer.overrides:
        start, end = ((t if t.tzinfo else t.replace(tzinfo=zone)).astimezone(UTC) for t in (each.begins, each.until))
        yield Shift(start=start, end=end, person=each.person)


def _without(shift: Shift, taken: Shift) -> Iterator[Shift]:
    """What is left of a turn when another takes its place for a while."""
    if shift.end <= taken.start or taken.end <= shift.start:
        yield shift
        return
    if shift.start < taken.start:
        yield replace(shift, end=taken.start)
    if taken.end < shift.end:
        yield replace(shift, start=taken.end)


# ---------------------------------------------------------------------------------------------- the short form


@lru_cache(maxsize=256)
def _calendar(people: tuple[str, ...], every: str, handoff: str, timezone: str) -> icalendar.Calendar:
    """The short form as a calendar: one recurring event per person, taking turns from the first handoff."""
    count, unit = int(every[:-1]), every[-1]
    day = DAYS.index(handoff[:3]) if " " in handoff else 0
    at = time_of_day.fromisoformat(handoff.rpartition(" ")[2])
    first = datetime.combine(_FIRST_MONDAY + timedelta(days=day), at, ZoneInfo(timezone))
    calendar = icalendar.Calendar()
    for turn, person in enumerate(people):
        event = icalendar.Event()
        start = first + turn * count * _LENGTHS[unit]
        event.add("uid", f"{turn}@placet")
        event.add("summary", person)
        event.add("dtstart", start)
        event.add("dtend", start + count * _LENGTHS[unit])
        event.add("rrule", {"freq": _UNITS[unit], "interval": count * len(people)})
        calendar.add_component(event)
    return calendar


@lru_cache(maxsize=1024)
def _short(
    people: tuple[str, ...], every: str, handoff: str, timezone: str, first: date, days: int
) -> tuple[Shift, ...]:
    """The turns of the short form that touch some days, UTC."""
    since = datetime.combine(first, time_of_day(), UTC)
    found = spans(_calendar(people, every, handoff, timezone), since, since + days * _DAY, ZoneInfo(timezone))
    return tuple(Shift(start=span.start, end=span.end, person=span.title) for span in found)


# ---------------------------------------------------------------------------------------------- who is meant


class Meaning:
    """Who a calendar means. One event means one person; whoever could be nobody or two is not guessed."""

    def __init__(self, people: Iterable[PersonEntry], names: Mapping[str, str]) -> None:
        self._names = {name.casefold().strip(): person for name, person in names.items()}
        self._known: dict[str, set[str]] = {}
        for entry in people:
            for word in filter(None, (entry.id, entry.name, entry.email)):
                self._known.setdefault(word.casefold(), set()).add(entry.id)

    def shift(self, span: Span) -> Shift:
        """A calendar's span as somebody's turn."""
        words = [*_words(span.title), *(word.casefold() for word in span.invited)]
        found = {self._names[word] for word in words if word in self._names}
        found = found or {person for word in words for person in self._known.get(word, ())}
        person, why = (found.pop(), "") if len(found) == 1 else (None, _unclear(span, found))
        return Shift(start=span.start, end=span.end, person=person, why=why)


def _words(title: str) -> Iterator[str]:
    """What in a title may be a name, lower case: all of it, and its parts between dashes."""
    bare = _LEVEL.sub("", title).strip()
    for text in (title, bare, _AROUND.sub("", bare), *bare.split(" - ")):
        yield from (text.casefold().strip(), _AROUND.sub("", text.strip()).casefold().strip())


def _unclear(span: Span, found: set[str]) -> str:
    said = f"“{span.title}”" if span.title else "an event without a title"
    if span.invited and not found:
        said += f" (invited: {', '.join(span.invited[:3])})"
    return f"{said} names {' and '.join(sorted(found)) if found else 'nobody in placet.yml'}"
