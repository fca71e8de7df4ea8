"""Quiet hours: when nothing rings for a person who is not on call."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.entries import Quiet

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


def quiet_until(quiet: Quiet, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the quiet hours an instant lies in end; None outside them. They begin on `days` of `zone`."""
    days, today = _weekdays(quiet.days), at.astimezone(zone).date()
    begins, ends = time.fromisoformat(quiet.begins), time.fromisoformat(quiet.until)
    for day in (today, today - _DAY):
        start = datetime.combine(day, begins, zone)
        end = datetime.combine(day if begins < ends else day + _DAY, ends, zone)
        if day.weekday() in days and start.astimezone(UTC) <= at < end.astimezone(UTC):
            return end.astimezone(UTC)
    return None


def _weekdays(words: str) -> frozenset[int]:
    """`fri-mon` is four days."""
    found = set[int]()
    for part in words.split(","):
        first, _, last = part.partition("-")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found.update(day % 7 for day in range(begin, end + 1 if begin <= end else end + 8))
    return frozenset(found)
