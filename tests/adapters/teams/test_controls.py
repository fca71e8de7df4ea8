"""Controls as buttons: each one drawn once, with all it needs to be known by, and the rare ones out of the way."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teams import controls, limits, press, render
from adapters.teams.press import How
from adapters.token import Token
from reviews import filled
from reviews.card import Actions, Control, Form, Go, Line, Lines, Way
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.teams.checker import actions, card_faults, inputs, walk
from tests.fakes import cards

Json = dict[str, Any]

TOKEN = Token.of(cards.refund(), "copy")


def _row(*made: Control, rare: tuple[Control, ...] = (), ways: tuple[Way, ...] = ()) -> Json:
    card = replace(cards.refund(), blocks=(Actions(controls=made, overflow=rare, ways=ways),))
    drawn = render.content(render.message(card, "copy"))
    assert card_faults(drawn) == []
    return drawn


def _titles(found: list[Json]) -> list[str]:
    return [action["title"] for action in found]


def _sent(drawn: Json) -> list[press.Pressed]:
    return [press.read(action["data"]) for action in actions(drawn) if "data" in action]


def test_every_control_is_drawn_once() -> None:
    """Every verb of the card can be sent, by one button."""
    drawn = render.content(render.message(cards.refund(), "copy"))
    verbs = sorted(sent.verb for sent in _sent(drawn) if sent.verb)
    assert verbs == sorted(control.verb for control in filled.controls(cards.refund()))


def test_five_buttons_and_the_rest_behind_more() -> None:
    """In the card's order; a form of the menu opens within it."""
    row = render.content(render.message(cards.refund(), "copy"))["actions"]
    assert _titles(row) == ["Approve", "Reject", "Edit", "Request changes", "More…"]
    menu = row[-1]["card"]["actions"]
    assert _titles(menu) == ["Escalate", "Take it", "Hand to…", "Comment", "Show redacted", "History"]
    assert [action["type"] for action in menu] == [
        "Action.ShowCard",
        "Action.Execute",
        *["Action.ShowCard"] * 3,
        "Action.Execute",
    ]


def test_a_card_of_few_controls_has_no_menu() -> None:
    """All of them are seen."""
    row = render.content(render.message(cards.changes_requested(), "copy"))["actions"]
    assert _titles(row) == ["Reject", "History"]


def test_a_card_that_is_over_has_nothing_that_decides() -> None:
    """Whatever the card holds."""
    card = replace(cards.refund(), over=True)
    drawn = render.content(render.message(card, "copy"))
    assert _titles(drawn["actions"]) == ["Comment", "Show redacted", "History"]


def test_a_menu_of_many_is_rows_of_a_few() -> None:
    """Teams hides what is too much for one row."""
    ways = tuple(Way(go=Go.OPEN, label=f"Open {n}", value=f"rev_{n}") for n in range(20))
    drawn = _row(ways=ways)
    rows = [item["actions"] for item in walk(drawn) if item.get("type") == "ActionSet"]
    assert all(len(row) <= limits.BUTTONS for row in rows)
    assert {sent.value for sent in _sent(drawn)} == {way.value for way in ways}


@pytest.mark.parametrize("verb", list(Verb))
def test_what_is_drawn_is_what_is_read(verb: Verb) -> None:
    """At once, with the card's version and the token of its copy."""
    (sent,) = _sent(_row(Control(verb=verb, label="Do it")))
    assert (sent.way, sent.verb, sent.version) == (How.ACT, verb, cards.refund().version)
    assert sent.token is not None
    assert (sent.token.copy, sent.token.review, sent.token.revision) == ("copy", "rev_refund4721", 1)


def test_a_control_with_a_question_asks_it_first() -> None:
    """Beneath the card; its own button there answers with yes."""
    (asking,) = _row(Control(verb=Verb.APPROVE, label="Approve", confirm="It cannot be undone. Approve?"))["actions"]
    assert asking["card"]["body"][0]["inlines"][0]["text"] == "It cannot be undone. Approve?"
    (yes,) = asking["card"]["actions"]
    assert (yes["title"], press.read(yes["data"]).way) == ("Approve", How.ACT)


def test_styles_say_what_is_wanted_and_what_is_grave() -> None:
    """Beside the words, which say it too."""
    made = [Control(verb=v, label=v, style=s) for v, s in zip(Verb, ("primary", "danger", ""), strict=False)]
    assert [action.get("style") for action in _row(*made)["actions"]] == ["positive", "destructive", None]


def test_a_dialog_is_opened_with_what_its_form_is_for() -> None:
    """The same data as the form sends."""
    asked = Control(verb=Verb.EDIT, label="Edit", form=cards.edit_form())
    (button,) = controls.buttons(cards.refund(), [Actions(controls=(asked,))], TOKEN, {Verb.EDIT})
    drawn = button.model_dump(by_alias=True, exclude_none=True)
    assert drawn["data"]["msteams"] == {"type": "task/fetch"}
    assert press.read(drawn["data"]).token == TOKEN


def test_two_forms_of_one_card_have_their_own_inputs() -> None:
    """Reject and Comment both ask for a reason."""
    found = inputs(render.content(render.message(cards.refund(), "copy")))
    names = [name for name in found if name.endswith(":reason")]
    assert len(names) == len(set(names)) == 4


def test_the_words_of_a_button_are_on_one_line_and_of_no_language() -> None:
    """And of a bearable length."""
    (button,) = _row(Control(verb=Verb.APPROVE, label="Say\nyes {{DATE(x)}} " + "y" * 99))["actions"]
    assert button["title"].startswith("Say yes { {DATE(x)}} y")
    assert len(button["title"]) == limits.BUTTON_TEXT


def test_a_control_without_words_is_still_a_button() -> None:
    """Teams draws none without a title."""
    control = Control(verb=Verb.REJECT, label="", form=Form(fields=(), submit=""))
    assert _titles(_row(control)["actions"]) == ["–"]


def test_a_line_of_a_list_has_its_ways() -> None:
    """Each once, a few at most."""
    ways = tuple(Way(go=Go.OPEN, label=f"Open {n % 7}", value=f"rev_{n % 7}") for n in range(14))
    card = replace(cards.refund(), blocks=(Lines(items=(Line(review="rev_1", text="x", ways=ways),)),))
    drawn = render.content(render.message(card, "copy"))
    assert card_faults(drawn) == []
    assert [sent.value for sent in _sent(drawn)] == [f"rev_{n}" for n in range(limits.BUTTONS)]
