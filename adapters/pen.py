"""The pen that keeps a part of a card within its room, on every surface that has little of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from adapters.text import clean, cut

#: What one more element costs besides its words: a part of its JSON.
FRAME = 60
#: The least that is left of a text, for a single letter of it says nothing.
_LEAST = 24

T = TypeVar("T")


class Pen:
    """Writes one part of a card in `room` characters; `short` says whether something was left out."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.short = False

    def take(self, text: str, most: int | None = None) -> str:
        """As much of the text, cleaned, as there is room for, and at most `most` characters."""
        room = max(_LEAST, self.room)
        kept = self.clip(text, room if most is None else min(room, most))
        self.room -= len(kept) + FRAME
        return kept

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
