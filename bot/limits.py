"""How often an agent may ask: a token bucket per agent, in memory. A restart forgives; nothing else rests on it."""

from __future__ import annotations

import math
import time

from reviews.keeping import Agent


class Buckets:
    """Buckets that fill at `agent.rate` a second up to `agent.burst`."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def wait(self, agent: Agent) -> int:
        """Take one; 0 when there was one, else how many whole seconds to wait."""
        now = time.monotonic()
        level, since = self._levels.get(agent.name, (float(agent.burst), now))
        level = min(float(agent.burst), level + (now - since) * agent.rate)
        if level < 1:
            self._levels[agent.name] = (level, now)
            return max(1, math.ceil((1 - level) / agent.rate))
        self._levels[agent.name] = (level - 1, now)
        return 0
