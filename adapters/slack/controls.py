"""The controls of a card as Slack's buttons and menus. Pure.

A control with a form opens it; one that asks first asks in Slack's own dialog, and from the menu in a modal, for Slack
can ask only for the whole menu; every other one acts at once. Reasons of a rule are a menu of one tap beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.parts import AFTERWARDS
from adapters.slack import limits
from adapters.slack.forms import option, reasons
from adapters.slack.press import ACT, BECAUSE, FORM, GO, MORE, action_id, go_id
from adapters.slack.text import Json, plain
from adapters.token import Token
from reviews.card import Actions, Card, Control, Go, Line, Way
from reviews.model import Verb

#: Letters of reasons that a row may hold: more would push the card's own words out; the form has them all.
_REASONS = 1000
#: Ways that lead on from a list stand as buttons; the others lie in the menu.
_PLAIN = frozenset({Go.QUEUE, Go.BULK})


def actions(card: Card, block: Actions, token: Token | None, nth: int) -> list[Json]:
    """The row of a card's controls and ways; without a token only the ways. `nth` keeps block ids apart.

    A card that is over has no buttons that could decide, only the menu.
    """
    block_id = f"{nth}|{token or ''}"
    if len(block_id) > limits.ID:
        # A button that could not say what it stands for must not be there.
        token, block_id = None, f"{nth}|"
    shown, rare = _shared(card, block) if token else ((), ())
    listing = not (shown or rare)
    ahead = [way for way in block.ways if listing or way.go in _PLAIN or not _short(way, card.review)]
    menu: list[Control | Way] = [*rare, *(way for way in block.ways if way not in ahead)]
    # The menu holds five lines, a row 25 controls: what does not fit the menu stands before it.
    spill = max(0, len(menu) - limits.OVERFLOW)
    elements = [element for c in shown for element in _elements(c, card, token)]
    elements += [e for item in (*ahead, *menu[:spill]) for e in _elements(item, card, token)]
    elements = _apart(elements)[: limits.ACTIONS - 1] + _menu(menu[spill:], card.review)
    return [{"type": "actions", "block_id": block_id, "elements": elements}] if elements else []


def ways(going: Sequence[Way], nth: int) -> Json:
    """A row of ways alone, at most 25 of them."""
    return {"type": "actions", "block_id": f"{nth}|", "elements": _apart([_way(way, "", "") for way in going])}


def accessory(line: Line) -> Json | None:
    """What stands at the end of a line of a list: its way, or a menu of them."""
    going = [way for way in line.ways if _short(way, line.review)][: limits.OVERFLOW]
    if len(going) > 1:
        return _menu(going, line.review)[0]
    return _way(going[0], line.text, line.review) if going else None


# ---------------------------------------------------------------------------------------------- the row


def _shared(card: Card, block: Actions) -> tuple[list[Control], list[Control]]:
    """What stands as buttons, and what lies in the menu."""
    if card.over:
        return [], [c for c in (*block.controls, *block.overflow) if c.verb in AFTERWARDS]
    talk = [c for c in block.overflow if c.verb is Verb.COMMENT]
    return [*block.controls, *talk], [c for c in block.overflow if c.verb is not Verb.COMMENT]


def _elements(item: Control | Way, card: Card, token: Token | None) -> list[Json]:
    if isinstance(item, Way):
        return [_way(item, card.title, card.review)]
    if token is None:
        return []
    return [_button(item, card, token), *_because(item, reasons(item.form))]


def _apart(elements: list[Json]) -> list[Json]:
    """The same with no `action_id` twice, for Slack refuses that within a block: ways get a number."""
    taken: set[str] = set()
    kept: list[Json] = []
    for nth, element in enumerate(elements):
        name = element["action_id"]
        if name in taken and name.startswith(f"placet:{GO}:"):
            element = element | {"action_id": go_id(Go(name.split(":")[2]), nth)}
        if element["action_id"] not in taken:
            kept.append(element)
        taken.add(element["action_id"])
    return kept


def _button(control: Control, card: Card, token: Token) -> Json:
    way = FORM if control.form is not None else ACT
    button: Json = {
        "type": "button",
        "action_id": action_id(control.verb, way),
        "text": plain(control.label, limits.BUTTON_TEXT),
        "value": str(token),
        "accessibility_label": plain(f"{control.label}: {card.title}", limits.BUTTON_LABEL)["text"],
    }
    if control.style in ("primary", "danger"):
        button["style"] = control.style
    if control.confirm and way == ACT:
        button["confirm"] = _confirm(control, control.confirm)
    return button


def _because(control: Control, choices: Sequence[str]) -> list[Json]:
    """A menu of one tap. A choice acts at once, so it is always asked back: a slip of the finger would be final."""
    if not choices or sum(map(len, choices)) > _REASONS:
        return []
    question = control.confirm or "This is final. The agent is told the reason you chose."
    menu = {
        "type": "static_select",
        "action_id": action_id(control.verb, BECAUSE),
        "placeholder": plain(f"{control.label} because…", limits.PLACEHOLDER),
        "options": [option(reason, reason) for reason in choices],
        "confirm": _confirm(control, question),
    }
    return [menu]


def _confirm(control: Control, question: str) -> Json:
    return {
        "title": plain(f"{control.label}?", limits.CONFIRM_TITLE),
        "text": plain(question, limits.CONFIRM_TEXT),
        "confirm": plain(control.label, limits.CONFIRM_BUTTON),
        "deny": plain("Cancel", limits.CONFIRM_BUTTON),
    }


# ---------------------------------------------------------------------------------------------- ways and the menu


def _menu(items: Sequence[Control | Way], review: str) -> list[Json]:
    options = {drawn["value"]: drawn for drawn in (_line(item, review) for item in items)}
    return [{"type": "overflow", "action_id": MORE, "options": list(options.values())}] if options else []


def _line(item: Control | Way, review: str) -> Json:
    if isinstance(item, Way):
        return option(_option(item, review), item.label)
    return option(f"{item.verb}|{FORM if item.form is not None or item.confirm else ACT}", item.label)


def _way(way: Way, about: str, review: str) -> Json:
    value = way.value or review
    spoken = f"{way.label}: {about}" if about else way.label
    return {
        "type": "button",
        "action_id": go_id(way.go),
        "text": plain(way.label, limits.BUTTON_TEXT),
        "accessibility_label": plain(spoken, limits.BUTTON_LABEL)["text"],
        **({"value": value} if value else {}),
    }


def _option(way: Way, review: str) -> str:
    return f"{GO}|{way.go}|{way.value or review}"


def _short(way: Way, review: str) -> bool:
    return len(_option(way, review)) <= limits.OPTION_VALUE
