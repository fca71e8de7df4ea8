"""Watches an event loop for what holds it up: long callbacks, and calls that wait for a disk, a name, a clock.

Length is CPU time of the loop's own thread, not the clock on the wall: a busy neighbour makes nothing longer by it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

#: What waits: https://docs.python.org/3/library/audit_events.html (sleeping is none of them before Python 3.13).
_WAITING = frozenset({"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"})


@dataclass(slots=True)
class Watched:
    """What was seen. `longest` is CPU seconds of one callback, `where` which one; `waited` are the waiting calls."""

    longest: float = 0.0
    where: str = ""
    waited: list[str] = field(default_factory=list)


_armed: list[tuple[int, Watched]] = []
_hooked: list[bool] = []


def _heard(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: it cannot be taken out again, so it looks whether anybody listens."""
    if not _armed or event not in _WAITING:
        return
    thread, watched = _armed[-1]
    # A socket that does not block is how asyncio connects.
    waits = event != "socket.connect" or args[0].getblocking()
    if waits and threading.get_ident() == thread:
        watched.waited.append(f"{event} {args[0]!r:.200}")


@contextmanager
def loop_watched() -> Iterator[Watched]:
    """Watch the running loop, whose thread this is."""
    watched, mine = Watched(), threading.get_ident()
    run, sleep = asyncio.Handle._run, time.sleep

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        try:
            run(handle)
        finally:
            took = time.thread_time() - began
            if took > watched.longest:
                watched.longest, watched.where = took, repr(handle)

    def noted(seconds: float) -> None:
        if threading.get_ident() == mine:
            watched.waited.append(f"time.sleep {seconds}")
        sleep(seconds)

    if not _hooked:
        sys.addaudithook(_heard)
        _hooked.append(True)
    _armed.append((mine, watched))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", timed)
        patch.setattr(time, "sleep", noted)
        try:
            yield watched
        finally:
            _armed.pop()
