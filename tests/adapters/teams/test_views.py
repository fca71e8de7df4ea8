"""Histories, lists, selections, forms and dialogs: each is taken by Teams, whatever is in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.selection import Offer, Pick, Result
from adapters.teams import press, render, views
from adapters.teams.press import How
from adapters.token import Token
from reviews.card import Block, Form, Go, Input, Kind
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.teams.checker import actions, dialog_faults, inputs, message_faults, seen
from tests.adapters.teams.fake_connector import control_of
from tests.fakes import cards, samples
from tests.fakes.samples import item, queue

Json = dict[str, Any]

ASK = Form(
    fields=(
        Input(name="text", label="What should be looked at?", kind=Kind.MULTILINE, required=True),
        Input(name="summary", label="In a line"),
        Input(name="role", label="Who", kind=Kind.CHOICE, choices=("manager", "security")),
    ),
    submit="Ask",
)


def _words(message: Json) -> str:
    assert message_faults(message) == []
    return seen(render.content(message))


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_every_sample_has_a_history_that_fits(name: str) -> None:
    """What happened, and nothing to press."""
    message = views.history(cards.ALL[name])
    assert message_faults(message) == []
    assert actions(render.content(message)) == []


def test_history_shows_what_happened_and_nothing_of_the_proposal() -> None:
    """Earlier reviews and the timeline; not the conversation."""
    words = _words(views.history(cards.refund()))
    assert "approved by Bo Lindqvist" in words
    assert "refund-agent asked; policy support@3" in words
    assert "Where is my parcel?" not in words
    assert "Nothing has happened yet." in _words(views.history(cards.held()))


def test_home_lists_reviews_each_with_its_way() -> None:
    """Beneath what the person is greeted with."""
    message = views.welcome(queue(4, more=3), "Welcome, Ana Ruiz.")
    words = _words(message).splitlines()
    assert words[:3] == ["Placet: Ana Ruiz", "Welcome, Ana Ruiz.", "You are not away."]
    assert "and 3 more" in words
    sent = [press.read(action["data"]) for action in actions(render.content(message))]
    assert [(one.go, one.value) for one in sent] == [*((Go.OPEN, f"rev_{n}") for n in range(4)), (Go.BULK, "")]


def test_who_is_unknown_is_told_in_words() -> None:
    """There is no Home to show."""
    message = views.welcome(None, "Nobody here knows you.")
    assert message == {"type": "message", "text": "Nobody here knows you.", "textFormat": "plain"}


@pytest.mark.parametrize("many", [0, 15, 60])
def test_a_list_counts_what_it_leaves_out(many: int) -> None:
    """It fits a card, and says how many are not in it."""
    words = _words(render.private(queue(many), None))
    shown = words.count("asked by refund-desk")
    assert shown == min(many, 25)
    assert (f"and {many - shown} more" in words) is (many > shown)


# ---------------------------------------------------------------------------------------------- a selection


@pytest.mark.parametrize("many", [1, 20, 60])
def test_a_selection_begins_empty_and_comes_back_as_picks(many: int) -> None:
    """No more lines than are read; the rest is counted."""
    message = views.bulk_form(Offer(action="refund.issue", items=tuple(item(n) for n in range(many))))
    words, drawn = _words(message), render.content(message)
    ticks = inputs(drawn)
    assert len(ticks) == min(many, 20)
    assert (f"{many - 20} more come after these." in words) is (many > 20)
    (approve,) = drawn["actions"]
    sent = approve["data"] | dict.fromkeys(ticks, "false") | {next(iter(ticks)): "true"}
    pick = Pick(review=item(0).id, revision=1, digest="d" * 64, action="refund.issue")
    assert press.read(sent) == press.Pressed(way=How.BULK, action="refund.issue", picks=(pick,))


def test_nothing_to_choose_from_says_so() -> None:
    """No button that approves nothing."""
    for message in (views.bulk_form(Offer(action="mail.send")), views.bulk_actions(Offer())):
        assert "together with others" in _words(message)
        assert actions(render.content(message)) == []


@pytest.mark.parametrize("many", [1, 6, 40])
def test_one_action_is_chosen_first(many: int) -> None:
    """Each with how many wait; what does not fit is on the full page."""
    message = views.bulk_actions(Offer(waiting={f"action_{n}": n + 1 for n in range(many)}))
    sent = [press.read(action["data"]) for action in actions(render.content(message))]
    assert [one.value for one in sent] == [f"action_{n}" for n in range(min(many, 30))]
    assert {one.go for one in sent} == {Go.BULK}
    assert ("10 more are on the full page." in _words(message)) is (many == 40)


def test_results_say_what_came_of_each() -> None:
    """In words beside the mark."""
    done = (
        Result(review="rev_1", title="One", text="", good=True),
        Result(review="rev_2", title="", text="Bo was first.", good=False),
    )
    assert _words(views.results(done)).splitlines()[1:] == ["✅ One: done", "⛔ rev_2: Bo was first."]
    assert "Nothing was chosen" in _words(views.results(()))


@settings(max_examples=30, deadline=None)
@given(words=st.lists(st.tuples(samples.WORDS, samples.WORDS), max_size=20), action=samples.WORDS)
def test_any_selection_is_within_the_limits(words: list[tuple[str, str]], action: str) -> None:
    """Whatever the titles are."""
    items = tuple(item(n, title=title, agent=agent) for n, (title, agent) in enumerate(words))
    done = tuple(Result(review="rev_1", title=title, text=text, good=True) for title, text in words)
    for message in (
        views.bulk_form(Offer(action=action or "a", items=items)),
        views.bulk_actions(Offer(waiting={title: 1 for title, _ in words})),
        views.results(done[:20]),
    ):
        assert message_faults(message) == []


# ---------------------------------------------------------------------------------------------- forms and dialogs


def test_the_form_to_ask_with_begins_with_what_was_pointed_at() -> None:
    """And carries the nonce that tells one asking from another."""
    message = views.ask_form(ASK, "Look at\nthis", nonce="n1")
    assert message_faults(message) == []
    drawn = render.content(message)
    assert inputs(drawn)[press.field_id(None, "text")]["value"] == "Look at\nthis"
    assert press.read(drawn["actions"][0]["data"]).nonce == "n1"


def test_the_form_to_ask_with_keeps_what_was_typed_and_says_what_is_wrong() -> None:
    """At its field."""
    message = views.ask_form(ASK, values={"summary": "A line"}, errors={"text": "This is needed."}, nonce="n1")
    assert "⚠️ This is needed." in _words(message)
    assert inputs(render.content(message))[press.field_id(None, "summary")]["value"] == "A line"


def test_a_form_to_ask_with_that_no_card_holds_says_so() -> None:
    """Half a form would mislead."""
    many = tuple(Input(name=f"f{n}", label=f"Field {n}") for n in range(400))
    assert "full page" in _words(views.ask_form(replace(ASK, fields=many), nonce="n1"))


def test_a_dialog_sends_what_a_card_would() -> None:
    """The same data; only the kind of action differs, for dialogs know no Action.Execute."""
    card = cards.refund()
    reject, filled_in = control_of(card, Verb.REJECT), {"reason": "not insured"}
    task = views.form_dialog(card, Token.of(card, "copy"), reject, filled_in, {}, "Look again.")
    assert dialog_faults(task) == []
    content = task["value"]["card"]["content"]
    assert task["value"]["title"] == "Reject"
    assert seen(content).splitlines()[:2] == [card.title, "⚠️ Look again."]
    assert inputs(content)[press.field_id(Verb.REJECT, "reason")]["value"] == "not insured"
    (send,) = content["actions"]
    assert send["type"] == "Action.Submit"
    assert press.read(send["data"]).token == Token.of(card, "copy")


def test_any_message_may_become_a_dialog() -> None:
    """Also one with forms behind its buttons."""
    for message in (render.message(cards.refund(), "copy"), views.ask_form(ASK, nonce="n1")):
        assert dialog_faults(views.dialog("Review", render.content(message))) == []


@pytest.mark.parametrize("text", ["Done.", "", "x" * 9000])
def test_a_dialog_ends_with_a_sentence(text: str) -> None:
    """Never with nothing."""
    assert dialog_faults(views.said(text)) == []


@settings(max_examples=40, deadline=None)
@given(form=samples.FORM, text=samples.WORDS, thread=st.lists(samples.BLOCKS, max_size=4))
def test_any_form_and_any_history_are_within_the_limits(form: Form, text: str, thread: list[Block]) -> None:
    """Whatever is in them."""
    fields = tuple(replace(field, labels=()) for field in form.fields)
    asked = views.ask_form(replace(form, fields=fields), text, nonce="n1")
    history = views.history(replace(cards.refund(), thread=tuple(thread), title=text, status=text))
    for message in (asked, history):
        assert message_faults(message) == []
