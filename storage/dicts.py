"""The transaction over plain dicts: every write notes how to undo it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import assert_never

from reviews.errors import Duplicate, PolicyConflict, StoreUnavailable
from reviews.events import Cast, Deliver, Effect, Follow, Post, Rang, Record, Refresh
from reviews.keeping import Absence, Agent, Query, Ticket
from reviews.lifecycle import next_alarm, priority
from reviews.model import Object, Review
from reviews.ports import Backlog
from reviews.values import replace
from storage import rows, rows_outbound
from storage.dicts_outbound import DictsOutbound
from storage.registry import summary
from storage.shelf import Asked, Wanted


class MemoryTx(DictsOutbound):
    """`Tx` on dicts."""

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
        self._put(self._data.reviews, review.id, Asked(kept, key, fingerprint, next_alarm(kept)))
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
        asked = (a.review for a in self._data.reviews.values())
        mine = (review for review in asked if review.agent == agent and review.about is None)
        return [
            (review.created_at, review.route.amount)
            for review in mine
            if review.created_at >= since and (subject is None or subject == review.request.subject)
        ]

    def backlog(self) -> list[Backlog]:
        """What is open waits for each role and level: how many, since when; none held, none of a sandbox."""
        asked = (a.review for a in self._data.reviews.values())
        waiting = (r for r in asked if not (r.status.over or r.held or r.sandbox))
        return rows.backlog(("\n".join(rows.needs(r)), 1, rows.micros(r.created_at)) for r in waiting)

    def pace(self, agent: str, since: datetime) -> int:
        """How many of an agent's reviews have ended since then."""
        ends = (a.review.decision for a in self._data.reviews.values() if a.review.agent == agent)
        return sum(1 for end in ends if end is not None and end.decided_at >= since)

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
                and not (query.live and review.status.over and asked.due_at is None)
                and query.held in (None, review.held)
                and not (query.asked and review.about is not None)
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
                    copy = rows_outbound.new_copy(review, effect, self.now())
                    self._put(self._data.copies, copy.id, Wanted(copy, self.now()))
                case Refresh():
                    self._refresh(review)
                case Deliver() | Follow():
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

    # ------------------------------------------------------------------------------------------ the house

    def put_agent(self, agent: Agent) -> None:
        """Keep an agent, new or changed."""
        self._put(self._data.agents, agent.name, agent)

    def agents(self) -> list[Agent]:
        """Every agent."""
        return [self._data.agents[name] for name in sorted(self._data.agents)]

    def agent(self, name: str, *, change: bool = False) -> Agent | None:
        """One agent as it stands now."""
        return self._data.agents.get(name)

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket, new or changed."""
        self._put(self._data.tickets, ticket.hash, ticket)

    def ticket(self, hash: str) -> Ticket | None:
        """Read a ticket by the hash of its secret."""
        return self._data.tickets.get(hash)

    def once(self, key: str, *, within: timedelta | None = None) -> bool:
        """Whether this is the first time, or the first within so long. Kept with the transaction."""
        came = self._data.seen.get(key)
        if came is not None and (within is None or came > self.now() - within):
            return False
        self._put(self._data.seen, key, self.now())
        return True

    def forget_once(self, before: datetime) -> None:
        """Forget keys older than this."""
        for key in [key for key, at in self._data.seen.items() if at < before]:
            self._drop(self._data.seen, key)

    def put_absence(self, absence: Absence) -> None:
        """Keep that a person is away; an `until` that has passed ends it."""
        if absence.until > self.now():
            self._put(self._data.absences, absence.person, absence)
        else:
            self._drop(self._data.absences, absence.person)

    def absences(self) -> list[Absence]:
        """Who is away now, by person."""
        kept = self._data.absences
        return [kept[person] for person in sorted(kept) if kept[person].until > self.now()]

    def put_reference(self, surface: str, key: str, fields: Mapping[str, str]) -> None:
        """Keep where a surface reaches somebody or some place."""
        self._put(self._data.references, (surface, key), dict(fields))

    def reference(self, surface: str, key: str, *, change: bool = False) -> dict[str, str] | None:
        """What was kept so."""
        found = self._data.references.get((surface, key))
        return None if found is None else dict(found)

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
