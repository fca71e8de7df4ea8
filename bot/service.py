"""What agents and time do to reviews. Every change is one transaction: lock, decide, keep; then the hub is told.

People's side is `bot/desk.py`, which shares `Service.apply`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot import wire
from bot.backpressure import Backpressure
from bot.callbacks import freeze
from bot.gate import Gate
from bot.hub import Hub
from bot.linking import Linking, held_by, stop_of
from bot.people import Directory
from bot.routing import Router
from policies import schemas
from policies.errors import SchemaFault
from policies.model import Classification
from reviews.errors import Duplicate, NotFound, PlacetError
from reviews.events import (
    Answer,
    Answered,
    Approved,
    BrokenGlass,
    Edited,
    Effect,
    Event,
    Follow,
    Redeemed,
    Released,
    Reported,
    Revised,
    Ticked,
    Transition,
    Withdrawn,
)
from reviews.keeping import Agent, Stop, Store, Tx
from reviews.lifecycle import decide
from reviews.model import Object, Outcome, Relation, Request, Review, Status, Target
from reviews.ports import Clock
from reviews.values import replace

log = structlog.get_logger(__name__)

#: Reviews fired in one transaction, and how long one that cannot be handled is set aside.
FIRE_AT_ONCE = 200
ASIDE = timedelta(minutes=5)
#: What could come to a yes, which a stopped agent's review never hears.
_YES = (Approved, Edited, Answered, BrokenGlass, Revised, Redeemed)


class KeyReused(PlacetError):
    """This Idempotency-Key was used before with another body. Use a new key for a new request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A review asked for; `replayed` when the same key and body had made it before."""

    review: Review
    replayed: bool = False


class Service:
    """The one place where reviews change."""

    def __init__(
        self,
        store: Store,
        router: Router,
        directory: Callable[[], Directory],
        gate: Gate,
        hub: Hub,
        clock: Clock,
        base_url: str,
        observe: Callable[[Review, Sequence[Effect]], None] = lambda review, effects: None,
    ) -> None:
        self.store, self.router, self.gate, self.hub, self.clock = store, router, gate, hub, clock
        self.directory, self.base_url = directory, base_url
        self._observe = observe
        self._backpressure = Backpressure(store, clock)
        self._linking = Linking(router, base_url)

    # ---------------------------------------------------------------------------- agents

    async def submit(self, agent: Agent, body: Object, key: str | None, *, place: Target | None = None) -> Submitted:
        """Ask for a review. Its card also goes to `place`, where somebody asked, whomever the policy calls.

        What a stopped agent asks is kept and held. Raises BadRequest, KeyReused, TooManyOpen, StoreUnavailable.
        """
        fingerprint = wire.fingerprint(body)
        request = self._checked(agent, wire.request_of(body))
        asking = partial(self._ask, agent, request, key, fingerprint, place)
        return await self._backpressure.admitted(agent, key, asking)

    async def _ask(
        self, agent: Agent, request: Request, key: str | None, fingerprint: str, place: Target | None
    ) -> Submitted:
        def ask(tx: Tx) -> Submitted | Transition:
            if key is not None and (found := tx.by_key(agent.name, key)):
                review, before = found
                if before != fingerprint:
                    raise KeyReused(KeyReused.__doc__)
                return Submitted(review=review, replayed=True)
            return self._linking.asked(tx, agent, request, tx.now(), key=key, fingerprint=fingerprint, place=place)

        try:
            done = await self.store.tx(ask)
        except Duplicate:
            # Somebody with the same key was first by a hair: theirs is the answer.
            done = await self.store.tx(ask)
        if isinstance(done, Submitted):
            return done
        self.announce(done)
        return Submitted(review=done.review)

    async def explain(self, agent: Agent, body: Object) -> Classification:
        """What the policy would answer to a request; nothing is kept. Raises BadRequest."""
        request = self._checked(agent, wire.request_of(body))
        return await self.store.view(lambda tx: self.router.explain(tx, agent, request, tx.now()))

    async def revise(self, agent: Agent, review: str, body: Object) -> Submitted:
        """Propose anew. The same proposal again changes nothing. Raises as `submit`, and Refused by transition."""
        supersedes = body.get("supersedes")

        def propose(tx: Tx, before: Review, at: datetime) -> tuple[Review, Transition | None]:
            request = self._checked(agent, wire.request_of(body, previous=before.request))
            if wire.proposal_digests(request) == (before.proposal.digest, before.proposal.request_digest):
                return before, None
            if supersedes is not None and supersedes != before.revision:
                raise wire.BadRequest(
                    f"The review stands at revision {before.revision}.",
                    (wire.FieldFault(pointer="/supersedes", message=f"must be {before.revision}"),),
                    status=409,
                )
            routed = self.router.again(tx, before, request, at, "agent")
            before = replace(before, named=before.named | self.router.named(request))
            event = Revised(at=at, proposal=routed.proposal, schedule=routed.schedule, reach=routed.reach)
            return before, self.keep(tx, before, event)

        before, done = await self._own(agent, review, propose)
        if done is None:
            return Submitted(review=before, replayed=True)
        return Submitted(review=self._or_refused(done).review)

    async def withdraw(self, agent: Agent, review: str, reason: str | None) -> Review:
        """The agent no longer needs it. Raises Refused."""
        return await self._tell(agent, review, lambda at: Withdrawn(at=at, reason=reason))

    async def redeem(self, agent: Agent, review: str, digest: str, key: str | None) -> Review:
        """Turn an approval into the right to act, once. Raises Refused."""
        fresh = f"red_{secrets.token_hex(16)}"
        return await self._tell(agent, review, lambda at: Redeemed(at=at, digest=digest, redemption_id=fresh, key=key))

    async def report(self, agent: Agent, review: str, result: str, detail: str | None) -> Review:
        """Say how it went. Raises Refused."""
        return await self._tell(
            agent, review, lambda at: Reported(at=at, outcome=Outcome(result=result, at=at, detail=detail))
        )

    async def read(self, agent: Agent, review: str) -> Review:
        """One's own review. Raises NotFound."""
        found = await self.store.view(lambda tx: tx.read(review))
        if found is None or found.agent != agent.name or _unknown_to_agent(found):
            raise NotFound("You have no review of this id.")
        return found

    async def _tell(self, agent: Agent, review: str, event: Callable[[datetime], Event]) -> Review:
        def tell(tx: Tx, before: Review, at: datetime) -> tuple[Review, Transition | None]:
            return before, self.keep(tx, before, event(at))

        _, done = await self._own(agent, review, tell)
        assert done is not None
        return self._or_refused(done).review

    async def _own(
        self,
        agent: Agent,
        review: str,
        change: Callable[[Tx, Review, datetime], tuple[Review, Transition | None]],
    ) -> tuple[Review, Transition | None]:
        """Change one's own review in a transaction. Raises NotFound for another agent's."""

        def locked(tx: Tx) -> tuple[Review, Transition | None]:
            before = tx.lock(review)
            if before is None or before.agent != agent.name:
                raise NotFound("You have no review of this id.")
            return change(tx, before, tx.now())

        before, done = await self.store.tx(locked)
        if done is not None:
            self.announce(done)
        return before, done

    def _or_refused(self, done: Transition) -> Transition:
        if done.answer.value not in ("done", "same"):
            raise Refused(done)
        return done

    def _checked(self, agent: Agent, request: Request) -> Request:
        """The checks that need the house: where callbacks may go, and that an agent's schema is safe to use."""
        if request.callback_url is not None:
            fault = self.gate.refuses(request.callback_url, hosts=agent.hosts)
            if fault:
                raise wire.BadRequest(
                    "The request has faults.", (wire.FieldFault(pointer="/callback_url", message=fault),)
                )
        role = request.reviewer_role
        roles = self.directory().config.roles
        if role is not None and role not in roles and agent.sandbox is None:
            fault = f"no such role here; there are {', '.join(sorted(roles)) or 'none'}"
            raise wire.BadRequest(
                "The request has faults.", (wire.FieldFault(pointer="/reviewer_role", message=fault),)
            )
        if request.action.schema is not None:
            try:
                schemas.check(request.action.schema)
            except SchemaFault as unsafe:
                where = wire.FieldFault(pointer="/action/schema", message=str(unsafe))
                raise wire.BadRequest("The request has faults.", (where,)) from None
        return request

    # ---------------------------------------------------------------------------- what everybody shares

    def keep(self, tx: Tx, before: Review, event: Event) -> Transition:
        """Decide and keep, with the reviews that follow, inside a transaction that has locked the review.

        Whatever could come to a yes finds a stopped agent's review held, whether or not it is its turn yet.
        """
        stop = stop_of(tx, before.agent) if isinstance(event, _YES) else None
        halted = stop is not None and not before.held
        held = decide(before, held_by(stop, event.at)) if stop and halted else Transition(review=before)
        done = decide(held.review, event)
        effects = held.effects + done.effects + self._drawn(before, done.review, event)
        tx.save(before, done.review, effects)
        opened = self._linking.followed(tx, done.review, effects, event.at)
        freeze(tx, done.review, effects, event.at, self.base_url)
        done = replace(done, effects=effects, opened=opened)
        if stop is None or not done.review.held or done.answer not in (Answer.LOCKED, Answer.WHISPER):
            return done
        return replace(done, text=stopped_text(before.agent, stop))

    def _drawn(self, before: Review, after: Review, event: Event) -> tuple[Effect, ...]:
        """The look afterwards at what a stopped agent asked, where it is let through and drawn only now."""
        begun = isinstance(event, Released) and not before.started and after.status is Status.APPROVED
        return (Follow(relation=Relation.FEEDBACK),) if begun and self.router.drawn(after) else ()

    async def apply(self, review: str, event: Callable[[Review, datetime], Event | None]) -> Transition | None:
        """Lock a review, let `event` be made for it, decide and keep. None: no such review, or nothing to do."""

        def locked(tx: Tx) -> Transition | None:
            before = tx.lock(review)
            made = event(before, tx.now()) if before is not None else None
            return self.keep(tx, before, made) if before is not None and made is not None else None

        done = await self.store.tx(locked)
        if done is not None:
            self.announce(done)
        return done

    def announce(self, done: Transition) -> None:
        """Tell the hub and the metrics of a committed transition, and of the reviews that followed from it."""
        self._observe(done.review, done.effects)
        self.hub.announce(done.review, done.effects)
        for opened in done.opened:
            self.announce(opened)

    # ---------------------------------------------------------------------------- time

    async def fire(self) -> int:
        """Fire whatever is due, a batch in one transaction. How many there were."""
        fired: list[Transition] = []

        def claim(tx: Tx) -> int:
            fired.clear()
            at = tx.now()
            due = tx.due(at, FIRE_AT_ONCE)
            for review in due:
                try:
                    event = Ticked(at=at, epoch=review.ladder.epoch, reach=self.router.reach(review, at, tx=tx))
                    fired.append(self.keep(tx, review, event))
                except PlacetError as fault:
                    log.error("timer_set_aside", review=review.id, why=str(fault))
                    tx.set_aside(review.id, str(fault), at + ASIDE)
            return len(due)

        count = await self.store.tx(claim)
        for done in fired:
            self.announce(done)
        return count


def stopped_text(agent: str, stop: Stop) -> str:
    """What is said of anything a stopped agent cannot have now, to people and to the agent."""
    then = f" For its next plan: {stop.instruction}" if stop.instruction else ""
    return f"{agent} is stopped, so nothing it asked for can be granted until it is resumed. Why: {stop.reason}{then}"


def _unknown_to_agent(review: Review) -> bool:
    """Whether it is the look at a sample: an agent that knew which were drawn could behave for them alone."""
    return review.about is not None and review.relation is Relation.FEEDBACK


class Refused(PlacetError):
    """A change that was not made; `transition` says why and what stands."""

    def __init__(self, transition: Transition) -> None:
        super().__init__(transition.text)
        self.transition = transition
