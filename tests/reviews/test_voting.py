"""What people say of a proposal: votes, edits, answers, the emergency."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reviews.events import (
    Answer,
    Answered,
    Approved,
    BrokenGlass,
    Cast,
    ChangesRequested,
    Commented,
    Edited,
    Message,
    Post,
    Rejected,
)
from reviews.lifecycle import decide
from reviews.model import (
    ALL_DECISIONS,
    Cause,
    Order,
    Reach,
    Rung,
    Status,
    Target,
    Then,
    Tier,
    Verb,
)
from tests.reviews.builders import (
    ANA,
    BO,
    CAL,
    CHAIN,
    CHANNEL,
    DEE,
    EVE,
    EVENTS,
    FAY,
    LEAD,
    MANAGER,
    MINUTE,
    REACH,
    SECURITY,
    after,
    anything,
    at,
    by,
    edits,
    kinds,
    opened,
    revises,
    stands,
    ticks,
    told,
)

#: The role's channel at once; after 20 minutes a person must do it; after an hour it expires.
BY_HAND = (CHAIN[0], Rung(after=20 * MINUTE, then=Then.HUMAN_ONLY), CHAIN[3])

# ---------------------------------------------------------------------------------------------- votes


@pytest.mark.parametrize("kind", [Approved, Rejected, ChangesRequested, Edited, BrokenGlass])
@pytest.mark.parametrize("late", [60, 61, 600])
def test_a_late_vote_is_refused_as_expired(kind: type, late: int) -> None:
    """At the deadline it is over, even when the timer is later still: it expired, nobody rejected or approved it."""
    review = opened()
    came = decide(review, EVENTS[kind](review, late))
    assert came.answer is Answer.REFUSED
    assert came.text.startswith("Expired at")
    assert came.review.decision.cause is Cause.TIMEOUT
    assert came.review.decision.verdict is Status.EXPIRED
    assert told(came.effects) == (Message.DECIDED,)


def test_a_vote_just_before_the_deadline_counts() -> None:
    """The deadline itself is the first late instant."""
    review = opened()
    assert stands(after(review, by(Approved, ANA, 59.999))) == "approved/open"


def test_the_same_vote_again_is_the_same_answer() -> None:
    """A second press of the same button changes nothing and is no refusal, before and after the end."""
    review = after(opened(needs=(MANAGER, MANAGER)), by(Approved, ANA, revision=1))
    before = decide(review, by(Approved, ANA, 6, revision=1))
    assert (before.answer, before.review, before.effects) == (Answer.SAME, review, ())
    over = after(review, by(Approved, BO, 7))
    assert decide(over, by(Approved, ANA, 8, revision=1)).answer is Answer.SAME
    assert decide(over, by(Approved, DEE, 8, revision=1)).answer is Answer.REFUSED


@pytest.mark.parametrize(
    ("kind", "status"), [(Rejected, "rejected"), (ChangesRequested, "changes_requested"), (Answered, "answered")]
)
def test_any_vote_again_is_the_same_answer(kind: type, status: str) -> None:
    """The same holds for every button."""
    review = anything()
    first = EVENTS[kind](review, 5)
    over = after(review, first)
    assert stands(over) == status
    assert decide(over, dataclasses.replace(first, at=at(6))).answer is Answer.SAME


def test_the_loser_of_a_race_is_told_who_was_first() -> None:
    """The sentence names who decided, what and when."""
    over = after(opened(), by(Approved, ANA, 5))
    assert decide(over, by(Approved, BO, 5)).text == "Approved by Ana at 09:05 UTC."
    assert "It can still be revoked" in decide(over, by(Rejected, BO, 5)).text


@pytest.mark.parametrize("kind", [Approved, Rejected, ChangesRequested, BrokenGlass, Edited])
def test_a_vote_on_a_revision_gone_by_is_refused(kind: type) -> None:
    """What a person decided about is what they saw; breaking the glass is no exception."""
    review = after(opened(), revises(opened(), 99.0))
    stale = dataclasses.replace(EVENTS[kind](review, 6), revision=1)
    came = decide(review, stale)
    assert came.answer is Answer.REFUSED
    assert "now revision 2" in came.text
    assert came.review == review


def test_no_vote_comes_back_with_an_old_proposal() -> None:
    """Proposed A, then B, then A again: the approval of the first A stays void."""
    review = opened(needs=(MANAGER, MANAGER))
    amount = review.original["amount"]
    review = after(review, by(Approved, ANA, 1), revises(review, 1.0, 2))
    review = after(review, revises(review, amount, 3))
    assert review.proposal.digest == opened(needs=(MANAGER, MANAGER)).proposal.digest
    assert (review.revision, review.votes_now()) == (3, ())
    assert stands(after(review, by(Approved, BO, 4))) == "pending"
    assert stands(after(review, by(Approved, BO, 4), by(Approved, ANA, 5))) == "approved/open"


def test_a_revision_number_never_comes_back() -> None:
    """Whatever number a proposal carries, the review gives the next one."""
    review = opened()
    event = revises(review, 1.0)
    assert event.proposal.revision == 1
    assert after(review, event).revision == 2


def test_two_persons_for_two_slots() -> None:
    """Of a quorum each fills one slot, on any surface; one person never fills two."""
    review = opened(tier=Tier.DUAL, needs=(MANAGER, MANAGER))
    once = decide(review, by(Approved, ANA, 1))
    assert once.text == "Your approval counts. Still needed: manager."
    assert stands(after(once.review, by(Approved, ANA, 2))) == "pending"
    done = after(once.review, by(Approved, BO, 2, surface="slack"))
    assert [(seat.person, seat.slot, seat.role) for seat in done.decision.by] == [
        ("ana", 0, "manager"),
        ("bo", 1, "manager"),
    ]


def test_a_person_is_one_on_every_surface() -> None:
    """Known to Slack and to the web, Ana has one vote: the second is the first one's answer."""
    review = after(opened(tier=Tier.DUAL, needs=(MANAGER, MANAGER)), by(Approved, ANA, 1))
    came = decide(review, by(Approved, ANA, 2, surface="slack"))
    assert (came.answer, came.review, came.effects) == (Answer.SAME, review, ())


@pytest.mark.parametrize("whose", [{"owners": frozenset({"fay"})}, {"principal": "fay"}, {"named": frozenset({"fay"})}])
def test_who_stands_in_does_not_decide_their_own(whose: dict[str, Any]) -> None:
    """Fay is called in another's stead (a deputy); of what her agent does, or for her, somebody else decides."""
    review = opened(**whose)
    called = after(review, ticks(review, 10))
    assert "fay" in called.called
    for kind in (Approved, Rejected, Edited):
        event = edits(called, FAY, 99.0, 11) if kind is Edited else by(kind, FAY, 11)
        came = decide(called, event)
        assert (came.answer, came.review) == (Answer.FORBIDDEN, called)


def test_a_person_who_fits_two_slots_moves() -> None:
    """Dee (security and lead) came first and was counted as security; Cal can only be that, so Dee becomes lead."""
    review = opened(tier=Tier.DUAL, needs=(SECURITY, LEAD))
    review = after(review, by(Approved, DEE, 1), by(Approved, CAL, 2))
    assert stands(review) == "approved/open"
    assert [(seat.person, seat.role) for seat in review.decision.by] == [("cal", "security"), ("dee", "lead")]
    assert review.decision.by[1].eligibility == "role security; role lead"


def test_a_slot_filled_is_filled() -> None:
    """A second of the same role is told so, and their vote does not count for the other slot."""
    review = after(opened(needs=(SECURITY, LEAD)), by(Approved, CAL, 1))
    other = dataclasses.replace(CAL, id="kim", name="Kim")
    came = decide(review, by(Approved, other, 2))
    assert came.answer is Answer.REFUSED
    assert came.text == "That part is filled already. Still needed: lead."
    assert came.review == review


def test_slots_in_sequence() -> None:
    """The lead speaks after security, not before, and is told whose turn it is."""
    review = opened(needs=(SECURITY, LEAD), order=Order.SEQUENCE)
    early = decide(review, by(Approved, EVE, 1))
    assert (early.answer, early.text) == (Answer.REFUSED, "It is not your turn: security comes now.")
    assert stands(after(review, by(Approved, CAL, 2), by(Approved, EVE, 3))) == "approved/open"


def test_in_sequence_the_next_is_called_when_the_one_before_has_spoken() -> None:
    """By the channel's rung, where the first were called; nobody is called by the last one's yes."""
    review = opened(needs=(SECURITY, LEAD), order=Order.SEQUENCE)
    leads = Target(surface="web", address="#leads")
    reach = (Reach(persons={"eve": "role lead"}, targets=(leads,)), *REACH[1:])
    came = decide(review, by(Approved, CAL, 2, reach=reach))
    assert [e.target for e in came.effects if isinstance(e, Post)] == [leads]
    assert "review.called" in kinds(came.effects)
    last = decide(came.review, by(Approved, EVE, 3, reach=reach))
    assert stands(last.review) == "approved/open"
    assert not any(isinstance(e, Post) for e in last.effects)


@pytest.mark.parametrize("amount", [180.0, 99.0])
def test_in_sequence_an_edit_calls_the_next_too(amount: float) -> None:
    """The editor's own yes fills the first slot, of the same arguments or of others; then it is the lead's turn."""
    review = opened(needs=(SECURITY, LEAD), order=Order.SEQUENCE)
    leads = Target(surface="web", address="#leads")
    turn = (Reach(persons={"eve": "role lead"}, targets=(leads,)), *REACH[1:])
    came = decide(review, edits(review, CAL, amount, 2, turn=turn))
    posts = [e.target for e in came.effects if isinstance(e, Post)]
    assert posts == ([CHANNEL] if came.review.revision == 2 else []) + [leads]
    assert came.review.called == {"eve": "role lead"}


def test_in_any_order_nobody_is_called_by_a_vote() -> None:
    """All of them were called at once."""
    review = opened(needs=(SECURITY, LEAD), order=Order.ANY)
    came = decide(review, by(Approved, CAL, 2, reach=REACH))
    assert kinds(came.effects) == ("vote.approve",)


def test_one_rejection_is_final() -> None:
    """Also after one's own approval: the vote is replaced, and the other approvals do not matter."""
    review = after(opened(needs=(MANAGER, MANAGER, MANAGER)), by(Approved, ANA, 1), by(Approved, BO, 2))
    came = decide(review, by(Rejected, ANA, 3, reason="replacement sent"))
    assert stands(came.review) == "rejected"
    assert came.review.decision.reason == "replacement sent"
    assert [(v.person, v.verb) for v in came.review.votes] == [("bo", Verb.APPROVE), ("ana", Verb.REJECT)]
    assert [effect.again for effect in came.effects if isinstance(effect, Cast)] == [True]


def test_a_decision_left_out_is_not_open() -> None:
    """What the route does not allow is refused; approving and rejecting stay."""
    review = opened(allowed=(Verb.APPROVE, Verb.REJECT))
    came = decide(review, by(ChangesRequested, ANA, reason="Less"))
    assert came.answer is Answer.REFUSED
    assert came.text == "request_changes is not open for this review; what is: approve, reject."
    assert decide(review, edits(review, ANA, 1.0)).answer is Answer.REFUSED
    assert stands(after(review, by(Rejected, ANA))) == "rejected"


def test_changes_and_comments_need_words() -> None:
    """An empty request for changes, comment or broken glass is refused with what is missing."""
    review = opened()
    for event in (by(ChangesRequested, ANA, reason="  "), by(Commented, FAY), by(BrokenGlass, BO, allowed=True)):
        came = decide(review, event)
        assert (came.answer, came.review) == (Answer.REFUSED, review)


def test_a_comment_is_anybodys_and_goes_with_the_decision() -> None:
    """Who may not decide may still remark."""
    review = after(opened(), by(Commented, FAY, reason=" Ask them first "))
    assert [(c.person, c.text) for c in review.comments] == [("fay", "Ask them first")]


# ---------------------------------------------------------------------------------------------- human only


def test_human_only_is_answered_never_approved() -> None:
    """What only a person may do never becomes a yes to the agent, whatever the route lists."""
    review = opened(tier=Tier.HUMAN_ONLY, allowed=(*ALL_DECISIONS, Verb.ANSWER))
    assert decide(review, by(Approved, ANA)).answer is Answer.REFUSED
    same = edits(review, ANA, review.original["amount"])
    assert same.proposal.digest == review.proposal.digest
    assert decide(review, same).answer is Answer.REFUSED
    came = decide(review, by(Answered, ANA, answer={"paid": 180}))
    assert stands(came.review) == "answered"
    assert came.review.decision.answer == {"paid": 180}
    assert told(came.effects) == (Message.DECIDED,)


def test_from_human_only_on_nobody_approves() -> None:
    """At the instant a person must do it, though the timer is later still; what was approved before fills nothing."""
    review = after(opened(chain=BY_HAND, needs=(MANAGER, MANAGER)), by(Approved, ANA, 9))
    assert stands(after(review, by(Approved, BO, 19.9))) == "approved/open"
    for event in (by(Approved, BO, 20), edits(review, BO, 99.0, 20)):
        came = decide(review, event)
        assert (came.answer, stands(came.review), came.review.ladder.by_hand) == (Answer.REFUSED, "pending", True)
        assert came.text == "Nobody approved it in time, so a person must do it now. What is open: " + (
            "reject, request_changes, answer."
        )
    done = after(review, by(Answered, BO, 21, answer={"paid": 180}))
    assert (stands(done), done.decision.by[0].person) == ("answered", "bo")
    assert stands(after(review, by(Rejected, BO, 21))) == "rejected"


def test_a_new_revision_does_not_open_it_again() -> None:
    """What a person must do stays theirs, whatever the agent proposes next."""
    late = after(opened(chain=BY_HAND), ticks(opened(chain=BY_HAND), 20))
    anew = after(late, revises(late, 20.0, 21))
    assert (anew.revision, anew.ladder.by_hand) == (2, True)
    assert decide(anew, by(Approved, ANA, 22)).answer is Answer.REFUSED


def test_only_human_only_and_handoff_are_answered() -> None:
    """An ordinary approval cannot be answered, even where the route lists it by mistake."""
    review = opened(allowed=(*ALL_DECISIONS, Verb.ANSWER))
    assert decide(review, by(Answered, ANA, answer={})).answer is Answer.REFUSED


# ---------------------------------------------------------------------------------------------- edits


def test_an_edit_voids_and_counts_as_the_editors_approval() -> None:
    """A new revision, a new ladder; Ana's vote is void, Bo's edit is his own yes to what he wrote."""
    review = after(opened(needs=(MANAGER, MANAGER)), by(Approved, ANA, 1))
    came = decide(review, edits(review, BO, 99.0, 2))
    edited = came.review
    assert (edited.revision, edited.proposal.proposed_by, edited.ladder.epoch) == (2, "bo", review.ladder.epoch + 1)
    assert [(v.person, v.verb) for v in edited.votes_now()] == [("bo", Verb.APPROVE)]
    assert edited.edited
    assert stands(after(edited, by(Approved, ANA, 3))) == "approved/open"


def test_an_edit_after_ones_own_approval_takes_its_place() -> None:
    """One vote a person and revision: the store is told that this one comes in the place of another."""
    review = after(opened(needs=(MANAGER, MANAGER)), by(Approved, ANA, 1))
    came = decide(review, edits(review, ANA, 99.0, 2))
    cast = [(e.vote.verb, e.vote.revision, e.again) for e in came.effects if isinstance(e, Cast)]
    assert cast == [(Verb.EDIT, 1, True), (Verb.APPROVE, 2, False)]
    assert [(v.revision, v.verb) for v in came.review.votes] == [(1, Verb.EDIT), (2, Verb.APPROVE)]


def test_an_edit_to_the_same_digest_is_an_approval() -> None:
    """Nothing was changed, so nothing is void."""
    review = opened()
    came = decide(review, edits(review, ANA, review.original["amount"]))
    assert (came.review.revision, stands(came.review)) == (1, "approved/open")
    assert not came.review.edited


def test_the_same_edit_again_is_the_same_answer() -> None:
    """A form sent twice makes one revision: while pending, and after the end."""
    review = opened(needs=(MANAGER, MANAGER))
    event = edits(review, ANA, 99.0, 2, revision=1)
    once = after(review, event)
    assert decide(once, event).answer is Answer.SAME
    assert decide(once, dataclasses.replace(event, person=BO)).answer is Answer.REFUSED
    over = after(once, by(Approved, BO, 3))
    assert decide(over, dataclasses.replace(event, at=at(4))).answer is Answer.SAME
    assert decide(over, edits(over, ANA, 11.0, 4, revision=1)).answer is Answer.REFUSED


def test_an_edit_that_becomes_stricter_is_a_proposal() -> None:
    """The new amount needs others than the editor: the edit stands, without an approval, and waits for them."""
    review = opened()
    came = decide(review, edits(review, ANA, 9000.0, route={"tier": Tier.DUAL, "needs": (SECURITY, LEAD)}))
    assert came.answer is Answer.DONE
    assert came.text == "Your edit is now revision 2. It needs security and lead."
    assert (stands(came.review), came.review.votes_now()) == ("pending", ())
    assert "event.refused" not in kinds(came.effects)


def test_an_edit_the_policy_denies_is_rejected_by_it() -> None:
    """The editor does not bypass the policy: its end, its cause, one message."""
    review = opened()
    came = decide(review, edits(review, ANA, 1e9, route={"tier": Tier.DENY, "explanation": "Too much."}))
    assert stands(came.review) == "rejected"
    assert came.review.decision.cause is Cause.POLICY
    assert told(came.effects) == (Message.DECIDED,)


@pytest.mark.parametrize(
    "laxer", [{"tier": Tier.AUTO}, {"tier": Tier.SAMPLE}, {"tier": Tier.CONFIRM}, {"shadow": True}]
)
def test_no_revision_is_routed_more_leniently(laxer: dict[str, Any]) -> None:
    """Neither the agent nor an editor gets past a person by proposing something small after something big."""
    review = opened()
    for event in (revises(review, 1.0, **laxer), edits(review, ANA, 1.0, route=laxer)):
        came = decide(review, event)
        assert (came.answer, came.review) == (Answer.REFUSED, review)


def test_electors_of_another_chain_do_not_carry_over() -> None:
    """Fay was called by the old chain; a stricter route with a chain of its own does not know her."""
    review = after(opened(), ticks(opened(), 10))
    assert review.called == {"fay": "oncall:it-ops.primary"}
    same = after(review, revises(review, 99.0, 11))
    assert "fay" in same.called
    other = after(review, revises(review, 99.0, 11, chain=CHAIN[:1]))
    assert other.called == {}
