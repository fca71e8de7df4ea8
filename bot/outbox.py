"""Brings every posted copy to show what the database says: posting, updating, catching up are this one mechanism.

A copy is a row with `wanted` and `shown`; the worker draws the review as it stands until they are equal. What was
posted without the answer being heard is looked for before it is posted again. Where many lie already, harmless ones
are folded: lines of one queue card, which is a copy like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from bot.folding import Folding, place
from bot.hub import Hub
from bot.service import COURTESY, Service
from reviews.card import Card, Happening
from reviews.errors import StoreUnavailable, SurfaceAmbiguous, SurfaceBlind, SurfaceRefused, SurfaceUnavailable
from reviews.events import Posted, Record, Unreachable
from reviews.keeping import Copy, CopyKind, Store, Tx
from reviews.model import Review
from reviews.ports import Clock, MessageRef, Surface
from reviews.timeline import news
from reviews.values import replace

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
CLAIM = 50
#: One call to a surface may take this long (seconds).
CALL = 20.0
#: A surface that has failed for this long makes the rungs that go by it unreachable.
DOWN_AFTER = timedelta(seconds=30)
#: Where nobody can look, a post whose answer was lost is made once more after this long: most troubles are over then.
AGAIN_AFTER = timedelta(seconds=20)
#: How far ahead a crowded address promises turns.
QUEUED = timedelta(seconds=30)
_LONGEST_WAIT = 60.0
#: More happens to no review between two drawings of its card.
_ENTRIES = 1000
_FAULTS = (SurfaceRefused, SurfaceUnavailable, SurfaceAmbiguous, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """What a copy is to show. `version` is then `shown`; `told` the log's last number, `said` the news up to there.

    `empty`: there is nothing to post: a queue card on which nothing waits, a card never posted of what is over.
    """

    card: Card
    version: int
    told: int
    said: tuple[Happening, ...] = ()
    empty: bool = False


#: An address, and whether what lies there is redrawn rather than something posted.
_Lane: TypeAlias = tuple[str, str, bool]


class Outbox:
    """One per process; several processes share the work by claims."""

    def __init__(
        self,
        service: Service,
        surfaces: Mapping[str, Surface],
        card: Callable[[Tx, Review], Card],
        hub: Hub,
        clock: Clock,
        queue_card: Callable[[Sequence[Review], int], Card],
    ) -> None:
        self._service, self._surfaces = service, surfaces
        self._card = card
        self._folding = Folding(lambda: service.directory().config.cards.open_per_channel, queue_card)
        self._store: Store = service.store
        self._hub, self._clock = hub, clock
        self._paces: dict[_Lane, datetime] = {}
        self._promises: dict[tuple[str, str], datetime] = {}
        self._rests: dict[tuple[str, str], datetime] = {}
        self._blind: set[tuple[str, str]] = set()
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
        try:
            await self._attempt(copy)
        except StoreUnavailable as fault:
            # The lease ends and the copy is claimed again; a post already made is then found, not repeated.
            log.warning("copy_not_kept", copy=copy.id, why=str(fault))

    async def _attempt(self, copy: Copy) -> None:
        surface = self._surfaces.get(copy.target.surface)
        if surface is None:
            await self._lost(copy, f"{copy.target.surface} is not set up here.")
            return
        try:
            if await self._folded(copy):
                return
            if (turn := self._turn(surface, copy)) is None:
                await self._draw(surface, copy)
            else:
                await self._wait(copy, turn)
        except StoreUnavailable:
            raise
        except SurfaceRefused as fault:
            await self._lost(copy, str(fault))
        except (SurfaceUnavailable, SurfaceAmbiguous, TimeoutError) as fault:
            lost = copy.ref is None and isinstance(fault, SurfaceAmbiguous | TimeoutError)
            blind = lost and not self._finds(surface, copy)
            if blind and copy.state == "posting":
                await self._given_up(copy, str(fault))
            else:
                await self._later(replace(copy, state="posting") if lost else copy, fault, again=blind)
        except Exception as fault:
            # A card that cannot be drawn is our fault; the call goes on to the next rung rather than to nobody.
            log.exception("copy_not_drawn", copy=copy.id, review=copy.review)
            await self._lost(copy, f"The card could not be drawn ({type(fault).__name__}).")

    # ---------------------------------------------------------------------------- pace

    def _turn(self, surface: Surface, copy: Copy) -> datetime | None:
        """When it is this address's turn, if not now: vendors allow so many posts a second to each.

        What people look at already has a pace of its own: buttons that are over do not wait behind new cards.
        """
        now, lane = self._clock.now(), _lane(copy)
        free = self._paces.get(lane, now)
        if free > now:
            return free if copy.ref is not None else self._promised(surface, copy, free)
        self._spend(surface, lane)
        if len(self._paces) > 10_000:
            self._paces = {key: at for key, at in self._paces.items() if at > now}
            self._promises = {key: at for key, at in self._promises.items() if at > now}
            self._rests = {key: at for key, at in self._rests.items() if at > now}
        return None

    def _promised(self, surface: Surface, copy: Copy, free: datetime) -> datetime:
        """A turn of its own for a card not posted yet: a crowd that came back at once would be written down at once.

        None is sent further than QUEUED behind the first: those before it may need no turn any more.
        """
        turn = min(max(self._promises.get(place(copy), free), free), free + QUEUED)
        messages = 2 if surface.abilities.threads else 1  # a card and its details
        self._promises[place(copy)] = turn + timedelta(seconds=messages / surface.abilities.per_second)
        return turn

    def _spend(self, surface: Surface, lane: _Lane) -> None:
        """Count a message to an address: the next turn there comes so much later."""
        free = max(self._paces.get(lane, self._clock.now()), self._clock.now())
        self._paces[lane] = free + timedelta(seconds=1 / surface.abilities.per_second)

    def _rest(self, copy: Copy, seconds: float) -> datetime:
        """Leave an address alone for as long as its vendor asked. Until when."""
        until = self._clock.now() + timedelta(seconds=seconds)
        for lane in ((*place(copy), True), (*place(copy), False)):
            self._paces[lane] = max(self._paces.get(lane, until), until)
        self._rests[place(copy)] = max(self._rests.get(place(copy), until), until)
        return until

    async def _wait(self, copy: Copy, turn: datetime) -> None:
        """Come back at its turn; sooner where its vendor asked for a long rest, to call the next rung by then."""
        now, late = self._clock.now(), copy.created_at + DOWN_AFTER
        if copy.ref is not None or self._rests.get(place(copy), now) <= now:
            await self._keep(copy, turn)
        elif now < late:
            await self._keep(copy, min(turn, late))
        elif await self._keep(copy, turn):
            await self._pass_on(copy, copy.error or f"{copy.target.surface} takes no more here for a while.")

    # ---------------------------------------------------------------------------- folding

    async def _folded(self, copy: Copy) -> bool:
        """Whether a copy was dealt with as a line of its place's queue card, so that there is nothing to post."""
        if copy.kind is CopyKind.QUEUE or copy.state not in ("new", "folded"):
            return False
        if copy.state == "new" and not await self._store.view(lambda tx: self._folding.folds(tx, copy)):
            return False
        done = await self._store.tx(lambda tx: self._folding.fold(tx, copy))
        self._hub.copies.set()
        return done

    # ---------------------------------------------------------------------------- drawing

    async def _draw(self, surface: Surface, copy: Copy) -> None:
        drawing = await self._store.view(lambda tx: self._drawing(tx, copy))
        async with asyncio.timeout(CALL):
            ref = copy.ref or await self._found(surface, copy)
            if ref is not None:
                # One found again may show an older card than the one that stands.
                await surface.update(ref, drawing.card)
            elif not drawing.empty:
                ref = await self._post(surface, copy, drawing.card)
        state = "over" if drawing.empty else "posted"
        shown = replace(copy, state=state, ref=ref, shown=drawing.version, told=drawing.told, attempts=0, error=None)
        if copy.ref is None and ref is not None:
            await self._posted(shown)
        elif await self._keep(shown) and drawing.said and copy.ref is not None:
            await self._tell(surface, shown, copy.ref, drawing.said)

    def _drawing(self, tx: Tx, copy: Copy) -> _Drawing:
        if copy.kind is CopyKind.QUEUE:
            card, empty = self._folding.card(tx, copy)
            return _Drawing(card=card, version=copy.wanted, told=copy.told, empty=empty)
        review = tx.read(copy.review)
        assert review is not None, "a copy without its review"
        entries = tx.log(review=review.id, after=copy.told, limit=_ENTRIES)
        said, told = news(entries, self._service.directory().names(), copy.told)
        card = self._card(tx, review)
        # Nobody has to be called to what is over by the time their card would go out.
        empty = card.over and copy.state == "new" and copy.rung != COURTESY
        # Who sees a card for the first time reads all of it there.
        return _Drawing(card=card, version=review.version, told=told, said=said if copy.told else (), empty=empty)

    async def _found(self, surface: Surface, copy: Copy) -> MessageRef | None:
        """A post made earlier whose answer was lost or never kept; only then is the surface asked."""
        if copy.state == "new":
            return None
        try:
            found = await surface.find(copy.id, copy.target, copy.created_at) if surface.abilities.finds else None
        except SurfaceBlind as fault:
            # Posted once more: of two cards, the one pressed is adopted; of none, nobody ever knows.
            log.warning("copy_not_looked_for", copy=copy.id, surface=surface.name, why=str(fault))
            self._blind.add(place(copy))
            return None
        self._blind.discard(place(copy))
        return found

    def _finds(self, surface: Surface, copy: Copy) -> bool:
        return surface.abilities.finds and place(copy) not in self._blind

    async def _post(self, surface: Surface, copy: Copy, card: Card) -> MessageRef:
        ref = await surface.post(card, copy.target, copy.id)
        if card.thread and surface.abilities.threads:
            self._spend(surface, _lane(copy))  # its details are a message too
        return ref

    async def _tell(self, surface: Surface, copy: Copy, ref: MessageRef, said: tuple[Happening, ...]) -> None:
        """Say beneath a copy what happened. It is kept as told already: twice would be worse than on the card alone."""
        if surface.abilities.live or not surface.abilities.threads:
            return
        self._spend(surface, (*place(copy), False))
        try:
            async with asyncio.timeout(CALL):
                await surface.note(ref, said)
        except _FAULTS as fault:
            log.warning("news_not_told", copy=copy.id, surface=surface.name, why=str(fault) or type(fault).__name__)
            if isinstance(fault, SurfaceUnavailable) and fault.retry_after:
                self._rest(copy, fault.retry_after)

    # ---------------------------------------------------------------------------- keeping

    async def _posted(self, copy: Copy) -> None:
        def keep(tx: Tx) -> None:
            review = tx.lock(copy.review)
            if tx.keep_copy(copy, _again(copy, tx.now())) and review is not None:
                self._service.keep(tx, review, Posted(at=tx.now(), copy=copy.id, target=copy.target))

        await self._store.tx(keep)
        self._hub.copies.set()

    async def _keep(self, copy: Copy, due_at: datetime | None = None) -> bool:
        """Whether it counted: what is kept after the lease is another worker's to say."""
        counted = await self._store.tx(lambda tx: tx.keep_copy(copy, due_at or _again(copy, tx.now())))
        # A transition may have overtaken the drawing; the row is then due again, and nobody else would say so.
        self._hub.copies.set()
        return counted

    async def _later(self, copy: Copy, fault: Exception, *, again: bool = False) -> None:
        """Try again later; a surface down for long passes the call on to the next rung meanwhile.

        A vendor that says when is taken at its word, for everything that goes there, and it counts as no attempt.
        `again`: it may lie there, and will be posted once more.
        """
        now, why = self._clock.now(), str(fault) or type(fault).__name__
        if isinstance(fault, SurfaceUnavailable) and fault.retry_after:
            tried, due_at = replace(copy, error=why), self._rest(copy, fault.retry_after)
            if copy.ref is None and now < (late := copy.created_at + DOWN_AFTER):
                due_at = min(due_at, late)
        else:
            wait = timedelta(seconds=min(0.5 * 2 ** min(copy.attempts, 16), _LONGEST_WAIT))
            tried = replace(copy, attempts=copy.attempts + 1, error=why)
            due_at = now + (max(wait, AGAIN_AFTER) if again else wait)
        log.warning("copy_later", copy=copy.id, surface=copy.target.surface, why=why, until=due_at.isoformat())
        counted = await self._keep(tried, due_at)
        if counted and copy.ref is None and now - copy.created_at >= DOWN_AFTER:
            since = f"{copy.target.surface} has not answered since {copy.created_at:%H:%M} UTC."
            await self._pass_on(copy, since)

    async def _given_up(self, copy: Copy, why: str) -> None:
        """Two posts whose answers were lost, where nobody can look: a third could be one too many.

        Whichever lies there is adopted when it is pressed; meanwhile somebody else is called.
        """
        told = f"{copy.target.surface} did not say whether the card was posted, twice. {why}".strip()
        log.warning("copy_unknown", copy=copy.id, surface=copy.target.surface, why=told)
        unknown = replace(copy, state="unknown", error=told, attempts=copy.attempts + 1)

        def keep(tx: Tx) -> bool:
            counted = tx.keep_copy(unknown, None)
            if counted:
                detail = {"copy": copy.id, "surface": copy.target.surface, "why": told}
                tx.record(Record(kind="copy.unknown", at=tx.now(), actor="placet", detail=detail), copy.review or None)
            return counted

        if await self._store.tx(keep):
            await self._pass_on(copy, told)

    async def _lost(self, copy: Copy, why: str) -> None:
        """Give a copy up, and pass the call on when nothing else of its rung can arrive."""
        log.warning("copy_failed", copy=copy.id, surface=copy.target.surface, why=why)
        counted = await self._keep(replace(copy, state="failed", error=why, attempts=copy.attempts + 1))
        if not counted:
            return
        if copy.ref is None:
            await self._pass_on(copy, why)
        elif copy.kind is CopyKind.QUEUE:
            # Somebody deleted it: what is folded there is nowhere else, so it is posted afresh.
            await self._store.tx(lambda tx: tx.want_queue(*place(copy)))

    async def _pass_on(self, copy: Copy, why: str) -> None:
        """What cannot be reached by this copy calls the next rung: its review, or all that a queue card would show."""
        if copy.kind is CopyKind.CARD:
            await self._unreachable(copy, why)
            return
        for folded in await self._store.view(lambda tx: self._folding.lines(tx, copy)):
            await self._unreachable(folded, why)

    async def _unreachable(self, copy: Copy, why: str) -> None:
        if copy.rung == COURTESY:
            return  # no rung called for it: those who decide have their own
        siblings = await self._store.view(lambda tx: tx.copies(copy.review))
        same_rung = [c for c in siblings if (c.epoch, c.rung) == (copy.epoch, copy.rung) and c.id != copy.id]
        if any(_arrives(other, self._clock.now()) for other in same_rung):
            return
        await self._service.apply(
            copy.review,
            lambda review, at: Unreachable(
                at=at, epoch=copy.epoch, rung=copy.rung, why=why, reach=self._service.router.reach(review, at)
            ),
        )


def _lane(copy: Copy) -> _Lane:
    return (*place(copy), copy.ref is not None)


def _arrives(copy: Copy, now: datetime) -> bool:
    """Whether a copy has reached people, or is on its way and not known to fail; when it fails, it says so itself."""
    on_its_way = copy.state in ("new", "posting") and (copy.attempts == 0 or now - copy.created_at < DOWN_AFTER)
    return on_its_way or copy.state in ("posted", "folded")


def _again(copy: Copy, now: datetime) -> datetime | None:
    """When a copy kept is due if more is wanted of it already: one that is over would never be looked at again."""
    return now if copy.state == "over" else None
