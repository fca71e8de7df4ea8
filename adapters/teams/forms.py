"""The forms behind controls: what a button shows, or a dialog holds. Pure.

A form that Teams cannot hold field by field is asked for as one text in JSON; one it cannot hold even so is a
sentence with the link to the full page, for half a form would mislead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from microsoft_teams.cards import (
    AdaptiveCard,
    CardElement,
    Choice,
    ChoiceSetInput,
    DateInput,
    ExecuteAction,
    NumberInput,
    TextInput,
    ToggleInput,
)

from adapters import fields
from adapters.teams import limits
from adapters.teams.budget import Pen, fits
from adapters.teams.press import How, data, field_id, name_of
from adapters.teams.rich import box, dumped, flat, link, para, paras, runs, sheet, soft
from adapters.text import clean, cut, line
from adapters.token import Token
from reviews import forms
from reviews.card import Card, Control, Form, Input, Kind
from reviews.model import Verb
from reviews.values import replace

_OPEN_PAGE = "Teams cannot hold this form. Open the full page to do this."
_NEEDED = "This is needed."
#: What a number field surely takes and sends back the same; others are typed as text.
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
#: Text of a form's own: its question, what a field is about.
_INTRO = 2000


def asked(control: Control, values: Mapping[str, str] | None = None) -> Form | None:
    """What a control asks first: its form, as one text where that is how it fits or how it was sent, or its question.

    None where Teams cannot hold it.
    """
    form = control.form or Form(fields=(), submit=control.label, intro=control.confirm)
    if not holds(form) or "" in (values or {}):
        form = forms.in_one(form)
    return form if holds(form) else None


def holds(form: Form) -> bool:
    """Whether Teams holds a form as it is: every field with its value and its choices, in the size of a card."""
    # What sends it names every field once more.
    return all(map(_fits, form.fields)) and fits(dumped(sheet(inputs(form, None), [ask_button(form, "")])))


def opened(control: Control, token: Token, card: Card) -> AdaptiveCard:
    """What the button of a control shows: its form, or the question it asks first."""
    form = asked(control)
    if form is None:
        return sheet(refusal(card.link))
    return sheet(inputs(form, control.verb), [submit(control, form, token, card.version)])


def filled_in(
    control: Control,
    token: Token,
    card: Card,
    *,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    text: str = "",
) -> tuple[list[CardElement], list[ExecuteAction]]:
    """The form with what was typed and a sentence at each fault, and what sends it."""
    form = asked(control, values)
    if form is None:
        return refusal(card.link), []
    names = {field.name for field in _all(form)}
    said = " ".join(dict.fromkeys(filter(None, (text, *(e for name, e in errors.items() if name not in names)))))
    head = box(paras(Pen(_INTRO).lines("⚠️ " + said)), "warning") if said else []
    return [*head, *inputs(form, control.verb, values, errors)], [submit(control, form, token, card.version)]


def submit(control: Control, form: Form, token: Token, version: int) -> ExecuteAction:
    """The button that sends a form, or answers a question with yes."""
    names = [field.name for field in _all(form)]
    way = How.FORM if names else How.ACT
    return ExecuteAction(
        title=flat(form.submit, limits.BUTTON_TEXT) or "Send",
        verb=name_of(way, control.verb),
        data=data(way, verb=control.verb, token=token, version=version, fields=names),
        style="destructive" if control.style == "danger" else "positive",
    )


def ask_button(form: Form, nonce: str) -> ExecuteAction:
    """The button that sends the form to ask for a review with."""
    names = [field.name for field in _all(form)]
    return ExecuteAction(
        title=flat(form.submit, limits.BUTTON_TEXT) or "Ask",
        verb=name_of(How.ASK),
        data=data(How.ASK, nonce=nonce, fields=names),
        style="positive",
    )


def refusal(url: str) -> list[CardElement]:
    """What stands where a form should."""
    return [*para(runs(_OPEN_PAGE)), *para(link(url, "Full page", Pen(limits.URL)) if url else [])]


# ---------------------------------------------------------------------------------------------- fields


def inputs(
    form: Form, verb: Verb | None, values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> list[CardElement]:
    """The form's intro and its inputs, with `values` in place of those it has, and a sentence at each of `errors`."""
    head = paras(Pen(_INTRO).lines(form.intro)) if form.intro.strip() else []
    if not (head or form.fields):
        head = para(runs(f"{flat(form.submit, limits.BUTTON_TEXT)}?"))
    return [*head, *(e for field in _all(form) for e in _field(field, verb, values or {}, errors or {}))]


def _all(form: Form) -> list[Input]:
    return fields.with_own_words(form.fields, _reasons)


def _reasons(field: Input) -> list[str]:
    return fields.reasons(field, lambda choice: flat(choice, limits.CHOICE_TEXT), limits.CHOICES)


def _choices(field: Input) -> list[tuple[str, str]]:
    return fields.choices(field, value=limits.CHOICE_VALUE, most=limits.CHOICES)


def _fits(field: Input) -> bool:
    return fields.fits(field, _choices(field), limits.INPUT_TEXT)


def _field(field: Input, verb: Verb | None, values: Mapping[str, str], errors: Mapping[str, str]) -> list[CardElement]:
    value = clean(values[field.name]) if field.name in values else fields.shown(field)
    fault = para(runs(f"⚠️ {line(errors[field.name])}", color="Attention"), "None") if errors.get(field.name) else []
    hint = para(soft(cut(line(field.hint), limits.HINT), size="Small"), "None") if line(field.hint) else []
    return [_element(field, field_id(verb, field.name), value), *fault, *hint]


def _element(field: Input, name: str, value: str) -> CardElement:
    label = flat(field.label, limits.LABEL) or "–"
    if reasons := _reasons(field):
        return _select(name, label, [(reason, reason) for reason in reasons], value, required=False)
    match field.kind:
        case Kind.NUMBER | Kind.INTEGER if not value or _NUMBER.fullmatch(value):
            number = float(value) if "." in value else int(value) if value else None
            return NumberInput(id=name, label=label, value=number, **_needed(field.required))
        case Kind.BOOLEAN if fields.is_tick(field):
            # Teams reads Markdown in the box's own words, and none in its label.
            return ToggleInput(id=name, title="Yes", label=label, value="true" if value == "true" else "false")
        case Kind.BOOLEAN if value in ("", "true", "false"):
            return _select(name, label, [("true", "Yes"), ("false", "No")], value, required=field.required)
        case Kind.CHOICE if field.name != "reason":
            return _select(name, label, _choices(field), value, required=field.required)
        case Kind.DATE if not value or fields.is_date(value):
            return DateInput(id=name, label=label, value=value or None, **_needed(field.required))
        case _:
            return _text(field, name, label, value)


def _text(field: Input, name: str, label: str, value: str) -> TextInput:
    return TextInput(
        id=name,
        label=label,
        value=value or None,
        is_multiline=field.kind in (Kind.MULTILINE, Kind.JSON) or "\n" in value or None,
        max_length=max(field.max_length, len(value)),
        placeholder="Left blank it stays as it is" if field.locked else None,
        **_needed(field.required and not field.locked),
    )


def _select(name: str, label: str, options: Sequence[tuple[str, str]], value: str, *, required: bool) -> ChoiceSetInput:
    kept = [each for each, _ in options]
    return ChoiceSetInput(
        id=name,
        label=label,
        style="compact",
        choices=[Choice(title=flat(words, limits.CHOICE_TEXT) or "–", value=each) for each, words in options],
        value=value if value in kept else None,
        placeholder="Choose…",
        **_needed(required),
    )


def _needed(required: bool) -> dict[str, Any]:
    return {"is_required": True, "error_message": _NEEDED} if required else {}


def begun(form: Form, text: str) -> Form:
    """The form to ask with, with what was pointed at as the first value of its field `text`."""
    said = clean(text).strip()
    held = (replace(f, value=cut(said, f.max_length)) if f.name == "text" and said else f for f in form.fields)
    return replace(form, fields=tuple(held))
