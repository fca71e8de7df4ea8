"""Who is told inside the process when something was committed: waiters, live pages, and the workers' bells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import datetime

from reviews.events import Deliver, Effect, Post, Refresh
from reviews.lifecycle import next_alarm
from reviews.model import Review
from reviews.ports import Notice

#: A watcher that is this far behind misses notices rather than grow; it reads the database anyway.
_BACKLOG = 1000


class Hub:
    """Announces what was committed. Nothing here must survive a restart: every listener also polls."""

    def __init__(self) -> None:
        self.copies, self.deliveries, self.alarms = asyncio.Event(), asyncio.Event(), asyncio.Event()
        #: Whether cards are posted anywhere but on live surfaces, which need no redrawing.
        self.posting = True
        #: What the alarm clock is set to; only an earlier alarm need wake it.
        self.armed: datetime | None = None
        self._watchers: set[asyncio.Queue[Notice | None]] = set()
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.closing = asyncio.Event()

    def announce(self, review: Review, effects: Iterable[Effect]) -> None:
        """Wake whoever the effects of a committed transition concern."""
        self._tell(review, None)
        for effect in effects:
            match effect:
                case Deliver():
                    self.deliveries.set()
                case Post(target=target):
                    self.copies.set()
                    if target.person is not None:
                        self._tell(review, target.person)
                case Refresh() if self.posting:
                    self.copies.set()
        if (due := next_alarm(review)) is not None and (self.armed is None or due < self.armed):
            self.alarms.set()

    def _tell(self, review: Review, person: str | None) -> None:
        self.notify(Notice(review=review.id, version=review.version, status=review.status, person=person))

    def notify(self, notice: Notice) -> None:
        """Tell live pages and waiting agents that a review changed."""
        for waiter in self._waiting.get(notice.review, ()):
            waiter.set()
        for queue in self._watchers:
            with suppress(asyncio.QueueFull):
                queue.put_nowait(notice)

    async def watch(self) -> AsyncIterator[Notice]:
        """Every notice from now on, until the service stops."""
        queue: asyncio.Queue[Notice | None] = asyncio.Queue(_BACKLOG)
        self._watchers.add(queue)
        try:
            while not self.closing.is_set():
                notice = await queue.get()
                if notice is None:
                    return
                yield notice
        finally:
            self._watchers.discard(queue)

    def waiter(self, review_id: str) -> Waiter:
        """Something to wait on for the next change of one review; use it as a context manager."""
        return Waiter(self._waiting, review_id)

    def close(self) -> None:
        """Let everybody who waits go home."""
        self.closing.set()
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.set()
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)


class Waiter:
    """Waits for the next change of one review. Enter it before reading, or a change in between is missed."""

    def __init__(self, waiting: dict[str, set[asyncio.Event]], review_id: str) -> None:
        self._waiting, self._review, self._event = waiting, review_id, asyncio.Event()

    def __enter__(self) -> Waiter:
        self._waiting.setdefault(self._review, set()).add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        waiters = self._waiting[self._review]
        waiters.discard(self._event)
        if not waiters:
            del self._waiting[self._review]

    async def wait(self, seconds: float) -> bool:
        """Whether it changed within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
