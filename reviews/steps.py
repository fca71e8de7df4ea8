"""What every step in a review's life is made of: an end, a change, a refusal, and its line in the log. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from reviews import eligibility
from reviews.events import Answer, Deliver, Effect, Event, Held, Message, PersonEvent, Record, Refresh, Transition
from reviews.model import (
    Cause,
    Decision,
    Grant,
    GrantState,
    Object,
    Review,
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
    grant = _grant(review, cause, at) if verdict is Status.APPROVED else None
    ended = replace(
        review,
        status=verdict,
        decision=decision,
        grant=grant,
        version=review.version + 1,
        reply_by=None,
        held_since=None,
        instruction=None,
    )
    return ended, (_ending(decision, grant, actor), Refresh(), Deliver(message=Message.DECIDED))


def _grant(review: Review, cause: Cause, at: datetime) -> Grant | None:
    """Feedback looks at what was done already: there is nothing left to grant. What people say may rest a while."""
    if review.afterwards:
        return None
    rests = cause is Cause.HUMAN and review.route.undo > timedelta(0)
    usable = at + review.route.undo if rests else at
    until = usable + review.route.valid_for
    return Grant(state=GrantState.OPEN, valid_until=until, usable_from=usable if rests else None)


def _ending(decision: Decision, grant: Grant | None, actor: str) -> Record:
    detail: Object = {
        "cause": decision.cause,
        "revision": decision.revision,
        "digest": decision.digest,
        "by": [seat.person for seat in decision.by],
        "reason": decision.reason,
        "notes": decision.notes,
    }
    if grant is not None and grant.usable_from is not None:
        detail["usable_from"] = grant.usable_from.isoformat()
    return Record(kind=f"review.{decision.verdict}", at=decision.decided_at, actor=actor, detail=detail)


def open_grant(review: Review) -> Grant | None:
    """The right to act while it can still be used."""
    return review.grant if review.grant is not None and review.grant.state is GrantState.OPEN else None


def close(review: Review, grant: Grant) -> Review:
    """The review with its grant no longer open. A stopped agent has nothing left to hold then."""
    return replace(review, grant=grant, held_since=None, instruction=None)


def halt(review: Review, event: Held) -> tuple[Review, Effects]:
    """The review under a stopped agent, and the agent told, with what its next plan is to heed."""
    detail = {"reason": event.reason, "instruction": event.instruction}
    entry = Record(kind="review.held", at=event.at, actor=by_whom(event.by), detail=detail)
    held = replace(review, held_since=event.at, instruction=event.instruction)
    return held, (entry, Deliver(message=Message.AGENT_STOPPED))


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


def by_whom(who: str) -> str:
    """Who stopped or resumed an agent, as the log names them: a person, or the operator at the server itself."""
    return who if who == "operator" else by(who)


def by_agent(review: Review) -> str:
    """The agent as the log names it."""
    return f"agent:{review.agent}"


def sentence(review: Review) -> str:
    """Where a review stands, in a sentence or two for people."""
    decision = review.decision
    if decision is None:
        return _waiting(review)
    who = " and ".join(seat.name for seat in decision.by)
    whose = f" by {who}" if who else {Cause.POLICY: " by policy", Cause.AGENT: " by the agent"}.get(decision.cause, "")
    glass = " (glass broken)" if decision.cause is Cause.BREAK_GLASS else ""
    return f"{decision.verdict.capitalize()}{whose} at {decision.decided_at:%H:%M} UTC{glass}.{_since(review)}"


def _waiting(review: Review) -> str:
    if review.held:
        return f"{review.agent} is stopped: this waits until it is resumed."
    if review.status is Status.CHANGES_REQUESTED:
        return f"Waiting for another proposal from {review.agent}."
    return f"Waiting for {eligibility.needed(review)}."


def _since(review: Review) -> str:
    """What has become of the decision since, as a sentence with a space before it."""
    grant = review.grant
    if review.appeal is not None:
        return f" It is being looked at again in {review.appeal}."
    if grant is not None and grant.state is not GrantState.OPEN:
        return f" The approval is {grant.state}."
    if grant is not None and grant.usable_from is not None:
        return f" It can be used from {grant.usable_from:%H:%M:%S} UTC, and taken back until it is."
    return ""
