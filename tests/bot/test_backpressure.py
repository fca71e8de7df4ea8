"""How long an agent waits that has too many open: as long as people take, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.backpressure import Backpressure
from reviews.keeping import Agent, Store
from tests.fakes.app import Caller, House, running
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Stands until a test moves it."""
    return FakeClock(datetime(2026, 11, 23, 9, tzinfo=UTC))


@pytest.fixture(params=["memory://", "sqlite:///placet.db"])
async def house(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    """A running Placet, on each store."""
    async with running(tmp_path, store=request.param, clock=clock) as made:
        yield made


async def _decided(house: House, agent: Caller, count: int) -> None:
    for _ in range(count):
        assert (await house.press("reject", await agent.asked())).answer == "done"


async def _wait(agent: Caller, clock: FakeClock) -> int:
    """How long the agent is told to wait, one second after it was counted last."""
    clock.forward(timedelta(seconds=2))
    refused = await agent.ask()
    assert refused.status == 429
    return int(refused.headers["Retry-After"])


async def test_it_waits_as_long_as_a_decision_takes(house: House, clock: FakeClock) -> None:
    """Forty decided in the last hour are one in ninety seconds; what was decided before that does not count."""
    agent = await house.agent(max_open=1)
    await _decided(house, agent, 40)
    clock.forward(timedelta(minutes=30))
    await agent.asked()
    assert await _wait(agent, clock) == 90
    clock.forward(timedelta(minutes=20))
    assert await _wait(agent, clock) == 90
    clock.forward(timedelta(minutes=10))
    assert await _wait(agent, clock) == 30


@pytest.mark.parametrize(("decided", "seconds"), [(0, 30), (200, 30), (1, 3600)])
async def test_it_waits_neither_too_short_nor_too_long(
    house: House, clock: FakeClock, decided: int, seconds: int
) -> None:
    """Half a minute where the pace is fast or not known, an hour where it is slow."""
    agent = await house.agent(max_open=1)
    await _decided(house, agent, decided)
    await agent.asked()
    assert await _wait(agent, clock) == seconds


async def test_others_decided_for_others(house: House, clock: FakeClock) -> None:
    """Each agent's own pace."""
    other, agent = await house.agent("other"), await house.agent(max_open=1)
    await _decided(house, other, 40)
    await agent.asked()
    assert await _wait(agent, clock) == 30


class _Slow:
    """A store whose counts a test gives, each when it likes."""

    def __init__(self) -> None:
        self.counts: list[asyncio.Future[int]] = []

    async def view(self, look: object) -> int:
        """The next count, once it is given."""
        self.counts.append(asyncio.get_running_loop().create_future())
        return await self.counts[-1]


async def _settled() -> None:
    """Let every task go as far as it can without a count."""
    for _ in range(10):
        await asyncio.sleep(0)


async def _asked() -> None:
    """An ask that is answered at once."""


async def test_who_counted_earlier_and_heard_later_makes_no_room(clock: FakeClock) -> None:
    """Of two that count at once the first may see less: the next is then not let in without counting."""
    store = _Slow()
    pressure = Backpressure(cast("Store", store), clock)
    agent = Agent(name="busy", key_hash="", secrets=(), max_open=8)

    async def ask() -> None:
        await pressure.admitted(agent, None, _asked)

    first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
    await _settled()
    store.counts[1].set_result(5)
    await second
    store.counts[0].set_result(0)
    await first
    third = asyncio.create_task(ask())
    await _settled()
    assert len(store.counts) == 3
    store.counts[2].set_result(0)
    await third
