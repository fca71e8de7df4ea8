"""Small makers of Adaptive Card elements. Pure.

Words stand in text runs alone: Teams reads Markdown in TextBlock and FactSet, so neither is drawn, and no agent can
write a link, a bold word or a list. Where a client reads `{{DATE(…)}}` in a run, the two braces are parted.
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from microsoft_teams.cards import (
    AdaptiveCard,
    CardElement,
    Column,
    ColumnSet,
    Container,
    OpenUrlAction,
    RichTextBlock,
    SerializableObject,
    TextRun,
)

from adapters.teams import limits
from adapters.teams.budget import Pen
from adapters.teams.seam import Json
from adapters.text import cut, line
from reviews.card import Tone

#: The words of a link.
_TITLE = 200
#: The signs of a URI that stand for themselves, its hosts, and where each per cent sign begins two digits.
_URI = "!#$%&'()*+,/:;=?@~-._"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_PERCENT = re.compile(r"([^%]|%[0-9A-Fa-f]{2})*")
#: A place between two braces: a function of the card's language begins with both.
_BRACES = re.compile(r"(?<=\{)(?=\{)")

Look = Literal["default", "emphasis", "accent", "good", "attention", "warning"]
Gap = Literal["None", "Small", "Default", "Medium", "Large"]

#: What stands before words of a tone, and the look of what holds them: never colour alone.
MARK = {Tone.ATTENTION: "⚠️ ", Tone.DANGER: "⛔ ", Tone.SUCCESS: "✅ ", Tone.NEUTRAL: "", Tone.MUTED: ""}
LOOK: dict[Tone, Look] = {
    Tone.ATTENTION: "warning",
    Tone.DANGER: "attention",
    Tone.SUCCESS: "good",
    Tone.NEUTRAL: "accent",
    Tone.MUTED: "emphasis",
}


def runs(text: str, **look: Any) -> list[TextRun]:
    """Words as text runs, which are never parsed; none where there are no words."""
    return [TextRun(text=piece, **look) for piece in _BRACES.split(text) if piece]


def bold(text: str, **look: Any) -> list[TextRun]:
    """Bold words."""
    return runs(text, weight="Bolder", **look)


def soft(text: str, **look: Any) -> list[TextRun]:
    """Words toned down."""
    return runs(text, is_subtle=True, **look)


def moment(at: datetime, **look: Any) -> list[TextRun]:
    """An instant, which a client shows in the reader's own time zone and language."""
    instant = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return [TextRun(text=f"{{{{DATE({instant}, SHORT)}}}} {{{{TIME({instant})}}}}", **look)]


def link(url: str | None, words: str, pen: Pen) -> list[TextRun]:
    """A link where the address is a web address and there is room for it, else its words."""
    address = web_address(url or "")
    if not address or len(address) > pen.room:
        return bold(pen.take(line(words), _TITLE))
    pen.room -= len(address)
    opened = OpenUrlAction(url=address)
    return [TextRun(text=pen.take(flat(words, _TITLE), _TITLE) or "link", color="Accent", select_action=opened)]


def web_address(url: str) -> str:
    """The address as a URI (RFC 3986), for Teams refuses a card for one that is none; "" where it is no web address.

    http or https, with a plain host, no spaces, not too long. What is not ASCII is written as browsers send it.
    """
    if url != line(url) or " " in url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        whole = parts.scheme in ("http", "https") and parts.netloc.isascii() and (parts.port or 1) > 0
    except ValueError:
        return ""
    address = quote(url, safe=_URI)
    good = whole and _HOST.fullmatch(host) and _PERCENT.fullmatch(address) and address.count("#") <= 1
    return address if good and "{{" not in url and len(address) <= limits.URL else ""


def flat(text: str, most: int) -> str:
    """Words for where there are no runs (labels, titles of buttons): on one line, and of no card's language."""
    return cut(line(text).replace("{{", "{ {"), most)


def para(inlines: Sequence[TextRun], gap: Gap = "Small") -> list[CardElement]:
    """A paragraph; none without words."""
    return [RichTextBlock(inlines=list[CardElement](inlines), spacing=gap)] if inlines else []


def paras(lines: Sequence[str], gap: Gap = "Small", **look: Any) -> list[CardElement]:
    """A paragraph of several lines; a blank one is a gap."""
    made: list[CardElement] = []
    for each in lines:
        made += para(runs(each, **look), gap)
        gap = "None" if each else "Small"
    return made


def box(items: Sequence[CardElement], look: Look = "emphasis", gap: Gap = "Small") -> list[CardElement]:
    """What is set apart from the rest; none without anything in it."""
    return [Container(items=list(items), style=look, spacing=gap)] if items else []


def row(*cells: tuple[str, Sequence[CardElement]], gap: Gap = "None") -> CardElement:
    """Columns, each with its width: `auto`, `stretch` or as `130px`."""
    return ColumnSet(columns=[Column(width=width, items=list(items)) for width, items in cells], spacing=gap)


def dumped(made: SerializableObject) -> Json:
    """As the JSON that Teams takes."""
    drawn: Json = made.model_dump(by_alias=True, exclude_none=True)
    return drawn


def sheet(body: Sequence[CardElement], actions: Sequence[Any] = (), **more: Any) -> AdaptiveCard:
    """A card, or what a button shows."""
    return AdaptiveCard(version="1.5", body=list(body), actions=list(actions) or None, **more)
