"""Signatures of callbacks, against the library agents will verify them with."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks

from reviews.errors import BadSignature
from reviews.signing import TOLERANCE, key_of, sign, verify

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of no secret...").decode()
OLD = "whsec_" + base64.b64encode(b"the one from before the rotation").decode()
BODY = '{"type": "review.decided", "note": "größer"}'.encode()
NOW = 1_763_000_000


def headers(signature: str, timestamp: int) -> dict[str, str]:
    """What a callback carries."""
    return {"webhook-id": "msg_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_vector_of_the_specification() -> None:
    """The example that Standard Webhooks implementations share."""
    secret, moment = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    body = b'{"test": 2432232314}'
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_agents_can_verify_with_the_common_library() -> None:
    """What we sign is believed there, byte for byte, and a changed body is not."""
    moment = int(datetime.now(UTC).timestamp())
    signature = sign(SECRET, "msg_1", moment, BODY)
    hook = standardwebhooks.Webhook(SECRET)
    assert hook.verify(BODY, headers(signature, moment))["type"] == "review.decided"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        hook.verify(BODY + b" ", headers(signature, moment))


def test_we_verify_what_the_common_library_signs() -> None:
    """And the other way round."""
    made = standardwebhooks.Webhook(SECRET).sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode())
    assert made == sign(SECRET, "msg_1", NOW, BODY)
    verify(SECRET, "msg_1", NOW, BODY, made, now=NOW)


@pytest.mark.parametrize(
    ("message", "timestamp", "body", "secret"),
    [
        ("msg_2", NOW, BODY, SECRET),
        ("msg_1", NOW + 1, BODY, SECRET),
        ("msg_1", NOW, BODY + b"\n", SECRET),
        ("msg_1", NOW, BODY, OLD),
    ],
    ids=["id", "time", "body", "secret"],
)
def test_anything_changed_is_not_believed(message: str, timestamp: int, body: bytes, secret: str) -> None:
    """Id, instant, body and secret are all in the signature."""
    signature = sign(SECRET, "msg_1", NOW, BODY)
    with pytest.raises(BadSignature):
        verify(secret, message, timestamp, body, signature, now=NOW)


@pytest.mark.parametrize("signature", ["", "v1,", "v1", "v2," + "A" * 44, "v1,größer", "v1a,x v1,y"])
def test_what_is_no_signature_is_not_believed(signature: str) -> None:
    """Nothing, another scheme, or bytes that are no base64: a refusal like any other."""
    with pytest.raises(BadSignature):
        verify(SECRET, "msg_1", NOW, BODY, signature, now=NOW)


@pytest.mark.parametrize("drift", [TOLERANCE + 1, -TOLERANCE - 1])
def test_a_message_from_another_time_is_not_believed(drift: int) -> None:
    """Neither a replay nor one from the future; the edge itself still is."""
    signature = sign(SECRET, "msg_1", NOW, BODY)
    with pytest.raises(BadSignature, match="301 s away"):
        verify(SECRET, "msg_1", NOW, BODY, signature, now=NOW + drift)
    edge = drift // abs(drift) * TOLERANCE
    verify(SECRET, "msg_1", NOW, BODY, signature, now=NOW + edge)


def test_a_rotated_secret_signs_beside_the_old_one() -> None:
    """Several signatures apart by spaces: who still has the old secret believes it, and who has the new one."""
    both = " ".join(sign(secret, "msg_1", NOW, BODY) for secret in (SECRET, OLD))
    for secret in (SECRET, OLD):
        verify(secret, "msg_1", NOW, BODY, both, now=NOW)
    with pytest.raises(BadSignature):
        verify(OLD, "msg_1", NOW, BODY, sign(SECRET, "msg_1", NOW, BODY), now=NOW)


def test_a_secret_that_is_no_base64_is_said_at_once() -> None:
    """A mistyped secret never signs with half of itself."""
    assert key_of(SECRET) == b"thirty-two bytes of no secret..."
    with pytest.raises(ValueError, match=r"base64|padding|character"):
        key_of("whsec_not*base64")
