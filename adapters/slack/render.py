"""A card as Slack draws it: Block Kit JSON and a fallback line. Pure, no SDK.

A message has a head (title, status), the card's blocks, its controls, and a foot with the link to the full page. Each
block gets the same room; when the whole is too large it is drawn again with less, and the foot says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from adapters.slack import limits
from adapters.slack.controls import actions
from adapters.slack.press import Token
from adapters.slack.rich import Pen, brk, bullets, code, moment, quote, rich, section
from adapters.slack.sketch import sketch
from adapters.slack.text import Json, clean, escaped, line, plain
from reviews.card import (
    Actions,
    Block,
    Callout,
    Card,
    Diff,
    Difference,
    Divider,
    Evidence,
    Facts,
    Form,
    Input,
    Snippet,
    Style,
    Table,
    Text,
    Timeline,
    Tone,
    Voice,
)

#: Characters a block may have, tried one after the other until the whole fits.
_ROOMS = (6000, 3000, 1500, 800, 400, 200)
#: Characters one label, value, changed value, snippet or cell may have of that.
_LABEL, _VALUE, _SIDE, _SNIPPET, _CELL = 100, 1000, 400, 500, 200
_MARK = {Tone.ATTENTION: "⚠️ ", Tone.DANGER: "⛔ ", Tone.SUCCESS: "✅ ", Tone.NEUTRAL: "", Tone.MUTED: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent: `text` is read by notifications and screen readers, `blocks` are seen."""

    text: str
    blocks: list[Json]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A part of a message; `spare` parts go first when there are too many blocks."""

    blocks: list[Json]
    spare: bool = True


def message(card: Card, copy: str) -> Message:
    """The compact card, within every limit of Slack. `copy` goes into its controls."""
    return Message(text=_fallback(card), blocks=_fit(card, card.blocks, _head(card), Token.of(card, copy)))


def details(card: Card) -> Message | None:
    """The long parts, for the first reply in the thread; None when there are none."""
    if not card.thread:
        return None
    title = f"Details of revision {card.revision}"
    head = rich([section([brk(title) | {"style": {"bold": True}}])])
    return Message(text=escaped(f"{title}: {line(card.title)}", limits.FALLBACK), blocks=_fit(card, card.thread, head))


def minimal(card: Card) -> Message:
    """What is sent when Slack refused the card: no controls, for nobody decides on what they cannot see."""
    said = "Slack did not take this card. Open the full page to read it and to decide."
    return Message(text=_fallback(card), blocks=[*_head(card), *rich([section([brk(said)])]), *_foot(card, cut=False)])


def note(text: str) -> Message:
    """A sentence for one person, without a card."""
    said = {"type": "section", "text": plain(text, limits.TEXT, lines=True)}
    return Message(text=escaped(clean(text), limits.FALLBACK), blocks=[said])


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


def _fallback(card: Card) -> str:
    return escaped(line(card.fallback or card.title), limits.FALLBACK) or "A review"


def _head(card: Card) -> list[Json]:
    status = f"{_MARK[card.tone]}{card.status} · revision {card.revision}"
    return [
        {"type": "header", "text": plain(card.title, limits.HEADER)},
        {"type": "context", "elements": [plain(status, limits.CONTEXT_TEXT)]},
    ]


def _foot(card: Card, *, cut: bool) -> list[Json]:
    pen = Pen(limits.URL)
    said = [brk("This is not all of it: it was cut to fit Slack. ")] if cut else []
    link = pen.link(card.link, "Full page") if card.link else []
    return rich([section([*said, *link])])


def _fit(card: Card, blocks: Sequence[Block], head: list[Json], token: Token | None = None) -> list[Json]:
    """Head, blocks and foot, with the largest room per block at which the whole fits."""
    parts: list[_Drawn] = []
    for room in _ROOMS:
        parts, short = _draw(card, blocks, room, token)
        whole = [*head, *_flat(parts), *_foot(card, cut=short)]
        if _fits(whole):
            return whole
    return _drop(parts, head, _foot(card, cut=True))


def _drop(parts: list[_Drawn], head: list[Json], foot: list[Json]) -> list[Json]:
    """Leave out the last spare parts until the whole fits."""
    while not _fits([*head, *_flat(parts), *foot]) and any(part.spare for part in parts):
        last = max(n for n, part in enumerate(parts) if part.spare)
        parts = parts[:last] + parts[last + 1 :]
    return [*head, *_flat(parts), *foot]


def _fits(blocks: Sequence[Json]) -> bool:
    return len(blocks) <= limits.MESSAGE_BLOCKS and size(blocks) <= limits.ABILITIES.max_bytes


def _flat(parts: Sequence[_Drawn]) -> list[Json]:
    return [block for part in parts for block in part.blocks]


def _draw(card: Card, blocks: Sequence[Block], room: int, token: Token | None) -> tuple[list[_Drawn], bool]:
    parts: list[_Drawn] = []
    short = False
    tables = 1
    for block in blocks:
        pen = Pen(room)
        if isinstance(block, Actions):
            drawn = actions(card, block, token, len(parts)) if token and not card.over else []
            parts.append(_Drawn(drawn, spare=False))
        elif isinstance(block, Table):
            parts.append(_Drawn(_table(block, pen, native=tables > 0)))
            tables -= 1
        else:
            parts.append(_Drawn(_block(block, pen)))
        short = short or pen.short
    return parts, short


# ---------------------------------------------------------------------------------------------- block by block


def _block(block: Text | Facts | Diff | Evidence | Callout | Timeline | Form | Input | Divider, pen: Pen) -> list[Json]:
    match block:
        case Text():
            return _text(block, pen)
        case Facts():
            return _facts(block, pen)
        case Diff():
            return _diff(block, pen)
        case Evidence():
            return _evidence(block, pen)
        case Callout():
            return _callout(block, pen)
        case Timeline():
            lines = [
                section([moment(i.at), *pen.words(f" {line(i.text)}", most=_VALUE)]) for i in pen.some(block.items)
            ]
            return rich([bullets(lines)])
        case Form():
            return _form(block, pen)
        case Input():
            return rich([section(_input(block, pen))])
        case Divider():
            return [{"type": "divider"}]
        case _:
            assert_never(block)


def _text(block: Text, pen: Pen) -> list[Json]:
    bold = block.style is Style.HEADING
    if block.style is Style.CODE:
        return rich([code(pen.words(block.text))])
    if block.voice is not Voice.HOUSE or block.style is Style.QUOTE:
        return rich([quote(pen.words(block.text, bold=bold))])
    if block.style is Style.SMALL:
        small = pen.take(block.text).strip()
        return [{"type": "context", "elements": [plain(small, limits.CONTEXT_TEXT, lines=True)]}] if small else []
    return rich([section(pen.words(block.text, bold=bold))])


def _titled(title: str, voice: Voice, mark: str = "") -> str:
    """A title; before an agent's the house says whose words follow, where nothing can push it out of sight."""
    whose = "From the agent" if voice is Voice.AGENT else ""
    return mark + " · ".join(part for part in (whose, line(title)) if part)


def _title(title: str, voice: Voice, pen: Pen) -> list[Json]:
    return [section(pen.words(_titled(title, voice), bold=True))]


def _facts(block: Facts, pen: Pen) -> list[Json]:
    """One line per fact; a value of several lines stands in a box, where it cannot pass for another fact."""
    parts = _title(block.title, block.voice, pen)
    frame = section if block.voice is Voice.HOUSE else quote
    lines: list[Json] = []
    for fact in pen.some(block.items):
        label = pen.words(line(fact.label) + ": ", bold=True, most=_LABEL)
        value = pen.words(fact.value.strip(), italic=fact.redacted, most=_VALUE) or [brk("–")]
        if "\n" in value[0]["text"]:
            parts += [frame(lines), frame(label), code(value)]
            lines = []
        else:
            lines += [*([brk()] if lines else []), *label, *value]
    return rich([*parts, frame(lines)])


def _diff(block: Diff, pen: Pen) -> list[Json]:
    """Lines with - and +; every line of a value is marked, so that none can pass for another change."""
    lines: list[str] = []
    for item in pen.some(block.items):
        lines.append(_difference(item, pen))
        pen.room -= len(lines[-1])
    return rich([*_title(block.title, Voice.HOUSE, Pen(_LABEL)), code([brk("\n".join(lines))] if any(lines) else [])])


def _difference(item: Difference, pen: Pen) -> str:
    sides = (("-", item.before), ("+", item.after))
    return "\n".join(_side(mark, item.pointer, value, pen) for mark, value in sides if value is not None)


def _side(mark: str, pointer: str, value: str, pen: Pen) -> str:
    # Each value is cut by itself, for one long value must not hide all the changes after it.
    first, *rest = pen.clip(value, _SIDE).split("\n")
    return "\n".join([f"{mark} {pen.clip(line(pointer), _LABEL)}: {first}", *(f"{mark}     {more}" for more in rest)])


def _evidence(block: Evidence, pen: Pen) -> list[Json]:
    parts = [section(pen.words(_titled("Evidence", Voice.AGENT), bold=True))]
    shown = [_snippet(item, block.highlight, pen) for item in pen.some(block.items)]
    more = block.more + len(block.items) - len(shown)
    parts += [quote(elements) for elements in shown]
    return rich([*parts, section([brk(f"{more} more on the full page")])] if more else parts)


def _snippet(item: Snippet, highlight: Sequence[str], pen: Pen) -> list[Json]:
    beside = [item.host or "", f"{item.score:.0%}" if item.score is not None else ""]
    where = " · ".join(line(part) for part in beside if part)
    return [
        *pen.link(item.url, item.title),
        *([brk(f" ({where})")] if where else []),
        *([brk(), *_marked(item.snippet, highlight, pen)] if item.snippet else []),
    ]


def _marked(text: str, terms: Sequence[str], pen: Pen) -> list[Json]:
    """The words with the given terms in bold, found without regard to case."""
    words = pen.take(text, _SNIPPET)
    low = words.lower()
    wanted = [term.lower() for term in terms if term.strip()]
    if len(low) != len(words):  # a letter whose small form is longer: positions would not agree
        return [brk(words)]
    pieces: list[Json] = []
    at = 0
    while at < len(words):
        hits = [(found, -len(term)) for term in wanted if (found := low.find(term, at)) >= 0]
        start, length = min(hits, default=(len(words), 0))
        if start > at:
            pieces.append(brk(words[at:start]))
        if length:
            pieces.append(brk(words[start : start - length]) | {"style": {"bold": True}})
        at = start - length
    return pieces


def _callout(block: Callout, pen: Pen) -> list[Json]:
    house = block.voice is Voice.HOUSE
    mark = _MARK[block.tone] if house else ""
    title = pen.words(_titled(block.title, block.voice, mark).strip(), bold=True)
    gap = [brk()] if title and block.text else []
    return rich([(section if house else quote)([*title, *gap, *pen.words(block.text)])])


def _form(block: Form, pen: Pen) -> list[Json]:
    rows = [section(_input(item, pen)) for item in pen.some(block.fields)]
    foot = section([brk("Fill it in on the full page.")])
    return rich([section(pen.words(block.intro)), bullets(rows), foot] if rows else [section(pen.words(block.intro))])


def _input(block: Input, pen: Pen) -> list[Json]:
    value = "locked" if block.locked else line(block.value)
    return [*pen.words(line(block.label) + ": ", bold=True), *pen.words(value, italic=block.locked)]


def _table(block: Table, pen: Pen, *, native: bool) -> list[Json]:
    """A table; Slack takes one per message, so the next ones are drawn as text."""
    head = rich(_title(block.title, block.voice, pen))
    rows = [block.columns, *block.rows]
    widest = max(len(row) for row in rows)
    width = min(widest, limits.TABLE_COLUMNS)
    pen.short = pen.short or widest > width
    if not width:
        return head
    cells = [_row(row, width, pen) for row in pen.some(rows, limits.TABLE_ROWS)]
    if native:
        return [*head, {"type": "table", "rows": [[{"type": "raw_text", "text": c} for c in row] for row in cells]}]
    return [*head, *rich([code([brk("\n".join(" | ".join(row) for row in cells))])])]


def _row(row: Sequence[str], width: int, pen: Pen) -> list[str]:
    padded = (*row, *[""] * width)[:width]
    return [pen.take(line(cell), _CELL) or "–" for cell in padded]
