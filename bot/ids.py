"""Names for things: sortable by time, not to be guessed."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime


def uuid7(at: datetime) -> str:
    """A UUIDv7 (RFC 9562 §5.7) as 32 hex digits: 48 bits of milliseconds, then 74 random ones."""
    random = int.from_bytes(os.urandom(10), "big")
    version, variant = 0x7 << 76, 0b10 << 62
    kept = random & ~(0xF << 76) & ~(0b11 << 62)
    return f"{int(at.timestamp() * 1000) << 80 | version | variant | kept:032x}"


def review_id(at: datetime) -> str:
    """The id of a review asked for at an instant."""
    return f"rev_{uuid7(at)}"


def secret(prefix: str) -> str:
    """A secret of 256 bits behind a prefix that says what it opens."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(value: str) -> str:
    """How a secret is kept: hex SHA-256. The secrets are random, so a slow hash would add nothing."""
    return hashlib.sha256(value.encode()).hexdigest()
