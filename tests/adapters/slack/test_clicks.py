"""What people press in messages: decisions, refusals, late answers, ways to look further."""

from __future__ import annotations

import asyncio
import json

import pytest

from reviews.card import Actions, Card, Control
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.model import Verb
from reviews.ports import MessageRef
from reviews.values import replace
from tests.adapters.slack.checker import seen
from tests.adapters.slack.conftest import Build, House
from tests.fakes import cards
from tests.fakes.desk import FakeDesk, desk_of, queue_card, sample_queue
from tests.fakes.slack import Ephemeral, Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

APPROVE, BECAUSE, ESCALATE, MORE = "placet:approve", "placet:reject:because", "placet:escalate", "placet:more"
FORBIDDEN = "That is not yours to decide."


async def _post(house: House, card: Card | None = None) -> MessageRef:
    return await house.adapter.post(card or cards.refund(), house.target, "copy-7")


async def _told(house: House) -> list[str]:
    await house.settled()
    return [said.text for said in house.slack.ephemerals]


# ---------------------------------------------------------------------------------------------- decisions


async def test_an_approval_says_who_pressed_what_and_what_they_saw(house: House) -> None:
    """The identity is the verified id; copy, revision and digest are those of the card on which it was pressed; `ref`
    says where that lies, so that a copy unknown to us can be adopted."""
    ref = await _post(house)
    assert await house.press(ref, APPROVE) == 200
    card = cards.refund()
    done = house.desk.done[0]
    assert done.once is not None
    assert house.ana.id in done.once
    assert replace(done, once=None) == Interaction(
        verb=Verb.APPROVE,
        identity=house.ana,
        review=card.review,
        revision=card.revision,
        copy="copy-7",
        shown=card.digest,
        ref={"channel": ref.ref["channel"], "ts": ref.ref["ts"], "copy": "copy-7"},
        mark=ref.mark,
    )
    assert await _told(house) == []


async def test_a_reason_of_one_tap(house: House) -> None:
    """The menu beside the button holds the rule's reasons."""
    ref = await _post(house)
    assert await house.press(ref, BECAUSE, option=1) == 200
    done = house.desk.done[0]
    assert (done.verb, done.reason, done.copy) == (Verb.REJECT, "replacement sent", "copy-7")


@pytest.mark.parametrize("verb", sorted(set(Verb)))
async def test_every_verb_without_a_form_acts_at_once(house: House, verb: Verb) -> None:
    """A button, whatever it is called, is what the desk hears of."""
    control = Control(verb=verb, label="Do it")
    card = replace(cards.refund(), blocks=(Actions(controls=(control,)),))
    ref = await _post(house, card)
    assert await house.press(ref, f"placet:{verb}") == 200
    assert [(done.verb, done.review, done.copy) for done in house.desk.done] == [(verb, card.review, "copy-7")]


async def test_a_control_of_the_menu_acts(house: House) -> None:
    """What is rare lies in the menu and does the same."""
    ref = await _post(house)
    assert await house.press(ref, MORE, option="take|") == 200
    assert [(done.verb, done.copy) for done in house.desk.done] == [(Verb.TAKE, "copy-7")]


async def test_what_the_card_does_not_show_is_said(house: House) -> None:
    """Every click is answered visibly: who escalated sees that somebody was called."""
    ref = await _post(house)
    assert await house.press(ref, ESCALATE) == 200
    assert await _told(house) == ["Escalate by Ana Ruiz is kept."]


async def test_a_refusal_is_seen_by_the_one_who_pressed_alone(house: House) -> None:
    """In the channel where they pressed, and nowhere else."""
    ref = await _post(house)
    assert await house.press(ref, APPROVE, who=house.bo) == 200
    await house.settled()
    assert house.slack.ephemerals == [Ephemeral(channel=house.target.address, user=house.bo.id, text=FORBIDDEN)]


async def test_a_refusal_goes_by_direct_message_where_no_ephemeral_can(house: House) -> None:
    """Every click is answered visibly."""
    ref = await _post(house)
    house.slack.faults["chat.postEphemeral"] = [Fault(error="user_not_in_channel")]
    assert await house.press(ref, APPROVE, who=house.bo) == 200
    await house.settled()
    assert (await house.slack.direct(house.bo.id))[0] == FORBIDDEN


async def test_an_empty_refusal_is_still_a_sentence(house: House) -> None:
    """A click that did nothing never looks as if it had not been heard."""
    ref = await _post(house)
    house.desk.replies[Verb.APPROVE] = lambda _: Reply(answer=Answer.MISSING, text="")
    await house.press(ref, APPROVE)
    assert await _told(house) == ["Nothing was changed."]


async def test_a_card_changed_since_is_refused_by_its_revision(house: House) -> None:
    """The button carries what was seen, not what stands."""
    ref = await _post(house)
    house.desk.cards["rev_refund4721"] = replace(cards.refund(), revision=2)
    await house.press(ref, APPROVE)
    assert "revision 2" in (await _told(house))[0]


async def test_a_repeated_delivery_changes_nothing(house: House) -> None:
    """The same click again carries the same `once`; another click of the same person does not."""
    ref = await _post(house)
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, ESCALATE)
    again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    assert (await house.send(payload))[0] == 200
    assert (await house.send(payload, **again))[0] == 200
    assert len(house.desk.done) == 1
    assert await house.press(ref, ESCALATE) == 200
    assert len(house.desk.done) == 2


async def test_a_click_that_was_not_kept_is_not_acknowledged(house: House) -> None:
    """The database is down: 500 to Slack, which shows a warning, and a sentence to the person."""
    ref = await _post(house)
    house.desk.faults.append(StoreUnavailable(str(StoreUnavailable.__doc__)))
    assert await house.press(ref, APPROVE) == 500
    assert "nothing was changed" in (await _told(house))[0]


async def test_a_defect_of_ours_tells_nothing_of_the_inside(house: House) -> None:
    """A person reads what to do next, not what broke."""
    ref = await _post(house)
    house.desk.faults.append(RuntimeError("secret detail"))
    assert await house.press(ref, APPROVE) == 500
    told = (await _told(house))[0]
    assert "secret detail" not in told
    assert "nothing is known to be decided" in told


class _SlowDesk(FakeDesk):
    """Decides once it is let go."""

    begun: asyncio.Event
    go: asyncio.Event

    async def interact(self, interaction: Interaction) -> Reply:
        """Wait, then decide."""
        self.begun.set()
        await self.go.wait()
        return await super().interact(interaction)


def slow() -> _SlowDesk:
    """A desk that waits for `go`."""
    desk = _SlowDesk(cards=desk_of().cards)
    desk.begun, desk.go = asyncio.Event(), asyncio.Event()
    return desk


async def test_a_click_is_acknowledged_after_its_decision_is_kept(build: Build) -> None:
    """While the desk has not answered, Slack has no answer either."""
    desk = slow()
    house = await build(desk=desk, patience=30)
    ref = await _post(house)
    pressed = asyncio.create_task(house.press(ref, APPROVE))
    await desk.begun.wait()
    assert not pressed.done()
    desk.go.set()
    assert await pressed == 200
    assert len(desk.done) == 1


async def test_a_slow_decision_is_acknowledged_first_and_answered_later(build: Build) -> None:
    """Slack gives up after three seconds; the person is told to wait, then what came of it."""
    desk = slow()
    house = await build(desk=desk, patience=0.05)
    ref = await _post(house)
    assert await house.press(ref, APPROVE, who=house.bo) == 200
    assert desk.done == []
    await house.slack.until(lambda: len(house.slack.ephemerals) == 1)
    desk.go.set()
    assert await _told(house) == ["Still working on it. You will see the answer here.", FORBIDDEN]


async def test_who_was_told_to_wait_hears_of_the_end(build: Build) -> None:
    """Also of a good one, and where the first word did not reach them."""
    desk = slow()
    house = await build(desk=desk, patience=0.05)
    ref = await _post(house)
    house.slack.faults["chat.postEphemeral"] = [Fault(error="user_not_in_channel")]
    house.slack.faults["conversations.open"] = [Fault(error="user_disabled")]
    assert await house.press(ref, APPROVE) == 200
    await house.slack.until(lambda: "conversations.open" in [method for method, _ in house.slack.calls])
    desk.go.set()
    assert await _told(house) == ["Approve by Ana Ruiz is kept."]


async def test_a_slow_decision_is_finished_before_a_stop(build: Build) -> None:
    """What was acknowledged is done, also when the house closes in the middle."""
    desk = slow()
    house = await build(desk=desk, patience=0.05)
    ref = await _post(house)
    assert await house.press(ref, APPROVE) == 200
    desk.go.set()
    await house.adapter.stop()
    assert [done.verb for done in desk.done] == [Verb.APPROVE]


@pytest.mark.parametrize("damage", [{"action_id": "other:button"}, {"value": "rev_1"}, {"value": "a|b|x|d"}])
async def test_a_control_we_do_not_know_is_answered_and_does_nothing(house: House, damage: dict[str, str]) -> None:
    """An older version's button, or another's."""
    ref = await _post(house)
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, APPROVE)
    payload["actions"][0] |= damage
    assert (await house.send(payload))[0] == 200
    assert "nothing was done" in (await _told(house))[0]
    assert house.desk.done == []


# ---------------------------------------------------------------------------------------------- seen by one alone


async def test_a_card_one_person_sees_is_redrawn_where_it_stands(house: House) -> None:
    """Slack lets nobody update a private message but by its `response_url`; no copy is named, none is adopted."""
    asked = await house.slack.command("show rev_refund4721", house.ana.id, house.target.address)
    blocks = json.loads((await house.send(asked))[1])["blocks"]
    shown = Ephemeral(channel=house.target.address, user=house.ana.id, text="", blocks=blocks)
    assert (await house.send(await house.slack.press_alone(shown, APPROVE)))[0] == 200
    await house.settled()
    done = house.desk.done[0]
    assert (done.verb, done.copy, done.ref) == (Verb.APPROVE, None, None)
    said = house.slack.responses[0]
    assert said["replace_original"] is True
    assert "Approved" in seen(said["blocks"])


async def test_a_card_one_person_sees_that_cannot_be_redrawn_is_answered_all_the_same(house: House) -> None:
    """Its address has been used up: the person still hears that it was done."""
    asked = await house.slack.command("show rev_refund4721", house.ana.id, house.target.address)
    blocks = json.loads((await house.send(asked))[1])["blocks"]
    shown = Ephemeral(channel=house.target.address, user=house.ana.id, text="", blocks=blocks)
    payload = await house.slack.press_alone(shown, APPROVE)
    house.slack.uses[payload["response_url"][payload["response_url"].index("/response/") :]] = 5
    assert (await house.send(payload))[0] == 200
    assert await _told(house) == ["Approve by Ana Ruiz is kept."]


# ---------------------------------------------------------------------------------------------- ways


async def test_a_line_of_a_queue_opens_its_review(house: House) -> None:
    """In a modal, where it can be decided; the desk hears of no copy."""
    house.desk.items = sample_queue()
    ref = await _post(house, queue_card(house.desk.items))
    assert await house.press(ref, "placet:go:open", option="rev_refund4721") == 200
    view = await house.modal()
    assert "Refund 180.00 USD" in seen(view["blocks"])
    assert await house.within(view, APPROVE) == 200
    await house.settled()
    done = house.desk.done[0]
    assert (done.verb, done.review, done.copy, done.ref) == (Verb.APPROVE, "rev_refund4721", None, None)
    assert "Approved" in seen(house.slack.views[view["id"]]["blocks"])


async def test_the_history_of_a_review(house: House) -> None:
    """The way of the menu; nothing is decided."""
    ref = await _post(house)
    assert await house.press(ref, MORE, option="go|history") == 200
    view = await house.modal()
    assert view["title"]["text"] == "History"
    assert "the manager was called" in json.dumps(view["blocks"]) or "asked" in seen(view["blocks"])
    assert house.desk.done == []


async def test_a_queue_in_a_modal(house: House) -> None:
    """`My queue` is what the command would say."""
    ref = await _post(house, queue_card(sample_queue()))
    assert await house.press(ref, "placet:go:queue") == 200
    await house.modal()
    assert house.desk.typed == [("ana", "list", "slack")]


async def test_a_way_for_somebody_unknown_says_so(house: House) -> None:
    """In the modal that opened."""
    ref = await _post(house, queue_card(sample_queue()))
    await house.press(ref, "placet:go:queue", who=house.bo)
    assert "Nobody here has this identity." in seen((await house.modal())["blocks"])
