"""What one person is told: in the answer, after it, in their own chat, and never where others read it."""

from __future__ import annotations

import asyncio
import json

import pytest

from adapters.saying import BROKEN, WORKING
from adapters.teams import parse, render
from adapters.teams.answers import IN_CHAT, LATE, Answers, Manner, Shown, answered, manner_of
from adapters.teams.parse import Origin
from adapters.teams.seam import Failed, Json
from reviews.errors import NotFound
from tests.adapters.teams.fake_connector import SERVICE, Rig, dialog_of, drawn_of, said_of, toast_of, words_of
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.teams_payloads import CHANNEL, TEAMS_ANA

THREAD = f"{CHANNEL};messageid=17"
CHAT = payloads.chat_of(TEAMS_ANA)


def _from(place: str = THREAD) -> Origin:
    return parse.origin(payloads.message("x", TEAMS_ANA, place, mention=True, service=SERVICE))


def _answers(rig: Rig) -> Answers:
    return rig.surface._answers


def _card() -> Json:
    return render.private(cards.refund(), None)


async def _does(shown: Shown) -> Shown:
    return shown


async def _fails(fault: Exception) -> Shown:
    raise fault


@pytest.mark.parametrize(
    ("name", "manner"),
    [
        ("adaptiveCard/action", Manner.ACTION),
        ("task/fetch", Manner.DIALOG),
        ("task/submit", Manner.DIALOG),
        ("composeExtension/fetchTask", Manner.DIALOG),
        ("composeExtension/submitAction", Manner.DIALOG),
        ("composeExtension/query", Manner.MESSAGE),
    ],
)
def test_each_kind_of_call_is_answered_in_its_own_shape(name: str, manner: Manner) -> None:
    """What is in another shape Teams shows as broken."""
    assert manner_of({"type": "invoke", "name": name}) is manner
    assert manner_of({"type": "message", "name": name}) is Manner.MESSAGE


def test_a_sentence_and_a_card_in_each_shape() -> None:
    """A message has no answer to put anything into; nothing to say is still a sentence."""
    said, shown = Shown(text="No."), Shown(message=_card(), title="Review")
    assert toast_of(answered(Manner.ACTION, said)) == "No."
    assert said_of(answered(Manner.DIALOG, said)) == "No."
    assert toast_of(answered(Manner.ACTION, Shown())) == "Nothing was changed."
    assert "Refund 180.00 USD" in payloads.words(drawn_of(answered(Manner.ACTION, shown)))
    assert "Refund 180.00 USD" in payloads.words(dialog_of(answered(Manner.DIALOG, shown)))
    assert answered(Manner.MESSAGE, shown).body is None


@pytest.mark.parametrize("manner", [Manner.ACTION, Manner.DIALOG])
async def test_a_failure_is_a_sentence_with_status_200(manner: Manner) -> None:
    """Whatever broke, nothing of the inside comes out."""
    rig = Rig()
    read = toast_of if manner is Manner.ACTION else said_of
    assert read(await _answers(rig).give(_from(), manner, _fails(NotFound("Not yours.")))) == "Not yours."
    assert read(await _answers(rig).give(_from(), manner, _fails(RuntimeError("inside")))) == BROKEN


async def test_what_goes_apart_is_in_no_answer() -> None:
    """It is in the chat with them alone, and the answer says so."""
    rig = Rig()
    answer = await _answers(rig).give(_from(), Manner.ACTION, _does(Shown(message=_card(), apart=True)))
    assert toast_of(answer) == IN_CHAT
    assert "180.00" not in json.dumps(answer.body)
    assert "180.00" in rig.told()[0]
    assert rig.connector.sent(THREAD) == []


async def test_what_cannot_go_apart_goes_nowhere() -> None:
    """A sentence with the fix and the page."""
    rig = Rig()
    rig.connector.faults["create"] = [Failed("no", status=403, code="BotDisabledByAdmin")]
    shown = Shown(message=_card(), apart=True, link="https://placet.example.com/reviews/rev_1")
    said = toast_of(await _answers(rig).give(_from(), Manner.ACTION, _does(shown)))
    assert "switched the app off" in said
    assert said.endswith("https://placet.example.com/reviews/rev_1")
    assert rig.connector.messages == {}


async def test_a_chat_that_was_refused_is_begun_anew() -> None:
    """The app was taken away and installed again: the old conversation may be gone."""
    rig = Rig()
    await _answers(rig).tell(_from(), "one")
    rig.connector.faults["send"] = [Failed("no", status=404, code="ConversationNotFound")]
    answer = await _answers(rig).give(_from(), Manner.ACTION, _does(Shown(message=_card(), apart=True)))
    assert "cannot write to you" in toast_of(answer)
    await _answers(rig).tell(_from(), "two")
    assert len(rig.connector.made("create")) == 2
    assert rig.told() == ["one", "two"]


async def _held(shown: Shown, go: asyncio.Event) -> Shown:
    await go.wait()
    return shown


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (Shown(text="Done by Ana."), ["Done by Ana."]),
        (Shown(text="Done by Ana.", message={"attachments": []}), ["Done by Ana."]),
        (Shown(dialog={"type": "continue"}), [LATE]),
        (Shown(), ["Done."]),
        (Shown(text="as it stands", follows=False), []),
    ],
)
async def test_what_took_long_is_told_after_the_answer(shown: Shown, told: list[str]) -> None:
    """In the chat with them; a form cannot be opened any more, and what was only looked at is not sent after it."""
    rig, go = Rig(patience=0.01), asyncio.Event()
    assert toast_of(await _answers(rig).give(_from(), Manner.ACTION, _held(shown, go))) == WORKING
    go.set()
    await rig.settled()
    assert rig.told() == told


async def test_what_went_apart_late_is_sent_once() -> None:
    """The card is the answer."""
    rig, go = Rig(patience=0.01), asyncio.Event()
    await _answers(rig).give(_from(), Manner.ACTION, _held(Shown(message=_card(), apart=True), go))
    go.set()
    await rig.settled()
    assert len(rig.told()) == 1


async def test_a_slow_teams_does_not_hold_up_the_answer() -> None:
    """Sending into the chat may take its time, too."""
    rig = Rig(patience=0.01)
    rig.connector.held = asyncio.Event()
    answer = await _answers(rig).give(_from(CHAT), Manner.ACTION, _does(Shown(message=_card(), apart=True)))
    assert toast_of(answer) == WORKING
    rig.connector.held.set()
    await rig.settled()
    assert len(rig.told()) == 1


async def test_a_typed_word_is_answered_in_private_and_where_it_was_typed() -> None:
    """Others read there only that it was answered; a word that cannot be said there is logged."""
    rig = Rig()
    await _answers(rig).give(_from(), Manner.MESSAGE, _does(Shown(text="Not yours.")))
    assert rig.told() == ["Not yours."]
    assert [words_of(message) for message in rig.connector.sent(THREAD)] == [IN_CHAT]
    rig.connector.faults["send"] = [Failed("no", status=403), Failed("no", status=403)]
    assert (await _answers(rig).give(_from(), Manner.MESSAGE, _does(Shown(text="Not yours.")))).status == 200
