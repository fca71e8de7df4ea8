"""Waiting for another process that has an embedded database open for a moment. Whoever looks sleeps between looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from reviews.errors import StoreUnavailable

#: Between two looks (seconds).
LOOK = 0.1


def looks(patience: float, waiting: Callable[[], None]) -> Iterator[bool]:
    """A turn for each look, over `patience` seconds; whether it is the last. `waiting` is called before the second."""
    end = time.monotonic() + patience
    yield False
    waiting()
    while time.monotonic() < end:
        yield False
    yield True


def held(fault: StoreUnavailable) -> bool:
    """Whether a store could not start because another process holds its lock, and so may start a moment later."""
    return isinstance(fault.__cause__, BlockingIOError)
