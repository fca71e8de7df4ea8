"""What the rules of a policy come to before any request: worked out when it is loaded. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from policies.conditions import Condition
from policies.model import Lookup, Rule, Sight

ARGUMENTS = "/action/arguments"
#: Where the values of a condition's names lie in the request, for those that may be sensitive.
POINTERS = {"args": ARGUMENTS, "metadata": "/metadata", "validation": "/validation", "risk": "/risk"}


def lookup(rules: Sequence[Rule], default: Rule) -> Lookup:
    """The lookup of these rules, in order."""
    every = tuple((n, rule.when) for n, rule in enumerate(rules) if rule.when is not None)
    of_action, others = defaultdict[str, list[tuple[int, Condition]]](list), list[tuple[int, Condition]]()
    for n, when in every:
        if when.rest is None:
            others.append((n, when))
            continue
        for name in when.only:
            of_action[name].append((n, when.rest))
    sights, seen = _sights(rules)
    return Lookup(
        every=every,
        of_action=MappingProxyType({name: tuple(own) for name, own in of_action.items()}),
        others=tuple(others),
        passed=tuple({"step": "rule", "rule": rule.name, "result": "not matched"} for rule in rules),
        sights=sights,
        seen=seen,
        fields=_fields([condition for rule in (*rules, default) for condition in _conditions(rule)]),
    )


def _conditions(rule: Rule) -> list[Condition]:
    return [condition for condition in (rule.when, rule.weight) if condition is not None]


def _sights(rules: Sequence[Rule]) -> tuple[tuple[Sight, ...], tuple[int, ...]]:
    """What the rules read, each once, and how much of it the rules up to each one do; nothing more comes after."""
    found: dict[tuple[str, ...], Sight] = {}
    seen = []
    for rule in rules:
        for path in (path for condition in _conditions(rule) for path in condition.paths):
            found.setdefault(path, _sight(path))
        seen.append(len(found))
    return tuple(found.values()), (*seen, len(found))


def _sight(path: tuple[str, ...]) -> Sight:
    root = POINTERS.get(path[0])
    pointer = None if root is None else "/".join((root, *path[1:]))
    return Sight(label=".".join(path), path=path, pointer=pointer)


def _fields(conditions: Iterable[Condition]) -> Mapping[str, frozenset[str]]:
    whole = frozenset().union(*(condition.whole for condition in conditions))
    paths = [path for condition in conditions for path in condition.paths]
    roots = {path[0] for path in paths} & POINTERS.keys() - whole
    return MappingProxyType({root: frozenset(path[1] for path in paths if path[0] == root) for root in roots})
