"""The blocks of a card as Adaptive Card elements, each within the room its pen has. Pure.

What is not the house's stands in a grey box that begins with whose words it holds; nothing in it can be pressed but
links, which are shown with their host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, assert_never

from microsoft_teams.cards import CardElement, ColumnDefinition, TableCell, TableRow, TextRun
from microsoft_teams.cards import Table as Grid

from adapters.teams import limits
from adapters.teams.budget import Frame, Pen
from adapters.teams.controls import beside
from adapters.teams.rich import LOOK, MARK, Gap, bold, box, link, moment, para, paras, row, runs, soft
from adapters.text import line
from reviews.card import (
    Callout,
    Diff,
    Difference,
    Divider,
    Evidence,
    Fact,
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
Shown: TypeAlias = Text | Facts | Diff | Evidence | Callout | Timeline | Lines | Form | Input | Divider | Table

#: Characters one label, value, changed value, snippet or cell may have of a block's room.
_LABEL, _VALUE, _SIDE, _SNIPPET, _CELL = 100, 1000, 400, 500, 200
#: How wide the labels of facts are; values take the rest.
_BESIDE = "132px"
#: The columns of a table that reads as lines.
_PAIR = 2


def block(item: Shown, pen: Pen, frame: Frame) -> list[CardElement]:
    """The elements of a block."""
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
            return _lines(item, pen, frame.lines)
        case Table():
            return _table(item, pen)
        case Form():
            return _form(item, pen)
        case Input():
            return para(_input(item, pen))
        case Divider():
            return para(runs("· · ·", is_subtle=True), "Medium")
        case _:
            assert_never(item)


def happenings(items: Sequence[Happening], pen: Pen) -> list[CardElement]:
    """What happened, a line each, with instants in the reader's own time."""
    shown = [para([*moment(i.at, is_subtle=True), *_words(f"  {line(i.text)}", pen, _VALUE)]) for i in pen.some(items)]
    return [element for each in shown for element in each]


def _words(text: str, pen: Pen, most: int | None = None) -> list[TextRun]:
    return runs(pen.take(text, most))


# ---------------------------------------------------------------------------------------------- whose words


def _whose(voice: Voice) -> str:
    return "From the agent" if voice is Voice.AGENT else ""


def _titled(title: str, voice: Voice, pen: Pen) -> list[CardElement]:
    """A title; before an agent's the house says whose words follow, where nothing can push it out of sight."""
    whose = soft(_whose(voice), size="Small")
    words = bold(pen.take(line(title), _VALUE)) if line(title) else []
    return para([*whose, *(soft(" · ", size="Small") if whose and words else []), *words], "Small")


def _framed(voice: Voice, items: Sequence[CardElement]) -> list[CardElement]:
    return list(items) if voice is Voice.HOUSE else box(items)


# ---------------------------------------------------------------------------------------------- texts


def _text(block: Text, pen: Pen) -> list[CardElement]:
    strange = block.voice is not Voice.HOUSE
    match block.style:
        case Style.CODE:
            said = paras(pen.lines(block.text), "None", font_type="Monospace")
            return box([*_titled("", block.voice, pen), *said] if said else [])
        case Style.HEADING:
            said = para(bold(pen.take(line(block.text))), "Medium")
        case Style.SMALL:
            said = paras(pen.lines(block.text), size="Small", is_subtle=True)
        case Style.PLAIN | Style.QUOTE:
            said = paras(pen.lines(block.text))
        case _:
            assert_never(block.style)
    if not strange and block.style is not Style.QUOTE:
        return said
    return box([*_titled("", block.voice, pen), *said] if said else [])


def _callout(block: Callout, pen: Pen) -> list[CardElement]:
    house = block.voice is Voice.HOUSE
    if not house:
        return box([*_titled(block.title, block.voice, pen), *paras(pen.lines(block.text))])
    # No colour of their own: on a band of the tone's colour words would be hard to read.
    named = bold(pen.take(MARK[block.tone] + line(block.title))) if line(block.title) else []
    title = para(named, "Medium")
    mark = "" if named else MARK[block.tone]
    said = paras(pen.lines(mark + block.text)) if block.text.strip() else []
    plain = block.tone is Tone.NEUTRAL
    return [*title, *said] if plain else box([*title, *said], LOOK[block.tone])


def _diff(block: Diff, pen: Pen) -> list[CardElement]:
    """Lines with - and +; every line of a value is marked, so that none can pass for another change."""
    title = para(bold(pen.take(line(block.title), _VALUE)), "Medium") if line(block.title) else []
    shown = [element for item in pen.some(block.items) for element in _difference(item, pen)]
    return [*title, *box(shown)]


def _difference(item: Difference, pen: Pen) -> list[CardElement]:
    sides = (("−", item.before, "Attention"), ("+", item.after, "Good"))
    return [
        e for mark, value, color in sides if value is not None for e in _side(mark, item.pointer, value, color, pen)
    ]


def _side(mark: str, pointer: str, value: str, color: str, pen: Pen) -> list[CardElement]:
    # Each value is cut by itself, for one long value must not hide all the changes after it.
    first, *rest = pen.lines(value, _SIDE)
    name = pen.clip(line(pointer), _LABEL)
    head = [
        *runs(f"{mark} ", color=color, weight="Bolder", font_type="Monospace"),
        *bold(f"{name}: ", font_type="Monospace"),
        *runs(first, font_type="Monospace"),
    ]
    more = [para(runs(f"{mark}     {each}", font_type="Monospace"), "None") for each in rest]
    return [*para(head, "None"), *(element for each in more for element in each)]


# ---------------------------------------------------------------------------------------------- facts


def _facts(block: Facts, pen: Pen) -> list[CardElement]:
    """A row per fact: no value can pass for another fact, for it stands in its own column."""
    titled = bool(line(block.title)) or block.voice is not Voice.HOUSE
    title = _titled(block.title, block.voice, pen) if titled else []
    items = [_fact(fact, pen, "Small" if n or titled else "Medium") for n, fact in enumerate(pen.some(block.items))]
    return _framed(block.voice, [*title, *items]) if items else []


def _fact(fact: Fact, pen: Pen, gap: Gap) -> CardElement:
    value: list[CardElement] = paras(pen.lines(fact.value, _VALUE), "None", italic=fact.redacted or None)
    if fact.at is not None:
        value += para([*soft("For you: ", size="Small"), *moment(fact.at, size="Small", is_subtle=True)], "None")
    label = para(soft(pen.take(line(fact.label), _LABEL) or "–"), "None")
    return row((_BESIDE, label), ("stretch", value or para(soft("–"), "None")), gap=gap)


def _form(block: Form, pen: Pen) -> list[CardElement]:
    rows = [para(_input(item, pen)) for item in pen.some(block.fields)]
    foot = para(soft("Fill it in on the full page.")) if rows else []
    return [*(paras(pen.lines(block.intro)) if block.intro else []), *(e for each in rows for e in each), *foot]


def _input(block: Input, pen: Pen) -> list[TextRun]:
    value = "locked" if block.locked else line(block.value)
    label = bold(pen.clip(line(block.label), _LABEL) + ": ")
    return [*label, *runs(pen.take(value), italic=block.locked or None)]


# ---------------------------------------------------------------------------------------------- evidence


def _evidence(block: Evidence, pen: Pen) -> list[CardElement]:
    shown = [_snippet(item, block.highlight, pen) for item in pen.some(block.items)]
    more = block.more + len(block.items) - len(shown)
    foot = para(soft(f"{more} more on the full page", size="Small")) if more else []
    return box([*_titled("Evidence", Voice.AGENT, pen), *(e for each in shown for e in each), *foot])


def _snippet(item: Snippet, highlight: Sequence[str], pen: Pen) -> list[CardElement]:
    score = f"{item.score:.0%}" if item.score is not None else ""
    where = " · ".join(pen.clip(line(part), _LABEL) for part in (item.host or "", score) if part)
    head = para([*link(item.url, item.title, pen), *soft(f"  {where}" if where else "", size="Small")], "Small")
    texts = pen.lines(item.snippet, _SNIPPET) if item.snippet else []
    return [*head, *(e for text in texts for e in para(_marked(text, highlight), "None"))]


def _marked(text: str, terms: Sequence[str]) -> list[TextRun]:
    """The words with the given terms in bold, found without regard to case."""
    low = text.lower()
    wanted = [term.lower() for term in terms if term.strip()]
    if len(low) != len(text):  # a letter whose small form is longer: positions would not agree
        return runs(text)
    pieces: list[TextRun] = []
    at = 0
    while at < len(text):
        hits = [(found, -len(term)) for term in wanted if (found := low.find(term, at)) >= 0]
        start, length = min(hits, default=(len(text), 0))
        pieces += [*runs(text[at:start]), *bold(text[start : start - length])]
        at = start - length
    return pieces


# ---------------------------------------------------------------------------------------------- lists and tables


def _lines(block: Lines, pen: Pen, most: int) -> list[CardElement]:
    """A list of reviews, each with its way; what is left out is counted."""
    head = para(bold(pen.take(line(block.title), _VALUE)), "Medium") if line(block.title) else []
    shown = [_line(item, pen) for item in pen.some(block.items, most)]
    more = block.more + len(block.items) - len(shown)
    return [*head, *shown, *(para(soft(f"and {more} more")) if more else [])]


def _line(item: Line, pen: Pen) -> CardElement:
    words = para(bold(pen.take(line(item.text), _SNIPPET) or "–"), "None")
    detail = soft(pen.take(line(item.detail), _SNIPPET), size="Small") if line(item.detail) else []
    when = moment(item.at, size="Small", is_subtle=True) if item.at else []
    gap = soft(" · ", size="Small") if when and detail else []
    said = [*words, *para([*when, *gap, *detail], "None")]
    ways = beside(item)
    return row(("stretch", said), *([("auto", ways)] if ways else []), gap="Medium")


def _table(block: Table, pen: Pen) -> list[CardElement]:
    """A table; who said what is a line each; what is too wide for a chat is set as lines of one width."""
    titled = bool(line(block.title)) or block.voice is not Voice.HOUSE
    title = _titled(block.title, block.voice, pen) if titled else []
    rows = [block.columns, *block.rows]
    width = max(len(cells) for cells in rows)
    if not width:
        return _framed(block.voice, title)
    if width == _PAIR:
        return _framed(block.voice, [*title, *_pairs(block, pen)])
    if width > limits.TABLE_COLUMNS:
        return _framed(block.voice, [*title, *_wide(rows, pen)])
    made = [_row(cells, width, pen, bolder=not n) for n, cells in enumerate(pen.some(rows))]
    columns = [ColumnDefinition(width=1) for _ in range(width)]
    return _framed(block.voice, [*title, Grid(columns=columns, rows=made, spacing="Small")])


def _pairs(block: Table, pen: Pen) -> list[CardElement]:
    """Rows of two cells, the first one bold: the title says what they are."""
    made: list[CardElement] = []
    for cells in pen.some(block.rows):
        first, *rest = [*cells, "", ""][:_PAIR]
        head, *more = pen.lines(rest[0], _VALUE)
        made += para([*bold(pen.take(line(first), _LABEL) + ": "), *runs(head)])
        made += paras(more, "None")
    return made


def _wide(rows: Sequence[Sequence[str]], pen: Pen) -> list[CardElement]:
    said = [" | ".join(pen.clip(line(cell), _CELL) for cell in cells) for cells in rows]
    shown = [pen.take(text) for text in pen.some(said)]
    return paras([text for text in shown if text], "None", font_type="Monospace", size="Small")


def _row(cells: Sequence[str], width: int, pen: Pen, *, bolder: bool) -> TableRow:
    full = [*cells, *[""] * (width - len(cells))]
    weight: Literal["Bolder"] | None = "Bolder" if bolder else None
    made = [para(runs(pen.take(line(cell), _CELL) or "–", weight=weight), "None") for cell in full]
    return TableRow(cells=[TableCell(items=items) for items in made])
