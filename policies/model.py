"""The values of a policy: what the operator wrote, read and checked. Immutable; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from policies.conditions import Condition
from policies.hours import ALWAYS, Calendar
from reviews.model import Object, RiskLevel, Route, Rung, Tier
from reviews.values import whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names of `placet.yml` a policy may use.

    `rotations` are `NAME.LAYER`; `levels` those roles have, `ranks` which role has which; `ways` the gateways there
    are, None where that is not known.
    """

    roles: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    rotations: frozenset[str] = frozenset()
    levels: frozenset[int] = frozenset()
    ways: frozenset[str] | None = None
    ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """What the operator says of an action; an agent's claim can only raise it.

    `amount` is a JSON Pointer and `sensitive` are JSON Pointers, all from the arguments' root; `hidden` are the same
    as `sensitive` from the request's root, each once.
    """

    name: str
    risk: RiskLevel = RiskLevel.MEDIUM
    reversible: bool = False
    amount: str | None = None
    sensitive: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    schema: Object | None = None
    guide: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A ladder of escalation by its name, written out: reminders, repeats and endings are rungs of their own."""

    name: str
    rungs: tuple[Rung, ...]
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `when` is None for the default only. `route` is complete but for what a request brings.

    `rate` is 0..1 and `weight` an expression, for `sample`. `shadow`: recorded, let through.
    """

    name: str
    route: Route
    when: Condition | None = None
    rate: float = 1.0
    weight: Condition | None = None
    shadow: bool = False
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One of the policy's own tests: a request as an object, the circumstances, and what is expected of the route.

    `count` and `sum` are what the counters say before this request, for any window.
    """

    name: str
    given: Object
    expect: Object
    at: datetime
    agent: str = "test"
    count: int = 0
    sum: float = 0.0
    draw: float = 0.0
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A value conditions read: how the trace calls it, the way to it, and where it lies in the request.

    `pointer` is a JSON Pointer from the request's root; None for what can never be sensitive.
    """

    label: str
    path: tuple[str, ...]
    pointer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What the rules come to before any request, so that none pays for it. All of it is shared and never changed.

    A rule is its place among the rules. `every` holds each with its condition; `of_action` and `others` hold the same
    rules apart: those that can be true for some actions alone, by action, and all others. `passed` is what a trace
    says of each rule that does not match. `sights` is what the rules read, in the order of the rules; the first
    `seen[n]` of them are what the rules up to the n-th read. `fields` are the keys read of an object, where no rule
    reads it as a whole.
    """

    every: tuple[tuple[int, Condition], ...]
    of_action: Mapping[str, tuple[tuple[int, Condition], ...]]
    others: tuple[tuple[int, Condition], ...]
    passed: tuple[Object, ...]
    sights: tuple[Sight, ...]
    seen: tuple[int, ...]
    fields: Mapping[str, frozenset[str]]

    def candidates(self, action: str) -> Sequence[tuple[int, Condition]]:
        """The rules that can match an action or fail on it, in order, and the condition to evaluate for each."""
        if not action.isascii():
            # CEL takes no lone surrogate; what comes of such a name is the conditions' affair.
            return self.every
        own = self.of_action.get(action)
        return self.others if own is None else sorted((*own, *self.others))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy, loaded. `text` is exactly what was read (a folder's files joined, loadable again).

    `sha256` is the full hex hash of `text`; `fallback` is the route an action gets that must not pass without a
    person and has no reviewer of its own; `lookup` what `rules` come to; `longest` the longest window its counters
    look back, if any.
    """

    name: str
    version: int
    text: str
    sha256: str
    default: Rule
    fallback: Route
    lookup: Lookup
    rules: tuple[Rule, ...] = ()
    actions: Mapping[str, CatalogueEntry] = field(default_factory=lambda: MappingProxyType({}))
    chains: Mapping[str, Chain] = field(default_factory=lambda: MappingProxyType({}))
    calendar: Calendar = ALWAYS
    shadow: bool = False
    tests: tuple[Case, ...] = ()
    warnings: tuple[str, ...] = ()
    known: Known | None = None
    names: frozenset[str] = frozenset()
    longest: timedelta | None = None

    @property
    def ref(self) -> str:
        """`name@version#sha256:…`, with the first 12 hex digits of the hash."""
        return f"{self.name}@{self.version}#sha256:{self.sha256[:12]}"

    def rule(self, name: str) -> Rule | None:
        """A rule by its name; `default` is one."""
        return next((rule for rule in (*self.rules, self.default) if rule.name == name), None)


class Counters(Protocol):
    """What this agent has asked about this subject before, without the request being classified."""

    def count(self, seconds: float) -> int:
        """How many requests within the last so many seconds."""
        ...

    def sum(self, seconds: float) -> float:
        """The sum of their amounts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Counters over instants and amounts, as `Tx.recent` returns them."""

    rows: Sequence[tuple[datetime, float | None]] = ()
    now: datetime

    def count(self, seconds: float) -> int:
        """How many rows lie within the last so many seconds."""
        return len(self._within(seconds))

    def sum(self, seconds: float) -> float:
        """The sum of their amounts; a row without one adds nothing."""
        return sum(amount for amount in self._within(seconds) if amount is not None)

    def _within(self, seconds: float) -> list[float | None]:
        since = self.now - timedelta(seconds=seconds)
        return [amount for at, amount in self.rows if since <= at]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Counters that say the same for every window; for tests of a policy and dry runs."""

    counted: int = 0
    summed: float = 0.0

    def count(self, seconds: float) -> int:
        """The number given."""
        return self.counted

    def sum(self, seconds: float) -> float:
        """The sum given."""
        return self.summed


@whole
@dataclass(frozen=True, kw_only=True)
class Classification:
    """What the policy answered.

    `trace` is the explanation as JSON, step by step; `policy` is `name@version#sha256:…`; `drawn` says that a
    sampled request is to be looked at afterwards; `violations` are sentences about what the agent asked for and
    did not get, and about what was wrong with its request.
    """

    route: Route
    trace: tuple[Object, ...]
    policy: str
    drawn: bool
    violations: tuple[str, ...] = ()

    @property
    def tier(self) -> Tier:
        """The tier of the route."""
        return self.route.tier
