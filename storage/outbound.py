"""Copies of cards and messages to agents: what is wanted, who works on it until when, and what came of it.

A worker claims with a lease and works outside the transaction. A worker that dies loses nothing: the lease ends, and
what it held is due again. The end of a lease names it: who keeps something under another one than the row's is late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from reviews.errors import Duplicate, NotFound
from reviews.events import Post
from reviews.keeping import Bulletin, Copy, Delivery
from reviews.model import Review, Target
from reviews.values import replace
from storage import leases, rows, rows_outbound
from storage.rows import Params
from storage.sql import ONE, Part, Statement, adding, adding_once, big, columns
from storage.tables import bulletins, copies, deliveries, reviews

_copy = [copies.c[name] for name in rows_outbound.COPY_COLUMNS]
_delivery = [deliveries.c[name] for name in rows_outbound.DELIVERY_COLUMNS]
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
_LOCK_COPY = Statement(select(*_copy).where(copies.c.id == bindparam("key")).with_for_update())
_WORKED_ON = ("state", "wanted", "shown", "attempts", "ref", "error", "leased", "told", "mark", "muted")
_KEEP_COPY = Statement(update(copies).where(copies.c.id == bindparam("key")), (*_WORKED_ON, "due_at"))
_ADD_COPY = adding(copies)
_COPY = Statement(select(*_copy).where(copies.c.id == bindparam("key")))
_COPIES = Statement(
    select(*_copy).where(copies.c.review == bindparam("key")).order_by(copies.c.created_at, copies.c.id)
)
# Every copy is to show the new version. One that is posted is redrawn at once, or as soon as its worker is done;
# one that is being posted learns of it when that is kept.
_redrawable = or_(
    copies.c.state.in_([literal_column("'posted'"), literal_column("'folded'")]),
    and_(copies.c.state == "unknown", copies.c.ref.is_not(None)),
)
_at_once = case((copies.c.leased > big("now"), copies.c.leased), else_=big("now"))
_REFRESH = Statement(
    update(copies)
    .where(copies.c.review == bindparam("key"))
    .values(
        wanted=bindparam("version", type_=Integer()),
        open=bindparam("standing", type_=Integer()),
        due_at=case(
            (and_(_redrawable, copies.c.shown < bindparam("version", type_=Integer())), _at_once),
            else_=copies.c.due_at,
        ),
    )
)
# A copy found in the world, wherever its row thought it was.
_FOUND = ("surface", "address", "state", "wanted", "shown", "ref", "mark", "muted", "error", "leased", "due_at")
_found = insert(copies)
_ADOPT_COPY = Statement(
    _found.on_conflict_do_update(index_elements=["id"], set_={name: _found.excluded[name] for name in _FOUND}),
    columns(copies),
)
_OPEN_STILL = Statement(select(reviews.c.open).where(reviews.c.id == bindparam("key")))
_MARKED = Statement(
    select(*_copy).where(copies.c.surface == bindparam("on_surface"), copies.c.mark == bindparam("named")).limit(1)
)
_STANDING = Statement(
    select(*_copy)
    .where(
        copies.c.open == ONE,
        copies.c.surface == bindparam("on_surface"),
        copies.c.address == bindparam("there"),
        copies.c.state == bindparam("in_state"),
        copies.c.kind == literal_column("'card'"),
    )
    .order_by(copies.c.created_at, copies.c.id)
    .limit(_limit)
)
# One that is over, or was given up, is a new one: changing a message tells nobody.
_afresh = copies.c.state.in_([literal_column("'over'"), literal_column("'failed'")])
_queue = insert(copies)
_ANEW = ("state", "shown", "ref", "mark", "muted", "error", "attempts", "created_at")
_WANT_QUEUE = Statement(
    _queue.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "wanted": copies.c.wanted + 1,
            "due_at": func.coalesce(copies.c.due_at, _queue.excluded.due_at),
            **{name: case((_afresh, _queue.excluded[name]), else_=copies.c[name]) for name in _ANEW},
        },
    ),
    columns(copies),
)
_ADD_BULLETIN = adding_once(bulletins)
_bulletin = [bulletins.c[name] for name in rows_outbound.BULLETIN_COLUMNS]
_BULLETIN = Statement(select(*_bulletin).where(bulletins.c.id == bindparam("key")))


@lru_cache(maxsize=64)
def _notices(places: int) -> Statement:
    """Walked from the newest bulletin on, and each one's few copies probed."""
    there = (
        and_(copies.c.surface == bindparam(f"surface_{n}"), copies.c.address == bindparam(f"address_{n}"))
        for n in range(places)
    )
    told = exists().where(copies.c.review == bulletins.c.id, or_(copies.c.person == bindparam("told"), *there))
    found = select(*_bulletin).where(bulletins.c.at >= big("since"), told)
    return Statement(found.order_by(bulletins.c.at.desc(), bulletins.c.id.desc()).limit(_limit))


_is_due: ColumnElement[bool] = deliveries.c.state == literal_column("'due'")
# The receivers something is due for, and since when: a step of the index for each, however much waits for one.
_later = deliveries.alias("later")
_first = select(func.min(deliveries.c.receiver).label("receiver")).where(_is_due).cte("lanes", recursive=True)
_next = (
    select(func.min(_later.c.receiver))
    .where(_later.c.state == literal_column("'due'"), _later.c.receiver > _first.c.receiver)
    .scalar_subquery()
)
_lanes = _first.union_all(select(_next).where(_first.c.receiver.is_not(None)))
_since = select(func.min(deliveries.c.due_at)).where(_is_due, deliveries.c.receiver == _lanes.c.receiver)
_LANES = Statement(select(_lanes.c.receiver, _since.scalar_subquery()).where(_lanes.c.receiver.is_not(None)))
_DUE_DELIVERIES = Statement(
    select(*_delivery)
    .where(_is_due, deliveries.c.receiver == bindparam("to"), deliveries.c.due_at <= big("now"))
    .order_by(deliveries.c.due_at)
    .limit(_limit)
    .with_for_update(skip_locked=True)
)
_CLAIM_DELIVERY = Statement(update(deliveries).where(deliveries.c.id == bindparam("key")), ("due_at",))
#: What a process that died had claimed. A delivery's lease is its `due_at`, so those due soon are meant as well.
_FREE_COPIES = Statement(update(copies).where(copies.c.leased.is_not(None)).values(leased=null(), due_at=big("now")))
_FREE_DELIVERIES = Statement(
    update(deliveries)
    .where(_is_due, deliveries.c.due_at > big("now"), deliveries.c.due_at <= big("soon"))
    .values(due_at=big("now"))
)
_ADD_DELIVERY = adding_once(deliveries)
_mine = deliveries.c.id == bindparam("key")
_KEPT = ("state", "due_at", "attempts", "error")
_KEEP_DELIVERY = Statement(update(deliveries).where(_mine, _is_due, deliveries.c.due_at == big("lease")), _KEPT)
_CHANGE_DELIVERY = Statement(update(deliveries).where(_mine), _KEPT)
# What a receiver said for good is true whoever heard it, and even after it was given up.
_said = deliveries.c.state.in_([literal_column("'done'"), literal_column("'gone'")])
_END_DELIVERY = Statement(update(deliveries).where(_mine, not_(_said)), _KEPT)
_THERE = Statement(select(deliveries.c.seq).where(_mine))
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
        asked = {"now": rows.micros(now), "limit": limit}
        due = [replace(rows_outbound.copy_from(row), lease=lease_until) for row in self._db.all(_DUE_COPIES, asked)]
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

    def keep_copy(self, copy: Copy, due_at: datetime | None) -> bool:
        """Keep what came of a copy and end its lease. `due_at` is when to try again.

        What was wanted meanwhile is not forgotten: a posted copy that shows less than that is due at once.
        Whether it counted: of what comes after the lease only a message nobody else knows of is kept.
        Raises NotFound.
        """
        row = self._db.one(_LOCK_COPY, {"key": copy.id})
        if row is None:
            raise NotFound(f"There is no copy {copy.id}.")
        now = self.now()
        kept = leases.keep(rows_outbound.copy_from(row), copy, due_at, now)
        if kept.row is not None:
            due = {"key": copy.id, "due_at": rows.maybe_micros(kept.due_at)}
            worked = rows_outbound.copy_columns(kept.row)
            self._db.run(_KEEP_COPY, {name: worked[name] for name in _WORKED_ON} | due)
        if kept.twin is not None:
            self._add_copies([kept.twin], now, self._open_still(kept.twin.review))
        return kept.counted

    def copy(self, copy_id: str) -> Copy | None:
        """Read one copy."""
        row = self._db.one(_COPY, {"key": copy_id})
        return None if row is None else rows_outbound.copy_from(row)

    def copies(self, review_id: str) -> list[Copy]:
        """All copies of a review, oldest first."""
        return [rows_outbound.copy_from(row) for row in self._db.all(_COPIES, {"key": review_id})]

    def copy_by_mark(self, surface: str, mark: str) -> Copy | None:
        """The copy whose `ref.mark` this is."""
        row = self._db.one(_MARKED, {"on_surface": surface, "named": mark})
        return None if row is None else rows_outbound.copy_from(row)

    def adopt_copy(self, copy: Copy) -> None:
        """Keep a copy found in the world: its row made or changed, `shown=0`, due now; who works on it is late."""
        self.changed.add("copies")
        found = rows_outbound.copy_columns(replace(copy, shown=0, lease=None))
        due = {"due_at": rows.micros(self.now()), "open": self._open_still(copy.review)}
        self._db.run(_ADOPT_COPY, found | due)

    def standing(self, surface: str, address: str, state: str, limit: int) -> list[Copy]:
        """Copies (of cards) of open reviews in a state at an address, oldest first."""
        asked = {"on_surface": surface, "there": address, "in_state": state, "limit": limit}
        return [rows_outbound.copy_from(row) for row in self._db.all(_STANDING, asked)]

    def want_queue(self, surface: str, address: str) -> None:
        """The queue card there must be drawn again, a second from now; it is made if there is none.

        What comes within that second is drawn with it. One that is over is posted afresh.
        """
        self.changed.add("copies")
        now = self.now()
        wanted = rows_outbound.copy_columns(rows_outbound.new_queue(surface, address, now))
        self._db.run(_WANT_QUEUE, wanted | {"due_at": rows.micros(now + rows_outbound.QUEUE_AFTER), "open": 1})

    def put_bulletin(self, bulletin: Bulletin, targets: Sequence[Target]) -> None:
        """Keep a bulletin and a new copy of it for each target, due now. The same id again changes nothing."""
        if self._db.run(_ADD_BULLETIN, rows_outbound.bulletin_columns(bulletin)) and targets:
            now = self.now()
            self._add_copies([rows_outbound.new_notice(bulletin, target, now) for target in targets], now, 0)

    def bulletin(self, bulletin_id: str) -> Bulletin | None:
        """Read a bulletin."""
        row = self._db.one(_BULLETIN, {"key": bulletin_id})
        return None if row is None else rows_outbound.bulletin_from(row)

    def notices(self, person: str, places: Sequence[Target], since: datetime, limit: int) -> list[Bulletin]:
        """The bulletins since then that went to a person, on any surface, or to one of these places; newest first."""
        asked: Params = {"told": person, "since": rows.micros(since), "limit": limit}
        for n, place in enumerate(places):
            asked |= {f"surface_{n}": place.surface, f"address_{n}": place.address}
        return [rows_outbound.bulletin_from(row) for row in self._db.all(_notices(len(places)), asked)]

    def _open_still(self, review: str) -> int:
        row = self._db.one(_OPEN_STILL, {"key": review})
        return 0 if row is None else int(row[0])

    def _want(self, review: Review, posts: Sequence[Post]) -> None:
        if posts:
            now, open_ = self.now(), int(not review.status.over)
            self._add_copies([rows_outbound.new_copy(review, post, now) for post in posts], now, open_)

    def _add_copies(self, made: Sequence[Copy], now: datetime, open_: int) -> None:
        self.changed.add("copies")
        due = {"due_at": rows.micros(now), "open": open_}
        self._db.many(_ADD_COPY, [rows_outbound.copy_columns(copy) | due for copy in made])

    def _refresh(self, review: Review) -> None:
        self.changed.add("copies")
        now = rows.micros(self.now())
        standing = int(not review.status.over)
        self._db.run(_REFRESH, {"key": review.id, "version": review.version, "standing": standing, "now": now})

    # ------------------------------------------------------------------------------------------ deliveries

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a message to an agent. Raises Duplicate for an id in use."""
        if self._db.run(_ADD_DELIVERY, rows_outbound.delivery_columns(delivery)) == 0:
            raise Duplicate(f"There is a delivery {delivery.id} already.")
        self.changed.add("deliveries")

    def claim_deliveries(
        self, now: datetime, lease_until: datetime, limit: int, *, each: int, busy: Mapping[str, int]
    ) -> list[Delivery]:
        """Claim deliveries that are due until the lease ends: `each` to one receiver, less those it is `busy` with.

        Who waits longest is served first. Given as they were.
        """
        self._db.alone("deliveries")
        claimed: list[Delivery] = []
        for receiver, since in sorted(self._db.all(_LANES, {}), key=lambda lane: lane[1]):
            room = min(each - busy.get(receiver, 0), limit - len(claimed))
            if since <= rows.micros(now) and room > 0:
                asked = {"to": receiver, "now": rows.micros(now), "limit": room}
                claimed += map(rows_outbound.delivery_from, self._db.all(_DUE_DELIVERIES, asked))
        until = rows.micros(lease_until)
        self._db.many(_CLAIM_DELIVERY, [{"key": delivery.id, "due_at": until} for delivery in claimed])
        return [replace(delivery, lease=lease_until) for delivery in claimed]

    def keep_delivery(self, delivery: Delivery) -> bool:
        """Keep what came of a delivery (state, due_at, attempts, error).

        Whether it counted: of what comes after the lease only what the receiver said for good is kept.
        Raises NotFound.
        """
        written: Params = {
            "key": delivery.id,
            "state": delivery.state,
            "due_at": rows.micros(delivery.due_at),
            "attempts": delivery.attempts,
            "error": rows.plain(delivery.error),
            "lease": rows.maybe_micros(delivery.lease),
        }
        counted = self._db.run(_CHANGE_DELIVERY if delivery.lease is None else _KEEP_DELIVERY, written)
        if counted:
            return True
        if self._db.one(_THERE, {"key": delivery.id}) is None:
            raise NotFound(f"There is no delivery {delivery.id}.")
        return delivery.state in ("done", "gone") and self._db.run(_END_DELIVERY, written) > 0

    def deliveries(self, *, review: str | None = None, state: str | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        asked = {"review": review, "in_state": state}
        statement = _DELIVERIES[review is not None, state is not None]
        given = {name: value for name, value in asked.items() if value is not None}
        return [rows_outbound.delivery_from(row) for row in self._db.all(statement, given | {"limit": limit})]

    def next_outbound(self) -> datetime | None:
        """When the next copy or delivery is due; one under work, when its lease ends."""
        copy = self._db.one(_NEXT_COPY, {"now": rows.micros(self.now())})
        due = [since for _, since in self._db.all(_LANES, {})] + ([] if copy is None else [copy[0]])
        return rows.instant(min(due)) if due else None
