"""What a JSON Schema refers to, and how much work checking a value against it can be. Pure.

The schemas a validation reaches are nodes; an edge leads to a schema applied to the same place of the value, or to
one applied a level below. A circle of the first kind never ends; many paths of either kind multiply the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from policies.errors import SchemaFault
from reviews.model import Object

#: Regular expressions in one schema, at most.
MOST_PATTERNS = 32
#: More evaluations than anybody allows; counting stops there.
_OUT_OF_HAND = 1e6

_REFUSED = (
    "$id", "$schema", "$vocabulary", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor",
)  # fmt: skip
_SAME, _EVERY, _ONE = "same place", "every one below", "one of those below"
_SINGLE = (
    *((word, _SAME) for word in ("not", "if", "then", "else")),
    *((word, _EVERY) for word in ("contains", "propertyNames")),
    # Of these exactly one applies to a member, so the worst one counts.
    *((w, _ONE) for w in ("items", "additionalProperties", "additionalItems", "unevaluatedItems")),
    ("unevaluatedProperties", _ONE),
)
_LISTS = (("allOf", _SAME), ("anyOf", _SAME), ("oneOf", _SAME), ("prefixItems", _ONE))
#: To know what is unevaluated, a validator looks at everything once more.
_TWICE = ("unevaluatedItems", "unevaluatedProperties")


def _choices(schema: Object) -> int:
    """How many values a place is compared with: each member of an `enum` is one more look."""
    choices = schema.get("enum")
    return 1 + len(choices) if isinstance(choices, list) else 1


@dataclass(slots=True)
class _Node:
    pointer: str
    times: int = 1
    work: int = 1
    same: list[int] = field(default_factory=list)
    every: list[int] = field(default_factory=list)
    one: list[int] = field(default_factory=list)


class Graph:
    """The graph of a schema. Making it raises SchemaFault for what is refused."""

    __slots__ = ("_anchors", "_costs", "_ids", "_nodes", "_order", "_patterns", "_root")

    def __init__(self, root: Object) -> None:
        self._root = root
        self._nodes: list[_Node] = []
        self._ids: dict[int, int] = {}
        self._costs: dict[int, float] = {}
        self._patterns = 0
        self._anchors = _anchors(root)
        self._explore()
        self._order = self._leaves_first()

    def cost(self, depth: int) -> float:
        """How many schemas are evaluated for one path into a value so deep, at most; inf when out of hand."""
        if depth not in self._costs:
            self._costs[depth] = self._cost(depth)
        return self._costs[depth]

    def _cost(self, depth: int) -> float:
        below = [0.0] * len(self._nodes)
        for _ in range(depth + 1):
            level = [0.0] * len(self._nodes)
            for n in self._order:
                node = self._nodes[n]
                worst = max((below[c] for c in node.one), default=0.0)
                level[n] = node.times * (
                    node.work + sum(level[c] for c in node.same) + sum(below[c] for c in node.every) + worst
                )
            if max(level) > _OUT_OF_HAND:
                return math.inf
            if level == below:
                break
            below = level
        return below[0]

    # -------------------------------------------------------------------------------------- exploring

    def _explore(self) -> None:
        todo: list[tuple[Object, str]] = []
        self._node(self._root, "", todo)
        while todo:
            schema, pointer = todo.pop()
            node = self._nodes[self._ids[id(schema)]]
            self._check(schema, pointer)
            for kind, sub, where in self._subschemas(schema, pointer):
                if not isinstance(sub, dict):
                    continue  # true and false cost nothing; anything else is found when it is compiled
                edges = {_SAME: node.same, _EVERY: node.every, _ONE: node.one}[kind]
                edges.append(self._node(sub, where, todo))

    def _node(self, schema: Object, pointer: str, todo: list[tuple[Object, str]]) -> int:
        known = self._ids.get(id(schema))
        if known is not None:
            return known
        self._ids[id(schema)] = len(self._nodes)
        self._nodes.append(
            _Node(pointer, times=2 if any(word in schema for word in _TWICE) else 1, work=_choices(schema))
        )
        todo.append((schema, pointer))
        return len(self._nodes) - 1

    def _check(self, schema: Object, pointer: str) -> None:
        for word in _REFUSED:
            if word in schema:
                raise SchemaFault(f"{pointer}/{word}", "it is not read here", f"Leave {word} out; refer with # only.")
        self._patterns += int("pattern" in schema) + len(_members(schema, "patternProperties"))
        if self._patterns > MOST_PATTERNS:
            raise SchemaFault(pointer, f"it has more than {MOST_PATTERNS} patterns", "Use fewer.")

    def _subschemas(self, schema: Object, pointer: str) -> Iterator[tuple[str, Any, str]]:
        if "$ref" in schema:
            yield _SAME, self._target(schema["$ref"], f"{pointer}/$ref"), f"{pointer}/$ref"
        for word, kind in _SINGLE:
            if word in schema:
                yield kind, schema[word], f"{pointer}/{word}"
        for word, kind in (("dependentSchemas", _SAME), ("patternProperties", _EVERY), ("properties", _ONE)):
            members = _members(schema, word)
            yield from ((kind, sub, f"{pointer}/{word}/{name}") for name, sub in members.items())
        for word, kind in _LISTS:
            listed = schema.get(word)
            subs = listed if isinstance(listed, list) else []
            yield from ((kind, sub, f"{pointer}/{word}/{n}") for n, sub in enumerate(subs))

    def _target(self, reference: Any, pointer: str) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise SchemaFault(pointer, "it refers elsewhere", "Only references within the schema (#/$defs/…) are read.")
        fragment = unquote(reference[1:])
        target = self._anchors.get(fragment) if fragment[:1] not in ("", "/") else _pointed(self._root, fragment)
        if not isinstance(target, (dict, bool)):
            raise SchemaFault(pointer, f"{reference[:100]} points at no schema", "Point at one under $defs.")
        return target

    def _leaves_first(self) -> list[int]:
        """The nodes so that each comes after those applied to the same place. Raises SchemaFault for a circle."""
        waiting = [len(node.same) for node in self._nodes]
        above: list[list[int]] = [[] for _ in self._nodes]
        for n, node in enumerate(self._nodes):
            for child in node.same:
                above[child].append(n)
        order = [n for n, count in enumerate(waiting) if count == 0]
        for n in order:
            for parent in above[n]:
                waiting[parent] -= 1
                if waiting[parent] == 0:
                    order.append(parent)
        if len(order) < len(self._nodes):
            stuck = next(n for n, count in enumerate(waiting) if count)
            raise SchemaFault(self._nodes[stuck].pointer, "it refers to itself in a circle", "Break the circle.")
        return order


def _members(schema: Object, word: str) -> Object:
    members = schema.get(word)
    return members if isinstance(members, dict) else {}


def _anchors(root: Object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    todo: list[Any] = [root]
    while todo:
        here = todo.pop()
        todo += here.values() if isinstance(here, dict) else here if isinstance(here, list) else ()
        name = here.get("$anchor") if isinstance(here, dict) else None
        if isinstance(name, str):
            if name in found:
                raise SchemaFault("", f"the anchor {name[:100]} is there twice", "Give each its own name.")
            found[name] = here
    return found


def _pointed(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isascii() and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
