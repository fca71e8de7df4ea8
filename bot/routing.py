"""From a request to a proposal with its route: policy, catalogue, schema, people. No I/O of its own."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import wire
from bot.people import Directory
from policies import schemas
from policies.classify import classify, reclassify
from policies.hours import schedule
from policies.load import load_text
from policies.model import Classification, Policy, Recent
from reviews.errors import PlacetError
from reviews.keeping import Agent, Tx
from reviews.model import Need, Proposal, Reach, Request, Review, ReviewType, RiskLevel, Route, Schedule, Tier
from reviews.values import replace

#: However near an agent's deadline, the last person called has this long.
LAST_CALL = timedelta(seconds=30)
#: Sandbox keys are answered by a script, so their reviews need no people; expiry is soon.
SANDBOX = timedelta(seconds=10)


class PolicyMissing(PlacetError):
    """The policy this review was routed by is not kept here any more, so it cannot be routed anew. Ask anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A proposal ready to be decided on: its schedule, whom its rungs reach, and whether its sample was drawn."""

    proposal: Proposal
    schedule: Schedule
    reach: tuple[Reach, ...]
    drawn: bool = False
    violations: tuple[str, ...] = ()


class Router:
    """Routes requests by the policy in force, and revisions by the one they began under."""

    def __init__(self, policy: Policy, directory: Callable[[], Directory], key: bytes) -> None:
        self.policy = policy
        self._directory, self._key = directory, key
        self._kept: dict[str, Policy] = {_full_ref(policy): policy}

    def swap(self, policy: Policy) -> None:
        """Put another policy in force for new reviews."""
        self.policy = policy
        self._kept[_full_ref(policy)] = policy

    def first(self, tx: Tx, review_id: str, agent: Agent, request: Request, at: datetime) -> Routed:
        """Route a new review's request."""
        if agent.sandbox is not None:
            return self.sandbox(request, 1, at)
        policy = self.policy
        found = classify(
            policy,
            request,
            agent=agent.name,
            now=at,
            draw=self._draw(review_id),
            counters=self._counters(tx, policy, agent.name, request, at),
            key_scopes=frozenset(agent.scopes),
        )
        found = replace(found, route=_confirmable(found.route, policy, self._directory().resolve(agent.acts_for)))
        return self._routed(policy, found, request, 1, at, "agent")

    def again(self, tx: Tx, review: Review, request: Request, at: datetime, by: str) -> Routed:
        """Route another revision of a review under the policy version it began with; only ever stricter."""
        if review.sandbox:
            return self.sandbox(request, review.revision + 1, at)
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
        return self._routed(policy, found, request, review.revision + 1, at, by)

    def feedback(self, review: Review, at: datetime) -> Routed:
        """Route the look afterwards at a review whose sample was drawn."""
        policy = self.policy
        route = review.route
        needs = route.needs or policy.default.route.needs or (Need(level=1),)
        asked = replace(
            route,
            tier=Tier.APPROVE,
            needs=needs[:1],
            chain=route.chain or policy.default.route.chain,
            shadow=False,
            explanation="Drawn from what was let through, to see whether people agree.",
        )
        request = replace(review.request, review_type=ReviewType.FEEDBACK, callback_url=None, review_deadline=None)
        proposal = replace(review.proposal, request=request, route=asked)
        plan = schedule(asked, at, calendar=policy.calendar, review_deadline=None, minimum=LAST_CALL)
        return Routed(proposal=proposal, schedule=plan, reach=self._directory().reach(asked, at))

    def sandbox(self, request: Request, revision: int, at: datetime) -> Routed:
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
        return Routed(proposal=proposal, schedule=plan, reach=())

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

    def reach(self, review: Review, at: datetime) -> tuple[Reach, ...]:
        """Whom each rung of a review's chain reaches now."""
        return () if review.sandbox else self._directory().reach(review.route, at)

    def _routed(
        self, policy: Policy, found: Classification, request: Request, revision: int, at: datetime, by: str
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
        plan = schedule(
            found.route,
            at,
            calendar=policy.calendar,
            review_deadline=request.review_deadline,
            minimum=LAST_CALL,
        )
        reach = self._directory().reach(found.route, at)
        return Routed(proposal=proposal, schedule=plan, reach=reach, drawn=found.drawn, violations=found.violations)

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


def _confirmable(route: Route, policy: Policy, principal: str | None) -> Route:
    """A `confirm` nobody could give is asked of the policy's people: only the key says whom an agent acts for."""
    if route.tier is not Tier.CONFIRM or principal is not None:
        return route
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
