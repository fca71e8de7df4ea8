"""What every step in a review's life is made of: an end, a change, a refusal, and its line in the log. No I/O."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from reviews import eligibility
from reviews.events import Answer, Deliver, Effect, Event, Message, PersonEvent, Record, Refresh, Transition
from reviews.model import (
    Cause,
    Decision,
    Grant,
    GrantState,
    Object,
    Review,
    ReviewType,
    Seat,
    Status,
)
from reviews.values import replace

Effects: TypeAlias = tuple[Effect, ...]


def end(
    review: Review,
    verdict: Status,
    cause: Cause,
    at: datetime,
    *,
    actor: str,
    by: tuple[Seat, ...] = (),
    reason: str | None = None,
    notes: str | None = None,
    answer: Object | None = None,
) -> tuple[Review, Effects]:
    """Bring a review to its one end: decision, grant where one is due, and the agent told."""
    decision = Decision(
        verdict=verdict,
        cause=cause,
        decided_at=at,
        revision=review.revision,
        digest=review.proposal.digest,
        by=by,
        reason=reason,
        notes=notes,
        answer=answer,
    )
    ended = replace(
        review,
        status=verdict,
        decision=decision,
        grant=_grant(review, at) if verdict is Status.APPROVED else None,
        version=review.version + 1,
        reply_by=None,
        held_since=None,
    )
    return ended, (_ending(decision, actor), Refresh(), Deliver(message=Message.DECIDED))


def _grant(review: Review, at: datetime) -> Grant | None:
    """Feedback looks at what was done already: there is nothing left to grant."""
    if review.request.review_type is ReviewType.FEEDBACK or review.about is not None:
        return None
    return Grant(state=GrantState.OPEN, valid_until=at + review.route.valid_for)


def _ending(decision: Decision, actor: str) -> Record:
    return Record(
        kind=f"review.{decision.verdict}",
        at=decision.decided_at,
        actor=actor,
        detail={
            "cause": decision.cause,
            "revision": decision.revision,
            "digest": decision.digest,
            "by": [seat.person for seat in decision.by],
            "reason": decision.reason,
            "notes": decision.notes,
        },
    )


def open_grant(review: Review) -> Grant | None:
    """The right to act while it can still be used."""
    return review.grant if review.grant is not None and review.grant.state is GrantState.OPEN else None


def close(review: Review, grant: Grant) -> Review:
    """The review with its grant no longer open. A stopped agent has nothing left to hold then."""
    return replace(review, grant=grant, held_since=None)


def done(review: Review, text: str, *effects: Effect) -> Transition:
    """A change that cards must show."""
    shown = replace(review, version=review.version + 1)
    return Transition(review=shown, text=text, effects=(*effects, Refresh()))


def same(review: Review, text: str) -> Transition:
    """It stands already."""
    return Transition(review=review, answer=Answer.SAME, text=text)


def refuse(review: Review, event: Event | PersonEvent, text: str, answer: Answer = Answer.REFUSED) -> Transition:
    """No, and why; the log keeps that it was tried."""
    detail = {"event": type(event).__name__.lower(), "why": text}
    actor = by(event.person.id) if isinstance(event, PersonEvent) else by_agent(review)
    entry = Record(kind="event.refused", at=event.at, actor=actor, detail=detail, public=False)
    return Transition(review=review, answer=answer, text=text, effects=(entry,))


def forbid(review: Review, event: Event | PersonEvent, text: str) -> Transition:
    """Not you, and why."""
    return refuse(review, event, text, Answer.FORBIDDEN)


def noted(kind: str, event: PersonEvent, **detail: object) -> Record:
    """The log's entry for what a person did."""
    words = {"reason": event.reason, "notes": event.notes, "shown": event.shown, "surface": event.surface}
    kept = {key: value for key, value in (words | detail).items() if value is not None}
    return Record(kind=kind, at=event.at, actor=by(event.person.id), detail=kept)


def by(person: str) -> str:
    """A person as the log names them."""
    return f"person:{person}"


def by_agent(review: Review) -> str:
    """The agent as the log names it."""
    return f"agent:{review.agent}"


def sentence(review: Review) -> str:
    """Where a review stands, in one sentence for people."""
    decision = review.decision
    if decision is None:
        if review.status is Status.CHANGES_REQUESTED:
            return f"Waiting for another proposal from {review.agent}."
        return f"Waiting for {eligibility.needed(review)}."
    who = " and ".join(seat.name for seat in decision.by)
    whose = f" by {who}" if who else {Cause.POLICY: " by policy", Cause.AGENT: " by the agent"}.get(decision.cause, "")
    glass = " (glass broken)" if decision.cause is Cause.BREAK_GLASS else ""
    grant = review.grant
    left = f" The approval is {grant.state}." if grant is not None and grant.state is not GrantState.OPEN else ""
    return f"{decision.verdict.capitalize()}{whose} at {decision.decided_at:%H:%M} UTC{glass}.{left}"
