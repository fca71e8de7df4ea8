"""Rules and their routes, read from a policy file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from policies import durations
from policies.conditions import Condition, ConditionFault, compile_condition
from policies.model import Chain, Rule
from policies.nodes import Item
from policies.sections import Names
from reviews.model import ALL_DECISIONS, Need, Object, Order, Route, Rung, Tier, Verb

RULE_KEYS = ("name", "when", "mode", "route")
MODES = ("enforce", "shadow")
ROUTE_KEYS = (
    "tier", "role", "level", "needs", "quorum", "order", "sla", "chain", "valid_for", "reply_within", "reasons",
    "guide", "allowed", "because", "rate", "weight", "undo", "assign",
)  # fmt: skip
#: What a route without a chain gets: a card in the channels of the roles needed.
PLAIN_CHAIN = (Rung(after=timedelta(0), notify=("channel:role",)),)
#: How an approval is spread over the people of a role: one of them is called, not all.
ASSIGNS = ("one",)
#: What a person decides when they do the work themselves.
HUMAN_DECISIONS = (Verb.ANSWER, Verb.REJECT, Verb.REQUEST_CHANGES)

_WHO = ("role", "level", "needs", "quorum")
_SAMPLING = ("rate", "weight")
_MOST = 20
#: The agent waits while an approval may still be taken back.
_LONGEST_UNDO = timedelta(minutes=5)


def rule(item: Item, chains: Mapping[str, Chain], names: Names) -> Rule | None:
    """One rule of the list; None when it has no usable name or condition."""
    named = item.mapping().get("name")
    item = item.named((named.text() if named else None) or f"rule at line {item.line}")
    keys = item.mapping(RULE_KEYS, required=("name", "when", "route"))
    when = condition(keys["when"]) if "when" in keys else None
    mode = keys["mode"].one_of(MODES) if "mode" in keys else None
    if item.rule == "default":
        keys["name"].fault("`default` is the name of what holds when no rule matched; choose another")
    if "route" not in keys:
        return None
    made = _made(keys["route"], item.rule or "", chains, names, when, shadow=mode == "shadow")
    return made if when is not None else None


def default(item: Item, chains: Mapping[str, Chain], names: Names) -> Rule:
    """What holds when no rule matched."""
    return _made(item.named("default"), "default", chains, names, None, shadow=False)


def condition(item: Item, *, decimals: bool = False) -> Condition | None:
    """An expression, compiled and checked."""
    text = item.text()
    if text is None:
        return None
    try:
        return compile_condition(text, decimals=decimals)
    except ConditionFault as fault:
        item.fault(str(fault))
        return None


def _made(
    item: Item, name: str, chains: Mapping[str, Chain], names: Names, when: Condition | None, *, shadow: bool
) -> Rule:
    keys = item.mapping(ROUTE_KEYS, required=("tier",))
    tier = (keys["tier"].word(Tier) if "tier" in keys else None) or Tier.DENY
    if "tier" in keys:
        _check_keys(keys, tier)
    rate = keys["rate"].number(0, 1) if "rate" in keys else None
    return Rule(
        name=name,
        route=_route(item, keys, name, tier, chains, names),
        when=when,
        rate=1.0 if rate is None else rate,
        weight=condition(keys["weight"], decimals=True) if "weight" in keys else None,
        shadow=shadow,
        file=item.file,
        line=item.line,
    )


def _route(
    item: Item, keys: Mapping[str, Item], name: str, tier: Tier, chains: Mapping[str, Chain], names: Names
) -> Route:
    chain_name, rungs = _chain(keys.get("chain"), tier, chains)
    needs = _needs(item, keys, tier, names)
    spans = {key: span for key in ("sla", "valid_for", "reply_within") if (span := _span(keys.get(key))) is not None}
    order = keys["order"].word(Order) if "order" in keys else None
    because = keys["because"].text() if "because" in keys else None
    return Route(
        tier=Tier.DUAL if tier is Tier.APPROVE and len(needs) > 1 else tier,
        needs=needs,
        order=order or Order.ANY,
        sla=spans.get("sla"),
        chain=rungs,
        chain_name=chain_name,
        allowed=_allowed(keys.get("allowed"), tier),
        valid_for=spans.get("valid_for", timedelta(hours=1)),
        reply_within=spans.get("reply_within", timedelta(hours=24)),
        reasons=keys["reasons"].texts() if "reasons" in keys else (),
        guide=keys["guide"].text() if "guide" in keys else None,
        undo=_undo(keys.get("undo")),
        assign_one="assign" in keys and keys["assign"].one_of(ASSIGNS) is not None,
        rule=name,
        explanation=because or _sentence(name, tier),
    )


def _span(item: Item | None) -> timedelta | None:
    span = None if item is None else item.duration()
    if item is not None and span == timedelta(0):
        item.fault("must be longer than nothing")
        return None
    return span


def _undo(item: Item | None) -> timedelta:
    span = _span(item) or timedelta(0)
    if item is not None and span > _LONGEST_UNDO:
        item.fault(f"is too long, for the agent waits; at most {durations.show(_LONGEST_UNDO)}")
    return span


def _chain(item: Item | None, tier: Tier, chains: Mapping[str, Chain]) -> tuple[str, tuple[Rung, ...]]:
    if item is None:
        return "", PLAIN_CHAIN if tier.asks or tier is Tier.SAMPLE else ()
    name = item.text() or ""
    if name and name not in chains:
        item.fault(f"unknown chain {name!r}; allowed: {', '.join(sorted(chains)) or 'none is written yet'}")
    return name, chains[name].rungs if name in chains else ()


def _check_keys(keys: Mapping[str, Item], tier: Tier) -> None:
    """Keys that say nothing in this tier are faults, not decoration."""
    useless: list[str] = [] if tier is Tier.SAMPLE else list(_SAMPLING)
    if tier in (Tier.AUTO, Tier.DENY):
        useless += [*_WHO, "order", "sla", "chain", "allowed", "valid_for", "reply_within", "reasons", "assign"]
    elif tier is Tier.CONFIRM:
        useless += [*_WHO, "order", "assign"]
    if tier not in (Tier.CONFIRM, Tier.APPROVE, Tier.DUAL):
        useless.append("undo")
    for key in useless:
        if key in keys:
            keys[key].fault(f"means nothing with tier {tier}; leave it out or choose another tier")
    if tier is Tier.SAMPLE and "rate" not in keys:
        keys["tier"].fault("sample needs `rate`, the share looked at afterwards, such as 0.05")


def _needs(item: Item, keys: Mapping[str, Item], tier: Tier, names: Names) -> tuple[Need, ...]:
    given = [key for key in ("role", "level", "needs") if key in keys]
    if len(given) > 1:
        keys[given[1]].fault(f"says who is needed a second time, after `{given[0]}`; keep one of role, level, needs")
    if not given:
        if tier in (Tier.APPROVE, Tier.DUAL, Tier.HUMAN_ONLY, Tier.SAMPLE):
            item.fault(f"tier {tier} needs to know who: role, level or needs")
        return ()
    if given[0] == "needs":
        needs = tuple(n for member in keys["needs"].items() if (n := _need(member, member.mapping(), names)))
    else:
        need = _need(item, {given[0]: keys[given[0]]}, names)
        needs = (need,) if need else ()
    return _times(item, keys, needs, tier)


def _need(item: Item, keys: Mapping[str, Item], names: Names) -> Need | None:
    if len(keys) != 1 or not keys.keys() <= {"role", "level"}:
        item.fault("a need is {role: NAME} or {level: 1…}")
        return None
    if "role" in keys:
        role = keys["role"].text()
        if role is not None:
            names.role(keys["role"], role)
        return Need(role=role) if role is not None else None
    level = keys["level"].whole(1, 99)
    if level is not None:
        names.level(keys["level"], level)
    return Need(level=level) if level is not None else None


def _times(item: Item, keys: Mapping[str, Item], needs: tuple[Need, ...], tier: Tier) -> tuple[Need, ...]:
    """`quorum: N` of one role is N slots; `dual` is never fewer than two."""
    quorum = keys["quorum"].whole(1, _MOST) if "quorum" in keys else None
    if "quorum" in keys and "needs" in keys:
        keys["quorum"].fault("goes with role or level; in `needs` write the slots out")
        return needs
    if tier is Tier.DUAL and quorum == 1:
        keys["quorum"].fault("dual needs at least two persons")
    if len(needs) > _MOST:
        item.fault(f"at most {_MOST} slots")
    times = quorum or (2 if tier is Tier.DUAL and len(needs) == 1 else 1)
    return needs * times


def _allowed(item: Item | None, tier: Tier) -> tuple[Verb, ...]:
    every = HUMAN_DECISIONS if tier is Tier.HUMAN_ONLY else ALL_DECISIONS
    if item is None:
        return every
    wanted = {verb for member in item.many() if (verb := member.one_of(every)) is not None}
    kept = [verb for verb in every if verb not in (Verb.EDIT, Verb.REQUEST_CHANGES)]
    if not wanted.issuperset(kept):
        item.fault(f"{' and '.join(kept)} always stay; only edit and request_changes may be left out")
    return tuple(verb for verb in every if verb in wanted or verb in kept)


#: What each tier means, for people.
SENTENCES = {
    Tier.AUTO: "no person is needed",
    Tier.SAMPLE: "no person is needed before; a share is looked at afterwards",
    Tier.CONFIRM: "the person this is done for must confirm it",
    Tier.APPROVE: "a person must approve it",
    Tier.DUAL: "more than one person must approve it",
    Tier.HUMAN_ONLY: "a person must do it",
    Tier.DENY: "it is not allowed",
}


def _sentence(name: str, tier: Tier) -> str:
    why = "No rule matched" if name == "default" else f'The rule "{name}" matched'
    return f"{why}: {SENTENCES[tier]}."


def as_plain(route: Route) -> Object:
    """The parts of a route an operator writes, as JSON; for diffs and explanations."""
    return {
        "tier": str(route.tier),
        "needs": [{"role": n.role} if n.role is not None else {"level": n.level} for n in route.needs],
        "order": str(route.order),
        "sla": None if route.sla is None else route.sla.total_seconds(),
        "chain": route.chain_name or None,
        "allowed": [str(verb) for verb in route.allowed],
        "valid_for": route.valid_for.total_seconds(),
        "reply_within": route.reply_within.total_seconds(),
        "reasons": list(route.reasons),
        "guide": route.guide,
        "because": route.explanation,
        "undo": route.undo.total_seconds() or None,
        "assign": "one" if route.assign_one else None,
    }
