"""Draws docs/explanation/lifecycle.md from the table in reviews/lifecycle.py: `python -m tools.diagram`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reviews.lifecycle import TABLE, Cell, Phase
from reviews.model import GrantState, Status

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "lifecycle.md"

_HEAD = """\
# The life of a review

Made by `python -m tools.diagram` from the table in `reviews/lifecycle.py`; a test keeps the two the same.

A review is *pending*, or it is the agent's turn (*changes_requested*); then it comes to one end, once. An approval
carries a grant, the right to act, which is used once, or lapses, or is revoked or returned.
"""


_FOOT = """
Refused: the decision that stands is told, in private on a surface and as 409 to an agent, and the log keeps it.
Whisper: a private sentence, nothing else. Time is settled before an event is looked at: a vote at the deadline finds
the review expired. While its agent is stopped, votes are whispered and 423 is the answer to the agent; rejecting,
withdrawing, taking back, comments and outcomes still work.
"""


def page() -> str:
    """The whole page, Markdown with a Mermaid diagram."""
    return "\n".join([_HEAD, *_diagram(), "", "## Every event in every phase", "", *_rows(), _FOOT])


def _diagram() -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2", "    [*] --> pending")
    arrows: dict[tuple[str, str], list[str]] = {}
    for event, cells in TABLE.items():
        for start, cell in zip(("pending", "changes_requested", "approved"), cells, strict=False):
            for to in cell.to:
                arrows.setdefault((start, to), []).append(_words(event))
    yield from (f"    {start} --> {to}: {', '.join(events)}" for (start, to), events in arrows.items())
    ends = [status for status in Status if status.over and status is not Status.APPROVED]
    yield from (f"    {end} --> [*]" for end in (*ends, *(s for s in GrantState if s is not GrantState.OPEN)))
    yield "```"


def _rows() -> Iterator[str]:
    yield f"| event | {' | '.join(Phase)} |"
    yield "|---" * (len(Phase) + 1) + "|"
    for event, cells in TABLE.items():
        yield f"| {_words(event)} | {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(cell: Cell) -> str:
    return cell.words or cell.ruling


def _words(event: type) -> str:
    """`ChangesRequested` in words: `changes requested`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", event.__name__).lower()


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), "utf-8")
