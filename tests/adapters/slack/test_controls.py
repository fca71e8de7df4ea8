"""Controls as buttons, menus and modals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.slack import controls, render
from adapters.slack.press import Token
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.model import Verb
from tests.adapters.slack.checker import message_faults, view_faults
from tests.fakes import cards

TOKEN = Token(copy="copy-1", review="rev_1", revision=3, shown="d" * 64)


def _elements(*drawn: Control) -> list[dict[str, Any]]:
    card: Card = replace(cards.refund(), blocks=(Actions(controls=drawn),))
    blocks = render.message(card, "copy-1").blocks
    assert message_faults(blocks) == []
    return [e for block in blocks if block["type"] == "actions" for e in block["elements"]]


def test_only_approve_and_reject_become_buttons() -> None:
    """The rest is on the full page for now."""
    every = tuple(Control(verb=verb, label=verb.value) for verb in Verb)
    assert [e["action_id"] for e in _elements(*every)] == ["placet:approve", "placet:reject"]


def test_a_control_with_a_question_asks_it_first() -> None:
    """Slack's own dialog."""
    button = _elements(Control(verb=Verb.APPROVE, label="Approve", style="primary", confirm="Really pay?"))[0]
    assert button["confirm"]["text"]["text"] == "Really pay?"
    assert button["style"] == "primary"


def test_reasons_become_a_menu_that_asks_back() -> None:
    """A slip of the finger would be final."""
    button, menu = _elements(Control(verb=Verb.REJECT, label="Reject", form=cards.reject_form("in use", "freeze")))
    assert button["action_id"] == "placet:reject"
    assert [option["value"] for option in menu["options"]] == ["in use", "freeze"]
    assert "final" in menu["confirm"]["text"]["text"]


def test_a_required_field_makes_the_button_open_a_form() -> None:
    """And the form asks, so the button does not."""
    field = Input(name="notes", label="Why", required=True)
    control = Control(verb=Verb.REJECT, label="Reject", confirm="Sure?", form=Form(fields=(field,), submit="Reject"))
    (button,) = _elements(control)
    assert button["action_id"] == "placet:reject:form"
    assert "confirm" not in button


def test_reasons_that_are_alike_after_cutting_stay_one() -> None:
    """Slack refuses two options of one value."""
    reasons = ("x" * 200, "x" * 201, "", " ", "a<b")
    control = Control(verb=Verb.REJECT, label="Reject", form=cards.reject_form(*reasons))
    assert len(_elements(control)[1]["options"]) == 3


def test_an_id_too_long_for_slack_leaves_the_controls_out() -> None:
    """A button that could not say what it stands for must not be there."""
    card = replace(cards.refund(), review="r" * 300)
    assert "actions" not in [block["type"] for block in render.message(card, "copy").blocks]


def test_a_form_of_every_kind_is_taken_by_slack() -> None:
    """Values are filled in; a locked one stays blank."""
    view = controls.form(Control(verb=Verb.EDIT, label="Edit", form=cards.edit_form()), TOKEN)
    assert view_faults(view) == []
    elements = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    assert elements["field:/amount"]["initial_value"] == "180.0"
    assert elements["field:/currency"]["initial_option"]["value"] == "USD"
    assert elements["field:/pay_on"]["initial_date"] == "2026-11-26"
    assert "initial_value" not in elements["field:/iban"]
    assert view["private_metadata"] == f"edit|{TOKEN}"


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_the_forms_of_every_sample_are_taken_by_slack(name: str) -> None:
    """Hostile and huge ones too."""
    blocks = [block for block in cards.ALL[name].blocks if isinstance(block, Actions)]
    for control in (c for b in blocks for c in (*b.controls, *b.overflow)):
        assert view_faults(controls.form(control, TOKEN)) == []


def test_a_value_slack_cannot_hold_is_not_blanked() -> None:
    """A form that lost a value would have it sent back as empty."""
    for field in (
        Input(name="/a", label="a", kind=Kind.MULTILINE, value="x" * 3001, max_length=200_000),
        Input(name="/a", label="a", kind=Kind.CHOICE, value="x", choices=("x", "y" * 151)),
        Input(name="/a", label="a", kind=Kind.CHOICE, choices=tuple(map(str, range(101)))),
    ):
        view = controls.form(Control(verb=Verb.EDIT, label="Edit", form=Form(fields=(field,), submit="Go")), TOKEN)
        assert "submit" not in view


@pytest.mark.parametrize("fields", [120, 1])
def test_a_form_slack_cannot_hold_is_a_notice(fields: int) -> None:
    """Half a form would mislead."""
    name = "/" + "n" * (300 if fields == 1 else 3)
    form = Form(fields=tuple(Input(name=f"{name}{n}", label="x", kind=Kind.TEXT) for n in range(fields)), submit="Go")
    view = controls.form(Control(verb=Verb.EDIT, label="Edit", form=form), TOKEN)
    assert view_faults(view) == []
    assert "submit" not in view
    assert "full page" in view["blocks"][0]["text"]["text"]


@pytest.mark.parametrize("verb", list(Verb))
def test_notices_are_taken_by_slack(verb: Verb) -> None:
    """The title of every verb fits."""
    assert view_faults(controls.loading(verb)) == []
    assert view_faults(controls.notice(verb, "<!here> " * 1000)) == []
