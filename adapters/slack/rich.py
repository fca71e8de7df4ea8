"""Small makers of Slack's rich text, and the pen that keeps a part within its room. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from adapters.slack.limits import URL
from adapters.slack.text import Json
from adapters.text import clean, cut, line

#: What one more element costs besides its words: its JSON.
_FRAME = 60
#: The least that is left of a text, for a single letter of it says nothing.
_LEAST = 24
#: The words of a link.
_TITLE = 200

T = TypeVar("T")


class Pen:
    """Writes one part of a message in `room` characters; `short` says whether something was left out."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.short = False

    def take(self, text: str, most: int | None = None) -> str:
        """As much of the text, cleaned, as there is room for, and at most `most` characters."""
        room = max(_LEAST, self.room)
        kept = self.clip(text, room if most is None else min(room, most))
        self.room -= len(kept) + _FRAME
        return kept

    def clip(self, text: str, most: int) -> str:
        """At most `most` characters of the text, cleaned, using up no room yet."""
        # Cleaning halves a text at the most (CR LF), so what lies beyond cannot come to be shown.
        words = clean(text[: 2 * most + 2])
        self.short = self.short or len(words) > most
        return cut(words, most)

    def some(self, items: Sequence[T], most: int | None = None) -> Iterable[T]:
        """The items, until the room is used up or there were `most`; the first one always."""
        for n, item in enumerate(items):
            if (n and self.room <= 0) or n == most:
                self.short = True
                return
            yield item

    def words(self, text: str, *, bold: bool = False, italic: bool = False, most: int | None = None) -> list[Json]:
        """A text element, or none where there are no words."""
        kept = self.take(text, most)
        style = {name: True for name, on in (("bold", bold), ("italic", italic)) if on}
        return [{"type": "text", "text": kept, **({"style": style} if style else {})}] if kept else []

    def link(self, url: str | None, words: str) -> list[Json]:
        """A link where the address is a web address Slack takes and there is room for it, else its words."""
        if url is None or not web_address(url) or len(url) > self.room:
            return self.words(line(words), most=_TITLE)
        self.room -= len(url)
        return [{"type": "link", "url": url, "text": self.take(line(words), _TITLE) or "link"}]


def web_address(url: str) -> bool:
    """Whether an address may become a link: http or https, with a host, no spaces, not too long."""
    if len(url) > URL or url != line(url) or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def brk(text: str = "\n") -> Json:
    """A literal text element, such as a line break."""
    return {"type": "text", "text": text}


def section(elements: Sequence[Json]) -> Json:
    """A paragraph."""
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(elements: Sequence[Json]) -> Json:
    """A paragraph with a bar at its side: somebody else's words."""
    return {"type": "rich_text_quote", "elements": list(elements)}


def code(elements: Sequence[Json]) -> Json:
    """A box of letters of one width."""
    return {"type": "rich_text_preformatted", "elements": list(elements)}


def bullets(items: Sequence[Json]) -> Json:
    """A list of sections."""
    return {"type": "rich_text_list", "style": "bullet", "elements": list(items)}


def moment(at: datetime) -> Json:
    """An instant, shown in the reader's own time zone."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{date_short_pretty} {time}",
        "fallback": f"{at:%Y-%m-%d %H:%M} UTC",
    }


def rich(parts: Sequence[Json]) -> list[Json]:
    """One rich text block of the parts that hold anything; Slack refuses empty ones."""
    full = [part for part in parts if part["elements"]]
    return [{"type": "rich_text", "elements": full}] if full else []
