"""Time and calls: rungs, promises, pauses, and the clocks of a stopped agent."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.events import (
    Answer,
    Answered,
    Approved,
    Escalated,
    Held,
    Message,
    Post,
    Rang,
    Record,
    Rejected,
    Released,
    Taken,
    Ticked,
    Transition,
    Unreachable,
)
from reviews.ladder import call_next, climb
from reviews.lifecycle import decide, next_alarm
from reviews.model import Need, Order, Reach, Relation, Review, Rung, Status, Target, Then, Tier
from tests.reviews.builders import (
    ANA,
    BO,
    CAL,
    CHAIN,
    EVE,
    EVENTS,
    FAY,
    LEAD,
    MINUTE,
    REACH,
    SECURITY,
    after,
    at,
    by,
    edits,
    kinds,
    opened,
    opening,
    revises,
    ticks,
    told,
)

# ---------------------------------------------------------------------------------------------- rungs

DEAD = Reach(unreachable="Nobody is on call.")


def rungs(came: Transition) -> list[int]:
    """The rungs that rang."""
    return [effect.rung for effect in came.effects if isinstance(effect, Rang)]


def test_a_rung_calls_people_who_may_then_decide() -> None:
    """Fay has no role; being called makes her an elector, and her vote says by what."""
    review = opened()
    assert decide(review, by(Approved, FAY, 5)).answer is Answer.FORBIDDEN
    assert next_alarm(review) == at(10)
    came = decide(review, ticks(review, 10))
    assert rungs(came) == [1]
    assert told(came.effects) == (Message.ESCALATED,)
    assert [effect.target.person for effect in came.effects if isinstance(effect, Post)] == ["fay"]
    approved = after(came.review, by(Approved, FAY, 11))
    assert approved.decision.by[0].eligibility == "called: oncall:it-ops.primary"


def test_notify_only_makes_nobody_an_elector() -> None:
    """Who is only told may not decide."""
    chain = (CHAIN[0], dataclasses.replace(CHAIN[1], notify_only=True), *CHAIN[2:])
    review = after(opened(chain=chain), ticks(opened(chain=chain), 10))
    assert (review.ladder.fired, review.called) == (2, {})
    assert decide(review, by(Approved, FAY, 11)).answer is Answer.FORBIDDEN


def test_a_role_without_a_channel_is_called_in_its_queue() -> None:
    """Not in a channel that there is not; who cannot be reached at all is not called there either."""
    for reach, queues in ((Reach(), ["manager"]), (Reach(unreachable="Nobody has the role."), [])):
        chain = (CHAIN[0], CHAIN[3])
        before = opened(chain=chain)
        review = dataclasses.replace(before, ladder=dataclasses.replace(before.ladder, fired=0))
        _, effects = climb(review, at(0), 1, (reach,), why="silence")
        (called,) = (effect for effect in effects if isinstance(effect, Record) and effect.kind == "review.called")
        assert called.detail["queues"] == queues


def test_rungs_overdue_together_go_out_as_one() -> None:
    """After a silence of the service: one entry, one message, one copy a place."""
    reach = (
        REACH[0],
        REACH[1],
        dataclasses.replace(REACH[2], targets=(*REACH[1].targets, *REACH[2].targets)),
        REACH[3],
    )
    review = opened()
    came = decide(review, ticks(review, 35, reach))
    assert rungs(came) == [1, 2]
    assert kinds(came.effects) == ("review.escalated",)
    assert told(came.effects) == (Message.ESCALATED,)
    assert [(e.target.address, e.rung) for e in came.effects if isinstance(e, Post)] == [("fay", 1), ("eve", 2)]
    assert decide(came.review, ticks(review, 36)).review == came.review


def test_a_rung_that_reaches_nobody_passes_on_at_once() -> None:
    """Known when it rings: the next one goes in the same step, and the log says why."""
    review = opened()
    came = decide(review, ticks(review, 10, (REACH[0], DEAD, *REACH[2:])))
    assert rungs(came) == [1, 2]
    assert kinds(came.effects) == ("rung.unreachable", "review.escalated")
    assert set(came.review.called) == {"eve"}


def test_a_chain_nobody_named_runs_to_its_end() -> None:
    """When no rung reaches anybody all ring once, and the deadline still ends it."""
    review = opened(reach=())
    assert review.ladder.fired == len(CHAIN)
    assert next_alarm(review) == at(60)
    assert after(review, ticks(review, 60)).status is Status.EXPIRED


def test_a_rung_found_unreachable_later_passes_on_once() -> None:
    """The surface failed after the ring: the next goes at once; the same news again, or old news, changes nothing."""
    review = opened()
    news = Unreachable(at=at(1), epoch=review.ladder.epoch, rung=0, why="The channel is archived.", reach=REACH)
    came = decide(review, news)
    assert rungs(came) == [1]
    again = decide(came.review, news)
    assert (rungs(again), again.review, kinds(again.effects)) == ([], came.review, ("rung.unreachable",))
    old = dataclasses.replace(news, epoch=7)
    assert decide(review, old).review == review


def test_a_rung_that_notifies_nobody_calls_nobody() -> None:
    """The last rung only says what then happens: passing it writes nothing and is no rung that rang."""
    review = after(opened(), ticks(opened(), 30))
    news = Unreachable(at=at(31), epoch=review.ladder.epoch, rung=2, why="Blocked.", reach=REACH)
    came = decide(review, news)
    assert (rungs(came), kinds(came.effects), told(came.effects)) == ([], ("rung.unreachable",), ())


# ---------------------------------------------------------------------------------------------- escalating by hand


def test_escalating_calls_the_next_rung_and_then_there_is_none() -> None:
    """Each press calls the next who can be called; after the last a private sentence says so."""
    review = opened()
    first = decide(review, by(Escalated, FAY, 1, reach=REACH))
    second = decide(first.review, by(Escalated, FAY, 2, reach=REACH))
    third = decide(second.review, by(Escalated, FAY, 3, reach=REACH))
    assert (rungs(first), rungs(second), rungs(third)) == ([1], [2], [])
    assert (third.answer, third.review) == (Answer.WHISPER, second.review)


def test_escalating_passes_over_a_rung_that_notifies_nobody() -> None:
    """A silent step in the middle of a chain does not swallow the press."""
    chain = (CHAIN[0], Rung(after=5 * MINUTE), *CHAIN[2:])
    came = decide(opened(chain=chain), by(Escalated, ANA, 1, reach=REACH))
    assert rungs(came) == [2]


# ---------------------------------------------------------------------------------------------- the promise


def test_a_broken_promise_calls_the_next_rung_once() -> None:
    """At `sla` it is written down and the next rung goes; the rung's own time then passes unnoticed."""
    review = opened(sla=3)
    assert next_alarm(review) == at(3)
    came = decide(review, ticks(review, 3))
    assert (rungs(came), kinds(came.effects)) == ([1], ("review.sla_missed", "review.escalated"))
    assert next_alarm(came.review) == at(30)
    assert decide(came.review, ticks(review, 10)).review == came.review


def test_a_promise_broken_together_with_a_rung_calls_one() -> None:
    """When the next rung is due anyway, that is the one."""
    review = opened(sla=10)
    assert rungs(decide(review, ticks(review, 10))) == [1]


def test_a_promise_broken_with_nobody_left_to_call() -> None:
    """It is written down all the same."""
    review = after(opened(sla=40), ticks(opened(), 30))
    came = decide(review, ticks(review, 40))
    assert (rungs(came), kinds(came.effects)) == ([], ("review.sla_missed",))


def test_an_alarm_of_an_old_run_does_nothing() -> None:
    """Timers of an old epoch find nothing to do; the deadline is the row's, whatever the alarm says."""
    review = opened()
    old = Ticked(at=at(35), epoch=review.ladder.epoch - 1, reach=REACH)
    assert decide(review, old).review == review
    assert after(review, dataclasses.replace(old, at=at(60))).status is Status.EXPIRED


# ---------------------------------------------------------------------------------------------- reminders

#: Reminded every two minutes between the calls of the channel and of the on-call.
REMINDING = (CHAIN[0], *(Rung(after=n * MINUTE, remind=True) for n in (2, 4, 6, 8)), *CHAIN[1:])
REMINDED = (REACH[0], *(Reach(),) * 4, *REACH[1:])


def test_who_was_called_is_reminded_and_nobody_else_is_called() -> None:
    """A line in the log, the copies drawn again, and the next alarm is the next reminder; the agent hears nothing."""
    review = opened(chain=REMINDING, reach=REMINDED)
    assert next_alarm(review) == at(2)
    came = decide(review, ticks(review, 2, REMINDED))
    assert (rungs(came), kinds(came.effects), told(came.effects)) == ([1], ("review.reminded",), ())
    assert came.review.version == review.version + 1
    assert not [effect for effect in came.effects if isinstance(effect, Post)]
    (entry,) = (effect for effect in came.effects if isinstance(effect, Record))
    assert entry.detail | {"rungs": 0} == {"rungs": 0, "epoch": 0, "needed": "manager", "until": at(60).isoformat()}
    assert next_alarm(came.review) == at(4)


def test_reminders_overdue_together_are_one_and_none_beside_a_call() -> None:
    """After a silence of the service nobody is reminded four times, nor reminded of what they are just told."""
    review = opened(chain=REMINDING, reach=REMINDED)
    late = decide(review, ticks(review, 9, REMINDED))
    assert (rungs(late), kinds(late.effects)) == ([1, 2, 3, 4], ("review.reminded",))
    later = decide(review, ticks(review, 10, REMINDED))
    assert (rungs(later), kinds(later.effects)) == ([5], ("review.escalated",))


def test_a_rung_called_early_takes_its_reminders_with_it() -> None:
    """Escalating, and a rung that reaches nobody, pass over the reminders before the next call."""
    review = opened(chain=REMINDING, reach=REMINDED)
    pushed = decide(review, by(Escalated, ANA, 1, reach=REMINDED))
    assert (rungs(pushed), next_alarm(pushed.review)) == ([5], at(30))
    news = Unreachable(at=at(1), epoch=0, rung=0, why="Blocked.", reach=REMINDED)
    assert rungs(decide(review, news)) == [5]


def test_nobody_is_reminded_while_somebody_has_it_in_hand() -> None:
    """Taking pauses reminders as it pauses calls; then one says that it still waits."""
    review = after(opened(chain=REMINDING, reach=REMINDED), by(Taken, ANA, 1, until=at(9)))
    assert next_alarm(review) == at(9)
    assert rungs(decide(review, ticks(review, 5, REMINDED))) == []
    assert kinds(decide(review, ticks(review, 9, REMINDED)).effects) == ("review.reminded",)


# ---------------------------------------------------------------------------------------------- whom it is given to


def test_whom_a_rung_gives_it_to_is_kept_once() -> None:
    """Of many who could, who it was given to first stays; the log says so."""
    reach = (dataclasses.replace(REACH[0], assigned=("ana",)), dataclasses.replace(REACH[1], assigned=("ana", "bo")))
    came = opening(reach=(*reach, *REACH[2:]))
    assert came.review.assigned == ("ana",)
    assert kinds(came.effects) == ("review.opened", "review.called", "review.assigned")
    review = after(came.review, ticks(came.review, 10, (*reach, *REACH[2:])))
    assert review.assigned == ("ana", "bo")


def test_what_a_rung_does_not_reach_is_written_down() -> None:
    """Somebody is reached, so nobody else is called; yet the timeline says who was not."""
    reach = (dataclasses.replace(REACH[0], missed=("Bo has no phone in placet.yml.",)), *REACH[1:])
    came = opening(reach=reach)
    assert rungs(came) == [0]
    assert kinds(came.effects) == ("review.opened", "rung.unreachable", "review.called")


# ---------------------------------------------------------------------------------------------- another place first


def test_another_place_of_the_same_person_is_tried_first() -> None:
    """Same run, same rung, nobody else called; the log says by what instead."""
    review = after(opened(), ticks(opened(), 10))
    other = Target(surface="teams", address="fay", person="fay")
    news = Unreachable(at=at(11), epoch=0, rung=1, why="The app was removed.", reach=REACH, instead=other)
    came = decide(review, news)
    assert (rungs(came), came.review) == ([], review)
    posts = [effect for effect in came.effects if isinstance(effect, Post)]
    assert posts == [Post(target=other, epoch=0, rung=1)]
    (entry,) = (effect for effect in came.effects if isinstance(effect, Record))
    assert entry.detail == {"rung": 1, "why": "The app was removed.", "instead": "teams"}
    for late in (dataclasses.replace(news, epoch=3), news):
        gone = after(review, by(Rejected, ANA, 11)) if late is news else review
        assert not [effect for effect in decide(gone, late).effects if isinstance(effect, Post)]


# ---------------------------------------------------------------------------------------------- in sequence

BOTH = Target(surface="chat", address="#leads")
TURNS = (Reach(targets=(BOTH,)), *REACH[1:])


def in_turn(*needs: Need) -> Review:
    """A review whose slots are filled one after the other."""
    return opened(tier=Tier.DUAL, needs=needs, order=Order.SEQUENCE)


def test_once_a_slot_is_filled_the_next_role_is_called() -> None:
    """By the rungs that have gone out and call the roles needed, and by no other."""
    review = after(in_turn(SECURITY, LEAD), by(Approved, CAL, 1))
    called, effects = call_next(review, at(1), TURNS)
    assert kinds(effects) == ("review.called",)
    assert [effect for effect in effects if isinstance(effect, Post)] == [Post(target=BOTH, epoch=0, rung=0)]
    (entry,) = (effect for effect in effects if isinstance(effect, Record))
    assert (entry.detail["turn"], entry.detail["rungs"]) == ("lead", [0])
    assert called.ladder == review.ladder


def test_nobody_is_called_again_for_a_role_that_was_called() -> None:
    """Two of one role have the card already; in any order nobody's turn comes; the last slot leaves none."""
    twice = after(in_turn(SECURITY, SECURITY), by(Approved, CAL, 1))
    loose = after(opened(tier=Tier.DUAL, needs=(SECURITY, LEAD)), by(Approved, CAL, 1))
    over = after(in_turn(SECURITY, LEAD), by(Approved, CAL, 1), by(Approved, EVE, 2))
    for review in (twice, loose, over):
        assert call_next(review, at(2), TURNS) == (review, ())


def test_a_turn_nobody_can_take_passes_on() -> None:
    """As any rung that reaches nobody: the next one goes at once."""
    review = after(in_turn(SECURITY, LEAD), by(Approved, CAL, 1))
    called, effects = call_next(review, at(1), (Reach(unreachable="Nobody has the role lead."), *REACH[1:]))
    assert kinds(effects) == ("rung.unreachable", "review.called", "review.escalated")
    assert set(called.called) == {"fay"}


def test_who_was_called_before_gets_no_second_card() -> None:
    """A person called by an earlier rung has it."""
    review = dataclasses.replace(after(in_turn(SECURITY, LEAD), by(Approved, CAL, 1)), called={"eve": "person:eve"})
    eve = Target(surface="chat", address="eve", person="eve")
    _, effects = call_next(review, at(1), (Reach(persons={"eve": "role lead"}, targets=(eve, BOTH)), *REACH[1:]))
    assert [effect.target for effect in effects if isinstance(effect, Post)] == [BOTH]


# ---------------------------------------------------------------------------------------------- by hand at last

#: After half an hour nobody may approve any more; after an hour it expires.
BY_HAND = (CHAIN[0], CHAIN[1], Rung(after=30 * MINUTE, then=Then.HUMAN_ONLY), CHAIN[3])


def test_from_its_instant_on_a_person_does_it() -> None:
    """By the clock: a vote before the late timer finds approving closed, and answering open."""
    review = after(opened(chain=BY_HAND), ticks(opened(chain=BY_HAND), 10))
    assert next_alarm(review) == at(30)
    assert decide(review, by(Approved, ANA, 29.9)).review.status is Status.APPROVED
    late = decide(review, by(Approved, ANA, 30))
    assert (late.answer, late.review.ladder.by_hand) == (Answer.REFUSED, True)
    assert kinds(late.effects)[0] == "review.by_hand"
    assert "a person must do it" in late.text
    assert decide(late.review, by(Answered, ANA, 31, answer={"done": True})).review.status is Status.ANSWERED
    assert decide(late.review, by(Rejected, ANA, 31)).review.status is Status.REJECTED
    assert after(late.review, ticks(late.review, 60)).status is Status.EXPIRED


def test_it_is_said_once_when_nobody_votes() -> None:
    """The alarm brings it, and the next one is the deadline."""
    review = after(opened(chain=BY_HAND), ticks(opened(chain=BY_HAND), 10))
    came = decide(review, ticks(review, 30))
    assert (kinds(came.effects), next_alarm(came.review)) == (("review.by_hand",), at(60))
    assert kinds(decide(came.review, ticks(came.review, 40)).effects) == ()


def test_taking_it_puts_off_no_end_of_approving() -> None:
    """Whoever has it in hand has until then, as with the deadline."""
    review = after(opened(chain=BY_HAND), by(Taken, ANA, 25, until=at(45)))
    assert next_alarm(review) == at(30)
    assert decide(review, by(Approved, ANA, 31)).answer is Answer.REFUSED


def test_an_earlier_yes_stays_and_fills_nothing_more() -> None:
    """One of two has approved when it comes: the second cannot any more."""
    review = opened(tier=Tier.DUAL, needs=(SECURITY, LEAD), chain=BY_HAND)
    review = after(review, by(Approved, CAL, 1))
    came = decide(review, by(Approved, EVE, 30))
    assert (came.answer, came.review.status, len(came.review.votes)) == (Answer.REFUSED, Status.PENDING, 1)


def test_a_stopped_agents_clock_waits_with_it() -> None:
    """Held for twenty minutes, approving ends twenty minutes later."""
    review = after(opened(chain=BY_HAND), Held(at=at(5), by="eve"), Released(at=at(25), by="eve"))
    assert next_alarm(after(review, ticks(review, 30))) == at(50)


def test_what_was_done_already_can_be_agreed_with_to_the_end() -> None:
    """A look afterwards has nothing left to be done by hand."""
    review = opened(chain=BY_HAND, about="rev_1", relation=Relation.FEEDBACK)
    assert decide(review, by(Approved, ANA, 31)).review.status is Status.APPROVED


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[type, float]]:
    """Events at rising minutes after approving has ended."""
    minutes = sorted(draw(st.lists(st.floats(30, 59), min_size=1, max_size=8)))
    kinds_ = st.sampled_from([kind for kind in EVENTS if kind is not Released])
    return [(draw(kinds_), minute) for minute in minutes]


@settings(deadline=None)
@given(lives())
def test_by_hand_is_never_laxer(life: list[tuple[type, float]]) -> None:
    """Whatever happens, revisions and edits included: no grant any more, and once by hand, always by hand."""
    review = opened(chain=BY_HAND)
    for kind, minute in life:
        review = decide(review, EVENTS[kind](review, minute)).review
        assert review.ladder.by_hand
        assert review.grant is None
        assert review.status is not Status.APPROVED


@pytest.mark.parametrize("event", ["edit", "revise"])
def test_a_new_revision_stays_by_hand(event: str) -> None:
    """A fresh ladder, and still nobody approves."""
    review = after(opened(chain=BY_HAND), ticks(opened(chain=BY_HAND), 30))
    came = decide(review, edits(review, BO, 9.0, 31) if event == "edit" else revises(review, 9.0, 31))
    if event == "edit":
        assert came.answer is Answer.REFUSED
        return
    assert came.review.revision == 2
    assert decide(came.review, by(Approved, ANA, 32)).answer is Answer.REFUSED
