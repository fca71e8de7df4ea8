"""The tables as plain dicts, and what every part of a transaction over them shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reviews.errors import StoreUnavailable
from reviews.events import Record
from reviews.keeping import Absence, Agent, Bulletin, Copy, Delivery, Entry, Ticket
from reviews.model import Object, Review, Vote
from reviews.ports import Clock
from storage import audit

_GONE: Any = object()


@dataclass(slots=True)
class Asked:
    """A review and what only the store knows of it. `due_at` is when its alarm rings."""

    review: Review
    key: str | None
    fingerprint: str
    due_at: datetime | None


@dataclass(slots=True)
class Wanted:
    """A copy and when it is due."""

    copy: Copy
    due_at: datetime | None


@dataclass(slots=True)
class Data:
    """The tables. Values are replaced, never changed in place."""

    reviews: dict[str, Asked] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    revisions: dict[str, tuple[Object, ...]] = field(default_factory=dict)
    votes: dict[tuple[str, int, str], Vote] = field(default_factory=dict)
    rungs: dict[tuple[str, int, int], datetime] = field(default_factory=dict)
    copies: dict[str, Wanted] = field(default_factory=dict)
    bulletins: dict[str, Bulletin] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    log: dict[int, Entry] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    policies: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)
    absences: dict[str, Absence] = field(default_factory=dict)
    references: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)


class Shelf:
    """A part of the transaction: dicts, and how to take back what was written. The log is every part's."""

    def __init__(self, data: Data, clock: Clock, *, writes: bool) -> None:
        self._data = data
        self._clock = clock
        self._writes = writes
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []
        self._now: datetime | None = None

    def undo(self) -> None:
        """Take back every write, the last one first."""
        for table, key, value in reversed(self._before):
            if value is _GONE:
                table.pop(key, None)
            else:
                table[key] = value

    def _put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        if not self._writes:
            raise StoreUnavailable("Nothing can be written in a view.")
        self._before.append((table, key, table.get(key, _GONE)))
        table[key] = value

    def _drop(self, table: dict[Any, Any], key: Any) -> None:
        if key in table:
            self._put(table, key, _GONE)
            del table[key]

    def now(self) -> datetime:
        """The transaction's instant."""
        if self._now is None:
            self._now = self._clock.now()
        return self._now

    def record(self, entry: Record, review: str | None = None) -> None:
        """Append an entry to the log."""
        made = audit.entry_columns(entry, review)
        seq = len(self._data.log) + 1
        row = [seq if name == "seq" else made[name] for name in audit.ENTRY_COLUMNS]
        self._put(self._data.log, seq, audit.entry_from(row))

    def log(self, *, review: str | None = None, after: int = 0, limit: int = 200, public: bool = False) -> list[Entry]:
        """Read the log, oldest first, from after a sequence number."""
        entries = self._data.log.values()
        found = (e for e in entries if e.seq > after and review in (None, e.review) and (e.public or not public))
        return [entry for entry, _ in zip(found, range(limit), strict=False)]
