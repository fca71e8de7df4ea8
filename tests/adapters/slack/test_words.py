"""What people type: commands, replies beneath a card, and asking for a review."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from reviews.card import Card
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Reply
from reviews.model import Person, Target, Verb
from tests.adapters.slack.checker import seen
from tests.adapters.slack.conftest import Build, House
from tests.fakes import cards
from tests.fakes import slack_payloads as payloads
from tests.fakes.desk import ANA, FakeDesk, desk_of
from tests.fakes.slack import Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

Json = dict[str, Any]


async def _typed(house: House, text: str, who: str = "") -> Json:
    """Type a command; what Slack is answered."""
    status, body = await house.send(await house.slack.command(text, who or house.ana.id, house.target.address))
    assert status == 200
    answer: Json = json.loads(body)
    return answer


# ---------------------------------------------------------------------------------------------- commands


async def test_a_command_is_answered_at_once_for_one_person_alone(house: House) -> None:
    """The text after the name goes to the desk as it was typed."""
    answer = await _typed(house, " list  refund.issue ")
    assert answer["response_type"] == "ephemeral"
    assert "Your queue" in seen(answer["blocks"])
    assert house.desk.typed == [("ana", "list  refund.issue", "slack")]


async def test_a_card_that_was_asked_for_can_be_decided(house: House) -> None:
    """`show ID` has the card's controls; they name no copy."""
    answer = await _typed(house, "show rev_refund4721")
    assert '"placet:approve"' in json.dumps(answer["blocks"])
    assert "|rev_refund4721|1|" in json.dumps(answer["blocks"])


async def test_a_command_of_somebody_unknown(house: House) -> None:
    """A sentence, and the desk is not asked."""
    answer = await _typed(house, "list", who=house.bo.id)
    assert answer["text"] == "Nobody here has this identity."
    assert house.desk.typed == []


async def test_a_command_that_fails_says_so(house: House) -> None:
    """200, for Slack would show nothing else of it."""
    house.desk.faults.append(StoreUnavailable("The database did not take it."))
    assert (await _typed(house, "list"))["text"] == "The database did not take it."


class _SlowDesk(FakeDesk):
    """Answers once it is let go."""

    go: asyncio.Event

    async def command(self, person: Person, text: str, *, surface: str) -> Card:
        """Wait, then answer."""
        await self.go.wait()
        return await super().command(person, text, surface=surface)


async def test_a_slow_command_is_answered_later(build: Build) -> None:
    """First that it is being worked on; the answer comes by the command's own address."""
    desk = _SlowDesk(cards=desk_of().cards)
    desk.go = asyncio.Event()
    house = await build(desk=desk, patience=0.05)
    assert "Still working" in (await _typed(house, "show rev_refund4721"))["text"]
    desk.go.set()
    await house.settled()
    assert "Refund 180.00 USD" in seen(house.slack.responses[0]["blocks"])
    assert house.slack.responses[0]["replace_original"] is False


async def test_a_strangers_address_is_not_answered_at(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """A card goes to Slack's hosts alone; the person hears of it another way."""
    desk = _SlowDesk(cards=desk_of().cards)
    desk.go = asyncio.Event()
    house = await build(desk=desk, patience=0.05)
    payload = await house.slack.command("list", house.ana.id, house.target.address)
    payload["response_url"] = house.slack.upstream + "/response/x"
    await house.send(payload)
    desk.go.set()
    await house.settled()
    assert house.slack.responses == []
    assert "no address to answer at" in caplog.text
    assert "Your queue" in house.slack.ephemerals[0].text


# ---------------------------------------------------------------------------------------------- comments


async def _reply(house: House, thread: str, text: str = "Is it insured?", who: str = "", **more: Any) -> Json:
    said = payloads.reply(text, who or house.ana.id, house.target.address, thread, **more)
    payload = payloads.event(said)
    assert (await house.send(payload))[0] == 200
    await house.settled()
    return payload


async def _threaded(build: Build) -> tuple[House, str]:
    """A house that takes replies, with a card; the card's `ts`."""
    house: House = await build(comments="thread")
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    house.desk.marks[ref.mark] = "rev_refund4721"
    return house, ref.ref["ts"]


async def test_a_reply_beneath_a_card_is_a_comment(build: Build) -> None:
    """The mark of the copy is what the reply names; the words come as they were meant."""
    house, ts = await _threaded(build)
    payload = await _reply(house, ts, "Is A &amp; B insured?")
    done = house.desk.done[0]
    assert (done.verb, done.reason, done.mark) == (Verb.COMMENT, "Is A & B insured?", f"{house.target.address}:{ts}")
    assert done.identity == house.ana
    assert done.once == payload["event_id"]
    assert house.slack.ephemerals == []


async def test_an_event_sent_again_is_one_comment(build: Build) -> None:
    """Slack sends an event up to four times."""
    house, ts = await _threaded(build)
    payload = await _reply(house, ts)
    assert (await house.send(payload, **{"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}))[0] == 200
    assert len(house.desk.done) == 1


async def test_a_comment_that_was_not_kept_is_not_acknowledged(build: Build) -> None:
    """Slack then sends it again."""
    house, ts = await _threaded(build)
    house.desk.faults.append(StoreUnavailable("down"))
    said = payloads.reply("Is it insured?", house.ana.id, house.target.address, ts)
    assert (await house.send(payloads.event(said)))[0] == 500
    assert house.desk.done == []


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B0OTHER"},
        {"subtype": "message_changed"},
        {"subtype": "bot_message"},
        {"text": " "},
        {"thread_ts": None},
    ],
)
async def test_what_is_no_reply_of_a_person_is_passed_over(build: Build, more: Json) -> None:
    """Our own redraws come as messages too."""
    house, ts = await _threaded(build)
    await _reply(house, ts, **more)
    assert house.desk.done == []


async def test_talk_beneath_other_messages_is_nobodys_business(build: Build) -> None:
    """The desk knows no such mark; nobody is told anything."""
    house, _ = await _threaded(build)
    await _reply(house, "1700000000.000001")
    assert house.desk.done == []
    assert house.slack.ephemerals == []


async def test_a_comment_beneath_a_card_that_is_not_known_is_not_lost_in_silence(build: Build) -> None:
    """Slack says whose message was replied to: beneath one of ours somebody meant to comment. Said once."""
    house, _ = await _threaded(build)
    await house.known()
    us = house.adapter._transport.ourselves.user
    for _ in range(2):
        await _reply(house, "1700000000.000001", parent_user_id=us)
    (said,) = house.slack.ephemerals
    assert "Press Comment on the card" in said.text
    await _reply(house, "1700000000.000002", parent_user_id=house.bo.id)
    assert len(house.slack.ephemerals) == 1


async def test_who_may_not_comment_is_told_once_per_card(build: Build) -> None:
    """They may still talk there; a word each time would drive them out."""
    house, ts = await _threaded(build)
    house.desk.replies[Verb.COMMENT] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Not yours.")
    for _ in range(3):
        await _reply(house, ts)
    assert [said.text for said in house.slack.ephemerals] == ["Not yours."]
    assert house.slack.ephemerals[0].thread == ts


async def test_replies_are_not_heard_unless_asked_for(house: House) -> None:
    """`slack.comments: button` is the default."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    house.desk.marks[ref.mark] = "rev_refund4721"
    said = payloads.reply("Is it insured?", house.ana.id, house.target.address, ref.ref["ts"])
    await house.send(payloads.event(said))
    assert house.desk.done == []


# ---------------------------------------------------------------------------------------------- asking


async def _asked(house: House, who: str = "") -> tuple[str, Json]:
    """Point at a message; its `ts`, and the form that opens."""
    said = await house.slack.ask("chat.postMessage", {"channel": house.target.address, "text": "May we pay & go?"})
    payload = await house.slack.shortcut(house.target.address, said["ts"], who or house.ana.id)
    assert (await house.send(payload))[0] == 200
    return said["ts"], await house.modal()


async def test_a_message_becomes_a_review(house: House) -> None:
    """What it says, where it stands, and its thread as the place for the card."""
    ts, view = await _asked(house)
    text = next(block for block in view["blocks"] if block.get("block_id") == "field:text")
    assert text["element"]["initial_value"] == "May we pay & go?"
    answer = await house.submit(view, {"summary": "Pay the invoice", "text": "May we pay?", "role": "manager"})
    assert "A review is open." in json.dumps(answer)
    asked = house.desk.asked[0]
    assert (asked.person, asked.summary, asked.text, asked.role) == (ANA, "Pay the invoice", "May we pay?", "manager")
    assert asked.place == Target(surface="slack", address=house.target.address, thread=ts)
    assert asked.link.startswith("http")
    assert asked.once is not None


async def test_what_must_be_said_is_marked(house: House) -> None:
    """Also where Slack let it through."""
    _, view = await _asked(house)
    answer = await house.submit(view, {"summary": " ", "text": "May we?"})
    assert answer == {"response_action": "errors", "errors": {"field:summary": "This is needed."}}
    assert house.desk.asked == []


async def test_a_message_the_bot_may_not_see_is_asked_about_without_a_link(house: House) -> None:
    """The words were in the shortcut."""
    _, view = await _asked(house)
    house.slack.faults["chat.getPermalink"] = [Fault(error="channel_not_found")]
    await house.submit(view, {"summary": "Pay", "text": "May we?"})
    assert house.desk.asked[0].link == ""


async def test_asking_may_be_switched_off(house: House) -> None:
    """The modal says so."""
    house.desk.asking_off = True
    _, view = await _asked(house)
    assert "switched off" in seen(view["blocks"])


async def test_somebody_unknown_asks_nothing(house: House) -> None:
    """The modal says so."""
    _, view = await _asked(house, who=house.bo.id)
    assert "Nobody here has this identity." in seen(view["blocks"])


async def test_an_asking_that_fails_says_so(house: House) -> None:
    """And may be sent again."""
    _, view = await _asked(house)
    house.desk.faults.append(StoreUnavailable("The database did not take it."))
    answer = await house.submit(view, {"summary": "Pay", "text": "May we?"})
    assert "The database did not take it." in json.dumps(answer)
