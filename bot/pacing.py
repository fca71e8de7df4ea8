"""When it is whose turn to be posted: vendors allow so many messages a second to each address, and ask for rests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from bot.folding import place
from reviews.keeping import Copy
from reviews.ports import Clock, Surface

#: How far ahead a crowded address promises turns.
QUEUED = timedelta(seconds=30)
#: Addresses remembered before those whose turn has come are forgotten.
_REMEMBERED = 10_000

#: An address, and whether what lies there is redrawn rather than something posted.
Lane: TypeAlias = tuple[str, str, bool]


def lane(copy: Copy) -> Lane:
    """The lane of a copy's next message."""
    return (*place(copy), copy.ref is not None)


class Pacing:
    """The paces of all addresses, in one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paces: dict[Lane, datetime] = {}
        self._promises: dict[tuple[str, str], datetime] = {}
        self._rests: dict[tuple[str, str], datetime] = {}

    def turn(self, surface: Surface, copy: Copy) -> datetime | None:
        """When it is this address's turn, if not now.

        What people look at already has a pace of its own: buttons that are over do not wait behind new cards.
        """
        now = self._clock.now()
        free = self._paces.get(lane(copy), now)
        if free > now:
            return free if copy.ref is not None else self._promised(surface, copy, free)
        self.spend(surface, lane(copy))
        if len(self._paces) > _REMEMBERED:
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

    def spend(self, surface: Surface, where: Lane) -> None:
        """Count a message to an address: the next turn there comes so much later."""
        free = max(self._paces.get(where, self._clock.now()), self._clock.now())
        self._paces[where] = free + timedelta(seconds=1 / surface.abilities.per_second)

    def rest(self, copy: Copy, seconds: float) -> datetime:
        """Leave an address alone for as long as its vendor asked. Until when."""
        until = self._clock.now() + timedelta(seconds=seconds)
        for where in ((*place(copy), True), (*place(copy), False)):
            self._paces[where] = max(self._paces.get(where, until), until)
        self._rests[place(copy)] = max(self._rests.get(place(copy), until), until)
        return until

    def rests(self, copy: Copy) -> bool:
        """Whether an address is left alone because its vendor asked."""
        now = self._clock.now()
        return self._rests.get(place(copy), now) > now
