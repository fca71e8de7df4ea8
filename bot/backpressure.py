"""How many reviews an agent may have open, and how long it waits when it has as many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from reviews.errors import PlacetError
from reviews.keeping import Agent, Query, Store
from reviews.ports import Clock

#: What an agent is told to wait at least, and where its pace is not known; and at most (seconds).
SHORTEST, LONGEST = 30, 3600
#: How far back the pace of decisions is looked at.
LATELY = timedelta(hours=1)
#: How long a count serves.
_FRESH = timedelta(seconds=1)
_NEVER = (datetime.min.replace(tzinfo=UTC), 0)

T = TypeVar("T")


class TooManyOpen(PlacetError):
    """This agent has as many open reviews as it may. Wait for decisions, or withdraw what is no longer needed."""

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Backpressure:
    """Counts what agents have open. What follows from a review is not theirs: they asked once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._open: dict[str, tuple[datetime, int]] = {}
        self._asking: Counter[str] = Counter()

    async def admitted(self, agent: Agent, key: str | None, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` answers, where there is room for one more. Raises TooManyOpen."""
        ahead = self._asking[agent.name]
        self._asking[agent.name] += 1
        try:
            await self._look(agent, key, ahead)
            return await ask()
        finally:
            self._asking[agent.name] -= 1

    async def _look(self, agent: Agent, key: str | None, ahead: int) -> None:
        """Refuse an agent that has too many open. Counted afresh every second; between, its own are added.

        `ahead` are its requests under way, which no count shows yet. What was asked before takes no more room.
        """
        now = self._clock.now()
        counted_at, open_ = self._open.get(agent.name, _NEVER)
        if now - counted_at > _FRESH or open_ + 1 >= agent.max_open:
            counted_at = now
            theirs = Query(agent=agent.name, open_only=True, asked=True)
            open_ = ahead + await self._store.view(lambda tx: tx.count(theirs, at_most=agent.max_open))
        if open_ >= agent.max_open:
            if key is not None and await self._store.view(lambda tx: tx.by_key(agent.name, key)) is not None:
                return
            text = f"{agent.name} has {open_} open reviews; at most {agent.max_open} are taken."
            raise TooManyOpen(text, retry_after=await self._wait(agent, open_))
        # Who counted at the same time may have seen less of what is under way: the higher number is the safe one.
        told_at, told = self._open.get(agent.name, (counted_at, 0))
        taken = max(open_, told) if counted_at - told_at <= _FRESH else open_
        self._open[agent.name] = (max(counted_at, told_at), taken + 1)

    async def _wait(self, agent: Agent, open_: int) -> int:
        """How long until there is room, at the pace people decided this agent's reviews lately; whole seconds."""
        decided = await self._store.view(lambda tx: tx.pace(agent.name, tx.now() - LATELY))
        if not decided:
            return SHORTEST
        seconds = (open_ - agent.max_open + 1) * LATELY.total_seconds() / decided
        return min(max(SHORTEST, math.ceil(seconds)), LONGEST)
