"""When many reviews lie at one place, the harmless ones share a card there. No I/O."""

from __future__ import annotations

from reviews.keeping import Copy
from reviews.model import Review, RiskLevel, Status


def folds(review: Review, copy: Copy, standing: int, most: int) -> bool:
    """Whether a new copy is a line in its place's queue card instead of a card of its own.

    `standing` is how many cards of open reviews lie there, `most` how many may (0: any number). Only low risk is
    folded, and only what the first rung posts to a channel: whoever is called in person, or later, gets the card.
    """
    to_all = copy.rung == 0 and copy.target.person is None and not copy.target.thread
    harmless = review.status is Status.PENDING and review.route.risk is RiskLevel.LOW
    return to_all and harmless and 0 < most <= standing
