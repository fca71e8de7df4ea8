"""What is asked of people in a review that follows from another one: feedback, an appeal, a look at broken glass."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from reviews.events import Follow
from reviews.model import Need, Relation, Request, Review, ReviewType, Route, Tier
from reviews.values import replace

_WHY = {
    Relation.FEEDBACK: "Drawn from what was let through, to see whether people agree.",
    Relation.APPEAL: "A rejection held to be wrong: somebody more senior, who did not reject it, decides anew.",
    Relation.AFTER_GLASS: "The glass was broken for this: whether that was right is looked at afterwards.",
}


def route(review: Review, follow: Follow, default: Route) -> Route:
    """By whom it is decided: by the chain of the review it is about, else by that of the policy's `default`."""
    before = review.route
    tier, needs = _asked(before, follow, before.needs or default.needs or (Need(level=1),))
    return replace(
        before,
        tier=tier,
        needs=needs,
        chain=before.chain or default.chain,
        chain_name=before.chain_name if before.chain else default.chain_name,
        shadow=False,
        explanation=_WHY[follow.relation],
    )


def _asked(before: Route, follow: Follow, needs: tuple[Need, ...]) -> tuple[Tier, tuple[Need, ...]]:
    match follow.relation:
        case Relation.FEEDBACK:
            return Tier.APPROVE, needs[:1]
        case Relation.APPEAL:
            senior = Need(level=follow.level or 1)
            if before.tier is Tier.DUAL:
                return Tier.DUAL, (senior, *before.needs)
            return max(before.tier, Tier.APPROVE, key=lambda tier: tier.strictness), (senior,)
        case Relation.AFTER_GLASS:
            return Tier.DUAL if len(needs) > 1 else Tier.APPROVE, needs
        case _:
            assert_never(follow.relation)


def request(review: Review, follow: Follow, at: datetime) -> Request:
    """What is asked. Nobody waits for a look afterwards; an appeal heeds a deadline that is still to come."""
    if follow.relation is not Relation.APPEAL:
        return replace(review.request, review_type=ReviewType.FEEDBACK, callback_url=None, review_deadline=None)
    deadline = review.request.review_deadline
    return replace(review.request, review_deadline=deadline if deadline is not None and deadline > at else None)
