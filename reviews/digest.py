"""Digests over the canonical form of JSON (RFC 8785), and what depends on that form. No I/O."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785

from reviews.errors import DigestImpossible
from reviews.model import Object

#: Between these, Python and ECMAScript write a number that is not whole alike: the shortest that reads back.
_PLAIN_FROM, _PLAIN_TO = 1e-4, 1e16
_EXACT = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Raises DigestImpossible for a number that is not finite or an integer beyond 2^53 (RFC 7493 §2.2).
    """
    try:
        return _quick(value)
    except _Unusual:
        return _slow(value)


def sha256(value: Any) -> str:
    """Hex SHA-256 over the canonical form of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def action_digest(name: str, arguments: Object) -> str:
    """The digest an approval is bound to: SHA-256 over `{action, arguments}`."""
    return sha256({"action": name, "arguments": arguments})


class _Unusual(Exception):
    """The value holds something whose canonical form the standard library does not write."""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode


def _quick(value: Any) -> bytes:
    """The canonical bytes by the standard library's encoder, ten times as fast; it serves nearly every request."""
    try:
        return _encode(_plain(value)).encode()
    except (UnicodeEncodeError, RecursionError) as fault:
        raise _Unusual from fault


def _plain(value: Any) -> Any:
    """The value with whole floats as integers, where both encoders would then agree; else raises _Unusual."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is dict:
        return _plain_object(value)
    if kind is list or kind is tuple:
        return [inner if type(inner) is str else _plain(inner) for inner in value]
    if kind is int and -_EXACT <= value <= _EXACT:
        return value
    if kind is float:
        if value.is_integer() and abs(value) <= _EXACT:
            return int(value)
        if not value.is_integer() and _PLAIN_FROM <= abs(value) < _PLAIN_TO:
            return value
    raise _Unusual


def _plain_object(value: Object) -> Object:
    made: Object = {}
    for key, inner in value.items():
        # Keys sort by UTF-16 units there and by code points here: alike for ASCII.
        if type(key) is not str or not key.isascii():
            raise _Unusual
        made[key] = inner if type(inner) is str else _plain(inner)
    return made


def _slow(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as fault:
        raise DigestImpossible(f"{DigestImpossible.__doc__} ({fault})") from fault
