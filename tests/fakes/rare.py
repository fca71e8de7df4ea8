"""Sample cards of what happens rarely, drawn from reviews as they are: an agent stopped, glass, a plan, an appeal.

All are looked at by Cleo Marsh, who may do all of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reviews.card import Card, Happening
from reviews.keeping import Stop
from reviews.model import (
    Cause,
    Decision,
    Glass,
    Grant,
    GrantState,
    Ladder,
    Need,
    Person,
    Relation,
    Review,
    ReviewType,
    Right,
    RiskLevel,
    Rung,
    Schedule,
    Seat,
    Status,
    Then,
)
from reviews.present import present
from reviews.surroundings import Origin, Surroundings
from reviews.values import replace
from tests.fakes.builders import a_request, a_review, a_route

#: The instant at which the samples are looked at: that of `cards.NOW`.
NOW = datetime(2026, 11, 25, 11, 40, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_NAMES = {"ana": "Ana Ruiz", "bo": "Bo Lindqvist", "cleo": "Cleo Marsh"}
_CLEO = Person(id="cleo", name="Cleo Marsh", roles=frozenset({"lead"}), level=3, may=frozenset(Right))
_CHAIN = (
    Rung(after=timedelta(0), notify=("channel:role",)),
    Rung(after=20 * _MINUTE, notify=("oncall:it-ops.secondary",)),
    Rung(after=60 * _MINUTE, then=Then.EXPIRE),
)


def _review(name: str, **over: Any) -> Review:
    """A review of an instance to be stopped, asked for ten minutes ago."""
    asked = NOW - 10 * _MINUTE
    schedule = Schedule(rungs=tuple(asked + rung.after for rung in _CHAIN), deadline_at=asked + _CHAIN[-1].after)
    request = over.pop("request", None) or a_request(
        name="stop_instance",
        arguments={"instance": "web-7", "environment": "production"},
        subject="host:web-7",
        summary="Stop instance web-7 in production",
    )
    route = a_route(needs=(Need(role="lead"),), chain=_CHAIN, risk=RiskLevel.HIGH, explanation="By the rule ops")
    called = {"cleo": "oncall:it-ops.secondary, bo away: deputy"}
    made = {
        "id": f"rev_{name}",
        "agent": "it-ops-agent",
        "created_at": asked,
        "ladder": Ladder(epoch=0, schedule=schedule, fired=1),
        "called": called,
        "version": 3,
        "seq": 31,
    }
    return a_review(request=request, route=route, **(made | over))


def _card(review: Review, **around: Any) -> Card:
    line = Happening(at=NOW - 10 * _MINUTE, text="it-ops-agent asked for a review (approve, rule: ops)")
    shown = Surroundings(
        link=f"https://placet.example.com/reviews/{review.id}",
        timeline=(line,),
        names=_NAMES,
        people=tuple(_NAMES),
        reader=_CLEO,
        rights=_CLEO.may,
    )
    return present(review, replace(shown, **around))


def _decided(verdict: Status, cause: Cause, reason: str | None, *names: str) -> Decision:
    at = NOW - 2 * _MINUTE
    seats = tuple(
        Seat(person=name.split()[0].lower(), name=name, role="lead", slot=n, surface="slack", at=at)
        for n, name in enumerate(names)
    )
    return Decision(verdict=verdict, cause=cause, decided_at=at, revision=1, digest="", by=seats, reason=reason)


def stopped() -> Card:
    """Its agent was stopped by a person, with an instruction."""
    stop = Stop(
        by="ana",
        at=NOW - 5 * _MINUTE,
        reason="It asks for the same host again and again",
        instruction="Ask once per host, and wait for the answer before you ask for the next one.",
    )
    return _card(_review("stopped1", held_since=stop.at, instruction=stop.instruction), stop=stop)


def glass() -> Card:
    """Somebody asks to break the glass."""
    asked = Glass(
        person="ana",
        name="Ana Ruiz",
        reason="web-7 is under attack and nobody of lead answers",
        surface="slack",
        at=NOW - _MINUTE,
        until=NOW + 14 * _MINUTE,
    )
    return _card(_review("glass1", glass=asked))


def plan() -> Card:
    """A plan whose steps can be chosen."""
    request = a_request(
        name="plan.run",
        arguments={
            "steps": [
                "Drain web-7 of traffic and wait until nobody is connected",
                {"do": "stop_instance", "instance": "web-7"},
                "Delete the disk of web-7",
                "Tell #ops",
            ]
        },
        subject="host:web-7",
        summary="Retire web-7",
        review_type=ReviewType.PLAN,
    )
    return _card(_review("plan1", request=request, assigned=("cleo",)))


def rejected() -> Card:
    """A rejection that can be appealed."""
    decision = _decided(Status.REJECTED, Cause.HUMAN, "The host is still in use", "Ana Ruiz")
    return _card(_review("rejected1", status=Status.REJECTED, decision=decision, owners=frozenset({"bo"})))


def appeal() -> Card:
    """A review about one that was rejected."""
    first = _review(
        "rejected2",
        status=Status.REJECTED,
        decision=_decided(Status.REJECTED, Cause.HUMAN, "The host is still in use", "Ana Ruiz"),
        seq=12,
    )
    origin = Origin(review=first, by="Bo Lindqvist", reason="It was drained an hour ago, see the evidence")
    return _card(_review("appeal1", about=first.id, relation=Relation.APPEAL, seq=32), origin=origin)


def resting() -> Card:
    """An approval that the agent may not use yet."""
    grant = Grant(state=GrantState.OPEN, valid_until=NOW + 60 * _MINUTE, usable_from=NOW + timedelta(seconds=8))
    decision = _decided(Status.APPROVED, Cause.HUMAN, None, "Cleo Marsh")
    return _card(_review("resting1", status=Status.APPROVED, decision=decision, grant=grant))


MAKERS = (stopped, glass, plan, rejected, appeal, resting)
