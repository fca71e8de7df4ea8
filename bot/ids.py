"""Names for things: sortable by time, not to be guessed."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from datetime import datetime


class _Pool:
    """Random bytes drawn from the system a page at a time: a call a request costs a wait for the interpreter each."""

    def __init__(self, size: int = 4096) -> None:
        self._size, self._lock, self._bytes = size, threading.Lock(), b""

    def take(self, count: int) -> bytes:
        """So many bytes, never given twice."""
        with self._lock:
            if len(self._bytes) < count:
                self._bytes = os.urandom(self._size)
            taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken


_pool = _Pool()
os.register_at_fork(after_in_child=lambda: _pool.__init__())  # type: ignore[misc]  # a child must not repeat its parent


def uuid7(at: datetime) -> str:
    """A UUIDv7 (RFC 9562 §5.7) as 32 hex digits: 48 bits of milliseconds, then 74 random ones."""
    raw = bytearray(int(at.timestamp() * 1000).to_bytes(6, "big") + _pool.take(10))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return raw.hex()


def review_id(at: datetime) -> str:
    """The id of a review asked for at an instant."""
    return f"rev_{uuid7(at)}"


def secret(prefix: str) -> str:
    """A secret of 256 bits behind a prefix that says what it opens."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(value: str) -> str:
    """How a secret is kept: hex SHA-256. The secrets are random, so a slow hash would add nothing."""
    return hashlib.sha256(value.encode()).hexdigest()
