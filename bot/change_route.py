"""How a change of the policy is routed: by the policy in force, and never to fewer than two people."""

from __future__ import annotations

from collections import Counter

from bot.config import Config
from bot.people import Directory
from policies.model import Policy
from reviews.model import Need, Right, Route, Tier, Verb
from reviews.values import replace

#: The action under which the policy in force routes a change of itself.
ACTION = "policy.change"


def guarded(route: Route, policy: Policy, config: Config) -> Route:
    """The route of a change of the policy: what the policy says, and never less than two people.

    Where a role may change the policy, one of the two holds it: being called is not enough. A refusal stays one.
    """
    if route.tier is Tier.DENY:
        return route
    needs = route.needs or policy.fallback.needs or (Need(level=1),)
    needs = needs if len(needs) > 1 else needs * 2
    may = [name for name, role in config.roles.items() if Right.POLICY in role.may]
    if may and not any(need.role in may for need in needs):
        needs = (*needs[:-1], Need(role=may[0]))
    chained = route if route.chain else policy.default.route
    return replace(
        route,
        tier=max(route.tier, Tier.DUAL, key=lambda tier: tier.strictness),
        needs=needs,
        allowed=(Verb.APPROVE, Verb.REJECT),
        chain=tuple(replace(rung, notify_only=True) for rung in chained.chain) if may else chained.chain,
        chain_name=chained.chain_name,
        p=None,
        shadow=False,
        explanation="A change of the policy is approved by two people at least.",
    )


def missing(route: Route, directory: Directory, besides: str | None = None) -> str:
    """Which slots of such a route nobody could fill, in a sentence; empty where all can be. `besides` may fill none."""
    people = [person for person in directory.people() if person.id != besides]
    wanted = Counter(route.needs)
    able = {need: [person for person in people if person.fills(need)] for need in wanted}
    others = f" besides {besides}" if besides else ""
    short = [
        f"{count} of {need} (there are {len(able[need])}{others})"
        for need, count in wanted.items()
        if len(able[need]) < count
    ]
    anybody = {person.id for found in able.values() for person in found}
    if not short and len(anybody) < len(route.needs):
        short = [f"{len(route.needs)} persons (there are {len(anybody)}{others})"]
    return (
        f"A change of the policy is approved by {' and '.join(short)}: give the roles to more people." if short else ""
    )
