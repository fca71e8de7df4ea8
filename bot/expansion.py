"""A calendar's text made into the spans of time it means, within a window.

A calendar comes from elsewhere, and a few bytes of it can mean work without end: a rule that never matches, a turn
every second. So `expanded` does it in a process of its own, which is ended when it takes too long or too much memory.
That process runs this file alone, so it needs nothing of Placet.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]  # ships no types

#: How long the expansion of one calendar may take (seconds), and how much memory (bytes).
PATIENCE, MEMORY = 10, 1 << 30
#: How many events a calendar may hold, and in how many spans they may result.
EVENTS = SPANS = 5_000
#: Times without a zone may lie this far from where UTC would have them.
_MARGIN = timedelta(days=2)
_NOT_TAKEN = {"SECONDLY", "MINUTELY"}
_MATTERS = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}


class Unreadable(ValueError):
    """A calendar that cannot be read; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a calendar, UTC, with its title and the e-mails and names of who is invited and has not declined."""

    start: datetime
    end: datetime
    title: str
    invited: tuple[str, ...] = ()


def expanded(text: str, since: datetime, until: datetime, zone: str | None) -> tuple[Span, ...]:
    """The spans of a calendar that touch a window, by start. Blocks for `PATIENCE` at most. Raises Unreadable.

    `zone` is for times that name none; None takes the calendar's own (`X-WR-TIMEZONE`), else UTC.
    """
    asked = json.dumps({"text": text, "since": since.isoformat(), "until": until.isoformat(), "zone": zone})
    try:
        run = subprocess.run(  # noqa: S603 - this file, by the interpreter that runs
            [sys.executable, "-P", __file__], input=asked.encode(), capture_output=True, timeout=PATIENCE, check=False
        )
    except OSError as fault:
        raise Unreadable(f"its events cannot be worked out now: {fault.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unreadable(f"its events take longer than {PATIENCE} s to work out") from None
    try:
        told = json.loads(run.stdout)
    except ValueError:
        raise Unreadable("its events take too much memory to work out, or cannot be at all") from None
    if "fault" in told:
        raise Unreadable(told["fault"])
    return tuple(_span(*each) for each in told["spans"])


def _span(start: str, end: str, title: str, invited: list[str]) -> Span:
    return Span(
        start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), title=title, invited=tuple(invited)
    )


def spans(calendar: Any, since: datetime, until: datetime, zone: ZoneInfo) -> list[Span]:
    """The spans of a calendar that touch a window, by start. Raises Unreadable.

    For calendars one trusts: whatever they hold is worked out here.
    """
    made = [_of(event, zone) for event in _occurrences(calendar, since - _MARGIN, until + _MARGIN)]
    # What ends when it begins puts nobody on call: a turn of the hour that a change of clocks leaves out.
    kept = [span for span in made if span.start < span.end and span.start < until and since < span.end]
    return sorted(kept, key=lambda span: (span.start, span.end, span.title))


def _occurrences(calendar: Any, since: datetime, until: datetime) -> Iterator[Any]:
    count = 0
    for series in recurring_ical_events.of(calendar).series:
        for occurrence in series.between(since, until):
            count += 1
            if count > SPANS:
                raise Unreadable(f"it has more than {SPANS} turns in {(until - since).days} days")
            event = occurrence.as_component(False)
            if str(event.get("STATUS", "")).upper() != "CANCELLED":
                yield event


def _of(event: Any, zone: ZoneInfo) -> Span:
    return Span(
        start=_instant(event["DTSTART"].dt, zone),
        end=_instant(event["DTEND"].dt, zone),
        title=" ".join(str(event.get("SUMMARY", "")).split()),
        invited=_invited(event.get("ATTENDEE", ())),
    )


def _instant(when: date, zone: ZoneInfo) -> datetime:
    """A time of a calendar in UTC: a day begins at midnight, and what names no zone is in the given one."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, time(), zone)
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def _invited(found: Any) -> tuple[str, ...]:
    attendees = found if isinstance(found, (list, tuple)) else (found,)
    said = []
    for each in attendees:
        params = getattr(each, "params", {})
        if str(params.get("PARTSTAT", "")).upper() != "DECLINED":
            address = str(each)
            said += [address[7:] if address.lower().startswith("mailto:") else address, str(params.get("CN", ""))]
    return tuple(dict.fromkeys(filter(None, said)))


# ---------------------------------------------------------------------------------------------- the process


def _read(text: str) -> Any:
    """The calendar in a text. Raises Unreadable: also for half of one, whose people would be missed by nobody."""
    whole = text.strip().upper()
    if not (whole.startswith("BEGIN:VCALENDAR") and whole.endswith("END:VCALENDAR")):
        raise Unreadable("it is no calendar, or not a whole one")
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError, TypeError) as fault:
        raise Unreadable(f"it is no calendar: {' '.join(str(fault).split())[:200]}") from fault
    events = calendar.walk("VEVENT")
    if len(events) > EVENTS:
        raise Unreadable(f"it has more than {EVENTS} events")
    for event in events:
        _sound(event)
    return calendar


def _sound(event: Any) -> None:
    """Raise Unreadable for an event of which a part that matters cannot be read, or that is not of this world."""
    title = str(event.get("SUMMARY", ""))[:80]
    wrong = sorted({str(name) for name, _ in event.errors} & _MATTERS)
    if wrong or "DTSTART" not in event:
        raise Unreadable(f"the event “{title}” has no {' and '.join(wrong) or 'DTSTART'} that can be read")
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if {str(each).upper() for each in rule.get("FREQ", ())} & _NOT_TAKEN:
            raise Unreadable(f"the event “{title}” has a turn every minute or second")


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        calendar = _read(asked["text"])
        zone = asked["zone"] or str(calendar.get("X-WR-TIMEZONE", "")) or "UTC"
        since, until = (datetime.fromisoformat(asked[key]) for key in ("since", "until"))
        found = spans(calendar, since, until, ZoneInfo(zone))
    except Unreadable as fault:
        return {"fault": str(fault)}
    except Exception as fault:  # noqa: BLE001 - any text may come, and libraries fail on it in any way: all are told
        return {"fault": f"its events cannot be worked out ({type(fault).__name__}: {str(fault)[:200]})"}
    return {"spans": [(s.start.isoformat(), s.end.isoformat(), s.title, s.invited) for s in found]}


def _bounded() -> None:
    """Take no more memory and time than a calendar is worth, where the machine can hold us to it."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - there is none on some machines

        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _bounded()
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))))
