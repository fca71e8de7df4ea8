"""The forms behind controls, as Slack's modals. Pure.

A form that Slack cannot hold field by field is asked for as one text in JSON; one it cannot hold even so is a notice
with the link to the full page, for half a form would mislead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters import fields
from adapters.slack import limits
from adapters.slack.press import CALLBACK, FIELD, READING, VALUE
from adapters.slack.rich import Pen, rich, section
from adapters.slack.text import Json, plain
from adapters.text import clean, cut, line
from reviews import forms
from reviews.card import Control, Form, Input, Kind

_OPEN_PAGE = "Slack cannot hold this form. Open the full page to do this."
#: What a number field of Slack's surely takes; others are typed as text.
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


def loading(title: str) -> Json:
    """What opens at once, while the form is read: Slack's `trigger_id` lives for three seconds."""
    return notice(title, "One moment…")


def notice(title: str, text: str, link: str = "") -> Json:
    """A modal that only says something."""
    said = {"type": "section", "text": plain(text, limits.TEXT, lines=True)}
    page = rich([section(Pen(limits.URL).link(link, "Full page"))]) if link else []
    return {
        "type": "modal",
        "callback_id": READING,
        "title": modal_title(title),
        "close": plain("Close", limits.MODAL_TITLE),
        "blocks": [said, *page],
    }


def form(control: Control, back: str, link: str = "") -> Json:
    """The form of a control, or the question it asks first. `back` is kept by Slack; `link` is the full page."""
    asked = control.form or Form(fields=(), submit=control.label, intro=control.confirm)
    if not holds(asked):
        asked = forms.in_one(asked)
    if not holds(asked):
        return notice(control.label, _OPEN_PAGE, link)
    return modal(asked, control.label, CALLBACK, back)


def modal(asked: Form, title: str, callback: str, back: str) -> Json:
    """A form as a modal."""
    intro = clean(asked.intro).strip() or ("" if asked.fields else f"{title}?")
    head = [{"type": "section", "text": plain(intro, limits.TEXT, lines=True)}] if intro else []
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": back,
        "title": modal_title(title),
        "submit": plain(asked.submit, limits.MODAL_TITLE),
        "close": plain("Cancel", limits.MODAL_TITLE),
        "blocks": [*head, *(block for field in _all(asked) for block in _field(field))],
    }


def modal_title(text: str) -> Json:
    """At most 24 characters; `request_changes` reads `Request changes`."""
    words = text.replace("_", " ").strip()
    return plain(words[:1].upper() + words[1:], limits.MODAL_TITLE)


def holds(asked: Form) -> bool:
    """Whether Slack holds a form as it is: every field with its name, its value and its choices."""
    return len(_all(asked)) < limits.MODAL_BLOCKS and all(map(_fits, asked.fields))


def reasons(asked: Form | None) -> list[str]:
    """The reasons to choose from, if the form has any that Slack can hold."""
    asking = asked.fields if asked is not None else ()
    return next((_reasons(field) for field in asking if field.name == "reason"), [])


def option(value: str, label: str) -> Json:
    """A line of a menu; what is chosen comes back as `value`."""
    return {"text": plain(label, limits.OPTION_TEXT), "value": value}


# ---------------------------------------------------------------------------------------------- fields


def _all(asked: Form) -> list[Input]:
    return fields.with_own_words(asked.fields, _reasons)


def _reasons(field: Input) -> list[str]:
    return fields.reasons(field, lambda choice: cut(line(choice), limits.OPTION_VALUE), limits.OPTIONS)


def _choices(field: Input) -> list[tuple[str, str]]:
    return fields.choices(field, value=limits.OPTION_VALUE, most=limits.OPTIONS)


def _fits(field: Input) -> bool:
    return len(FIELD + field.name) <= limits.ID and fields.fits(field, _choices(field), _most(field))


def _field(field: Input) -> list[Json]:
    block: Json = {
        "type": "input",
        "block_id": FIELD + field.name,
        # A box that must be ticked could not be left empty, which is an answer as well.
        "optional": not field.required or fields.is_tick(field),
        "label": plain(field.label, limits.INPUT_LABEL),
        "element": {"action_id": VALUE, **_element(field)},
    }
    return [block | ({"hint": plain(field.hint, limits.INPUT_HINT)} if line(field.hint) else {})]


def _element(field: Input) -> Json:
    value = fields.shown(field)
    if choices := _reasons(field):
        return _select("static_select", [option(reason, reason) for reason in choices], value)
    match field.kind:
        case Kind.NUMBER | Kind.INTEGER if not value or _NUMBER.fullmatch(value):
            decimal = {"is_decimal_allowed": field.kind is Kind.NUMBER}
            return {"type": "number_input", **decimal, **({"initial_value": value} if value else {})}
        case Kind.BOOLEAN if fields.is_tick(field):
            box = option("true", "Yes")
            return {"type": "checkboxes", "options": [box], **({"initial_options": [box]} if value == "true" else {})}
        case Kind.BOOLEAN:
            return _select("radio_buttons", [option("true", "Yes"), option("false", "No")], value)
        case Kind.CHOICE if field.name != "reason":
            return _select("static_select", [option(v, label) for v, label in _choices(field)], value)
        case Kind.DATE if not value or fields.is_date(value):
            return {"type": "datepicker", **({"initial_date": value} if value else {})}
        case _:
            return _text(field, value)


def _text(field: Input, value: str) -> Json:
    many = field.kind in (Kind.MULTILINE, Kind.JSON) or "\n" in value
    typed = {"initial_value": value} if value else {}
    return {"type": "plain_text_input", "multiline": many, "max_length": _most(field), **typed}


def _most(field: Input) -> int:
    return max(1, min(field.max_length, limits.INPUT_TEXT))


def _select(kind: str, options: Sequence[Json], value: str) -> Json:
    chosen = next((item for item in options if item["value"] == value), None)
    return {"type": kind, "options": list(options), **({"initial_option": chosen} if chosen else {})}
