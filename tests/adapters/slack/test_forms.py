"""Forms as modals: field by field, in one text, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import forms
from adapters.slack.parse import submission
from adapters.slack.press import Back
from adapters.token import Token
from reviews import filled
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.digest import action_digest
from reviews.forms import edit_form, merged
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.slack.checker import seen, view_faults
from tests.fakes import builders, cards

TOKEN = Token(copy="copy-1", review="rev_1", revision=3, shown="d" * 64)
BACK = str(Back(verb="edit", token=str(TOKEN), channel="C1", message="1.1"))


def _edit(*fields: Input) -> Control:
    return Control(verb=Verb.EDIT, label="Edit", form=Form(fields=fields, submit="Save"))


def _elements(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}


def untouched(view: dict[str, Any]) -> dict[str, Any]:
    """The payload of a form that was sent as it was opened."""
    values = {name: {element["action_id"]: _state(element)} for name, element in _elements(view).items()}
    sent = {"id": "V1", "type": "modal", "private_metadata": view["private_metadata"], "state": {"values": values}}
    return {"user": {"id": "U1", "team_id": "T1"}, "trigger_id": "1.2", "view": sent}


def _state(element: dict[str, Any]) -> dict[str, Any]:
    match element["type"]:
        case "static_select" | "radio_buttons":
            return {"type": element["type"], "selected_option": element.get("initial_option")}
        case "datepicker":
            return {"type": element["type"], "selected_date": element.get("initial_date")}
        case "checkboxes":
            return {"type": element["type"], "selected_options": element.get("initial_options", [])}
        case _:
            return {"type": element["type"], "value": element.get("initial_value")}


def test_a_box_may_be_left_empty() -> None:
    """Slack would else want it ticked; untouched it comes back as it was."""
    fields = (
        Input(name=f"/{value}", label="a", kind=Kind.BOOLEAN, value=value, required=True) for value in ("true", "false")
    )
    view = forms.form(_edit(*fields), BACK)
    assert [block["optional"] for block in view["blocks"]] == [True, True]
    assert submission(untouched(view)).values == {"/true": "true", "/false": "false"}


def test_a_plan_slack_does_not_hold_is_asked_as_its_text() -> None:
    """Not as a list of which steps are ticked, which nobody could read."""
    fields = tuple(replace(field, name="/" + "x" * 300) for field in cards.plan_form().fields)
    view = forms.form(
        Control(verb=Verb.EDIT, label="Choose steps", form=replace(cards.plan_form(), fields=fields)), BACK
    )
    assert list(_elements(view)) == ["field:"]
    assert _elements(view)["field:"]["initial_value"] == "{}"


def test_a_form_of_every_kind_is_taken_by_slack() -> None:
    """Values are filled in; a locked one stays blank; where it was opened is kept."""
    view = forms.form(Control(verb=Verb.EDIT, label="Edit", form=cards.edit_form()), BACK)
    assert view_faults(view) == []
    elements = _elements(view)
    assert elements["field:/amount"]["initial_value"] == "180.0"
    assert elements["field:/currency"]["initial_option"]["value"] == "USD"
    assert elements["field:/pay_on"]["initial_date"] == "2026-11-26"
    assert elements["field:/notify_customer"]["initial_option"]["text"]["text"] == "Yes"
    assert "initial_value" not in elements["field:/iban"]
    assert view["private_metadata"] == BACK


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_the_forms_of_every_sample_are_taken_by_slack(name: str) -> None:
    """Hostile and huge ones too."""
    blocks = [block for block in cards.ALL[name].blocks if isinstance(block, Actions)]
    for control in (c for b in blocks for c in (*b.controls, *b.overflow)):
        assert view_faults(forms.form(control, BACK, "https://placet.example.com/reviews/1")) == []


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (Input(name="/a", label="a", kind=Kind.NUMBER, value="1e-07"), "plain_text_input"),
        (Input(name="/a", label="a", kind=Kind.INTEGER, value="9007199254740991"), "plain_text_input"),
        (Input(name="/a", label="a", kind=Kind.NUMBER, value="-12.5"), "number_input"),
        (Input(name="/a", label="a", kind=Kind.DATE, value="tomorrow"), "plain_text_input"),
        (Input(name="/a", label="a", kind=Kind.DATE), "datepicker"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN), "radio_buttons"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, required=True), "radio_buttons"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, value="true", required=True), "checkboxes"),
        (Input(name="/a", label="a", kind=Kind.BOOLEAN, value="false", required=True), "checkboxes"),
    ],
)
def test_a_value_that_slack_could_not_show_is_typed(field: Input, kind: str) -> None:
    """A field that Slack refuses would have the whole form refused."""
    view = forms.form(_edit(field), BACK)
    assert view_faults(view) == []
    assert _elements(view)["field:/a"]["type"] == kind


def test_a_choice_is_shown_by_its_label_and_sent_by_its_value() -> None:
    """People are named, ids are sent."""
    hand = filled.control(cards.refund(), Verb.HAND)
    assert hand is not None
    (element,) = _elements(forms.form(hand, BACK)).values()
    assert [(o["value"], o["text"]["text"]) for o in element["options"]] == [
        ("bo", "Bo Lindqvist"),
        ("cleo", "Cleo Marsh"),
    ]


def test_reasons_may_be_chosen_or_written() -> None:
    """The rule's reasons, and own words beside them."""
    reason = Input(name="reason", label="Why?", choices=("in use", "freeze"))
    view = forms.form(
        Control(verb=Verb.REJECT, label="Reject", form=Form(fields=(reason,), submit="Reject")),
        BACK.replace("edit", "reject"),
    )
    assert view_faults(view) == []
    assert list(_elements(view)) == ["field:reason", "field:text"]
    sent = untouched(view)
    sent["view"]["state"]["values"]["field:reason"]["value"]["selected_option"] = {"value": "freeze"}
    sent["view"]["state"]["values"]["field:text"]["value"]["value"] = "until Monday"
    read = submission(sent)
    made = filled.interaction(read.interaction, cards.refund(), read.values)
    assert isinstance(made, filled.Faults) is False
    assert (made.reason, made.notes) == ("freeze", "until Monday")  # type: ignore[union-attr] # just asked


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CHOICE])
def test_a_reason_without_any_to_choose_from_is_written(kind: Kind) -> None:
    """A rule need not name reasons, and a blank one is none; Slack refuses an empty menu."""
    view = forms.form(_edit(Input(name="reason", label="Why?", kind=kind, choices=(" ",))), BACK)
    assert view_faults(view) == []
    assert [element["type"] for element in _elements(view).values()] == ["plain_text_input"]


def test_choices_slack_cannot_hold_are_left_out_only_where_none_need_be_made() -> None:
    """A required choice with a line missing would mislead."""
    many = tuple(f"place {n}" for n in range(150))
    about = Input(name="about", label="Which part", kind=Kind.CHOICE, choices=(*many[:3], "x" * 151))
    view = forms.form(_edit(about), BACK)
    assert len(_elements(view)["field:about"]["options"]) == 3
    whom = replace(about, name="to", required=True, choices=many)
    view = forms.form(_edit(whom), BACK, "https://placet.example.com/reviews/1")
    assert "submit" not in view
    assert "https://placet.example.com/reviews/1" in json.dumps(view)


@pytest.mark.parametrize(
    "fields",
    [
        [Input(name="/" + "n" * 300, label="x", value="kept")],
        [Input(name=f"/a{n}", label="x", value="kept") for n in range(120)],
        [Input(name="/a", label="x", value="kept\u200b")],
        [Input(name="/a", label="a", kind=Kind.CHOICE, value="y" * 151, choices=("x", "y" * 151))],
    ],
)
def test_a_form_too_large_for_fields_is_one_text(fields: list[Input]) -> None:
    """Every argument is in it, as JSON."""
    view = forms.form(_edit(*fields), BACK)
    assert view_faults(view) == []
    (element,) = _elements(view).values()
    assert len(json.loads(element["initial_value"])) == len(fields)


def test_a_form_too_large_for_one_text_is_a_notice_with_the_page() -> None:
    """Half a form would mislead."""
    field = Input(name="/a", label="a", kind=Kind.MULTILINE, value="x" * 3001, max_length=200_000)
    view = forms.form(_edit(field), BACK, "https://placet.example.com/reviews/1")
    assert view_faults(view) == []
    assert "submit" not in view
    assert "full page" in seen(view["blocks"])
    assert "https://placet.example.com/reviews/1" in json.dumps(view["blocks"])


def test_a_control_without_a_form_asks_its_question() -> None:
    """From the menu Slack cannot ask, so a modal does."""
    view = forms.form(Control(verb=Verb.UNDO, label="Undo my approval", confirm="Take your approval back?"), BACK)
    assert view_faults(view) == []
    assert seen(view["blocks"]) == "Take your approval back?"
    assert view["submit"]["text"] == "Undo my approval"


@pytest.mark.parametrize("verb", list(Verb))
def test_notices_are_taken_by_slack(verb: Verb) -> None:
    """The title of every verb fits."""
    assert view_faults(forms.loading(verb)) == []
    assert view_faults(forms.notice(verb, "<!here> " * 1000, "https://placet.example.com")) == []


_json_st = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.floats(-1e9, 1e9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(arguments=st.dictionaries(st.text(max_size=8), _json_st, max_size=6), huge=st.booleans())
def test_who_changes_nothing_sends_back_what_was_there(arguments: dict[str, Any], huge: bool) -> None:
    """Whatever an agent writes, field by field or in one text: looking at a form changes no argument."""
    arguments |= {"lots": ["\u200b"] * 40} if huge else {}
    arguments |= {"iban": {"nr": "DE00 1111", "bank": "B"}}
    route = builders.a_route(sensitive=("/action/arguments/iban/nr",))
    review = builders.a_review(request=builders.a_request(arguments=arguments), route=route)
    control = Control(verb=Verb.EDIT, label="Edit", form=edit_form(review, str))
    card: Card = replace(cards.refund(), blocks=(Actions(controls=(control,)),))
    view = forms.form(control, BACK)
    assert view_faults(view) == []
    if "submit" not in view:
        return
    read = submission(untouched(view))
    made = filled.interaction(read.interaction, card, read.values)
    assert not isinstance(made, filled.Faults), made
    assert action_digest("a", merged(review, made.arguments or {})) == action_digest("a", arguments)
