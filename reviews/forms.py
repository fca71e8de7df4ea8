"""The form an edit is made with, from the action's schema or, where there is none, from its arguments. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reviews.card import Form, Input, Kind
from reviews.model import Object, Review
from reviews.redact import MASK, covers, join, lookup, place, scrubber, segments

ARGUMENTS = "/action/arguments"
_LONG = 120


def edit_form(review: Review, say: Callable[[str], str]) -> Form:
    """A field per argument: typed where the schema or the value says so, JSON text for the rest.

    Field names are JSON Pointers into `arguments`. Sensitive fields, and those that mention something sensitive, are
    locked: shown empty, blank keeps them. `say` hides and cleans what a schema says, for it may be the agent's own.
    """
    arguments = review.request.action.arguments
    properties = _properties(review.route.schema)
    required = frozenset((review.route.schema or {}).get("required", ()))
    locked = _locked(review)
    fields = tuple(
        _field(name, properties.get(name, {}), arguments.get(name), name in required, locked=name in locked, say=say)
        for name in dict.fromkeys((*properties, *arguments))
    )
    return Form(fields=fields, submit="Save and approve", intro="Your edit becomes a new revision, checked again.")


def merged(review: Review, given: Object) -> Object:
    """The complete arguments of an edit: what was given, and the locked values that were left blank."""
    arguments = review.request.action.arguments
    locked = _locked(review)
    # A form leaves blank fields out, so what was blank before and is absent now was not touched.
    kept = {name: value for name, value in arguments.items() if name in locked or value in (None, "")}
    complete = {**given, **{name: value for name, value in kept.items() if _absent(given, join(name))}}
    for pointer in review.route.sensitive:
        inner = pointer.removeprefix(ARGUMENTS)
        if not pointer.startswith(ARGUMENTS + "/") or not _absent(complete, inner):
            continue
        try:
            hidden = lookup(arguments, inner)
        except KeyError:
            continue  # nothing there to keep
        # Not into lists: where a line was taken out, the next one would get its account number.
        if not any(part.isdigit() for part in segments(inner)):
            complete = place(complete, inner, hidden)
    return complete


def _locked(review: Review) -> frozenset[str]:
    """The arguments, present or of the schema, that are sensitive in whole or in part, or speak of what is."""
    sensitive, arguments = review.route.sensitive, review.request.action.arguments
    if not sensitive:
        return frozenset()
    hide = scrubber(review.request, sensitive, review.original)
    return frozenset(
        name
        for name in (*_properties(review.route.schema), *arguments)
        if _sensitive(ARGUMENTS + join(name), sensitive) or _speaks(arguments.get(name), hide)
    )


def _sensitive(pointer: str, sensitive: tuple[str, ...]) -> bool:
    return covers(sensitive, pointer) or any(hidden.startswith(pointer + "/") for hidden in sensitive)


def _speaks(value: Any, hide: Callable[[str], str]) -> bool:
    said = text_of(value, Kind.TEXT if isinstance(value, str) else Kind.JSON)
    return hide(said) != said


def _absent(given: Object, pointer: str) -> bool:
    try:
        return lookup(given, pointer) in (None, "")
    except KeyError:
        return True


def _properties(schema: Object | None) -> dict[str, Object]:
    found = (schema or {}).get("properties", {})
    return {name: spec for name, spec in found.items() if isinstance(spec, dict)} if isinstance(found, dict) else {}


def _field(name: str, spec: Object, value: Any, required: bool, *, locked: bool, say: Callable[[str], str]) -> Input:
    kind = kind_of(spec, value)
    choices = tuple(choice for choice in spec["enum"] if MASK not in say(choice)) if kind is Kind.CHOICE else ()
    if locked and kind is Kind.CHOICE:
        # A list to choose from could give away what is hidden; the schema still has the last word.
        kind, choices = Kind.TEXT, ()
    return Input(
        name=join(name),
        label=say(str(spec.get("title") or name)),
        kind=kind,
        value="" if locked else text_of(value, kind),
        required=required and not locked,
        choices=choices,
        hint="Hidden; leave it blank to keep it." if locked else say(str(spec.get("description") or "")),
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
