"""A request from an object, strictly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policies.errors import RequestFault
from policies.given import request_from
from reviews.model import ReviewType, RiskLevel, Verb


def test_the_wire_form_is_the_dataclass() -> None:
    """Lists become tuples, words their enums, instants datetimes."""
    found = request_from(
        {
            "action": {"name": "pay", "arguments": {"n": 1}, "reversible": False},
            "confidence": 1,
            "risk": {"level": "high", "amount": 5},
            "scopes": ["eu"],
            "review_type": "plan",
            "review_deadline": "2026-11-25T12:00:00Z",
            "allowed_decisions": ["approve", "reject"],
            "context": {"conversation": [{"role": "customer", "text": "hi"}]},
            "evidence": [{"title": "t"}],
        }
    )
    assert (found.scopes, found.review_type, found.risk.level) == (("eu",), ReviewType.PLAN, RiskLevel.HIGH)
    assert found.review_deadline == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert found.allowed_decisions == (Verb.APPROVE, Verb.REJECT)
    assert found.context.conversation[0].role == "customer"


@pytest.mark.parametrize(
    ("obj", "pointer"),
    [
        ({}, "/action"),
        ({"action": {}}, "/action/name"),
        ({"action": {"name": "a", "frob": 1}}, "/action/frob"),
        ({"action": {"name": "a"}, "frob": 1}, "/frob"),
        ({"action": {"name": "a"}, "confidence": "0.5"}, "/confidence"),
        ({"action": {"name": "a"}, "risk": {"level": "huge"}}, "/risk/level"),
        ({"action": {"name": "a"}, "scopes": "eu"}, "/scopes"),
        ({"action": {"name": "a"}, "confidence": float("nan")}, ""),
        ({"action": {"name": "a"}, "metadata": {"x": object()}}, ""),
    ],
)
def test_anything_else_is_refused_by_pointer(obj: dict[str, Any], pointer: str) -> None:
    """Unknown fields, missing ones, coercions, what is no JSON."""
    with pytest.raises(RequestFault) as caught:
        request_from(obj)
    assert pointer in caught.value.faults
