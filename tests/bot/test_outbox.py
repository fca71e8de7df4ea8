"""Every copy comes to show what the database says, whatever the surface does meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.outbox import AGAIN_AFTER, LEASE
from bot.passing import DOWN_AFTER
from reviews.card import Actions
from reviews.errors import SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable
from reviews.events import Interaction
from reviews.keeping import Copy, Tx
from reviews.model import Identity, Object, Target, Verb
from reviews.ports import MessageRef
from tests.fakes.app import PATIENCE, running
from tests.fakes.board import CONFIG, POLICY, Board, copies, instead_of_its_own, working
from tests.fakes.clock import FakeClock


async def test_a_card_is_posted_and_comes_to_show_the_decision(tmp_path: Path) -> None:
    """One post; after the decision the same post shows it, and has no buttons that decide."""
    board = Board()
    async with working(tmp_path, board) as house:
        agent = await house.agent()
        review = await agent.asked()
        (copy,) = await copies(house, review, "posted")
        assert board.posted == ["C1"]
        await house.press(Verb.APPROVE, review)
        await copies(house, review, "posted", shown=2)
        last = board.posts[copy.id][-1]
        assert last.over
        assert not [c for block in last.blocks if isinstance(block, Actions) for c in block.controls]


async def test_what_changes_while_it_is_posted_is_shown_after(tmp_path: Path) -> None:
    """A decision made while the post is under way is not lost: the copy is drawn again at once."""
    board = Board(gate=asyncio.Event())
    async with working(tmp_path, board) as house:
        agent = await house.agent()
        review = await agent.asked()
        await asyncio.wait_for(board.began.wait(), PATIENCE)
        await house.press(Verb.REJECT, review)
        assert board.gate is not None
        board.gate.set()
        (copy,) = await copies(house, review, "posted", shown=2)
        assert [card.over for card in board.posts[copy.id]] == [False, True]


async def test_a_post_whose_answer_was_lost_is_found_not_repeated(tmp_path: Path) -> None:
    """An ambiguous post is looked for by its mark; it was made, so it is adopted and brought up to date."""
    board = Board(faults=[SurfaceAmbiguous("the answer was lost")], made=True)
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        (copy,) = await copies(house, review, "posted")
        assert (board.posted, board.found) == (["C1"], [copy.id])


async def test_a_post_that_was_not_made_is_made_again(tmp_path: Path) -> None:
    """Looked for and not there: posted once more."""
    board = Board(faults=[SurfaceAmbiguous("who knows")])
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        (copy,) = await copies(house, review, "posted")
        assert (board.posted, board.found) == (["C1"], [copy.id])


async def test_a_surface_that_is_down_for_a_moment_gets_it_later(tmp_path: Path) -> None:
    """Not taken twice, then taken: one post, and nothing was looked for since nothing was sent."""
    board = Board(faults=[SurfaceUnavailable("503"), SurfaceUnavailable("429", retry_after=0.01)])
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        await copies(house, review, "posted")
        assert (board.posted, board.found) == (["C1"], [])


async def test_a_place_that_refuses_passes_the_call_on(tmp_path: Path) -> None:
    """The channel is gone: the next rung goes at once, and the timeline says why."""
    board = Board(faults=[SurfaceRefused("There is no channel C1.")])
    async with working(tmp_path, board) as house:
        agent = await house.agent()
        review = await agent.asked()
        await copies(house, review, "failed", "posted")
        await house.store.until(lambda tx: len(tx.copies(review["id"])) == 2 or None)
        await copies(house, review, "failed", "posted")
        assert board.posted == ["U2"]
        log = await house.store.view(lambda tx: tx.log(review=review["id"]))
        assert [e.detail["why"] for e in log if e.kind == "rung.unreachable"] == ["There is no channel C1."]


async def test_a_worker_that_outlives_its_lease_leaves_no_card_behind(tmp_path: Path) -> None:
    """A post hangs past its lease and is made by a second worker too: both cards come to show the decision."""
    board, clock = Board(gate=asyncio.Event()), FakeClock(datetime.now(UTC))
    board.abilities = replace(board.abilities, per_second=float("inf"))  # time stands still
    async with working(tmp_path, board, clock) as house:
        review = await (await house.agent()).asked()
        await asyncio.wait_for(board.began.wait(), PATIENCE)
        clock.forward(LEASE)
        house.app.hub.copies.set()
        await asyncio.wait_for(board.twice.wait(), PATIENCE)
        assert board.gate is not None
        board.gate.set()
        await house.store.until(lambda tx: len(tx.copies(review["id"])) == 2 or None)
        await copies(house, review, "posted")
        await house.press(Verb.APPROVE, review)
        await copies(house, review, "posted", shown=2)
        assert [cards[-1].over for cards in board.posts.values()] == [True, True]


async def test_what_is_refused_after_the_lease_calls_nobody(tmp_path: Path) -> None:
    """The second worker's card is there: that the first one was refused passes the call on to no one."""
    board, clock = Board(gate=asyncio.Event()), FakeClock(datetime.now(UTC))
    async with working(tmp_path, board, clock) as house:
        review = await (await house.agent()).asked()
        await asyncio.wait_for(board.began.wait(), PATIENCE)
        clock.forward(LEASE)
        house.app.hub.copies.set()
        await asyncio.wait_for(board.twice.wait(), PATIENCE)
        board.faults = [SurfaceRefused("There is no channel C1.")]
        assert board.gate is not None
        board.gate.set()
        (copy,) = await copies(house, review, "posted")
        assert board.posts[copy.id]
        log = await house.store.view(lambda tx: tx.log(review=review["id"]))
        assert not [e for e in log if e.kind == "rung.unreachable"]


async def test_a_press_on_a_copy_nobody_knew_of_adopts_it(tmp_path: Path) -> None:
    """The post was made, its answer never came and cannot be found yet: a press proves where it lies."""
    board = Board(faults=[SurfaceAmbiguous("lost")], made=True)
    board.abilities = replace(board.abilities, finds=False)
    async with running(tmp_path, policy=POLICY, config=CONFIG) as house:
        app = house.app
        app.directory = type(app.directory)(app.config, ("web", "slack"))
        await instead_of_its_own(house)
        review = await (await house.agent()).asked()
        lease = app.clock.now() + timedelta(hours=1)
        (copy,) = await house.store.tx(lambda tx: tx.claim_copies(tx.now(), lease, 10))
        await house.app.desk.interact(_pressed(review, copy))
        kept = await house.store.view(lambda tx: tx.copy(copy.id))
        assert kept is not None
        assert (kept.state, kept.ref) == ("posted", MessageRef(surface="slack", ref={"id": copy.id}))


@pytest.mark.parametrize("count", [3])
async def test_posts_to_one_place_keep_its_pace(tmp_path: Path, count: int) -> None:
    """The vendor's pace holds for each address: no two posts of one place are under way at once, none is lost."""
    board = Board()
    board.abilities = replace(board.abilities, per_second=50.0)
    async with working(tmp_path, board) as house:
        agent = await house.agent()
        asked = [await agent.asked() for _ in range(count)]
        for review in asked:
            await copies(house, review, "posted")
        assert board.posted == ["C1"] * count


async def test_a_crowd_at_one_place_comes_back_one_by_one(tmp_path: Path) -> None:
    """Cards that wait for their place's turn have each its own: all at once, all would be written down each time."""
    board, clock = Board(), FakeClock(datetime.now(UTC))
    board.abilities = replace(board.abilities, per_second=0.5)
    async with working(tmp_path, board, clock) as house:
        agent = await house.agent()
        asked = [await agent.asked() for _ in range(4)]

        def waiting(tx: Tx) -> datetime | None:
            states = [copy.state for review in asked for copy in tx.copies(review["id"])]
            due = tx.next_outbound()
            return due if sorted(states) == ["new", "new", "new", "posted"] and due and due > clock.now() else None

        due = await house.store.until(waiting)
        claimed = await house.store.tx(lambda tx: tx.claim_copies(due, due + LEASE, 10))
        assert len(claimed) == 1


async def test_where_it_may_not_look_it_posts_once_more(tmp_path: Path) -> None:
    """Two cards are better than none: the answer was lost, and the permission to look for the post is missing."""
    board = Board(faults=[SurfaceAmbiguous("the answer was lost")], made=True, blind=True)
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        (copy,) = await copies(house, review, "posted")
        assert (board.posted, board.found) == (["C1", "C1"], [copy.id])
        log = await house.store.view(lambda tx: tx.log(review=review["id"]))
        assert not [e for e in log if e.kind == "rung.unreachable"]


@pytest.mark.parametrize("how", ["never looks", "may not look here"])
async def test_where_nobody_can_look_it_posts_twice_at_most(tmp_path: Path, how: str) -> None:
    """Both answers lost: no third card; the next rung is called, the timeline says why, and a press takes it in."""
    lost = SurfaceAmbiguous("the answer was lost")
    board = Board(faults=[lost, lost], made=True, blind=how == "may not look here")
    board.abilities = replace(board.abilities, finds=board.blind)
    clock = FakeClock(datetime.now(UTC))
    async with working(tmp_path, board, clock) as house:
        review = await (await house.agent()).asked()
        await house.store.until(lambda tx: [c for c in tx.copies(review["id"]) if c.error and c.lease is None])
        clock.forward(AGAIN_AFTER)
        house.app.hub.copies.set()
        copy, called = await copies(house, review, "unknown", "posted", many=2)
        assert (copy.state, called.state, called.target.address) == ("unknown", "posted", "U2")
        log = await house.store.view(lambda tx: tx.log(review=review["id"]))
        assert [e.kind for e in log if e.kind in ("copy.unknown", "rung.unreachable")] == [
            "copy.unknown",
            "rung.unreachable",
        ]
        assert board.posted == ["C1", "C1", "U2"]
        await house.app.desk.interact(_pressed(review, copy))
        found = await house.store.view(lambda tx: tx.copy(copy.id))
        assert found is not None
        assert (found.state, found.ref) == ("posted", MessageRef(surface="slack", ref={"id": copy.id}))


def _pressed(review: Object, copy: Copy) -> Interaction:
    """Ana approves on a copy, whose message tells where it lies."""
    return Interaction(
        verb=Verb.APPROVE,
        identity=Identity(surface="slack", id="U1", tenant="T1"),
        review=review["id"],
        revision=1,
        copy=copy.id,
        ref={"id": copy.id},
    )


async def test_a_vendor_that_says_when_is_taken_at_its_word(tmp_path: Path) -> None:
    """Not a moment sooner, counted as no attempt, for everything that goes there; meanwhile somebody else is called."""
    board, clock = Board(faults=[SurfaceUnavailable("429", retry_after=90)]), FakeClock(datetime.now(UTC))
    board.abilities = replace(board.abilities, per_second=float("inf"))
    async with working(tmp_path, board, clock) as house:
        agent = await house.agent()
        first = await agent.asked()
        waiting = await house.store.until(lambda tx: [c for c in tx.copies(first["id"]) if c.error == "429"])
        assert waiting[0].attempts == 0
        until, late = (clock.now() + timedelta(seconds=90)), waiting[0].created_at + DOWN_AFTER
        assert await house.store.view(lambda tx: tx.next_outbound()) == late
        second = await agent.asked()
        await house.store.until(lambda tx: all(not c.lease for c in tx.copies(second["id"])) or None)
        assert board.posted == []
        clock.forward(DOWN_AFTER)
        house.app.hub.copies.set()
        for review in (first, second):
            await house.store.until(lambda tx, of=review["id"]: [c for c in tx.copies(of) if c.rung])
        assert "C1" not in board.posted
        clock.forward(until - clock.now())
        house.app.hub.copies.set()
        for review in (first, second):
            await copies(house, review, "posted", many=2)
        assert sorted(board.posted) == ["C1", "C1", "U2", "U2"]


async def test_what_happened_is_said_beneath_the_card(tmp_path: Path) -> None:
    """Who was paged by a card is told beneath it, once; who sees it for the first time reads it there."""
    board = Board()
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        (copy,) = await copies(house, review, "posted")
        assert board.notes == []
        await house.press(Verb.APPROVE, review)
        await copies(house, review, "posted", shown=2)
        await board.until_told()
        assert board.notes == [(copy.id, ["Approved by Ana Ruiz"])]


async def test_news_that_could_not_be_said_is_not_said_later(tmp_path: Path) -> None:
    """It is kept as told before it is said: a kill in between loses a reply, and never repeats one."""
    board = Board(faults=[None, None, SurfaceUnavailable("503")])  # posted, drawn again, not said
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        (copy,) = await copies(house, review, "posted")
        await house.press(Verb.TAKE, review)
        await copies(house, review, "posted", shown=2)
        await board.until_told()
        await house.press(Verb.APPROVE, review)
        await copies(house, review, "posted", shown=3)
        await board.until_told(2)
        assert board.notes == [(copy.id, ["Approved by Ana Ruiz"])]


async def test_nothing_is_said_where_there_are_no_threads(tmp_path: Path) -> None:
    """The card shows it; a surface without threads has no place beneath one."""
    board = Board()
    board.abilities = replace(board.abilities, threads=False)
    async with working(tmp_path, board) as house:
        review = await (await house.agent()).asked()
        await copies(house, review, "posted")
        await house.press(Verb.APPROVE, review)
        await copies(house, review, "posted", shown=2)
    assert (board.told, board.notes) == (0, [])


async def test_a_reply_costs_its_pace(tmp_path: Path) -> None:
    """A card and its details beneath are two messages: the next card comes two turns later."""
    board, clock = Board(), FakeClock(datetime.now(UTC))
    board.abilities = replace(board.abilities, per_second=1.0)
    async with working(tmp_path, board, clock) as house:
        agent = await house.agent()
        first = await agent.asked(context={"goal": "Make it right", "reasoning": ["The parcel is lost."]})
        (copy,) = await copies(house, first, "posted")
        assert board.posts[copy.id][0].thread
        await agent.asked()
        due = clock.now() + timedelta(seconds=2)
        await house.store.until(lambda tx: tx.next_outbound() == due or None)
        assert board.posted == ["C1"]


async def test_a_courtesy_that_fails_calls_nobody(tmp_path: Path) -> None:
    """A card beside those the policy calls for cannot be posted where somebody asked: no rung is passed over."""
    board = Board(closed={"C9"})
    async with working(tmp_path, board) as house:
        await house.agent()
        agent = house.app.keyring.agent("refund-desk")
        assert agent is not None
        body: Object = {"action": {"name": "refund.issue", "arguments": {}}}
        place = Target(surface="slack", address="C9")
        done = await house.app.service.submit(agent, body, None, place=place)
        found = await copies(house, {"id": done.review.id}, "posted", "failed")
        assert {c.target.address: c.state for c in found} == {"C1": "posted", "C9": "failed"}
        await house.press(Verb.APPROVE, {"id": done.review.id, "revision": 1})
        await copies(house, {"id": done.review.id}, "posted", "failed", shown=2)
        log = await house.store.view(lambda tx: tx.log(review=done.review.id))
        assert not [e for e in log if e.kind == "rung.unreachable"]


BOTH = """
policy: both
version: 1
actions: {refund.issue: {risk: medium, reversible: false}}
chains:
  ladder:
    - {after: 0m, notify: [channel:role, person:ana]}
    - {after: 20m, notify: person:bo}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: ladder}
"""


async def test_a_rung_is_passed_over_when_all_of_it_is_refused(tmp_path: Path) -> None:
    """Two places of one rung: the last to fail calls the next, once."""
    board = Board(closed={"C1", "U1"})
    async with working(tmp_path, board, policy=BOTH) as house:
        review = await (await house.agent()).asked()
        found = await house.store.until(lambda tx: [c for c in tx.copies(review["id"]) if c.state == "posted"])
        assert [c.target.address for c in found] == ["U2"]
        assert board.posted == ["U2"]


async def test_a_rung_whose_surface_is_down_for_long_is_passed_over(tmp_path: Path) -> None:
    """Neither of its places takes anything for half a minute: none waits for another."""
    down = SurfaceUnavailable("503")
    board, clock = Board(faults=[down, down]), FakeClock(datetime.now(UTC))
    board.abilities = replace(board.abilities, per_second=float("inf"))
    async with working(tmp_path, board, clock, policy=BOTH) as house:
        review = await (await house.agent()).asked()
        await house.store.until(lambda tx: [c.attempts for c in tx.copies(review["id"])] == [1, 1] or None)
        board.faults = [down, down]
        clock.forward(DOWN_AFTER)
        house.app.hub.copies.set()
        await house.store.until(lambda tx: len(tx.copies(review["id"])) == 3 or None)
