"""What a policy says as a whole: contradictions that are faults, and risks that are warnings."""

from __future__ import annotations

from datetime import timedelta

from policies.hours import WITHOUT_SLA
from policies.model import Policy, Rule
from policies.nodes import Faults
from reviews.model import Tier

#: What rests on the operator's word, or on what would really be done, not on what the agent says of itself.
_TRUSTED = frozenset({"action", "args", "amount", "agent", "reversible", "listed", "now", "after_hours"})
_TRUSTED_RISK = ("risk", "level")
_LIGHT = (Tier.AUTO, Tier.SAMPLE)


def examine(policy: Policy, faults: Faults) -> tuple[str, ...]:
    """Note the faults of the whole; answer with its warnings, each a sentence with file, line and rule."""
    warnings: list[str] = []
    for rule in (*policy.rules, policy.default):
        _faults_of(rule, policy, faults)
        warnings += [f'{rule.file}:{rule.line}: rule "{rule.name}": {text}' for text in _warnings_of(rule, policy)]
    if policy.shadow:
        warnings.append("mode: shadow lets everything through, whatever the rules say; they are only recorded")
    return tuple(warnings)


def _faults_of(rule: Rule, policy: Policy, faults: Faults) -> None:
    names = frozenset().union(*(c.names for c in (rule.when, rule.weight) if c is not None))
    if "after_hours" in names and not policy.calendar.hours:
        faults.add(rule.file, rule.line, rule.name, "when", "after_hours needs `business_hours` in this policy")
    route = rule.route
    roles = any(need.role is not None for need in route.needs)
    called = [target for rung in route.chain if not rung.notify_only for target in rung.notify]
    if route.needs and called and not roles and set(called) == {"channel:role"}:
        text = "calls only the channels of roles, and this route needs a level; name a chain that calls somebody"
        faults.add(rule.file, rule.line, rule.name, "chain", text)


def _warnings_of(rule: Rule, policy: Policy) -> list[str]:
    found = []
    if rule.shadow:
        found.append("mode: shadow lets every request it matches through")
    if rule.when is None and rule.route.tier in _LIGHT:
        found.append(
            "the default lets every listed action through; better ask a person by default and name what may pass"
        )
    if rule.when is not None and rule.route.tier in _LIGHT:
        found += _trusting(rule, policy)
    return found + _late(rule)


def _trusting(rule: Rule, policy: Policy) -> list[str]:
    """A rule that asks nobody beforehand and rests on the agent's word, or on an action nobody listed."""
    assert rule.when is not None
    found = []
    solid = rule.when.names & _TRUSTED or _TRUSTED_RISK in rule.when.paths or rule.when.windows
    if not solid:
        said = ", ".join(".".join(path) for path in rule.when.paths) or "nothing"
        found.append(
            f"{rule.route.tier} rests only on the agent's word ({said}); add action.name, reversible or risk.level"
        )
    unlisted = [name for name in rule.when.actions if name not in policy.actions]
    if unlisted:
        found.append(f"{', '.join(unlisted)} is not listed under actions, so it becomes approve; list it with its risk")
    return found


def _late(rule: Rule) -> list[str]:
    """Rungs that never ring because the review is over before."""
    chain = rule.route.chain
    if not chain or chain[-1].then is not None:
        return []
    end = rule.route.sla or WITHOUT_SLA
    late = [rung for rung in chain if rung.notify and rung.after >= end and rung.after > timedelta(0)]
    if not late:
        return []
    return ["its last rungs never ring: the review expires before; end the chain with {after: …, then: expire}"]
