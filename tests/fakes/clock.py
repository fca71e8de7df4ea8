"""Clocks that stand still until a test moves them, or waits."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Ticks:
    """Seconds that pass only when somebody waits for them; `waits` are those waited."""

    at: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        """The seconds."""
        return self.at

    async def pause(self, seconds: float) -> None:
        """Let them pass."""
        self.waits.append(seconds)
        self.at += seconds
