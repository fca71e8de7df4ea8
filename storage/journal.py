"""The log's part of a transaction: entries are added and read, nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Integer, bindparam, select

from reviews.events import Record
from reviews.keeping import Entry
from storage import audit
from storage.sql import ONE, Part, Statement, adding, big
from storage.tables import log

_APPEND = adding(log)
_after = (
    select(*(log.c[name] for name in audit.ENTRY_COLUMNS))
    .where(log.c.seq > big("after"))
    .order_by(log.c.seq)
    .limit(bindparam("limit", type_=Integer()))
)
_of_review = log.c.review == bindparam("review")
_READ = {
    (False, False): Statement(_after),
    (True, False): Statement(_after.where(_of_review)),
    (False, True): Statement(_after.where(log.c.public == ONE)),
    (True, True): Statement(_after.where(_of_review, log.c.public == ONE)),
}


class Journal(Part):
    """The part of a transaction that keeps the log."""

    def record(self, entry: Record, review: str | None = None) -> None:
        """Append an entry to the log. Raises DigestImpossible for particulars without a canonical form."""
        self._append((entry,), review)
        if review is not None:
            self.changed.add(f"review:{review}")

    def log(self, *, review: str | None = None, after: int = 0, limit: int = 200, public: bool = False) -> list[Entry]:
        """Read the log, oldest first, from after a sequence number."""
        asked: dict[str, object] = {"after": after, "limit": limit}
        if review is not None:
            asked["review"] = review
        return [audit.entry_from(row) for row in self._db.all(_READ[review is not None, public], asked)]

    def _append(self, entries: Sequence[Record], review: str | None) -> None:
        if entries:
            self._db.many(_APPEND, [audit.entry_columns(entry, review) for entry in entries])
