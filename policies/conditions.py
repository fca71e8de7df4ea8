"""CEL conditions: compiled once, checked for names, evaluated against one context per request.

Written form: CEL, and durations as people write them (`count(1h)`, `sum(amount, 24h)`), which become CEL's
`duration("3600s")` before compiling. In a `weight`, whole numbers are read as decimals, because CEL refuses to mix
them with `confidence` (`(1 - confidence) * 20`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType
from typing import Any

# Its package loads a command line of its own on the way: half a second and eight megabytes that no server needs.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

import cel  # noqa: E402 - after the line above, which must come before it

from policies import durations  # noqa: E402 - as above

#: The names a condition may use.
NAMES = (
    "action", "args", "amount", "confidence", "risk", "reversible", "review_type", "validation", "agent",
    "session_id", "metadata", "listed", "now", "after_hours",
)  # fmt: skip
#: What an action and a risk have.
FIELDS = {"action": ("name",), "risk": ("level", "score", "amount", "currency", "domain", "sentiment")}
#: The functions a condition may call: ours, then CEL's.
FUNCTIONS = (
    "count", "sum", "size", "contains", "startsWith", "endsWith", "matches", "string", "int", "uint", "double",
    "bytes", "type", "dyn", "duration", "timestamp", "getFullYear", "getMonth", "getDate", "getDayOfMonth",
    "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
)  # fmt: skip
#: The macros, which CEL expands before anybody sees them.
MACROS = ("has", "all", "exists", "exists_one", "map", "filter")

_TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|\s+)
    |(?P<string>(?:[bB]?[rR][bB]?)(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
        |[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<hex>0[xX][0-9a-fA-F]+u?)
    |(?P<duration>(?:[0-9]+[wdhms])+(?!\w))
    |(?P<float>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
    |(?P<int>[0-9]+(?!\w))
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
#: A string without prefix, in quotes that are not tripled.
_PLAIN = re.compile(r"""'[^']*'|"[^"]*\"""")
_LONGEST_SOURCE = 4_096
#: The functions that are ours.
_COUNTERS = frozenset(FUNCTIONS[:2])


class ConditionFault(ValueError):
    """An expression that is refused; the text says why and what is allowed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expression that could not be evaluated, and why. It never says a value of the request."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Condition:
    """A compiled expression. `paths` are the values it reads (`("args", "env")`), `windows` its counters' spans.

    `actions` are the action names it compares `action.name` with. `variables` are the names its program looks up,
    those a macro binds with them, and `whole` those of them it may read more of than `paths` say. Where it begins
    with `action.name == "x" &&`, `only` holds the actions it can be true for: for any other it is false, whatever the
    rest comes to, and for those it comes to what `rest` does, which leaves that comparison out.
    """

    source: str
    program: cel.Program
    names: frozenset[str]
    paths: tuple[tuple[str, ...], ...] = ()
    windows: tuple[timedelta, ...] = ()
    actions: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    counts: bool = False
    only: frozenset[str] = frozenset()
    rest: Condition | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def compile_condition(source: str, *, decimals: bool = False) -> Condition:
    """Compile an expression. `decimals` reads whole numbers as decimals. Raises ConditionFault."""
    if len(source) > _LONGEST_SOURCE:
        raise ConditionFault(f"is longer than {_LONGEST_SOURCE} characters; split it into two rules")
    tokens = _tokens(source)
    _check_sums(tokens)
    condition = _compiled(source, tokens, decimals)
    narrowed = _narrowed(tokens)
    if narrowed is None:
        return condition
    only, rest = narrowed
    return replace(condition, only=only, rest=_compiled(source, rest, decimals))


def _compiled(source: str, tokens: list[_Token], decimals: bool) -> Condition:
    try:
        program = cel.compile("".join(_rewritten(tokens, decimals)))
        references = program.references()
    except BaseException as fault:
        raise ConditionFault(f"cannot be read as CEL: {_first_line(_ordinary(fault))}") from fault
    bound = _bound(tokens)
    _check_names(set(references["variables"]) - bound, tokens)
    _check_functions(references["functions"])
    paths, variables = _paths(tokens, bound), frozenset(references["variables"]).intersection(NAMES)
    told = {path[0] for path in paths} - {path[0] for path in paths if len(path) == 1}
    return Condition(
        source=source,
        program=program,
        names=variables - bound,
        paths=paths,
        windows=tuple(s for t in tokens if t.kind == "duration" and (s := durations.parse(t.text)) is not None),
        actions=_actions(tokens),
        variables=variables,
        whole=variables - told,
        counts=not _COUNTERS.isdisjoint(references["functions"]),
    )


class Scope:
    """What the conditions of one request are evaluated against: one CEL context.

    A value is turned into CEL when the first condition that reads it comes: for a text that costs more than most
    conditions do.
    """

    __slots__ = ("_context", "_functions", "_taken", "_trouble", "_values", "missing")

    def __init__(self, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        """`values` by name; a value CEL cannot take is left out and named in `missing` when it is first read."""
        self._context = cel.Context()
        self._values, self._functions = values, functions
        self._taken: set[str] = set()
        self._trouble: list[str] = []
        self.missing: list[str] = []

    def evaluate(self, condition: Condition) -> Any:
        """The value of an expression, or a Failure."""
        if not condition.variables <= self._taken:
            self._take(condition.variables - self._taken)
        if condition.counts:
            self._trouble.clear()
            self._take_functions()
        try:
            value = condition.program.execute(self._context)
        except BaseException as fault:  # noqa: BLE001 - see _ordinary
            return Failure(_why(_ordinary(fault)))
        return Failure(self._trouble[0]) if condition.counts and self._trouble else value

    def _take(self, names: frozenset[str]) -> None:
        self._taken |= names
        for name in names & self._values.keys():
            try:
                self._context.add_variable(name, self._values[name])
            except BaseException as fault:  # noqa: BLE001 - see _ordinary
                _ordinary(fault)
                self.missing.append(name)

    def _take_functions(self) -> None:
        for name, call in self._functions.items():
            self._context.add_function(name, self._guarded(call))
        self._functions = {}

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        # A Python error inside a CEL function is printed to stderr by the binding, with the values it was called
        # with; and `false && f()` would swallow it. So nothing is raised, and the whole expression fails.
        def guarded(*arguments: Any) -> Any:
            try:
                return call(*arguments)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the condition fails
                self._trouble.append(f"a counter could not be read ({type(fault).__name__})")
                return None

        return guarded


def _ordinary(fault: BaseException) -> BaseException:
    """Let the interpreter's own exceptions go on; a panic of the engine derives from BaseException as they do."""
    if isinstance(fault, (KeyboardInterrupt, SystemExit, GeneratorExit)):
        raise fault
    return fault


def _why(fault: BaseException) -> str:
    match fault:
        case KeyError():
            return f"there is no {str(fault.args[0])[:80]!r}" if fault.args else "a key is absent"
        case TypeError():
            return "a value is absent or of another type than the expression needs"
        case ZeroDivisionError():
            return "division by zero"
        case OverflowError():
            return "a number is too large"
        case RuntimeError():
            return "a name has no value or a function refused its arguments"
        case _:
            return f"the expression could not be evaluated ({type(fault).__name__})"


# ---------------------------------------------------------------------------------------------- reading the text


def _tokens(source: str) -> list[_Token]:
    found = (_Token(match.lastgroup or "other", match.group()) for match in _TOKEN.finditer(source))
    return [token for token in found if token.kind != "skip" or not token.text.startswith("//")]


def _significant(tokens: list[_Token]) -> list[_Token]:
    return [token for token in tokens if token.kind != "skip"]


def _rewritten(tokens: list[_Token], decimals: bool) -> list[str]:
    depth, out = 0, []
    for token in tokens:
        depth += {"[": 1, "]": -1}.get(token.text, 0)
        span = durations.parse(token.text) if token.kind == "duration" else None
        if span is not None:
            out.append(f'duration("{int(span.total_seconds())}s")')
        elif decimals and token.kind == "int" and depth == 0:
            out.append(f"{token.text}.0")
        else:
            out.append(token.text)
    return out


def _bound(tokens: list[_Token]) -> set[str]:
    """The names macros bind: `x` in `args.lines.exists(x, x.amount > 5)`."""
    t = _significant(tokens)
    return {
        t[n + 3].text
        for n in range(len(t) - 4)
        if t[n].text == "." and t[n + 1].text in MACROS and t[n + 2].text == "(" and t[n + 4].text == ","
    }


def _paths(tokens: list[_Token], bound: set[str]) -> tuple[tuple[str, ...], ...]:
    t = [*_significant(tokens), _Token("other", ""), _Token("other", "")]
    found: dict[tuple[str, ...], None] = {}
    for n, token in enumerate(t):
        if (
            token.kind == "name"
            and token.text in NAMES
            and token.text not in bound
            and (n == 0 or t[n - 1].text != ".")
        ):
            found[_path(t, n)] = None
    return tuple(found)


def _path(tokens: list[_Token], start: int) -> tuple[str, ...]:
    path, n = [tokens[start].text], start + 1
    while tokens[n].text == "." and tokens[n + 1].kind == "name" and tokens[n + 2].text != "(":
        path.append(tokens[n + 1].text)
        n += 2
    return tuple(path)


def _actions(tokens: list[_Token]) -> tuple[str, ...]:
    """The literals after `action.name ==` and in `action.name in […]`."""
    t = [*_significant(tokens), *(_Token("other", "") for _ in range(4))]
    found: list[str] = []
    for n in range(len(t) - 6):
        if [x.text for x in t[n : n + 3]] != ["action", ".", "name"]:
            continue
        if t[n + 3].text == "=" and t[n + 4].text == "=":
            found += _literals(t[n + 5 : n + 6])
        elif t[n + 3].text == "in" and t[n + 4].text == "[":
            stop = next((k for k in range(n + 5, len(t)) if t[k].text == "]"), len(t))
            found += _literals(t[n + 5 : stop])
    return tuple(dict.fromkeys(found))


def _narrowed(tokens: list[_Token]) -> tuple[frozenset[str], list[_Token]] | None:
    """The actions an expression can be true for, and its tokens with `true` for the comparison that says so.

    Only where that comparison comes first and everything else is joined to it by `&&`: CEL then looks at nothing else
    once it is false. None for all others, and where a backslash or a macro leaves any doubt about what is written.
    """
    places = [n for n, token in enumerate(tokens) if token.kind != "skip"]
    t = [*(tokens[n] for n in places), *(_Token("other", "") for _ in range(6))]
    doubt = any("\\" in token.text or token.text in ("'", '"') for token in t) or "action" in _bound(tokens)
    if doubt or [token.text for token in t[:3]] != ["action", ".", "name"]:
        return None
    if t[3].text == "=" and t[4].text == "=":
        stop = 6
        listed = t[5:stop]
    elif t[3].text == "in" and t[4].text == "[":
        stop = next((n for n, token in enumerate(t) if token.text == "]"), len(t)) + 1
        listed = [token for token in t[5 : stop - 1] if token.text != ","]
    else:
        return None
    plain = all(_PLAIN.fullmatch(token.text) for token in listed)
    if not plain or not _only_and(t[stop : len(places)]):
        return None
    return frozenset(_literals(listed)), [_Token("name", "true"), *tokens[places[stop - 1] + 1 :]]


def _only_and(tokens: list[_Token]) -> bool:
    """Whether tokens after an operand are nothing, or more operands joined by `&&` alone."""
    depth = 0
    for token in tokens:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
        if depth == 0 and token.text in ("|", "?"):
            return False
    return [token.text for token in tokens[:2]] in ([], ["&", "&"])


def _literals(tokens: list[_Token]) -> list[str]:
    return [token.text[1:-1] for token in tokens if token.kind == "string" and token.text[0] in "'\""]


def _check_sums(tokens: list[_Token]) -> None:
    t = [*_significant(tokens), *(_Token("other", "") for _ in range(6))]
    for n in range(len(t) - 6):
        member = n > 0 and t[n - 1].text == "."
        if member or t[n].kind != "name" or t[n + 1].text != "(":
            continue
        if t[n].text == "sum" and [x.text for x in t[n + 2 : n + 4]] != ["amount", ","]:
            raise ConditionFault("sum adds up amounts over a time; write it as sum(amount, 24h)")
        if t[n].text in ("sum", "count") and t[n + (4 if t[n].text == "sum" else 2)].kind != "duration":
            raise ConditionFault("a counter needs a time to look back, written out: count(1h), sum(amount, 24h)")


def _check_names(variables: set[str], tokens: list[_Token]) -> None:
    unknown = sorted(variables - set(NAMES))
    if unknown:
        raise ConditionFault(f"unknown name {', '.join(unknown)}; allowed: {', '.join(NAMES)}")
    for root, *rest in _paths(tokens, set()):
        if root in FIELDS and rest and rest[0] not in FIELDS[root]:
            raise ConditionFault(f"unknown name {root}.{rest[0]}; allowed: {', '.join(FIELDS[root])}")


def _check_functions(functions: list[str]) -> None:
    unknown = [name for name in functions if name.isidentifier() and name not in FUNCTIONS]
    if unknown:
        allowed = ", ".join((*FUNCTIONS, *MACROS))
        raise ConditionFault(f"unknown function {', '.join(unknown)}; allowed: {allowed}")


def _first_line(fault: BaseException) -> str:
    lines = str(fault).splitlines()
    return lines[0][:200] if lines else type(fault).__name__
