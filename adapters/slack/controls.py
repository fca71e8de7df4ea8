"""The controls of a card as Slack's buttons, menus and forms. Pure.

For now a message carries Approve and Reject; everything else is on the full page. A form with a required field opens
a modal; a form with none may be sent empty, so its button acts at once, and its reasons become a menu of one tap.
"""

from __future__ import annotations

from adapters.slack import limits
from adapters.slack.press import ACT, BECAUSE, CALLBACK, FORM, Token, action_id
from adapters.slack.text import Json, clean, cut, line, plain
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.model import Verb

#: What a message's buttons can do; the next ones join here.
VERBS = (Verb.APPROVE, Verb.REJECT)
#: Where a form field's name stands in a modal's `block_id`, and the `action_id` of each input.
FIELD, VALUE = "field:", "value"

_OPEN_PAGE = "Open the full page to do this."


def actions(card: Card, block: Actions, token: Token, nth: int) -> list[Json]:
    """The buttons of a message, and the menu of reasons where there is one. `nth` keeps block ids apart."""
    controls = [c for c in (*block.controls, *block.overflow) if c.verb in VERBS]
    elements = [element for control in controls for element in _elements(control, card, token)]
    block_id = f"{nth}|{token}"
    if not elements or len(block_id) > limits.ID:
        return []
    return [{"type": "actions", "block_id": block_id, "elements": elements[: limits.ACTIONS]}]


def find(card: Card, verb: Verb) -> Control | None:
    """The control of a verb on a card, if the card has it."""
    blocks = [block for block in card.blocks if isinstance(block, Actions)]
    return next((c for b in blocks for c in (*b.controls, *b.overflow) if c.verb is verb), None)


def _elements(control: Control, card: Card, token: Token) -> list[Json]:
    if control.form is not None and any(field.required for field in control.form.fields):
        return [_button(control, card, token, FORM)]
    reasons = _reasons(control.form)
    return [_button(control, card, token, ACT), *([_menu(control, reasons)] if reasons else [])]


def _button(control: Control, card: Card, token: Token, way: str) -> Json:
    button: Json = {
        "type": "button",
        "action_id": action_id(control.verb, way),
        "text": plain(control.label, limits.BUTTON_TEXT),
        "value": str(token)[: limits.BUTTON_VALUE],
        "accessibility_label": plain(f"{control.label}: {card.title}", limits.BUTTON_LABEL)["text"],
    }
    if control.style in ("primary", "danger"):
        button["style"] = control.style
    if control.confirm and way == ACT:
        button["confirm"] = _confirm(control, control.confirm)
    return button


def _menu(control: Control, reasons: tuple[str, ...]) -> Json:
    """A choice acts at once, so it is always asked back: a slip of the finger would be final."""
    question = control.confirm or "This is final. The agent is told the reason you chose."
    return {
        "type": "static_select",
        "action_id": action_id(control.verb, BECAUSE),
        "placeholder": plain(f"{control.label} because…", limits.PLACEHOLDER),
        "options": options(reasons),
        "confirm": _confirm(control, question),
    }


def _confirm(control: Control, question: str) -> Json:
    return {
        "title": plain(f"{control.label}?", limits.CONFIRM_TITLE),
        "text": plain(question, limits.CONFIRM_TEXT),
        "confirm": plain(control.label, limits.CONFIRM_BUTTON),
        "deny": plain("Cancel", limits.CONFIRM_BUTTON),
    }


def _reasons(form: Form | None) -> tuple[str, ...]:
    fields = form.fields if form is not None else ()
    return next((f.choices for f in fields if f.name == "reason" and f.kind is Kind.CHOICE), ())


def options(choices: tuple[str, ...]) -> list[Json]:
    """The options of a menu; what is chosen comes back as `value`. Slack takes no two of the same value."""
    values = dict.fromkeys(cut(line(choice), limits.OPTION_VALUE) or "–" for choice in choices)
    return [{"text": plain(v, limits.OPTION_TEXT), "value": v} for v in list(values)[: limits.OPTIONS]]


# ---------------------------------------------------------------------------------------------- modals


def loading(verb: Verb) -> Json:
    """What opens at once, while the form is read: Slack's `trigger_id` lives for three seconds."""
    return notice(verb, "One moment…")


def notice(verb: Verb, text: str) -> Json:
    """A modal that only says something."""
    said = {"type": "section", "text": plain(text, limits.TEXT, lines=True)}
    return {"type": "modal", "title": _modal_title(verb), "close": plain("Close", limits.MODAL_TITLE), "blocks": [said]}


def form(control: Control, token: Token) -> Json:
    """The form of a control; a form that Slack cannot hold in full is a notice, for half a form would mislead."""
    asked = control.form or Form(fields=(), submit=control.label, intro=control.confirm or f"{control.label}?")
    if len(asked.fields) > limits.MODAL_BLOCKS - 1 or not all(map(_fits, asked.fields)):
        return notice(control.verb, _OPEN_PAGE)
    intro = clean(asked.intro).strip() or ("" if asked.fields else f"{control.label}?")
    head = [{"type": "section", "text": plain(intro, limits.TEXT, lines=True)}] if intro else []
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": f"{control.verb}|{token}",
        "title": _modal_title(control.verb),
        "submit": plain(asked.submit, limits.MODAL_TITLE),
        "close": plain("Cancel", limits.MODAL_TITLE),
        "blocks": [*head, *map(_field, asked.fields)],
    }


def _fits(field: Input) -> bool:
    """Whether Slack holds the field as it is: its name, its value, each of its choices."""
    return (
        len(FIELD + field.name) <= limits.ID
        and (field.locked or len(clean(field.value)) <= _most(field))
        and len(field.choices) <= limits.OPTIONS
        and all(len(line(choice)) <= limits.OPTION_VALUE for choice in field.choices)
    )


def _modal_title(verb: Verb) -> Json:
    return plain(verb.replace("_", " ").capitalize(), limits.MODAL_TITLE)


def _field(field: Input) -> Json:
    block: Json = {
        "type": "input",
        "block_id": FIELD + field.name,
        "optional": not field.required,
        "label": plain(field.label, limits.INPUT_LABEL),
        "element": {"action_id": VALUE, **_element(field)},
    }
    return block | ({"hint": plain(field.hint, limits.INPUT_HINT)} if line(field.hint) else {})


def _element(field: Input) -> Json:
    value = "" if field.locked else clean(field.value)
    match field.kind:
        case Kind.TEXT | Kind.MULTILINE | Kind.JSON:
            return {"type": "plain_text_input", "multiline": field.kind is not Kind.TEXT, **_bounded(field, value)}
        case Kind.NUMBER | Kind.INTEGER:
            decimal = {"is_decimal_allowed": field.kind is Kind.NUMBER}
            return {"type": "number_input", **decimal, **({"initial_value": value} if value else {})}
        case Kind.BOOLEAN:
            return _choice("radio_buttons", ("true", "false"), value)
        case Kind.CHOICE:
            return _choice("static_select", field.choices, value)
        case Kind.DATE:
            return {"type": "datepicker", **({"initial_date": value} if value else {})}


def _bounded(field: Input, value: str) -> Json:
    return {"max_length": _most(field), **({"initial_value": value} if value else {})}


def _most(field: Input) -> int:
    return max(1, min(field.max_length, limits.INPUT_TEXT))


def _choice(kind: str, choices: tuple[str, ...], value: str) -> Json:
    drawn = options(choices) or options(("–",))
    chosen = next((option for option in drawn if option["value"] == value), None)
    return {"type": kind, "options": drawn, **({"initial_option": chosen} if chosen else {})}
