"""The icons of the Teams app: those that lie there are the drawn ones, and as Teams asks for them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tools import icons

MARK = Path(__file__).resolve().parents[2] / "adapters" / "web" / "static" / "placet.svg"


def pixels(png: bytes) -> tuple[int, list[tuple[int, ...]]]:
    """The side of a square PNG as tools/icons.py writes it, and its pixels in order."""
    side, down, *kind = struct.unpack(">IIBBBBB", png[16:29])
    assert (side, kind) == (down, [8, 6, 0, 0, 0])
    start = png.index(b"IDAT") + 4
    rows = zlib.decompress(png[start : start + struct.unpack(">I", png[start - 8 : start - 4])[0]])
    step = 1 + side * 4
    assert {rows[at] for at in range(0, len(rows), step)} == {0}
    flat = b"".join(rows[at + 1 : at + step] for at in range(0, len(rows), step))
    return side, [tuple(flat[at : at + 4]) for at in range(0, len(flat), 4)]


@pytest.mark.parametrize("path", icons.icons(), ids=lambda path: path.name)
def test_the_icons_are_the_drawn_ones(path: Path) -> None:
    """Whoever changes the drawing draws them anew. Pixels are compared: zlib may pack them otherwise elsewhere."""
    assert pixels(path.read_bytes()) == pixels(icons.icons()[path]), "run: python -m tools.icons"


def test_the_icons_are_as_teams_asks() -> None:
    """192 x 192 without a hole, and 32 x 32 in white alone; both show something."""
    side, color = pixels((icons.FOLDER / "color.png").read_bytes())
    assert (side, {pixel[3] for pixel in color}) == (192, {255})
    assert len(set(color)) > 2
    side, outline = pixels((icons.FOLDER / "outline.png").read_bytes())
    assert (side, {pixel[:3] for pixel in outline}) == (32, {(255, 255, 255)})
    assert {0, 255} < {pixel[3] for pixel in outline}


def test_the_mark_is_the_inboxs() -> None:
    """The tick of both is drawn along the same points."""
    assert 'd="M9 16.5l5 5L23.5 11"' in MARK.read_text("utf-8")
    assert icons._TICK == ((9.0, 16.5), (14.0, 21.5), (23.5, 11.0))
