"""How much a card holds: the pen that keeps a part within its room, and the size of the whole. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from adapters import pen
from adapters.teams import limits
from adapters.teams.seam import Json

#: Characters that a block of a card may have, tried one after the other until the whole fits.
ROOMS = (8000, 6000, 4000, 3000, 2000, 1500, 1000, 700, 500, 350, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How much of a list a place shows."""

    lines: int


MESSAGE = Frame(lines=15)
#: The chat with one person: what is asked for there may be longer.
PRIVATE = Frame(lines=25)


class Pen(pen.Pen):
    """Writes one part of a card, also line by line: each one is an element of its own."""

    def lines(self, text: str, most: int | None = None) -> list[str]:
        """As `take`, in lines. Blank ones are "", none stands at an end."""
        every = self.take(text.strip("\n"), most).rstrip().split("\n")
        return [every[0].rstrip(), *(each.rstrip() for each in self.some(every[1:], cost=pen.FRAME))]


def size(found: Json | Sequence[Json]) -> int:
    """Bytes as compact JSON."""
    return len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())


def fits(content: Json) -> bool:
    """Whether Teams surely takes a card of this size."""
    return size(content) <= limits.ABILITIES.max_bytes
