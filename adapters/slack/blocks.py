"""The blocks of a card as Block Kit JSON, each within the room its pen has. Pure.

Every text is plain or a rich text element, which Slack never parses: nothing an agent writes can become markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from adapters.slack import limits
from adapters.slack.controls import accessory
from adapters.slack.rich import Pen, brk, bullets, code, moment, quote, rich, section
from adapters.slack.text import Json, plain
from adapters.text import line
from reviews.card import (
    Callout,
    Diff,
    Difference,
    Divider,
    Evidence,
    Facts,
    Form,
    Happening,
    Input,
    Line,
    Lines,
    Snippet,
    Style,
    Table,
    Text,
    Timeline,
    Tone,
    Voice,
)

#: The blocks that are only looked at.
Shown: TypeAlias = Text | Facts | Diff | Evidence | Callout | Timeline | Lines | Form | Input | Divider

#: Characters one label, value, changed value, snippet or cell may have of a block's room.
_LABEL, _VALUE, _SIDE, _SNIPPET, _CELL = 100, 1000, 400, 500, 200
#: The columns of a table that reads as lines.
_PAIR = 2
#: What a line of a list costs besides its words: its button.
_BUTTON = 300
MARK = {Tone.ATTENTION: "⚠️ ", Tone.DANGER: "⛔ ", Tone.SUCCESS: "✅ ", Tone.NEUTRAL: "", Tone.MUTED: ""}


def block(item: Shown, pen: Pen, *, most: int) -> list[Json]:
    match item:
        case Text():
            return _text(item, pen)
        case Facts():
            return _facts(item, pen)
        case Diff():
            return _diff(item, pen)
        case Evidence():
            return _evidence(item, pen)
        case Callout():
            return _callout(item, pen)
        case Timeline():
            return happenings(item.items, pen)
        case Lines():
            return _lines(item, pen, most)
        case Form():
            return _form(item, pen)
        case Input():
            return rich([section(_input(item, pen))])
        case Divider():
            return [{"type": "divider"}]
        case _:
            assert_never(item)


def happenings(items: Sequence[Happening], pen: Pen) -> list[Json]:
    """What happened, a line each, with instants in the reader's own time."""
    said = [section([moment(i.at), *pen.words(f" {line(i.text)}", most=_VALUE)]) for i in pen.some(items)]
    return rich([bullets(said)])


def _lines(block: Lines, pen: Pen, most: int) -> list[Json]:
    """A list of reviews, each with its way; what is left out is counted."""
    head = rich([section(pen.words(line(block.title), bold=True))])
    shown = [_line(item, pen) for item in pen.some(block.items, most)]
    more = block.more + len(block.items) - len(shown)
    return [*head, *shown, *(rich([section([brk(f"and {more} more")])]) if more else [])]


def _line(item: Line, pen: Pen) -> Json:
    when = f"{item.at:%d %b %H:%M} UTC" if item.at else ""
    beneath = " · ".join(part for part in (when, pen.take(line(item.detail), _SNIPPET)) if part)
    words = "\n".join(part for part in (pen.take(line(item.text), _SNIPPET), beneath) if part)
    button = accessory(item)
    pen.room -= _BUTTON if button else 0
    said: Json = {"type": "section", "text": plain(words, limits.TEXT, lines=True)}
    return said | ({"accessory": button} if button else {})


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
    title = pen.words(_titled(block.title, block.voice), bold=True)
    # Two sections in a row may run together, so the house's title is the first line of its facts.
    house = block.voice is Voice.HOUSE
    frame, parts, lines = (section, [], title) if house else (quote, [section(title)], [])
    for fact in pen.some(block.items):
        lines = [*lines, *([brk()] if lines else []), *_label(fact.label, pen)]
        value = pen.words(fact.value.strip(), italic=fact.redacted, most=_VALUE) or [brk("–")]
        if "\n" in value[0]["text"]:
            parts, lines = [*parts, frame(lines), code(value)], []
        else:
            lines += value
    return rich([*parts, frame(lines)])


def _label(text: str, pen: Pen) -> list[Json]:
    """A label with its colon, also where it is cut: the value must not read on from it."""
    return pen.words(pen.clip(line(text), _LABEL) + ": ", bold=True, most=_LABEL + 2)


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
    mark = MARK[block.tone] if house else ""
    title = pen.words(_titled(block.title, block.voice, mark).strip(), bold=True)
    gap = [brk()] if title and block.text else []
    return rich([(section if house else quote)([*title, *gap, *pen.words(block.text)])])


def _form(block: Form, pen: Pen) -> list[Json]:
    rows = [section(_input(item, pen)) for item in pen.some(block.fields)]
    foot = section([brk("Fill it in on the full page.")])
    return rich([section(pen.words(block.intro)), bullets(rows), foot] if rows else [section(pen.words(block.intro))])


def _input(block: Input, pen: Pen) -> list[Json]:
    value = "locked" if block.locked else line(block.value)
    return [*_label(block.label, pen), *pen.words(value, italic=block.locked)]


def table(block: Table, pen: Pen, *, native: bool) -> list[Json]:
    """A table, where Slack takes one; else text: who said what is a line each, what is wider stands in a box."""
    head = rich(_title(block.title, block.voice, pen))
    rows = [block.columns, *block.rows]
    widest = max(len(row) for row in rows)
    width = min(widest, limits.TABLE_COLUMNS)
    pen.short = pen.short or widest > width
    if not width:
        return head
    if not native and width == _PAIR and block.title:
        return [*head, *_pairs(block, pen)]
    cells = [_row(row, width, pen) for row in pen.some(rows, limits.TABLE_ROWS)]
    if native:
        return [*head, {"type": "table", "rows": [[{"type": "raw_text", "text": c} for c in row] for row in cells]}]
    return [*head, *rich([code([brk("\n".join(" | ".join(row) for row in cells))])])]


def _pairs(block: Table, pen: Pen) -> list[Json]:
    """Rows of two cells, the first one bold: the title says what they are."""
    frame = section if block.voice is Voice.HOUSE else quote
    lines: list[Json] = []
    for row in pen.some(block.rows):
        first, second = (*row, "", "")[:_PAIR]
        label = _label(first or "–", pen)
        lines += [*([brk()] if lines else []), *label, *(pen.words(line(second), most=_VALUE) or [brk("–")])]
    return rich([frame(lines)])


def _row(row: Sequence[str], width: int, pen: Pen) -> list[str]:
    padded = (*row, *[""] * width)[:width]
    return [pen.take(line(cell), _CELL) or "–" for cell in padded]
