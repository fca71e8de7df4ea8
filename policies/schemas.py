"""JSON Schemas from agents: input, not trust. Checked before use, compiled once, with bounded work. No I/O.

JSON Schema 2020-12 (json-schema.org). A schema may only refer to itself; nothing is ever fetched. Patterns run in
linear time (no look-around, no back-references). Combinations whose checking would explode are refused: naive
validators evaluate every branch of `allOf`, `anyOf` and `oneOf`, so nesting them multiplies.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import jsonschema_rs

from policies.errors import SchemaFault
from policies.schemagraph import Graph
from reviews.digest import sha256
from reviews.errors import DigestImpossible
from reviews.model import Object

LARGEST = 64 * 1024
DEEPEST = 20
#: Bytes one regular expression may take when compiled.
_PATTERN_BYTES = 1024 * 1024
#: Schemas evaluated for one place in the arguments at most, and for all of them while every fault is wanted.
MOST_AT_ONE_PLACE = 512
_MOST_FOR_ALL_FAULTS = 20_000
#: Evaluations one check may take at all: about a tenth of a second.
_MOST_WORK = 1_000_000
MOST_FAULTS = 20
_CACHED = 16
_SHALLOW = 4

_DRAFTS = re.compile(r"https?://json-schema\.org/(draft/20(19-09|20-12)|draft-0[4-7])/schema#?")
#: Applied to the same place in the arguments.
_HERE_ONE = ("not", "if", "then", "else")
_HERE_MANY = ("allOf", "anyOf", "oneOf")
#: Applied one level down.
_BELOW_ONE = ("items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties")


def check(schema: Object) -> None:
    """Whether a schema may be used. Raises SchemaFault with where and how to mend it."""
    _compiled(schema)


def faults(schema: Object, arguments: Object) -> dict[str, str]:
    """What does not fit, by JSON Pointer into the arguments; {} when all does. At most 20.

    The sentences never repeat a value. Raises SchemaFault for a schema that may not be used.
    """
    compiled = _compiled(schema)
    nodes, depth = _size(arguments)
    cost = compiled.graph.cost(depth)
    if cost > MOST_AT_ONE_PLACE:
        return {"": f"is nested too deeply for its schema to be checked ({depth} levels); send a flatter value"}
    if nodes * cost > _MOST_WORK:
        return {"": f"is too large for its schema to be checked ({nodes} places); send less, or a simpler schema"}
    if compiled.validator.is_valid(arguments):
        return {}
    if nodes * cost > _MOST_FOR_ALL_FAULTS:
        return _first(compiled.validator, arguments)
    found: dict[str, str] = {}
    for error in compiled.validator.iter_errors(arguments):
        found.setdefault(_pointer(error.instance_path), error.message)
        if len(found) == MOST_FAULTS:
            break
    return found


def _first(validator: jsonschema_rs.Draft202012Validator, arguments: Object) -> dict[str, str]:
    try:
        validator.validate(arguments)
    except jsonschema_rs.ValidationError as error:
        return {_pointer(error.instance_path): error.message}
    return {"": "does not fit its schema"}


def _pointer(path: list[str | int]) -> str:
    return "".join(f"/{_escaped(str(part))}" for part in path)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _size(value: Any) -> tuple[int, int]:
    """How many places a JSON value has, and how deep it is."""
    nodes, deepest, todo = 0, 0, [(value, 1)]
    while todo:
        here, depth = todo.pop()
        nodes, deepest = nodes + 1, max(deepest, depth)
        below = here.values() if isinstance(here, dict) else here if isinstance(here, (list, tuple)) else ()
        todo += [(member, depth + 1) for member in below]
    return nodes, deepest


# ---------------------------------------------------------------------------------------------- compiling


@dataclass(frozen=True, slots=True)
class _Compiled:
    validator: jsonschema_rs.Draft202012Validator
    graph: Graph


_cache: OrderedDict[str, _Compiled | SchemaFault] = OrderedDict()
_lock = Lock()


def _compiled(schema: Object) -> _Compiled:
    """The schema, compiled; what was found once is kept by its digest. Raises SchemaFault."""
    _check_form(schema)
    key = _key(schema)
    with _lock:
        found = _cache.get(key)
        if found is not None:
            _cache.move_to_end(key)
    if found is None:
        found = _attempt(schema)
        with _lock:
            _cache[key] = found
            while len(_cache) > _CACHED:
                _cache.popitem(last=False)
    if isinstance(found, SchemaFault):
        raise SchemaFault(found.pointer, found.problem, found.fix)
    return found


def _key(schema: Object) -> str:
    try:
        return sha256(schema)
    except DigestImpossible as fault:
        raise SchemaFault("", "it has no canonical form", "Use finite numbers up to 2^53.") from fault


def _attempt(schema: Object) -> _Compiled | SchemaFault:
    own = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    try:
        _check_words(schema)
        graph = Graph(own)
        if graph.cost(_SHALLOW) > MOST_AT_ONE_PLACE:
            return SchemaFault(
                "",
                "checking it would take too long",
                "Nest allOf, anyOf, oneOf and $ref less, and list fewer choices in an enum.",
            )
        return _Compiled(_validator(own), graph)
    except SchemaFault as fault:
        return fault


def _validator(schema: Object) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            schema,
            retriever=_refuse,
            validate_formats=True,
            # `format: regex` would compile what the arguments hold.
            formats={"regex": lambda text: True},
            mask="the value",
            pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=2 * _PATTERN_BYTES),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as fault:
        where = _pointer(getattr(fault, "instance_path", []))
        if where.endswith("/pattern") or "/patternProperties" in where:
            problem = "the pattern is broken, too large, or uses look-around or a back-reference"
            raise SchemaFault(where, problem, "Use a plain regular expression with small counts.") from fault
        problem = (str(getattr(fault, "message", fault)).splitlines() or ["it is no schema"])[0][:200]
        raise SchemaFault(where, problem, "It must be valid JSON Schema 2020-12.") from fault


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")


def _check_form(schema: Any) -> None:
    """Size and depth, before anything else touches it."""
    if not isinstance(schema, dict):
        raise SchemaFault("", "it is no object", "Send a JSON Schema as an object.")
    if _deeper(schema, DEEPEST):
        raise SchemaFault("", f"it is nested deeper than {DEEPEST} levels", "Move parts into $defs and refer to them.")
    try:
        size = len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode())
    except (TypeError, ValueError) as fault:
        raise SchemaFault("", "it is no JSON", "Send plain JSON values.") from fault
    if size > LARGEST:
        raise SchemaFault("", f"it has {size} bytes", f"At most {LARGEST} are taken; leave out descriptions.")


def _deeper(value: Any, levels: int) -> bool:
    todo = [(value, 1)]
    while todo:
        here, depth = todo.pop()
        if depth > levels:
            return True
        below = here.values() if isinstance(here, dict) else here if isinstance(here, (list, tuple)) else ()
        todo += [(member, depth + 1) for member in below if isinstance(member, (dict, list, tuple))]
    return False


def _check_words(schema: Object) -> None:
    draft = schema.get("$schema")
    if draft is not None and not (isinstance(draft, str) and _DRAFTS.fullmatch(draft)):
        raise SchemaFault("/$schema", "it names a dialect that is not read", "Leave $schema out; 2020-12 is meant.")
