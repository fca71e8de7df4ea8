"""Watches an event loop for what holds it up: long callbacks, and calls that wait for a disk, a name, a clock.

Length is a count of calls, of Python functions and of C ones, on the loop's own thread: the same on every machine and
beside any neighbour. A loop that calls nothing is one thing it does not see, and one long call into C another.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import pytest

#: What waits: https://docs.python.org/3/library/audit_events.html (sleeping is none of them before Python 3.13).
_WAITING = frozenset({"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"})


@dataclass(slots=True)
class Watched:
    """What was seen. `longest` is the most calls of one callback, `where` which one; `waited` are the waiting calls."""

    longest: int = 0
    where: str = ""
    waited: list[str] = field(default_factory=list)

    def note(self, callback: str, calls: Counter[CodeType]) -> None:
        """Keep the longest callback; `where` names those who called and were called most in it."""
        if (length := calls.total()) > self.longest:
            most = ", ".join(f"{code.co_qualname} {count}" for code, count in calls.most_common(5))
            self.longest, self.where = length, f"{callback}, most of it in {most}"


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


def _calls(work: Callable[[], None]) -> Counter[CodeType]:
    """How often each function was called, or called into C, while this worked."""
    calls: Counter[CodeType] = Counter()

    def heard(frame: FrameType, event: str, _: object) -> None:
        if event in ("call", "c_call"):
            calls[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(heard)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@contextmanager
def loop_watched() -> Iterator[Watched]:
    """Watch the running loop, whose thread this is."""
    watched, mine = Watched(), threading.get_ident()
    run, sleep = asyncio.Handle._run, time.sleep

    def counted(handle: asyncio.Handle) -> None:
        watched.note(repr(handle), _calls(lambda: run(handle)))

    def noted(seconds: float) -> None:
        if threading.get_ident() == mine:
            watched.waited.append(f"time.sleep {seconds}")
        sleep(seconds)

    if not _hooked:
        sys.addaudithook(_heard)
        _hooked.append(True)
    _armed.append((mine, watched))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", counted)
        patch.setattr(time, "sleep", noted)
        try:
            yield watched
        finally:
            _armed.pop()
