"""A filled-in form made into an Interaction, the same way on every surface. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reviews.card import Actions, Card, Control, Form, Input
from reviews.events import Interaction
from reviews.forms import in_one
from reviews.model import Object, Verb
from reviews.plan import none_ticked
from reviews.typed import Misfit, is_argument, left_out, lines, nested, value
from reviews.values import replace

#: What decides, and so must name the revision it was decided on.
DECIDES = frozenset({Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.REQUEST_CHANGES, Verb.ANSWER, Verb.BREAK_GLASS})
_WORDS = ("reason", "notes", "to", "about", "agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """A form that cannot be taken as it is: `errors` by field, `values` as typed, `text` for the whole."""

    errors: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    text: str = "Some fields need another look."


def controls(card: Card) -> tuple[Control, ...]:
    """Every control of a card, the rarely used ones last."""
    found = [block for block in card.blocks if isinstance(block, Actions)]
    return tuple(c for block in found for c in (*block.controls, *block.overflow))


def control(card: Card, verb: Verb) -> Control | None:
    """The card's control for a verb, if it has one now."""
    return next((c for c in controls(card) if c.verb is verb), None)


def interaction(bare: Interaction, card: Card, values: Mapping[str, str]) -> Interaction | Faults:
    """What the person did, with form values in the types the card's form asks for.

    `bare` says who pressed what on which revision; `values` are texts by field name, where an emptied field is there
    as "" and one that was not asked is not. All arguments may come as one JSON text under the name "" (`in_one`).
    Words under `text` are the reason, or notes beside a reason that was chosen. A control the card no longer has is
    passed on without a form, so that the desk can say who was first.
    """
    if bare.verb in DECIDES and bare.revision is None:
        text = "It was not said which revision you saw. Open the review again, then decide."
        return Faults(text=text, values=dict(values))
    form = _form(control(card, bare.verb), values)
    fields = form.fields if form is not None else ()
    arguments, errors = _arguments(fields, values)
    errors |= lacks(fields, values) | none_ticked(fields, arguments)
    if errors:
        return Faults(errors=errors, values=dict(values))
    given = None if form is None else _given(bare.verb, arguments)
    return replace(bare, arguments=given, **_words(values, bare.reason))


def lacks(fields: Sequence[Input], values: Mapping[str, str]) -> dict[str, str]:
    """Faults of required and over-long fields, by name. A person's own words, `text`, stand in for a reason."""
    return dict(_lacks(fields, values))


def _lacks(fields: Sequence[Input], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for about in fields:
        text = lines(values.get(about.name, ""))
        own = lines(values.get("text", "")) if about.name == "reason" else ""
        if about.required and not about.locked and not (text.strip() or own.strip()):
            yield about.name, "This is needed."
        for name, said in ((about.name, text), ("text", own)):
            if len(said) > max(about.max_length, len(about.value)):
                yield name, f"Too long: at most {about.max_length} characters, this has {len(said)}."


def _form(pressed: Control | None, values: Mapping[str, str]) -> Form | None:
    form = pressed.form if pressed is not None else None
    return in_one(form) if form is not None and "" in values else form


def _arguments(fields: Sequence[Input], values: Mapping[str, str]) -> tuple[Object, dict[str, str]]:
    """The arguments given. A blank field is left out: locked ones keep their value, others go."""
    flat: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for about in fields:
        text = values.get(about.name)
        if not is_argument(about) or text is None or left_out(text, about):
            continue
        try:
            flat[about.name] = value(text, about)
        except Misfit as fault:
            errors[about.name] = str(fault)
    return nested(flat), errors


def _words(values: Mapping[str, str], chosen: str | None) -> dict[str, Any]:
    """The plain-word fields. `text` is the person's reason unless one was chosen; then it is a note."""
    words = {name: values[name].strip() for name in _WORDS if name in values}
    text = values.get("text", "").strip()
    if text:
        words["notes" if words.get("reason") or chosen else "reason"] = text
    return {name: lines(word) for name, word in words.items() if word}


def _given(pressed: Verb, arguments: Object) -> Object | None:
    match pressed:
        case Verb.EDIT:
            return arguments
        case Verb.ANSWER:
            return arguments or None
        case _:
            return None
