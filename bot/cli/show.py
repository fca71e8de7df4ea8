"""What commands print for people: plain tables, instants, durations. Texts of others are never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

#: Wide enough for a table in a pipe, where there is no terminal to ask.
_PIPE = 200


def console() -> Console:
    """Standard output, with colours only where they can be seen."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=_PIPE)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> None:
    """Print a table, or the sentence for when there is nothing."""
    rows = list(rows)
    if not rows:
        console().print(plain(nothing))
        return
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(plain(cell) for cell in row))
    console().print(made)


def plain(text: str) -> str:
    """Text as it is: no markup, no control characters that could move the cursor or hide something."""
    return escape(
        "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
    )


def instant(stamp: str | None) -> str:
    """An RFC 3339 stamp, in UTC as on every card."""
    if not stamp:
        return "–"
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%d %b %H:%M:%S} UTC"


def seconds(value: float | None) -> str:
    """A duration in words short enough for a column."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.1f} s"
    if value < 3600:
        return f"{value / 60:.1f} min"
    return f"{value / 3600:.1f} h"
