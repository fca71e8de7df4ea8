"""What people are told where a card says nothing."""

from __future__ import annotations

from adapters.saying import closed
from reviews.model import Verb


def test_who_may_not_is_not_told_it_is_too_late() -> None:
    """A card that many read has controls that only some of them may use."""
    assert closed("Review needed", Verb.STOP) == "Review needed: this is not yours to do, or it is too late."
    assert closed("Approved", Verb.REJECT) == "Approved: too late."
