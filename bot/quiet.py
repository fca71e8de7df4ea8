"""Quiet hours: when nothing rings for a person who is not on call."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.entries import Quiet
from policies.hours import weekdays

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
    spans = (part.partition("-") for part in words.split(","))
    return frozenset(day for first, _, last in spans for day in weekdays(first, last or first))
