"""Several reviews approved at once: chosen in one's own chat, each standing on its own."""

from __future__ import annotations

import json

from adapters.teams import press
from adapters.teams.answers import IN_CHAT
from adapters.teams.press import How
from adapters.teams.seam import Json
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Reply
from reviews.model import Verb
from tests.adapters.teams.fake_connector import SERVICE, Rig, drawn_of, toast_of, words_of
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.desk import item
from tests.fakes.teams_payloads import CHANNEL, TEAMS_ANA, TEAMS_BO

APPROVE = "Approve chosen"


def _lines(rig: Rig, most: int = 2) -> list[str]:
    """The ids of the toggles of some lines of the queue."""
    return [press.pick_id(line) for line in rig.desk.items if line.bulk][:most]


async def _form(rig: Rig) -> str:
    await rig.say("bulk")
    return rig.last()


async def test_nothing_is_chosen_beforehand() -> None:
    """Each line is read and ticked by the person; without one nothing is done."""
    rig = Rig()
    activity = await _form(rig)
    drawn = json.dumps(rig.connector.messages[activity])
    assert drawn.count('"Input.Toggle"') == len(_lines(rig, 99))
    assert "Choose at least one" in toast_of(await rig.press(activity, APPROVE))
    assert rig.desk.done == []


async def test_those_chosen_are_approved_each_on_its_own() -> None:
    """As they were shown, and as one selection; the form becomes what came of it."""
    rig = Rig()
    activity = await _form(rig)
    chosen = _lines(rig)
    answer = await rig.press(activity, APPROVE, values=dict.fromkeys(chosen, "true"))
    assert "is kept" in payloads.words(drawn_of(answer))
    done = rig.desk.done
    assert [(one.verb, one.bulk, one.copy, one.ref) for one in done] == [
        (Verb.APPROVE, "refund.issue", None, None)
    ] * len(chosen)
    assert [f"pick:{one.review}|{one.revision}|{one.shown}" for one in done] == chosen
    await rig.settled()
    assert "Input.Toggle" not in json.dumps(rig.connector.messages[activity])
    assert "is kept" in words_of(rig.connector.messages[activity])


async def test_one_that_is_refused_does_not_stop_the_others() -> None:
    """Each line has its own end."""
    rig = Rig()
    activity = await _form(rig)
    first, second = _lines(rig)
    told = {first.split("|")[0].removeprefix("pick:"): Answer.REFUSED}
    rig.desk.replies[Verb.APPROVE] = lambda pressed: Reply(
        answer=told.get(pressed.review, Answer.DONE), text="Too late." if pressed.review in told else "Approved."
    )
    said = payloads.words(drawn_of(await rig.press(activity, APPROVE, values={first: "true", second: "true"})))
    assert "Too late." in said
    assert "Approved." in said


async def test_which_action_first_where_several_wait() -> None:
    """A way for each leads on."""
    rig = Rig()
    rig.desk.items.append(item(cards.held(), seq=20, action="mail.send", bulk=True))
    activity = await _form(rig)
    drawn = json.dumps(rig.connector.messages[activity])
    assert "Input.Toggle" not in drawn
    assert "mail.send" in drawn
    await rig.say("bulk mail.send")
    assert "Input.Toggle" in json.dumps(rig.connector.messages[rig.last()])


async def test_nothing_waits() -> None:
    """A sentence."""
    rig = Rig()
    rig.desk.items = []
    assert "Input.Toggle" not in json.dumps(rig.connector.messages[await _form(rig)])


async def test_somebody_unknown_approves_nothing() -> None:
    """Whatever they send."""
    rig = Rig()
    answer = await rig.deliver(_sent(rig, TEAMS_BO, payloads.chat_of(TEAMS_BO)))
    assert "Nobody here has this identity." in payloads.words(drawn_of(answer))
    assert rig.desk.done == []


def _sent(rig: Rig, who: str, place: str, lines: int = 2) -> Json:
    data = press.data(How.BULK, action="refund.issue") | dict.fromkeys(_lines(rig, lines), "true")
    return payloads.pressed({"type": "Action.Execute"}, data, who, place, "17", service=SERVICE)


async def test_a_selection_sent_in_a_channel_is_answered_in_private() -> None:
    """Only a crafted one is; what came of it names reviews."""
    rig = Rig()
    assert toast_of(await rig.deliver(_sent(rig, TEAMS_ANA, CHANNEL))) == IN_CHAT
    assert "is kept" in rig.told()[0]


async def test_a_selection_too_long_or_crafted_does_nothing() -> None:
    """Each one should be read."""
    rig = Rig()
    payload = _sent(rig, TEAMS_ANA, payloads.chat_of(TEAMS_ANA))
    many = {f"pick:rev_{n}|1|d": "true" for n in range(51)}
    payload["value"]["action"]["data"] |= many
    assert "at most" in toast_of(await rig.deliver(payload))
    payload["value"]["action"]["data"] = press.data(How.BULK, action="x") | {"pick:rev_1|x|d": "true"}
    assert "nothing was done" in toast_of(await rig.deliver(payload))
    assert rig.desk.done == []


async def test_a_store_that_fails_in_the_middle_is_said_line_by_line() -> None:
    """What was approved before stands."""
    rig = Rig()
    activity = await _form(rig)
    rig.desk.faults = [StoreUnavailable("The database did not take it.")]
    answer = await rig.press(activity, APPROVE, values=dict.fromkeys(_lines(rig), "true"))
    said = payloads.words(drawn_of(answer))
    assert "The database did not take it." in said
    assert "is kept" in said
