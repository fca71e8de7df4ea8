"""Digests over the canonical form of JSON (RFC 8785), and what depends on that form. No I/O."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from reviews.errors import DigestImpossible
from reviews.model import Object


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Raises DigestImpossible for a number that is not finite or an integer beyond 2^53 (RFC 7493 §2.2).
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as fault:
        raise DigestImpossible(f"{DigestImpossible.__doc__} ({fault})") from fault


def sha256(value: Any) -> str:
    """Hex SHA-256 over the canonical form of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def action_digest(name: str, arguments: Object) -> str:
    """The digest an approval is bound to: SHA-256 over `{action, arguments}`."""
    return sha256({"action": name, "arguments": arguments})
