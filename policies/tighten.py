"""Routes made stricter: by another route, by a failure, by the catalogue, by what the agent asks for. Never looser."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from policies.routes import HUMAN_DECISIONS
from reviews.model import (
    ALL_DECISIONS,
    OPTIONAL_DECISIONS,
    Need,
    Order,
    Request,
    ReviewType,
    RiskLevel,
    Route,
    Rung,
    Tier,
    Verb,
)
from reviews.values import replace

_LIGHT = (Tier.AUTO, Tier.SAMPLE)
#: Tiers whose needs are slots that must be filled before the agent acts.
_SLOTTED = (Tier.APPROVE, Tier.DUAL, Tier.HUMAN_ONLY)


@dataclass(frozen=True, slots=True)
class Step:
    """One tightening: what changed, and why. `violation` when the agent asked for what it does not get."""

    what: str
    why: str
    violation: bool = False


def stricter(a: Route, b: Route) -> Route:
    """The route that is at least as strict as both, in every respect.

    The one of the higher tier (the first, where they are equal) gives rule, chain, guide and words.
    """
    base, other = (a, b) if a.tier.strictness >= b.tier.strictness else (b, a)
    needs = _needs_of_both(base, other)
    merged = replace(
        base,
        tier=Tier.DUAL if base.tier is Tier.APPROVE and len(needs) > 1 else base.tier,
        needs=needs,
        order=Order.SEQUENCE if Order.SEQUENCE in (a.order, b.order) else Order.ANY,
        sla=_least(a.sla, b.sla),
        valid_for=min(a.valid_for, b.valid_for),
        reply_within=min(a.reply_within, b.reply_within),
        allowed=_allowed_by_both(base, other),
        reasons=base.reasons or other.reasons,
        guide=base.guide or other.guide,
        risk=max(a.risk, b.risk, key=lambda risk: risk.rank),
        reversible=a.reversible and b.reversible,
        amount=_greatest(a.amount, b.amount),
        sensitive=tuple(dict.fromkeys((*a.sensitive, *b.sensitive))),
        scopes=a.scopes | b.scopes,
        schema=base.schema if base.schema is not None else other.schema,
        listed=a.listed and b.listed,
        p=_greatest(a.p, b.p) if base.tier is Tier.SAMPLE else base.p,
        shadow=a.shadow and b.shadow,
        undo=max(a.undo, b.undo),
        assign_one=a.assign_one and b.assign_one,
    )
    return merged if base.chain or not other.chain else replace(merged, chain=other.chain, chain_name=other.chain_name)


def _least(a: timedelta | None, b: timedelta | None) -> timedelta | None:
    return min((span for span in (a, b) if span is not None), default=None)


def _greatest(a: float | None, b: float | None) -> float | None:
    return max((value for value in (a, b) if value is not None), default=None)


def _needs_of_both(base: Route, other: Route) -> tuple[Need, ...]:
    """Every slot of either, as often as the one that has it more often; a sample's reviewer is no slot."""
    if base.tier not in _SLOTTED or other.tier not in _SLOTTED:
        return base.needs
    missing = Counter(other.needs) - Counter(base.needs)
    return (*base.needs, *missing.elements())


def _allowed_by_both(base: Route, other: Route) -> tuple[Verb, ...]:
    """What both leave; `human_only` has no edit to leave, which says nothing of the other."""
    offered = ALL_DECISIONS if other.tier is not Tier.HUMAN_ONLY else HUMAN_DECISIONS
    removed = OPTIONAL_DECISIONS.intersection(offered).difference(other.allowed)
    return tuple(verb for verb in base.allowed if verb not in removed)


def raised(route: Route, fallback: Route, needs: tuple[Need, ...] = ()) -> Route:
    """The route with a person asked beforehand: the needs given, else the fallback's people; its own chain if any."""
    own = route.chain and not needs
    return replace(
        route,
        tier=Tier.DUAL if len(needs or fallback.needs) > 1 else Tier.APPROVE,
        needs=needs or fallback.needs,
        order=fallback.order if not needs else Order.ANY,
        sla=_least(route.sla, fallback.sla),
        chain=route.chain if own and _calls_more_than_roles(route.chain) else fallback.chain,
        chain_name=route.chain_name if own and _calls_more_than_roles(route.chain) else fallback.chain_name,
        p=None,
        undo=max(route.undo, fallback.undo),
        assign_one=route.assign_one or fallback.assign_one,
    )


def _calls_more_than_roles(chain: Iterable[Rung]) -> bool:
    return any(target != "channel:role" for rung in chain for target in rung.notify)


def settle(route: Route, fallback: Route, *, failed: bool) -> tuple[Route, list[Step]]:
    """The floors no rule can go below: after a failure, for an unlisted action, for a confirmation of high risk."""
    steps: list[Step] = []
    if failed and route.tier.strictness < Tier.APPROVE.strictness:
        steps.append(Step(f"{route.tier} → approve", "something could not be evaluated, and unsure is never yes"))
        route = raised(route, fallback)
    if not route.listed and route.tier in _LIGHT:
        steps.append(Step(f"{route.tier} → approve", "the action is not listed in the catalogue"))
        route = raised(route, fallback)
    if route.tier is Tier.CONFIRM and route.risk in (RiskLevel.HIGH, RiskLevel.CRITICAL):
        steps.append(Step("confirm → approve", f"the risk is {route.risk}; confirming is for low and medium risk"))
        route = raised(route, fallback)
    return route, steps


# ---------------------------------------------------------------------------------------------- the agent's wishes


def heed(route: Route, request: Request, fallback: Route, roles: frozenset[str] | None) -> tuple[Route, list[Step]]:
    """What the agent asks for, as far as it makes the route stricter. `roles` are those that exist, if known."""
    if route.tier is Tier.DENY:
        return route, []
    steps: list[Step] = []
    role, seconds, wanted = request.reviewer_role, request.escalate_after_seconds, request.allowed_decisions
    if role is not None:
        route, more = _role(route, role, fallback)
        steps += more
    if request.review_type is not ReviewType.APPROVAL:
        route, more = _kind(route, request.review_type, fallback)
        steps += more
    if seconds is not None and route.tier.asks:
        route, more = _escalation(route, seconds)
        steps += more
    if wanted is not None:
        route, more = _decisions(route, wanted)
        steps += more
    if role is not None and roles is not None and role not in roles:
        why = f"there is no role {role!r} here, so nobody can fill its slot"
        steps.append(Step("reviewer_role", why, violation=True))
    return route, steps


def _role(route: Route, role: str, fallback: Route) -> tuple[Route, list[Step]]:
    if Need(role=role) in route.needs and route.tier in _SLOTTED:
        return route, []
    need = Need(role=role)
    if route.tier not in _SLOTTED:
        step = Step(f"{route.tier} → approve", f"the agent asks for a {role}")
        return raised(route, fallback, (need,)), [step]
    needs = (*route.needs, need)
    tier = Tier.DUAL if route.tier is Tier.APPROVE and len(needs) > 1 else route.tier
    return replace(route, tier=tier, needs=needs), [Step(f"needs + {role}", f"the agent asks for a {role}")]


def _kind(route: Route, kind: ReviewType, fallback: Route) -> tuple[Route, list[Step]]:
    steps: list[Step] = []
    if kind is ReviewType.FEEDBACK and route.tier.asks:
        why = f"the agent asks for a look afterwards; the policy asks beforehand ({route.tier})"
        return route, [Step("review_type: feedback has no effect", why, violation=True)]
    if kind in (ReviewType.PLAN, ReviewType.HANDOFF) and route.tier in _LIGHT:
        steps.append(Step(f"{route.tier} → approve", f"the agent asks for a person ({kind})"))
        route = raised(route, fallback)
    if kind is ReviewType.HANDOFF and Verb.ANSWER not in route.allowed:
        steps.append(Step("allowed + answer", "a handoff may be answered by the person who takes it"))
        route = replace(route, allowed=(*route.allowed, Verb.ANSWER))
    return route, steps


def _escalation(route: Route, seconds: float) -> tuple[Route, list[Step]]:
    if not math.isfinite(seconds) or seconds < 0:
        return route, [Step("escalate_after_seconds", "is no time; it has no effect", violation=True)]
    first = next((n for n, rung in enumerate(route.chain) if rung.after > timedelta(0) and rung.notify), None)
    if first is None or route.chain[first].after.total_seconds() <= seconds:
        return route, []
    sooner = timedelta(seconds=seconds)
    # A reminder that would now come after it would put it off.
    kept = [rung for rung in route.chain[:first] if not (rung.remind and rung.after >= sooner)]
    chain = (*kept, replace(route.chain[first], after=sooner), *route.chain[first + 1 :])
    why = f"the agent asks for escalation after {seconds:g} s"
    return replace(route, chain=chain), [Step(f"first escalation {route.chain[first].after} → {sooner}", why)]


def _decisions(route: Route, asked: tuple[Verb, ...]) -> tuple[Route, list[Step]]:
    # An answer cannot be asked for by name: a handoff brings it, and leaving it out of the list takes nothing away.
    wanted, steps = {*asked, Verb.ANSWER}, list[Step]()
    removed = [verb for verb in route.allowed if verb in OPTIONAL_DECISIONS and verb not in wanted]
    kept = [verb for verb in route.allowed if verb not in OPTIONAL_DECISIONS and verb not in wanted]
    added = [verb for verb in asked if verb not in route.allowed]
    if removed:
        steps.append(Step(f"allowed − {', '.join(removed)}", "the agent leaves them out"))
        route = replace(route, allowed=tuple(verb for verb in route.allowed if verb not in removed))
    if kept:
        steps.append(Step(f"allowed: {', '.join(kept)} stays", "only edit and request_changes can be left out", True))
    if added:
        steps.append(Step(f"allowed: {', '.join(added)} is not open", "an agent can only remove decisions", True))
    return route, steps
