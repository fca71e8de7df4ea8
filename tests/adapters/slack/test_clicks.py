"""Clicks as Slack sends them, signed, on messages that were really posted: what the desk and the person get."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.model import Verb
from reviews.ports import MessageRef
from tests.adapters.slack.conftest import Build, House
from tests.fakes import cards
from tests.fakes.desk import FakeDesk, desk_of
from tests.fakes.slack import Ephemeral, Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

APPROVE, REJECT, BECAUSE, FORM = "placet:approve", "placet:reject", "placet:reject:because", "placet:reject:form"


def _with_form(*, required: bool) -> Card:
    """The refund with a rejection that must say why."""
    fields = (
        Input(name="reason", label="Reason", kind=Kind.CHOICE, choices=("fraud", "not insured"), required=required),
        Input(name="notes", label="In your words", kind=Kind.MULTILINE),
    )
    form = Form(fields=fields, submit="Reject")
    reject = Control(verb=Verb.REJECT, label="Reject", style="danger", form=form)
    return replace(cards.refund(), blocks=(*cards.refund().blocks[:-1], Actions(controls=(reject,))))


async def _post(house: House, card: Card | None = None) -> MessageRef:
    return await house.adapter.post(card or cards.refund(), house.target, "copy-7")


# ---------------------------------------------------------------------------------------------- decisions


async def test_an_approval_says_who_pressed_what_and_what_they_saw(house: House) -> None:
    """The identity is the verified id; copy, revision and digest are those of the card on which it was pressed."""
    ref = await _post(house)
    assert await house.press(ref, APPROVE) == 200
    card = cards.refund()
    assert house.desk.done == [
        Interaction(
            verb=Verb.APPROVE,
            identity=house.ana,
            review=card.review,
            revision=card.revision,
            copy="copy-7",
            shown=card.digest,
        )
    ]
    assert house.slack.ephemerals == []


async def test_a_rejection_acts_at_once_or_with_a_reason_of_one_tap(house: House) -> None:
    """The button is plain; the menu beside it holds the rule's reasons."""
    ref = await _post(house)
    house.desk.replies[Verb.REJECT] = lambda _: Reply(answer=Answer.DONE, text="")
    assert await house.press(ref, REJECT) == 200
    assert await house.press(ref, BECAUSE, option=1) == 200
    assert [(done.verb, done.reason, done.copy) for done in house.desk.done] == [
        (Verb.REJECT, None, "copy-7"),
        (Verb.REJECT, "replacement sent", "copy-7"),
    ]


async def test_a_refusal_is_seen_by_the_one_who_pressed_alone(house: House) -> None:
    """In the channel where they pressed, and nowhere else."""
    ref = await _post(house)
    assert await house.press(ref, APPROVE, who=house.bo) == 200
    await house.slack.until(lambda: house.slack.ephemerals)
    assert house.slack.ephemerals == [
        Ephemeral(channel=house.target.address, user=house.bo.id, text="That is not yours to decide.")
    ]


async def test_a_refusal_goes_by_direct_message_where_no_ephemeral_can(house: House) -> None:
    """Every click is answered visibly."""
    ref = await _post(house)
    house.slack.faults["chat.postEphemeral"] = [Fault(error="user_not_in_channel")]
    assert await house.press(ref, APPROVE, who=house.bo) == 200
    await house.slack.until(lambda: house.slack.calls[-1][0] == "chat.postMessage")
    assert (await house.slack.direct(house.bo.id))[0] == "That is not yours to decide."


async def test_a_card_changed_since_is_refused_by_its_revision(house: House) -> None:
    """The button carries what was seen, not what stands."""
    ref = await _post(house)
    house.desk.cards["rev_refund4721"] = replace(cards.refund(), revision=2)
    await house.press(ref, APPROVE)
    await house.slack.until(lambda: house.slack.ephemerals)
    assert "revision 2" in house.slack.ephemerals[0].text


async def test_a_repeated_delivery_changes_nothing(house: House) -> None:
    """Slack may send a click again; the desk is asked again and answers the same."""
    ref = await _post(house)
    house.desk.replies[Verb.APPROVE] = lambda _: Reply(answer=Answer.SAME, text="You approved it already.")
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, APPROVE)
    again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    assert (await house.send(payload))[0] == 200
    assert (await house.send(payload, **again))[0] == 200
    assert house.desk.done[0] == house.desk.done[1]


async def test_a_click_that_was_not_kept_is_not_acknowledged(house: House) -> None:
    """The database is down: 500 to Slack, which shows a warning, and a sentence to the person."""
    ref = await _post(house)
    house.desk.faults.append(StoreUnavailable(str(StoreUnavailable.__doc__)))
    assert await house.press(ref, APPROVE) == 500
    assert "nothing was changed" in house.slack.ephemerals[0].text


async def test_a_defect_of_ours_tells_nothing_of_the_inside(house: House) -> None:
    """A person reads what to do next, not what broke."""
    ref = await _post(house)
    house.desk.faults.append(RuntimeError("secret detail"))
    assert await house.press(ref, APPROVE) == 500
    assert "secret detail" not in house.slack.ephemerals[0].text
    assert "nothing is known to be decided" in house.slack.ephemerals[0].text


class _SlowDesk(FakeDesk):
    """Decides once it is let go."""

    asked: asyncio.Event
    go: asyncio.Event

    async def interact(self, interaction: Interaction) -> Reply:
        """Wait, then decide."""
        self.asked.set()
        await self.go.wait()
        return await super().interact(interaction)


def _slow() -> _SlowDesk:
    desk = _SlowDesk(cards=desk_of().cards)
    desk.asked, desk.go = asyncio.Event(), asyncio.Event()
    return desk


async def test_a_click_is_acknowledged_after_its_decision_is_kept(build: Build) -> None:
    """While the desk has not answered, Slack has no answer either."""
    desk = _slow()
    house = await build(desk=desk, patience=30)
    ref = await _post(house)
    pressed = asyncio.create_task(house.press(ref, APPROVE))
    await desk.asked.wait()
    assert not pressed.done()
    desk.go.set()
    assert await pressed == 200
    assert len(desk.done) == 1


async def test_a_slow_decision_is_acknowledged_first_and_answered_later(build: Build) -> None:
    """Slack gives up after three seconds; the person is told to wait, then what came of it."""
    desk = _slow()
    house = await build(desk=desk, patience=0.05)
    ref = await _post(house)
    assert await house.press(ref, APPROVE, who=house.bo) == 200
    assert desk.done == []
    await house.slack.until(lambda: len(house.slack.ephemerals) == 1)
    desk.go.set()
    await house.slack.until(lambda: len(house.slack.ephemerals) == 2)
    assert [e.text for e in house.slack.ephemerals] == [
        "Still working on it. You will see the answer here.",
        "That is not yours to decide.",
    ]


@pytest.mark.parametrize("damage", [{"action_id": "other:button"}, {"value": "rev_1"}, {"value": "a|b|x|d"}])
async def test_a_control_we_do_not_know_is_answered_and_does_nothing(house: House, damage: dict[str, str]) -> None:
    """An older version's button, or another's."""
    ref = await _post(house)
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, APPROVE)
    payload["actions"][0] |= damage
    assert (await house.send(payload))[0] == 200
    await house.slack.until(lambda: house.slack.ephemerals)
    assert "nothing was done" in house.slack.ephemerals[0].text
    assert house.desk.done == []


# ---------------------------------------------------------------------------------------------- forms


async def _open(house: House) -> dict[str, Any]:
    """Press the button that opens a form; the form as Slack shows it in the end."""
    card = _with_form(required=True)
    house.desk.cards[card.review] = card
    ref = await _post(house, card)
    assert await house.press(ref, FORM) == 200
    await house.slack.until(lambda: house.slack.calls[-1][0] == "views.update")
    asked = house.slack.calls[-1][1]
    view: dict[str, Any] = {**asked["view"], "id": asked["view_id"]}
    return view


async def test_a_required_reason_opens_a_form_before_it_is_read(house: House) -> None:
    """The trigger lives three seconds: first the modal, then the card, then the form."""
    view = await _open(house)
    methods = [method for method, _ in house.slack.calls if method.startswith("views.")]
    assert methods == ["views.open", "views.update"]
    assert [block["block_id"] for block in view["blocks"]] == ["field:reason", "field:notes"]
    assert house.desk.done == []


async def test_a_form_that_was_sent_is_the_rejection(house: House) -> None:
    """Reason and words arrive with the copy and revision of the message it was opened from."""
    view = await _open(house)
    status, body = await house.send(
        house.slack.submit(view, house.ana.id, {"reason": "fraud", "notes": " Told Maria. "})
    )
    assert (status, body) == (200, "")
    done = house.desk.done[0]
    assert (done.verb, done.reason, done.notes) == (Verb.REJECT, "fraud", "Told Maria.")
    assert (done.copy, done.revision, done.shown) == ("copy-7", 1, cards.refund().digest)


async def test_a_fault_of_a_field_is_shown_at_the_field(house: House) -> None:
    """The form stays open with the sentence under the input."""
    view = await _open(house)
    house.desk.replies[Verb.REJECT] = lambda _: Reply(
        answer=Answer.REFUSED, text="", errors={"notes": "Say why in your words."}
    )
    _, body = await house.send(house.slack.submit(view, house.ana.id, {"reason": "fraud"}))
    assert json.loads(body) == {"response_action": "errors", "errors": {"field:notes": "Say why in your words."}}


async def test_a_refused_form_says_so_in_its_place(house: House) -> None:
    """Nobody but the person sees a modal."""
    view = await _open(house)
    _, body = await house.send(house.slack.submit(view, house.bo.id, {"reason": "fraud"}))
    assert "That is not yours to decide." in body
    assert json.loads(body)["response_action"] == "update"


async def test_a_form_while_the_database_is_down_says_so(house: House) -> None:
    """And decides nothing."""
    view = await _open(house)
    house.desk.faults.append(StoreUnavailable(str(StoreUnavailable.__doc__)))
    _, body = await house.send(house.slack.submit(view, house.ana.id, {"reason": "fraud"}))
    assert "nothing was changed" in body


async def test_a_slow_form_waits_in_the_modal(build: Build) -> None:
    """It says that it is working, and then what came of it."""
    desk = _slow()
    house = await build(desk=desk, patience=0.05)
    view = await _open(house)
    _, body = await house.send(house.slack.submit(view, house.bo.id, {"reason": "fraud"}))
    assert "Still working" in body
    desk.go.set()
    await house.slack.until(lambda: "not yours" in json.dumps(house.slack.calls[-1]))
    assert house.slack.calls[-1][1]["view_id"] == view["id"]


async def test_who_may_not_see_the_review_gets_no_form(house: House) -> None:
    """The modal says why."""
    card = _with_form(required=True)
    house.desk.cards[card.review] = card
    ref = await _post(house, card)
    await house.press(ref, FORM, who=house.bo)
    await house.slack.until(lambda: house.slack.calls[-1][0] == "views.update")
    assert "Nobody here has this identity." in json.dumps(house.slack.calls[-1][1]["view"])


async def test_a_review_that_is_over_has_no_form(house: House) -> None:
    """It was decided between the card and the press."""
    card = _with_form(required=True)
    ref = await _post(house, card)
    house.desk.cards[card.review] = replace(cards.decided(), review=card.review)
    await house.press(ref, FORM)
    await house.slack.until(lambda: house.slack.calls[-1][0] == "views.update")
    assert "Approved: too late." in json.dumps(house.slack.calls[-1][1]["view"])


async def test_an_expired_trigger_asks_for_another_press(house: House) -> None:
    """Slack was too slow, and says so to nobody but us."""
    card = _with_form(required=True)
    ref = await _post(house, card)
    house.slack.faults["views.open"] = [Fault(error="expired_trigger_id")]
    await house.press(ref, FORM)
    await house.slack.until(lambda: house.slack.ephemerals)
    assert "Press again" in house.slack.ephemerals[0].text
