"""A card as Slack draws it: Block Kit JSON and a fallback line. Pure, no SDK.

A message has a head (title, status), the card's blocks, its controls, and a foot with the link to the full page. Each
block gets the same room; when the whole is too large it is drawn again with less, and the foot says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.slack import blocks as draw
from adapters.slack import limits
from adapters.slack.controls import actions
from adapters.slack.rich import Pen, brk, rich, section
from adapters.slack.sketch import sketch
from adapters.slack.text import Json, escaped, plain
from adapters.text import clean, line
from adapters.token import Token
from reviews.card import Actions, Block, Card, Happening, Table

_ROOMS = (6000, 4000, 3000, 2000, 1500, 1000, 700, 500, 350, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent: `text` is read by notifications and screen readers, `blocks` are seen."""

    text: str
    blocks: list[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How much a place holds: blocks, bytes of them, native tables, lines of a list.

    `rooms` are the characters a block may have, tried one after the other until the whole fits.
    """

    rooms: tuple[int, ...]
    blocks: int
    size: int
    tables: int
    lines: int


MESSAGE = Frame(rooms=_ROOMS, blocks=limits.MESSAGE_BLOCKS, size=limits.ABILITIES.max_bytes, tables=1, lines=15)
#: A modal, or Home. Slack takes no table in a modal.
VIEW = Frame(rooms=(25_000, *_ROOMS), blocks=limits.MODAL_BLOCKS, size=limits.VIEW_BYTES, tables=0, lines=40)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A part of a message; `spare` parts go first when there are too many blocks."""

    blocks: list[Json]
    spare: bool = True


def message(card: Card, copy: str) -> Message:
    """The compact card, within every limit of Slack. `copy` goes into its controls."""
    return Message(text=_fallback(card), blocks=whole(card, card.blocks, MESSAGE, Token.of(card, copy)))


def private(card: Card, token: Token | None) -> Message:
    """The compact card for one person alone; without a token it has ways, but no controls."""
    return Message(text=_fallback(card), blocks=whole(card, card.blocks, MESSAGE, token))


def details(card: Card) -> Message | None:
    """The long parts, for the first reply in the thread; None when there are none."""
    if not card.thread:
        return None
    title = f"Details of revision {card.revision}"
    head = rich([section([brk(title) | {"style": {"bold": True}}])])
    drawn = fit(card, card.thread, head, MESSAGE)
    return Message(text=escaped(f"{title}: {line(card.title)}", limits.FALLBACK), blocks=drawn)


def minimal(card: Card) -> Message:
    """What is sent when Slack refused the card: no controls, for nobody decides on what they cannot see."""
    said = "Slack did not take this card. Open the full page to read it and to decide."
    return Message(text=_fallback(card), blocks=[*_head(card), *rich([section([brk(said)])]), *_foot(card, cut=False)])


def note(text: str) -> Message:
    """A sentence for one person, without a card."""
    said = {"type": "section", "text": plain(text, limits.TEXT, lines=True)}
    return Message(text=escaped(clean(text), limits.FALLBACK) or "–", blocks=[said])


def news(lines: Sequence[Happening]) -> Message:
    """What happened since, for a reply beneath a card."""
    said = escaped(" · ".join(line(happened.text) for happened in lines), limits.FALLBACK) or "–"
    return Message(text=said, blocks=_news(lines) or note(said).blocks)


def _news(lines: Sequence[Happening]) -> list[Json]:
    drawn: list[Json] = []
    for room in MESSAGE.rooms:
        pen = Pen(room)
        drawn = draw.happenings(lines, pen)
        drawn += rich([section([brk("There is more on the full page.")])]) if pen.short else []
        if _fits(drawn, MESSAGE):
            break
    return drawn


def size(blocks: Sequence[Json]) -> int:
    """Bytes of the blocks as compact JSON."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")).encode())


def preview(card: Card) -> str:
    """The message as indented JSON, for people who want to see it."""
    drawn = message(card, "preview")
    return json.dumps({"text": drawn.text, "blocks": drawn.blocks}, ensure_ascii=False, indent=2)


def preview_html(card: Card) -> str:
    """A sketch of the message as HTML: escaped, with class names only."""
    return sketch(message(card, "preview").blocks)


# ---------------------------------------------------------------------------------------------- the whole


def whole(card: Card, blocks: Sequence[Block], frame: Frame, token: Token | None) -> list[Json]:
    """Head, blocks and foot within a frame; without a token no controls."""
    return fit(card, blocks, _head(card), frame, token)


def fit(card: Card, blocks: Sequence[Block], head: list[Json], frame: Frame, token: Token | None = None) -> list[Json]:
    """The same with another head, with the largest room per block at which the whole fits."""
    parts: list[_Drawn] = []
    for room in frame.rooms:
        parts, short = _draw(card, blocks, room, frame, token)
        drawn = [*head, *_flat(parts), *_foot(card, cut=short)]
        if _fits(drawn, frame):
            return drawn
    return _drop(parts, head, _foot(card, cut=True), frame)


def _fallback(card: Card) -> str:
    return escaped(line(card.fallback or card.title), limits.FALLBACK) or "A review"


def _head(card: Card) -> list[Json]:
    # A list of reviews has no revision of its own.
    parts = (line(card.status), f"revision {card.revision}" if card.review else "")
    status = " · ".join(part for part in parts if part)
    title: Json = {"type": "header", "text": plain(draw.MARK[card.tone] * (not status) + card.title, limits.HEADER)}
    beneath: Json = {"type": "context", "elements": [plain(draw.MARK[card.tone] + status, limits.CONTEXT_TEXT)]}
    return [title, beneath] if status else [title]


def _foot(card: Card, *, cut: bool) -> list[Json]:
    pen = Pen(limits.URL)
    said = [brk("This is not all of it: it was cut to fit Slack. ")] if cut else []
    link = pen.link(card.link, "Full page") if card.link else []
    return rich([section([*said, *link])])


def _drop(parts: list[_Drawn], head: list[Json], foot: list[Json], frame: Frame) -> list[Json]:
    """Leave out the last spare parts until the whole fits."""
    while not _fits([*head, *_flat(parts), *foot], frame) and any(part.spare for part in parts):
        last = max(n for n, part in enumerate(parts) if part.spare)
        parts = parts[:last] + parts[last + 1 :]
    return [*head, *_flat(parts), *foot]


def _fits(blocks: Sequence[Json], frame: Frame) -> bool:
    return len(blocks) <= frame.blocks and size(blocks) <= frame.size


def _flat(parts: Sequence[_Drawn]) -> list[Json]:
    return [block for part in parts for block in part.blocks]


def _draw(
    card: Card, blocks: Sequence[Block], room: int, frame: Frame, token: Token | None
) -> tuple[list[_Drawn], bool]:
    parts: list[_Drawn] = []
    short = False
    tables = frame.tables
    for block in blocks:
        pen = Pen(room)
        if isinstance(block, Actions):
            parts.append(_Drawn(actions(card, block, token, len(parts)), spare=False))
        elif isinstance(block, Table):
            parts.append(_Drawn(draw.table(block, pen, native=tables > 0)))
            tables -= 1
        else:
            parts.append(_Drawn(draw.block(block, pen, most=frame.lines)))
        short = short or pen.short
    return parts, short
