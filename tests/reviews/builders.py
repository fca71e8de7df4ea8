"""People, routes and events for the tests of a review's life: name only what a test is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from reviews.events import (
    Answered,
    Appealed,
    Approved,
    BrokenGlass,
    ChangesRequested,
    Commented,
    Deliver,
    Edited,
    Effect,
    Escalated,
    Event,
    Handed,
    Held,
    Message,
    PersonEvent,
    Posted,
    Record,
    Redeemed,
    Rejected,
    Released,
    Reported,
    Revealed,
    Revised,
    Revoked,
    Taken,
    Ticked,
    Transition,
    Undone,
    Unreachable,
    Withdrawn,
)
from reviews.lifecycle import decide, open_review
from reviews.model import (
    ALL_DECISIONS,
    Need,
    Outcome,
    Person,
    Proposal,
    Reach,
    Review,
    ReviewType,
    Rung,
    Schedule,
    Target,
    Then,
    Verb,
)
from tests.fakes.builders import START, a_proposal, a_request, a_review, a_route

P = TypeVar("P", bound=PersonEvent)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

ANA = Person(id="ana", name="Ana", roles=frozenset({"manager"}), level=2)
BO = Person(id="bo", name="Bo", roles=frozenset({"manager"}), level=2)
CAL = Person(id="cal", name="Cal", roles=frozenset({"security"}), level=1)
DEE = Person(id="dee", name="Dee", roles=frozenset({"security", "lead"}), level=3)
EVE = Person(id="eve", name="Eve", roles=frozenset({"lead"}), level=3)
FAY = Person(id="fay", name="Fay")
PEOPLE = (ANA, BO, CAL, DEE, EVE, FAY)

MANAGER, SECURITY, LEAD = Need(role="manager"), Need(role="security"), Need(role="lead")

#: The role's channel at once, the on-call after 10 minutes, Eve after 30; after an hour it expires.
CHAIN = (
    Rung(after=timedelta(0), notify=("channel:role",)),
    Rung(after=10 * MINUTE, notify=("oncall:it-ops.primary",), via=("dm",)),
    Rung(after=30 * MINUTE, notify=("person:eve",), via=("dm",)),
    Rung(after=HOUR, then=Then.EXPIRE),
)
CHANNEL = Target(surface="web", address="#managers")
REACH = (
    Reach(targets=(CHANNEL,)),
    Reach(persons={"fay": "oncall:it-ops.primary"}, targets=(Target(surface="web", address="fay", person="fay"),)),
    Reach(persons={"eve": "person:eve"}, targets=(Target(surface="web", address="eve", person="eve"),)),
    Reach(),
)


def at(minutes: float) -> datetime:
    """So many minutes after the review was asked for."""
    return START + minutes * MINUTE


def a_schedule(minutes: float = 0, *, chain: tuple[Rung, ...] = CHAIN, sla: float | None = None) -> Schedule:
    """The chain's instants when it starts after so many minutes; `sla` in minutes from the same start."""
    rungs = tuple(at(minutes) + rung.after for rung in chain)
    last = rungs[-1] if chain and chain[-1].then is not None else at(minutes) + HOUR
    return Schedule(rungs=rungs, deadline_at=last, sla_at=None if sla is None else at(minutes + sla))


def opened(*, reach: tuple[Reach, ...] = REACH, sla: float | None = None, request: Any = None, **over: Any) -> Review:
    """A review just opened. What is in WHOSE is the review's, the rest is the route's."""
    return opening(reach=reach, sla=sla, request=request, **over).review


#: What is the review's own; the rest is the route's.
WHOSE = ("owners", "principal", "named", "about", "relation", "excluded")


def opening(
    *,
    reach: tuple[Reach, ...] = REACH,
    sla: float | None = None,
    request: Any = None,
    held: Held | None = None,
    **over: Any,
) -> Transition:
    """The opening of a review, with its effects; `held` says how its agent was stopped."""
    whose = {name: over.pop(name) for name in WHOSE if name in over}
    route = a_route(**({"needs": (MANAGER,), "chain": CHAIN} | over))
    bare = a_review(route=route, request=request or a_request(), **whose)
    ladder = dataclasses.replace(bare.ladder, schedule=a_schedule(chain=route.chain, sla=sla))
    return open_review(dataclasses.replace(bare, ladder=ladder), reach, held=held)


def proposing(review: Review, amount: float, **route: Any) -> Proposal:
    """Another amount proposed, under the review's route but for what is named."""
    arguments = review.original | {"amount": amount}
    action = dataclasses.replace(review.request.action, arguments=arguments)
    request = dataclasses.replace(review.request, action=action)
    return a_proposal(request=request, route=dataclasses.replace(review.route, **route))


def by(kind: type[P], person: Person, minutes: float = 5, **over: Any) -> P:
    """A person's event after so many minutes, on the web."""
    rules = {"window": 15 * MINUTE, "valid_for": 15 * MINUTE} if kind is BrokenGlass else {}
    return kind(**({"person": person, "at": at(minutes), "surface": "web"} | rules | over))


def edits(review: Review, person: Person, amount: float, minutes: float = 5, **over: Any) -> Edited:
    """A person changes the amount; `route` is what the classification changed."""
    proposal = proposing(review, amount, **over.pop("route", {}))
    schedule = a_schedule(minutes, chain=proposal.route.chain)
    return by(Edited, person, minutes, proposal=proposal, schedule=schedule, reach=REACH, **over)


def revises(review: Review, amount: float, minutes: float = 5, **route: Any) -> Revised:
    """The agent proposes another amount."""
    proposal = proposing(review, amount, **route)
    schedule = a_schedule(minutes, chain=proposal.route.chain)
    return Revised(at=at(minutes), proposal=proposal, schedule=schedule, reach=REACH)


def ticks(review: Review, minutes: float, reach: tuple[Reach, ...] = REACH) -> Ticked:
    """Time has come to so many minutes."""
    return Ticked(at=at(minutes), epoch=review.ladder.epoch, reach=reach)


def redeems(review: Review, minutes: float = 6, **over: Any) -> Redeemed:
    """The agent acts on what was approved."""
    made = {"at": at(minutes), "digest": review.proposal.digest, "redemption_id": "red_1", "key": "k"}
    return Redeemed(**(made | over))


#: One event of every kind, for the review and the minute given; people's are Bo's, but for the undo, which is Ana's.
EVENTS: dict[type, Callable[[Review, float], Event]] = {
    Approved: lambda _r, m: by(Approved, BO, m),
    Edited: lambda r, m: edits(r, BO, 99.0, m),
    Rejected: lambda _r, m: by(Rejected, BO, m),
    ChangesRequested: lambda _r, m: by(ChangesRequested, BO, m, reason="Half of it"),
    Answered: lambda _r, m: by(Answered, BO, m, answer={"done": True}),
    Commented: lambda _r, m: by(Commented, BO, m, reason="Ask them first"),
    Escalated: lambda _r, m: by(Escalated, BO, m, reach=REACH),
    Taken: lambda _r, m: by(Taken, BO, m, until=at(m + 15)),
    Handed: lambda _r, m: by(Handed, BO, m, to=ANA, until=at(m + 15)),
    Revealed: lambda _r, m: by(Revealed, BO, m, reason="To check the account"),
    Undone: lambda _r, m: by(Undone, ANA, m),
    Revoked: lambda _r, m: by(Revoked, BO, m),
    BrokenGlass: lambda _r, m: by(BrokenGlass, BO, m, allowed=True, reason="The shop is down"),
    Appealed: lambda _r, m: by(Appealed, BO, m, allowed=True, level=3, follow="rev_again", reason="It was paid twice"),
    Revised: lambda r, m: revises(r, 77.0, m),
    Withdrawn: lambda _r, m: Withdrawn(at=at(m)),
    Redeemed: lambda r, m: redeems(r, m),
    Reported: lambda _r, m: Reported(at=at(m), outcome=Outcome(result="succeeded", at=at(m))),
    Ticked: lambda r, m: ticks(r, m),
    Held: lambda _r, m: Held(at=at(m), by="eve"),
    Released: lambda _r, m: Released(at=at(m), by="eve"),
    Posted: lambda _r, m: Posted(at=at(m), copy="c1", target=CHANNEL),
    Unreachable: lambda r, m: Unreachable(at=at(m), epoch=r.ladder.epoch, rung=0, why="No channel.", reach=REACH),
}


def anything() -> Review:
    """A pending review that takes every decision there is: a hand-off to one manager."""
    return opened(request=a_request(review_type=ReviewType.HANDOFF), allowed=(*ALL_DECISIONS, Verb.ANSWER))


def after(review: Review, *events: Event) -> Review:
    """The review after these events."""
    for event in events:
        review = decide(review, event).review
    return review


def granted(minutes: float = 5) -> Review:
    """Approved by Ana, its grant open for an hour."""
    return after(anything(), by(Approved, ANA, minutes))


def changes_requested(minutes: float = 4) -> Review:
    """Sent back to the agent by Ana."""
    return after(anything(), by(ChangesRequested, ANA, minutes, reason="Less"))


def kinds(effects: Iterable[Effect]) -> tuple[str, ...]:
    """The kinds of what was written into the log, in order."""
    return tuple(effect.kind for effect in effects if isinstance(effect, Record))


def told(effects: Iterable[Effect]) -> tuple[Message, ...]:
    """What the agent is told, in order."""
    return tuple(effect.message for effect in effects if isinstance(effect, Deliver))


def stands(review: Review) -> str:
    """Status and grant in short: `approved/open`."""
    return f"{review.status}/{review.grant.state}" if review.grant else str(review.status)
