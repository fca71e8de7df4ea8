"""Small makers of Slack's rich text, and the pen that writes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from adapters import pen
from adapters.slack.limits import URL
from adapters.slack.text import Json
from adapters.text import line

#: The words of a link.
_TITLE = 200


class Pen(pen.Pen):
    """Writes words and links as Slack's text elements."""

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
