"""When many reviews lie at one place, the harmless ones share a card there."""

from __future__ import annotations

import pytest

from reviews.flood import folds
from reviews.keeping import Copy
from reviews.model import Review, RiskLevel, Status, Target
from reviews.values import replace
from tests.fakes.builders import START, a_review, a_route

LOW = a_review(route=a_route(risk=RiskLevel.LOW))


def a_copy(review: Review) -> Copy:
    """A new copy in a channel, posted by the first rung."""
    return Copy(
        id="cpy_1",
        review=review.id,
        target=Target(surface="slack", address="C1"),
        epoch=0,
        rung=0,
        state="new",
        wanted=1,
        shown=0,
        created_at=START,
    )


@pytest.mark.parametrize(
    ("standing", "most", "folded"), [(0, 2, False), (1, 2, False), (2, 2, True), (9, 2, True), (9, 0, False)]
)
def test_it_folds_when_so_many_lie_there(standing: int, most: int, folded: bool) -> None:
    """From the limit on; with none, never."""
    assert folds(LOW, a_copy(LOW), standing, most) is folded


@pytest.mark.parametrize("risk", [RiskLevel.MEDIUM, RiskLevel.HIGH, RiskLevel.CRITICAL])
def test_only_low_risk_folds(risk: RiskLevel) -> None:
    """What could do harm keeps its card, however many there are."""
    review = a_review(route=a_route(risk=risk))
    assert not folds(review, a_copy(review), 1000, 1)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
def test_only_what_waits_for_people_folds(status: Status) -> None:
    """What is decided, or the agent's turn, is no line in a queue."""
    assert not folds(replace(LOW, status=status), a_copy(LOW), 1000, 1)


def test_whoever_is_called_gets_the_card() -> None:
    """In person, by a later rung, in the thread where they asked."""
    copy = a_copy(LOW)
    for other in (
        replace(copy, rung=1),
        replace(copy, rung=-1),
        replace(copy, target=replace(copy.target, person="ana")),
        replace(copy, target=replace(copy.target, thread="1700.1")),
    ):
        assert not folds(LOW, other, 1000, 1)
