"""A request as JSON: no field is forgotten, none at its default is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from bot.sparse import request_json
from bot.wire import request_of
from reviews.model import (
    Action,
    Context,
    Evidence,
    Producer,
    Request,
    ReviewType,
    RiskClaim,
    RiskLevel,
    Turn,
    UiHint,
    Verb,
)

FULL = Request(
    action=Action(name="pay", arguments={"amount": 1.0}, schema={}, reversible=False, preview=""),
    subject="order:1",
    summary="",
    confidence=0.0,
    risk=RiskClaim(level=RiskLevel.HIGH, score=0.0, amount=0.0, currency="EUR", domain="", sentiment=-1.0),
    task_id="t",
    correlation_id="c",
    session_id="s",
    trigger_id="tr",
    producer=Producer(agent_id="a", result_id="r"),
    validation_id="v",
    validation={},
    on_behalf_of="ana@example.com",
    scopes=("payments",),
    review_type=ReviewType.PLAN,
    reviewer_role="manager",
    review_deadline=datetime(2026, 11, 25, 12, 0, 0, 5, tzinfo=UTC),
    escalate_after_seconds=60.0,
    allowed_decisions=(Verb.APPROVE, Verb.REJECT),
    callback_url="https://agent.example.com/hook",
    context=Context(
        goal="",
        reasoning=("why",),
        conversation=(Turn(role="user", text="hello"),),
        attempted=("that",),
        failure="",
        facts={"since": None},
        policy=("so",),
        recommendation="",
        alternatives=("this",),
    ),
    evidence=(Evidence(title="", snippet="", url="https://example.com", score=0.0), Evidence(title="bare")),
    sensitive=("/subject",),
    ui_hint=UiHint(show_snippets=False, highlight_terms=("lost",)),
    metadata={"empty": {}},
)


def walked(value: Any) -> Any:
    """What a walk over the fields makes of one of the domain's values."""
    if dataclasses.is_dataclass(value):
        told = {f.name: (getattr(value, f.name), default(f)) for f in dataclasses.fields(value)}
        return {
            name: walked(inner)
            for name, (inner, usual) in told.items()
            if inner != usual or name in ("name", "arguments")
        }
    if isinstance(value, tuple):
        return [walked(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, StrEnum) else value


def default(field: dataclasses.Field[Any]) -> Any:
    """A field's default; MISSING, which nothing equals, for one that must be said."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def without(value: Any) -> Iterator[Any]:
    """The value with one field at its default, for each field at any depth that has one."""
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if default(field) is not dataclasses.MISSING:
            yield dataclasses.replace(value, **{field.name: default(field)})
        if isinstance(inner, tuple) and dataclasses.is_dataclass(inner[0]):
            yield from (dataclasses.replace(value, **{field.name: (less, *inner[1:])}) for less in without(inner[0]))
        elif dataclasses.is_dataclass(inner):
            yield from (dataclasses.replace(value, **{field.name: less}) for less in without(inner))


def emptied() -> Request:
    """With each part there and nothing in it."""
    bare = Evidence(title="")
    return Request(action=Action(name="a"), producer=Producer(), evidence=(bare,), allowed_decisions=())


def test_a_field_nobody_set_is_found_in_the_full_request() -> None:
    """The full request leaves no field at its default, so that the tests below see each of them."""
    for part in (FULL, FULL.action, FULL.risk, FULL.producer, FULL.context, FULL.evidence[0], FULL.ui_hint):
        assert part is not None
        assert [f.name for f in dataclasses.fields(part) if getattr(part, f.name) == default(f)] == []


@pytest.mark.parametrize("request_", [FULL, emptied(), *without(FULL)])
def test_it_says_what_a_walk_over_the_fields_would(request_: Request) -> None:
    """Each field by its name, closed words as texts, tuples as arrays; what is at its default is left out."""
    assert request_json(request_) == walked(request_)
    assert repr(sorted(request_json(request_).items())) == repr(sorted(walked(request_).items()))


@pytest.mark.parametrize("request_", [FULL, *without(FULL)])
def test_it_makes_the_same_request_again(request_: Request) -> None:
    """What is shown to the agent can be sent as it is."""
    assert request_of(request_json(request_)) == request_
