"""A rejection held to be wrong: somebody more senior looks again, in a review of its own. No I/O."""

from __future__ import annotations

from reviews.events import Appealed, Deliver, Follow, Message, Transition
from reviews.model import Cause, Relation, Review, Status
from reviews.steps import done, forbid, noted, refuse, same, sentence
from reviews.values import replace


def appeal(review: Review, event: Appealed) -> Transition:
    """Open a linked review to a higher level. The verdict that stands is not changed by it."""
    if not _rejected(review):
        return refuse(review, event, f"Only what a person rejected beforehand can be appealed. {sentence(review)}")
    if barred := _barred(review, event):
        return forbid(review, event, barred)
    if review.appeal is not None:
        return same(review, f"It is being looked at again in {review.appeal}.")
    if not (event.reason or "").strip():
        return refuse(review, event, "Say why the rejection is wrong.")
    if event.level is None or event.level <= _level(review):
        return refuse(review, event, "Nobody else here who may decide it is more senior than who rejected it.")
    # Who appeals has a view of it already, as who rejected it has.
    excluded = _rejecters(review) | review.excluded | {event.person.id}
    follow = Follow(relation=Relation.APPEAL, id=event.follow, excluded=excluded, level=event.level)
    text = f"Somebody of level {event.level} or more will look at it again."
    entry = noted("review.appealed", event, level=event.level, appeal=event.follow)
    return done(replace(review, appeal=event.follow), text, entry, follow, Deliver(message=Message.APPEALED))


def _rejected(review: Review) -> bool:
    """Whether a person said no to what was not done yet: what was done already cannot be granted any more."""
    decision = review.decision
    by_hand = decision is not None and decision.cause is Cause.HUMAN
    return review.status is Status.REJECTED and by_hand and not review.afterwards


def _barred(review: Review, event: Appealed) -> str | None:
    """Why this person may not appeal; None when they may."""
    if event.person.id in _rejecters(review):
        return "You rejected it, so somebody else must appeal."
    if event.person.id in review.excluded:
        return "You have had your say in the review this is about, so somebody else must appeal."
    if not event.allowed:
        return "Appealing is for the agent's owners and for people with that right."
    return None


def _rejecters(review: Review) -> frozenset[str]:
    return frozenset(seat.person for seat in review.decision.by) if review.decision is not None else frozenset()


def _level(review: Review) -> int:
    """The level it was looked at with already; an appeal of an appeal must go above it."""
    if review.relation is not Relation.APPEAL or review.about is None:
        return 0
    return max((need.level or 0 for need in review.route.needs), default=0)
