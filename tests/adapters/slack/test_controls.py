"""Controls as buttons and menus."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack import controls, parse, render
from adapters.slack.press import verb_of
from adapters.token import Token
from reviews.card import Actions, Card, Control, Form, Go, Input, Kind, Line, Way
from reviews.filled import DECIDES
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.slack.checker import message_faults, seen
from tests.fakes import cards

TOKEN = Token(copy="copy-1", review="rev_1", revision=3, shown="d" * 64)
HISTORY = Way(go=Go.HISTORY, label="History")


def _row(block: Actions, **changes: Any) -> list[dict[str, Any]]:
    card: Card = replace(cards.refund(), blocks=(block,), **changes)
    blocks = render.message(card, "copy-1").blocks
    assert message_faults(blocks) == []
    return [e for block in blocks if block["type"] == "actions" for e in block["elements"]]


def _elements(*drawn: Control) -> list[dict[str, Any]]:
    return _row(Actions(controls=drawn))


def _menu(row: list[dict[str, Any]]) -> list[str]:
    return [option["value"] for element in row if element["type"] == "overflow" for option in element["options"]]


def test_every_control_is_drawn_once() -> None:
    """As a button or in the menu: a feature of one surface and not of the other is a defect."""
    every = tuple(Control(verb=verb, label=verb.value) for verb in Verb)
    row = _row(Actions(controls=every[:7], overflow=every[7:]))
    buttons = [verb_of(e["action_id"])[0] for e in row if e["type"] == "button"]
    assert sorted([*buttons, *(Verb(value.split("|")[0]) for value in _menu(row))]) == sorted(Verb)


def test_rare_controls_and_ways_lie_in_the_menu_and_comment_does_not() -> None:
    """At most five; the menu is the last of the row."""
    row = _row(cards.actions("rev_refund4721"))
    assert [e["action_id"] for e in row if e["type"] == "button"] == [
        "placet:approve",
        "placet:reject:form",
        "placet:edit:form",
        "placet:request_changes:form",
        "placet:escalate",
        "placet:comment:form",
    ]
    assert _menu(row) == [
        "take|act",
        "hand|form",
        "reveal|form",
        "go|history|rev_refund4721",
    ]
    assert row[-1]["type"] == "overflow"


def test_what_does_not_fit_the_menu_stands_before_it() -> None:
    """Slack's menu has five lines; none of ours is left out."""
    rare = tuple(Control(verb=verb, label=verb.value) for verb in (Verb.TAKE, Verb.HAND, Verb.UNDO, Verb.STOP))
    row = _row(Actions(controls=(), overflow=(*rare, Control(verb=Verb.RESUME, label="Resume")), ways=(HISTORY,)))
    assert [e["action_id"] for e in row] == ["placet:take", "placet:more"]
    assert len(_menu(row)) == 5


def test_a_card_that_is_over_keeps_only_the_menu() -> None:
    """No copy has a button that decides, nor does what is too much for the menu."""
    kept = (Verb.COMMENT, Verb.REVEAL, Verb.UNDO, Verb.REVOKE)
    every = tuple(Control(verb=verb, label=verb.value) for verb in (*DECIDES, *kept))
    row = _row(Actions(controls=every, ways=(HISTORY,)), over=True)
    assert [e["type"] for e in row] == ["overflow"]
    assert {value.split("|")[0] for value in _menu(row)} == {*kept, "go"}
    every = tuple(Control(verb=verb, label=verb.value) for verb in Verb)
    row = _row(Actions(controls=every, ways=(HISTORY,)), over=True)
    pressed = {*(e["action_id"].split(":")[1] for e in row[:-1]), *(value.split("|")[0] for value in _menu(row))}
    assert pressed == {*kept, Verb.APPEAL, Verb.STOP, Verb.RESUME, "go"}


def test_a_control_with_a_question_asks_it_first() -> None:
    """Slack's own dialog; from the menu a modal, for Slack can ask only for the whole menu."""
    button = _elements(Control(verb=Verb.APPROVE, label="Approve", style="primary", confirm="Really pay?"))[0]
    assert button["confirm"]["text"]["text"] == "Really pay?"
    assert button["style"] == "primary"
    row = _row(Actions(controls=(), overflow=(Control(verb=Verb.UNDO, label="Undo", confirm="Take it back?"),)))
    assert _menu(row) == ["undo|form"]
    assert "confirm" not in row[0]


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CHOICE])
def test_reasons_become_a_menu_that_asks_back(kind: Kind) -> None:
    """Beside the button, which opens the form: a slip of the finger would be final."""
    reason = Input(name="reason", label="Why?", kind=kind, choices=("in use", "freeze"))
    form = Form(fields=(reason,), submit="Reject")
    button, menu = _elements(Control(verb=Verb.REJECT, label="Reject", form=form))
    assert button["action_id"] == "placet:reject:form"
    assert "confirm" not in button
    assert [option["value"] for option in menu["options"]] == ["in use", "freeze"]
    assert "final" in menu["confirm"]["text"]["text"]


def test_reasons_that_are_alike_after_cutting_stay_one() -> None:
    """Slack refuses two options of one value, and an empty one."""
    reasons = ("x" * 200, "x" * 201, "", " ", "a<b")
    control = Control(verb=Verb.REJECT, label="Reject", form=cards.reject_form(*reasons))
    assert len(_elements(control)[1]["options"]) == 2


def test_too_many_reasons_are_asked_for_in_the_form() -> None:
    """They would push the card's own words out of the message."""
    form = cards.reject_form(*(f"{n} of the reasons that a policy names" for n in range(100)))
    (button,) = _elements(Control(verb=Verb.REJECT, label="Reject", form=form))
    assert button["action_id"] == "placet:reject:form"


def test_an_id_too_long_for_slack_leaves_the_controls_out() -> None:
    """A button that could not say what it stands for must not be there."""
    row = _row(cards.actions("r" * 300), review="r" * 300)
    assert [e["action_id"] for e in row] == ["placet:go:history"]


def test_ways_of_a_list_are_buttons_told_apart() -> None:
    """Slack takes no id twice within a block; what they stand for is in their value."""
    several = tuple(Way(go=Go.BULK, label=name, value=name) for name in ("refund.issue", "mail.send"))
    row = _row(Actions(controls=(), ways=(Way(go=Go.QUEUE, label="All"), *several)), review="")
    assert [e["action_id"] for e in row] == ["placet:go:queue", "placet:go:bulk", "placet:go:bulk:2"]
    assert [e.get("value") for e in row] == [None, "refund.issue", "mail.send"]


@pytest.mark.parametrize("many", [0, 1, 3])
def test_a_line_of_a_list_has_its_way_or_a_menu_of_them(many: int) -> None:
    """One button fits beside a line."""
    ways = (Way(go=Go.OPEN, label="Open", value="rev_1"), Way(go=Go.HISTORY, label="History"), HISTORY)[:many]
    drawn = controls.accessory(Line(review="rev_1", text="Refund", ways=ways))
    assert (drawn or {}).get("type") == {0: None, 1: "button", 3: "overflow"}[many]
    if many == 3 and drawn:
        assert drawn["options"][1]["value"] == "go|history|rev_1"


def test_an_accessibility_label_says_what_a_button_is_about() -> None:
    """Who only hears the page hears more than twelve times `Open`."""
    button = _elements(Control(verb=Verb.APPROVE, label="Approve"))[0]
    assert button["accessibility_label"].startswith("Approve: refund.issue")


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("rare", [True, False])
def test_what_is_drawn_is_what_is_read(verb: Verb, rare: bool) -> None:
    """Every control of every kind, from the button to the interaction."""
    control = Control(verb=verb, label=verb.value)
    block = Actions(controls=() if rare else (control,), overflow=(control,) if rare else ())
    (element,) = _row(block)
    pressed = parse.press(clicked(element, "0|" + str(Token.of(cards.refund(), "copy-1"))))
    assert isinstance(pressed, parse.Press)
    made = pressed.interaction
    assert (made.verb, made.review, made.copy) == (verb, "rev_refund4721", "copy-1")


def clicked(element: dict[str, Any], block_id: str, option: int = 0) -> dict[str, Any]:
    """The payload of a click."""
    action = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id, "action_ts": "1.5"}
    action |= {"selected_option": element["options"][option]} if "options" in element else {}
    action |= {"value": element["value"]} if "value" in element else {}
    return {"user": {"id": "U1", "team_id": "T1"}, "actions": [action]}


def test_the_words_of_the_row_are_those_of_the_card() -> None:
    """Nothing is renamed on the way."""
    words = seen([{"type": "actions", "elements": _row(cards.actions("rev_1", "already refunded"))}])
    for label in ("Approve", "Edit", "Request changes", "Reject", "Comment", "Take it", "Hand to…", "already refunded"):
        assert label in words
