"""What becomes of the right to act: used, given back, taken back; and how it went. No I/O."""

from __future__ import annotations

from reviews.events import (
    Answer,
    Deliver,
    Message,
    Record,
    Redeemed,
    Reported,
    Revoked,
    Transition,
    Undone,
    Withdrawn,
)
from reviews.model import Cause, GrantState, Review, Status
from reviews.steps import by_agent, close, done, end, forbid, noted, open_grant, refuse, same, sentence
from reviews.values import replace

#: How often an agent may say how it went.
MOST_OUTCOMES = 20


def redeem(review: Review, event: Redeemed) -> Transition:
    """Turn an approval into the act, once; the same call again gets the same answer."""
    grant = review.grant
    if grant is None:
        return refuse(review, event, f"There is no approval to use. {sentence(review)}")
    if grant.state is GrantState.USED:
        if event.key is not None and event.key == grant.redeem_key and event.digest == review.proposal.digest:
            return same(review, "Used already, by this same call.")
        return refuse(review, event, "This approval was used already; it is good for one act.")
    if grant.state is not GrantState.OPEN:
        return refuse(review, event, f"This approval is {grant.state}.", Answer.GONE)
    if event.digest != review.proposal.digest:
        return refuse(review, event, "That digest is not the one approved. Act on the approved arguments only.")
    if grant.usable_from is not None and event.at < grant.usable_from:
        text = f"This approval can still be undone: it can be used from {grant.usable_from:%H:%M:%S} UTC on."
        return refuse(review, event, text, Answer.LOCKED)
    used = replace(grant, state=GrantState.USED, redemption_id=event.redemption_id, redeem_key=event.key, at=event.at)
    detail = {"redemption": event.redemption_id, "digest": event.digest}
    entry = Record(kind="grant.used", at=event.at, actor=by_agent(review), detail=detail)
    return done(close(review, used), "The approval is used: act now.", entry)


def withdraw(review: Review, event: Withdrawn) -> Transition:
    """The agent no longer needs it: the end of a review under way, or an approval given back unused."""
    if (grant := open_grant(review)) is not None:
        kept = close(review, replace(grant, state=GrantState.RETURNED, at=event.at))
        entry = Record(kind="grant.returned", at=event.at, actor=by_agent(review), detail={"reason": event.reason})
        return done(kept, "The approval was given back unused.", entry)
    if review.status is Status.WITHDRAWN:
        return same(review, sentence(review))
    if review.status.over:
        return refuse(review, event, sentence(review))
    ended, effects = end(review, Status.WITHDRAWN, Cause.AGENT, event.at, reason=event.reason, actor=by_agent(review))
    return Transition(review=ended, text=sentence(ended), effects=effects)


def undo(review: Review, event: Undone) -> Transition:
    """A voter takes back an approval not used yet."""
    if review.decision is None or event.person.id not in {seat.person for seat in review.decision.by}:
        return forbid(review, event, "Only who approved it may undo it; a senior may revoke it.")
    return _take_back(review, event)


def revoke(review: Review, event: Revoked) -> Transition:
    """A senior takes back an approval not used yet."""
    if event.person.level < event.senior_level:
        return forbid(review, event, f"Revoking this takes level {event.senior_level}; yours is {event.person.level}.")
    return _take_back(review, event)


def _take_back(review: Review, event: Undone | Revoked) -> Transition:
    grant = open_grant(review)
    if grant is None:
        return refuse(review, event, nothing_to_take_back(review))
    kept = close(review, replace(grant, state=GrantState.REVOKED, at=event.at))
    text = "Taken back: the agent can no longer use this approval, and has been told."
    return done(kept, text, noted("grant.revoked", event), Deliver(message=Message.REVOKED))


def nothing_to_take_back(review: Review) -> str:
    """The sentence for an approval that is not there, or no longer."""
    return f"There is no unused approval to take back. {sentence(review)}"


def report(review: Review, event: Reported) -> Transition:
    """How it went, by the agent's word."""
    if review.status not in (Status.APPROVED, Status.ANSWERED):
        return refuse(review, event, f"Only what was approved or answered has an outcome. {sentence(review)}")
    if len(review.outcomes) >= MOST_OUTCOMES:
        return refuse(review, event, f"{MOST_OUTCOMES} outcomes are noted already; no more are taken.")
    outcome = event.outcome
    detail = {"result": outcome.result, "detail": outcome.detail}
    entry = Record(kind="review.outcome", at=event.at, actor=by_agent(review), detail=detail)
    return done(replace(review, outcomes=(*review.outcomes, outcome)), "The outcome is noted.", entry)
