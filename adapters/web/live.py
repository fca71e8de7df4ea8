"""Who has which page open, and what they must hear of.

One process, nothing kept: a page that missed something asks anew.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reviews.model import Object
from reviews.ports import Notice

#: Events kept for a slow page; beyond, it is told to look again at everything.
BACKLOG = 64
#: Words kept for somebody who has no page open.
UNHEARD = 20
#: What a called person is told.
CALLED = "A review is waiting for you."


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event (HTML, "server-sent events"): `name`, JSON `data`, and `id` to go on from.

    `about` is the review it tells of, for those alone who may see that one when it is sent; None tells of none.
    """

    name: str
    id: str
    data: Object = field(default_factory=dict)
    about: str | None = None

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return f"event: {self.name}\nid: {self.id}\ndata: {json.dumps(self.data)}\n\n".encode()


class OpenPage:
    """A page a person has open: on one review, or on the queue (`review` None).

    `only` when they came by a link for that one review: they hear of nothing else.
    """

    def __init__(self, person: str, review: str | None, *, only: bool = False) -> None:
        self.person = person
        self.review = review
        self.only = only
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def tell(self, event: Event) -> None:
        """Queue an event; a page too slow for BACKLOG of them gets one `sync` for all."""
        if len(self._events) >= BACKLOG:
            self._events.clear()
            event = Event(name="sync", id=event.id)
        self._events.append(event)
        self._ready.set()

    def close(self) -> None:
        """End the page's stream."""
        self._closed = True
        self._ready.set()

    async def next(self, patience: float) -> Event | None:
        """The next event, or None after `patience` seconds. Raises EOFError once closed."""
        if not self._ready.is_set():
            try:
                async with asyncio.timeout(patience):
                    await self._ready.wait()
            except TimeoutError:
                return None
        if self._closed:
            raise EOFError
        event = self._events.popleft()
        if not self._events:
            self._ready.clear()
        return event


class Hub:
    """Tells open pages what changed and whom somebody called."""

    def __init__(self) -> None:
        self._boot = secrets.token_hex(4)
        self._count = 0
        self._pages: set[OpenPage] = set()
        self._unheard: dict[str, deque[Event]] = {}

    @property
    def seen(self) -> str:
        """The counter a page is drawn at; it gives it back when it connects, so that nothing in between is lost."""
        return f"{self._boot}.{self._count}"

    @contextmanager
    def page(self, person: str, review: str | None, seen: str, *, only: bool = False) -> Iterator[OpenPage]:
        """A page is open for as long as the block runs."""
        page = OpenPage(person, review, only=only)
        self._pages.add(page)
        page.tell(Event(name="hello" if seen == self.seen else "sync", id=self.seen))
        for event in self._unheard.pop(person, ()) if not only else ():
            page.tell(event)
        try:
            yield page
        finally:
            self._pages.discard(page)

    def changed(self, notice: Notice) -> None:
        """A review changed: its own pages hear its version, the queues that something did."""
        self.refresh(notice.review, notice.version)
        if notice.person is not None:
            self.call(notice.person, notice.review)

    def refresh(self, review: str, version: int) -> None:
        """A review stands at this version now."""
        self._count += 1
        for page in self._pages:
            if page.review == review:
                data: Object = {"review": review, "version": version}
                page.tell(Event(name="review", id=self.seen, data=data, about=review))
            elif page.review is None:
                page.tell(Event(name="queue", id=self.seen))

    def call(self, person: str, review: str) -> None:
        """Somebody was called to a review. Not kept: whoever opens the queue later sees it there.

        It says no more than that: what the review is about is read on its page, by who may see it then.
        """
        self._toast(person, {"review": review, "text": CALLED, "called": True})

    def whisper(self, person: str, text: str) -> None:
        """Tell one person something, now or when they next open a page."""
        if not self._toast(person, event := {"review": "", "text": text, "called": False}):
            waiting = self._unheard.setdefault(person, deque(maxlen=UNHEARD))
            waiting.append(Event(name="toast", id=self.seen, data=event))

    def resync(self) -> None:
        """Have every page look again: something may have been missed."""
        self._count += 1
        for page in self._pages:
            page.tell(Event(name="sync", id=self.seen))

    def close(self) -> None:
        """End all streams."""
        for page in self._pages:
            page.close()

    def _toast(self, person: str, data: Object) -> bool:
        theirs = [page for page in self._pages if page.person == person and not page.only]
        for page in theirs:
            page.tell(Event(name="toast", id=self.seen, data=data))
        return bool(theirs)
