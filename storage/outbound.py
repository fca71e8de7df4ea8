"""Copies of cards and messages to agents: what is wanted, who works on it until when, and what came of it.

A worker claims with a lease and works outside the transaction. A worker that dies loses nothing: the lease ends, and
what it held is due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from reviews.errors import Duplicate, NotFound
from reviews.events import Post
from reviews.model import Review
from reviews.ports import Copy, Delivery
from storage import rows
from storage.sql import Part, Statement, adding, adding_once, big
from storage.tables import copies, deliveries

#: How many due deliveries are looked at for each one claimed, so that every agent gets its turn.
_LOOK_AHEAD = 20

_copy = [copies.c[name] for name in rows.COPY_COLUMNS]
_delivery = [deliveries.c[name] for name in rows.DELIVERY_COLUMNS]
_limit = bindparam("limit", type_=Integer())

# Another copy of the same review at the same place is being worked on: two would overtake each other.
_other = copies.alias("other")
_busy: ColumnElement[bool] = exists().where(
    _other.c.review == copies.c.review,
    _other.c.surface == copies.c.surface,
    _other.c.address == copies.c.address,
    _other.c.id != copies.c.id,
    _other.c.leased > big("now"),
)
_DUE_COPIES = Statement(
    select(*_copy)
    .where(copies.c.due_at <= big("now"), ~_busy)
    .order_by(copies.c.due_at, copies.c.id)
    .limit(_limit)
    .with_for_update(skip_locked=True, of=copies)
)
_NEXT_COPY = Statement(
    select(copies.c.due_at).where(copies.c.due_at.is_not(None), ~_busy).order_by(copies.c.due_at).limit(1)
)
_CLAIM_COPY = Statement(update(copies).where(copies.c.id == bindparam("key")), ("state", "due_at", "leased"))
_WANTED = Statement(select(copies.c.wanted).where(copies.c.id == bindparam("key")).with_for_update())
_KEEP_COPY = Statement(
    update(copies).where(copies.c.id == bindparam("key")),
    ("state", "wanted", "shown", "attempts", "ref", "error", "due_at", "leased"),
)
_ADD_COPY = adding(copies)
_COPY = Statement(select(*_copy).where(copies.c.id == bindparam("key")))
_COPIES = Statement(
    select(*_copy).where(copies.c.review == bindparam("key")).order_by(copies.c.created_at, copies.c.id)
)
# Every copy is to show the new version. One that is posted is redrawn at once, or as soon as its worker is done;
# one that is being posted learns of it when that is kept.
_redrawable = or_(copies.c.state == "posted", and_(copies.c.state == "unknown", copies.c.ref.is_not(None)))
_at_once = case((copies.c.leased > big("now"), copies.c.leased), else_=big("now"))
_REFRESH = Statement(
    update(copies)
    .where(copies.c.review == bindparam("key"), copies.c.state != "failed")
    .values(
        wanted=bindparam("version", type_=Integer()),
        due_at=case(
            (and_(_redrawable, copies.c.shown < bindparam("version", type_=Integer())), _at_once),
            else_=copies.c.due_at,
        ),
    )
)

_is_due: ColumnElement[bool] = deliveries.c.state == literal_column("'due'")
_earliest = (
    select(deliveries.c.seq, deliveries.c.agent, deliveries.c.due_at)
    .where(_is_due, deliveries.c.due_at <= big("now"))
    .order_by(deliveries.c.due_at)
    .limit(bindparam("ahead", type_=Integer()))
    .subquery()
)
_turns = select(
    _earliest.c.seq,
    _earliest.c.due_at,
    func.row_number()
    .over(partition_by=_earliest.c.agent, order_by=(_earliest.c.due_at, _earliest.c.seq))
    .label("turn"),
).subquery()
# The agents take turns: one whose receiver hangs has its own share of the places and no more.
_DUE_DELIVERIES = Statement(
    select(*_delivery)
    .join(_turns, _turns.c.seq == deliveries.c.seq)
    .order_by(_turns.c.turn, _turns.c.due_at, _turns.c.seq)
    .limit(_limit)
    .with_for_update(skip_locked=True, of=deliveries)
)
_CLAIM_DELIVERY = Statement(update(deliveries).where(deliveries.c.id == bindparam("key")), ("due_at",))
#: What a process that died had claimed. A delivery's lease is its `due_at`, so those due soon are meant as well.
_FREE_COPIES = Statement(update(copies).where(copies.c.leased.is_not(None)).values(leased=null(), due_at=big("now")))
_FREE_DELIVERIES = Statement(
    update(deliveries)
    .where(_is_due, deliveries.c.due_at > big("now"), deliveries.c.due_at <= big("soon"))
    .values(due_at=big("now"))
)
_NEXT_DELIVERY = Statement(select(func.min(deliveries.c.due_at)).where(_is_due))
_ADD_DELIVERY = adding_once(deliveries)
_KEEP_DELIVERY = Statement(
    update(deliveries).where(deliveries.c.id == bindparam("key")), ("state", "due_at", "attempts", "error")
)
_newest = select(*_delivery).order_by(deliveries.c.seq.desc()).limit(_limit)
_of_review = deliveries.c.review == bindparam("review")
_in_state = deliveries.c.state == bindparam("in_state")
_DELIVERIES = {
    (False, False): Statement(_newest),
    (True, False): Statement(_newest.where(_of_review)),
    (False, True): Statement(_newest.where(_in_state)),
    (True, True): Statement(_newest.where(_of_review, _in_state)),
}


class Outbound(Part):
    """The part of a transaction that keeps copies and deliveries."""

    # ------------------------------------------------------------------------------------------ copies

    def take_over(self, soon: timedelta) -> None:
        """Free what a process that died had claimed: only for a store that one process at a time may open.

        `soon` is as long as any lease: a repeat waiting less than that goes out at once too.
        """
        now = self.now()
        self._db.run(_FREE_COPIES, {"now": rows.micros(now)})
        self._db.run(_FREE_DELIVERIES, {"now": rows.micros(now), "soon": rows.micros(now + soon)})

    def claim_copies(self, now: datetime, lease_until: datetime, limit: int) -> list[Copy]:
        """Claim copies that are due and not as wanted, until the lease ends.

        Each is given with the state it had: `new` was never posted; `posting` was claimed before and nothing came
        back, so look for it first. In its row a new one is `posting` from now on. Of several copies of one review
        at one place, one is given at a time.
        """
        self._db.alone("copies")
        due = [rows.copy_from(row) for row in self._db.all(_DUE_COPIES, {"now": rows.micros(now), "limit": limit})]
        first = {(copy.review, copy.target.surface, copy.target.address): copy for copy in reversed(due)}
        claimed = [copy for copy in due if first[copy.review, copy.target.surface, copy.target.address] is copy]
        until = rows.micros(lease_until)
        self._db.many(
            _CLAIM_COPY,
            [
                {"key": c.id, "state": "posting" if c.state == "new" else c.state, "due_at": until, "leased": until}
                for c in claimed
            ],
        )
        return claimed

    def keep_copy(self, copy: Copy, due_at: datetime | None) -> None:
        """Keep what came of a copy and end its lease. `due_at` is when to try again.

        What was wanted meanwhile is not forgotten: a posted copy that shows less than that is due at once.
        Raises NotFound.
        """
        row = self._db.one(_WANTED, {"key": copy.id})
        if row is None:
            raise NotFound(f"There is no copy {copy.id}.")
        wanted = max(copy.wanted, row[0])
        kept = rows.copy_columns(copy)
        written = {name: kept[name] for name in ("state", "shown", "attempts", "ref", "error")}
        due = rows.maybe_micros(rows.copy_due(copy, wanted, due_at, self.now()))
        self._db.run(_KEEP_COPY, written | {"key": copy.id, "wanted": wanted, "due_at": due, "leased": None})

    def copy(self, copy_id: str) -> Copy | None:
        """Read one copy."""
        row = self._db.one(_COPY, {"key": copy_id})
        return None if row is None else rows.copy_from(row)

    def copies(self, review_id: str) -> list[Copy]:
        """All copies of a review, oldest first."""
        return [rows.copy_from(row) for row in self._db.all(_COPIES, {"key": review_id})]

    def _want(self, review: Review, posts: Sequence[Post]) -> None:
        if posts:
            self.changed.add("copies")
            now = self.now()
            made = [rows.copy_columns(rows.new_copy(review, post, now)) for post in posts]
            self._db.many(_ADD_COPY, [columns | {"due_at": rows.micros(now), "leased": None} for columns in made])

    def _refresh(self, review: Review) -> None:
        self.changed.add("copies")
        self._db.run(_REFRESH, {"key": review.id, "version": review.version, "now": rows.micros(self.now())})

    # ------------------------------------------------------------------------------------------ deliveries

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a message to an agent. Raises Duplicate for an id in use."""
        if self._db.run(_ADD_DELIVERY, rows.delivery_columns(delivery)) == 0:
            raise Duplicate(f"There is a delivery {delivery.id} already.")
        self.changed.add("deliveries")

    def claim_deliveries(self, now: datetime, lease_until: datetime, limit: int) -> list[Delivery]:
        """Claim deliveries that are due until the lease ends, the agents in turns. Given as they were."""
        self._db.alone("deliveries")
        asked = {"now": rows.micros(now), "limit": limit, "ahead": limit * _LOOK_AHEAD}
        claimed = [rows.delivery_from(row) for row in self._db.all(_DUE_DELIVERIES, asked)]
        until = rows.micros(lease_until)
        self._db.many(_CLAIM_DELIVERY, [{"key": delivery.id, "due_at": until} for delivery in claimed])
        return claimed

    def keep_delivery(self, delivery: Delivery) -> None:
        """Keep what came of a delivery (state, due_at, attempts, error). Raises NotFound."""
        kept = rows.delivery_columns(delivery)
        written = {name: kept[name] for name in ("state", "due_at", "attempts", "error")}
        if self._db.run(_KEEP_DELIVERY, written | {"key": delivery.id}) == 0:
            raise NotFound(f"There is no delivery {delivery.id}.")

    def deliveries(self, *, review: str | None = None, state: str | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        asked = {"review": review, "in_state": state}
        statement = _DELIVERIES[review is not None, state is not None]
        given = {name: value for name, value in asked.items() if value is not None}
        return [rows.delivery_from(row) for row in self._db.all(statement, given | {"limit": limit})]

    def next_outbound(self) -> datetime | None:
        """When the next copy or delivery is due; one under work, when its lease ends."""
        found = (
            self._db.one(_NEXT_COPY, {"now": rows.micros(self.now())}),
            self._db.one(_NEXT_DELIVERY, {}),
        )
        due = [row[0] for row in found if row is not None and row[0] is not None]
        return rows.instant(min(due)) if due else None
