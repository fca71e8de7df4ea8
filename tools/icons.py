"""Draws the icons of the Teams app from the mark of the web inbox: `python -m tools.icons`.

Standard library only, and the same pixels everywhere: each is as white as the shapes cover it, by their distance.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from math import hypot
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "adapters" / "teams" / "manifest"

#: The tick of adapters/web/static/placet.svg, in its square of 32, and half the width of its stroke.
_SIDE = 32
_TICK = ((9.0, 16.5), (14.0, 21.5), (23.5, 11.0))
_STROKE = 1.7
_GREEN, _WHITE = (0x1F, 0x5F, 0x5B), (0xFF, 0xFF, 0xFF)
#: Of the outline: half its square, the radius of its corners, and half the width of its line.
_HALF, _RADIUS, _LINE = 13.0, 5.5, 1.0

#: Signed distance to a shape, in the square of 32: negative within.
Shape = Callable[[float, float], float]


def icons() -> dict[Path, bytes]:
    """Both icons as PNG, by path: 192 x 192 in colour, and 32 x 32 in white on nothing, as Teams asks for them."""
    return {FOLDER / "color.png": color(), FOLDER / "outline.png": outline()}


def color() -> bytes:
    """The tick on green, to the very edges: Teams rounds them itself."""
    side = 192
    return _png(side, _cover(side, tick), lambda part: (*map(_mixed, _GREEN, _WHITE, (part,) * 3), 255))


def outline() -> bytes:
    """The tick in a square with round corners, white with nothing behind."""
    return _png(_SIDE, _cover(_SIDE, tick, square), lambda part: (*_WHITE, round(255 * part)))


def tick(x: float, y: float) -> float:
    """Two strokes with round ends."""
    return min(_to_line(x, y, *start, *end) for start, end in pairwise(_TICK)) - _STROKE


def square(x: float, y: float) -> float:
    """The line around a square with round corners."""
    across, down = (abs(place - _SIDE / 2) - _HALF + _RADIUS for place in (x, y))
    return abs(hypot(max(across, 0), max(down, 0)) + min(max(across, down), 0) - _RADIUS) - _LINE


def _to_line(x: float, y: float, x0: float, y0: float, x1: float, y1: float) -> float:
    across, down = x1 - x0, y1 - y0
    along = ((x - x0) * across + (y - y0) * down) / (across * across + down * down)
    near = min(max(along, 0.0), 1.0)
    return hypot(x - x0 - near * across, y - y0 - near * down)


def _cover(side: int, *shapes: Shape) -> list[list[float]]:
    """How much of each pixel the shapes cover, 0 to 1, row by row."""
    scale = side / _SIDE
    middles = [(place + 0.5) / scale for place in range(side)]
    return [[_part(min(shape(x, y) for shape in shapes) * scale) for x in middles] for y in middles]


def _part(distance: float) -> float:
    return min(max(0.5 - distance, 0.0), 1.0)


def _mixed(low: int, high: int, part: float) -> int:
    return round(low + (high - low) * part)


def _png(side: int, cover: list[list[float]], painted: Callable[[float], tuple[int, ...]]) -> bytes:
    """A square PNG with 8 bits of red, green, blue and alpha, rows unfiltered: https://www.w3.org/TR/png-3/"""
    rows = b"".join(b"\0" + b"".join(bytes(painted(part)) for part in row) for row in cover)
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    for path, drawn in icons().items():
        path.write_bytes(drawn)
