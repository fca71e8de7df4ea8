"""What lies between a click and its acknowledgement, and what holds up the loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from reviews.card import Card
from reviews.events import Interaction, Reply
from reviews.model import Person
from reviews.ports import MessageRef
from reviews.values import replace
from tests.adapters.slack.conftest import Build, House
from tests.fakes import cards
from tests.fakes import slack_payloads as payloads
from tests.fakes.desk import FakeDesk, desk_of, item
from tests.fakes.loopwatch import Watched, loop_watched

pytestmark = [pytest.mark.node, pytest.mark.slow]

#: Calls one callback may make: the largest card, made, drawn, signed and sent, takes about twelve thousand.
LONGEST = 20_000


async def test_a_watch_sees_what_waits() -> None:
    """A test of the tests: a sleep and a file are seen."""
    with loop_watched() as seen:
        await asyncio.sleep(0)
        time.sleep(0)  # noqa: ASYNC251 - what the watch is to see
        open(__file__).close()  # noqa: ASYNC230 - what the watch is to see
        await asyncio.sleep(0)
    assert [said.split()[0] for said in seen.waited] == ["time.sleep", "open"]


async def test_a_watch_sees_a_long_callback() -> None:
    """A test of the tests: each call counts, into C too, and the callback they are in is named; no other counts."""

    def drawn() -> None:
        len("a call into C")

    async def laborious() -> None:
        for _ in range(LONGEST // 2):
            drawn()

    with loop_watched() as seen:
        await asyncio.gather(asyncio.sleep(0), laborious(), asyncio.sleep(0))
    assert LONGEST < seen.longest < LONGEST + 100
    assert "drawn 20000" in seen.where


class _Noting(FakeDesk):
    """Notes which calls Slack had had when it was asked to decide, and when it was asked to read."""

    calls: list[tuple[str, dict[str, Any]]]
    decided: list[list[str]]
    read_at: list[list[str]]

    async def interact(self, interaction: Interaction) -> Reply:
        """Decide."""
        self.decided.append([method for method, _ in self.calls])
        return await super().interact(interaction)

    async def read(self, review: str, person: Person, *, surface: str, reveal: bool = False) -> Card:
        """Read."""
        self.read_at.append([method for method, _ in self.calls])
        return await super().read(review, person, surface=surface, reveal=reveal)


async def _noted(build: Build) -> tuple[House, _Noting, MessageRef]:
    desk = _Noting(cards=desk_of().cards)
    desk.decided, desk.read_at = [], []
    house: House = await build(desk=desk)
    await house.known()
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    house.slack.calls.clear()
    desk.calls = house.slack.calls
    return house, desk, ref


async def test_nothing_but_the_decision_lies_before_the_acknowledgement(build: Build) -> None:
    """No call to Slack, no reading of the card: those are chores, done after it."""
    house, desk, ref = await _noted(build)
    assert await house.press(ref, "placet:approve", who=house.bo) == 200
    assert desk.decided == [[]]
    await house.settled()
    assert desk.read_at == []
    assert [method for method, _ in house.slack.calls] == ["chat.postEphemeral"]


async def test_a_form_is_opened_before_the_desk_is_asked(build: Build) -> None:
    """The trigger lives three seconds, and a busy database may take longer."""
    house, desk, ref = await _noted(build)
    assert await house.press(ref, "placet:reject:form") == 200
    await house.settled()
    assert desk.read_at == [["views.open"]]


async def _round(house: House, ref: MessageRef) -> Watched:
    """Fifty clicks, the largest card and a Home of a hundred lines, watched."""
    pressed = [
        await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, "placet:escalate") for _ in range(50)
    ]
    with loop_watched() as seen:
        assert {status for status, _ in await asyncio.gather(*map(house.send, pressed))} == {200}
        await house.adapter.post(cards.largest(), house.target, "copy-largest")
        await house.send(payloads.opened(house.ana.id))
        await house.settled()
    return seen


async def test_the_loop_is_never_held_up(build: Build) -> None:
    """No waiting call, and no long callback."""
    house: House = await build()
    house.desk.items = [item(replace(cards.refund(), review=f"rev_{n}"), seq=n) for n in range(100)]
    ref = await house.adapter.post(cards.refund(), house.target, "copy-warm")
    await house.press(ref, "placet:escalate")
    seen = await _round(house, ref)
    assert seen.waited == []
    assert seen.longest < LONGEST, seen.where
