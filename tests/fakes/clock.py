"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.fakes.builders import START


class FakeClock:
    """`Clock` whose time is a plain attribute."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at

    def forward(self, by: timedelta) -> datetime:
        """Move on, and tell the new instant."""
        self.at += by
        return self.at
