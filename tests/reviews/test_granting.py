"""What becomes of the right to act."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from reviews.events import (
    Answer,
    Approved,
    Held,
    Message,
    Released,
    Revoked,
    Undone,
)
from reviews.lifecycle import decide, next_alarm, sentence
from reviews.model import (
    GrantState,
    ReviewType,
    Status,
    Tier,
)
from tests.fakes.builders import a_request
from tests.reviews.builders import (
    ANA,
    BO,
    EVE,
    FAY,
    after,
    at,
    by,
    edits,
    granted,
    kinds,
    opened,
    redeems,
    told,
)


def test_an_approval_is_used_once() -> None:
    """The same call again is the same answer; another call, or another digest, is refused."""
    used = after(granted(), redeems(granted(), 6, key="a"))
    assert (used.grant.redemption_id, used.grant.redeem_key) == ("red_1", "a")
    again = decide(used, redeems(used, 7, key="a", redemption_id="red_2"))
    assert (again.answer, again.review) == (Answer.SAME, used)
    assert decide(used, redeems(used, 7, key="b")).answer is Answer.REFUSED
    assert decide(used, redeems(used, 7, key="a", digest="0" * 64)).answer is Answer.REFUSED
    nameless = after(granted(), redeems(granted(), 6, key=None))
    assert decide(nameless, redeems(nameless, 7, key=None)).answer is Answer.REFUSED


def test_the_same_call_again_counts_even_after_the_validity() -> None:
    """A retry long after still learns that it was used."""
    used = after(granted(), redeems(granted(), 6))
    assert decide(used, redeems(used, 600)).answer is Answer.SAME


def test_only_the_approved_digest_is_redeemed() -> None:
    """The agent may act on what was approved, and on nothing else."""
    review = granted()
    came = decide(review, redeems(review, digest="0" * 64))
    assert (came.answer, came.review) == (Answer.REFUSED, review)


def test_an_edited_approval_is_bound_to_the_edited_digest() -> None:
    """The agent's own first arguments are not what was approved."""
    review = opened()
    edited = after(review, edits(review, ANA, 99.0))
    assert edited.decision.digest == edited.proposal.digest != review.proposal.digest
    assert decide(edited, redeems(review)).answer is Answer.REFUSED
    assert decide(edited, redeems(edited)).answer is Answer.DONE


def test_an_approval_rests_while_it_can_be_undone() -> None:
    """Before `usable_from` the agent is told when; from it on the approval works, and is as long as the route says."""
    review = after(opened(undo=timedelta(seconds=10)), by(Approved, ANA, 5))
    usable = at(5) + timedelta(seconds=10)
    assert (review.grant.usable_from, review.grant.valid_until) == (usable, usable + timedelta(hours=1))
    came = decide(review, redeems(review, 5.1))
    assert (came.answer, came.review) == (Answer.LOCKED, review)
    assert came.text == "This approval can still be undone: it can be used from 09:05:10 UTC on."
    assert sentence(review).endswith("It can be used from 09:05:10 UTC, and taken back until it is.")
    last = dataclasses.replace(redeems(review), at=usable - timedelta(microseconds=1))
    assert decide(review, last).answer is Answer.LOCKED
    assert decide(review, dataclasses.replace(redeems(review), at=usable)).answer is Answer.DONE
    assert next_alarm(review) == review.grant.valid_until


@pytest.mark.parametrize("event", [by(Undone, ANA, 5.1), by(Revoked, BO, 5.1)])
def test_an_approval_is_taken_back_before_it_could_be_used(event: Undone | Revoked) -> None:
    """Within the window as after it; then there is nothing to use."""
    review = after(opened(undo=timedelta(seconds=10)), by(Approved, ANA, 5))
    back = after(review, event)
    assert back.grant.state is GrantState.REVOKED
    assert decide(back, redeems(back, 6)).answer is Answer.GONE


@pytest.mark.parametrize("over", [{"tier": Tier.AUTO}, {"tier": Tier.SAMPLE}, {"shadow": True}])
def test_what_policy_lets_through_does_not_rest(over: dict[str, Any]) -> None:
    """There is nobody who might think again."""
    review = opened(needs=(), undo=timedelta(seconds=10), **over)
    assert (review.grant.usable_from, review.grant.valid_until) == (None, at(60))
    assert decide(review, redeems(review, 0)).answer is Answer.DONE


def test_a_stop_does_not_make_an_approval_rest_longer() -> None:
    """Both of its instants stay: what lapsed meanwhile has lapsed."""
    review = after(opened(undo=timedelta(seconds=10)), by(Approved, ANA, 5))
    free = after(review, Held(at=at(5.1), by="eve"), Released(at=at(30), by="eve"))
    assert free.grant == review.grant


def test_an_approval_lapses() -> None:
    """At `valid_until` it is gone, even when the timer is late."""
    review = granted(5)
    assert next_alarm(review) == review.grant.valid_until == at(65)
    came = decide(review, redeems(review, 65))
    assert (came.answer, came.review.grant.state) == (Answer.GONE, GrantState.LAPSED)
    assert kinds(came.effects) == ("grant.lapsed", "event.refused")


def test_seniors_revoke_and_voters_undo() -> None:
    """Ana voted and may undo; Fay is nobody; Bo of level 2 may revoke where 2 is the level. The agent is told."""
    review = granted()
    assert decide(review, by(Undone, BO)).answer is Answer.FORBIDDEN
    assert decide(review, by(Revoked, FAY)).answer is Answer.FORBIDDEN
    assert decide(review, by(Revoked, BO, senior_level=3)).answer is Answer.FORBIDDEN
    for event in (by(Undone, ANA), by(Revoked, BO)):
        came = decide(review, event)
        assert came.review.grant.state is GrantState.REVOKED
        assert told(came.effects) == (Message.REVOKED,)
        assert came.review.decision == review.decision


def test_what_was_used_cannot_be_taken_back() -> None:
    """An act done cannot be undone by a button, and what was revoked cannot be used."""
    used = after(granted(), redeems(granted(), 6))
    for event in (by(Undone, ANA, 7), by(Revoked, EVE, 7)):
        came = decide(used, event)
        assert (came.answer, came.review) == (Answer.REFUSED, used)
        assert came.text.startswith("There is no unused approval to take back.")


@pytest.mark.parametrize("request_", [a_request(review_type=ReviewType.FEEDBACK), None])
def test_feedback_grants_nothing(request_: object) -> None:
    """A look afterwards says whether the person agrees; there is nothing left to do for the agent."""
    review = opened(request=request_, about=None if request_ else "rev_before")
    approved = after(review, by(Approved, ANA))
    assert (approved.status, approved.grant) == (Status.APPROVED, None)
    assert decide(approved, redeems(approved)).answer is Answer.REFUSED
