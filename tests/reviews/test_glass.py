"""The emergency: asked for by one, observed by another, looked at again afterwards."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from reviews.events import (
    COURTESY,
    Answer,
    Approved,
    BrokenGlass,
    ChangesRequested,
    Follow,
    Held,
    Message,
    Post,
    Record,
    Transition,
    Undone,
)
from reviews.lifecycle import decide, next_alarm
from reviews.model import ALL_DECISIONS, Cause, Person, Relation, Review, Seat, Target, Tier, Verb
from tests.reviews.builders import (
    ANA,
    BO,
    CAL,
    CHANNEL,
    DEE,
    EVE,
    FAY,
    MANAGER,
    MINUTE,
    after,
    at,
    by,
    edits,
    kinds,
    opened,
    redeems,
    revises,
    stands,
    ticks,
    told,
)


def presses(person: Person, minutes: float = 5, **over: Any) -> BrokenGlass:
    """Somebody who may presses, for a reason."""
    return by(BrokenGlass, person, minutes, **({"allowed": True, "reason": "The shop is down"} | over))


def asked(**over: Any) -> Review:
    """Cal asked at minute 5 to break the glass of a review."""
    return after(opened(**over), presses(CAL, 5))


def test_the_first_press_asks_for_an_observer() -> None:
    """Nothing is approved; everybody who may observe is told, the log says who asks, why and until when."""
    dm = Target(surface="slack", address="U1", person="dee")
    came = decide(opened(), presses(CAL, 5, targets=(CHANNEL, dm)))
    assert stands(came.review) == "pending"
    assert came.text == "Asked. A second person who may break the glass must press it too, until 09:20 UTC."
    glass = came.review.glass
    assert glass is not None
    assert (glass.person, glass.name, glass.reason, glass.at, glass.until) == (
        "cal",
        "Cal",
        "The shop is down",
        at(5),
        at(20),
    )
    posts = [(e.target, e.rung) for e in came.effects if isinstance(e, Post)]
    assert posts == [(CHANNEL, COURTESY), (dm, COURTESY)]
    (written,) = (e for e in came.effects if isinstance(e, Record))
    assert (written.kind, written.actor, written.public) == ("review.glass_asked", "person:cal", True)
    assert written.detail["reason"] == "The shop is down"
    assert told(came.effects) == ()


def test_the_second_press_by_another_approves() -> None:
    """Both sit, with a cause of its own; what was broken is looked at again by neither of them."""
    came = decide(asked(), presses(FAY, 10, reason=None, surface="slack"))
    review = came.review
    assert (stands(review), review.decision.cause, review.glass) == ("approved/open", Cause.BREAK_GLASS, None)
    assert review.decision.by == (
        Seat(
            person="cal",
            name="Cal",
            role="break_glass",
            slot=0,
            surface="web",
            at=at(5),
            eligibility="may break_glass",
        ),
        Seat(
            person="fay",
            name="Fay",
            role="observer",
            slot=1,
            surface="slack",
            at=at(10),
            eligibility="may break_glass",
        ),
    )
    assert review.decision.reason == "The shop is down"
    assert came.text == "Approved by Cal and Fay at 09:10 UTC (glass broken)."
    assert kinds(came.effects) == ("review.glass_broken", "review.approved")
    assert all(e.public for e in came.effects if isinstance(e, Record))
    assert told(came.effects) == (Message.DECIDED,)
    assert [e for e in came.effects if isinstance(e, Follow)] == [
        Follow(relation=Relation.AFTER_GLASS, excluded=frozenset({"cal", "fay"}))
    ]


def test_the_same_person_is_no_observer() -> None:
    """However often they press, on whatever surface."""
    review = asked()
    for minute in (5, 6, 19):
        came = decide(review, presses(CAL, minute, surface="slack"))
        assert (came.answer, came.review) == (Answer.SAME, review)
        assert came.text == "A second person who may break the glass must press it too, until 09:20 UTC."


def test_an_observer_who_comes_too_late_begins_anew() -> None:
    """At the end of the window the first press is gone: the second is a first one, and needs a reason."""
    came = decide(asked(), presses(DEE, 20, reason="Still down"))
    assert stands(came.review) == "pending"
    assert (came.review.glass.person, came.review.glass.until) == ("dee", at(35))
    assert decide(asked(), presses(DEE, 20, reason=" ")).answer is Answer.REFUSED
    assert decide(asked(), presses(CAL, 20)).answer is Answer.DONE
    assert stands(after(asked(), presses(DEE, 19.9))) == "approved/open"


def test_the_window_is_the_operators() -> None:
    """As long as the event says."""
    review = after(opened(), presses(CAL, 5, window=2 * MINUTE))
    assert decide(review, presses(DEE, 7)).review.glass.person == "dee"


@pytest.mark.parametrize(("own", "glass", "good_for"), [(60, 15, 15), (5, 15, 5)])
def test_the_approval_is_short(own: int, glass: int, good_for: int) -> None:
    """As long as the glass or the route says, whichever is less; it begins at once, even where approvals rest."""
    review = asked(valid_for=own * MINUTE, undo=MINUTE)
    broken = after(review, presses(DEE, 6, valid_for=glass * MINUTE))
    assert (broken.grant.valid_until, broken.grant.usable_from) == (at(6 + good_for), None)
    assert next_alarm(broken) == at(6 + good_for)
    assert decide(broken, redeems(broken, 6)).answer is Answer.DONE


def test_either_of_them_may_take_it_back() -> None:
    """Both have approved it."""
    broken = after(asked(), presses(DEE, 6))
    for person in (CAL, DEE):
        assert stands(after(broken, by(Undone, person, 7))) == "approved/revoked"


WHOSE: dict[str, dict[str, Any]] = {
    "owner": {"owners": frozenset({"bo"})},
    "principal": {"principal": "bo"},
    "named": {"named": frozenset({"bo"})},
    "excluded": {"excluded": frozenset({"bo"})},
}


@pytest.mark.parametrize("whose", WHOSE)
def test_nobody_breaks_the_glass_for_their_own_request(whose: str) -> None:
    """Neither as the first nor as the observer, and not who was left out of it."""
    review = opened(**WHOSE[whose])
    assert decide(review, presses(BO)).answer is Answer.FORBIDDEN
    begun = after(review, presses(CAL))
    came = decide(begun, presses(BO, 6))
    assert (came.answer, came.review) == (Answer.FORBIDDEN, begun)


def test_only_who_may_breaks_the_glass() -> None:
    """As the first, and as the observer."""
    assert decide(opened(), presses(ANA, allowed=False)).answer is Answer.FORBIDDEN
    begun = asked()
    came = decide(begun, presses(ANA, 6, allowed=False))
    assert (came.answer, came.review) == (Answer.FORBIDDEN, begun)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_the_first_press_needs_a_reason(reason: str | None) -> None:
    """The observer's is welcome, not needed."""
    review = opened()
    came = decide(review, presses(CAL, reason=reason))
    assert (came.answer, came.review) == (Answer.REFUSED, review)


def test_a_new_revision_needs_the_glass_anew() -> None:
    """Who asked saw another proposal; so did who observes without having looked again."""
    review = asked(needs=(MANAGER, MANAGER))
    edited = after(review, edits(review, ANA, 20.0, 6))
    assert (stands(edited), edited.revision, edited.glass) == ("pending", 2, None)
    revised = after(review, revises(review, 20.0, 6))
    assert stands(after(revised, presses(DEE, 7))) == "pending"
    stale = decide(revised, presses(DEE, 7, revision=1))
    assert (stale.answer, stale.review) == (Answer.REFUSED, revised)


def test_the_agents_turn_can_be_broken_into() -> None:
    """A review sent back for changes can be approved by breaking the glass, too."""
    back = after(opened(), by(ChangesRequested, ANA, 4, reason="Less"))
    assert stands(after(back, presses(CAL, 5), presses(DEE, 6))) == "approved/open"


def test_a_stop_wins() -> None:
    """While its agent is stopped nothing it asked for is granted, asked for before or not."""
    for review in (opened(), asked()):
        held = after(review, Held(at=at(6), by="eve"))
        came = decide(held, presses(DEE, 7))
        assert (came.answer, came.review) == (Answer.WHISPER, held)


def test_a_deadline_ends_the_asking() -> None:
    """Time comes first, as for any vote."""
    late = after(opened(), presses(CAL, 55))
    came = decide(late, presses(DEE, 60))
    assert (came.answer, stands(came.review)) == (Answer.REFUSED, "expired")


def test_what_only_a_person_does_is_never_granted() -> None:
    """No emergency makes it the agent's: whoever may does it and answers."""
    review = opened(tier=Tier.HUMAN_ONLY, allowed=(*ALL_DECISIONS, Verb.ANSWER))
    assert decide(review, presses(CAL)).answer is Answer.REFUSED
    pending = opened()
    by_hand = dataclasses.replace(pending, ladder=dataclasses.replace(pending.ladder, by_hand=True))
    assert decide(by_hand, presses(CAL)).answer is Answer.REFUSED


def test_there_is_no_glass_around_what_was_done_already() -> None:
    """The look after a broken glass cannot be broken again."""
    review = opened(about="rev_1", relation=Relation.AFTER_GLASS)
    came = decide(review, presses(DEE))
    assert (came.answer, came.review) == (Answer.REFUSED, review)


def test_people_may_still_decide_meanwhile() -> None:
    """Asking to break the glass stops neither the chain nor the ordinary way."""
    review = asked()
    assert after(review, ticks(review, 10)).ladder.fired == 2
    approved = after(review, by(Approved, ANA, 6))
    assert approved.decision.cause is Cause.HUMAN
    came: Transition = decide(approved, presses(EVE, 7))
    assert came.answer is Answer.REFUSED
    assert approved.grant.valid_until == at(6) + timedelta(hours=1)
