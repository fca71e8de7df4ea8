"""How to set up rotations, walked: every file saved, every command typed, with a server and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.test_docs import Walk, steps

PAGE = "docs/how-to/rotations.md"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Walk]:
    """A reader."""
    made = Walk(tmp_path)
    yield made
    made.end()


def save(folder: Path, text: str) -> None:
    """What a page says of a file: the sections of a configuration are put in the place of those there are."""
    name, _, content = text.removeprefix("# ").partition("\n")
    if name == "placet.yml":
        before = yaml.safe_load((folder / name).read_text("utf-8"))
        content = yaml.safe_dump(before | yaml.safe_load(content))
    (folder / name).write_text(content, "utf-8")


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
