"""Who is on call: the short form of a rotation made into a calendar, and the calendar read at an instant.

A rotation is a calendar whatever its source, so that gaps, overrides and daylight saving have one meaning.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]  # ships no types

from bot.config import Layer

#: Turns are counted from this Monday, so that a rotation does not change when the service is restarted.
_FIRST_MONDAY = date(2024, 1, 1)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"h": "HOURLY", "d": "DAILY", "w": "WEEKLY"}
_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@lru_cache(maxsize=256)
def calendar_of(layer: Layer) -> icalendar.Calendar:
    """The short form as a calendar: one recurring event per person, taking turns from the first handoff."""
    zone = ZoneInfo(layer.timezone)
    count, unit = int(layer.every[:-1]), layer.every[-1]
    day = _DAYS.index(layer.handoff[:3]) if " " in layer.handoff else 0
    first = datetime.combine(_FIRST_MONDAY + timedelta(days=day), layer.at, zone)
    calendar = icalendar.Calendar()
    for turn, person in enumerate(layer.people):
        event = icalendar.Event()
        start = first + turn * count * _LENGTHS[unit]
        event.add("uid", f"{turn}@placet")
        event.add("summary", person)
        event.add("dtstart", start)
        event.add("dtend", start + count * _LENGTHS[unit])
        event.add("rrule", {"freq": _UNITS[unit], "interval": count * len(layer.people)})
        calendar.add_component(event)
    return calendar


def on_call(layer: Layer, at: datetime) -> tuple[str, ...]:
    """The ids of the people on call at an instant; empty in a gap."""
    # Turns change on the minute at the soonest, so one answer serves a minute of busy routing.
    return _at_minute(layer, at.replace(second=0, microsecond=0))


@lru_cache(maxsize=4096)
def _at_minute(layer: Layer, at: datetime) -> tuple[str, ...]:
    events = recurring_ical_events.of(calendar_of(layer)).at(at)
    return tuple(dict.fromkeys(str(event["SUMMARY"]) for event in events))
