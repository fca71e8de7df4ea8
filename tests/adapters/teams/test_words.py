"""What people type: commands, comments beneath a card, asking for a review, and their first words from us."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from adapters.teams import press
from adapters.teams.answers import IN_CHAT
from adapters.teams.press import How
from adapters.teams.seam import Failed, Json
from reviews.card import Card, Table, plain_card
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Reply
from reviews.model import Identity, Person, Target, Verb
from reviews.ports import MessageRef, Refusal
from tests.adapters.teams.fake_connector import SERVICE, Rig, card_of, dialog_of, said_of, toast_of, words_of
from tests.fakes import teams_payloads as payloads
from tests.fakes.desk import ANA, FakeDesk, desk_of
from tests.fakes.teams_payloads import CHANNEL, GROUP, TEAMS_ANA, TEAMS_BO

UNKNOWN = "Nobody here has this identity."


# ---------------------------------------------------------------------------------------------- commands


@pytest.mark.parametrize(
    "text", ["list  refund.issue", "mine", "oncall", "explain #4", "away 2h", "LIST", "what is this?"]
)
async def test_a_command_goes_to_the_desk_as_it_was_typed(text: str) -> None:
    """In one's own chat, where the answer comes."""
    rig = Rig()
    answer = await rig.say(text)
    assert (answer.status, answer.body) == (200, None)
    assert rig.desk.typed == [("ana", text, "teams")]
    assert "Your queue" in rig.told()[0]


class _HelpfulDesk(FakeDesk):
    """Answers every command with those there are, as the house does to help and to what it does not know."""

    async def command(self, person: Person, text: str, *, surface: str) -> Card:
        """A sentence and the table."""
        await super().command(person, text, surface=surface)
        return plain_card("Placet", (Table(columns=("Command", "What it does"), rows=(("list", "Your queue"),)),))


@pytest.mark.parametrize(
    ("text", "typed"), [("", "help"), ("help", "help"), (" Help ", "help"), ("hoem now", "hoem now")]
)
async def test_help_names_what_can_be_typed_here(text: str, typed: str) -> None:
    """The house's commands and those of Teams; a bare mention asks for it, and so does a command nobody knows."""
    rig = Rig(desk=_HelpfulDesk())
    await rig.say(text)
    assert rig.desk.typed[0][1].casefold() == typed
    told = json.dumps(rig.connector.alone(TEAMS_ANA))
    assert all(word in told for word in ("home", "bulk", "ask", "comment"))


async def test_what_names_no_commands_names_none_of_ours() -> None:
    """They belong to help."""
    rig = Rig()
    await rig.say("list")
    assert "bulk" not in rig.told()[0]


async def test_a_command_is_answered_although_teams_asks_for_a_little_patience() -> None:
    """Nobody types it again to see what was lost."""
    rig = Rig()
    rig.connector.faults["send"] = [Failed("slowly", status=429, retry_after=2.0)]
    await rig.say("list")
    assert "Your queue" in rig.told()[0]


async def test_a_card_that_was_asked_for_can_be_decided() -> None:
    """`show ID` has the card's controls; they name no copy."""
    rig = Rig()
    await rig.say("show rev_refund4721")
    assert "Approve by Ana Ruiz" in toast_of(await rig.press(rig.last(), "approve"))
    assert rig.desk.done[0].copy is None


@pytest.mark.parametrize("place", [f"{CHANNEL};messageid=7", GROUP])
async def test_a_command_where_others_read_is_answered_in_private(place: str) -> None:
    """The card goes into the chat with who typed it, and where they typed a sentence says so."""
    rig = Rig()
    await rig.say("show rev_refund4721", place=place)
    assert "Refund 180.00 USD" in rig.told()[0]
    assert [words_of(message) for message in rig.connector.sent(place)] == [IN_CHAT]


async def test_a_private_answer_that_cannot_be_given_is_said_where_it_was_asked() -> None:
    """With the fix and the page, and nothing of the card."""
    rig = Rig()
    rig.connector.faults["create"] = [Failed("blocked", status=403, code="MessageWritesBlocked")]
    await rig.say("show rev_refund4721", place=GROUP)
    (said,) = [words_of(message) for message in rig.connector.sent(GROUP)]
    assert "cannot write to you" in said
    assert "https://placet.example.com/reviews/rev_refund4721" in said
    assert "180.00" not in said


async def test_a_command_of_somebody_unknown() -> None:
    """A sentence, and the desk is not asked."""
    rig = Rig()
    await rig.say("list", TEAMS_BO)
    assert rig.told(TEAMS_BO) == [UNKNOWN]
    assert rig.desk.typed == []


async def test_a_command_that_fails_says_so() -> None:
    """200, for it is answered, and is not to be sent again."""
    rig = Rig()
    rig.desk.faults.append(StoreUnavailable("The database did not take it."))
    assert (await rig.say("list")).status == 200
    assert rig.told() == ["The database did not take it."]


async def test_talk_that_does_not_mention_us_is_nobodys_business() -> None:
    """An app with the permission to read all messages gets them all."""
    rig = Rig()
    payload = payloads.message("list", TEAMS_ANA, GROUP, mention=False, service=SERVICE)
    await rig.deliver(payload)
    await rig.settled()
    assert rig.desk.typed == []
    assert rig.connector.messages == {}


class _SlowDesk(FakeDesk):
    """Answers once it is let go."""

    go: asyncio.Event

    async def command(self, person: Person, text: str, *, surface: str) -> Card:
        """Wait, then answer."""
        await self.go.wait()
        return await super().command(person, text, surface=surface)


async def test_a_slow_command_is_acknowledged_and_answered_later() -> None:
    """Teams would send it again."""
    desk = _SlowDesk(cards=desk_of().cards)
    desk.go = asyncio.Event()
    rig = Rig(desk=desk, patience=0.01)
    payload = payloads.message("list", TEAMS_ANA, payloads.chat_of(TEAMS_ANA), mention=False, service=SERVICE)
    assert (await rig.deliver(payload)).status == 200
    desk.go.set()
    await rig.settled()
    assert "Your queue" in rig.told()[0]


async def test_home_is_typed() -> None:
    """What waits, drawn by the house."""
    rig = Rig()
    await rig.say("home")
    assert rig.desk.homes == ["ana"]
    assert "Placet: Ana Ruiz" in rig.told()[0]


# ---------------------------------------------------------------------------------------------- comments


async def _beneath(rig: Rig) -> tuple[MessageRef, str]:
    """A card in a channel that the desk knows, and the thread of it."""
    ref = await rig.post()
    rig.desk.marks[ref.mark] = "rev_refund4721"
    return ref, ref.ref["conversation"]


async def test_a_mention_beneath_a_card_is_a_comment() -> None:
    """Its mark is what the thread names; that it is kept is said there."""
    rig = Rig()
    ref, thread = await _beneath(rig)
    await rig.say("comment Is A & B insured?", place=thread)
    done = rig.desk.done[0]
    assert (done.verb, done.reason, done.mark) == (Verb.COMMENT, "Is A & B insured?", ref.mark)
    assert words_of(rig.connector.sent(thread)[-1]) == "Comment by Ana Ruiz is kept."


async def test_a_comment_sent_again_is_one() -> None:
    """Teams sends a message again that was not answered in time."""
    rig = Rig()
    _, thread = await _beneath(rig)
    payload = payloads.message("comment Why?", TEAMS_ANA, thread, mention=True, service=SERVICE)
    for _ in range(2):
        assert (await rig.deliver(payload)).status == 200
    assert len(rig.desk.done) == 1


async def test_a_comment_that_was_not_kept_is_sent_again_by_teams() -> None:
    """It is not acknowledged: the failure goes up."""
    rig = Rig()
    _, thread = await _beneath(rig)
    rig.desk.faults.append(StoreUnavailable("down"))
    with pytest.raises(StoreUnavailable):
        await rig.say("comment Why?", place=thread)
    assert rig.desk.done == []


async def test_who_may_not_comment_is_told_in_private() -> None:
    """Where they typed it says only where to look."""
    rig = Rig()
    _, thread = await _beneath(rig)
    rig.desk.replies[Verb.COMMENT] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Not yours.")
    await rig.say("comment Why?", place=thread)
    assert rig.told() == ["Not yours."]
    assert words_of(rig.connector.sent(thread)[-1]) == IN_CHAT


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("comment Why?", f"{CHANNEL};messageid=7", "does not know the card"),
        ("comment", f"{CHANNEL};messageid=7", "Write your words"),
        ("comment Why?", payloads.chat_of(TEAMS_ANA), "as a reply beneath a card"),
    ],
)
async def test_a_comment_on_nothing_is_not_lost_in_silence(text: str, place: str, said: str) -> None:
    """It was meant for us."""
    rig = Rig()
    await rig.say(text, place="" if place.startswith("a:") else place)
    assert said in rig.told()[0]
    assert rig.desk.done == []


# ---------------------------------------------------------------------------------------------- asking


def _pointed(name: str, who: str = TEAMS_ANA, place: str = GROUP, **more: Any) -> Json:
    return payloads.pointed(f"composeExtension/{name}", "May we pay & go?", who, place, service=SERVICE, **more)


async def _asked(rig: Rig, typed: dict[str, str], place: str = GROUP) -> Json:
    """Point at a message, fill the form in, and what Teams then sends."""
    card = dialog_of(await rig.deliver(_pointed("fetchTask", place=place)))
    found = payloads.button(card, "Ask", {})
    values = {press.field_id(None, name): value for name, value in typed.items()}
    data = {**found.action["data"], **values}
    return _pointed("submitAction", place=place, data=data)


async def test_a_message_becomes_a_review() -> None:
    """What it says, where it stands, and the room it is in as the place for the card."""
    rig = Rig()
    await rig.say("list", place=GROUP)
    payload = await _asked(rig, {"summary": "Pay the invoice", "text": "May we pay?", "role": "manager"})
    assert said_of(await rig.deliver(payload)) == "A review is open."
    asked = rig.desk.asked[0]
    assert (asked.person, asked.summary, asked.text, asked.role) == (ANA, "Pay the invoice", "May we pay?", "manager")
    assert asked.place == Target(surface="teams", address=GROUP)
    assert asked.link.startswith("https://teams.microsoft.com/l/message/")


async def test_the_form_holds_what_was_pointed_at() -> None:
    """As words, not as markup."""
    rig = Rig()
    card = dialog_of(await rig.deliver(_pointed("fetchTask")))
    assert '"May we pay & go?"' in json.dumps(card, ensure_ascii=False)


async def test_a_form_sent_again_is_one_review() -> None:
    """It carries a word of its own from when it was drawn."""
    rig = Rig()
    payload = await _asked(rig, {"summary": "Pay", "text": "May we?"})
    await rig.deliver(payload)
    again = await rig.deliver(payload | {"id": payloads.new_id()})
    assert said_of(again) == "That was taken already."
    assert len(rig.desk.asked) == 1


async def test_where_we_may_not_write_no_card_is_to_be_put() -> None:
    """An action on a message is offered in every chat."""
    rig = Rig()
    await rig.deliver(await _asked(rig, {"summary": "Pay", "text": "May we?"}))
    assert rig.desk.asked[0].place is None


async def test_a_thread_of_a_channel_is_the_place() -> None:
    """Where the message is."""
    rig = Rig()
    await rig.say("list", place=CHANNEL)
    await rig.deliver(await _asked(rig, {"summary": "Pay", "text": "May we?"}, f"{CHANNEL};messageid=7"))
    assert rig.desk.asked[0].place == Target(surface="teams", address=CHANNEL, thread="7")


async def test_what_must_be_said_is_marked_and_what_was_said_is_kept() -> None:
    """The dialog stays open."""
    rig = Rig()
    payload = await _asked(rig, {"summary": " ", "text": "May we do this?"})
    drawn = json.dumps(dialog_of(await rig.deliver(payload)))
    assert "This is needed." in drawn
    assert "May we do this?" in drawn
    assert rig.desk.asked == []


async def test_asking_is_typed_too() -> None:
    """The form comes as a card in the chat with who asks."""
    rig = Rig()
    await rig.say("ask May we pay?")
    values = {"summary": "Pay", "text": "May we pay?"}
    assert toast_of(await rig.press(rig.last(), "Ask", values=values)) == "A review is open."
    asked = rig.desk.asked[0]
    assert (asked.summary, asked.text, asked.place, asked.link) == ("Pay", "May we pay?", None, "")


async def test_asking_may_be_switched_off() -> None:
    """A sentence says so, in both ways."""
    rig = Rig()
    rig.desk.asking_off = True
    assert "switched off" in said_of(await rig.deliver(_pointed("fetchTask")))
    await rig.say("ask")
    assert "switched off" in rig.told()[0]


async def test_somebody_unknown_asks_nothing() -> None:
    """Neither is a form opened nor one taken."""
    rig = Rig()
    assert said_of(await rig.deliver(_pointed("fetchTask", TEAMS_BO))) == UNKNOWN
    data = press.data(How.ASK, nonce="n1", fields=["summary"]) | {press.field_id(None, "summary"): "Pay"}
    assert said_of(await rig.deliver(_pointed("submitAction", TEAMS_BO, data=data))) == UNKNOWN
    assert rig.desk.asked == []


async def test_an_asking_that_fails_says_so() -> None:
    """And may be sent again."""
    rig = Rig()
    payload = await _asked(rig, {"summary": "Pay", "text": "May we?"})
    rig.desk.faults.append(StoreUnavailable("The database did not take it."))
    assert said_of(await rig.deliver(payload)) == "The database did not take it."


# ---------------------------------------------------------------------------------------------- coming


async def test_who_installs_us_sees_what_waits_once() -> None:
    """Teams tells of it twice."""
    rig = Rig()
    chat = payloads.chat_of(TEAMS_ANA)
    for payload in (payloads.installed, payloads.joined):
        await rig.deliver(payload(TEAMS_ANA, chat, service=SERVICE))
    await rig.settled()
    assert rig.desk.homes == ["ana"]
    (shown,) = rig.connector.alone(TEAMS_ANA)
    assert card_of(shown)["type"] == "AdaptiveCard"
    assert "Placet: Ana Ruiz" in words_of(shown)


async def test_somebody_unknown_reads_what_an_operator_needs() -> None:
    """Their ids, to be entered in placet.yml."""
    rig = Rig()
    await rig.deliver(payloads.installed(TEAMS_BO, payloads.chat_of(TEAMS_BO), service=SERVICE))
    await rig.settled()
    (said,) = rig.told(TEAMS_BO)
    assert UNKNOWN in said
    assert TEAMS_BO in said
    assert payloads.TENANT in said


class _NamingDesk(FakeDesk):
    """Names who it does not know."""

    async def who(self, identity: Identity) -> Person | Refusal:
        """As the house does."""
        return Refusal(text=f"Placet does not know teams user {identity.id}.")


async def test_a_stranger_reads_each_id_once() -> None:
    """The refusal may name it already."""
    rig = Rig(desk=_NamingDesk())
    await rig.deliver(payloads.installed(TEAMS_BO, payloads.chat_of(TEAMS_BO), service=SERVICE))
    await rig.settled()
    (said,) = rig.told(TEAMS_BO)
    assert (said.count(TEAMS_BO), said.count(payloads.TENANT)) == (1, 1)


async def test_a_room_we_are_added_to_is_known_and_not_greeted() -> None:
    """Cards go there from then on."""
    rig = Rig()
    await rig.deliver(payloads.joined(TEAMS_ANA, GROUP, service=SERVICE))
    await rig.settled()
    assert rig.connector.messages == {}
    assert rig.references.kept[f"room:{GROUP}"]["kind"] == "group"
