"""Packages that do not lie beside Placet's own are named, with where they are."""

from __future__ import annotations

from pathlib import Path

from bot.neighbours import HOME, PACKAGES, foreign


def test_here_they_lie_side_by_side() -> None:
    """Nothing to say."""
    assert foreign() == []


def test_each_stranger_is_named_with_both_places(tmp_path: Path) -> None:
    """Seen from another home, all of ours are strangers."""
    found = foreign(tmp_path)
    assert len(found) == len(PACKAGES)
    assert f"`adapters` is found at {HOME / 'adapters'}" in " ".join(found)
    assert str(tmp_path) in found[0]
