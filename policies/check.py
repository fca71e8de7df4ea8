"""What a policy says as a whole: contradictions that are faults, and risks that are warnings."""

from __future__ import annotations

from datetime import timedelta

from policies import durations
from policies.hours import WITHOUT_SLA
from policies.model import Chain, Known, Policy, Rule
from policies.nodes import Faults
from reviews.model import Need, RiskLevel, Rung, Then, Tier
from reviews.ways import CARDS, rings

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
    for chain in policy.chains.values():
        warnings += [
            f'{chain.file}:{chain.line}: chain "{chain.name}": {text}' for text in _unheard(chain, policy.known)
        ]
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
    if policy.known is not None and (laxer := _laxer(rule, policy.known)):
        faults.add(rule.file, rule.line, rule.name, "chain", laxer)


def _laxer(rule: Rule, known: Known) -> str | None:
    """Why a fallback would be laxer than the route, for whoever it falls back to may decide; None where it is not."""
    fallen = [rung.notify[0].removeprefix("role:") for rung in rule.route.chain if _falls_back(rung)]
    lowest = min(((known.ranks.get(role, 0), role) for role in fallen), default=None)
    most = max(((_rank(need, known), str(need)) for need in rule.route.needs), default=None)
    if lowest is None or most is None or lowest[0] >= most[0]:
        return None
    return (
        f"falls back to {lowest[1]}, of level {lowest[0]}, and this route needs {most[1]}"
        f"{'' if most[1].startswith('level') else f', of level {most[0]}'}; name a role of level {most[0]} or more"
    )


def _falls_back(rung: Rung) -> bool:
    return rung.then is Then.FALLBACK_ROLE and bool(rung.notify)


def _rank(need: Need, known: Known) -> int:
    return (need.level or 0) if need.role is None else known.ranks.get(need.role, 0)


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
    if rule.route.tier is Tier.CONFIRM:
        found += _grave(rule, policy)
    return found + _late(rule)


def _grave(rule: Rule, policy: Policy) -> list[str]:
    """What is asked to be confirmed and never will be."""
    named = rule.when.actions if rule.when is not None else ()
    risks = {name: policy.actions[name].risk for name in named if name in policy.actions}
    return [
        f"confirming is for low and medium risk, and {name} is {risk}, so it becomes approve; say so and who is needed"
        for name, risk in risks.items()
        if risk.rank >= RiskLevel.HIGH.rank
    ]


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


# ---------------------------------------------------------------------------------------------- chains


def _unheard(chain: Chain, known: Known | None) -> list[str]:
    """Calls nobody is likely to notice: by the web alone, by a gateway there is not, by nothing that rings at night."""
    calls = [rung for rung in chain.rungs if rung.notify and not rung.notify_only]
    found = []
    if calls and all(rung.via == ("web",) for rung in calls):
        found.append("calls by web alone, where only who looks sees it; add dm or channel to one of its rungs")
    ways = None if known is None else known.ways
    used = dict.fromkeys(way for rung in chain.rungs for way in rung.via if way not in CARDS)
    if ways is not None and (missing := [way for way in used if way not in ways]):
        found.append(f"goes by {', '.join(missing)}, which is no gateway of placet.yml; nobody is reached by it")
    return found + _at_night(calls, ways) + _overtaken(chain)


def _at_night(calls: list[Rung], ways: frozenset[str] | None) -> list[str]:
    """From which rung on nobody is woken any more, where somebody could be.

    What rings somewhere, or calls who is on call where something could ring, is meant to reach people at night too.
    """
    nightly = [rung for rung in calls if rung.clock == "always"]
    loud = [any(map(rings, rung.via)) for rung in nightly]
    duty = any(target.startswith("oncall:") for rung in nightly for target in rung.notify)
    if not any(loud) and not (duty and any(map(rings, ways or ()))):
        return []
    quiet = nightly[len(loud) - loud[::-1].index(True) :] if any(loud) else nightly
    if not quiet:
        return []
    first = quiet[0]
    said = f"{durations.show(first.after)} ({', '.join(first.notify)})"
    return [
        f"at night nobody is woken from its rung at {said} on; add a way that rings, such as via: [dm, sms], "
        "or let it count business hours"
    ]


def _overtaken(chain: Chain) -> list[str]:
    """An end by all hours of calls in business hours: the last of them may come on the end itself."""
    office = [rung for rung in chain.rungs if rung.clock == "business" and rung.notify]
    waits = any(rung.then not in (None, Then.EXPIRE) for rung in chain.rungs)
    last = chain.rungs[-1] if chain.rungs else None
    if not office or waits or last is None or last.then is not Then.EXPIRE or last.clock == "business":
        return []
    return ["calls in business hours and expires by all hours, so that over a weekend nobody has time to answer; "
            "let the last rung count business hours too"]  # fmt: skip
