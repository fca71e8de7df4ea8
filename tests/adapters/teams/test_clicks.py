"""What people press in cards: decisions, forms, refusals, late answers, ways to look further."""

from __future__ import annotations

import asyncio
import json

import pytest

from adapters.saying import BROKEN, FOREIGN, WORKING
from adapters.teams import press
from adapters.teams.answers import BELOW, IN_CHAT
from adapters.teams.press import How
from adapters.teams.seam import Failed, Json
from adapters.token import Token
from reviews.card import Actions, Control, Go
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.model import Identity, Verb
from reviews.values import replace
from tests.adapters.teams.fake_connector import SERVICE, Rig, card_of, drawn_of, toast_of, words_of
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.desk import FakeDesk, desk_of, queue_card, sample_queue
from tests.fakes.teams_payloads import CHANNEL, TEAMS_ANA, TEAMS_BO, TENANT

FORBIDDEN = "That is not yours to decide."


def _pressed(data: Json, place: str = CHANNEL, who: str = TEAMS_ANA, under: str = "17") -> Json:
    return payloads.pressed({"type": "Action.Execute"}, data, who, place, under, service=SERVICE)


# ---------------------------------------------------------------------------------------------- decisions


async def test_an_approval_says_who_pressed_what_and_what_they_saw() -> None:
    """The identity is the verified object id and tenant; `ref` says where the card lies, so that it can be adopted."""
    rig = Rig()
    ref = await rig.post()
    await rig.press(ref.ref["activity"], "approve")
    card = cards.refund()
    assert rig.desk.done == [
        Interaction(
            verb=Verb.APPROVE,
            identity=Identity(surface="teams", id=TEAMS_ANA, tenant=TENANT),
            review=card.review,
            revision=card.revision,
            copy="copy-7",
            shown=card.digest,
            ref={"channel": CHANNEL, "activity": ref.ref["activity"]},
            mark=ref.mark,
        )
    ]


async def test_a_decision_is_seen_at_once_by_who_made_it() -> None:
    """The answer carries the card as it stands, as a copy like the one pressed; nobody is told in private."""
    rig = Rig()
    ref = await rig.post()
    card = drawn_of(await rig.press(ref.ref["activity"], "approve"))
    assert "Approved" in payloads.words(card)
    await rig.settled()
    assert rig.connector.alone(TEAMS_ANA) == []


async def test_what_the_card_does_not_show_is_said() -> None:
    """Every click is answered visibly: who escalated sees that somebody was called."""
    rig = Rig()
    ref = await rig.post()
    assert toast_of(await rig.press(ref.ref["activity"], "escalate")) == "Escalate by Ana Ruiz is kept."


@pytest.mark.parametrize("verb", sorted(set(Verb) - {Verb.REVEAL}))
async def test_every_verb_without_a_form_acts_at_once(verb: Verb) -> None:
    """A button, whatever it is called, is what the desk hears of, and is answered."""
    rig = Rig()
    card = replace(cards.refund(), blocks=(Actions(controls=(Control(verb=verb, label="Do it"),)),))
    ref = await rig.post(card)
    answer = await rig.press(ref.ref["activity"], str(verb))
    assert answer.status == 200
    assert answer.body
    assert [(done.verb, done.review, done.copy) for done in rig.desk.done] == [(verb, card.review, "copy-7")]


async def test_a_form_is_typed_by_the_card() -> None:
    """A number comes as a number, a blank field that was asked is blank."""
    rig = Rig()
    ref = await rig.post()
    typed = {"/amount": "42.5", "/order": "A-4721"}
    data = _form(Verb.EDIT, "copy-7", typed, ["/amount", "/order", "/currency", "/parcels"])
    await rig.deliver(_pressed(data, rig.connector.places[ref.ref["activity"]], under=ref.ref["activity"]))
    arguments = rig.desk.done[0].arguments or {}
    assert arguments["amount"] == 42.5
    assert arguments["order"] == "A-4721"


def _form(verb: Verb, copy: str, typed: dict[str, str], fields: list[str], version: int = 0) -> Json:
    token = Token.of(cards.refund(), copy)
    data = press.data(How.FORM, verb=verb, token=token, fields=fields, version=version)
    return data | {press.field_id(verb, name): value for name, value in typed.items()}


async def test_a_reason_is_sent_from_its_form() -> None:
    """The rule's reasons, and one's own words."""
    rig = Rig()
    ref = await rig.post()
    await rig.press(ref.ref["activity"], "reject", values={"text": "sent already"})
    done = rig.desk.done[0]
    assert (done.verb, done.reason, done.copy) == (Verb.REJECT, "sent already", "copy-7")


async def test_a_fault_is_shown_at_its_field_and_nothing_is_done() -> None:
    """The answer is the card with that form open and what was typed in it; only who sent it sees that."""
    rig = Rig()
    ref = await rig.post()
    data = _form(Verb.EDIT, "copy-7", {"/amount": "much", "/order": "A-1"}, ["/amount", "/order"])
    answer = await rig.deliver(_pressed(data, under=ref.ref["activity"]))
    drawn = json.dumps(drawn_of(answer))
    assert '"much"' in drawn
    assert "number" in drawn
    assert rig.desk.done == []
    assert rig.connector.alone(TEAMS_ANA) == []


async def test_a_required_field_left_blank_does_nothing() -> None:
    """Also where the client let it pass."""
    rig = Rig()
    ref = await rig.post()
    data = _form(Verb.REQUEST_CHANGES, "copy-7", {}, ["reason", "about"])
    assert "This is needed." in json.dumps(drawn_of(await rig.deliver(_pressed(data, under=ref.ref["activity"]))))
    assert rig.desk.done == []


async def test_a_comment_by_form() -> None:
    """Kept, and said."""
    rig = Rig()
    ref = await rig.post()
    answer = await rig.press(ref.ref["activity"], "comment", values={"reason": "Why?"})
    assert toast_of(answer) == "Comment by Ana Ruiz is kept."
    assert [(done.verb, done.reason) for done in rig.desk.done] == [(Verb.COMMENT, "Why?")]


# ---------------------------------------------------------------------------------------------- refusals


async def test_a_refusal_is_seen_by_the_one_who_pressed_alone() -> None:
    """In the answer, and nowhere else."""
    rig = Rig()
    ref = await rig.post()
    before = dict(rig.connector.messages)
    assert toast_of(await rig.press(ref.ref["activity"], "approve", TEAMS_BO)) == FORBIDDEN
    await rig.settled()
    assert rig.connector.messages == before


async def test_the_second_of_two_is_told_who_was_first() -> None:
    """The same in the answer; one of them did it."""
    rig = Rig()
    ref = await rig.post()
    first, second = await asyncio.gather(*(rig.press(ref.ref["activity"], "approve") for _ in range(2)))
    assert "Approved" in payloads.words(drawn_of(first))
    assert toast_of(second) == "It is over: Approved."


async def test_an_empty_refusal_is_still_a_sentence() -> None:
    """A click that did nothing never looks as if it had not been heard."""
    rig = Rig()
    ref = await rig.post()
    rig.desk.replies[Verb.APPROVE] = lambda _: Reply(answer=Answer.MISSING, text="")
    assert toast_of(await rig.press(ref.ref["activity"], "approve")) == "Nothing was changed."


async def test_a_card_changed_since_is_refused_by_its_revision() -> None:
    """The button carries what was seen, not what stands."""
    rig = Rig()
    ref = await rig.post()
    rig.desk.cards["rev_refund4721"] = replace(cards.refund(), revision=2)
    assert "revision 2" in toast_of(await rig.press(ref.ref["activity"], "approve"))


async def test_a_press_sent_again_changes_nothing() -> None:
    """The same activity, and later another with the same data."""
    rig = Rig()
    ref = await rig.post()
    payload = rig.pressing(ref.ref["activity"], "escalate")
    for again in (payload, payload, payload | {"id": payloads.new_id()}):
        await rig.deliver(again)
    assert len(rig.desk.done) == 1
    await rig.surface.update(ref, rig.desk.cards["rev_refund4721"])
    await rig.press(ref.ref["activity"], "escalate")
    assert len(rig.desk.done) == 2


async def test_a_click_that_was_not_kept_says_so() -> None:
    """200 all the same: for anything else Teams shows words of its own."""
    rig = Rig()
    ref = await rig.post()
    rig.desk.faults.append(StoreUnavailable(str(StoreUnavailable.__doc__)))
    assert "nothing was changed" in toast_of(await rig.press(ref.ref["activity"], "approve"))


async def test_a_defect_of_ours_tells_nothing_of_the_inside() -> None:
    """A person reads what to do next, not what broke."""
    rig = Rig()
    ref = await rig.post()
    rig.desk.faults.append(RuntimeError("secret detail"))
    assert toast_of(await rig.press(ref.ref["activity"], "approve")) == BROKEN


@pytest.mark.parametrize("what", ["reject", "comment"])
async def test_a_decision_stands_also_where_the_card_cannot_be_read_after_it(what: str) -> None:
    """The sentence says that it was done."""
    rig = Rig()
    ref = await rig.post()
    rig.desk.replies[Verb.APPROVE] = lambda _: _ended(rig)
    assert toast_of(await rig.press(ref.ref["activity"], "approve")) == "Approved."


def _ended(rig: Rig) -> Reply:
    rig.desk.faults.append(StoreUnavailable("down"))
    return Reply(answer=Answer.DONE, text="Approved.")


# ---------------------------------------------------------------------------------------------- crafted payloads


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"placet": 1},
        {"placet": 2, "way": "act", "verb": "approve", "token": "c|r|1|d"},
        {"placet": True, "way": "act", "verb": "approve", "token": "c|r|1|d"},
        {"placet": 1, "way": "act", "verb": "obey", "token": "c|r|1|d"},
        {"placet": 1, "way": "act", "verb": "approve", "token": "c|r|x|d"},
        {"placet": 1, "way": "act", "verb": ["approve"], "token": "c|r|1|d"},
        {"placet": 1, "way": "go", "go": "elsewhere"},
        {"placet": 1, "way": "form", "verb": "edit", "token": "c|r|1|d", "fields": "field:edit:/amount"},
        {"placet": 1, "way": "bulk", "action": 7},
        {"placet": 1, "way": "ask"},
        {"placet": 1, "way": "refresh"},
    ],
)
async def test_a_crafted_control_is_answered_and_does_nothing(data: Json) -> None:
    """An older version's button, another's, or one somebody wrote."""
    rig = Rig()
    assert toast_of(await rig.deliver(_pressed(data))) == FOREIGN
    assert rig.desk.done == []


async def test_a_press_of_nobody_is_answered_and_does_nothing() -> None:
    """Teams did not say who it was."""
    rig = Rig()
    ref = await rig.post()
    payload = rig.pressing(ref.ref["activity"], "approve")
    del payload["from"]["aadObjectId"]
    assert "did not say who you are" in toast_of(await rig.deliver(payload))
    assert rig.desk.done == []


async def test_a_review_that_is_not_theirs_is_not_read_to_them() -> None:
    """A way to any review may be crafted."""
    rig = Rig()
    rig.desk.hidden["rev_refund4721"] = {"ana"}
    data = press.data(How.GO, go=Go.OPEN, value="rev_refund4721")
    assert "not yours to see" in toast_of(await rig.deliver(_pressed(data)))
    assert rig.connector.messages == {}


# ---------------------------------------------------------------------------------------------- patience


class _SlowDesk(FakeDesk):
    """Decides once it is let go."""

    go: asyncio.Event

    async def interact(self, interaction: Interaction) -> Reply:
        """Wait, then decide."""
        await self.go.wait()
        return await super().interact(interaction)


def _slow() -> _SlowDesk:
    desk = _SlowDesk(cards=desk_of().cards)
    desk.go = asyncio.Event()
    return desk


async def test_a_slow_decision_is_answered_first_and_told_later() -> None:
    """In the chat with them, for there is no other way back."""
    desk = _slow()
    rig = Rig(desk=desk, patience=0.01)
    ref = await rig.post()
    assert toast_of(await rig.press(ref.ref["activity"], "approve", TEAMS_BO)) == WORKING
    assert desk.done == []
    desk.go.set()
    await rig.settled()
    assert rig.told(TEAMS_BO) == [FORBIDDEN]


async def test_who_was_told_to_wait_hears_of_a_good_end_too() -> None:
    """In words; the card itself is redrawn where it lies."""
    desk = _slow()
    rig = Rig(desk=desk, patience=0.01)
    ref = await rig.post()
    assert toast_of(await rig.press(ref.ref["activity"], "approve")) == WORKING
    desk.go.set()
    await rig.settled()
    assert rig.told() == ["Approve by Ana Ruiz is kept."]


async def test_a_slow_decision_is_finished_before_a_stop() -> None:
    """What was begun is done, also when the house closes in the middle."""
    desk = _slow()
    rig = Rig(desk=desk, patience=0.01)
    ref = await rig.post()
    await rig.press(ref.ref["activity"], "approve")
    desk.go.set()
    await rig.surface.stop()
    assert [done.verb for done in desk.done] == [Verb.APPROVE]


# ---------------------------------------------------------------------------------------------- what is redacted


async def _reveal(rig: Rig, place: str = "") -> tuple[str, Json]:
    ref = await rig.post()
    data = _form(Verb.REVEAL, "copy-7", {"reason": "I must call them"}, ["reason"])
    answer = await rig.deliver(_pressed(data, place or CHANNEL, under=ref.ref["activity"]))
    return toast_of(answer), answer.body or {}


async def test_what_is_redacted_is_shown_in_the_chat_with_who_asked_alone() -> None:
    """Never in an answer, which is drawn into the channel; with nothing to decide by."""
    rig = Rig()
    said, body = await _reveal(rig)
    assert said == IN_CHAT
    (shown,) = rig.connector.alone(TEAMS_ANA)
    seen = set(words_of(shown).split()) - set(words_of(_unrevealed(rig)).split())
    assert seen
    assert not any(word in json.dumps(body) for word in seen)
    pressable = {one.action["verb"] for one in payloads.buttons(card_of(shown)) if "verb" in one.action}
    assert pressable == {"placet/history"}
    others = [m for a, m in rig.connector.messages.items() if rig.connector.places[a] != payloads.chat_of(TEAMS_ANA)]
    assert rig.desk.reads[-1][3] is True
    assert all(json.dumps(message) != json.dumps(shown) for message in others)


def _unrevealed(rig: Rig) -> Json:
    return next(iter(rig.connector.messages.values()))


async def test_what_is_redacted_is_not_shown_where_the_chat_cannot_be_reached() -> None:
    """A sentence with the way to the page, where they may see it too."""
    rig = Rig()
    rig.connector.faults["create"] = []
    ref = await rig.post()
    rig.connector.faults["create"] = [Failed("blocked", status=403, code="ConversationBlockedByUser")]
    data = _form(Verb.REVEAL, "copy-7", {"reason": "I must call them"}, ["reason"])
    said = toast_of(await rig.deliver(_pressed(data, under=ref.ref["activity"])))
    assert "https://placet.example.com/reviews/" in said
    assert "blocked the bot" in said
    assert rig.connector.alone(TEAMS_ANA) == []


async def test_nothing_is_revealed_without_leave() -> None:
    """The desk refuses; the card is not even read so."""
    rig = Rig()
    rig.desk.replies[Verb.REVEAL] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Not yours.")
    said, _ = await _reveal(rig)
    assert said == "Not yours."
    assert not any(reveal for *_, reveal in rig.desk.reads)


# ---------------------------------------------------------------------------------------------- ways to look further


@pytest.mark.parametrize(
    ("go", "value", "seen"),
    [
        (Go.OPEN, "rev_refund4721", "Refund 180.00 USD"),
        (Go.HISTORY, "rev_refund4721", "History"),
        (Go.QUEUE, "roles", "Your queue"),
        (Go.BULK, "refund.issue", "refund.issue"),
    ],
)
async def test_a_way_pressed_in_a_channel_leads_into_ones_own_chat(go: Go, value: str, seen: str) -> None:
    """Nothing private goes into a channel; the answer says where it is."""
    rig = Rig()
    assert toast_of(await rig.deliver(_pressed(press.data(How.GO, go=go, value=value)))) == IN_CHAT
    assert list(rig.connector.places.values()) == [payloads.chat_of(TEAMS_ANA)]
    assert seen in json.dumps(rig.connector.alone(TEAMS_ANA))
    assert rig.desk.done == []


async def test_a_way_pressed_in_ones_own_chat_is_answered_there() -> None:
    """Below, without a conversation to begin."""
    rig = Rig()
    chat = payloads.chat_of(TEAMS_ANA)
    data = press.data(How.GO, go=Go.OPEN, value="rev_refund4721")
    assert toast_of(await rig.deliver(_pressed(data, chat))) == BELOW
    assert rig.connector.made("create") == []
    assert len(rig.connector.sent(chat)) == 1


async def test_a_card_of_ones_own_is_decided_and_redrawn_where_it_stands() -> None:
    """No copy is named, none is adopted, and no outbox redraws it."""
    rig = Rig()
    chat = payloads.chat_of(TEAMS_ANA)
    await rig.deliver(_pressed(press.data(How.GO, go=Go.OPEN, value="rev_refund4721"), chat))
    activity = rig.last()
    assert toast_of(await rig.press(activity, "approve")) == "Approve by Ana Ruiz is kept."
    await rig.settled()
    done = rig.desk.done[0]
    assert (done.verb, done.copy, done.ref, done.mark) == (Verb.APPROVE, None, None, None)
    assert "Approved" in words_of(rig.connector.messages[activity])


async def test_a_stale_card_of_ones_own_is_redrawn_too() -> None:
    """Who pressed on it sees the sentence, and then how it stands."""
    rig = Rig()
    await rig.say("show rev_refund4721")
    activity = rig.last()
    rig.desk.cards["rev_refund4721"] = replace(cards.refund(), revision=2, status="Now otherwise")
    assert "revision 2" in toast_of(await rig.press(activity, "approve"))
    await rig.settled()
    assert "Now otherwise" in words_of(rig.connector.messages[activity])


async def test_a_queue_shows_ones_own() -> None:
    """`mine` is what the command would say."""
    rig = Rig()
    ref = await rig.post(queue_card(sample_queue()))
    await rig.press(ref.ref["activity"], "My queue")
    await rig.deliver(_pressed(press.data(How.GO, go=Go.QUEUE, value="mine")))
    assert rig.desk.typed == [("ana", "list", "teams"), ("ana", "mine", "teams")]


async def test_a_way_for_somebody_unknown_says_so() -> None:
    """In the answer; nothing is sent."""
    rig = Rig()
    data = press.data(How.GO, go=Go.QUEUE, value="roles")
    assert toast_of(await rig.deliver(_pressed(data, who=TEAMS_BO))) == "Nobody here has this identity."
    assert rig.connector.messages == {}


# ---------------------------------------------------------------------------------------------- refresh


async def test_a_card_looked_at_again_shows_what_stands() -> None:
    """After an edit Teams may send the old card's data: the state is the database's."""
    rig = Rig()
    token = Token.of(cards.refund(), "copy-7")
    rig.desk.cards["rev_refund4721"] = replace(cards.refund(), status="Now otherwise", revision=2)
    data = press.data(How.REFRESH, token=token)
    card = drawn_of(await rig.deliver(_pressed(data)))
    assert "Now otherwise" in payloads.words(card)
    assert "copy-7|" in json.dumps(card)
    assert rig.desk.done == []


async def test_a_card_that_cannot_be_looked_at_again_says_where_to_look() -> None:
    """Nothing is sent after it, however late: a card may be looked at by everybody at once."""
    rig = Rig()
    data = press.data(How.REFRESH, token=Token.of(cards.refund(), "copy-7"))
    assert "full page" in toast_of(await rig.deliver(_pressed(data, who=TEAMS_BO)))
    await rig.settled()
    assert rig.connector.messages == {}


async def test_a_submitted_action_is_answered_by_a_message() -> None:
    """Action.Submit comes as a message: there is no answer to put anything into."""
    rig = Rig()
    data = press.data(How.ACT, verb=Verb.APPROVE, token=Token.of(cards.refund(), ""))
    payload = payloads.activity("message", TEAMS_ANA, payloads.chat_of(TEAMS_ANA), service=SERVICE, value=data)
    assert (await rig.deliver(payload)).body is None
    await rig.settled()
    assert rig.told() == ["Approve by Ana Ruiz is kept."]
