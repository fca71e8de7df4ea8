"""How a revision sets out, the first and the later ones."""

from __future__ import annotations

import pytest

from reviews.events import (
    ChangesRequested,
    Message,
    Refresh,
    Taken,
    Ticked,
)
from reviews.lifecycle import decide, next_alarm
from reviews.model import (
    Cause,
    Status,
    Tier,
)
from tests.reviews.builders import (
    ANA,
    REACH,
    after,
    at,
    by,
    kinds,
    opened,
    opening,
    revises,
    stands,
    ticks,
    told,
)

# ---------------------------------------------------------------------------------------------- opening


@pytest.mark.parametrize("tier", [Tier.AUTO, Tier.SAMPLE])
def test_policy_lets_through_at_once(tier: Tier) -> None:
    """Where no person is needed the approval comes from the policy, with a grant, and nobody is called."""
    came = opening(tier=tier)
    assert stands(came.review) == "approved/open"
    assert came.review.decision.cause is Cause.POLICY
    assert told(came.effects) == (Message.DECIDED,)
    assert "review.called" not in kinds(came.effects)


def test_shadow_mode_lets_through() -> None:
    """A rule in shadow mode is recorded and let through."""
    assert stands(opened(tier=Tier.DUAL, shadow=True)) == "approved/open"


def test_policy_denies_at_once() -> None:
    """`deny` rejects with the policy's sentence, and never asks a person."""
    came = opening(tier=Tier.DENY, explanation="Nobody deletes production.")
    assert stands(came.review) == "rejected"
    assert came.review.decision.cause is Cause.POLICY
    assert came.review.decision.reason == "Nobody deletes production."


def test_opening_calls_the_first_rung() -> None:
    """The rungs due at once go out with the opening; version 1 is what they show, and the agent is not told."""
    came = opening()
    assert kinds(came.effects) == ("review.opened", "review.called")
    assert (came.review.ladder.fired, came.review.version) == (1, 1)
    assert told(came.effects) == ()
    assert Refresh() not in came.effects


# ---------------------------------------------------------------------------------------------- the agent's turn


def test_requested_changes_stop_the_clock_and_ask_the_agent() -> None:
    """The deadline passes unnoticed while it is the agent's turn; the reply clock is the one that runs."""
    review = opened()
    came = decide(review, by(ChangesRequested, ANA, 5, reason="Half", about="#2"))
    assert told(came.effects) == (Message.CHANGES_REQUESTED,)
    assert [(c.text, c.about, c.revision) for c in came.review.changes] == [("Half", "#2", 1)]
    assert stands(after(came.review, ticks(review, 300))) == "changes_requested"
    assert next_alarm(came.review) == at(5 + 24 * 60)
    late = after(came.review, ticks(review, 5 + 24 * 60))
    assert (late.status, late.decision.cause) == (Status.EXPIRED, Cause.TIMEOUT)


def test_the_agent_answers_with_a_revision() -> None:
    """The ladder begins anew, votes and owner are gone, and rungs of the old run do nothing."""
    review = after(
        opened(), by(Taken, ANA, 1, until=at(30)), by(ChangesRequested, ANA, 5, reason="Half"), revises(opened(), 90.0)
    )
    assert (review.status, review.ladder.epoch, review.owner, review.reply_by) == (Status.PENDING, 1, None, None)
    assert review.ladder.paused_until is None
    stale = Ticked(at=at(20), epoch=0, reach=REACH)
    assert decide(review, stale).review == review
    assert after(review, ticks(review, 20)).ladder.fired == 2
