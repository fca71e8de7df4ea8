"""Brings every posted copy to show what the database says: posting, updating, catching up are this one mechanism.

A copy is a row with `wanted` and `shown`; the worker draws the review as it stands until they are equal. What was
posted without the answer being heard is looked for before it is posted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.hub import Hub
from bot.service import Service
from reviews.card import Card
from reviews.errors import StoreUnavailable, SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable
from reviews.events import Posted, Unreachable
from reviews.model import Review
from reviews.ports import Clock, Copy, MessageRef, Store, Surface, Tx
from reviews.values import replace

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
CLAIM = 50
#: One call to a surface may take this long (seconds).
CALL = 20.0
#: A surface that has failed for this long makes the rungs that go by it unreachable.
DOWN_AFTER = timedelta(seconds=30)
_LONGEST_WAIT = 60.0


class Outbox:
    """One per process; several processes share the work by claims."""

    def __init__(
        self,
        service: Service,
        surfaces: Mapping[str, Surface],
        card: Callable[[Tx, Review], Card],
        hub: Hub,
        clock: Clock,
    ) -> None:
        self._service, self._surfaces, self._card = service, surfaces, card
        self._store: Store = service.store
        self._hub, self._clock = hub, clock
        self._paces: dict[tuple[str, str], datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._hub.copies.clear()
            claimed = await self._claim()
            for copy in claimed:
                task = asyncio.create_task(self._work(copy))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if len(claimed) < CLAIM:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._hub.copies.wait()

    async def stop(self) -> None:
        """Let what was begun end; what does not is due again after its lease."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        for task in self._tasks:
            task.cancel()

    async def _claim(self) -> list[Copy]:
        def claim(tx: Tx) -> list[Copy]:
            now = tx.now()
            return tx.claim_copies(now, now + LEASE, CLAIM)

        try:
            return await self._store.tx(claim)
        except StoreUnavailable as fault:
            log.warning("outbox_waits", why=str(fault))
            return []

    async def _work(self, copy: Copy) -> None:
        surface = self._surfaces.get(copy.target.surface)
        if surface is None:
            await self._lost(copy, f"{copy.target.surface} is not set up here.")
            return
        if (turn := self._turn(surface, copy)) is not None:
            await self._keep(copy, turn)
            return
        try:
            await self._draw(surface, copy)
        except SurfaceRefused as fault:
            await self._lost(copy, str(fault))
        except (SurfaceUnavailable, SurfaceAmbiguous, TimeoutError) as fault:
            await self._later(copy, fault)
        except StoreUnavailable as fault:
            # The lease ends and the copy is claimed again; a post already made is then found, not repeated.
            log.warning("copy_not_kept", copy=copy.id, why=str(fault))
        except Exception as fault:
            # A card that cannot be drawn is our fault; the call goes on to the next rung rather than to nobody.
            log.exception("copy_not_drawn", copy=copy.id, review=copy.review)
            await self._lost(copy, f"The card could not be drawn ({type(fault).__name__}).")

    def _turn(self, surface: Surface, copy: Copy) -> datetime | None:
        """When it is this address's turn, if not now: vendors allow so many posts a second to each."""
        now = self._clock.now()
        address = (copy.target.surface, copy.target.address)
        free = self._paces.get(address, now)
        if free > now:
            return free
        self._paces[address] = now + timedelta(seconds=1 / surface.abilities.per_second)
        if len(self._paces) > 10_000:
            self._paces = {key: at for key, at in self._paces.items() if at > now}
        return None

    async def _draw(self, surface: Surface, copy: Copy) -> None:
        review, card = await self._store.view(lambda tx: self._drawn(tx, copy.review))
        known = copy.ref is not None
        async with asyncio.timeout(CALL):
            ref = copy.ref or await self._found(surface, copy)
            if ref is not None:
                # One found again may show an older card than the one that stands.
                await surface.update(ref, card)
            else:
                ref = await surface.post(card, copy.target, copy.id)
        drawn = replace(copy, state="posted", ref=ref, shown=review.version, attempts=0, error=None)
        await (self._keep(drawn) if known else self._posted(drawn))

    def _drawn(self, tx: Tx, review_id: str) -> tuple[Review, Card]:
        review = tx.read(review_id)
        assert review is not None, "a copy without its review"
        return review, self._card(tx, review)

    async def _found(self, surface: Surface, copy: Copy) -> MessageRef | None:
        """A post made earlier whose answer was lost or never kept; only then is the surface asked."""
        if copy.state == "new" or not surface.abilities.finds:
            return None
        return await surface.find(copy.id, copy.target, copy.created_at)

    async def _posted(self, copy: Copy) -> None:
        def keep(tx: Tx) -> None:
            review = tx.lock(copy.review)
            tx.keep_copy(copy, None)
            if review is not None:
                self._service.keep(tx, review, Posted(at=tx.now(), copy=copy.id, target=copy.target))

        await self._store.tx(keep)
        self._hub.copies.set()

    async def _keep(self, copy: Copy, due_at: datetime | None = None) -> None:
        await self._store.tx(lambda tx: tx.keep_copy(copy, due_at))
        # A transition may have overtaken the drawing; the row is then due again, and nobody else would say so.
        self._hub.copies.set()

    async def _later(self, copy: Copy, fault: Exception) -> None:
        """Try again later; a surface down for long passes the call on to the next rung meanwhile."""
        now = self._clock.now()
        asked = fault.retry_after if isinstance(fault, SurfaceUnavailable) and fault.retry_after else 0.0
        wait = min(max(asked, 0.5 * 2**copy.attempts), max(asked, _LONGEST_WAIT))
        state = "posting" if isinstance(fault, SurfaceAmbiguous | TimeoutError) and copy.ref is None else copy.state
        tried = replace(copy, state=state, attempts=copy.attempts + 1, error=str(fault) or type(fault).__name__)
        log.warning("copy_later", copy=copy.id, surface=copy.target.surface, why=tried.error, seconds=wait)
        await self._keep(tried, now + timedelta(seconds=wait))
        if copy.ref is None and now - copy.created_at >= DOWN_AFTER:
            await self._unreachable(copy, f"{copy.target.surface} has not answered since {copy.created_at:%H:%M} UTC.")

    async def _lost(self, copy: Copy, why: str) -> None:
        """Give a copy up, and pass the call on when nothing else of its rung can arrive."""
        log.warning("copy_failed", copy=copy.id, surface=copy.target.surface, why=why)
        await self._keep(replace(copy, state="failed", error=why, attempts=copy.attempts + 1))
        if copy.ref is None:
            await self._unreachable(copy, why)

    async def _unreachable(self, copy: Copy, why: str) -> None:
        siblings = await self._store.view(lambda tx: tx.copies(copy.review))
        alive = [
            c
            for c in siblings
            if (c.epoch, c.rung) == (copy.epoch, copy.rung) and c.id != copy.id and c.state in ("new", "posted")
        ]
        if alive:
            return
        await self._service.apply(
            copy.review,
            lambda review, at: Unreachable(
                at=at, epoch=copy.epoch, rung=copy.rung, why=why, reach=self._service.router.reach(review, at)
            ),
        )
