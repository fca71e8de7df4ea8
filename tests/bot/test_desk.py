"""The desk every surface talks to: once for each press, copies taken in, words beneath a card, home."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.desk import ONE_PRESS
from bot.drawing import LOGGED
from reviews.card import Actions, Card, Facts, Go, Lines
from reviews.events import Answer, Interaction, Record, Reply
from reviews.keeping import Copy, Tx
from reviews.model import Identity, Object, Status, Verb
from reviews.ports import QueueFilter
from reviews.values import replace
from tests.fakes.app import Caller, House, running
from tests.fakes.chat import TEAM, FakeChat
from tests.fakes.clock import FakeClock

POLICY = """
policy: desk
version: 1
actions:
  note.write: {risk: low, reversible: true}
chains:
  ladder:
    - {after: 0m, notify: channel:role}
    - {after: 20m, notify: person:bo}
    - {after: 40m, notify: person:di}
    - {after: 1h, then: expire}
rules:
  - {name: notes, when: 'action.name == "note.write"', route: {tier: approve, role: clerk, sla: 1h}}
default: {tier: approve, role: manager, chain: ladder}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2, "channels": {"slack": "C1"}}, "clerk": {"level": 1}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"slack": "U1"}},
        {"id": "bo", "name": "Bo Chen", "roles": ["clerk"], "identities": {"slack": "U2"}, "prefers": "slack"},
        {"id": "cy", "name": "Cy Okafor", "roles": ["clerk"]},
        {"id": "di", "name": "Di Moreau"},
    ],
}
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands until a test moves it."""
    return FakeClock(START)


@pytest.fixture
def chat() -> FakeChat:
    """Where cards are posted."""
    return FakeChat()


@pytest.fixture
async def house(tmp_path: Path, chat: FakeChat, clock: FakeClock) -> AsyncIterator[House]:
    """A running Placet with a chat beside the web."""
    async with running(tmp_path, policy=POLICY, config=CONFIG, clock=clock, adapters={"slack": chat}) as made:
        yield made


async def _press(house: House, verb: Verb, seen: Object, user: str = "U1", **more: Any) -> Reply:
    identity = Identity(surface="slack", id=user, tenant=TEAM)
    pressed = {"review": seen["id"], "revision": seen["revision"]} | more
    return await house.app.desk.interact(Interaction(verb=verb, identity=identity, **pressed))


async def _posted(house: House, review: Object, count: int = 1) -> list[Copy]:
    """The copies of a review, once so many are posted and show what stands."""

    def look(tx: Any) -> list[Copy]:
        there = [copy for copy in tx.copies(review["id"]) if copy.state == "posted" and copy.shown >= copy.wanted]
        return there if len(there) >= count else []

    return await house.store.until(look)


async def _kinds(house: House, review: Object) -> list[str]:
    return [entry.kind for entry in await house.store.view(lambda tx: tx.log(review=review["id"]))]


# ---------------------------------------------------------------------------------------------- once


async def test_a_delivery_repeated_changes_nothing(house: House, agent: Caller) -> None:
    """Surfaces deliver again what they saw no answer to: one comment is kept, and the second is told so."""
    review = await agent.asked()
    first, second = [await _press(house, Verb.COMMENT, review, reason="Look at this.", once="e1") for _ in range(2)]
    assert (first.answer, second.answer) == (Answer.DONE, Answer.SAME)
    assert second.text == "That was taken already. Waiting for manager."
    assert (await _kinds(house, review)).count("review.commented") == 1


async def test_a_form_with_faults_can_be_sent_again(house: House, agent: Caller) -> None:
    """A form keeps its id when it is sent again: what was refused for a fault was not taken."""
    review = await agent.asked()
    blank = await _press(house, Verb.REVEAL, review, reason=" ", once="v1")
    filled = await _press(house, Verb.REVEAL, review, reason="To check the amount.", once="v1")
    assert (list(blank.errors), filled.answer) == (["reason"], Answer.DONE)


async def test_the_same_id_on_another_surface_is_another_press(house: House, agent: Caller) -> None:
    """Ids are a surface's own."""
    review = await agent.asked()
    await _press(house, Verb.COMMENT, review, reason="In chat.", once="e1")
    assert (await house.press("comment", review, reason="On the web.", once="e1")).answer is Answer.DONE
    assert (await _kinds(house, review)).count("review.commented") == 2


async def test_a_double_click_climbs_one_rung(house: House, agent: Caller, clock: FakeClock) -> None:
    """Two clicks are two deliveries with two ids; a person means the next rung only once within ten seconds."""
    review = await agent.asked()
    first, second = [await _press(house, Verb.ESCALATE, review, once=once) for once in ("c1", "c2")]
    assert (first.answer, second.answer) == (Answer.DONE, Answer.SAME)
    assert second.text.startswith("You escalated this a moment ago. Waiting for")
    assert second.review is not None
    assert list(second.review.called) == ["bo"]
    clock.forward(ONE_PRESS + timedelta(seconds=1))
    third = await _press(house, Verb.ESCALATE, review, once="c3")
    assert third.answer is Answer.DONE
    assert third.review is not None
    assert set(third.review.called) == {"bo", "di"}


async def test_what_came_is_forgotten_after_a_day(house: House, agent: Caller, clock: FakeClock) -> None:
    """No surface delivers again after so long, and the list must not grow for ever."""
    review = await agent.asked("note.write")
    await _press(house, Verb.COMMENT, review, user="U2", reason="One.", once="e1")
    clock.forward(timedelta(hours=23))
    await house.app._forget()
    assert (await _press(house, Verb.COMMENT, review, user="U2", reason="Two.", once="e1")).answer is Answer.SAME
    clock.forward(timedelta(hours=2))
    await house.app._forget()
    assert (await _press(house, Verb.COMMENT, review, user="U2", reason="Three.", once="e1")).answer is Answer.DONE


# ---------------------------------------------------------------------------------------------- who may


async def test_who_may_not_is_told_why_and_who_may(house: House, agent: Caller) -> None:
    """The sentence names the role that is needed, and nothing is decided."""
    review = await agent.asked()
    told = await _press(house, Verb.APPROVE, review, user="U2")
    assert told.answer is Answer.FORBIDDEN
    assert "manager" in told.text
    assert (await agent.review(review["id"]))["status"] == "pending"


async def test_an_owner_is_told_who_decides_instead(house: House) -> None:
    """A refusal for a conflict says who may as well."""
    review = await (await house.agent("hers", owners=["ana"])).asked()
    told = await _press(house, Verb.APPROVE, review)
    assert (told.answer, told.text) == (
        Answer.FORBIDDEN,
        "You own this agent, so somebody else must decide what it does above low risk. It needs manager.",
    )


async def test_a_guest_of_another_workspace_is_nobody(house: House, agent: Caller) -> None:
    """The same user id in a workspace that is not ours is somebody else."""
    review = await agent.asked()
    guest = Identity(surface="slack", id="U1", tenant="T2")
    told = await house.app.desk.interact(
        Interaction(verb=Verb.APPROVE, identity=guest, review=review["id"], revision=1)
    )
    assert (told.answer, "`T2:U1`" in told.text) == (Answer.FORBIDDEN, True)
    assert (await agent.review(review["id"]))["status"] == "pending"


async def test_nobody_is_let_in_before_the_workspace_is_known(house: House, agent: Caller, chat: FakeChat) -> None:
    """Unsure is no: the sentence says to press again."""
    review, chat.tenant = await agent.asked(), ""
    assert "again in a moment" in (await _press(house, Verb.APPROVE, review)).text
    chat.tenant = TEAM
    assert (await _press(house, Verb.APPROVE, review)).answer is Answer.DONE


async def test_a_press_on_a_review_that_is_gone_says_so(house: House) -> None:
    """A database restored from before knows nothing of a card that is still posted."""
    gone = {"id": "rev_0", "revision": 1}
    told = await _press(house, Verb.APPROVE, gone)
    assert (told.answer, told.text) == (Answer.MISSING, "This review is not here any more.")


# ---------------------------------------------------------------------------------------------- words beneath a card


async def test_words_beneath_a_card_are_a_comment(house: House, agent: Caller) -> None:
    """A reply names the message it stands beneath; the comment goes to that review."""
    review = await agent.asked()
    (copy,) = await _posted(house, review)
    assert copy.ref is not None
    assert copy.ref.mark
    said = {"review": "", "revision": None, "mark": copy.ref.mark, "reason": "Ask Maria first.", "once": "e7"}
    told = await _press(house, Verb.COMMENT, review, **said)
    assert told.answer is Answer.DONE
    assert told.review is not None
    assert [c.text for c in told.review.comments] == ["Ask Maria first."]


@pytest.mark.parametrize("user", ["U1", "U404"])
async def test_words_beneath_other_messages_are_nothing(house: House, agent: Caller, user: str) -> None:
    """People talk in threads that are not ours, known or not: nothing is said and nothing kept."""
    review = await agent.asked()
    told = await _press(house, Verb.COMMENT, review, user=user, review="", mark="C1:404", reason="Lunch?", once="e8")
    assert (told.answer, told.text) == (Answer.MISSING, "")
    assert "review.commented" not in await _kinds(house, review)


async def test_words_beneath_a_queue_card_are_of_no_one_review(tmp_path: Path, chat: FakeChat) -> None:
    """The card is ours, so whoever writes there is told where a comment goes."""
    roles = {**CONFIG["roles"], "clerk": {"level": 1, "channels": {"slack": "C2"}}}
    config = {**CONFIG, "roles": roles, "cards": {"open_per_channel": 1}}
    async with running(tmp_path, policy=POLICY, config=config, adapters={"slack": chat}) as house:
        agent = await house.agent()
        _, seen = [await agent.asked("note.write") for _ in range(2)]
        (queue,) = await house.store.until(lambda tx: [c for c in tx.copies("") if c.ref is not None])
        told = await _press(house, Verb.COMMENT, seen, user="U2", review="", mark=queue.ref.mark, reason="Which?")
        assert (told.answer, told.text) == (
            Answer.REFUSED,
            "This card is of several reviews: open one and comment there.",
        )


# ---------------------------------------------------------------------------------------------- copies taken in


async def test_words_beneath_an_adopted_copy_are_heard(house: House, agent: Caller) -> None:
    """The press that takes it in says how replies name it."""
    review = await agent.asked()
    lost = {"copy": "cpy_lost", "ref": {"channel": "C1", "ts": "99", "copy": "cpy_lost"}, "mark": "C1:99"}
    await _press(house, Verb.TAKE, review, **lost)
    told = await _press(house, Verb.COMMENT, review, review="", mark="C1:99", reason="Ask Maria first.")
    assert told.answer is Answer.DONE
    assert "review.commented" in await _kinds(house, review)


async def test_a_message_known_under_another_id_is_not_taken_in_twice(house: House, agent: Caller) -> None:
    """A worker that was late keeps its message as a row of its own, whose controls carry the first one's id."""
    review = await agent.asked()
    (copy,) = await _posted(house, review)
    assert copy.ref is not None
    there = replace(copy.ref, ref={"channel": "C1", "ts": "98", "copy": copy.id, "thread": "t"}, mark="C1:98")
    await house.store.tx(lambda tx: tx.adopt_copy(replace(copy, id="cpy_late", ref=there)))
    await _press(house, Verb.TAKE, review, copy=copy.id, ref={"channel": "C1", "ts": "98", "copy": copy.id})
    assert {c.id for c in await house.store.view(lambda tx: tx.copies(review["id"]))} == {copy.id, "cpy_late"}


async def test_a_press_on_an_unknown_copy_adopts_it(house: House, agent: Caller, chat: FakeChat) -> None:
    """A card the database lost is drawn again with what came of it, and by that loses its buttons."""
    review = await agent.asked()
    await _posted(house, review)
    ref = {"channel": "C1", "ts": "99", "copy": "cpy_lost"}
    assert (await _press(house, Verb.APPROVE, review, copy="cpy_lost", ref=ref)).answer is Answer.DONE
    assert {copy.id for copy in await _posted(house, review, 2)} >= {"cpy_lost"}
    assert _verbs(chat.posts["C1:99"][1][-1]) == _verbs(chat.posts["C1:1"][1][-1])
    assert Verb.APPROVE not in _verbs(chat.posts["C1:99"][1][-1])


async def test_a_twin_is_kept_once_and_follows(house: House, agent: Caller, chat: FakeChat) -> None:
    """A card posted twice: each press on the second finds the one row that follows it."""
    review = await agent.asked()
    (copy,) = await _posted(house, review)
    twin = {"copy": copy.id, "ref": {"channel": "C1", "ts": "98", "copy": copy.id}}
    for reason in ("One.", "Two."):
        await _press(house, Verb.COMMENT, review, reason=reason, **twin)
    assert len(await _posted(house, review, 2)) == 2
    await _press(house, Verb.REJECT, review, **twin)
    await _posted(house, review, 2)
    assert Verb.REJECT not in _verbs(chat.posts["C1:98"][1][-1])


async def test_a_press_on_the_copy_that_is_known_adopts_nothing(house: House, agent: Caller) -> None:
    """A press tells less of a message than the adapter keeps; it is the same message."""
    review = await agent.asked()
    (copy,) = await _posted(house, review)
    ref = {"channel": "C1", "ts": "1", "copy": copy.id}
    await _press(house, Verb.COMMENT, review, reason="Here.", copy=copy.id, ref=ref)
    assert len(await house.store.view(lambda tx: tx.copies(review["id"]))) == 1


async def test_forged_presses_add_no_copies_without_end(
    house: House, agent: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each names another message. So many are taken in, and the press counts all the same."""
    monkeypatch.setattr("bot.adoption._MOST", 3)
    review = await agent.asked()
    for n in range(6):
        ref = {"channel": "C1", "ts": f"{n}.9", "copy": f"cpy_{n}"}
        told = await _press(house, Verb.COMMENT, review, reason=f"No. {n}", copy=f"cpy_{n}", ref=ref)
        assert told.answer is Answer.DONE
    assert len(await house.store.view(lambda tx: tx.copies(review["id"]))) == 3


@pytest.mark.parametrize("field", ["reason", "notes", "about"])
async def test_what_is_too_long_to_be_kept_is_refused(house: House, agent: Caller, field: str) -> None:
    """Also where no form stands between: a crafted press cannot fill the log."""
    review = await agent.asked()
    told = await _press(house, Verb.APPROVE, review, **{field: "x" * 10_001})
    assert (told.answer, list(told.errors)) == (Answer.REFUSED, [field])
    assert "At most" in told.errors[field]
    assert not [kind for kind in await _kinds(house, review) if kind.startswith("vote.")]


async def test_a_copy_of_another_review_is_not_moved(house: House, agent: Caller) -> None:
    """A token that mixes two reviews takes no card from the other one."""
    review, other = await agent.asked(), await agent.asked()
    (copy,) = await _posted(house, other)
    await _press(
        house, Verb.COMMENT, review, reason="Mixed.", copy=copy.id, ref={"channel": "C1", "ts": "97", "copy": copy.id}
    )
    assert [c.id for c in await house.store.view(lambda tx: tx.copies(other["id"]))] == [copy.id]


async def test_another_reviews_message_is_not_taken_over(house: House, agent: Caller, chat: FakeChat) -> None:
    """A forged press names an invented copy where another review's card lies: that card stays what it is."""
    review, other = await agent.asked(), await agent.asked()
    (copy,) = await _posted(house, other)
    assert copy.ref is not None
    forged = {"copy": "cpy_invented", "ref": {**copy.ref.ref, "copy": "cpy_invented"}, "mark": copy.ref.mark}
    await _press(house, Verb.TAKE, review, **forged)
    assert await house.store.view(lambda tx: tx.copy("cpy_invented")) is None
    assert all(card.review == other["id"] for card in chat.posts[copy.ref.mark][1])


async def test_who_may_not_see_a_review_takes_no_copy_in(house: House, agent: Caller) -> None:
    """A press by somebody the review is not for would draw its card wherever they pressed."""
    review = await agent.asked()
    lost = {"copy": "cpy_lost", "ref": {"channel": "D9", "ts": "99", "copy": "cpy_lost"}, "mark": "D9:99"}
    told = await _press(house, Verb.APPROVE, review, user="U2", **lost)
    assert told.answer is Answer.FORBIDDEN
    assert await house.store.view(lambda tx: tx.copy("cpy_lost")) is None


async def test_what_was_refused_fills_nobodys_history(house: House, agent: Caller) -> None:
    """However often somebody tries what they may not, what came after is still among what people read."""
    review = await agent.asked()

    def flood(tx: Tx) -> None:
        for _ in range(LOGGED + 1):
            detail = {"event": "approved", "why": "no"}
            tx.record(Record(kind="event.refused", at=tx.now(), actor="x", detail=detail, public=False), review["id"])

    await house.store.tx(flood)
    await _press(house, Verb.REVEAL, review, reason="Compare with the bank.")
    ana = house.app.directory.person("ana")
    assert ana is not None
    card = await house.app.desk.read(review["id"], ana, surface="slack")
    assert "Compare with the bank." in repr(card.thread)


def _verbs(card: Card) -> list[Verb]:
    return [c.verb for block in card.blocks if isinstance(block, Actions) for c in (*block.controls, *block.overflow)]


async def test_a_flood_shares_one_queue_card(tmp_path: Path, chat: FakeChat) -> None:
    """Two notes stand in the clerks' channel; the rest are lines of one card, and leave it as they are decided."""
    roles = {**CONFIG["roles"], "clerk": {"level": 1, "channels": {"slack": "C2"}}}
    config = {**CONFIG, "roles": roles, "cards": {"open_per_channel": 2}}
    async with running(tmp_path, policy=POLICY, config=config, adapters={"slack": chat}) as house:
        agent = await house.agent()
        asked = [await agent.asked("note.write") for _ in range(4)]
        (lines,) = await house.store.until(lambda tx: _drawn_queues(tx, "posted"))
        assert [len(_lines(card)) for card in _queue_cards(chat)] == [len(lines)] == [2]
        for review in asked:
            if review["id"] in lines:
                await house.press(Verb.APPROVE, review, "bo")
        await house.store.until(lambda tx: _drawn_queues(tx, "over"))
        assert [_lines(card) for card in _queue_cards(chat)] == [[]]


def _drawn_queues(tx: Any, state: str) -> list[set[str]]:
    """The open reviews folded in the clerks' channel, for each queue card that shows them all and has this state."""
    folded = {copy.review for copy in tx.standing("slack", "C2", "folded", 10)}
    count = {"posted": 2, "over": 0}[state]
    drawn = [copy for copy in tx.copies("") if copy.state == state and copy.shown >= copy.wanted]
    return [folded for _ in drawn] if len(folded) == count else []


def _queue_cards(chat: FakeChat) -> list[Card]:
    """The cards of no review as they stand."""
    return [cards[-1] for _, cards in chat.posts.values() if not cards[-1].review]


def _lines(card: Card) -> list[str]:
    return [line.review for block in card.blocks if isinstance(block, Lines) for line in block.items]


# ---------------------------------------------------------------------------------------------- home


async def test_home_shows_what_waits_and_what_was_decided(house: House, agent: Caller) -> None:
    """The most urgent first, each to be opened; what one decided oneself beneath."""
    done, waits = await agent.asked(), await agent.asked()
    await _press(house, Verb.APPROVE, done)
    card = await house.app.desk.home(await _person(house, "ana"))
    waiting, decided = [block for block in card.blocks if isinstance(block, Lines)]
    assert [line.review for line in waiting.items] == [waits["id"]]
    assert [line.review for line in decided.items] == [done["id"]]
    assert "Approved by Ana Ruiz" in decided.items[0].detail
    assert [(way.go, way.value) for way in waiting.items[0].ways] == [(Go.OPEN, waits["id"])]


async def test_home_is_each_persons_own(house: House, agent: Caller) -> None:
    """Bo sees nothing of managers, and of what others decided nothing either."""
    await _press(house, Verb.APPROVE, await agent.asked())
    await agent.asked()
    card = await house.app.desk.home(await _person(house, "bo"))
    assert not [block for block in card.blocks if isinstance(block, Lines)]
    assert "Bo Chen" in card.title


async def test_home_offers_bulk_only_where_there_are_several(house: House, agent: Caller) -> None:
    """One low-risk note needs no list to choose from; two do."""
    bo = await _person(house, "bo")
    await agent.asked("note.write")
    assert not _ways(await house.app.desk.home(bo))
    await agent.asked("note.write")
    assert _ways(await house.app.desk.home(bo)) == [Go.BULK]


async def test_home_says_who_is_on_call_and_away(tmp_path: Path, clock: FakeClock) -> None:
    """The facts of the rotations, with the deputy of who is away."""
    people = [{**CONFIG["people"][0], "deputy": "bo"}, *CONFIG["people"][1:]]
    rotations = {"ops": {"primary": {"people": ["ana"]}}}
    config = {**CONFIG, "people": people, "rotations": rotations}
    async with running(tmp_path, policy=POLICY, config=config, clock=clock) as house:
        ana = await _person(house, "ana")
        await house.app.desk.command(ana, "away 2h", surface="web")
        card = await house.app.desk.home(ana)
        (calls,) = [block for block in card.blocks if isinstance(block, Facts)]
        assert [(f.label, f.value) for f in calls.items] == [("ops.primary", "Bo Chen (for Ana Ruiz, who is away)")]
        assert "You are away until 23 Nov 11:00" in repr(card.blocks[0])


async def _person(house: House, name: str) -> Any:
    return await house.app.desk.who(Identity(surface="web", id=name))


def _ways(card: Card) -> list[Go]:
    return [way.go for block in card.blocks if isinstance(block, Actions) for way in block.ways]


async def test_the_queue_counts_what_is_beyond_a_page(house: House, agent: Caller) -> None:
    """A page of one of two says there are more."""
    for _ in range(2):
        await agent.asked()
    page = await house.app.desk.queue(await _person(house, "ana"), QueueFilter(limit=1))
    assert ([item.status for item in page.items], page.cursor, page.counts["roles"]) == ([Status.PENDING], "1", 2)
