"""The checker finds what Teams would refuse: a gate that lets everything through proves nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.teams import render, views
from adapters.token import Token
from reviews.model import Verb
from tests.adapters.teams.checker import actions, card_faults, dialog_faults, fallback_only, inputs, message_faults
from tests.adapters.teams.fake_connector import control_of
from tests.fakes import cards

Json = dict[str, Any]


def _card() -> Json:
    return copy.deepcopy(render.content(render.message(cards.refund(), "copy")))


def _run(**changes: Any) -> Json:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "x", **changes}]}


def _first(card: Json, kind: str) -> Json:
    return next(action for action in actions(card) if action["type"] == kind)


def _input(card: Json, kind: str) -> Json:
    return next(item for item in inputs(card).values() if item["type"] == kind)


#: What Teams refuses or misreads, each as a change to a good card.
WRONG: dict[str, Callable[[Json], object]] = {
    "a typo": lambda c: c["body"][0].update(stile="good"),
    "a style there is none of": lambda c: c["body"][0].update(style="pink"),
    "an element of Teams' own without fallback": lambda c: c["body"].append({"type": "Badge", "text": "x"}),
    "Markdown": lambda c: c["body"].append({"type": "TextBlock", "text": "[Approve](https://evil.example)"}),
    "facts in Markdown": lambda c: c["body"].append({"type": "FactSet", "facts": [{"title": "a", "value": "**b**"}]}),
    "too large": lambda c: c["body"].append(_run(text="x" * 24_000)),
    "no words in a run": lambda c: c["body"].append(_run(text="")),
    "the card's language": lambda c: c["body"].append(_run(text="{{DATE(2026-11-21T19:00:00Z,LONG)}}")),
    "hidden words": lambda c: c["body"].append(_run(text="ap\u200bprove")),
    "a script for a link": lambda c: c["body"].append(
        _run(selectAction={"type": "Action.OpenUrl", "url": "javascript:alert(1)"})
    ),
    "a control that looks like words": lambda c: c["body"].append(
        _run(selectAction={"type": "Action.Execute", "verb": "placet/approve"})
    ),
    "an empty container": lambda c: c["body"].append({"type": "Container", "items": []}),
    "a row of too many": lambda c: c.update(actions=[*c["actions"], *c["actions"]]),
    "no verb": lambda c: _first(c, "Action.Execute").pop("verb"),
    "data that is no object": lambda c: _first(c, "Action.Execute").update(data="approve"),
    "data nobody reads": lambda c: _first(c, "Action.Execute")["data"].pop("token"),
    "a button that sends a message": lambda c: _first(c, "Action.Execute").update(type="Action.Submit"),
    "a button of the overflow menu": lambda c: _first(c, "Action.ShowCard").update(mode="secondary"),
    "an id twice": lambda c: _input(c, "Input.Number").update(id=_input(c, "Input.Date")["id"]),
    "an input nobody asks for": lambda c: _input(c, "Input.Number").update(id="field:edit:/other"),
    "an input without a label": lambda c: _input(c, "Input.Text").pop("label"),
    "required without words": lambda c: _input(c, "Input.Number").pop("errorMessage"),
    "a value that is no choice": lambda c: _input(c, "Input.ChoiceSet").update(value="other"),
    "choices drawn as Markdown": lambda c: _input(c, "Input.ChoiceSet").update(style="expanded"),
    "a value longer than its field": lambda c: _input(c, "Input.Text").update(value="x" * 3001),
}


def test_a_good_card_is_taken() -> None:
    """The card all of the changes are made to."""
    assert card_faults(_card()) == []


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_teams_refuses_is_found(name: str) -> None:
    """One change, and the checker says so."""
    card = _card()
    WRONG[name](card)
    assert card_faults(card)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "event"},
        {"text": "beside"},
        {"summary": " "},
        {"attachments": []},
        {"attachments": [{"contentType": "image/png", "content": {}}]},
    ],
)
def test_a_message_teams_refuses_is_found(changes: Json) -> None:
    """What is around the card is looked at as well."""
    assert message_faults(render.message(cards.refund(), "copy") | changes)


def test_a_dialog_that_sends_nothing_is_found() -> None:
    """An Action.Execute in a dialog, and a dialog without words."""
    card = cards.refund()
    task = views.form_dialog(card, Token.of(card, "copy"), control_of(card, Verb.REJECT))
    assert dialog_faults(task) == []
    task["value"]["card"]["content"]["actions"][0].update(type="Action.Execute", verb="placet/reject")
    assert dialog_faults(task)
    assert dialog_faults({"type": "message", "value": ""})
    assert dialog_faults({"type": "other"})


def test_a_fallback_stands_for_what_a_client_does_not_know() -> None:
    """An element with a fallback is that; one to be dropped is gone."""
    known = {"type": "RichTextBlock", "inlines": []}
    found = {"body": [{"type": "Badge", "fallback": known}, {"type": "Chart.Donut", "fallback": "drop"}]}
    assert fallback_only(found) == {"body": [known]}
