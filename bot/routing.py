"""From a request to a proposal with its route: policy, catalogue, schema, people. No I/O of its own."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import following, wire
from bot.assigning import assigning
from bot.change_route import ACTION, guarded
from bot.people import Directory
from bot.reach import Assign
from policies import schemas
from policies.classify import classify, is_drawn, reclassify
from policies.hours import schedule
from policies.load import load_text
from policies.model import Classification, Policy, Recent
from reviews import eligibility
from reviews.errors import PlacetError
from reviews.events import Follow
from reviews.keeping import Agent, Tx
from reviews.model import (
    Need,
    Order,
    Person,
    Proposal,
    Reach,
    Request,
    Review,
    RiskLevel,
    Route,
    Schedule,
    Tier,
)
from reviews.values import replace, whole

#: However near an agent's deadline, the last person called has this long.
LAST_CALL = timedelta(seconds=30)
#: Sandbox keys are answered by a script, so their reviews need no people; expiry is soon.
SANDBOX = timedelta(seconds=10)
#: Where no rule samples there is nothing to draw; were it asked for all the same, it is drawn.
_DRAWN = 0.0


class PolicyMissing(PlacetError):
    """The policy this review was routed by is not kept here any more, so it cannot be routed anew. Ask anew."""


@whole
@dataclass(frozen=True, kw_only=True)
class Routed:
    """A proposal ready to be decided on: its schedule, whom its rungs reach, and whether its sample was drawn."""

    proposal: Proposal
    parties: Parties
    schedule: Schedule
    reach: tuple[Reach, ...]
    drawn: bool = False
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who stands too near a review to decide it (`Review`)."""

    owners: frozenset[str] = frozenset()
    principal: str | None = None
    named: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    @classmethod
    def of(cls, review: Review) -> Parties:
        """Those of a review there is."""
        return cls(owners=review.owners, principal=review.principal, named=review.named, excluded=review.excluded)

    def barred(self, route: Route, people: Iterable[Person]) -> frozenset[str]:
        """Who may not decide whatever they hold (`reviews.eligibility`), so that calling them would call nobody."""
        barred = self.named
        if self.principal is not None:
            barred = barred - {self.principal} if route.tier is Tier.CONFIRM else barred | {self.principal}
        if route.risk is not RiskLevel.LOW:
            barred |= self.owners
        if route.scopes:
            barred |= {person.id for person in people if route.scopes - person.scopes}
        return barred | self.excluded


#: Where nobody need be left out.
_NOBODY = Parties()


class Router:
    """Routes requests by the policy in force, and revisions by the one they began under."""

    def __init__(self, policy: Policy, directory: Callable[[], Directory], key: bytes) -> None:
        self._directory, self._key = directory, key
        self._kept: dict[str, Policy] = {}
        self.swap(policy)

    def swap(self, policy: Policy) -> None:
        """Put another policy in force for new reviews."""
        self._in_force = policy, any(rule.route.tier is Tier.SAMPLE for rule in (*policy.rules, policy.default))
        self._kept[_full_ref(policy)] = policy

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._in_force[0]

    def first(self, tx: Tx, review_id: str, agent: Agent, request: Request, at: datetime) -> Routed:
        """Route a new review's request; `review_id` is empty for one that is not to be kept."""
        principal = self._directory().resolve(agent.acts_for)
        parties = Parties(owners=frozenset(agent.owners), principal=principal, named=self.named(request))
        if agent.sandbox is not None:
            return self.sandbox(request, 1, at, parties)
        policy, samples = self._in_force
        found = classify(
            policy,
            request,
            agent=agent.name,
            now=at,
            draw=self._draw(review_id) if samples else _DRAWN,
            counters=self._counters(tx, policy, agent.name, request, at),
            key_scopes=frozenset(agent.scopes),
        )
        if found.tier is Tier.CONFIRM and principal is None:
            found = replace(found, route=_unconfirmed(found.route, policy))
        if request.action.name == ACTION:
            found = replace(found, route=guarded(found.route, policy, self._directory().config))
        reach = self._whom(assigning(tx) if review_id else None, parties, found.route, at)
        return self._routed(policy, found, request, parties, reach, at)

    def again(self, tx: Tx, review: Review, request: Request, at: datetime, by: str) -> Routed:
        """Route another revision of a review under the policy version it began with; only ever stricter."""
        if review.sandbox:
            return self.sandbox(request, review.revision + 1, at, Parties.of(review))
        policy = self._frozen(tx, review.proposal.policy)
        found = reclassify(
            policy,
            request,
            review.route,
            agent=review.agent,
            now=at,
            draw=self._draw(review.id),
            counters=self._counters(tx, policy, review.agent, request, at, besides=review.created_at),
            key_scopes=review.route.scopes,
        )
        parties = Parties.of(review)
        parties = replace(parties, named=parties.named | self.named(request))
        reach = self._whom(assigning(tx), parties, found.route, at, assigned=review.assigned)
        return self._routed(policy, found, request, parties, reach, at, revision=review.revision + 1, by=by)

    def linked(self, tx: Tx, review: Review, follow: Follow, at: datetime) -> Routed:
        """Route the review that follows from one: a look afterwards, an appeal, an account of broken glass."""
        parties = replace(Parties.of(review), excluded=follow.excluded)
        if review.sandbox:
            return self.sandbox(review.request, 1, at, parties)
        route = following.route(review, follow, self.policy.default.route)
        request = following.request(review, follow, at)
        digest, request_digest = wire.proposal_digests(request)
        proposal = replace(
            review.proposal, revision=1, request=request, route=route, digest=digest, request_digest=request_digest
        )
        return Routed(
            proposal=proposal,
            parties=parties,
            schedule=self._schedule(self.policy, route, request, at),
            reach=self._whom(assigning(tx), parties, route, at),
        )

    def sandbox(self, request: Request, revision: int, at: datetime, parties: Parties = _NOBODY) -> Routed:
        """Route a sandbox key's request: to the script alone, never by a real policy."""
        digest, request_digest = wire.proposal_digests(request)
        route = Route(
            tier=Tier.APPROVE,
            needs=(Need(role="sandbox"),),
            sla=SANDBOX,
            schema=request.action.schema,
            risk=RiskLevel.LOW,
            rule="sandbox",
            explanation="A sandbox key: a script answers, and no person sees it.",
        )
        proposal = Proposal(
            revision=revision,
            request=request,
            route=route,
            digest=digest,
            request_digest=request_digest,
            policy="sandbox@1",
        )
        plan = Schedule(rungs=(), deadline_at=at + SANDBOX)
        return Routed(proposal=proposal, parties=parties, schedule=plan, reach=())

    def explain(self, tx: Tx, agent: Agent, request: Request, at: datetime) -> Classification:
        """What the policy would answer; nothing is kept."""
        return classify(
            self.policy,
            request,
            agent=agent.name,
            now=at,
            draw=0.0,
            counters=self._counters(tx, self.policy, agent.name, request, at),
            key_scopes=frozenset(agent.scopes),
        )

    def reach(
        self, review: Review, at: datetime, *, approving: Person | None = None, tx: Tx | None = None
    ) -> tuple[Reach, ...]:
        """Whom each rung of a review's chain reaches now; where `approving` is about to approve, whom it will then.

        Within a transaction it may be given to one of those who are needed.
        """
        if review.sandbox:
            return ()
        assign = assigning(tx) if tx is not None and not review.assigned else None
        needs = eligibility.coming(review, approving)
        return self._whom(assign, Parties.of(review), review.route, at, needs=needs)

    def drawn(self, review: Review) -> bool:
        """Whether a review that was let through is looked at afterwards."""
        return is_drawn(review.route, self._draw(review.id))

    def schedule(self, review: Review, at: datetime) -> Schedule:
        """The instants of a review that sets out only now, by its own policy where that is known, else today's."""
        if review.sandbox:
            return Schedule(rungs=(), deadline_at=at + SANDBOX)
        policy = self._kept.get(review.proposal.policy, self.policy)
        return self._schedule(policy, review.route, review.request, at)

    def named(self, request: Request) -> frozenset[str]:
        """Whom the agent says it acts for, if that is somebody here."""
        found = self._directory().resolve(request.on_behalf_of)
        return frozenset() if found is None else frozenset({found})

    def _whom(
        self,
        assign: Assign | None,
        parties: Parties,
        route: Route,
        at: datetime,
        *,
        assigned: tuple[str, ...] = (),
        needs: tuple[Need, ...] | None = None,
    ) -> tuple[Reach, ...]:
        """Whom a route reaches; `needs` are the slots that come now, those of its beginning where it is None."""
        directory = self._directory()
        first = route.order is Order.SEQUENCE and route.tier is not Tier.CONFIRM
        return directory.reach(
            route,
            at,
            besides=parties.barred(route, directory.people()),
            assign=assign,
            assigned=assigned,
            needs=(route.needs[:1] if first else route.needs) if needs is None else needs,
            principal=parties.principal,
        )

    @staticmethod
    def _schedule(policy: Policy, route: Route, request: Request, at: datetime) -> Schedule:
        deadline = request.review_deadline
        return schedule(route, at, calendar=policy.calendar, review_deadline=deadline, minimum=LAST_CALL)

    def _routed(
        self,
        policy: Policy,
        found: Classification,
        request: Request,
        parties: Parties,
        reach: tuple[Reach, ...],
        at: datetime,
        *,
        revision: int = 1,
        by: str = "agent",
    ) -> Routed:
        digest, request_digest = wire.proposal_digests(request)
        _check_arguments(found, request)
        proposal = Proposal(
            revision=revision,
            request=request,
            route=found.route,
            digest=digest,
            request_digest=request_digest,
            policy=_full_ref(policy),
            proposed_by=by,
            trace=found.trace,
        )
        return Routed(
            proposal=proposal,
            parties=parties,
            schedule=self._schedule(policy, found.route, request, at),
            reach=reach,
            drawn=found.drawn,
            violations=found.violations,
        )

    def _draw(self, review_id: str) -> float:
        """A number in [0, 1) no agent can foresee: an HMAC of the review's id."""
        mac = hmac.digest(self._key, review_id.encode(), "sha256")
        return int.from_bytes(mac[:7], "big") / 2**56

    def _counters(
        self, tx: Tx, policy: Policy, agent: str, request: Request, at: datetime, *, besides: datetime | None = None
    ) -> Recent:
        """What this agent asked of this subject before; `besides` is the instant of the review asked anew."""
        if policy.longest is None:
            return Recent(now=at)
        rows = tx.recent(agent, request.subject, at - policy.longest)
        return Recent(now=at, rows=tuple(row for row in rows if row[0] != besides))

    def _frozen(self, tx: Tx, ref: str) -> Policy:
        if ref not in self._kept:
            text = tx.policy_text(ref.partition("#sha256:")[2])
            if text is None:
                raise PolicyMissing(PolicyMissing.__doc__)
            self._kept[ref] = load_text(text, name=ref)
        return self._kept[ref]


def _unconfirmed(route: Route, policy: Policy) -> Route:
    """A `confirm` nobody could give is asked of the policy's people: only the key says whom an agent acts for."""
    why = "It should be confirmed by the person acted for, but this key acts for nobody known here."
    return replace(route, tier=Tier.APPROVE, needs=route.needs or policy.fallback.needs, explanation=why)


def _full_ref(policy: Policy) -> str:
    """What a proposal keeps of its policy: the whole hash, under which the text can be found again."""
    return f"{policy.name}@{policy.version}#sha256:{policy.sha256}"


def _check_arguments(found: Classification, request: Request) -> None:
    """Refuse arguments that break their schema. Raises wire.BadRequest."""
    schema = found.route.schema
    if schema is None:
        return
    faults = schemas.faults(schema, request.action.arguments)
    if faults:
        raise wire.BadRequest(
            "The arguments break the action's schema.",
            tuple(wire.FieldFault(pointer=f"/action/arguments{p}", message=m) for p, m in faults.items()),
        )
