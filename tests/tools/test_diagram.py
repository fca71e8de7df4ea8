"""The page drawn from the table of the life of a review."""

from __future__ import annotations

from reviews.lifecycle import TABLE
from tools.diagram import PAGE, page


def test_the_page_is_the_table() -> None:
    """Whoever changes the table draws the page anew: python -m tools.diagram."""
    assert PAGE.read_text("utf-8") == page(), "run: python -m tools.diagram"


def test_the_page_shows_every_event_and_every_arrow() -> None:
    """One line of the table for each event, and each cell's arrow in the diagram."""
    text = page()
    assert text.count("\n| ") == len(TABLE) + 1
    for start, column in (("pending", 0), ("changes_requested", 1), ("approved", 2)):
        for cells in TABLE.values():
            for to in cells[column].to:
                assert f"    {start} --> {to}: " in text
