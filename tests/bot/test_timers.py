"""The alarm clock: whatever is due is fired, soon, once, and in spite of what fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.hub import Hub
from bot.service import FIRE_AT_ONCE
from bot.timers import Timers
from reviews.errors import StoreUnavailable
from tests.fakes.app import PATIENCE, running

POLICY = """
policy: timers
version: 1
chains:
  quick:
    - {after: 0m, notify: channel:role}
    - {after: 1s, notify: person:bo}
    - {after: 2s, then: expire}
rules: []
default: {tier: approve, role: manager, chain: quick}
"""


class Pump:
    """Stands for the service: answers as told, and tells when it was asked."""

    def __init__(self, *answers: int | Exception, due: datetime | None = None) -> None:
        self.answers, self.due, self.asked = list(answers), due, 0
        self.again = asyncio.Event()

    async def fire(self) -> int:
        """What was due, or the fault told."""
        self.asked += 1
        if self.asked > 1:
            self.again.set()
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def next_due(self) -> datetime | None:
        """When the next is due."""
        return self.due


async def run(pump: Pump, hub: Hub | None = None) -> None:
    """Run a clock until the pump was asked a second time."""
    timers = Timers(hub or Hub(), pump.fire, pump.next_due)
    timers.start()
    task = asyncio.create_task(timers.run())
    try:
        await asyncio.wait_for(pump.again.wait(), PATIENCE)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        timers.stop()


async def test_the_clock_wakes_the_pump_when_the_next_is_due() -> None:
    """A date job at the earliest alarm asks the pump again."""
    pump = Pump(due=datetime.now(UTC) + timedelta(milliseconds=50))
    await run(pump)
    assert pump.asked >= 2


async def test_an_alarm_long_past_is_not_missed() -> None:
    """However late the process is, APScheduler's grace time drops nothing."""
    await run(pump := Pump(due=datetime.now(UTC) - timedelta(days=3)))
    assert pump.asked >= 2


async def test_a_full_batch_is_followed_by_the_next_at_once() -> None:
    """More are due than one transaction takes: the pump goes on without waiting for the clock."""
    await run(pump := Pump(FIRE_AT_ONCE, FIRE_AT_ONCE, 3))
    assert pump.answers == [3] or pump.answers == []


async def test_a_database_that_is_away_does_not_stop_the_clock() -> None:
    """The sweep asks again two seconds later at the latest."""
    await run(pump := Pump(StoreUnavailable("gone")))
    assert pump.asked >= 2


async def test_only_an_earlier_alarm_rings(tmp_path: Path) -> None:
    """A review whose first alarm is later than what the clock is set to wakes nobody."""
    async with running(tmp_path) as house:
        hub = house.app.hub
        first = await (await house.agent()).asked()
        review = await house.store.view(lambda tx: tx.read(first["id"]))
        assert review is not None
        hub.armed = review.created_at
        hub.alarms.clear()
        house.app.hub.announce(review, ())
        assert not hub.alarms.is_set()
        hub.armed = review.created_at + timedelta(days=30)
        house.app.hub.announce(review, ())
        assert hub.alarms.is_set()


async def test_silence_climbs_the_ladder_and_expires(tmp_path: Path) -> None:
    """On the real clock, in seconds: called, called again, expired by timeout; and the agent's wait ends."""
    config = {"people": [{"id": "ana", "name": "Ana", "roles": ["manager"]}, {"id": "bo", "name": "Bo"}]}
    async with running(tmp_path, policy=POLICY, config=config) as house:
        agent = await house.agent()
        asked = await agent.asked("refund.issue")
        answer = await agent.get(f"/v1/reviews/{asked['id']}?wait=10")
        assert (answer.body["status"], answer.body["decision"]["cause"]) == ("expired", "timeout")
        history = await agent.get(f"/v1/reviews/{asked['id']}/events")
        kinds = [entry["type"] for entry in history.body["items"]]
        assert kinds == ["review.opened", "review.called", "review.escalated", "review.expired"]
