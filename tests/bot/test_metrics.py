"""What Prometheus reads of what waits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from reviews.model import Verb
from tests.fakes.app import running
from tests.fakes.clock import FakeClock


async def test_what_waits_for_each_role(tmp_path: Path) -> None:
    """How many and since when; a queue that was emptied stays, at nothing."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as house:
        agent = await house.agent()
        review = await agent.asked("coupon.send")
        clock.forward(timedelta(minutes=2))
        waits = (await house.call("GET", "/metrics")).raw.decode()
        assert 'placet_queue_depth{role="clerk"} 1.0' in waits
        assert 'placet_queue_oldest_seconds{role="clerk"} 120.0' in waits
        await house.press(Verb.REJECT, review, "cy", reason="no")
        emptied = (await house.call("GET", "/metrics")).raw.decode()
        assert 'placet_queue_depth{role="clerk"} 0.0' in emptied
        assert 'placet_queue_oldest_seconds{role="clerk"} 0.0' in emptied
