"""How fast Teams may be called: two sliding windows for each conversation, and the waits Teams itself asked for.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit#per-bot-per-thread-limit
A channel and the threads in it count as one conversation.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from reviews.errors import SurfaceUnavailable

#: So many calls within so many seconds.
WINDOWS = ((7, 1.0), (60, 30.0))
#: A wait shorter than this is lost in the clock.
_TICK = 0.001
#: So many conversations are remembered before the idle ones are forgotten.
_MANY = 1024


@dataclass(slots=True)
class _Lane:
    """The calls of one conversation, oldest first, and until when it is shut."""

    calls: deque[float]
    shut: float = field(default=0.0)


class Pace:
    """Counts calls. `now` tells seconds, `pause` waits them."""

    def __init__(
        self,
        now: Callable[[], float],
        windows: Sequence[tuple[int, float]] = WINDOWS,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._windows = tuple(windows)
        self._pause = pause
        self._lanes: dict[str, _Lane] = {}

    def take(self, conversation: str) -> float:
        """0: call now, and it is counted. Else the seconds left until a call may be made; nothing is counted."""
        lane, now = self._lane(conversation), self._now()
        rest = max(lane.shut - now, *(_full(lane.calls, most, span, now) for most, span in self._windows))
        if rest > 0:
            return max(rest, _TICK)
        lane.calls.append(now)
        return 0.0

    def demand(self, conversation: str) -> None:
        """Count a call. Raises SurfaceUnavailable with the seconds left where it may not be made now."""
        if rest := self.take(conversation):
            raise SurfaceUnavailable(f"Teams takes more here in {rest:.1f} s.", retry_after=rest)

    async def wait(self, conversation: str, most: float) -> None:
        """Count a call, waiting for its turn. Raises SurfaceUnavailable where that would take over `most` seconds."""
        latest = self._now() + most
        while rest := self.take(conversation):
            if self._now() + rest > latest:
                raise SurfaceUnavailable(f"Teams takes more here in {rest:.1f} s.", retry_after=rest)
            await self._pause(rest)

    def shut(self, conversation: str, seconds: float) -> None:
        """Let no call through for so long: Teams asked for it."""
        lane = self._lane(conversation)
        lane.shut = max(lane.shut, self._now() + seconds)

    def _lane(self, conversation: str) -> _Lane:
        key = conversation.partition(";")[0]
        if key not in self._lanes:
            if len(self._lanes) >= _MANY:
                self._forget()
            self._lanes[key] = _Lane(deque(maxlen=max(most for most, _ in self._windows)))
        return self._lanes[key]

    def _forget(self) -> None:
        """Drop the conversations with nothing that still counts."""
        now = self._now()
        oldest = now - max(span for _, span in self._windows)
        self._lanes = {
            key: lane
            for key, lane in self._lanes.items()
            if lane.shut > now or (lane.calls and lane.calls[-1] > oldest)
        }


def _full(calls: deque[float], most: int, span: float, now: float) -> float:
    """Seconds until a window has room; nothing or less where it has."""
    return calls[-most] + span - now if len(calls) >= most else 0.0
