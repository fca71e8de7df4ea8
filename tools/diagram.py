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
the review expired, and one from `human_only` on finds that a person must do it. While its agent is stopped, votes are
whispered and 423 is the answer to the agent; rejecting, withdrawing, taking back, comments and outcomes still work, and
an approval lapses in its time. The agent may revise meanwhile.

## What a stopped agent asks for

It is opened *pending* and held, whatever its route: the policy decides nothing and nobody is called, `auto` and
`sample` included. A revision by a stopped agent waits in the same way. When the agent is resumed it sets out, its
schedule counted from then.

## The emergency

The first person with the right `break_glass` asks, with a reason; everybody who may observe is told. A second one with
that right, on the same revision and within the window, approves by pressing it too. After the window, or on a new
revision, the next press is a first one. Neither may be the agent's owner, whom it acts for, or somebody left out of the
review. There is no glass around what only a person may do, nor around what was done already. The approval is short, it
can be used at once, and a feedback review follows (`after_glass`), which neither of the two decides.

## The appeal

What a person rejected, before it was done, can be appealed once: a linked review opens to a higher level than that of
who rejected it. Neither they nor who appealed decides it. The verdict of the first stays what it was; the linked review
has a grant of its own. Its rejection can be appealed in turn, by somebody else and to a higher level still.

## The right to act

Where the route says `undo`, what people approved rests so long before it can be used (423 until then), and its validity
counts from there. Until it is used a voter may undo it and a senior may revoke it.
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
