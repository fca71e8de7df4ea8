"""Durations as people write them: `0m`, `90s`, `10m`, `1h30m`, `1d`, `1w`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WHOLE = re.compile(r"(?:[0-9]{1,9}[wdhms])+")
_PART = re.compile(r"([0-9]+)([wdhms])")

#: What a fault message says is allowed.
ALLOWED = "a number with s, m, h, d or w, such as 0m, 90s, 10m, 1h30m, 1d, 1w"


def parse(text: str) -> timedelta | None:
    """The duration a text says, or None when it says none."""
    if not _WHOLE.fullmatch(text):
        return None
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))


def since(then: datetime, now: datetime) -> str:
    """How long ago an instant was, in whole minutes."""
    minute = timedelta(minutes=1)
    return show(max(now - then, timedelta()) // minute * minute)


def show(duration: timedelta) -> str:
    """A duration in the same notation, the largest units first; parts of a second are dropped."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, size in _SECONDS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0m"
