"""The transaction over plain dicts: every write notes how to undo it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, assert_never

from reviews.errors import Duplicate, NotFound, PolicyConflict, StoreUnavailable
from reviews.events import Cast, Deliver, Effect, Post, Rang, Record, Refresh
from reviews.lifecycle import next_alarm, priority
from reviews.model import Object, Review, Vote
from reviews.ports import Agent, Clock, Copy, Delivery, Entry, Query, Ticket
from reviews.values import replace
from storage import audit, rows
from storage.registry import summary

_GONE: Any = object()


@dataclass(slots=True)
class _Asked:
    """A review and what only the store knows of it. `due_at` is when its alarm rings."""

    review: Review
    key: str | None
    fingerprint: str
    due_at: datetime | None


@dataclass(slots=True)
class _Wanted:
    """A copy and its times of work."""

    copy: Copy
    due_at: datetime | None
    leased: datetime | None = None


@dataclass(slots=True)
class Data:
    """The tables. Values are replaced, never changed in place."""

    reviews: dict[str, _Asked] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    revisions: dict[str, tuple[Object, ...]] = field(default_factory=dict)
    votes: dict[tuple[str, int, str], Vote] = field(default_factory=dict)
    rungs: dict[tuple[str, int, int], datetime] = field(default_factory=dict)
    copies: dict[str, _Wanted] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    log: dict[int, Entry] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    policies: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)


class MemoryTx:
    """`Tx` on dicts. `undo` takes back what it wrote."""

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
                del table[key]
            else:
                table[key] = value

    def _put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        if not self._writes:
            raise StoreUnavailable("Nothing can be written in a view.")
        self._before.append((table, key, table.get(key, _GONE)))
        table[key] = value

    def now(self) -> datetime:
        """The transaction's instant."""
        if self._now is None:
            self._now = self._clock.now()
        return self._now

    # ------------------------------------------------------------------------------------------ reviews

    def open(self, review: Review, effects: Sequence[Effect], *, key: str | None, fingerprint: str) -> Review:
        """Keep a new review with its effects. Returns it with its `seq`. Raises Duplicate for a key in use."""
        if review.original != review.request.action.arguments:
            raise ValueError("a review is opened with its first arguments as `original`")
        if review.id in self._data.reviews or (key is not None and (review.agent, key) in self._data.keys):
            raise Duplicate(f"{review.agent} has asked under this idempotency key before.")
        kept = replace(review, seq=len(self._data.reviews) + 1)
        if key is not None:
            self._put(self._data.keys, (review.agent, key), review.id)
        self._put(self._data.reviews, review.id, _Asked(kept, key, fingerprint, next_alarm(kept)))
        self._add_revision(kept, kept.created_at)
        self._follow(kept, effects)
        return kept

    def by_key(self, agent: str, key: str) -> tuple[Review, str] | None:
        """The review this agent asked for under this idempotency key, and the fingerprint it had then."""
        found = self._data.keys.get((agent, key))
        if found is None:
            return None
        asked = self._data.reviews[found]
        return asked.review, asked.fingerprint

    def lock(self, review_id: str) -> Review | None:
        """Read a review; nothing else runs meanwhile."""
        return self.read(review_id)

    def read(self, review_id: str) -> Review | None:
        """Read a review."""
        asked = self._data.reviews.get(review_id)
        return None if asked is None else asked.review

    def save(self, before: Review, after: Review, effects: Sequence[Effect]) -> None:
        """Keep a transition. Raises StoreUnavailable when the review is no longer as it was read."""
        if after is not before:
            asked = self._data.reviews.get(before.id)
            if asked is None or asked.review.version != before.version:
                raise StoreUnavailable(f"{before.id} was changed by somebody else meanwhile. Read it and try again.")
            self._put(self._data.reviews, before.id, replace(asked, review=after, due_at=next_alarm(after)))
            if after.revision > before.revision:
                self._add_revision(after, self.now())
        self._follow(after, effects)

    def find(self, query: Query) -> list[Review]:
        """List reviews."""
        found = list(self._matching(query))
        match query.order:
            case "newest":
                found.sort(key=lambda review: -review.seq)
            case "oldest":
                found.sort(key=lambda review: review.seq)
            case "priority":
                found.sort(key=lambda review: (-priority(review), review.seq))
            case other:
                raise KeyError(other)
        return found[query.offset : query.offset + query.limit]

    def count(self, query: Query, *, at_most: int | None = None) -> int:
        """How many a query would list without its limit; counting ends at `at_most`."""
        return sum(1 for _ in islice(self._matching(query), at_most))

    def revisions(self, review_id: str) -> list[Object]:
        """Every revision kept, oldest first."""
        return list(self._data.revisions.get(review_id, ()))

    def recent(self, agent: str, subject: str | None, since: datetime) -> list[tuple[datetime, float | None]]:
        """Instants and amounts of this agent's reviews of this subject since then; of any subject for None."""
        mine = (a.review for a in self._data.reviews.values() if a.review.agent == agent)
        return [
            (review.created_at, review.route.amount)
            for review in mine
            if review.created_at >= since and (subject is None or subject == review.request.subject)
        ]

    def due(self, now: datetime, limit: int) -> list[Review]:
        """Reviews whose alarm is due, the longest overdue first."""
        waiting = [(a.due_at, a.review) for a in self._data.reviews.values() if a.due_at is not None]
        ringing = sorted(((at, review) for at, review in waiting if at <= now), key=lambda pair: pair[0])
        return [review for _, review in ringing[:limit]]

    def next_due(self) -> datetime | None:
        """When the earliest alarm rings."""
        return min((a.due_at for a in self._data.reviews.values() if a.due_at is not None), default=None)

    def set_aside(self, review_id: str, why: str, until: datetime) -> None:
        """Keep a review whose alarm could not be handled from ringing again before `until`; the log says why."""
        if (asked := self._data.reviews.get(review_id)) is not None:
            self._put(self._data.reviews, review_id, replace(asked, due_at=until))
        self.record(rows.set_aside_record(why, self.now(), until), review_id)

    def _matching(self, query: Query) -> Iterable[Review]:
        wanted = rows.wanted_audience(query)
        request = (query.action, query.subject)
        for asked in self._data.reviews.values():
            review = asked.review
            mine = (review.request.action.name, review.request.subject)
            if (
                query.agent in (None, review.agent)
                and (not query.statuses or review.status in query.statuses)
                and all(ask in (None, has) for ask, has in zip(request, mine, strict=True))
                and not (query.open_only and review.status.over)
                and (query.before_seq is None or review.seq < query.before_seq)
                and (wanted is None or not rows.audience(review).isdisjoint(wanted))
            ):
                yield review

    def _add_revision(self, review: Review, at: datetime) -> None:
        made = rows.revision_columns(review, at)
        kept = rows.revision_object(made["revision"], made["proposal"], made["at"])
        self._put(self._data.revisions, review.id, (*self._data.revisions.get(review.id, ()), kept))

    def _follow(self, review: Review, effects: Sequence[Effect]) -> None:
        for effect in sorted(effects, key=lambda effect: isinstance(effect, Post)):
            match effect:
                case Record():
                    self.record(effect, review.id)
                case Cast():
                    self._cast(review, effect)
                case Rang():
                    self._ring(review, effect)
                case Post():
                    copy = rows.new_copy(review, effect, self.now())
                    self._put(self._data.copies, copy.id, _Wanted(copy, self.now()))
                case Refresh():
                    self._refresh(review)
                case Deliver():
                    pass
                case _:
                    assert_never(effect)

    def _cast(self, review: Review, cast: Cast) -> None:
        key = (review.id, cast.vote.revision, cast.vote.person)
        if key in self._data.votes and not cast.again:
            raise Duplicate(f"{cast.vote.name} has voted on this revision already.")
        self._put(self._data.votes, key, cast.vote)

    def _ring(self, review: Review, rang: Rang) -> None:
        key = (review.id, rang.epoch, rang.rung)
        if key in self._data.rungs:
            raise Duplicate(f"Rung {rang.rung} of run {rang.epoch} has fired already.")
        self._put(self._data.rungs, key, rang.at)

    # ------------------------------------------------------------------------------------------ copies

    def claim_copies(self, now: datetime, lease_until: datetime, limit: int) -> list[Copy]:
        """Claim copies that are due, one at a time of a review at a place, each given with the state it had."""
        busy = {_place(w.copy) for w in self._data.copies.values() if w.leased is not None and w.leased > now}
        due = [(w.due_at, w.copy) for w in self._data.copies.values() if w.due_at is not None]
        claimed: list[Copy] = []
        for at, copy in sorted(due, key=lambda pair: (pair[0], pair[1].id)):
            if at <= now and _place(copy) not in busy and len(claimed) < limit:
                busy.add(_place(copy))
                claimed.append(copy)
                taken = replace(copy, state="posting") if copy.state == "new" else copy
                self._put(self._data.copies, copy.id, _Wanted(taken, lease_until, lease_until))
        return claimed

    def keep_copy(self, copy: Copy, due_at: datetime | None) -> None:
        """Keep what came of a copy and end its lease; what was wanted meanwhile is not forgotten. Raises NotFound."""
        row = self._data.copies.get(copy.id)
        if row is None:
            raise NotFound(f"There is no copy {copy.id}.")
        wanted = max(copy.wanted, row.copy.wanted)
        due = rows.copy_due(copy, wanted, due_at, self.now())
        self._put(self._data.copies, copy.id, _Wanted(replace(copy, wanted=wanted), due))

    def copy(self, copy_id: str) -> Copy | None:
        """Read one copy."""
        row = self._data.copies.get(copy_id)
        return None if row is None else row.copy

    def copies(self, review_id: str) -> list[Copy]:
        """All copies of a review, oldest first."""
        mine = (row.copy for row in self._data.copies.values() if row.copy.review == review_id)
        return sorted(mine, key=lambda copy: (copy.created_at, copy.id))

    def _refresh(self, review: Review) -> None:
        for key, row in list(self._data.copies.items()):
            if row.copy.review == review.id and row.copy.state != "failed":
                due = row.due_at
                if rows.redrawable(row.copy) and row.copy.shown < review.version:
                    due = self.now() if row.leased is None else max(self.now(), row.leased)
                self._put(self._data.copies, key, _Wanted(replace(row.copy, wanted=review.version), due, row.leased))

    # ------------------------------------------------------------------------------------------ deliveries

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a message to an agent. Raises Duplicate for an id in use."""
        if delivery.id in self._data.deliveries:
            raise Duplicate(f"There is a delivery {delivery.id} already.")
        self._put(self._data.deliveries, delivery.id, delivery)

    def claim_deliveries(self, now: datetime, lease_until: datetime, limit: int) -> list[Delivery]:
        """Claim deliveries that are due until the lease ends, the agents in turns. Given as they were."""
        due = [d for d in self._data.deliveries.values() if d.state == "due" and d.due_at <= now]
        turns: dict[str, int] = {}
        queue: list[tuple[int, datetime, Delivery]] = []
        for delivery in sorted(due, key=lambda d: d.due_at):
            turns[delivery.agent] = turn = turns.get(delivery.agent, 0) + 1
            queue.append((turn, delivery.due_at, delivery))
        claimed = [delivery for *_, delivery in sorted(queue, key=lambda line: line[:2])[:limit]]
        for delivery in claimed:
            self._put(self._data.deliveries, delivery.id, replace(delivery, due_at=lease_until))
        return claimed

    def keep_delivery(self, delivery: Delivery) -> None:
        """Keep what came of a delivery. Raises NotFound."""
        if delivery.id not in self._data.deliveries:
            raise NotFound(f"There is no delivery {delivery.id}.")
        self._put(self._data.deliveries, delivery.id, delivery)

    def deliveries(self, *, review: str | None = None, state: str | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        newest = reversed(self._data.deliveries.values())
        return [d for d in newest if review in (None, d.review) and state in (None, d.state)][:limit]

    def next_outbound(self) -> datetime | None:
        """When the next copy or delivery is due; one under work, when its lease ends."""
        now, rows_ = self.now(), self._data.copies.values()
        leased = {_place(w.copy): w.copy.id for w in rows_ if w.leased is not None and w.leased > now}
        copies = [w.due_at for w in rows_ if w.due_at and leased.get(_place(w.copy), w.copy.id) == w.copy.id]
        return min([*copies, *(d.due_at for d in self._data.deliveries.values() if d.state == "due")], default=None)

    # ------------------------------------------------------------------------------------------ the log, the house

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

    def put_agent(self, agent: Agent) -> None:
        """Keep an agent, new or changed."""
        self._put(self._data.agents, agent.name, agent)

    def agents(self) -> list[Agent]:
        """Every agent."""
        return [self._data.agents[name] for name in sorted(self._data.agents)]

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket, new or changed."""
        self._put(self._data.tickets, ticket.hash, ticket)

    def ticket(self, hash: str) -> Ticket | None:
        """Read a ticket by the hash of its secret."""
        return self._data.tickets.get(hash)

    def put_policy(self, name: str, version: int, sha256: str, text: str, at: datetime) -> None:
        """Keep a loaded text. Raises PolicyConflict when this name and version had another text."""
        if self._data.policies.get((name, version), (sha256,))[0] != sha256:
            raise PolicyConflict(
                f"Policy {name} version {version} was loaded before with another text. Raise `version` in the file."
            )
        self._put(self._data.policies, (name, version), (sha256, text))

    def policy_text(self, sha256: str) -> str | None:
        """A kept policy text by its hash."""
        return next((text for digest, text in self._data.policies.values() if digest == sha256), None)

    def stats(self, since: datetime) -> list[Object]:
        """Per rule, over reviews asked for since then: counts of ends, and seconds from ask to decision."""
        asked = (a.review for a in self._data.reviews.values())
        kept = (rows.review_columns(r) | {"at": r.created_at} for r in asked if r.created_at >= since and not r.sandbox)
        return summary((c["rule"], c["status"], rows.micros(c["at"]), c["ended_at"]) for c in kept)


def _place(copy: Copy) -> tuple[str, str, str]:
    return copy.review, copy.target.surface, copy.target.address
