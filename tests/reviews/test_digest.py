"""Digests: the canonical form of RFC 8785, and what has none."""

from __future__ import annotations

import hashlib
import math

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reviews.digest import action_digest, canonical, request_digests, sha256
from reviews.errors import DigestImpossible

#: RFC 8785 section 3.2.2: input, and in 3.2.4 the bytes it comes to.
SAMPLE = {
    "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": '\u20ac$\u000f\nA\'B"\\\\"/',
    "literals": [None, True, False],
}
CANONICAL = (
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
)


def test_the_sample_of_the_rfc() -> None:
    """Keys sorted, numbers as ECMAScript prints them, least escaping, UTF-8."""
    assert canonical(SAMPLE) == CANONICAL.encode()


def test_keys_are_sorted_by_utf_16() -> None:
    """RFC 8785 section 3.2.3: an emoji's surrogates come before the Hebrew letter's one unit."""
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert as_written(canonical(keys)) == [2, 4, 6, 7, 1, 5, 3]


def as_written(text: bytes) -> list[int]:
    """The values of an object of integers in the order they were written."""
    return [int(part.rpartition(":")[2]) for part in text.decode().strip("{}").split(",")]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740991, "9007199254740991"),
        (295147905179352830000.0, "295147905179352830000"),
        (1e21, "1e+21"),
        (1e23, "1e+23"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (180.0, "180"),
    ],
)
def test_numbers_of_appendix_b(number: float, text: str) -> None:
    """IEEE 754 doubles as in RFC 8785 appendix B; 180 and 180.0 are one number."""
    assert canonical(number) == text.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), 2**64, {"a": [math.nan]}])
def test_what_has_no_canonical_form(value: object) -> None:
    """The sentence says what is wrong, and that a long integer goes as a string."""
    with pytest.raises(DigestImpossible, match="is not a string"):
        canonical(value)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, {1: 2}, {"when": object()}])
def test_what_is_no_json(value: object) -> None:
    """Half a surrogate, a key that is no string, a thing that is no value: refused, never guessed."""
    with pytest.raises(DigestImpossible):
        canonical(value)


def test_depth_without_end_is_refused() -> None:
    """A value nested beyond what can be walked is a refusal, not a crash."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DigestImpossible):
        canonical(deep)


def test_a_digest_is_of_action_and_arguments() -> None:
    """Another order of keys is the same digest; another action or another value is not."""
    digest = action_digest("pay", {"a": 1, "b": 2})
    assert digest == hashlib.sha256(b'{"action":"pay","arguments":{"a":1,"b":2}}').hexdigest()
    assert digest == action_digest("pay", {"b": 2.0, "a": 1})
    assert len({digest, action_digest("pay", {"a": 1, "b": 3}), action_digest("payout", {"a": 1, "b": 2})}) == 3
    assert sha256({}) == hashlib.sha256(b"{}").hexdigest()


@pytest.mark.parametrize("usual", [True, False])
def test_a_requests_digests_are_those_of_its_parts(usual: bool) -> None:
    """The action's and the whole's, whether or not its keys are ASCII; a number with no canonical form is refused."""
    arguments = {"amount": 180.0, "order" if usual else "número": "A-4721"}
    request = {"action": {"name": "pay", "arguments": arguments, "schema": {}}, "confidence": 1.0}
    assert request_digests(request) == (action_digest("pay", arguments), sha256(request))
    with pytest.raises(DigestImpossible):
        request_digests(request | {"confidence": math.nan})


#: Texts with control characters, half surrogates and what sorts otherwise in UTF-16 than by code point.
_texts = st.text(st.characters(), max_size=6) | st.sampled_from(
    ("\ufb33", "\U0001f600", "\u2028", "\x7f", "\ud800", "é")
)
_numbers = st.integers() | st.integers(-(2**54), 2**54) | st.floats() | st.floats(1e-8, 1e-3) | st.floats(1e14, 1e23)
_values = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


@given(_values)
@example(-0.0)
@example([True, 1, 1.0, 0.1, 1e16, 1e-4, 123456789012345680.0])
@example({"\ufb33": 1, "\U0001f600": 2})
@settings(max_examples=400, derandomize=True, database=None, deadline=None)
def test_any_value_has_the_form_of_the_reference(value: object) -> None:
    """However it is written here, it is byte for byte what the library of the RFC writes, or refused as there."""
    try:
        wanted = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(DigestImpossible):
            canonical(value)
    else:
        assert canonical(value) == wanted
