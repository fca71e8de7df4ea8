"""How to set up rotations, walked: every file saved, every command typed, with a server and without."""

from __future__ import annotations

import pytest

from tests.walk import Walk, save, steps

PAGE = "docs/how-to/rotations.md"


@pytest.mark.slow
def test_how_to_set_up_rotations(reader: Walk) -> None:
    """Somebody is on call in the short form, the nights of the calendar are gaps; and so says the server."""
    printed = ""
    for block in steps(PAGE):
        if block.info == "sh":
            printed = reader.type(block.text)
        else:
            save(reader.folder / "shifts", block.text)
    assert "ops.secondary: calendar read" in printed
    assert "There are gaps." in printed
    assert "0 to mend" in printed
    assert "nobody is on call from" in printed
    reader.serve("placet serve")
    assert "ops.primary" in reader.type("placet oncall now")
    assert "There are gaps." in reader.type(steps(PAGE)[-1].text)
