"""YAML read node by node, so that every fault can say its line. Strict: nothing is coerced, nothing is ignored.

An `Item` is one node with the way to it. Its readers answer None when the node is not what was wanted, and note a
fault that says what is; so a whole file is read through and all its faults come at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from policies import durations
from policies.errors import Fault

_TAG = "tag:yaml.org,2002:"
_KINDS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "nothing"}
_LONGEST = timedelta(days=366)
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_READERS: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    "int": _CONSTRUCTOR.construct_yaml_int,
    "float": _CONSTRUCTOR.construct_yaml_float,
    "bool": _CONSTRUCTOR.construct_yaml_bool,
    "null": lambda node: None,
    "str": lambda node: node.value,
    "timestamp": lambda node: node.value,
}

W = TypeVar("W", bound=StrEnum)


@dataclass(slots=True)
class Faults:
    """Collects what is wrong, in the order found."""

    found: list[Fault] = field(default_factory=list)

    def add(self, file: str, line: int, rule: str | None, name: str, message: str) -> None:
        """Note one fault. `line` counts from 1."""
        self.found.append(Fault(file=file, line=line, rule=rule, field=name, message=message))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One node of a file: where it is, what it is called, and how to read it."""

    faults: Faults
    file: str
    node: yaml.Node
    field: str
    rule: str | None = None

    @property
    def line(self) -> int:
        """The line the node begins at, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def is_mapping(self) -> bool:
        """Whether the node is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def fault(self, message: str) -> None:
        """Note that something is wrong here."""
        self.faults.add(self.file, self.line, self.rule, self.field, message)

    def named(self, rule: str) -> Item:
        """The same node, its faults told under this rule, chain or action."""
        return replace(self, rule=rule)

    # ------------------------------------------------------------------------------------ collections

    def mapping(self, allowed: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Item]:
        """The entries by key; {} when it is no mapping. Keys are texts, once each, of those allowed."""
        if not isinstance(self.node, yaml.MappingNode):
            self._unlike("a mapping (key: value)")
            return {}
        found: dict[str, Item] = {}
        for key, value in self.node.value:
            item = self._entry(key, value)
            if item is not None and item.field in found:
                item.fault(f"this key is here twice, first at line {found[item.field].line}; keep one")
            elif item is not None:
                found[item.field] = item
        self._check_keys(found, allowed, required)
        return found

    def _entry(self, key: yaml.Node, value: yaml.Node) -> Item | None:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _TAG + "merge":
            replace(self, node=key).fault("a key must be a text; merge keys (<<) are not read")
            return None
        return replace(self, node=value, field=str(key.value))

    def _check_keys(self, found: dict[str, Item], allowed: Iterable[str] | None, required: Iterable[str]) -> None:
        words = None if allowed is None else tuple(allowed)
        for name, item in found.items():
            if words is not None and name not in words:
                item.fault(f"unknown key; allowed: {', '.join(words)}")
        for name in required:
            if name not in found:
                replace(self, field=name).fault("is missing")

    def items(self) -> list[Item]:
        """The members of a list; [] when it is none."""
        if not isinstance(self.node, yaml.SequenceNode):
            self._unlike("a list")
            return []
        return [replace(self, node=node) for node in self.node.value]

    def many(self) -> list[Item]:
        """The members of a list, or the one thing that stands for a list of one."""
        return self.items() if isinstance(self.node, yaml.SequenceNode) else [self]

    # ------------------------------------------------------------------------------------ scalars

    def text(self) -> str | None:
        """A text that is not empty."""
        value = self._scalar("str")
        if value is not None and not str(value).strip():
            self.fault("must not be empty")
            return None
        return None if value is None else str(value)

    def texts(self) -> tuple[str, ...]:
        """A text or a list of texts."""
        return tuple(text for item in self.many() if (text := item.text()) is not None)

    def raw(self) -> str | None:
        """A scalar as it is written, whatever YAML would make of it (`18:00` is 1080 to YAML)."""
        if not isinstance(self.node, yaml.ScalarNode):
            self._unlike("a text")
            return None
        return str(self.node.value)

    def whole(self, low: int, high: int) -> int | None:
        """A whole number within bounds, both included."""
        value = self._scalar("int")
        return None if value is None else self._within(int(value), low, high)

    def number(self, low: float, high: float) -> float | None:
        """A finite number within bounds, both included."""
        value = self._scalar("float", "int")
        if value is not None and not math.isfinite(value):
            self.fault("must be a finite number")
            return None
        return None if value is None else self._within(float(value), low, high)

    def boolean(self) -> bool | None:
        """True or false."""
        value = self._scalar("bool")
        return None if value is None else bool(value)

    def duration(self) -> timedelta | None:
        """A duration of at most 366 days."""
        text = self.raw()
        span = None if text is None else durations.parse(text)
        if text is not None and span is None:
            self.fault(f"{text!r} is no duration; allowed: {durations.ALLOWED}")
        if span is not None and span > _LONGEST:
            self.fault(f"{text} is too long; at most 366d")
            return None
        return span

    def word(self, words: type[W]) -> W | None:
        """One of a closed set of words."""
        text = self.one_of(tuple(words))
        return None if text is None else words(text)

    def one_of(self, words: Collection[str]) -> str | None:
        """One of these texts."""
        value = self.raw()
        if value is not None and value not in words:
            self.fault(f"{value!r} is not known; allowed: {', '.join(words)}")
            return None
        return value

    def plain(self) -> Any:
        """The node as JSON: objects, lists, texts, numbers, booleans, null. Instants stay texts."""
        match self.node:
            case yaml.MappingNode():
                return {key: item.plain() for key, item in self.mapping().items()}
            case yaml.SequenceNode():
                return [item.plain() for item in self.items()]
            case _:
                return self._scalar(*_READERS)

    def _scalar(self, *kinds: str) -> Any:
        kind = self.node.tag.removeprefix(_TAG)
        if not isinstance(self.node, yaml.ScalarNode) or kind not in kinds:
            self._unlike(_KINDS.get(kinds[0], kinds[0]))
            return None
        try:
            return _READERS[kind](self.node)
        except ValueError:
            self.fault(f"{self.node.value!r} cannot be read as {_KINDS.get(kind, kind)}")
            return None

    def _unlike(self, wanted: str) -> None:
        kind = self.node.tag.removeprefix(_TAG)
        here = {"map": "a mapping", "seq": "a list"}.get(kind) or _KINDS.get(kind, kind)
        hint = "; put it in quotes" if wanted == "a text" and isinstance(self.node, yaml.ScalarNode) else ""
        self.fault(f"must be {wanted}, not {here}{hint}")

    def _within(self, value: Any, low: float, high: float) -> Any:
        if not low <= value <= high:
            self.fault(f"{self.raw()} is out of bounds; allowed: {low} to {high}")
            return None
        return value


def compose(text: str, file: str, faults: Faults) -> Item | None:
    """The root of a YAML text with exactly one document; None, and a fault, when it is no YAML."""
    try:
        alias = next((e for e in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(e, yaml.AliasEvent)), None)
        if alias is not None:
            # They can multiply a small text beyond measure, or turn back on themselves.
            line = alias.start_mark.line + 1 if alias.start_mark else 1
            faults.add(file, line, None, "yaml", "aliases (*name) are not read; write it out")
            return None
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        faults.add(file, mark.line + 1 if mark else 1, None, "yaml", fault.problem or "cannot be read")
        return None
    except (yaml.YAMLError, RecursionError) as fault:
        faults.add(file, 1, None, "yaml", f"cannot be read: {str(fault).splitlines()[0]}")
        return None
    if node is None:
        faults.add(file, 1, None, "yaml", "the file is empty")
        return None
    return Item(faults=faults, file=file, node=node, field="policy")
