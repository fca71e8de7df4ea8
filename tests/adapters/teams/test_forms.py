"""Forms: every kind of field, what was there comes back as it was, and what Teams cannot hold is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teams import forms, limits, press, views
from adapters.teams.press import How
from adapters.teams.rich import dumped
from adapters.token import Token
from reviews import filled
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.digest import action_digest
from reviews.events import Interaction
from reviews.forms import edit_form, merged
from reviews.model import Identity, Verb
from reviews.values import replace
from tests.adapters.teams.checker import card_faults, dialog_faults, inputs, seen
from tests.adapters.teams.fake_connector import control_of
from tests.fakes import builders, cards

Json = dict[str, Any]


def _card(form: Form | None, verb: Verb = Verb.EDIT, confirm: str = "") -> Card:
    control = Control(verb=verb, label="Edit", form=form, confirm=confirm)
    return replace(cards.refund(), blocks=(Actions(controls=(control,)),), thread=())


def _opened(*fields: Input, verb: Verb = Verb.EDIT) -> Json:
    card = _card(Form(fields=fields, submit="Send"), verb)
    drawn = dumped(forms.opened(filled.controls(card)[0], Token.of(card, "copy"), card))
    assert card_faults(drawn) == []
    return drawn


def _returned(drawn: Json) -> Mapping[str, str]:
    """The values as Teams sends the form back when nothing is touched: blank inputs are left out."""
    sent = dict(drawn["actions"][0]["data"])
    for name, item in inputs(drawn).items():
        if item.get("value") not in (None, ""):
            value = item["value"]
            sent[name] = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return press.read(sent).values


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (Input(name="/a", label="a"), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.MULTILINE), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.NUMBER, value="180.5"), "Input.Number"),
        (Input(name="/a", label="a", kind=Kind.NUMBER, value="1e99"), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.INTEGER, value="9007199254740991"), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.INTEGER, value="+3"), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, value="true"), "Input.ChoiceSet"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, value="perhaps"), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, value="true", required=True), "Input.Toggle"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, value="false", required=True), "Input.Toggle"),
        (Input(name="/a", label="a", kind=Kind.CHOICE, choices=("x", "y")), "Input.ChoiceSet"),
        (Input(name="/a", label="a", kind=Kind.DATE, value="2026-11-26"), "Input.Date"),
        (Input(name="/a", label="a", kind=Kind.DATE, value="26 November"), "Input.Text"),
        (Input(name="/a", label="a", kind=Kind.JSON, value="[1]"), "Input.Text"),
    ],
)
def test_each_kind_has_its_input_and_an_odd_value_is_typed(field: Input, kind: str) -> None:
    """What an input could not show is text: nobody changes it by looking."""
    drawn = _opened(field)
    assert [item["type"] for item in inputs(drawn).values()] == [kind]
    assert _returned(drawn) == {"/a": field.value}


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_the_forms_of_every_sample_are_taken_by_teams(name: str) -> None:
    """As dialogs, each with its title."""
    card = cards.ALL[name]
    for control in filled.controls(card):
        assert dialog_faults(views.form_dialog(card, Token.of(card, "copy"), control)) == []


def test_a_choice_is_shown_by_its_label_and_sent_by_its_value() -> None:
    """People read names, the agent gets ids."""
    field = Input(name="to", label="To", kind=Kind.CHOICE, choices=("bo", "cleo"), labels=("Bo", "Cleo"), required=True)
    (item,) = inputs(_opened(field)).values()
    assert item["choices"] == [{"title": "Bo", "value": "bo"}, {"title": "Cleo", "value": "cleo"}]
    assert item["isRequired"] is True


def test_a_plan_too_large_for_teams_is_asked_as_its_text() -> None:
    """Not as a list of which steps are ticked, which nobody could read."""
    steps = tuple(
        Input(name=f"/steps/{n}", label="Step " * 60, kind=Kind.BOOLEAN, value="true", required=True) for n in range(95)
    )
    form = replace(cards.plan_form(), fields=steps)
    assert not forms.holds(form)
    asked = forms.asked(filled.controls(_card(form))[0])
    assert asked is not None
    assert asked.fields == (cards.plan_form().whole,)


def test_reasons_may_be_chosen_or_written() -> None:
    """Neither is asked for by the client: one of them is enough, and the desk says so."""
    field = Input(name="reason", label="Why?", choices=("paid", "p" * 300, "p" * 400, ""), required=True)
    drawn = _opened(field, verb=Verb.REJECT)
    why, own = inputs(drawn).values()
    assert [choice["value"] for choice in why["choices"]] == ["paid", "p" * (limits.CHOICE_TEXT - 1) + "…"]
    assert own["id"] == press.field_id(Verb.REJECT, "text")
    assert "isRequired" not in why
    assert _returned(drawn) == {"reason": "", "text": ""}


def test_a_locked_field_is_empty_and_says_what_blank_means() -> None:
    """Its value is not in the card."""
    (item,) = inputs(_opened(Input(name="/iban", label="iban", locked=True, value="ES91", required=True))).values()
    assert "value" not in item
    assert item["placeholder"] == "Left blank it stays as it is"
    assert "isRequired" not in item


def test_choices_that_cannot_be_held_are_left_out_only_where_none_need_be_made() -> None:
    """Else the form is one text."""
    many = tuple(f"choice {n}" for n in range(limits.CHOICES + 1))
    free = Input(name="/a", label="a", kind=Kind.CHOICE, choices=many)
    assert len(next(iter(inputs(_opened(free)).values()))["choices"]) == limits.CHOICES
    for bound in (replace(free, required=True), replace(free, value=many[-1])):
        (whole,) = inputs(_opened(bound))
        assert whole == press.field_id(Verb.EDIT, "")


@pytest.mark.parametrize(
    "fields",
    [
        [Input(name=f"/field_{n}", label=f"field {n}") for n in range(300)],
        # Each name is there as an input's id, and once more in what is sent.
        [Input(name=f"/{n}{'n' * 1500}", label="a") for n in range(13)],
        [Input(name="/a", label="a", value="hidden\u200bword")],
        [Input(name="/a", label="a", value="one\rtwo")],
    ],
)
def test_a_form_too_large_for_fields_or_with_what_is_not_sent_back_is_one_text(fields: list[Input]) -> None:
    """As JSON, which spells out what is not seen."""
    (whole,) = inputs(_opened(*fields)).values()
    assert whole["id"] == press.field_id(Verb.EDIT, "")
    assert "\u200b" not in whole.get("value", "")


def test_a_form_too_large_for_one_text_leads_to_the_full_page() -> None:
    """Beneath the card and as a dialog."""
    card = _card(Form(fields=(Input(name="/a", label="a", value="x" * 30_000),), submit="Send"))
    task = views.form_dialog(card, Token.of(card, "copy"), control_of(card, Verb.EDIT))
    assert dialog_faults(task) == []
    assert "Open the full page to do this." in seen(task["value"]["card"]["content"])


def test_a_control_without_a_form_asks_its_question() -> None:
    """As a dialog too; one without a question says what it would do."""
    for confirm, words in (("Sure?", "Sure?"), ("", "Edit?")):
        card = _card(None, Verb.ESCALATE, confirm)
        task = views.form_dialog(card, Token.of(card, "c"), control_of(card, Verb.ESCALATE))
        assert seen(task["value"]["card"]["content"]).splitlines()[-1] == words
        assert press.read(task["value"]["card"]["content"]["actions"][0]["data"]).way is How.ACT


_json_st = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.floats(-1e9, 1e9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(arguments=st.dictionaries(st.text(max_size=8), _json_st, max_size=6), huge=st.booleans())
def test_who_changes_nothing_sends_back_what_was_there(arguments: dict[str, Any], huge: bool) -> None:
    """Whatever an agent writes, field by field or in one text: looking at a form changes no argument."""
    arguments |= {"lots": ["\u200b"] * 40} if huge else {}
    arguments |= {"iban": {"nr": "DE00 1111", "bank": "B"}}
    route = builders.a_route(sensitive=("/action/arguments/iban/nr",))
    review = builders.a_review(request=builders.a_request(arguments=arguments), route=route)
    card = _card(edit_form(review, str))
    drawn = dumped(forms.opened(filled.controls(card)[0], Token.of(card, "copy"), card))
    assert card_faults(drawn) == []
    bare = Interaction(verb=Verb.EDIT, identity=Identity(surface="teams", id="a"), review=card.review, revision=1)
    made = filled.interaction(bare, card, _returned(drawn))
    assert not isinstance(made, filled.Faults), made
    assert action_digest("a", merged(review, made.arguments or {})) == action_digest("a", arguments)
