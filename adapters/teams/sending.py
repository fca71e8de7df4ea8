"""What is sent to Teams, at the pace each conversation allows. Every failure comes out as one of a surface's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable
from typing import TypeVar

from adapters.teams.calls import CardRefused, translated
from adapters.teams.pace import Pace
from adapters.teams.places import Places, Where
from adapters.teams.seam import Connector, Failed, Json, Sent
from reviews.errors import SurfaceRefused, SurfaceUnavailable

T = TypeVar("T")

#: Seconds that a word to somebody waits for its turn.
BRIEF = 5.0
#: Places that refused us, remembered for the operator.
_KEPT = 100


class Sending:
    """Sends and redraws. What was refused last is remembered in `refused`, by address, until it works there again."""

    def __init__(self, connector: Connector, pace: Pace, places: Places) -> None:
        self._connector = connector
        self._pace = pace
        self._places = places
        self.refused: OrderedDict[str, str] = OrderedDict()

    async def post(self, where: Where, message: Json) -> Sent:
        """Send a card of the outbox, which waits itself. Raises as `Surface.post`."""
        self._pace.demand(where.key)
        return await self._sent(where, message)

    async def say(self, where: Where, message: Json) -> Sent:
        """Send what nobody repeats, after a short wait if there must be one. Raises as `Surface.post`.

        Where Teams itself asks for a short wait it is tried once more after that.
        """
        await self._pace.wait(where.key, BRIEF)
        try:
            return await self._sent(where, message)
        except SurfaceUnavailable as fault:
            if fault.retry_after is None or fault.retry_after > BRIEF:
                raise
        # The pace is shut for as long as was asked for.
        await self._pace.wait(where.key, BRIEF)
        return await self._sent(where, message)

    async def redraw(self, where: Where, activity: str, message: Json, *, patient: bool = False) -> None:
        """Replace a message of ours; `patient` waits shortly for its turn. Raises as `Surface.update`."""
        if patient:
            await self._pace.wait(where.key, BRIEF)
        else:
            self._pace.demand(where.key)
        await self._guarded(where, self._connector.update(where.service, where.conversation, activity, message))

    # ------------------------------------------------------------------------------------------ parts

    async def _sent(self, where: Where, message: Json) -> Sent:
        if where.channel and not where.conversation:
            made = self._connector.create(where.service, channel=where.channel, message=message)
            return await self._guarded(where, made, posting=True)
        conversation = where.conversation or await self._begun(where)
        sent = self._connector.send(where.service, conversation, message)
        return Sent(conversation=conversation, activity=await self._guarded(where, sent, posting=True))

    async def _begun(self, where: Where) -> str:
        """The chat with a person. One that is there already is found by this, so it may be done twice."""
        made = await self._guarded(where, self._connector.create(where.service, members=[where.member]))
        await self._places.begun(where.address, made.conversation, where.service)
        return made.conversation

    async def _guarded(self, where: Where, work: Awaitable[T], *, posting: bool = False) -> T:
        try:
            done = await work
        except Failed as fault:
            told = translated(fault, posting=posting)
            if isinstance(told, SurfaceUnavailable) and told.retry_after:
                self._pace.shut(where.key, told.retry_after)
            if isinstance(told, SurfaceRefused) and not isinstance(told, CardRefused):
                self._remember(where.address, str(told))
            raise told from fault
        self.refused.pop(where.address, None)
        return done

    def _remember(self, address: str, why: str) -> None:
        self.refused[address] = why
        self.refused.move_to_end(address)
        if len(self.refused) > _KEPT:
            self.refused.popitem(last=False)
