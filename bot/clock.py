"""The machine's clock, for whoever is not handed another."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, UTC."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)
