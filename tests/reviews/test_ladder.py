"""Time and calls: rungs, promises, pauses, and the clocks of a stopped agent."""

from __future__ import annotations

import dataclasses

import pytest

from reviews.events import (
    Answer,
    Approved,
    Escalated,
    Event,
    Handed,
    Held,
    Message,
    Post,
    Rang,
    Rejected,
    Released,
    Taken,
    Ticked,
    Transition,
    Undone,
    Unreachable,
    Withdrawn,
)
from reviews.lifecycle import decide, next_alarm
from reviews.model import GrantState, Reach, Rung, Status
from tests.reviews.builders import (
    ANA,
    BO,
    CHAIN,
    FAY,
    MINUTE,
    REACH,
    after,
    anything,
    at,
    by,
    changes_requested,
    granted,
    kinds,
    opened,
    redeems,
    stands,
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


# ---------------------------------------------------------------------------------------------- in somebody's hands


def test_taking_pauses_the_ladder_for_a_stated_time() -> None:
    """Nobody else is called meanwhile, not even for the promise; then the chain goes on where it was."""
    review = opened(sla=12)
    came = decide(review, by(Taken, ANA, 5, until=at(25)))
    assert came.text == "Ana has it. Nobody else is called before 09:25 UTC; then the chain goes on."
    assert came.review.owner == "ana"
    assert decide(came.review, ticks(review, 20)).review == came.review
    assert next_alarm(came.review) == at(25)
    assert rungs(decide(came.review, ticks(review, 25))) == [1]


def test_a_pause_never_outlasts_the_deadline() -> None:
    """Taking it stops people being called, not the review from expiring."""
    review = after(opened(), by(Taken, ANA, 5, until=at(600)))
    assert review.ladder.paused_until == at(60)
    assert after(review, ticks(review, 60)).status is Status.EXPIRED


def test_taking_and_handing_are_for_those_who_may_decide() -> None:
    """Neither takes it who may not decide, nor is it handed to one, nor by one."""
    review = opened()
    assert decide(review, by(Taken, FAY, until=at(20))).answer is Answer.FORBIDDEN
    assert decide(review, by(Handed, FAY, to=ANA, until=at(20))).answer is Answer.FORBIDDEN
    refused = decide(review, by(Handed, ANA, to=FAY, until=at(20)))
    assert (refused.answer, refused.review) == (Answer.REFUSED, review)
    assert after(review, by(Handed, ANA, to=BO, until=at(20))).owner == "bo"


def test_an_alarm_of_an_old_run_does_nothing() -> None:
    """Timers of an old epoch find nothing to do; the deadline is the row's, whatever the alarm says."""
    review = opened()
    old = Ticked(at=at(35), epoch=review.ladder.epoch - 1, reach=REACH)
    assert decide(review, old).review == review
    assert after(review, dataclasses.replace(old, at=at(60))).status is Status.EXPIRED


# ---------------------------------------------------------------------------------------------- stopped agents


def test_a_stopped_clock_goes_on_where_it_stopped() -> None:
    """Held from 5 to 45: rungs, promise, deadline and pause move by 40 minutes; what has rung stays; a new epoch."""
    review = after(opened(sla=20), by(Taken, ANA, 2, until=at(15)), Held(at=at(5), by="eve"))
    assert next_alarm(review) is None
    assert stands(after(review, ticks(review, 300))) == "pending"
    free = after(review, Released(at=at(45), by="eve"))
    ladder = free.ladder
    assert ladder.schedule.rungs == (at(0), at(50), at(70), at(100))
    assert (ladder.schedule.sla_at, ladder.schedule.deadline_at) == (at(60), at(100))
    assert (ladder.paused_until, ladder.epoch, free.held) == (at(55), 1, False)
    assert next_alarm(free) == at(55)


def test_a_stopped_reply_clock_goes_on() -> None:
    """The agent's time to answer does not run while it is stopped."""
    review = after(changes_requested(4), Held(at=at(10), by="eve"), Released(at=at(40), by="eve"))
    assert review.reply_by == at(4 + 24 * 60 + 30)


def test_the_right_to_act_lapses_while_stopped() -> None:
    """Stopping an agent does not make its approvals last longer; and nothing is left to hold then."""
    held = after(granted(5), Held(at=at(6), by="eve"))
    assert decide(held, redeems(held, 7)).answer is Answer.LOCKED
    assert next_alarm(held) == at(65)
    lapsed = after(held, ticks(held, 65))
    assert (lapsed.grant.state, lapsed.held) == (GrantState.LAPSED, False)


@pytest.mark.parametrize("last", [by(Rejected, ANA, 7), Withdrawn(at=at(7)), by(Undone, ANA, 7)])
def test_an_end_ends_the_overlay(last: Event) -> None:
    """A review that ended while its agent was stopped is over, not held for ever."""
    start = granted(5) if isinstance(last, Undone) else anything()
    over = after(start, Held(at=at(6), by="eve"), last)
    assert not over.held
    assert decide(over, by(Approved, BO, 8)).answer is Answer.REFUSED
