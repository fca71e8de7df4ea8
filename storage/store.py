"""The transaction over SQL: reviews and everything a transition keeps. One set of statements for both engines.

Every transition begins with `lock`: without it two concurrent votes under a quorum of two each see one vote, and the
review is never decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import assert_never

from sqlalchemy import Integer, bindparam, func, select, update

from reviews.errors import Duplicate, StoreUnavailable
from reviews.events import Cast, Deliver, Effect, Follow, Post, Rang, Record, Refresh
from reviews.model import Object, Review
from storage import rows
from storage.journal import Journal
from storage.listing import Listing, review_from, whole
from storage.outbound import Outbound
from storage.registry import Registry
from storage.sql import ZERO, Statement, adding, adding_once, big, putting
from storage.tables import audience, reviews, revisions, rungs, votes

# A new review; no row comes back when its idempotency key, or its id, is taken.
_OPEN = adding_once(reviews, lambda made: made.returning(reviews.c.seq))
_ADD_REVISION = adding(revisions)
_READ = Statement(whole().where(reviews.c.id == bindparam("key")))
_READ_BY_KEY = Statement(
    whole(reviews.c.fingerprint).where(
        reviews.c.agent == bindparam("agent"), reviews.c.idem_key == bindparam("idem_key")
    )
)
# Locked in a statement of its own: a joined FOR UPDATE that waited would pair the new row with the old snapshot's
# proposal, and a review just revised would seem not to exist (PostgreSQL, READ COMMITTED).
_LOCK = Statement(select(reviews.c.seq).where(reviews.c.id == bindparam("key")).with_for_update())

_SAVED = (
    "status", "open", "action", "subject", "tier", "risk", "rule", "amount", "rank", "deadline_at", "due_at",
    "ended_at", "revision", "version", "held", "owner", "sandbox", "linked", "needs", "state",
)  # fmt: skip
_SAVE = Statement(
    update(reviews).where(reviews.c.id == bindparam("key"), reviews.c.version == bindparam("seen", type_=Integer())),
    _SAVED,
)
_ADD_AUDIENCE = adding_once(audience)
_DROP_AUDIENCE = Statement(
    audience.delete().where(audience.c.who == bindparam("for_who"), audience.c.review == bindparam("of_review"))
)
_VOTE = adding_once(votes)
_VOTE_AGAIN = putting(votes)
_RING = adding_once(rungs)

# Whose alarm rings, the longest overdue first, without those another replica is busy with.
_DUE = Statement(
    select(reviews.c.id)
    .where(reviews.c.due_at <= big("now"))
    .order_by(reviews.c.due_at)
    .limit(bindparam("limit", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_NEXT_DUE = Statement(select(func.min(reviews.c.due_at)).where(reviews.c.due_at.is_not(None)))
_SET_ASIDE = Statement(update(reviews).where(reviews.c.id == bindparam("key")), ("due_at",))

_REVISIONS = Statement(
    select(revisions.c.revision, revisions.c.proposal, revisions.c.at)
    .where(revisions.c.review == bindparam("key"))
    .order_by(revisions.c.revision)
)
_SINCE = (reviews.c.agent == bindparam("agent"), reviews.c.created_at >= big("since"), reviews.c.linked == ZERO)
_RECENT = Statement(select(reviews.c.created_at, reviews.c.amount).where(*_SINCE))
_RECENT_OF_SUBJECT = Statement(
    select(reviews.c.created_at, reviews.c.amount).where(*_SINCE, reviews.c.subject == bindparam("subject"))
)


@lru_cache(maxsize=16)
def _reading(count: int) -> Statement:
    return Statement(whole(reviews.c.id).where(reviews.c.id.in_([bindparam(f"id_{n}") for n in range(count)])))


class SqlTx(Listing, Outbound, Journal, Registry):
    """`Tx` on a SQL engine."""

    # ------------------------------------------------------------------------------------------ reviews

    def open(self, review: Review, effects: Sequence[Effect], *, key: str | None, fingerprint: str) -> Review:
        """Keep a new review with its effects' rows. Returns it with its `seq`. Raises Duplicate for a key in use."""
        row = self._db.one(_OPEN, rows.new_review_columns(review, key, fingerprint))
        if row is None:
            raise Duplicate(f"{review.agent} has asked under this idempotency key before.")
        kept = rows.numbered(review, row[0])
        self._db.run(_ADD_REVISION, rows.revision_columns(review, review.created_at))
        self._aim(review.id, frozenset(), rows.audience(review))
        self._follow(kept, effects)
        return kept

    def by_key(self, agent: str, key: str) -> tuple[Review, str] | None:
        """The review this agent asked for under this idempotency key, and the fingerprint it had then."""
        row = self._db.one(_READ_BY_KEY, {"agent": agent, "idem_key": rows.term(key)})
        return None if row is None else (review_from(row), row[4])

    def lock(self, review_id: str) -> Review | None:
        """Read a review and lock its row: every transition begins here."""
        if self._db.locks and self._db.one(_LOCK, {"key": review_id}) is None:
            return None
        return self.read(review_id)

    def read(self, review_id: str) -> Review | None:
        """Read a review without locking it."""
        row = self._db.one(_READ, {"key": review_id})
        return None if row is None else review_from(row)

    def save(self, before: Review, after: Review, effects: Sequence[Effect]) -> None:
        """Keep a transition: review, revision if new, votes, rungs, copies wanted, log entries.

        Raises StoreUnavailable when the review is no longer as it was read, Duplicate for a second vote or rung.
        """
        if after is not before:
            seen = {"key": before.id, "seen": before.version}
            if self._db.run(_SAVE, rows.review_columns(after) | seen) == 0:
                raise StoreUnavailable(f"{before.id} was changed by somebody else meanwhile. Read it and try again.")
            if after.revision > before.revision:
                self._db.run(_ADD_REVISION, rows.revision_columns(after, self.now()))
            self._aim(after.id, rows.audience(before), rows.audience(after))
        self._follow(after, effects)

    def revisions(self, review_id: str) -> list[Object]:
        """Every revision kept, oldest first: `{revision, action, arguments, digest, proposed_by, at}`."""
        return [rows.revision_object(*row) for row in self._db.all(_REVISIONS, {"key": review_id})]

    def recent(self, agent: str, subject: str | None, since: datetime) -> list[tuple[datetime, float | None]]:
        """Instants and amounts of this agent's reviews of this subject since then; of any subject for None.

        What follows from a review is not counted.
        """
        asked = {"agent": agent, "subject": rows.maybe_term(subject), "since": rows.micros(since)}
        if subject is None:
            del asked["subject"]
        found = self._db.all(_RECENT if subject is None else _RECENT_OF_SUBJECT, asked)
        return [(rows.instant(at), amount) for at, amount in found]

    # ------------------------------------------------------------------------------------------ alarms

    def due(self, now: datetime, limit: int) -> list[Review]:
        """Lock and return reviews whose alarm is due, the longest overdue first, skipping those others hold."""
        ids = [row[0] for row in self._db.all(_DUE, {"now": rows.micros(now), "limit": limit})]
        if not ids:
            return []
        # A few sizes of statement serve every number of ids: the rest is filled up with the last one.
        size = 1 << (len(ids) - 1).bit_length()
        padded = ids + ids[-1:] * (size - len(ids))
        found = self._db.all(_reading(size), {f"id_{n}": key for n, key in enumerate(padded)})
        by_id = {row[4]: review_from(row) for row in found}
        return [by_id[key] for key in ids]

    def next_due(self) -> datetime | None:
        """When the earliest alarm rings."""
        row = self._db.one(_NEXT_DUE, {})
        return None if row is None else rows.maybe_instant(row[0])

    def set_aside(self, review_id: str, why: str, until: datetime) -> None:
        """Keep a review whose alarm could not be handled from ringing again before `until`; the log says why."""
        self._db.run(_SET_ASIDE, {"key": review_id, "due_at": rows.micros(until)})
        self.record(rows.set_aside_record(why, self.now(), until), review_id)

    # ------------------------------------------------------------------------------------------ what follows

    def _aim(self, review_id: str, was: frozenset[str], now: frozenset[str]) -> None:
        """Keep whom a review is for."""
        if now != was:
            for who in sorted(was - now):
                self._db.run(_DROP_AUDIENCE, {"for_who": who, "of_review": review_id})
            self._db.many(_ADD_AUDIENCE, [{"who": who, "review": review_id} for who in sorted(now - was)])

    def _follow(self, review: Review, effects: Iterable[Effect]) -> None:
        """Keep what follows. Messages to the agent and reviews that follow are added by whoever can make them,
        in the same transaction.
        """
        self.changed.add(f"review:{review.id}")
        records: list[Record] = []
        posts: list[Post] = []
        for effect in effects:
            match effect:
                case Record():
                    records.append(effect)
                case Cast():
                    self._cast(review, effect)
                case Rang():
                    self._ring(review, effect)
                case Post():
                    posts.append(effect)
                case Refresh():
                    self._refresh(review)
                case Deliver() | Follow():
                    pass
                case _:
                    assert_never(effect)
        self._append(records, review.id)
        self._want(review, posts)

    def _cast(self, review: Review, cast: Cast) -> None:
        columns = rows.vote_columns(review, cast.vote)
        if self._db.run(_VOTE_AGAIN if cast.again else _VOTE, columns) == 0:
            raise Duplicate(f"{cast.vote.name} has voted on this revision already.")

    def _ring(self, review: Review, rang: Rang) -> None:
        columns = {"review": review.id, "epoch": rang.epoch, "rung": rang.rung, "at": rows.micros(rang.at)}
        if self._db.run(_RING, columns) == 0:
            raise Duplicate(f"Rung {rang.rung} of run {rang.epoch} has fired already.")


__all__ = ["SqlTx"]
