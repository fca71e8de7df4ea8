"""The Home tab: drawn when opened, and again when something changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.slack import home as homes
from reviews.model import Status
from reviews.ports import Notice
from tests.adapters.slack.checker import seen
from tests.adapters.slack.conftest import Build, House
from tests.fakes import slack_payloads as payloads
from tests.fakes.desk import BO, desk_of, sample_queue
from tests.fakes.slack import Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

Json = dict[str, Any]
CHANGE = Notice(review="rev_refund4721", version=9, status=Status.APPROVED)


class Rounds:
    """A pause that ends when it is told to; `asked` are the seconds it was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._waiting: list[asyncio.Event] = []
        self.paused = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        """Wait to be let go."""
        self.asked.append(seconds)
        mine = asyncio.Event()
        self._waiting.append(mine)
        self.paused.set()
        await mine.wait()

    def go(self) -> None:
        """Let everybody go on."""
        self.paused.clear()
        while self._waiting:
            self._waiting.pop().set()


def _published(house: House) -> list[Json]:
    return [args for method, args in house.slack.calls if method == "views.publish"]


async def _opened(house: House, who: str = "", tab: str = "home") -> None:
    assert (await house.send(payloads.opened(who or house.ana.id, tab)))[0] == 200
    await house.settled()


async def _two_homes(build: Build) -> tuple[House, Rounds]:
    """Ana and Bo have opened theirs, and changes are heard from now on."""
    rounds = Rounds()
    house: House = await build(desk=desk_of(), pause=rounds)
    house.desk.people[house.bo.id] = BO
    await _opened(house)
    await _opened(house, who=house.bo.id)
    await house.desk.watched.wait()
    return house, rounds


async def test_an_opened_home_shows_what_waits(house: House) -> None:
    """For the person who opened it, without a `hash` that could be in the way."""
    await _opened(house)
    drawn = _published(house)[0]
    assert drawn["user_id"] == house.ana.id
    assert "hash" not in drawn
    assert "Placet: Ana Ruiz" in seen(drawn["view"]["blocks"])
    assert house.desk.homes == ["ana"]


async def test_the_other_tabs_draw_nothing(house: House) -> None:
    """The event tells of the messages tab too."""
    await _opened(house, tab="messages")
    assert _published(house) == []


async def test_somebody_unknown_reads_why(house: House) -> None:
    """On their own Home."""
    await _opened(house, who=house.bo.id)
    assert "Nobody here has this identity." in seen(_published(house)[0]["view"]["blocks"])


async def test_an_opening_always_draws(house: House) -> None:
    """Another process may have drawn something older there since."""
    await _opened(house)
    await _opened(house)
    assert len(_published(house)) == 2


async def test_a_change_draws_the_homes_it_shows_on(build: Build) -> None:
    """Once a round for all that happened in it; a Home on which nothing changed is left alone."""
    house, rounds = await _two_homes(build)
    house.desk.items = sample_queue()[:1]
    house.desk.announce(CHANGE)
    house.desk.announce(CHANGE)
    await rounds.paused.wait()
    assert [args["user_id"] for args in _published(house)] == [house.ana.id, house.bo.id] * 2
    house.desk.announce(CHANGE)
    rounds.go()
    await rounds.paused.wait()
    assert len(_published(house)) == 4
    assert rounds.asked == [homes.ROUND, homes.ROUND]


async def test_a_home_that_cannot_be_drawn_does_not_stop_the_others(build: Build) -> None:
    """Nor the rounds after it."""
    house, rounds = await _two_homes(build)
    house.desk.items = []
    house.slack.faults["views.publish"] = [Fault(error="not_enabled")]
    house.desk.announce(CHANGE)
    await rounds.paused.wait()
    assert [args["user_id"] for args in _published(house)][2:] == [house.ana.id, house.bo.id]


async def test_a_slack_that_asks_for_patience_is_left_alone_for_the_round(build: Build) -> None:
    """The others would hear the same; the next round goes on with who is left, without another change."""
    house, rounds = await _two_homes(build)
    house.desk.items = []
    house.slack.faults["views.publish"] = [None, Fault(status=503), Fault(status=503)]
    house.desk.announce(CHANGE)
    await rounds.paused.wait()
    known = len(_published(house))
    rounds.go()
    await rounds.paused.wait()
    assert [args["user_id"] for args in _published(house)[known:]] == [house.bo.id]


async def test_a_watch_that_breaks_is_begun_anew(build: Build) -> None:
    """The database was away for a moment; Homes go on all the same."""
    rounds = Rounds()
    house: House = await build(desk=desk_of(), pause=rounds)
    await _opened(house)
    await house.desk.watched.wait()
    house.desk.watched.clear()
    house.desk.announce(RuntimeError("the watch broke"))
    await rounds.paused.wait()
    rounds.go()
    await house.desk.watched.wait()
    house.desk.items = []
    house.desk.announce(CHANGE)
    await rounds.paused.wait()
    assert len(_published(house)) == 2


async def test_a_line_of_home_opens_its_review(house: House) -> None:
    """In a modal of its own."""
    await _opened(house)
    view = next(view for view in house.slack.views.values() if view["type"] == "home")
    assert await house.within(view, "placet:go:open", option="rev_refund4721") == 200
    assert "Refund 180.00 USD" in seen((await house.modal())["blocks"])


async def test_a_control_of_home_we_do_not_know_is_answered_there(house: House) -> None:
    """In a modal, for Home has no messages."""
    await _opened(house)
    view = next(view for view in house.slack.views.values() if view["type"] == "home")
    payload = await house.slack.press_view(view, house.ana.id, "placet:go:open")
    payload["actions"][0]["action_id"] = "older:button"
    await house.send(payload)
    assert "nothing was done" in seen((await house.modal())["blocks"])
