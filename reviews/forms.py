"""The form an edit is made with, from the action's schema or, where there is none, from its arguments. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reviews import plan
from reviews.card import Form, Input, Kind
from reviews.model import Object, Review
from reviews.redact import MASK, covers, join, lookup, place, scrubber, segments
from reviews.typed import Misfit, is_argument, left_out, nested, value
from reviews.values import replace
from reviews.words import whole

ARGUMENTS = "/action/arguments"
_LONG = 120
#: Characters of all arguments in one text.
_LONGEST = 200_000


def edit_form(review: Review, say: Callable[[str], str]) -> Form:
    """A field per argument: typed where the schema or the value says so, JSON text for the rest.

    Field names are JSON Pointers into `arguments`. Sensitive fields, and those that mention something sensitive, are
    locked: shown empty, blank keeps them. `say` hides and cleans what a schema says, for it may be the agent's own.
    The steps of a plan are ticked one by one.
    """
    form = _by_argument(review, say)
    steps = plan.fields(review, say)
    others = tuple(field for field in form.fields if field.name != "/steps")
    if not steps or len(steps) + len(others) > plan.MOST:
        return form
    (in_text,) = in_one(form).fields
    return Form(fields=(*steps, *others), submit="Approve the ticked steps", intro=plan.intro(review), whole=in_text)


def _by_argument(review: Review, say: Callable[[str], str]) -> Form:
    arguments = review.request.action.arguments
    properties = _properties(review.route.schema)
    # What is there and blank may stay so: left blank it keeps its value.
    blank = (name for name, present in arguments.items() if present is None or _is_blank(present))
    required = frozenset((review.route.schema or {}).get("required", ())).difference(blank)
    locked = _locked(review)
    fields = tuple(
        _field(name, properties.get(name, {}), arguments.get(name), name in required, locked=name in locked, say=say)
        for name in dict.fromkeys((*properties, *arguments))
    )
    return Form(fields=fields, submit="Save and approve", intro="Your edit becomes a new revision, checked again.")


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def in_one(form: Form) -> Form:
    """The same form with all its arguments in one JSON text, for where so many fields, or such long ones, do not fit.

    Locked fields are not asked: what is absent keeps its value (`merged`), what is written in replaces it.
    """
    words = tuple(about for about in form.fields if not is_argument(about))
    if form.whole is not None:
        return replace(form, fields=(form.whole, *words))
    arguments = [about for about in form.fields if is_argument(about)]
    flat = {about.name: _own(about) for about in arguments if not left_out(about.value, about)}
    hidden = ", ".join(about.label for about in arguments if about.locked)
    whole = Input(
        name="",
        label="Arguments (JSON)",
        kind=Kind.JSON,
        value=text_of(nested(flat), Kind.JSON),
        required=True,
        max_length=_LONGEST,
        hint=f"Hidden and kept, unless you write them in: {hidden}." if hidden else "",
    )
    return replace(form, fields=(whole, *words))


def _own(about: Input) -> Any:
    """The value a field has before anybody touches it; its text where its kind cannot read it."""
    try:
        return value(about.value, about)
    except Misfit:
        return about.value


def merged(review: Review, given: Object) -> Object:
    """The complete arguments of an edit: what was given, and the locked values that were left blank.

    Steps of a plan that were ticked become a plan again.
    """
    given = plan.chosen(review, given)
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
        if _has_room(complete, arguments, segments(inner)):
            complete = place(complete, inner, hidden)
    return complete


def _has_room(given: Any, arguments: Any, path: list[str]) -> bool:
    """Whether a hidden value can be put back there and nothing that was written instead is lost.

    Into objects only: where a line was taken out of a list, the next one would get its account number.
    """
    *way, _ = path
    for part in way:
        if not (isinstance(given, dict) and isinstance(arguments, dict)):
            return False
        given, arguments = given.get(part, {}), arguments[part]
    return isinstance(given, dict) and isinstance(arguments, dict)


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


def kind_of(spec: Object, present: Any) -> Kind:
    """The input a property wants, by its schema, else by its present value."""
    choices = spec.get("enum")
    if isinstance(choices, list) and choices and all(isinstance(choice, str) for choice in choices):
        return Kind.CHOICE
    declared = spec.get("type") or _type_of(present)
    match declared:
        case "string" if spec.get("format") == "date":
            return Kind.DATE
        case "string":
            long = len(present) > _LONG or "\n" in present if isinstance(present, str) else False
            return Kind.MULTILINE if long else Kind.TEXT
        case "number":
            return Kind.NUMBER
        case "integer":
            # JSON Schema calls 3.0 an integer too; as a number it stays what it was.
            return Kind.NUMBER if isinstance(present, float) else Kind.INTEGER
        case "boolean":
            return Kind.BOOLEAN
        case _:
            return Kind.JSON


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"  # JSON has one type of number: 180 may become 120.50
        case str():
            return "string"
        case _:
            return "json"


def text_of(value: Any, kind: Kind) -> str:
    """A value as the text of its input."""
    if value is None:
        return ""
    if kind is Kind.JSON:
        return json.dumps(whole(value), ensure_ascii=False, indent=2)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(whole(value))
