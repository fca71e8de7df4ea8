"""The web inbox as a surface: what is posted reaches open pages live, everything else is drawn when looked at.

The pages themselves are in `pages.py`; this file is what the service holds in its hands.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web

from adapters.port import Adapter, Setup
from adapters.web import config
from adapters.web.live import Hub
from adapters.web.pages import Pages
from reviews.card import Card, Happening
from reviews.model import Identity, Target
from reviews.ports import Abilities, Health, MessageRef, Notice

log = logging.getLogger(__name__)

#: Copies remembered for `find`; older ones are simply posted again, which a live page shows once.
REMEMBERED = 10_000
#: Seconds until the watch is taken up again after it broke.
RETRY = 1.0


def create(setup: Setup) -> Adapter | None:
    """The web inbox, or None when `web.enabled` is false. Raises ConfigFault for a section that is wrong."""
    section = config.read(setup.config)
    return WebAdapter(setup, section) if section.enabled else None


class WebAdapter:
    """The web inbox.

    `previews` maps the name of another surface (`slack`) to what draws a card as it looks there: `markupsafe.Markup`
    is put into the page as it is, a plain str is shown as code. The composition root fills it.
    """

    name = "web"
    tenant: str | None = None
    abilities = Abilities(threads=True, live=True, finds=True, max_bytes=10_000_000, per_second=1000.0)

    def __init__(self, setup: Setup, section: config.WebConfig) -> None:
        self.previews: dict[str, Callable[[Card], str]] = {}
        self._desk = setup.desk
        self._hub = Hub()
        self._pages = Pages(setup, section, self._hub, self.previews)
        self._posted: OrderedDict[str, MessageRef] = OrderedDict()
        self._watch: asyncio.Task[None] | None = None
        self._fault = ""

    # ------------------------------------------------------------------------------------------ surface

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Call the person to the review in whatever pages they have open; their queue shows it anyway.

        What is of no review is said there, or on the next page they open.
        """
        person = target.person or target.address
        if card.review:
            self._hub.call(person, card.review)
        else:
            self._hub.whisper(person, card.fallback)
        ref = MessageRef(surface=self.name, ref={"person": person, "review": card.review})
        self._posted[copy_id] = ref
        if len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)
        return ref

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Have open pages of the review show this card."""
        self._hub.refresh(card.review, card.version)

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Nothing: the open page shows what happened by itself."""

    async def whisper(self, identity: Identity, text: str) -> None:
        """Tell one person, in the pages they have open or the next one they open."""
        self._hub.whisper(identity.id, text)

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """The copy, if this process posted it."""
        return self._posted.get(copy_id)

    async def health(self) -> Health:
        """Well while changes reach the open pages."""
        return Health(ok=not self._fault, text=self._fault)

    # ------------------------------------------------------------------------------------------ life

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """The inbox's pages, forms, stream and assets."""
        return self._pages.routes()

    async def start(self) -> None:
        """Begin to watch for changes."""
        self._watch = asyncio.create_task(self._follow(), name="web: watch")

    async def stop(self) -> None:
        """Stop watching and end the open streams, which would otherwise hold the server's shutdown."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._hub.close()

    async def _follow(self) -> None:
        while True:
            try:
                async for notice in self._desk.watch():
                    self._heard(notice)
                self._fault = "The watch for changes ended; open pages are not live until it is taken up again."
            except Exception as fault:  # whatever broke, pages must become live again
                log.exception("the watch for changes broke")
                self._fault = f"The watch for changes broke ({fault}); it is taken up again every {RETRY:g} s."
            await asyncio.sleep(RETRY)
            self._hub.resync()

    def _heard(self, notice: Notice) -> None:
        self._fault = ""
        self._hub.changed(notice)
