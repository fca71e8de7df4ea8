"""The log as lines people read."""

from __future__ import annotations

from datetime import timedelta

from reviews.model import Object
from reviews.ports import Entry
from reviews.timeline import actor_name, timeline
from tests.fakes.builders import START

NAMES = {"ana": "Ana Ruiz", "bo": "Bo Lindqvist"}


def lines(*entries: tuple[str, str, Object]) -> list[str]:
    """The timeline of entries given as kind, actor and detail."""
    made = [
        Entry(seq=n, at=START + timedelta(minutes=n), review="r", kind=kind, actor=actor, body=b"{}", detail=detail)
        for n, (kind, actor, detail) in enumerate(entries)
    ]
    return [line.text for line in timeline(made, NAMES)]


def test_people_are_named() -> None:
    """Who acted, who was called, who has it; who is no longer known, by id."""
    assert lines(
        ("review.opened", "agent:billing-bot", {"tier": "approve", "rule": "refunds"}),
        ("review.called", "system", {"persons": ["ana", "gone"]}),
        ("review.escalated", "person:ana", {"persons": [], "why": "pressed"}),
        ("review.taken", "person:ana", {"owner": "bo"}),
        ("vote.reject", "person:bo", {}),
        ("card.viewed", "person:bo", {}),
    ) == [
        "billing-bot asked for a review (approve, rule: refunds)",
        "Called Ana Ruiz, gone",
        "Escalated to the channel (pressed)",
        "Bo Lindqvist has it in hand",
        "Bo Lindqvist rejected",
    ]


def test_an_actor_is_who_it_is() -> None:
    """A person by name, an agent by its own."""
    assert [actor_name(who, NAMES) for who in ("person:ana", "agent:x", "system")] == ["Ana Ruiz", "x", "system"]
