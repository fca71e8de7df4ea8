"""How to escalate, walked: the chain of the case study, and what is printed at three instants."""

from __future__ import annotations

import pytest

from tests.walk import ROOT, Walk, blocks, save, steps

PAGE = "docs/how-to/escalate.md"


def printed(text: str) -> str:
    """What a terminal shows, without the blanks at the ends of a table's lines."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.slow
def test_how_to_escalate(reader: Walk) -> None:
    """The check finds nothing to warn of, and the table on the page is the one that is printed."""
    said = list[str]()
    for block in steps(PAGE):
        if block.info == "sh":
            said.append(reader.type(block.text))
        else:
            save(reader.folder / "night", block.text)
    checked, explained = said[-2:]
    assert "7 rules, 4 actions, 10 tests." in checked
    (shown,) = (block.text for block in blocks(ROOT / PAGE) if block.info == "text")
    assert printed(explained) == printed(shown)
