"""An agent's JSON Schema is input, not trust."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from policies import schemas
from policies.errors import SchemaFault
from policies.schemagraph import Graph


def ladder(depth: int, width: int, word: str) -> dict[str, Any]:
    """Definitions each of which applies the next one `width` times."""
    defs: dict[str, Any] = {
        f"d{n}": {word: [{"$ref": f"#/$defs/d{n + 1}"} for _ in range(width)]} for n in range(depth)
    }
    return {"$defs": {**defs, f"d{depth}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def nested(levels: int) -> dict[str, Any]:
    """A schema or value so deep."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach anything is an error."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"$ref": "http://127.0.0.1:9/x"}, "/$ref"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "/$ref"),
        ({"$ref": "other.json"}, "/$ref"),
        ({"$ref": "file:///etc/passwd"}, "/$ref"),
        ({"$ref": 7}, "/$ref"),
        ({"$ref": "#/$defs/none"}, "/$ref"),
        ({"$ref": "#nowhere"}, "/$ref"),
        ({"$ref": "#"}, ""),
        ({"allOf": [{"$ref": "#"}]}, ""),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, ""),
        ({"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a"}}}, "/$dynamicRef"),
        ({"properties": {"a": {"$dynamicAnchor": "a"}}}, "/properties/a/$dynamicAnchor"),
        ({"$recursiveRef": "#"}, "/$recursiveRef"),
        ({"$vocabulary": {}}, "/$vocabulary"),
        ({"$schema": "http://127.0.0.1:9/dialect"}, "/$schema"),
        ({"$schema": ["x"]}, "/$schema"),
        ({"properties": {"a": {"$schema": "http://json-schema.org/draft-04/schema#"}}}, "/properties/a/$schema"),
        ({"$id": "http://x.test/a", "$ref": "b"}, "/$ref"),
        ({"$id": "http://x.test/a", "$ref": "http://x.test/a"}, "/$ref"),
        ({"properties": {"a": {"$id": "http://127.0.0.1:9/b", "$ref": "#/x"}}}, "/properties/a/$id"),
        ({"type": "frob"}, "/type"),
        ({"properties": []}, "/properties"),
        ({"required": "a"}, "/required"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "/properties/a/pattern"),
        ({"properties": {"a": {"pattern": r"(a)\1"}}}, "/properties/a/pattern"),
        ({"properties": {"a": {"pattern": "("}}}, "/properties/a/pattern"),
        ({"properties": {"a": {"pattern": "((a{100}){100}){100}"}}}, "/properties/a/pattern"),
        ({"patternProperties": {"(?<!a)b": {}}}, "/patternProperties"),
        ({"patternProperties": {f"a{n}": {} for n in range(40)}}, ""),
        ({"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}, ""),
        (nested(21), ""),
        ({"description": "x" * schemas.LARGEST}, ""),
        ({"minimum": float("nan")}, ""),
        ({"minimum": 2**60}, ""),
        (ladder(12, 3, "allOf"), ""),
        (ladder(12, 3, "anyOf"), ""),
        (ladder(12, 3, "oneOf"), ""),
        ({"properties": {"a": {"allOf": [{"$ref": "#"}] * 8}}}, ""),
        ({"allOf": [{"properties": {"a": {"type": "string"}}}] * 600}, ""),
    ],
)
def test_what_is_refused_says_where_and_how_to_mend_it(schema: Any, pointer: str) -> None:
    """Remote and circular references, dialects, dear patterns, explosive schemas; nothing is fetched."""
    for _ in range(2):  # the second answer comes from the cache and is the same
        with pytest.raises(SchemaFault) as caught:
            schemas.check(schema)
        assert caught.value.pointer.startswith(pointer)
        assert caught.value.fix.endswith(".")
        assert caught.value.fix in str(caught.value)


@pytest.mark.parametrize("schema", [[], "x", True, None])
def test_a_schema_is_an_object(schema: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(SchemaFault, match="no object"):
        schemas.check(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://x.test/y", "type": "object"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}},
        {"enum": [{"$ref": "http://127.0.0.1:9/x"}]},
        {"default": {"$id": "x"}, "examples": [{"$dynamicRef": "y"}]},
        {"properties": {"child": {"$ref": "#"}}},
        {"properties": {"l": {"$ref": "#"}, "r": {"$ref": "#"}}},
        {"$defs": {"a": {"$anchor": "here", "type": "string"}}, "properties": {"z": {"$ref": "#here"}}},
        {"$defs": {"a/b": {"type": "string"}}, "properties": {"z": {"$ref": "#/$defs/a~1b"}}},
        {"properties": {"a": {"pattern": "^(a+)+$"}}},
        {"properties": {f"p{n}": {"type": ["string", "null"], "maxLength": 9} for n in range(300)}},
        ladder(4, 3, "allOf"),
        nested(20),
    ],
)
def test_ordinary_schemas_pass(schema: dict[str, Any]) -> None:
    """What frameworks make of their tools is read, recursion over the value included."""
    schemas.check(schema)


def test_faults_are_told_by_pointer_without_the_values() -> None:
    """Every place that does not fit, and nothing of what it holds."""
    schema = {
        "type": "object",
        "required": ["order"],
        "properties": {
            "iban": {"type": "string", "pattern": "^DE"},
            "lines": {"type": "array", "items": {"type": "integer"}},
            "on": {"type": "string", "format": "date"},
            "a/b": {"enum": ["x"]},
        },
    }
    found = schemas.faults(schema, {"iban": "SECRET", "lines": [1, "SECRET"], "on": "SECRET", "a/b": "SECRET"})
    assert set(found) == {"", "/iban", "/lines/1", "/on", "/a~1b"}
    assert "SECRET" not in str(found)
    assert schemas.faults(schema, {"order": 1, "iban": "DE1", "lines": [1], "on": "2026-03-04", "a/b": "x"}) == {}


def test_at_most_twenty_faults_are_told() -> None:
    """A list of a thousand wrong members is not a thousand sentences."""
    found = schemas.faults({"properties": {"a": {"items": {"type": "string"}}}}, {"a": list(range(1000))})
    assert len(found) == schemas.MOST_FAULTS


def test_a_large_value_gets_one_fault() -> None:
    """Where telling all would take long, the first is told."""
    found = schemas.faults({"additionalProperties": {"type": "string"}}, {str(n): n for n in range(30_000)})
    assert len(found) == 1


def test_a_deep_value_is_not_checked_into_the_ground() -> None:
    """A recursive schema that doubles with each level is fine for flat values and refused for deep ones."""
    schema = {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "maxProperties": 1}
    assert schemas.faults(schema, {"a": {}}) == {}
    assert "flatter" in schemas.faults(schema, nested(40))[""]


def test_a_dear_pattern_is_cheap() -> None:
    """The classic backtracking bomb takes linear time: this would never end otherwise."""
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    assert "/a" in schemas.faults(schema, {"a": "a" * 100_000 + "b"})


def test_a_format_never_compiles_what_the_arguments_hold() -> None:
    """`format: regex` is a word, not a check."""
    assert schemas.faults({"properties": {"a": {"format": "regex"}}}, {"a": "(((("}) == {}


def test_a_faulty_schema_is_never_a_pass() -> None:
    """Asking for faults under a refused schema raises; it never says that all is well."""
    with pytest.raises(SchemaFault):
        schemas.faults({"$ref": "http://127.0.0.1:9/x"}, {})


def test_the_cache_is_bounded() -> None:
    """However many schemas come, few are kept."""
    for n in range(schemas._CACHED * 3):
        schemas.check({"maxProperties": n})
    assert len(schemas._cache) <= schemas._CACHED


def test_the_cost_of_a_schema_counts_every_way() -> None:
    """Alternatives add up at one place; members of which one applies do not."""
    assert Graph({"anyOf": [{"type": "string"}, {"type": "null"}]}).cost(0) == 3
    assert Graph({"properties": {"a": {"x": 1}, "b": {"x": 2}}}).cost(1) == 2
    doubling = Graph({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}})
    assert [doubling.cost(depth) for depth in (0, 1, 2)] == [1, 6, 16]
    assert doubling.cost(64) == float("inf")


def test_a_schema_is_not_changed() -> None:
    """`$schema` and `$id` stay in what was given."""
    schema = {"$id": "https://x.test/y", "type": "object"}
    before = json.dumps(schema)
    schemas.check(schema)
    assert json.dumps(schema) == before
