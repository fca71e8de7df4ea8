"""Every copy comes to show what the database says, whatever the surface does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.outbox import Outbox
from reviews.card import Actions, Card
from reviews.errors import SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable
from reviews.events import Interaction
from reviews.model import Identity, Object, Target, Verb
from reviews.ports import Abilities, Copy, Health, MessageRef
from tests.fakes.app import PATIENCE, House, running

POLICY = """
policy: outbox
version: 1
actions:
  refund.issue: {risk: medium, reversible: false}
chains:
  ladder:
    - {after: 0m, notify: channel:role}
    - {after: 20m, notify: person:bo}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: ladder}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2, "channels": {"slack": "C1"}}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"slack": "U1"}},
        {"id": "bo", "name": "Bo Chen", "identities": {"slack": "U2"}, "prefers": "slack"},
    ],
}


@dataclass
class Board:
    """A surface that keeps what was posted and fails as told: `faults` are used up, one a call.

    A fault with `made` set happens after the post was made, as when an answer is lost.
    """

    name: str = "slack"
    abilities: Abilities = field(
        default_factory=lambda: Abilities(
            forms=True, ephemeral=True, threads=True, live=False, finds=True, max_bytes=10**6, per_second=1000.0
        )
    )
    faults: list[Exception | None] = field(default_factory=list)
    made: bool = False
    posts: dict[str, list[Card]] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def _fail(self) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Keep a new post."""
        self.began.set()
        if self.gate is not None:
            await self.gate.wait()
        if not self.made:
            self._fail()
        self.posted.append(target.address)
        self.posts[copy_id] = [card]
        if self.made:
            self._fail()
        return MessageRef(surface=self.name, ref={"id": copy_id})

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Keep what a post shows now."""
        self._fail()
        self.posts[ref.ref["id"]].append(card)

    async def whisper(self, identity: Identity, text: str) -> None:
        """Nothing here whispers."""
        raise AssertionError("the outbox does not whisper")

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Whether it was posted."""
        self.found.append(copy_id)
        return MessageRef(surface=self.name, ref={"id": copy_id}) if copy_id in self.posts else None

    async def health(self) -> Health:
        """Always well."""
        return Health(ok=True)


@asynccontextmanager
async def working(folder: Path, board: Board) -> AsyncIterator[House]:
    """A house whose Slack is the board."""
    async with running(folder, policy=POLICY, config=CONFIG) as house:
        app = house.app
        app.directory = type(app.directory)(app.config, ("web", "slack"))
        outbox = Outbox(app.service, {"slack": board}, app.desk.card, app.hub, app.clock)
        await _instead_of_its_own(house)
        task = asyncio.create_task(outbox.run())
        try:
            yield house
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await outbox.stop()


async def _instead_of_its_own(house: House) -> None:
    own = next(task for task in house.app._tasks if task.get_name() == "outbox")
    own.cancel()
    with suppress(asyncio.CancelledError):
        await own


async def copies(house: House, review: Object, *states: str, shown: int = 1) -> list[Copy]:
    """The copies of a review, once they all are in one of these states and show at least this."""

    def look(tx: Any) -> list[Copy] | None:
        found: list[Copy] = tx.copies(review["id"])
        settled = found and all(c.state in states and c.shown >= (shown if c.state == "posted" else 0) for c in found)
        return found if settled and all(c.shown == c.wanted for c in found if c.state == "posted") else None

    return await house.store.until(look)


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


async def test_a_press_on_a_copy_nobody_knew_of_adopts_it(tmp_path: Path) -> None:
    """The post was made, its answer never came and cannot be found yet: a press proves where it lies."""
    board = Board(faults=[SurfaceAmbiguous("lost")], made=True)
    board.abilities = replace(board.abilities, finds=False)
    async with running(tmp_path, policy=POLICY, config=CONFIG) as house:
        app = house.app
        app.directory = type(app.directory)(app.config, ("web", "slack"))
        await _instead_of_its_own(house)
        review = await (await house.agent()).asked()
        lease = app.clock.now() + timedelta(hours=1)
        (copy,) = await house.store.tx(lambda tx: tx.claim_copies(tx.now(), lease, 10))
        await house.app.desk.interact(
            Interaction(
                verb=Verb.APPROVE,
                identity=Identity(surface="web", id="ana", tenant="signin"),
                review=review["id"],
                revision=1,
                copy=copy.id,
                ref={"id": copy.id},
            )
        )
        kept = await house.store.view(lambda tx: tx.copy(copy.id))
        assert kept is not None
        assert (kept.state, kept.ref) == ("posted", MessageRef(surface="web", ref={"id": copy.id}))


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
