"""Signatures of callbacks by Standard Webhooks (standardwebhooks.com, spec 1.0.0). HMAC only; no I/O."""

from __future__ import annotations

import base64
import hmac

from reviews.errors import BadSignature

#: A message older or younger than this many seconds is not believed.
TOLERANCE = 300


def key_of(secret: str) -> bytes:
    """The HMAC key in a `whsec_…` secret. Raises ValueError when it is not base64."""
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header for a body. `timestamp` is seconds since 1970 UTC."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.digest(key_of(secret), signed, "sha256")
    return "v1," + base64.b64encode(mac).decode()


def verify(secret: str, message_id: str, timestamp: int, body: bytes, signature: str, *, now: int) -> None:
    """Check a `webhook-signature` header, which may hold several signatures apart by spaces.

    Raises BadSignature when none fits or the message is older than TOLERANCE seconds.
    """
    if abs(now - timestamp) > TOLERANCE:
        raise BadSignature(f"The message is {abs(now - timestamp)} s away from now; at most {TOLERANCE} s is believed.")
    wanted = sign(secret, message_id, timestamp, body)
    if not any(hmac.compare_digest(wanted.encode(), s.encode()) for s in signature.split()):
        raise BadSignature(BadSignature.__doc__)
