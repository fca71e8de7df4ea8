"""Forms: opened at once, filled, sent, refused; modals upon modals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.token import Token
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.slack.checker import seen
from tests.adapters.slack.conftest import Build, House
from tests.adapters.slack.test_clicks import slow
from tests.fakes import cards
from tests.fakes.desk import queue_card, sample_queue
from tests.fakes.slack import Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

Json = dict[str, Any]
FORM, EDIT, APPROVE = "placet:reject:form", "placet:edit:form", "placet:approve"


async def _open(house: House, action: str = FORM, card: Card | None = None, **pressed: Any) -> Json:
    """Press the button that opens a form; the form as Slack shows it in the end."""
    card = card or cards.refund()
    house.desk.cards[card.review] = card
    ref = await house.adapter.post(card, house.target, "copy-7")
    assert await house.press(ref, action, **pressed) == 200
    return await house.modal()


def _views(house: House) -> list[str]:
    return [method for method, _ in house.slack.calls if method.startswith("views.")]


def _with(verb: Verb, *fields: Input) -> Card:
    """The refund with one control, which asks for these."""
    control = Control(verb=verb, label="Do it", form=Form(fields=fields, submit="Do it"))
    return replace(cards.refund(), blocks=(Actions(controls=(control,)),))


async def test_a_form_opens_before_anything_is_read(house: House) -> None:
    """The trigger lives three seconds: first the modal, then the card, then the form."""
    house.desk.faults.append(StoreUnavailable("The database did not take it."))
    view = await _open(house)
    assert _views(house) == ["views.open", "views.update"]
    assert "The database did not take it." in seen(view["blocks"])
    assert house.desk.done == []


async def test_a_form_that_was_sent_is_the_rejection(house: House) -> None:
    """Reason and words arrive with the copy, place and revision of the message it was opened from."""
    view = await _open(house)
    assert await house.submit(view, {"reason": "not insured", "text": " Told Maria. "}) == {}
    done = house.desk.done[0]
    assert (done.verb, done.reason, done.notes) == (Verb.REJECT, "not insured", "Told Maria.")
    assert (done.copy, done.revision, done.shown) == ("copy-7", 1, cards.refund().digest)
    assert done.ref is not None
    assert done.ref["channel"] == house.target.address


@pytest.mark.parametrize(
    ("verb", "name", "given"),
    [
        (Verb.REQUEST_CHANGES, "reason", "reason"),
        (Verb.COMMENT, "reason", "reason"),
        (Verb.REVOKE, "reason", "reason"),
        (Verb.REVEAL, "reason", "reason"),
        (Verb.BREAK_GLASS, "reason", "reason"),
        (Verb.ANSWER, "notes", "notes"),
        (Verb.HAND, "to", "to"),
    ],
)
async def test_every_verb_with_a_form_says_what_was_typed(house: House, verb: Verb, name: str, given: str) -> None:
    """Words are the person's, whatever they go with."""
    card = _with(verb, Input(name=name, label="Say", kind=Kind.MULTILINE, required=True))
    view = await _open(house, f"placet:{verb}:form", card)
    assert await house.submit(view, {name: "bo"}) == {}
    assert [(done.verb, getattr(done, given)) for done in house.desk.done] == [(verb, "bo")]


async def test_an_edit_arrives_in_its_types(house: House) -> None:
    """Numbers are numbers; what was emptied is empty; what is locked and blank is not sent."""
    fields = (
        Input(name="/amount", label="Amount", kind=Kind.NUMBER, value="180"),
        Input(name="/days", label="Days", kind=Kind.INTEGER, value="3"),
        Input(name="/fast", label="Fast", kind=Kind.BOOLEAN, value="true"),
        Input(name="/due", label="Due", kind=Kind.DATE, value="2026-11-25"),
        Input(name="/to", label="To", kind=Kind.CHOICE, choices=("card", "bank"), value="card"),
        Input(name="/more", label="More", kind=Kind.JSON, value='{"a": 1}'),
        Input(name="/note", label="Note", value="old"),
        Input(name="/iban", label="IBAN", locked=True),
    )
    view = await _open(house, EDIT, _with(Verb.EDIT, *fields))
    sent = {"/amount": "99.5", "/days": "4", "/fast": "false", "/due": "2026-12-01", "/to": "bank", "/more": "[1]"}
    assert await house.submit(view, sent) == {}
    assert house.desk.done[0].arguments == {
        "amount": 99.5,
        "days": 4,
        "fast": False,
        "due": "2026-12-01",
        "to": "bank",
        "more": [1],
        "note": "",
    }


async def test_a_value_that_does_not_fit_is_marked_at_its_field(house: House) -> None:
    """Before the desk is asked."""
    card = _with(Verb.EDIT, Input(name="/more", label="More", kind=Kind.JSON, value="{}"))
    view = await _open(house, EDIT, card)
    answer = await house.submit(view, {"/more": "{nonsense"})
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == ["field:/more"]
    assert house.desk.done == []


async def test_a_fault_of_the_desk_is_shown_at_the_field(house: House) -> None:
    """The form stays open with the sentence under the input; what has no input here stands at the first."""
    view = await _open(house)
    errors = {"text": "Say why in your words.", "/amount": "Must be at most 500."}
    house.desk.replies[Verb.REJECT] = lambda _: Reply(answer=Answer.REFUSED, text="", errors=errors)
    answer = await house.submit(view, {"reason": "not insured"})
    assert answer == {
        "response_action": "errors",
        "errors": {"field:text": "Say why in your words.", "field:reason": "/amount: Must be at most 500."},
    }


async def test_a_refused_form_says_so_in_its_place(house: House) -> None:
    """Nobody but the person sees a modal."""
    view = await _open(house)
    answer = await house.submit(view, {"reason": "not insured"}, who=house.bo)
    assert answer["response_action"] == "update"
    assert "That is not yours to decide." in json.dumps(answer)


async def test_a_form_while_the_database_is_down_says_so(house: House) -> None:
    """And decides nothing."""
    view = await _open(house)
    house.desk.faults.append(StoreUnavailable(str(StoreUnavailable.__doc__)))
    assert "nothing was changed" in json.dumps(await house.submit(view, {"reason": "not insured"}))
    assert house.desk.done == []


async def test_a_slow_form_waits_in_the_modal(build: Build) -> None:
    """It says that it is working, and then what came of it."""
    desk = slow()
    house = await build(desk=desk, patience=0.05)
    view = await _open(house)
    answer = await house.submit(view, {"reason": "not insured"}, who=house.bo)
    assert "Still working" in json.dumps(answer)
    desk.go.set()
    await house.settled()
    assert "not yours" in seen(house.slack.views[view["id"]]["blocks"])


async def test_a_slow_form_that_was_closed_is_answered_beside_the_card(build: Build) -> None:
    """Who closed it still hears what came of it."""
    desk = slow()
    house = await build(desk=desk, patience=0.05)
    view = await _open(house)
    await house.submit(view, {"reason": "not insured"}, who=house.bo)
    house.slack.faults["views.update"] = [Fault(error="not_found")]
    desk.go.set()
    await house.settled()
    assert "not yours" in house.slack.ephemerals[0].text


@pytest.mark.parametrize("error", ["invalid_arguments", "hash_conflict"])
async def test_a_form_slack_does_not_take_says_so_in_its_place(house: House, error: str) -> None:
    """The modal must not say "One moment…" for ever. No `hash` is sent: only one that is stale can be in conflict."""
    house.slack.faults["views.update"] = [Fault(error=error)]
    view = await _open(house)
    assert error in seen(view["blocks"])
    assert not any("hash" in args for method, args in house.slack.calls if method.startswith("views."))


async def test_a_form_of_an_older_version_is_answered(house: House) -> None:
    """Nothing is guessed."""
    view = await _open(house)
    answer = await house.submit({**view, "private_metadata": "approve|old"}, {})
    assert "nothing was done" in json.dumps(answer)
    assert house.desk.done == []


async def test_who_may_not_see_the_review_gets_no_form(house: House) -> None:
    """The modal says why."""
    view = await _open(house, who=house.bo)
    assert "Nobody here has this identity." in seen(view["blocks"])
    assert not view["submit"]


async def test_a_review_that_is_over_has_no_form(house: House) -> None:
    """It was decided between the card and the press."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    house.desk.cards["rev_refund4721"] = replace(cards.decided(), review="rev_refund4721")
    await house.press(ref, FORM)
    assert "Approved: too late." in seen((await house.modal())["blocks"])


@pytest.mark.parametrize("error", ["expired_trigger_id", "exchanged_trigger_id", "invalid_trigger"])
async def test_an_expired_trigger_asks_for_another_press(house: House, error: str) -> None:
    """Slack was too slow, and says so to nobody but us."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    house.slack.faults["views.open"] = [Fault(error=error)]
    await house.press(ref, FORM)
    await house.settled()
    assert "Press again" in house.slack.ephemerals[0].text


# ---------------------------------------------------------------------------------------------- what is hidden


async def test_what_is_hidden_is_shown_to_one_person_beside_the_card(house: House) -> None:
    """After the reason was kept; without controls, and never in the channel."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    await house.press(ref, "placet:more", option="reveal|")
    assert await house.submit(await house.modal(), {"reason": "to call the customer"}) == {}
    await house.settled()
    assert [done.verb for done in house.desk.done] == [Verb.REVEAL]
    assert house.desk.reads[-1] == ("rev_refund4721", "ana", "slack", True)
    shown = house.slack.ephemerals[0]
    assert (shown.channel, shown.user) == (house.target.address, house.ana.id)
    assert APPROVE not in json.dumps(shown.blocks)
    assert "ES91" in shown.text
    assert "ES91" not in await house.read_back(ref)


async def test_what_is_hidden_and_cannot_be_read_is_not_left_in_silence(house: House) -> None:
    """The form is closed by then: the reason was kept, so the person is told how far it came."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    await house.press(ref, "placet:more", option="reveal|")

    def kept(_: Interaction) -> Reply:
        house.desk.faults.append(StoreUnavailable("The database is down."))
        return Reply(answer=Answer.DONE, text="Kept.")

    house.desk.replies[Verb.REVEAL] = kept
    assert await house.submit(await house.modal(), {"reason": "to call the customer"}) == {}
    await house.settled()
    assert "It was done, but" in house.slack.ephemerals[0].text
    assert "The database is down." in house.slack.ephemerals[0].text


async def test_what_is_hidden_stays_so_when_the_desk_refuses(house: House) -> None:
    """Nothing is read."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    await house.press(ref, "placet:more", option="reveal|")
    house.desk.replies[Verb.REVEAL] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Not for you.")
    answer = await house.submit(await house.modal(), {"reason": "curious"})
    await house.settled()
    assert "Not for you." in json.dumps(answer)
    assert not any(revealed for *_, revealed in house.desk.reads)


async def test_what_is_hidden_is_shown_in_the_modal_it_was_asked_for_in(house: House) -> None:
    """Who reads a card in a modal sees it there; a message would lie behind it."""
    card = await _card_modal(house)
    await house.within(card, "placet:more", option="reveal|")
    assert await house.submit(await house.modal(), {"reason": "to call the customer"}) == {}
    await house.settled()
    assert "ES91" in seen(house.slack.views[card["id"]]["blocks"])
    assert house.slack.ephemerals == []


# ---------------------------------------------------------------------------------------------- modals upon modals


async def _card_modal(house: House) -> Json:
    ref = await house.adapter.post(queue_card(sample_queue()), house.target, "queue-1")
    await house.press(ref, "placet:go:open", option="rev_refund4721")
    return await house.modal()


async def test_a_form_opens_upon_the_card_and_the_card_is_redrawn(house: House) -> None:
    """List, card, form: three, which is what Slack stacks."""
    ref = await house.adapter.post(queue_card(sample_queue()), house.target, "queue-1")
    await house.press(ref, "placet:go:queue")
    listing = await house.modal()
    await house.within(listing, "placet:go:open", option="rev_refund4721")
    card = await house.modal()
    await house.within(card, FORM)
    form = await house.modal()
    assert form["previous_view_id"] == card["id"]
    assert card["previous_view_id"] == listing["id"]
    assert await house.submit(form, {"reason": "not insured"}) == {}
    await house.settled()
    assert "Rejected" in seen(house.slack.views[card["id"]]["blocks"])
    assert APPROVE not in json.dumps(house.slack.views[card["id"]])


async def test_a_stack_that_is_full_gives_its_last_place(house: House) -> None:
    """Slack refuses a fourth; the way still leads on."""
    card = await _card_modal(house)
    house.slack.faults["views.push"] = [Fault(error="push_limit_reached")]
    await house.within(card, FORM)
    await house.settled()
    assert house.slack.views[card["id"]]["callback_id"] == "placet:form"


async def test_an_expired_trigger_upon_a_modal_is_said_there(house: House) -> None:
    """Where they pressed."""
    card = await _card_modal(house)
    house.slack.faults["views.push"] = [Fault(error="expired_trigger_id")]
    await house.within(card, FORM)
    await house.settled()
    assert "Press again" in seen(house.slack.views[card["id"]]["blocks"])


async def test_a_refusal_in_a_modal_is_said_there(house: House) -> None:
    """And not in the channel."""
    card = await _card_modal(house)
    await house.within(card, APPROVE, who=house.bo)
    await house.settled()
    assert "That is not yours to decide." in seen(house.slack.views[card["id"]]["blocks"])
    assert house.slack.ephemerals == []


async def test_a_modal_names_no_copy(house: House) -> None:
    """The card in it was never posted, so nothing is adopted."""
    card = await _card_modal(house)
    block = next(block for block in card["blocks"] if block["type"] == "actions")
    assert Token.read(block["block_id"].partition("|")[2]).copy == ""
