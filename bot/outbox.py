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
from typing import Protocol

import structlog

from bot import bulletins
from bot.folding import Folding, place
from bot.hub import Hub
from bot.pacing import Pacing, lane
from bot.passing import DOWN_AFTER, Down, PassingOn
from bot.service import Service
from reviews.card import Card, Happening
from reviews.errors import StoreUnavailable, SurfaceAmbiguous, SurfaceBlind, SurfaceRefused, SurfaceUnavailable
from reviews.events import COURTESY, Posted, Record
from reviews.keeping import Copy, CopyKind, Store, Tx
from reviews.model import Review
from reviews.ports import Clock, MessageRef, Surface
from reviews.timeline import ENDS, NEWS, REMINDED, news
from reviews.values import replace

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
CLAIM = 50
#: One call to a surface may take this long (seconds).
CALL = 20.0
#: Where nobody can look, a post whose answer was lost is made once more after this long: most troubles are over then.
AGAIN_AFTER = timedelta(seconds=20)
#: A message of no review is news for so long; then it is given up.
NOTICE_FOR = timedelta(hours=1)
_LONGEST_WAIT = 60.0
#: More happens to no review between two drawings of its card.
_ENTRIES = 1000
_FAULTS = (SurfaceRefused, SurfaceUnavailable, SurfaceAmbiguous, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """What a copy is to show. `version` is then `shown`; `told` the log's last number, `said` the news up to there.

    `empty`: there is nothing to post: a queue card on which nothing waits, a card never posted of what is over.
    `again`: who was called by what cannot be drawn again is called once more.
    """

    card: Card
    version: int
    told: int
    said: tuple[Happening, ...] = ()
    empty: bool = False
    again: bool = False


class Draw(Protocol):
    """Draws a review's card as `reader` may see it; for all who read in one place where that is nobody's."""

    def __call__(self, tx: Tx, review: Review, *, reader: str | None = None) -> Card:
        """The card."""
        ...


class Outbox:
    """One per process; several processes share the work by claims."""

    def __init__(
        self,
        service: Service,
        surfaces: Mapping[str, Surface],
        card: Draw,
        hub: Hub,
        clock: Clock,
        queue_card: Callable[[Sequence[Review], int], Card],
    ) -> None:
        self._service, self._surfaces = service, surfaces
        self._card = card
        self._folding = Folding(lambda: service.directory().config.cards.open_per_channel, queue_card)
        self._store: Store = service.store
        self._hub, self._clock = hub, clock
        self._pacing, self._down = Pacing(clock), Down(clock)
        self._passing = PassingOn(service, self._folding, self._down, clock)
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
            if await self._folded(surface, copy):
                return
            if (turn := self._pacing.turn(surface, copy)) is not None:
                await self._wait(copy, turn)
                return
            copy = await self._forewarned(copy)
            await self._draw(surface, copy)
            self._down.works(surface.name)
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

    async def _wait(self, copy: Copy, turn: datetime) -> None:
        """Come back at its turn; sooner where its vendor asked for a long rest, to call the next rung by then."""
        now, late = self._clock.now(), copy.created_at + DOWN_AFTER
        if copy.ref is not None or not self._pacing.rests(copy):
            await self._keep(copy, turn)
        elif now < late:
            await self._keep(copy, min(turn, late))
        elif await self._keep(copy, turn):
            await self._passing.pass_on(copy, copy.error or f"{copy.target.surface} takes no more here for a while.")

    # ---------------------------------------------------------------------------- folding

    async def _folded(self, surface: Surface, copy: Copy) -> bool:
        """Whether a copy was dealt with as a line of its place's queue card, so that there is nothing to post."""
        if copy.kind is not CopyKind.CARD or copy.state not in ("new", "folded") or not surface.abilities.redrawn:
            return False
        if copy.state == "new" and not await self._store.view(lambda tx: self._folding.folds(tx, copy)):
            return False
        done = await self._store.tx(lambda tx: self._folding.fold(tx, copy))
        self._hub.copies.set()
        return done

    # ---------------------------------------------------------------------------- drawing

    async def _draw(self, surface: Surface, copy: Copy) -> None:
        redrawn = surface.abilities.redrawn
        drawing = await self._store.view(lambda tx: self._drawing(tx, copy, redrawn=redrawn))
        async with asyncio.timeout(CALL):
            ref = copy.ref or await self._found(surface, copy)
            if ref is None:
                ref = None if drawing.empty else await self._post(surface, copy, drawing.card)
            elif redrawn and copy.kind is not CopyKind.NOTICE:
                # One found again may show an older card than the one that stands.
                await surface.update(ref, drawing.card)
        state = "over" if drawing.empty else "posted"
        shown = replace(copy, state=state, ref=ref, shown=drawing.version, told=drawing.told, attempts=0, error=None)
        if copy.ref is None and ref is not None:
            await self._posted(replace(shown, muted=ref.muted))
        elif await self._keep(shown) and copy.ref is not None and (drawing.said or drawing.again):
            await self._tell(surface, shown, copy.ref, drawing)

    def _drawing(self, tx: Tx, copy: Copy, *, redrawn: bool) -> _Drawing:
        if copy.kind is CopyKind.QUEUE:
            card, empty = self._folding.card(tx, copy)
            return _Drawing(card=card, version=copy.wanted, told=copy.told, empty=empty)
        if copy.kind is CopyKind.NOTICE:
            bulletin = tx.bulletin(copy.review)
            assert bulletin is not None, "a copy without its bulletin"
            return _Drawing(card=bulletins.card(bulletin), version=copy.wanted, told=copy.told)
        review = tx.read(copy.review)
        assert review is not None, "a copy without its review"
        entries = tx.log(review=review.id, after=copy.told, limit=_ENTRIES)
        said, told = news(entries, self._service.directory().names(), copy.told, NEWS if redrawn else ENDS)
        card = self._card(tx, review, reader=copy.target.person)
        # Who sees a card for the first time reads all of it there. An address is told once, however often it was sent.
        tells = copy.told > 0 and (redrawn or _first(copy, tx.copies(review.id)))
        return _Drawing(
            card=card,
            version=review.version,
            told=told,
            said=said if tells else (),
            # Nobody has to be called to what is over by the time their card would go out.
            empty=card.over and copy.state == "new" and copy.rung != COURTESY,
            again=tells and not redrawn and not card.over and any(e.kind == REMINDED for e in entries),
        )

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
            self._pacing.spend(surface, lane(copy))  # its details are a message too
        return ref

    async def _tell(self, surface: Surface, copy: Copy, ref: MessageRef, drawing: _Drawing) -> None:
        """Say beneath a copy what happened, or, where nothing is drawn again, send it.

        It is kept as told already: twice would be worse than on the card alone.
        """
        able = surface.abilities
        if able.live or (able.redrawn and not able.threads):
            return
        self._pacing.spend(surface, (*place(copy), False))
        try:
            async with asyncio.timeout(CALL):
                if drawing.said:
                    await surface.note(ref, drawing.said)
                elif drawing.again:
                    await surface.post(drawing.card, copy.target, copy.id)
        except _FAULTS as fault:
            log.warning("news_not_told", copy=copy.id, surface=surface.name, why=str(fault) or type(fault).__name__)
            if isinstance(fault, SurfaceUnavailable) and fault.retry_after:
                self._pacing.rest(copy, fault.retry_after)

    # ---------------------------------------------------------------------------- keeping

    async def _posted(self, copy: Copy) -> None:
        def keep(tx: Tx) -> bool:
            review = tx.lock(copy.review) if copy.kind is CopyKind.CARD else None
            counted = tx.keep_copy(copy, _again(copy, tx.now()))
            if counted and review is not None:
                self._service.keep(tx, review, Posted(at=tx.now(), copy=copy.id, target=copy.target))
            return counted

        counted = await self._store.tx(keep)
        self._hub.copies.set()
        if counted and copy.muted:
            await self._passing.pass_on(copy, copy.muted)

    async def _keep(self, copy: Copy, due_at: datetime | None = None) -> bool:
        """Whether it counted: what is kept after the lease is another worker's to say."""
        counted = await self._store.tx(lambda tx: tx.keep_copy(copy, due_at or _again(copy, tx.now())))
        # A transition may have overtaken the drawing; the row is then due again, and nobody else would say so.
        self._hub.copies.set()
        return counted

    async def _forewarned(self, copy: Copy) -> Copy:
        """A copy about to be tried where nothing was taken for long: its call is passed on before it is tried."""
        if copy.ref is not None or copy.attempts or (since := self._down.since(copy.target.surface)) is None:
            return copy
        told = _silent(copy, since)
        await self._passing.pass_on(copy, told)
        return replace(copy, error=told)

    async def _later(self, copy: Copy, fault: Exception, *, again: bool = False) -> None:
        """Try again later; a surface down for long passes the call on to the next rung meanwhile, once.

        A vendor that says when is taken at its word, for everything that goes there, and it counts as no attempt.
        `again`: it may lie there, and will be posted once more.
        """
        now, why = self._clock.now(), str(fault) or type(fault).__name__
        since = copy.created_at
        if isinstance(fault, SurfaceUnavailable) and fault.retry_after:
            tried, due_at = copy, self._pacing.rest(copy, fault.retry_after)
            if copy.ref is None and now < (late := copy.created_at + DOWN_AFTER):
                due_at = min(due_at, late)
        else:
            self._down.failed(copy.target.surface)
            since = min(since, self._down.since(copy.target.surface) or since)
            wait = timedelta(seconds=min(0.5 * 2 ** min(copy.attempts, 16), _LONGEST_WAIT))
            tried = replace(copy, attempts=copy.attempts + 1)
            due_at = now + (max(wait, AGAIN_AFTER) if again else wait)
        if copy.kind is CopyKind.NOTICE and now - copy.created_at >= NOTICE_FOR:
            await self._lost(copy, why)
            return
        log.warning("copy_later", copy=copy.id, surface=copy.target.surface, why=why, until=due_at.isoformat())
        await self._pass_late(replace(tried, error=why), due_at, since, told=copy.error or "")

    async def _pass_late(self, copy: Copy, due_at: datetime, since: datetime, told: str) -> None:
        """Keep a copy that failed; one that waited for long has its call passed on, unless it was `told` before."""
        passed = told.startswith(_silent(copy, None))
        late = copy.ref is None and self._clock.now() - since >= DOWN_AFTER
        silent = _silent(copy, since)
        kept = replace(copy, error=told) if passed else replace(copy, error=f"{silent} {copy.error}") if late else copy
        if await self._keep(kept, due_at) and late and not passed:
            await self._passing.pass_on(copy, silent)

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
            await self._passing.pass_on(copy, told)

    async def _lost(self, copy: Copy, why: str) -> None:
        """Give a copy up, and pass the call on when nothing else of its rung can arrive."""
        log.warning("copy_failed", copy=copy.id, surface=copy.target.surface, why=why)
        counted = await self._keep(replace(copy, state="failed", error=why, attempts=copy.attempts + 1))
        if not counted:
            return
        if copy.ref is None:
            await self._passing.pass_on(copy, why)
        elif copy.kind is CopyKind.QUEUE:
            # Somebody deleted it: what is folded there is nowhere else, so it is posted afresh.
            await self._store.tx(lambda tx: tx.want_queue(*place(copy)))


def _silent(copy: Copy, since: datetime | None) -> str:
    """The sentence by which a call is passed on from a surface that fails; without the instant, how it begins."""
    begins = f"{copy.target.surface} has not answered since"
    return begins if since is None else f"{begins} {since:%H:%M} UTC."


def _first(copy: Copy, copies: Sequence[Copy]) -> bool:
    """Whether a copy is the first of those that went to its address."""
    there = (other for other in copies if place(other) == place(copy) and other.ref is not None)
    return next(there, copy).id == copy.id


def _again(copy: Copy, now: datetime) -> datetime | None:
    """When a copy kept is due if more is wanted of it already: one that is over would never be looked at again."""
    return now if copy.state == "over" else None
