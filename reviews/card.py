"""The neutral card: what a reviewer sees, before any surface has drawn it. No I/O.

A closed union of blocks. All text is plain text, never markup: a renderer escapes it for its surface. `Voice`
says whose words they are, so that an agent's text can never pass for a control or for the house's own words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from reviews.model import Verb


class Tone(StrEnum):
    """The mood of a card or callout; always accompanied by words, never colour alone."""

    NEUTRAL = "neutral"
    ATTENTION = "attention"
    DANGER = "danger"
    SUCCESS = "success"
    MUTED = "muted"


class Voice(StrEnum):
    """Whose words a text is made of."""

    HOUSE = "house"
    AGENT = "agent"
    PERSON = "person"


class Style(StrEnum):
    """How a text is set."""

    PLAIN = "plain"
    HEADING = "heading"
    QUOTE = "quote"
    CODE = "code"
    SMALL = "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A paragraph."""

    text: str
    style: Style = Style.PLAIN
    voice: Voice = Voice.HOUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A label and its value. `redacted` values are already replaced; `pointer` names where they came from.

    `at` is the instant the value speaks of, if it speaks of one, so that a surface can show it in local time.
    """

    label: str
    value: str
    redacted: bool = False
    pointer: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Labels and values side by side."""

    items: tuple[Fact, ...]
    title: str = ""
    voice: Voice = Voice.HOUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One changed value; None where there was, or is, nothing."""

    pointer: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What changed between what the agent proposed and what stands now."""

    items: tuple[Difference, ...]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of evidence. `host` is the host of `url`, to be shown beside the link; `score` 0..1."""

    title: str
    snippet: str = ""
    url: str | None = None
    host: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the claims rest on; `highlight` are words to mark in snippets. `more` counts those left out."""

    items: tuple[Snippet, ...]
    highlight: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under headings."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    voice: Voice = Voice.HOUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """A sentence set apart: a warning, the guide, what came of it."""

    text: str
    tone: Tone = Tone.NEUTRAL
    title: str = ""
    voice: Voice = Voice.HOUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of the timeline."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What happened, oldest first."""

    items: tuple[Happening, ...]


class Kind(StrEnum):
    """The kinds of form input."""

    TEXT = "text"
    MULTILINE = "multiline"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    DATE = "date"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field of a form.

    `name` is a JSON Pointer into `arguments` for edits, else a plain word (`reason`, `text`, `notes`, `to`).
    `value` is the present value as text. `labels` are what people read for each of `choices`, in the same order;
    without them a choice reads as itself. `locked` fields are sensitive: shown empty, and left blank they keep
    their value.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    value: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    hint: str = ""
    locked: bool = False
    max_length: int = 3000
    labels: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Each choice with what people read for it."""
        return tuple(zip(self.choices, self.labels or self.choices, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What must be filled in before a control acts.

    `whole` is what all the arguments are asked as in one, where their fields do not fit; None: made of the fields.
    """

    fields: tuple[Input, ...]
    submit: str
    intro: str = ""
    whole: Input | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button. `confirm` is a question asked first; `form` what is filled in first. `style`: primary, danger or ""."""

    verb: Verb
    label: str
    style: str = ""
    confirm: str = ""
    form: Form | None = None


class Go(StrEnum):
    """Ways to look further; none of them decides."""

    OPEN = "open"
    HISTORY = "history"
    QUEUE = "queue"
    BULK = "bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A button that shows something to who presses it alone.

    `value` is a review id for `open` and `history`, a view of the queue for `queue`, an action's name for `bulk`.
    """

    go: Go
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """The buttons, and behind them the ones used rarely; `ways` lead on and decide nothing."""

    controls: tuple[Control, ...]
    overflow: tuple[Control, ...] = ()
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One review among others. `text` is the house's and redacted; `at` its deadline, or when it was decided."""

    review: str
    text: str
    detail: str = ""
    at: datetime | None = None
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Reviews, a line each. `more` counts those left out."""

    items: tuple[Line, ...]
    title: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Divider:
    """A line between parts."""


Block: TypeAlias = (
    Text | Facts | Diff | Evidence | Table | Callout | Timeline | Lines | Actions | Form | Input | Divider
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What one reviewer, or a channel, sees of a review.

    `blocks` is the compact card, `thread` the long parts (first reply in a thread, lower half of the page).
    `fallback` is one plain line that notifications and screen readers read, redacted like the rest. `link` is the
    full page. `version` and `digest` say what was shown. `status` is a word or two for the status pill.
    """

    review: str
    revision: int
    version: int
    title: str
    tone: Tone
    status: str
    fallback: str
    blocks: tuple[Block, ...]
    thread: tuple[Block, ...] = ()
    link: str = ""
    digest: str = ""
    over: bool = field(default=False)


def plain_card(
    title: str, blocks: Iterable[Block], *, link: str = "", tone: Tone = Tone.NEUTRAL, fallback: str = ""
) -> Card:
    """A card that is of no review: a list, an answer, a sentence. The title is its fallback unless one is given."""
    return Card(
        review="",
        revision=0,
        version=0,
        title=title,
        tone=tone,
        status="",
        fallback=fallback or title,
        blocks=tuple(blocks),
        link=link,
    )
