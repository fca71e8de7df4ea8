"""The alarm clock: APScheduler wakes one pump, the rows say what is due.

Two jobs in memory: one at the earliest alarm, one every two seconds. Both only set an event, so a job lost, late or
run twice changes nothing. Never a persistent job store: measured, jobs vanish on a kill and two schedulers fire
doubly (docs/decisions/0003).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.hub import Hub
from bot.service import FIRE_AT_ONCE
from reviews.errors import StoreUnavailable

log = structlog.get_logger(__name__)

SWEEP = 2.0


class Timers:
    """Fires what is due, as soon as it is. `fire` fires a batch and says how many; `next_due` when the next is."""

    def __init__(
        self, hub: Hub, fire: Callable[[], Awaitable[int]], next_due: Callable[[], Awaitable[datetime | None]]
    ) -> None:
        self._hub, self._fire, self._next_due = hub, fire, next_due
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        """Start the clock; call it inside the running loop."""
        self._scheduler.start()
        self._scheduler.add_job(self._ring, "interval", seconds=SWEEP, id="sweep")

    def stop(self) -> None:
        """Stop the clock."""
        self._scheduler.shutdown(wait=False)

    async def _ring(self) -> None:
        self._hub.alarms.set()

    async def run(self) -> None:
        """Fire whenever the clock rings, until cancelled."""
        while True:
            self._hub.alarms.clear()
            try:
                while await self._fire() >= FIRE_AT_ONCE:
                    pass
                self._hub.armed = None  # whatever is announced from here on rings
                due = await self._next_due()
            except StoreUnavailable as fault:
                log.warning("timers_wait", why=str(fault))
                due = None
            self._hub.armed = due
            if due is not None:
                self._scheduler.add_job(self._ring, "date", run_date=due, id="next", replace_existing=True)
            await self._hub.alarms.wait()
            # Everything announced within these milliseconds is fired together.
            await asyncio.sleep(0.01)
