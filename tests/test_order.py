"""In which order tests/conftest.py has the tests run."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import LONG

ROOT = Path(__file__).resolve().parent.parent


def test_the_files_that_take_longest_are_there() -> None:
    """A name that is none any more would be run last again."""
    assert [name for name in LONG if not (ROOT / name).is_file()] == []
    assert len(set(LONG)) == len(LONG)
