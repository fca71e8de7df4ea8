"""When quiet hours begin and end."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.entries import Quiet
from bot.quiet import quiet_until


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        ({"from": "22:00", "until": "07:00"}, "2026-11-18T21:30", "2026-11-19T06:00"),
        ({"from": "22:00", "until": "07:00"}, "2026-11-19T05:59", "2026-11-19T06:00"),
        ({"from": "22:00", "until": "07:00"}, "2026-11-19T06:00", None),
        ({"from": "13:00", "until": "15:00"}, "2026-11-18T12:00", "2026-11-18T14:00"),
        ({"from": "13:00", "until": "15:00"}, "2026-11-18T14:00", None),
        ({"from": "22:00", "until": "07:00", "days": "fri-mon"}, "2026-11-18T22:00", None),
        ({"from": "22:00", "until": "07:00", "days": "fri-mon"}, "2026-11-24T05:00", "2026-11-24T06:00"),
        ({"from": "22:00", "until": "07:00", "days": "sat,sun"}, "2026-11-21T05:00", None),
        ({"from": "01:00", "until": "05:00"}, "2026-10-25T02:30", "2026-10-25T04:00"),
        ({"from": "00:00", "until": "00:00"}, "2026-11-18T12:00", "2026-11-18T23:00"),
    ],
)
def test_quiet_hours_are_by_the_persons_clock(quiet: dict[str, str], at: str, until: str | None) -> None:
    """They begin on their days in Madrid, end the next morning, and last as long as the night does."""
    found = quiet_until(Quiet.model_validate(quiet), ZoneInfo("Europe/Madrid"), datetime.fromisoformat(f"{at}Z"))
    assert found == (None if until is None else datetime.fromisoformat(f"{until}Z"))
