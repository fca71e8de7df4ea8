"""A request and a policy in, a route out. Pure: time, chance and counters are arguments.

Fail closed. A condition that fails or is no boolean never grants `auto`, `sample` or `confirm`: such a rule is
skipped. Any other failing rule is kept, evaluation goes on, and the stricter of its route and the route found
holds. After any failure a person is asked at least. A failing weight means drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from policies.conditions import Failure, Scope
from policies.facts import Facts, gather, is_amount, shown, visible
from policies.model import Classification, Counters, Policy, Rule
from policies.routes import SENTENCES
from policies.tighten import Step, heed, settle, stricter
from reviews.model import Object, Request, Route, Tier
from reviews.values import replace

_SKIPPED = (Tier.AUTO, Tier.SAMPLE, Tier.CONFIRM)


def classify(
    policy: Policy,
    request: Request,
    *,
    agent: str,
    now: datetime,
    draw: float,
    counters: Counters,
    key_scopes: frozenset[str] = frozenset(),
) -> Classification:
    """What the policy answers. `agent` is the key's id; `draw` is 0 ≤ draw < 1; `counters` leave this request out."""
    facts = gather(policy, request)
    values = visible(policy, request, facts, agent, now)
    scope = Scope(values, {"count": _count(counters), "sum": _sum(counters)})
    run = _Run(policy=policy, facts=facts, scope=scope, scopes=key_scopes.union(request.scopes))
    found = run.first_match(request.action.name)
    route = run.held(found)
    route, steps = settle(route, policy.fallback, failed=bool(run.failures))
    route, wished = heed(route, request, policy.fallback, None if policy.known is None else policy.known.roles)
    steps = [*run.steps, *steps, *wished]
    sentence = _sentence(route, found, steps)
    if sentence != route.explanation:
        route = replace(route, explanation=sentence)
    drawn = is_drawn(route, draw)
    return Classification(
        route=route,
        trace=(_opening(request, run, values, now), *run.trace(found), *map(_as_step, steps), _ending(route, drawn)),
        policy=policy.ref,
        drawn=drawn,
        violations=(*run.failures, *(f"{step.what}: {step.why}" for step in wished if step.violation)),
    )


def reclassify(
    policy: Policy,
    request: Request,
    previous: Route,
    *,
    agent: str,
    now: datetime,
    draw: float,
    counters: Counters,
    key_scopes: frozenset[str] = frozenset(),
) -> Classification:
    """Classify a new revision; its route is at least as strict as the previous one's."""
    fresh = classify(policy, request, agent=agent, now=now, draw=draw, counters=counters, key_scopes=key_scopes)
    joint = replace(stricter(previous, fresh.route), amount=fresh.route.amount, listed=fresh.route.listed)
    drawn = is_drawn(joint, draw)
    step = Step(f"{fresh.route.tier} and {previous.tier} → {joint.tier}", "a new revision only gets stricter")
    trace = (*fresh.trace[:-1], _as_step(step), _ending(joint, drawn))
    return replace(fresh, route=joint, trace=trace, drawn=drawn)


def _sentence(route: Route, found: Rule, steps: list[Step]) -> str:
    """The sentence shown to people: the rule's own, unless something else made the route what it is."""
    if route.tier is found.route.tier and route.rule == found.name:
        return route.explanation
    why = "; ".join(dict.fromkeys(step.why for step in steps if not step.violation))
    told = f"{SENTENCES[route.tier]}: {why}."
    return told[0].upper() + told[1:] if why else route.explanation


def is_drawn(route: Route, draw: float) -> bool:
    """Whether a sampled request is looked at afterwards, by 0 ≤ `draw` < 1. What is no number is drawn."""
    return route.tier is Tier.SAMPLE and route.p is not None and not draw >= route.p


def _count(counters: Counters) -> Callable[[timedelta], int]:
    return lambda window: int(counters.count(window.total_seconds())) + 1


def _sum(counters: Counters) -> Callable[[float | None, timedelta], float]:
    def total(amount: float | None, window: timedelta) -> float:
        if amount is None:
            raise ValueError("this request has no amount")
        return float(counters.sum(window.total_seconds())) + amount

    return total


# ---------------------------------------------------------------------------------------------- the run


@dataclass(slots=True, kw_only=True)
class _Run:
    """One pass over the rules, and what it left behind. `passed` counts the rules before the one found."""

    policy: Policy
    facts: Facts
    scope: Scope
    scopes: frozenset[str]
    passed: int = 0
    steps: list[Step] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    failed: dict[int, Object] = field(default_factory=dict)

    def first_match(self, action: str) -> Rule:
        """The first rule that matches, else the default."""
        self.failures += self.facts.faults
        rules = self.policy.rules
        for place, when in self.policy.lookup.candidates(action):
            outcome = self.scope.evaluate(when)
            if outcome is True:
                self.passed = place
                return rules[place]
            if outcome is not False:
                self._failed(place, outcome)
        self.passed = len(rules)
        return self.policy.default

    def _failed(self, place: int, outcome: Any) -> None:
        rule = self.policy.rules[place]
        why = outcome.why if isinstance(outcome, Failure) else "the condition is neither true nor false"
        then = "skipped" if _skipped(rule) else "kept: the stricter of it and the rule found holds"
        self.failed[place] = {"step": "rule", "rule": rule.name, "result": "failed", "why": why, "then": then}
        self.failures.append(f'the rule "{rule.name}" failed: {why}')

    def held(self, found: Rule) -> Route:
        """The route of the rule found, made stricter by every failing rule that was kept."""
        route = self._route(found)
        for rule in (self.policy.rules[place] for place in self.failed):
            if _skipped(rule):
                continue
            joint = stricter(route, self._route(rule))
            why = f'the rule "{rule.name}" could not be evaluated, so the stricter route holds'
            self.steps.append(Step(f"{route.tier} and {rule.route.tier} → {joint.tier}", why))
            route = joint
        if self.failures and route.shadow and not self.policy.shadow:
            self.steps.append(Step("shadow → enforced", "something could not be evaluated, and unsure is never yes"))
            route = replace(route, shadow=False)
        return route

    def _route(self, rule: Rule) -> Route:
        facts = self.facts
        return replace(
            rule.route,
            risk=facts.risk,
            reversible=facts.reversible,
            amount=facts.amount,
            sensitive=facts.sensitive,
            scopes=self.scopes,
            schema=facts.schema,
            listed=facts.listed,
            guide=rule.route.guide or facts.guide,
            p=self._chance(rule) if rule.route.tier is Tier.SAMPLE else None,
            shadow=rule.shadow or self.policy.shadow,
        )

    def _chance(self, rule: Rule) -> float:
        if rule.weight is None:
            return min(1.0, rule.rate)
        weight = self.scope.evaluate(rule.weight)
        if is_amount(weight):
            return min(1.0, rule.rate * float(weight))
        why = weight.why if isinstance(weight, Failure) else "the weight is no number of at least 0"
        self.steps.append(Step("p → 1", f"the weight failed, so it is drawn: {why}"))
        return 1.0

    def trace(self, found: Rule) -> list[Object]:
        """What became of each rule up to the one found."""
        told = list(self.policy.lookup.passed[: self.passed])
        for place, step in self.failed.items():
            told[place] = step
        told.append({"step": "rule", "rule": found.name, "result": "matched"})
        return told


def _skipped(rule: Rule) -> bool:
    return rule.route.tier in _SKIPPED or rule.shadow


# ---------------------------------------------------------------------------------------------- the trace


def _opening(request: Request, run: _Run, values: Object, now: datetime) -> Object:
    lookup, sensitive = run.policy.lookup, run.facts.sensitive
    sights = lookup.sights[: lookup.seen[run.passed]]
    deadline = request.review_deadline
    return {
        "step": "asked",
        "at": now.astimezone(UTC).isoformat(),
        "action": request.action.name,
        "listed": run.facts.listed,
        "review_deadline": None if deadline is None else deadline.astimezone(UTC).isoformat(),
        "failures": list(run.facts.faults),
        "values": {sight.label: shown(sight, values, sensitive) for sight in sights},
    }


def _as_step(step: Step) -> Object:
    return {"step": "tightened", "what": step.what, "why": step.why}


def _ending(route: Route, drawn: bool) -> Object:
    return {
        "step": "route",
        "tier": str(route.tier),
        "rule": route.rule,
        "p": route.p,
        "drawn": drawn,
        "shadow": route.shadow,
    }
