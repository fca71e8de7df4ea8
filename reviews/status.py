"""How a review stands, in a word and a tone, and who asked: for pills, notifications and lists. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from reviews.card import Tone
from reviews.model import Cause, GrantState, Review, RiskLevel, Status

#: The agent by which people ask for reviews themselves; it is owned by who asked, and no key opens it.
DESK = "desk"
_TONES = {
    Status.PENDING: Tone.ATTENTION,
    Status.CHANGES_REQUESTED: Tone.NEUTRAL,
    Status.APPROVED: Tone.SUCCESS,
    Status.REJECTED: Tone.DANGER,
    Status.ANSWERED: Tone.SUCCESS,
    Status.EXPIRED: Tone.MUTED,
    Status.WITHDRAWN: Tone.MUTED,
}
_RISK_TONE = {RiskLevel.HIGH: Tone.DANGER, RiskLevel.CRITICAL: Tone.DANGER}
_GONE = (GrantState.REVOKED, GrantState.LAPSED)


def status_word(review: Review) -> str:
    """The status in a word or three, for pills and notifications."""
    if review.held:
        return "On hold"
    if review.status is Status.PENDING:
        return "Feedback wanted" if review.afterwards else "Review needed"
    if review.status is Status.APPROVED and review.decision is not None:
        state = review.grant.state if review.grant else None
        if review.decision.cause is Cause.BREAK_GLASS:
            return "Approved (glass broken)"
        return f"Approval {state}" if state in _GONE else "Approved"
    if review.appeal is not None:
        return "Rejected (appealed)"
    return review.status.replace("_", " ").capitalize()


def tone_of(review: Review) -> Tone:
    """The tone of a card: how grave what waits is, else what came of it."""
    if review.held:
        return Tone.MUTED
    if review.status is Status.PENDING:
        return _RISK_TONE.get(review.route.risk, Tone.ATTENTION)
    if review.grant is not None and review.grant.state in _GONE:
        return Tone.MUTED
    return _TONES[review.status]


def asker(review: Review, names: Mapping[str, str] | None) -> str:
    """Who asks: an agent by its name; where people ask by the house's own agent, they. `names` maps ids to names."""
    known = names or {}
    return " and ".join(known.get(who, who) for who in sorted(review.owners)) if by_people(review) else review.agent


def by_people(review: Review) -> bool:
    """Whether people ask for it themselves, by the house's own agent."""
    return review.agent == DESK and bool(review.owners)
