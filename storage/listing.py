"""Questions about reviews: which, how many. One statement per shape of question, compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, and_, bindparam, func, select, union_all
from sqlalchemy.sql.selectable import FromClause

from reviews.keeping import Query
from reviews.model import Review
from reviews.ports import Backlog
from storage import rows
from storage.rows import Params, Row
from storage.sql import ONE, ZERO, Part, Statement, big
from storage.tables import audience, reviews, revisions

_first = revisions.alias("first_revision")
_joined: FromClause = reviews.join(
    revisions, and_(revisions.c.review == reviews.c.id, revisions.c.revision == reviews.c.revision)
).outerjoin(_first, and_(_first.c.review == reviews.c.id, _first.c.revision == ONE, reviews.c.revision > ONE))


def whole(*more: ColumnElement[Any]) -> Select[Any]:
    """All a review is put together from, and what else is asked for."""
    return select(reviews.c.seq, reviews.c.state, revisions.c.proposal, _first.c.proposal, *more).select_from(_joined)


def review_from(row: Row) -> Review:
    """A review from the columns of `whole`."""
    return rows.review_from(row[0], row[1], row[2], row[3])


@dataclass(frozen=True, slots=True)
class Shape:
    """What a query asks about, not what it asks for: queries of one shape share one statement."""

    agent: bool
    statuses: int
    action: bool
    subject: bool
    who: int | None
    open_only: bool
    live: bool
    held: bool | None
    asked: bool
    before: bool


def _shape(query: Query) -> Shape:
    who = rows.wanted_audience(query)
    return Shape(
        agent=query.agent is not None,
        statuses=len(query.statuses),
        action=query.action is not None,
        subject=query.subject is not None,
        who=None if who is None else len(who),
        open_only=query.open_only,
        live=query.live,
        held=query.held,
        asked=query.asked,
        before=query.before_seq is not None,
    )


def _params(query: Query) -> Params:
    params: Params = {
        "agent": query.agent,
        "action": rows.maybe_term(query.action),
        "subject": rows.maybe_term(query.subject),
        "before": query.before_seq,
    }
    params |= {f"status_{n}": status.value for n, status in enumerate(query.statuses)}
    params |= {f"who_{n}": who for n, who in enumerate(rows.wanted_audience(query) or ())}
    return {name: value for name, value in params.items() if value is not None}


def _any_of(name: str, count: int) -> list[Any]:
    return [bindparam(f"{name}_{n}") for n in range(count)]


_MINE: ColumnElement[bool] = reviews.c.agent == bindparam("agent")
_OPEN: ColumnElement[bool] = reviews.c.open == ONE
_GRANTED: ColumnElement[bool] = and_(reviews.c.open == ZERO, reviews.c.due_at.is_not(None))


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    asked: list[tuple[bool, ColumnElement[bool]]] = [
        (shape.agent and not shape.live, _MINE),
        (shape.statuses > 0, reviews.c.status.in_(_any_of("status", shape.statuses))),
        (shape.action, reviews.c.action == bindparam("action")),
        (shape.subject, reviews.c.subject == bindparam("subject")),
        (shape.open_only, _OPEN),
        (shape.live, _live(shape)),
        (shape.held is not None, reviews.c.held == (ONE if shape.held else ZERO)),
        (shape.asked, reviews.c.linked == ZERO),
        (shape.before, reviews.c.seq < bindparam("before", type_=BigInteger())),
    ]
    return [condition for wanted, condition in asked if wanted]


def _live(shape: Shape) -> ColumnElement[bool]:
    """Two small indexes are read whole rather than all an agent ever asked, which an OR would have SQLite do."""
    found = [select(reviews.c.seq).where(condition) for condition in (_OPEN, _GRANTED)]
    return reviews.c.seq.in_(union_all(*(one.where(_MINE) if shape.agent else one for one in found)))


def _for_somebody(count: int) -> ColumnElement[bool]:
    """Probed row by row: the queue is read in its order and stops at the page's end."""
    theirs = audience.c.who.in_(_any_of("who", count))
    return select(ONE).where(audience.c.review == reviews.c.id, theirs).exists()


#: How each order reads an index to its end: no sorting.
_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (reviews.c.seq.desc(),),
    "oldest": (reviews.c.seq.asc(),),
    "priority": (reviews.c.rank.asc(), reviews.c.seq.asc()),
}


@lru_cache(maxsize=256)
def listing(shape: Shape, order: str) -> Statement:
    """The page of a query. Raises KeyError for an order there is not."""
    found = whole().where(*_conditions(shape))
    if shape.who is not None:
        found = found.where(_for_somebody(shape.who))
    limit, offset = bindparam("limit", type_=Integer()), bindparam("offset", type_=Integer())
    return Statement(found.order_by(*_ORDERS[order]).limit(limit).offset(offset))


#: More than anybody counts.
_UNCOUNTED = 2**53


@lru_cache(maxsize=256)
def counting(shape: Shape) -> Statement:
    """How many a query finds, up to a number; for somebody's reviews it starts from them, not from all there are."""
    found = select(ONE).select_from(reviews).where(*_conditions(shape))
    if shape.who is not None:
        theirs = select(audience.c.review).where(audience.c.who.in_(_any_of("who", shape.who)))
        found = found.where(reviews.c.id.in_(theirs))
    return Statement(select(func.count()).select_from(found.limit(bindparam("at_most")).subquery()))


_BACKLOG = Statement(
    select(reviews.c.needs, func.count(), func.min(reviews.c.created_at))
    .where(_OPEN, reviews.c.held == ZERO, reviews.c.sandbox == ZERO)
    .group_by(reviews.c.needs)
)
_PACE = Statement(select(func.count()).select_from(reviews).where(_MINE, reviews.c.ended_at >= big("since")))


class Listing(Part):
    """The part of a transaction that lists."""

    def find(self, query: Query) -> list[Review]:
        """List reviews."""
        params = _params(query) | {"limit": query.limit, "offset": query.offset}
        return [review_from(row) for row in self._db.all(listing(_shape(query), query.order), params)]

    def count(self, query: Query, *, at_most: int | None = None) -> int:
        """How many a query would list without its limit; counting ends at `at_most`."""
        cap = _UNCOUNTED if at_most is None else at_most
        row = self._db.one(counting(_shape(query)), _params(query) | {"at_most": cap})
        return int(row[0]) if row is not None else 0

    def backlog(self) -> list[Backlog]:
        """What is open waits for each role and level: how many, since when; none held, none of a sandbox."""
        return rows.backlog(self._db.all(_BACKLOG, {}))

    def pace(self, agent: str, since: datetime) -> int:
        """How many of an agent's reviews have ended since then."""
        row = self._db.one(_PACE, {"agent": agent, "since": rows.micros(since)})
        return int(row[0]) if row is not None else 0


__all__ = ["Listing", "counting", "listing", "review_from", "whole"]
