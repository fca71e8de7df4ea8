"""The load on people, told to them: queues too deep or old, the day, gaps to come, messages given up; each once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.workload import EVERY, Workload, span
from reviews.card import Text
from reviews.keeping import Delivery, Tx
from reviews.model import Object, Verb
from tests.fakes.app import House, running
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CLERK: Object = {
    "level": 1,
    "channels": {"slack": "C1"},
    "alert": {"deep": 2, "old": "4h"},
    "digest": "09:30",
    "timezone": "Europe/Madrid",
}
CONFIG: Object = {
    "slack": {},
    "roles": {"manager": {"level": 2, "may": ["stop"]}, "clerk": CLERK},
    "people": [
        {"id": "ana", "name": "Ana", "roles": ["manager"], "identities": {"slack": "U1"}, "prefers": "slack"},
        {"id": "bo", "name": "Bo", "roles": ["clerk"], "identities": {"slack": "U2"}, "prefers": "slack"},
        {"id": "cy", "name": "Cy", "roles": ["clerk"]},
    ],
}


class Floor:
    """A house with a chat, at a time of its own."""

    def __init__(self, house: House, chat: FakeChat, clock: FakeClock) -> None:
        self.house, self.chat, self.clock = house, chat, clock
        self.said = 0

    async def later(self, by: timedelta = EVERY) -> None:
        """Look at the load after a while."""
        self.clock.forward(by)
        await self.house.app.workload.look()

    async def told(self, title: str, many: int = 1) -> list[tuple[str, str]]:
        """So many bulletins of a title, once they are posted: where, and the words."""

        def posted(_: Tx) -> list[tuple[str, str]]:
            cards = [(target.address, cards[0]) for target, cards in self.chat.posts.values()]
            found = [
                (where, " ".join(block.text for block in card.blocks if isinstance(block, Text)))
                for where, card in cards
                if card.title == title
            ]
            return found if len(found) >= many else []

        return await self.house.store.until(posted)

    async def counted(self) -> int:
        """How many copies of bulletins there are."""
        await self.house.store.tx(lambda tx: tx.now())
        return len([1 for _, cards in self.chat.posts.values() if not cards[0].review])


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    """A running Placet with a chat, on a Monday at nine, UTC."""
    clock, chat = FakeClock(NOW), FakeChat()
    async with running(tmp_path, config=CONFIG, clock=clock, adapters={"slack": chat}) as house:
        yield Floor(house, chat, clock)


async def test_a_queue_too_deep_is_told_in_the_roles_channel_once_an_hour(floor: Floor) -> None:
    """Not while it is just as deep as it may be."""
    agent = await floor.house.agent()
    await agent.asked("coupon.send")
    await agent.asked("coupon.send")
    await floor.later()
    await agent.asked("coupon.send")
    await floor.later()
    title = "The queue of clerk needs people"
    assert await floor.told(title) == [("C1", "3 reviews wait for clerk: more than 2.")]
    await floor.later(timedelta(minutes=58))
    await floor.later(timedelta(minutes=2))
    assert len(await floor.told(title, 2)) == 2


async def test_a_queue_too_old_is_told(floor: Floor) -> None:
    """With the age of the oldest."""
    review = await (await floor.house.agent()).asked("sheet.print", reviewer_role="clerk", review_deadline=_in(10))
    assert review["status"] == "pending"
    await floor.later(timedelta(hours=4, minutes=1))
    ((where, text),) = await floor.told("The queue of clerk needs people")
    assert (where, text) == ("C1", "1 review waits for clerk: the oldest for 4h1m, more than 4h.")


def _in(hours: int) -> str:
    return (NOW + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


async def test_the_digest_of_a_role(floor: Floor) -> None:
    """At its time in its zone: what waits, and of yesterday what was decided, how fast, what expired; once a day."""
    agent = await floor.house.agent()
    for minutes in (10, 20, 30):
        review = await agent.asked("coupon.send")
        floor.clock.forward(timedelta(minutes=minutes))
        assert (await floor.house.press(Verb.REJECT, review, "bo", reason="no")).answer == "done"
    floor.clock.at = NOW + timedelta(hours=23, minutes=25)
    await agent.asked("coupon.send")
    await floor.later(timedelta(minutes=4))
    await floor.later()
    title = "clerk on 24 November 2026"
    words = (
        "1 review waits, the oldest for 5m. Yesterday 3 were decided, half of them within 20m, and 0 expired undecided."
    )
    assert await floor.told(title) == [("C1", words)]
    await floor.later(timedelta(hours=1))
    assert len(await floor.told(title)) == 1


async def test_no_digest_is_sent_long_after_its_time(floor: Floor) -> None:
    """Nor before it."""
    floor.clock.at = datetime(2026, 11, 23, 8, 29, tzinfo=UTC)
    await floor.house.app.workload.look()
    floor.clock.at = datetime(2026, 11, 23, 20, tzinfo=UTC)
    await floor.later()
    assert await floor.counted() == 0


async def test_messages_given_up_are_told_to_the_agents_owners_and_who_may_stop_it(floor: Floor) -> None:
    """Each once; one that was sent again and given up again is told again."""
    await floor.house.agent(owners=("bo",))
    await _kept(floor, "msg_1", "dead")
    await _kept(floor, "msg_2", "dead")
    await floor.later()
    found = dict(await floor.told("refund-desk is not told", 2))
    assert sorted(found) == ["U1", "U2"]
    assert "2 messages to refund-desk could not be delivered and are given up: " in found["U1"]
    await floor.later()
    await _kept(floor, "msg_1", "done")
    await floor.later()
    await _kept(floor, "msg_1", "dead")
    await floor.later()
    again = await floor.told("refund-desk is not told", 4)
    assert "1 message to refund-desk could not be delivered and is given up: msg_1" in again[-1][1]


async def _kept(floor: Floor, name: str, state: str) -> None:
    delivery = Delivery(
        id=name,
        review="rev_1",
        agent="refund-desk",
        message="review.decided",
        url="http://127.0.0.1:9/",
        body=b"{}",
        state=state,
        due_at=floor.clock.now(),
        created_at=floor.clock.now(),
    )

    def put(tx: Tx) -> None:
        if not any(each.id == name for each in tx.deliveries()):
            tx.add_delivery(delivery)
        tx.keep_delivery(delivery)

    await floor.house.store.tx(put)


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (timedelta(seconds=42), "42s"),
        (timedelta(minutes=3, seconds=5), "3m5s"),
        (timedelta(hours=4, minutes=1, seconds=50), "4h1m"),
        (timedelta(days=2, hours=3, minutes=9), "2d3h"),
    ],
)
def test_durations_are_said_as_people_say_them(duration: timedelta, said: str) -> None:
    """Its two largest units."""
    assert span(duration) == said


async def test_a_gap_is_told_a_day_before_to_whoever_takes_turns(tmp_path: Path) -> None:
    """Once, and not when it has begun."""
    (tmp_path / "rota.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T000000Z\nSUMMARY:bo\n"
        "DTSTART:20261120T080000Z\nDTEND:20261125T120000Z\nEND:VEVENT\nEND:VCALENDAR\n",
        "utf-8",
    )
    config = CONFIG | {"rotations": {"ops": {"primary": {"ical": "rota.ics"}}}}
    clock, chat = FakeClock(NOW), FakeChat()
    async with running(tmp_path, config=config, clock=clock, adapters={"slack": chat}) as house:
        floor = Floor(house, chat, clock)
        clock.at = datetime(2026, 11, 24, 11, 59, tzinfo=UTC)
        await house.app.workload.look()
        assert await _gaps(floor) == []
        await floor.later(timedelta(minutes=2))
        ((where, text),) = await floor.told("A gap in ops.primary")
        assert where == "U2"
        assert text.startswith("Nobody is on call in ops.primary from 25 Nov 12:00 UTC")
        await floor.later(timedelta(hours=25))
        assert len(await _gaps(floor)) == 1


async def _gaps(floor: Floor) -> list[str]:
    return [cards[0].title for _, cards in floor.chat.posts.values() if cards[0].title.startswith("A gap")]


async def test_two_processes_say_it_once(floor: Floor) -> None:
    """Whichever looks first: a queue, a day, messages given up."""
    house = floor.house
    other = Workload(house.store, lambda: house.app.directory, floor.clock, house.app.hub.copies.set)
    agent = await house.agent()
    for _ in range(3):
        await agent.asked("coupon.send")
    await _kept(floor, "msg_1", "dead")
    floor.clock.at = datetime(2026, 11, 23, 9, 31, tzinfo=UTC)
    await other.look()
    await house.app.workload.look()
    for title in ("The queue of clerk needs people", "clerk on 23 November 2026", "refund-desk is not told"):
        assert len(await floor.told(title)) == 1
