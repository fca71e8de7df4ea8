"""What agents and time do to reviews. Every change is one transaction: lock, decide, keep; then the hub is told.

People's side is `bot/desk.py`, which shares `Service.apply`.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot import wire
from bot.gate import Gate
from bot.hub import Hub
from bot.ids import review_id
from bot.people import Directory
from bot.routing import Routed, Router
from policies import schemas
from policies.errors import SchemaFault
from policies.model import Classification
from reviews.errors import Duplicate, NotFound, PlacetError
from reviews.events import (
    Deliver,
    Effect,
    Event,
    Message,
    Post,
    Record,
    Redeemed,
    Reported,
    Revised,
    Ticked,
    Transition,
    Withdrawn,
)
from reviews.keeping import Agent, Delivery, Query, Store, Tx
from reviews.lifecycle import decide, open_review
from reviews.model import Ladder, Object, Outcome, Request, Review, Status, Target
from reviews.ports import Clock
from reviews.values import replace

log = structlog.get_logger(__name__)

#: Reviews fired in one transaction, and how long one that cannot be handled is set aside.
FIRE_AT_ONCE = 200
ASIDE = timedelta(minutes=5)
#: The rung of copies no rung called for: nobody is escalated to where one of them cannot be posted.
COURTESY = -1


class KeyReused(PlacetError):
    """This Idempotency-Key was used before with another body. Use a new key for a new request."""


class TooManyOpen(PlacetError):
    """This agent has as many open reviews as it may. Wait for decisions, or withdraw what is no longer needed."""

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class AgentStopped(PlacetError):
    """This agent was stopped by a person; nothing it asks for can go on until it is resumed."""


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
        self._open: dict[str, tuple[datetime, int]] = {}
        self._asking: Counter[str] = Counter()

    # ---------------------------------------------------------------------------- agents

    async def submit(self, agent: Agent, body: Object, key: str | None, *, place: Target | None = None) -> Submitted:
        """Ask for a review. Its card also goes to `place`, where somebody asked, whomever the policy calls.

        Raises BadRequest, KeyReused, TooManyOpen, AgentStopped, StoreUnavailable.
        """
        print_ = wire.fingerprint(body)
        request = self._checked(agent, wire.request_of(body))
        if agent.stopped:
            raise AgentStopped(AgentStopped.__doc__)
        ahead = self._asking[agent.name]
        self._asking[agent.name] += 1
        try:
            await self._room_for(agent, key, ahead)
            return await self._ask(agent, request, key, print_, place)
        finally:
            self._asking[agent.name] -= 1

    async def _ask(
        self, agent: Agent, request: Request, key: str | None, print_: str, place: Target | None
    ) -> Submitted:
        kept: list[tuple[Review, tuple[Effect, ...]]] = []

        def ask(tx: Tx) -> Submitted:
            kept.clear()
            if key is not None and (found := tx.by_key(agent.name, key)):
                review, before = found
                if before != print_:
                    raise KeyReused(KeyReused.__doc__)
                return Submitted(review=review, replayed=True)
            at = tx.now()
            new_id = review_id(at)
            routed = self.router.first(tx, new_id, agent, request, at)
            review, effects = self._open_one(tx, agent, new_id, routed, at, key=key, fingerprint=print_, place=place)
            kept.append((review, effects))
            if routed.drawn and review.status is Status.APPROVED:
                look = self.router.feedback(review, at)
                kept.append(self._open_one(tx, agent, review_id(at), look, at, about=review.id))
            return Submitted(review=review)

        try:
            done = await self.store.tx(ask)
        except Duplicate:
            # Somebody with the same key was first by a hair: theirs is the answer.
            done = await self.store.tx(ask)
        for review, effects in kept:
            self.announce(review, effects)
        return done

    def _open_one(
        self,
        tx: Tx,
        agent: Agent,
        new_id: str,
        routed: Routed,
        at: datetime,
        *,
        key: str | None = None,
        fingerprint: str = "",
        about: str | None = None,
        place: Target | None = None,
    ) -> tuple[Review, tuple[Effect, ...]]:
        request = routed.proposal.request
        bare = Review(
            id=new_id,
            agent=agent.name,
            created_at=at,
            proposal=routed.proposal,
            ladder=Ladder(epoch=1, schedule=routed.schedule),
            original=request.action.arguments,
            owners=frozenset(agent.owners),
            principal=self.directory().resolve(agent.acts_for),
            named=self._named(request),
            about=about,
            sandbox=agent.sandbox is not None,
        )
        opened = open_review(bare, routed.reach)
        effects = opened.effects + tuple(
            Record(kind="request.violation", at=at, actor="policy", detail={"what": what}) for what in routed.violations
        )
        if place is not None:
            effects += (Post(target=place, epoch=1, rung=COURTESY),)
        review = tx.open(opened.review, effects, key=key, fingerprint=fingerprint)
        self._deliver(tx, review, effects, at)
        return review, effects

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
            before = replace(before, named=before.named | self._named(request))
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
        if found is None or found.agent != agent.name:
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
            self.announce(done.review, done.effects)
        return before, done

    def _named(self, request: Request) -> frozenset[str]:
        """Whom the agent says it acts for, if that is somebody here."""
        found = self.directory().resolve(request.on_behalf_of)
        return frozenset() if found is None else frozenset({found})

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

    async def _room_for(self, agent: Agent, key: str | None, ahead: int) -> None:
        """Refuse an agent that has too many open. Counted afresh every second; between, its own are added.

        `ahead` are its requests under way, which no count shows yet. What was asked before takes no more room.
        """
        now = self.clock.now()
        counted_at, open_ = self._open.get(agent.name, (datetime.min.replace(tzinfo=now.tzinfo), 0))
        if now - counted_at > timedelta(seconds=1) or open_ + 1 >= agent.max_open:
            counted_at = now
            theirs = Query(agent=agent.name, open_only=True)
            open_ = ahead + await self.store.view(lambda tx: tx.count(theirs, at_most=agent.max_open))
        if open_ >= agent.max_open:
            if key is not None and await self.store.view(lambda tx: tx.by_key(agent.name, key)) is not None:
                return
            text = f"{agent.name} has {open_} open reviews; at most {agent.max_open} are taken."
            raise TooManyOpen(text, retry_after=30)
        self._open[agent.name] = (counted_at, open_ + 1)

    # ---------------------------------------------------------------------------- what everybody shares

    def keep(self, tx: Tx, before: Review, event: Event) -> Transition:
        """Decide and keep, inside a transaction that has locked the review."""
        done = decide(before, event)
        tx.save(before, done.review, done.effects)
        self._deliver(tx, done.review, done.effects, event.at)
        return done

    async def apply(self, review: str, event: Callable[[Review, datetime], Event | None]) -> Transition | None:
        """Lock a review, let `event` be made for it, decide and keep. None: no such review, or nothing to do."""

        def locked(tx: Tx) -> Transition | None:
            before = tx.lock(review)
            made = event(before, tx.now()) if before is not None else None
            return self.keep(tx, before, made) if before is not None and made is not None else None

        done = await self.store.tx(locked)
        if done is not None:
            self.announce(done.review, done.effects)
        return done

    def announce(self, review: Review, effects: Sequence[Effect]) -> None:
        """Tell the hub and the metrics of a committed transition."""
        self._observe(review, effects)
        self.hub.announce(review, effects)

    def _deliver(self, tx: Tx, review: Review, effects: Sequence[Effect], at: datetime) -> None:
        """Freeze what the agent is told, in the transaction that decided it. The end's id is one for all time."""
        url = review.request.callback_url
        if url is None:
            return
        for effect in effects:
            if isinstance(effect, Deliver):
                once = effect.message is Message.DECIDED
                name = "decided" if once else f"{effect.message.value.rpartition('.')[2]}_{review.version}"
                delivery = Delivery(
                    id=f"msg_{review.id.removeprefix('rev_')}_{name}",
                    review=review.id,
                    agent=review.agent,
                    message=effect.message.value,
                    url=url,
                    body=wire.callback_body(effect.message, review, at, self.base_url),
                    state="due",
                    due_at=at,
                    created_at=at,
                )
                tx.add_delivery(delivery)

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
                    event = Ticked(at=at, epoch=review.ladder.epoch, reach=self.router.reach(review, at))
                    fired.append(self.keep(tx, review, event))
                except PlacetError as fault:
                    log.error("timer_set_aside", review=review.id, why=str(fault))
                    tx.set_aside(review.id, str(fault), at + ASIDE)
            return len(due)

        count = await self.store.tx(claim)
        for done in fired:
            self.announce(done.review, done.effects)
        return count


class Refused(PlacetError):
    """A change that was not made; `transition` says why and what stands."""

    def __init__(self, transition: Transition) -> None:
        super().__init__(transition.text)
        self.transition = transition
