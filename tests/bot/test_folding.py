"""Where many cards lie, harmless reviews share one card, which follows them and is posted afresh when it was empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reviews.card import Card, Lines, Text
from reviews.errors import SurfaceRefused
from reviews.keeping import Copy, CopyKind, Tx
from reviews.model import Object, Verb
from tests.fakes.app import Caller, House
from tests.fakes.board import Board, copies, working
from tests.fakes.clock import FakeClock

POLICY = """
policy: flood
version: 1
actions:
  coupon.send: {risk: low, reversible: true}
  refund.issue: {risk: medium, reversible: false}
chains:
  ladder:
    - {after: 0m, notify: channel:role}
    - {after: 20m, notify: person:bo}
    - {after: 1h, then: expire}
  director:
    - {after: 0m, notify: person:bo}
    - {after: 1h, then: expire}
rules:
  - name: critical
    when: risk.level == "critical"
    route: {tier: dual, needs: [{role: manager}, {role: director}], chain: director}
default: {tier: approve, role: manager, chain: ladder}
"""
ROLES: Object = {"manager": {"level": 2, "channels": {"slack": "C1"}}, "director": {"level": 3}}
#: How many cards the channel holds.
MOST = 2


@dataclass
class Flood:
    """A house with a full channel: `asked` are the reviews whose cards lie there."""

    house: House
    board: Board
    clock: FakeClock
    agent: Caller
    asked: list[Object]

    async def folded(self, count: int = 1) -> list[Object]:
        """Ask for so many more, each folded."""
        made = [await self.agent.asked("coupon.send") for _ in range(count)]
        for review in made:
            await copies(self.house, review, "folded")
        return made

    async def revise(self, review: Object, **changes: object) -> None:
        """The agent proposes something else; it is called for anew."""
        answer = await self.agent.post(f"/v1/reviews/{review['id']}/revisions", changes)
        assert answer.body["revision"] == 2, answer.body
        await self.house.store.until(lambda tx: len(tx.copies(review["id"])) == 2 or None)

    async def queue(self, *states: str) -> tuple[Copy, Card]:
        """The queue card once it is wanted anew and drawn, a second having passed: its copy and what it shows."""
        await self.house.store.until(lambda tx: any(c.shown < c.wanted for c in tx.copies("")) or None)
        self.clock.forward(timedelta(seconds=1))
        self.house.app.hub.copies.set()

        def look(tx: Tx) -> Copy | None:
            return next((c for c in tx.copies("") if c.state in states and c.shown == c.wanted), None)

        copy = await self.house.store.until(look)
        return copy, self.last(copy)

    def last(self, copy: Copy) -> Card:
        """What a copy's newest message shows."""
        assert copy.ref is not None
        return self.board.posts[copy.ref.ref["id"]][-1]

    async def reached(self, review: Object, address: str) -> list[Copy]:
        """The copies of a review once one is posted at this address."""

        def look(tx: Tx) -> list[Copy] | None:
            found = tx.copies(review["id"])
            return found if any((c.target.address, c.state) == (address, "posted") for c in found) else None

        return await self.house.store.until(look)


def lines(card: Card) -> list[str]:
    """The reviews a queue card names."""
    return [line.review for block in card.blocks if isinstance(block, Lines) for line in block.items]


@asynccontextmanager
async def flooded(folder: Path) -> AsyncIterator[Flood]:
    """A channel that holds as many cards as it may. Time stands still."""
    board, clock = Board(), FakeClock(datetime.now(UTC))
    board.abilities = replace(board.abilities, per_second=float("inf"))
    async with working(folder, board, clock, policy=POLICY, cards={"open_per_channel": MOST}, roles=ROLES) as house:
        agent = await house.agent()
        asked = [await agent.asked("coupon.send") for _ in range(MOST)]
        for review in asked:
            await copies(house, review, "posted")
        yield Flood(house, board, clock, agent, asked)


async def test_what_comes_to_a_full_channel_is_folded(tmp_path: Path) -> None:
    """As many cards as it holds, then one card for all that is harmless; each is a line there, and the log knows."""
    async with flooded(tmp_path) as flood:
        made = await flood.folded(3)
        copy, card = await flood.queue("posted")
        assert (copy.kind, copy.target.address, copy.ref is not None) == (CopyKind.QUEUE, "C1", True)
        assert sorted(lines(card)) == sorted(review["id"] for review in made)
        assert flood.board.posted == ["C1"] * (MOST + 1)
        log = await flood.house.store.view(lambda tx: tx.log(review=made[0]["id"]))
        assert [entry.detail["address"] for entry in log if entry.kind == "copy.folded"] == ["C1"]


async def test_what_is_not_harmless_has_its_own_card(tmp_path: Path) -> None:
    """However full the channel is."""
    async with flooded(tmp_path) as flood:
        await copies(flood.house, await flood.agent.asked("refund.issue"), "posted")
        assert flood.board.posted == ["C1"] * (MOST + 1)


async def test_a_channel_with_room_folds_nothing(tmp_path: Path) -> None:
    """What was decided takes no room."""
    async with flooded(tmp_path) as flood:
        await flood.house.press(Verb.APPROVE, flood.asked[0])
        await copies(flood.house, flood.asked[0], "posted", shown=2)
        await copies(flood.house, await flood.agent.asked("coupon.send"), "posted")


async def test_a_queue_card_follows_its_reviews_and_is_posted_afresh(tmp_path: Path) -> None:
    """Emptied, it says so; the next flood makes a new message, for changing an old one tells nobody."""
    async with flooded(tmp_path) as flood:
        first, second = await flood.folded(2)
        await flood.queue("posted")
        await flood.house.press(Verb.APPROVE, first)
        copy, card = await flood.queue("posted")
        assert lines(card) == [second["id"]]
        await flood.house.press(Verb.REJECT, second)
        copy, card = await flood.queue("over")
        assert [block.text for block in card.blocks if isinstance(block, Text)] == ["Nothing waits here now."]
        (third,) = await flood.folded()
        fresh, card = await flood.queue("posted")
        assert lines(card) == [third["id"]]
        assert fresh.ref != copy.ref
        assert flood.board.posted == ["C1"] * (MOST + 2)


async def test_a_queue_decided_before_it_was_posted_is_never_posted(tmp_path: Path) -> None:
    """Within the second nothing is left to show."""
    async with flooded(tmp_path) as flood:
        (review,) = await flood.folded()
        await flood.house.press(Verb.APPROVE, review)
        await flood.house.store.until(lambda tx: all(c.shown == 2 for c in tx.copies(review["id"])) or None)
        flood.clock.forward(timedelta(seconds=1))
        flood.house.app.hub.copies.set()
        (copy,) = await flood.house.store.until(lambda tx: [c for c in tx.copies("") if c.state == "over"])
        assert copy.ref is None
        assert flood.board.posted == ["C1"] * MOST


async def test_what_becomes_grave_has_a_card(tmp_path: Path) -> None:
    """Proposed anew at a higher risk, it is called for anew: one card there, and its line leaves the queue card."""
    async with flooded(tmp_path) as flood:
        grave, other = await flood.folded(2)
        await flood.queue("posted")
        await flood.revise(grave, risk={"level": "high"})
        found = await copies(flood.house, grave, "over", "posted")
        assert [copy.state for copy in sorted(found, key=lambda copy: copy.epoch)] == ["over", "posted"]
        _, card = await flood.queue("posted")
        assert lines(card) == [other["id"]]


async def test_what_becomes_grave_elsewhere_has_its_card_here_again(tmp_path: Path) -> None:
    """Somebody else is called now; where it was folded it is a card like those that were never folded."""
    async with flooded(tmp_path) as flood:
        (grave,) = await flood.folded()
        await flood.queue("posted")
        await flood.revise(grave, risk={"level": "critical"})
        found = await copies(flood.house, grave, "posted")
        assert {copy.target.address for copy in found} == {"C1", "U2"}
        copy, _ = await flood.queue("over")
        assert lines(flood.last(copy)) == []


async def test_what_is_proposed_anew_is_one_line(tmp_path: Path) -> None:
    """As harmless as before: folded again, and not twice."""
    async with flooded(tmp_path) as flood:
        (review,) = await flood.folded()
        await flood.queue("posted")
        await flood.revise(review, confidence=0.3)
        found = await copies(flood.house, review, "over", "folded")
        assert [copy.state for copy in sorted(found, key=lambda copy: copy.epoch)] == ["over", "folded"]
        _, card = await flood.queue("posted")
        assert lines(card) == [review["id"]]


async def test_a_queue_card_that_was_deleted_is_posted_afresh(tmp_path: Path) -> None:
    """What is folded there is nowhere else."""
    async with flooded(tmp_path) as flood:
        (first,) = await flood.folded()
        before, _ = await flood.queue("posted")
        flood.board.faults = [SurfaceRefused("The message is gone.")]
        (second,) = await flood.folded()
        flood.clock.forward(timedelta(seconds=1))
        flood.house.app.hub.copies.set()
        await flood.house.store.until(lambda tx: [c for c in tx.copies("") if c.state == "new"])
        after, card = await flood.queue("posted")
        assert after.ref != before.ref
        assert sorted(lines(card)) == sorted([first["id"], second["id"]])


async def test_a_queue_card_nobody_can_be_shown_calls_the_next_rung(tmp_path: Path) -> None:
    """The channel was closed meanwhile: all that was folded there goes to whom comes next."""
    async with flooded(tmp_path) as flood:
        flood.board.closed = {"C1"}
        made = await flood.folded(2)
        flood.clock.forward(timedelta(seconds=1))
        flood.house.app.hub.copies.set()
        for review in made:
            found = await flood.reached(review, "U2")
            assert {c.target.address: c.state for c in found} == {"C1": "folded", "U2": "posted"}


async def test_a_second_message_of_a_queue_card_is_left_empty(tmp_path: Path) -> None:
    """A worker that was late posted it too: the first one is enough."""
    async with flooded(tmp_path) as flood:
        await flood.folded(1)
        copy, _ = await flood.queue("posted")
        twin = replace(copy, id="cpy_twin", ref=replace(copy.ref, ref={"id": "twin"}))
        flood.board.posts["twin"] = []
        await flood.house.store.tx(lambda tx: tx.adopt_copy(twin))
        flood.house.app.hub.copies.set()
        kept = await flood.house.store.until(lambda tx: [c for c in tx.copies("") if c.state == "over"])
        assert [c.id for c in kept] == ["cpy_twin"]
        assert lines(flood.last(kept[0])) == []
