"""The Home tab: drawn when somebody opens it, and again while they may still be looking, when something changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from adapters.chores import Chores, logged
from adapters.slack import parse, views
from adapters.slack.calls import Calls, translated
from adapters.slack.parse import SURFACE
from adapters.slack.text import Json
from adapters.token import Malformed
from reviews.card import Card, Text, plain_card
from reviews.errors import PlacetError, SurfaceUnavailable
from reviews.model import Identity
from reviews.ports import Desk, Refusal

_log = logging.getLogger(__name__)

#: Seconds a Home is kept up to date after it was opened, and between two rounds of redrawing.
WATCHED, ROUND = 3600.0, 10.0
#: Homes kept up to date at once; the ones opened longest ago are left as they are.
_KEPT = 1000


@dataclass(slots=True, kw_only=True)
class _Open:
    """A Home somebody opened, at `at` (the loop's time), and what was drawn there last.

    `turn` has it drawn once at a time, for what was read first must not be put there last.
    """

    identity: Identity
    at: float
    drawn: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Homes:
    """Everybody's Home. `pause` waits so many seconds between rounds."""

    def __init__(
        self, desk: Desk, calls: Calls, chores: Chores, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._chores = chores
        self._pause = pause
        self._open: OrderedDict[tuple[str | None, str], _Open] = OrderedDict()
        self._changed = asyncio.Event()

    async def on_opened(self, body: Json) -> None:
        """Somebody opened our Home."""
        try:
            opened = parse.opened(body)
        except Malformed as fault:
            _log.warning("an opened Home that cannot be read: %s", fault)
            return
        if opened is None:
            return
        who = opened.identity
        key = (who.tenant, who.id)
        home = self._open.setdefault(key, _Open(identity=who, at=0.0))
        home.at, home.drawn = _now(), ""
        self._open.move_to_end(key)
        if len(self._open) > _KEPT:
            self._open.popitem(last=False)
        self._chores.add(self._draw(home))

    async def run(self) -> None:
        """Keep what is open up to date until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await logged(self._round(), SURFACE)
                await self._pause(ROUND)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        """Hear of every change; when the house is quiet for good or in trouble, listen anew after a while."""
        while True:
            await logged(self._hear(), SURFACE)
            await self._pause(ROUND)

    async def _hear(self) -> None:
        async for _ in self._desk.watch():
            self._changed.set()

    async def _round(self) -> None:
        """Draw every Home that was opened of late. Where Slack asks for patience, the next round goes on from there."""
        since = _now() - WATCHED
        for home in [home for home in self._open.values() if home.at >= since]:
            try:
                await self._draw(home)
            except SurfaceUnavailable as fault:
                _log.warning("Homes wait for Slack: %s", fault)
                self._changed.set()
                return
            except PlacetError as fault:
                _log.warning("the Home of %s was not redrawn: %s", home.identity.id, fault)

    async def _draw(self, home: _Open) -> None:
        """Draw one Home, unless it looks so already: Slack limits how often."""
        async with home.turn:
            view = views.home(await self._card(home.identity))
            mark = hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
            if mark == home.drawn:
                return
            with translated():
                # No `hash`: ours is always the newest.
                await self._calls.steady.views_publish(user_id=home.identity.id, view=view)
            home.drawn = mark

    async def _card(self, identity: Identity) -> Card:
        person = await self._desk.who(identity)
        if isinstance(person, Refusal):
            return plain_card("Placet", [Text(text=person.text)], fallback=person.text)
        return await self._desk.home(person)


def _now() -> float:
    return asyncio.get_running_loop().time()
