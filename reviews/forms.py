"""The form an edit is made with, from the action's schema or, where there is none, from its arguments. No I/O."""

from __future__ import annotations

import json
from typing import Any

from reviews.card import Form, Input, Kind
from reviews.model import Object, Review
from reviews.redact import covers, join, lookup, place

ARGUMENTS = "/action/arguments"
_LONG = 120


def edit_form(review: Review) -> Form:
    """A field per argument: typed where the schema or the value says so, JSON text for the rest.

    Field names are JSON Pointers into `arguments`. Sensitive fields are locked: shown empty, blank keeps them.
    """
    arguments = review.request.action.arguments
    properties = _properties(review.route.schema)
    required = frozenset((review.route.schema or {}).get("required", ()))
    fields = tuple(
        _field(review, name, properties.get(name, {}), arguments.get(name), name in required)
        for name in dict.fromkeys((*properties, *arguments))
    )
    return Form(fields=fields, submit="Save and approve", intro="Your edit becomes a new revision, checked again.")


def merged(review: Review, given: Object) -> Object:
    """The complete arguments of an edit: what was given, and the locked values that were left blank."""
    # A form leaves blank fields out, so what was blank before and is absent now was not touched.
    untouched = {name: value for name, value in review.request.action.arguments.items() if value in (None, "")}
    complete = {**{name: value for name, value in untouched.items() if name not in given}, **given}
    for pointer in review.route.sensitive:
        if not pointer.startswith(ARGUMENTS + "/"):
            continue
        inner = pointer.removeprefix(ARGUMENTS)
        try:
            kept = lookup(review.request.action.arguments, inner)
        except KeyError:
            continue  # nothing there to keep
        if _absent(given, inner):
            complete = place(complete, inner, kept)
    return complete


def _absent(given: Object, pointer: str) -> bool:
    try:
        return lookup(given, pointer) in (None, "")
    except KeyError:
        return True


def _properties(schema: Object | None) -> dict[str, Object]:
    found = (schema or {}).get("properties", {})
    return {name: spec for name, spec in found.items() if isinstance(spec, dict)} if isinstance(found, dict) else {}


def _field(review: Review, name: str, spec: Object, value: Any, required: bool) -> Input:
    pointer = join(name)
    locked = covers(review.route.sensitive, ARGUMENTS + pointer) or any(
        hidden.startswith(ARGUMENTS + pointer + "/") for hidden in review.route.sensitive
    )
    kind = kind_of(spec, value)
    return Input(
        name=pointer,
        label=str(spec.get("title") or name),
        kind=kind,
        value="" if locked else text_of(value, kind),
        required=required and not locked,
        choices=tuple(str(choice) for choice in spec.get("enum", ())) if kind is Kind.CHOICE else (),
        hint="Hidden; leave it blank to keep it." if locked else str(spec.get("description") or ""),
        locked=locked,
        max_length=_length(spec),
    )


def _length(spec: Object) -> int:
    length = spec.get("maxLength", 3000)
    return min(length, 3000) if isinstance(length, int) and length > 0 else 3000


def kind_of(spec: Object, value: Any) -> Kind:
    """The input a property wants, by its schema, else by its present value."""
    choices = spec.get("enum")
    if isinstance(choices, list) and choices and all(isinstance(choice, str) for choice in choices):
        return Kind.CHOICE
    declared = spec.get("type") or _type_of(value)
    match declared:
        case "string" if spec.get("format") == "date":
            return Kind.DATE
        case "string":
            long = len(value) > _LONG or "\n" in value if isinstance(value, str) else False
            return Kind.MULTILINE if long else Kind.TEXT
        case "number":
            return Kind.NUMBER
        case "integer":
            return Kind.INTEGER
        case "boolean":
            return Kind.BOOLEAN
        case _:
            return Kind.JSON


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case _:
            return "json"


def text_of(value: Any, kind: Kind) -> str:
    """A value as the text of its input."""
    if value is None:
        return ""
    if kind is Kind.JSON:
        return json.dumps(value, ensure_ascii=False, indent=2)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
