"""How much a card holds: the pen that keeps a part within its room, and the size of the whole. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from adapters.teams import limits
from adapters.teams.seam import Json
from adapters.text import clean, cut

#: Characters that a block of a card may have, tried one after the other until the whole fits.
ROOMS = (8000, 6000, 4000, 3000, 2000, 1500, 1000, 700, 500, 350, 200)
#: What one more element, or line, costs besides its words: a part of its JSON.
_FRAME = 60
#: The least that is left of a text, for a single letter of it says nothing.
_LEAST = 24

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How much of a list a place shows."""

    lines: int


MESSAGE = Frame(lines=15)
#: The chat with one person: what is asked for there may be longer.
PRIVATE = Frame(lines=25)


class Pen:
    """Writes one part of a card in `room` characters; `short` says whether something was left out."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.short = False

    def take(self, text: str, most: int | None = None) -> str:
        """As much of the text, cleaned, as there is room for, and at most `most` characters."""
        room = max(_LEAST, self.room)
        kept = self.clip(text, room if most is None else min(room, most))
        self.room -= len(kept) + _FRAME
        return kept

    def lines(self, text: str, most: int | None = None) -> list[str]:
        """The same, line by line: each one is an element of its own. Blank ones are "", none stands at an end."""
        every = self.take(text.strip("\n"), most).rstrip().split("\n")
        return [every[0].rstrip(), *(each.rstrip() for each in self.some(every[1:], cost=_FRAME))]

    def clip(self, text: str, most: int) -> str:
        """At most `most` characters of the text, cleaned, using up no room yet."""
        # Cleaning halves a text at the most (CR LF), so what lies beyond cannot come to be shown.
        words = clean(text[: 2 * most + 2])
        self.short = self.short or len(words) > most
        return cut(words, most)

    def some(self, items: Sequence[T], most: int | None = None, *, cost: int = 0) -> Iterable[T]:
        """The items, until the room is used up or there were `most`; the first one always. Each costs `cost`."""
        for n, item in enumerate(items):
            if (n and self.room <= 0) or n == most:
                self.short = True
                return
            self.room -= cost
            yield item


def size(found: Json | Sequence[Json]) -> int:
    """Bytes as compact JSON."""
    return len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())


def fits(content: Json) -> bool:
    """Whether Teams surely takes a card of this size."""
    return size(content) <= limits.ABILITIES.max_bytes
