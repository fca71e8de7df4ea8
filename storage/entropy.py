"""Random bytes, drawn from the system a page at a time.

A call to the system gives the interpreter away, and a thread that wants it back waits for the others: with one per
id and salt, a request spent longer waiting than working (measured: 0.8 ms each under load).
"""

from __future__ import annotations

import os
import threading


class _Pool:
    def __init__(self, size: int = 4096) -> None:
        self._size, self._lock, self._bytes = size, threading.Lock(), b""

    def take(self, count: int) -> bytes:
        with self._lock:
            if len(self._bytes) < count:
                self._bytes = os.urandom(max(self._size, count))
            taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken

    def forget(self) -> None:
        """Throw away what is left: a child process must not repeat its parent's."""
        self.__init__(self._size)  # type: ignore[misc]  # a fresh lock too: the parent's may be held


_pool = _Pool()
os.register_at_fork(after_in_child=_pool.forget)


def random_bytes(count: int) -> bytes:
    """So many random bytes, as good as the system's, never given twice."""
    return _pool.take(count)
