"""Who is called instead when a copy reaches nobody: the same person elsewhere, else the next rung, at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.folding import Folding
from bot.service import Service
from reviews.events import COURTESY, Unreachable
from reviews.keeping import Copy, CopyKind
from reviews.model import Target
from reviews.ports import Clock

#: A surface that has failed for this long makes the rungs that go by it unreachable.
DOWN_AFTER = timedelta(seconds=30)
#: A failure older than this says nothing of now: a surface nobody tried since may be well again.
STALE = timedelta(seconds=90)


class Down:
    """Which surfaces fail, since when, as far as this process has seen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[datetime, datetime]] = {}

    def failed(self, surface: str) -> None:
        """It did not take something."""
        now = self._clock.now()
        since, last = self._failures.get(surface, (now, now))
        self._failures[surface] = (since if now - last < STALE else now, now)

    def works(self, surface: str) -> None:
        """It took something."""
        self._failures.pop(surface, None)

    def since(self, surface: str) -> datetime | None:
        """Since when it has failed, if for DOWN_AFTER or longer, and lately."""
        now = self._clock.now()
        since, last = self._failures.get(surface, (now, now))
        return since if now - since >= DOWN_AFTER and now - last < STALE else None


class PassingOn:
    """Passes calls on from copies that reach nobody."""

    def __init__(self, service: Service, folding: Folding, down: Down, clock: Clock) -> None:
        self._service, self._folding, self._down, self._clock = service, folding, down, clock

    async def pass_on(self, copy: Copy, why: str) -> None:
        """What cannot be reached by this copy is called otherwise: its review, or all that a queue card would show.

        A notice calls nobody.
        """
        if copy.kind is CopyKind.CARD:
            await self._unreachable(copy, why)
        elif copy.kind is CopyKind.QUEUE:
            for folded in await self._service.store.view(lambda tx: self._folding.lines(tx, copy)):
                await self._unreachable(folded, why)

    async def _unreachable(self, copy: Copy, why: str) -> None:
        if copy.rung == COURTESY:
            return  # no rung called for it: those who decide have their own
        every = await self._service.store.view(lambda tx: tx.copies(copy.review))
        rung = [c for c in every if (c.epoch, c.rung) == (copy.epoch, copy.rung) and c.id != copy.id]
        instead = self._instead(copy, [other for other in every if other.epoch == copy.epoch])
        if instead is None and any(self._arrives(other) for other in rung):
            return
        await self._service.apply(
            copy.review,
            lambda review, at: Unreachable(
                at=at,
                epoch=copy.epoch,
                rung=copy.rung,
                why=why,
                reach=self._service.router.reach(review, at),
                instead=instead,
            ),
        )

    def _instead(self, copy: Copy, run: Iterable[Copy]) -> Target | None:
        """Another place of the person the copy was for, where this run of the chain has not tried.

        Who is not to be disturbed is not tried elsewhere.
        """
        person = copy.target.person
        if person is None or copy.muted:
            return None
        tried = {copy.target.surface} | {other.target.surface for other in run if other.target.person == person}
        return self._service.directory().instead(person, tried)

    def _arrives(self, copy: Copy) -> bool:
        """Whether a copy has reached people, or is on its way and not known to fail; when it fails, it says so."""
        if copy.state in ("posted", "folded"):
            return not copy.muted
        if copy.state not in ("new", "posting") or self._down.since(copy.target.surface) is not None:
            return False
        return copy.attempts == 0 or self._clock.now() - copy.created_at < DOWN_AFTER
