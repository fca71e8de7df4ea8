"""Between domain values and rows. Nothing here knows a database; nothing outside `storage` knows a row.

A review lies in two rows: `state` (JSON without the proposal, the first arguments and the seq) and the proposal of
its revision. Everything is dumped in full, defaults included: a route stays as it was frozen when a default changes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from reviews.events import Record
from reviews.keeping import Absence, Agent, Query, Stop, Ticket
from reviews.lifecycle import next_alarm, priority
from reviews.model import Object, Proposal, Review, Vote
from reviews.ports import Backlog
from reviews.values import replace

Params: TypeAlias = dict[str, Any]
Row: TypeAlias = Sequence[Any]

_REVIEW = TypeAdapter(Review)
_PROPOSAL = TypeAdapter(Proposal)
_VOTE = TypeAdapter(Vote)
_AGENT = TypeAdapter(Agent)
_WORDS = TypeAdapter(dict[str, str])
#: A proposal's parts as plain JSON, for readers that need a few of them and no dataclasses.
_OBJECT: TypeAdapter[Object] = TypeAdapter(dict[str, Any])

#: Kept elsewhere: in `revisions`, and in the column that numbers the row.
_APART = {"proposal", "original", "seq"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: How a stopped agent was kept until revision 0006; within a string its quotes would be escaped.
_STOPPED = '"stopped":true'
_LONGEST = 200


def micros(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime; no float on the way."""
    return (at - _EPOCH) // _MICROSECOND


def maybe_micros(at: datetime | None) -> int | None:
    """As `micros`; None stays None."""
    return None if at is None else micros(at)


def instant(value: int) -> datetime:
    """The UTC datetime of a kept number."""
    return _EPOCH + timedelta(microseconds=value)


def maybe_instant(value: int | None) -> datetime | None:
    """As `instant`; None stays None."""
    return None if value is None else instant(value)


def term(text: str) -> str:
    """A stranger's text as a word to look up by: PostgreSQL keeps no NUL, and its indices no long texts.

    A text that had to be changed carries its hash, so that two different ones never become the same word.
    """
    if len(text) <= _LONGEST and "\0" not in text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[: _LONGEST - 80].replace(chr(0), '')}…{digest}"


def maybe_term(text: str | None) -> str | None:
    """As `term`; None stays None."""
    return None if text is None else term(text)


def plain(text: str | None) -> str | None:
    """A text nobody looks up by, without what PostgreSQL cannot keep."""
    return text if text is None else text.replace("\0", "\ufffd")


def fresh_id(prefix: str) -> str:
    """A random id, 128 bits behind its prefix."""
    return f"{prefix}_{os.urandom(16).hex()}"


# ---------------------------------------------------------------------------------------------- reviews


def review_columns(review: Review) -> Params:
    """What every save writes."""
    decision = review.decision
    return {
        "status": str(review.status),
        "open": int(not review.status.over),
        "action": term(review.request.action.name),
        "subject": maybe_term(review.request.subject),
        "tier": str(review.route.tier),
        "risk": str(review.route.risk),
        "rule": term(review.route.rule),
        "amount": review.route.amount,
        "rank": -priority(review),
        "deadline_at": micros(review.ladder.schedule.deadline_at),
        "due_at": maybe_micros(next_alarm(review)),
        "ended_at": micros(decision.decided_at) if decision is not None else None,
        "revision": review.revision,
        "version": review.version,
        "held": int(review.held),
        "owner": review.owner,
        "sandbox": int(review.sandbox),
        "linked": int(review.about is not None),
        "needs": "\n".join(sorted(needs(review))),
        "state": _REVIEW.serializer.to_json(review, exclude=_APART).decode(),
    }


def new_review_columns(review: Review, key: str | None, fingerprint: str) -> Params:
    """What opening writes, once. Raises ValueError for a review whose first arguments are not its `original`."""
    if review.original != review.request.action.arguments:
        raise ValueError("a review is opened with its first arguments as `original`")
    first = {
        "id": review.id,
        "agent": review.agent,
        "idem_key": maybe_term(key),
        "fingerprint": fingerprint,
        "created_at": micros(review.created_at),
    }
    return first | review_columns(review)


def revision_columns(review: Review, at: datetime) -> Params:
    """The row of a review's current proposal."""
    return {
        "review": review.id,
        "revision": review.revision,
        "proposal": _PROPOSAL.serializer.to_json(review.proposal).decode(),
        "at": micros(at),
    }


def review_from(seq: int, state: str, proposal: str, first: str | None) -> Review:
    """Put a review together again; `first` is the proposal of revision 1 where that is another one."""
    review = _REVIEW.validate_json(f'{{"seq":{seq},"proposal":{proposal},{state[1:]}')
    if first is None:
        return replace(review, original=review.request.action.arguments)
    return replace(review, original=_OBJECT.validate_json(first)["request"]["action"]["arguments"])


def revision_object(revision: int, proposal: str, at: int) -> Object:
    """A kept revision as `Tx.revisions` answers it."""
    kept = _OBJECT.validate_json(proposal)
    action = kept["request"]["action"]
    return {
        "revision": revision,
        "action": action["name"],
        "arguments": action["arguments"],
        "digest": kept["digest"],
        "proposed_by": kept["proposed_by"],
        "at": instant(at),
    }


def needs(review: Review) -> frozenset[str]:
    """The roles and levels a review needs, as words: `role:NAME`, `level:N`."""
    return frozenset(f"role:{n.role}" if n.role is not None else f"level:{n.level}" for n in review.route.needs)


def audience(review: Review) -> frozenset[str]:
    """Who a review is for, as words to look up by."""
    owner = () if review.owner is None else (review.owner,)
    return frozenset((*needs(review), *(f"person:{who}" for who in (*review.called, *review.assigned, *owner))))


def backlog(waiting: Iterable[Row]) -> list[Backlog]:
    """Sum up rows of (needs, how many, created_at of the oldest) by role and level, in the order of their names."""
    found: dict[str, Backlog] = {}
    for words, count, oldest in waiting:
        for word in words.split("\n") if words else ():
            kind, _, name = word.partition(":")
            whom = name if kind == "role" else f"level {name}"
            so_far = found.get(whom) or Backlog(whom=whom, waiting=0, oldest=instant(oldest))
            earlier = min(so_far.oldest, instant(oldest))
            found[whom] = Backlog(whom=whom, waiting=so_far.waiting + count, oldest=earlier)
    return [found[whom] for whom in sorted(found)]


def wanted_audience(query: Query) -> tuple[str, ...] | None:
    """The words a query looks for, any of which lets a review in; None where it asks for nobody."""
    if not query.roles and query.called is None and query.levels_up_to is None:
        return None
    levels = range(query.levels_up_to + 1) if query.levels_up_to is not None else ()
    called = () if query.called is None else (f"person:{query.called}",)
    return (*(f"role:{role}" for role in query.roles), *(f"level:{n}" for n in levels), *called)


def vote_columns(review: Review, vote: Vote) -> Params:
    """The row of a vote."""
    return {
        "review": review.id,
        "revision": vote.revision,
        "person": vote.person,
        "verb": str(vote.verb),
        "at": micros(vote.at),
        "body": _VOTE.dump_json(vote).decode(),
    }


# ---------------------------------------------------------------------------------------------- agents, tickets


def agent_columns(agent: Agent) -> Params:
    """The row of an agent."""
    return {"name": agent.name, "body": _AGENT.dump_json(agent).decode()}


@lru_cache(maxsize=1024)
def agent_from(body: str) -> Agent:
    """An agent from its JSON; read again at every request, so those that did not change are kept."""
    agent = _AGENT.validate_json(body)
    if agent.stop is None and _STOPPED in body:
        why = "Stopped before reasons were kept."
        return replace(agent, stop=Stop(by="operator", at=agent.created_at or _EPOCH, reason=why))
    return agent


TICKET_COLUMNS = ("hash", "kind", "person", "created_at", "expires_at", "used_at", "via", "scope")


def ticket_columns(ticket: Ticket) -> Params:
    """The row of a ticket."""
    return {
        "hash": ticket.hash,
        "kind": ticket.kind,
        "person": ticket.person,
        "created_at": micros(ticket.created_at),
        "expires_at": micros(ticket.expires_at),
        "used_at": maybe_micros(ticket.used_at),
        "via": ticket.via,
        "scope": ticket.scope,
    }


def ticket_from(row: Row) -> Ticket:
    """A ticket from the columns of TICKET_COLUMNS."""
    kept: Mapping[str, Any] = dict(zip(TICKET_COLUMNS, row, strict=True))
    instants = {name: maybe_instant(kept[name]) for name in ("created_at", "expires_at", "used_at")}
    return Ticket(**(dict(kept) | instants))


def absence_columns(absence: Absence) -> Params:
    """The row of an absence."""
    return {"person": absence.person, "until": micros(absence.until), "by": absence.by}


def absence_from(row: Row) -> Absence:
    """An absence from its row."""
    person, until, by = row
    return Absence(person=person, until=instant(until), by=by)


def words_text(words: Mapping[str, str]) -> str:
    """A surface's own words as JSON."""
    return _WORDS.dump_json(dict(words)).decode()


def words_from(text: str) -> dict[str, str]:
    """What `words_text` made."""
    return _WORDS.validate_json(text)


def set_aside_record(why: str, at: datetime, until: datetime) -> Record:
    """What the log says of an alarm that could not be handled."""
    detail = {"why": why, "until": until.isoformat()}
    return Record(kind="timer.set_aside", at=at, actor="placet", detail=detail, public=False)


def numbered(review: Review, seq: int) -> Review:
    """The review with the number its row was given."""
    return replace(review, seq=seq)
