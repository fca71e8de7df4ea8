"""A rejection held to be wrong goes to somebody more senior, in a review of its own."""

from __future__ import annotations

from typing import Any

import pytest

from reviews.events import Answer, Appealed, Approved, Follow, Message, Rejected
from reviews.lifecycle import decide
from reviews.model import Need, Person, Relation, Review, Tier
from tests.reviews.builders import ANA, BO, EVE, FAY, after, by, granted, kinds, opened, stands, ticks, told

#: Who looked at it before, when it is itself an appeal.
BEFORE = Person(id="kim", name="Kim", level=1)


def appeals(person: Person = BO, minutes: float = 6, **over: Any) -> Appealed:
    """Somebody appeals to level 3, for a reason."""
    made = {"allowed": True, "level": 3, "follow": "rev_again", "reason": "It was paid twice"}
    return by(Appealed, person, minutes, **(made | over))


def rejected(**over: Any) -> Review:
    """Rejected by Ana at minute 5."""
    return after(opened(**over), by(Rejected, ANA, 5))


def test_an_appeal_opens_a_review_to_a_higher_level() -> None:
    """Neither who rejected it nor who appeals decides it; the agent is told; the log names the new review."""
    came = decide(rejected(), appeals())
    assert (came.answer, came.text) == (Answer.DONE, "Somebody of level 3 or more will look at it again.")
    (follow,) = (e for e in came.effects if isinstance(e, Follow))
    assert follow == Follow(relation=Relation.APPEAL, id="rev_again", excluded=frozenset({"ana", "bo"}), level=3)
    assert (kinds(came.effects), told(came.effects)) == (("review.appealed",), (Message.APPEALED,))
    assert came.review.appeal == "rev_again"


def test_the_verdict_stands() -> None:
    """Whatever comes of the appeal, this review was rejected and stays so."""
    before = rejected()
    after_ = after(before, appeals())
    assert (after_.decision, after_.status, after_.grant) == (before.decision, before.status, before.grant)


def test_a_rejection_is_appealed_once() -> None:
    """A second appeal is told where it is being looked at; nothing follows from it."""
    review = after(rejected(), appeals())
    for person in (BO, EVE):
        came = decide(review, appeals(person, 7, follow="rev_other"))
        assert came.answer is (Answer.SAME)
        assert (came.review, came.effects) == (review, ())
        assert came.text == "It is being looked at again in rev_again."


def test_who_rejected_it_does_not_appeal() -> None:
    """Not even with the right to."""
    review = rejected()
    came = decide(review, appeals(ANA))
    assert (came.answer, came.review) == (Answer.FORBIDDEN, review)


def test_appealing_takes_the_right_a_reason_and_somebody_more_senior() -> None:
    """Each refusal says which is missing."""
    review = rejected()
    for event, answer, text in (
        (appeals(FAY, allowed=False), Answer.FORBIDDEN, "Appealing is for the agent's owners"),
        (appeals(reason=" "), Answer.REFUSED, "Say why the rejection is wrong."),
        (appeals(level=None), Answer.REFUSED, "Nobody else here who may decide it is more senior"),
    ):
        came = decide(review, event)
        assert (came.answer, came.review) == (answer, review)
        assert came.text.startswith(text)
        assert not any(isinstance(e, Follow) for e in came.effects)


def test_the_owner_and_whom_it_is_for_may_appeal() -> None:
    """They may not decide it, but they may hold the verdict to be wrong."""
    review = rejected(owners=frozenset({"bo"}), principal="eve")
    for person in (BO, EVE):
        assert decide(review, appeals(person)).answer is Answer.DONE


@pytest.mark.parametrize(
    "over",
    [
        lambda: opened(tier=Tier.DENY, needs=()),
        lambda: after(opened(), ticks(opened(), 61)),
        lambda: after(opened(), by(Approved, ANA, 5)),
        granted,
        opened,
    ],
    ids=["denied by policy", "expired", "approved", "granted", "pending"],
)
def test_only_what_a_person_rejected_is_appealed(over: Any) -> None:
    """A policy is changed, silence is asked again, and what is open is still to be decided."""
    review = over()
    came = decide(review, appeals(minutes=62))
    assert came.answer is Answer.REFUSED
    assert not any(isinstance(e, Follow) for e in came.effects)


@pytest.mark.parametrize("relation", [Relation.FEEDBACK, Relation.AFTER_GLASS])
def test_what_was_done_already_is_not_appealed(relation: Relation) -> None:
    """An appeal's approval gives the right to act: of what was done already that would be a second time."""
    review = rejected(about="rev_1", relation=relation)
    assert decide(review, appeals()).answer is Answer.REFUSED


def an_appeal(level: int = 2) -> Review:
    """The review an appeal opened, rejected in its turn by Ana. Kim rejected the first, Bo appealed."""
    whose = {"about": "rev_1", "relation": Relation.APPEAL, "excluded": frozenset({"kim", "bo"})}
    return rejected(needs=(Need(level=level),), **whose)


def test_an_appeal_is_appealed_only_to_a_higher_level() -> None:
    """And by somebody else: neither who rejected one of the two nor who appealed before."""
    review = an_appeal()
    assert decide(review, appeals(EVE, level=2)).answer is Answer.REFUSED
    for person in (ANA, BO, BEFORE):
        assert decide(review, appeals(person)).answer is Answer.FORBIDDEN
    came = decide(review, appeals(EVE, level=3))
    (follow,) = (e for e in came.effects if isinstance(e, Follow))
    assert follow.excluded == {"ana", "bo", "kim", "eve"}


def test_an_appeal_that_is_approved_grants() -> None:
    """It is a review of its own, with a right to act of its own."""
    review = opened(needs=(Need(level=3),), about="rev_1", relation=Relation.APPEAL, excluded=frozenset({"ana"}))
    assert stands(after(review, by(Approved, EVE))) == "approved/open"


@pytest.mark.parametrize("level", [1, 2])
def test_who_rejected_it_does_not_decide_the_appeal(level: int) -> None:
    """Whatever their level: somebody else must."""
    review = opened(needs=(Need(level=level),), about="rev_1", relation=Relation.APPEAL, excluded=frozenset({"ana"}))
    for kind in (Approved, Rejected):
        came = decide(review, by(kind, ANA))
        assert (came.answer, came.review) == (Answer.FORBIDDEN, review)
    assert stands(after(review, by(Approved, BO))) == "approved/open"
