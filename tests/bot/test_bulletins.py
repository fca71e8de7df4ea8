"""The house's own messages are posted like cards, and call nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.web.adapter import WebAdapter
from bot import bulletins
from bot.outbox import NOTICE_FOR
from reviews.card import Card, Facts, Text, Tone
from reviews.errors import SurfaceUnavailable
from reviews.keeping import Bulletin, Copy, Tx
from reviews.model import Target
from tests.fakes.app import House, running
from tests.fakes.board import Board, working
from tests.fakes.clock import FakeClock

CHANNEL, BO = Target(surface="slack", address="C1"), Target(surface="slack", address="U2", person="bo")


async def said(house: House, *targets: Target, once: str = "queue:manager") -> bool:
    """Whether it was said."""
    within = timedelta(hours=1)
    return await house.store.tx(lambda tx: bulletins.publish(tx, "A queue", "", targets, once=once, within=within))


async def published(house: House, *targets: Target) -> Bulletin:
    """A bulletin on its way."""
    text = "12 reviews wait for a manager.\nThe oldest since 09:10 UTC."
    at = house.app.clock.now()
    bulletin = Bulletin(id=f"bul_{targets[0].address}", title="A long queue", text=text, at=at, tone=Tone.ATTENTION)
    await house.store.tx(lambda tx: tx.put_bulletin(bulletin, targets))
    house.app.hub.copies.set()
    return bulletin


async def copies(house: House, bulletin: Bulletin, *states: str) -> list[Copy]:
    """The copies of a bulletin, once each is in one of these states."""

    def look(tx: Tx) -> list[Copy] | None:
        found = tx.copies(bulletin.id)
        return found if all(copy.state in states and copy.lease is None for copy in found) else None

    return await house.store.until(look)


async def test_a_bulletin_is_posted_to_each_place_once(tmp_path: Path) -> None:
    """A card of its words, on which nothing can be pressed."""
    board = Board()
    async with working(tmp_path, board) as house:
        kept = await published(house, CHANNEL, BO)
        found = await copies(house, kept, "posted")
        assert sorted(board.posted) == ["C1", "U2"]
        (card,) = board.posts[found[0].id]
        assert (card.title, card.tone, card.review) == ("A long queue", Tone.ATTENTION, "")
        assert [block.text for block in card.blocks if isinstance(block, Text)] == [
            "12 reviews wait for a manager.",
            "The oldest since 09:10 UTC.",
        ]
        assert len(card.blocks) == 2


async def test_it_is_said_once_within_its_time(tmp_path: Path) -> None:
    """By whichever process looks first; later it may be said again."""
    board, clock = Board(), FakeClock(datetime.now(UTC))
    async with working(tmp_path, board, clock) as house:
        assert await said(house, CHANNEL, once="queue:manager")
        assert not await said(house, CHANNEL, once="queue:manager")
        assert await said(house, CHANNEL, once="queue:clerk")
        clock.forward(timedelta(hours=1, seconds=1))
        assert await said(house, CHANNEL, once="queue:manager")


async def test_where_nobody_is_to_be_told_nothing_is_kept(tmp_path: Path) -> None:
    """And it may still be said once there is somebody."""
    async with working(tmp_path, Board()) as house:
        assert not await said(house)
        assert await said(house, CHANNEL, once="queue:manager")


async def test_a_bulletin_that_cannot_be_posted_calls_nobody(tmp_path: Path) -> None:
    """Refused: given up. Not taken for now: tried again, and after an hour given up, for then it is no news."""
    down = SurfaceUnavailable("503")
    board, clock = Board(closed={"C1"}), FakeClock(datetime.now(UTC))
    async with working(tmp_path, board, clock) as house:
        (refused,) = await copies(house, await published(house, CHANNEL), "failed")
        assert refused.error == "The bot may not post in C1."
        board.faults = [down, down]
        kept = await published(house, BO)
        await house.store.until(lambda tx: [c for c in tx.copies(kept.id) if c.attempts and c.lease is None])
        clock.forward(NOTICE_FOR)
        house.app.hub.copies.set()
        (old,) = await copies(house, kept, "failed")
        assert (old.error, board.posted) == ("503", [])
        assert not [e for e in await house.store.view(lambda tx: tx.log(limit=1000)) if e.kind.startswith("rung.")]


async def test_a_person_on_the_web_reads_it_there(tmp_path: Path) -> None:
    """In the page they have open, or the next one they open."""
    async with running(tmp_path) as house:
        kept = await published(house, Target(surface="web", address="ana", person="ana"))
        await copies(house, kept, "posted")
        web = house.app.adapters["web"]
        assert isinstance(web, WebAdapter)
        waiting = web._hub._unheard["ana"]
        assert [event.data["text"] for event in waiting] == [
            "A long queue: 12 reviews wait for a manager.\nThe oldest since 09:10 UTC."
        ]


def _lately(card: Card) -> list[tuple[str, str]]:
    """What a home says was said lately."""
    facts = [block for block in card.blocks if isinstance(block, Facts) and block.title == "What Placet said lately"]
    return [(fact.label, fact.value) for block in facts for fact in block.items]


async def test_home_shows_what_was_said_lately(tmp_path: Path) -> None:
    """To the person, or in a channel of a role they hold, who is there or not; of a week, ten, the newest first."""
    board, clock = Board(), FakeClock(datetime.now(UTC))
    async with working(tmp_path, board, clock) as house:

        async def say(title: str, *targets: Target, text: str = "") -> None:
            await house.store.tx(lambda tx: bulletins.publish(tx, title, text, targets))
            clock.forward(timedelta(minutes=1))

        async def home(person: str) -> list[tuple[str, str]]:
            found = house.app.directory.person(person)
            assert found is not None
            return _lately(await house.app.desk.home(found))

        role, held = next((name, e) for name, e in house.app.config.roles.items() if e.channels)
        channel = Target(surface="slack", address=held.channels["slack"])
        holder = house.app.directory.holders(role)[0].id
        other = next(who.id for who in house.app.directory.people() if role not in who.roles)
        await say("Old", channel)
        clock.forward(bulletins.LATELY)
        await say("To the channel", channel, text="12 wait.\nThe oldest since 09:10.")
        await say("To them on the web", Target(surface="web", address=other, person=other))
        assert await home(holder) == [("To the channel", "12 wait. The oldest since 09:10.")]
        assert await home(other) == [("To them on the web", "–")]
        for n in range(12):
            await say(f"No. {n}", channel, text="x" * 2000)
        said = await home(holder)
        assert [label for label, _ in said] == [f"No. {n}" for n in range(11, 1, -1)]
        assert {len(value) for _, value in said} == {300}
