"""Questions about reviews: which, how many. One statement per shape of question, compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, and_, bindparam, func, select
from sqlalchemy.sql.selectable import FromClause

from reviews.keeping import Query
from reviews.model import Review
from storage import rows
from storage.rows import Params, Row
from storage.sql import ONE, Part, Statement
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


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    asked: list[tuple[bool, ColumnElement[bool]]] = [
        (shape.agent, reviews.c.agent == bindparam("agent")),
        (shape.statuses > 0, reviews.c.status.in_(_any_of("status", shape.statuses))),
        (shape.action, reviews.c.action == bindparam("action")),
        (shape.subject, reviews.c.subject == bindparam("subject")),
        (shape.open_only, reviews.c.open == ONE),
        (shape.before, reviews.c.seq < bindparam("before", type_=BigInteger())),
    ]
    return [condition for wanted, condition in asked if wanted]


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


__all__ = ["Listing", "counting", "listing", "review_from", "whole"]
