"""Taken and handed, stopped and let go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from reviews.events import (
    COURTESY,
    Answer,
    Approved,
    ChangesRequested,
    Escalated,
    Event,
    Handed,
    Held,
    Message,
    Post,
    Record,
    Rejected,
    Released,
    Taken,
    Transition,
    Undone,
    Withdrawn,
)
from reviews.lifecycle import decide, next_alarm
from reviews.model import Cause, GrantState, Person, Review, Rung, Status, Target, Then, Tier
from tests.reviews.builders import (
    ANA,
    BO,
    CHAIN,
    CHANNEL,
    FAY,
    MINUTE,
    REACH,
    a_schedule,
    after,
    anything,
    at,
    by,
    changes_requested,
    granted,
    kinds,
    opened,
    opening,
    redeems,
    revises,
    stands,
    ticks,
    told,
)

STOP = Held(at=at(0), by="eve", reason="It pays twice", instruction="Ask for less")


def places(came: Transition) -> list[Target]:
    """Where copies are wanted that no rung called for."""
    return [e.target for e in came.effects if isinstance(e, Post) and e.rung == COURTESY]


def entry(came: Transition, kind: str) -> Record:
    """The log's entry of this kind."""
    (found,) = (e for e in came.effects if isinstance(e, Record) and e.kind == kind)
    return found


# ---------------------------------------------------------------------------------------------- in somebody's hands


def test_taking_pauses_the_ladder_for_a_stated_time() -> None:
    """Nobody else is called meanwhile, not even for the promise; then the chain goes on where it was."""
    review = opened(sla=12)
    came = decide(review, by(Taken, ANA, 5, until=at(25)))
    assert came.text == "Ana has it. Nobody else is called before 09:25 UTC; then the chain goes on."
    assert came.review.owner == "ana"
    assert decide(came.review, ticks(review, 20)).review == came.review
    assert next_alarm(came.review) == at(25)
    assert after(came.review, ticks(review, 25)).ladder.fired == 2


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


def test_whom_it_is_handed_to_is_told() -> None:
    """A copy goes to them that no rung called for, and the log says from whom to whom and until when."""
    home = Target(surface="web", address="bo", person="bo")
    came = decide(opened(), by(Handed, ANA, to=BO, until=at(20), targets=(home,)))
    assert places(came) == [home]
    written = entry(came, "review.handed")
    assert (written.actor, written.detail["from"], written.detail["to"]) == ("person:ana", "ana", "bo")
    assert written.detail["until"] == at(20).isoformat()
    assert came.review.ladder.paused_until == at(20)
    assert "review.taken" not in kinds(came.effects)


@pytest.mark.parametrize(("giver", "taker"), [(FAY, ANA), (ANA, FAY)])
def test_nobody_is_told_of_what_was_not_handed(giver: Person, taker: Person) -> None:
    """Neither by who may not decide it, nor to them."""
    event = by(Handed, giver, to=taker, until=at(20), targets=(CHANNEL,))
    assert places(decide(opened(), event)) == []


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


def test_a_person_must_do_it_only_after_the_pause() -> None:
    """That instant moves with the clock, even where the chain was called to its end before the stop."""
    chain = (*CHAIN[:2], Rung(after=20 * MINUTE, then=Then.HUMAN_ONLY), CHAIN[3])
    review = after(opened(chain=chain), by(Escalated, ANA, 1, reach=REACH), by(Escalated, ANA, 2, reach=REACH))
    passed = dataclasses.replace(review, ladder=dataclasses.replace(review.ladder, fired=3))
    free = after(passed, Held(at=at(5), by="eve"), Released(at=at(45), by="eve"))
    assert free.ladder.schedule.rungs == (at(0), at(50), at(60), at(100))
    assert stands(after(free, by(Approved, ANA, 59))) == "approved/open"
    assert stands(after(free, by(Approved, ANA, 60))) == "pending"


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


@pytest.mark.parametrize("make", [opened, changes_requested, granted])
def test_the_agent_is_told_of_the_stop_and_of_its_end(make: Callable[[], Review]) -> None:
    """Once each, with what its next plan is to heed while it is stopped; a second stop or resume is the same."""
    stopped = decide(make(), dataclasses.replace(STOP, at=at(6)))
    assert told(stopped.effects) == (Message.AGENT_STOPPED,)
    assert (stopped.review.held_since, stopped.review.instruction) == (at(6), "Ask for less")
    assert entry(stopped, "review.held").detail == {"reason": "It pays twice", "instruction": "Ask for less"}
    again = decide(stopped.review, dataclasses.replace(STOP, at=at(7), instruction="Stop it"))
    assert (again.answer, again.review, again.effects) == (Answer.SAME, stopped.review, ())
    freed = decide(stopped.review, Released(at=at(8), by="operator"))
    assert told(freed.effects) == (Message.AGENT_RESUMED,)
    assert (freed.review.held, freed.review.instruction) == (False, None)
    assert entry(freed, "review.released").actor == "operator"
    assert decide(freed.review, Released(at=at(9), by="eve")).answer is Answer.SAME


def test_an_end_while_stopped_is_told_once() -> None:
    """The instruction is gone with the overlay; the end is the decision's message."""
    held = after(opened(), STOP)
    came = decide(held, by(Rejected, ANA, 7))
    assert told(came.effects) == (Message.DECIDED,)
    assert (came.review.held, came.review.instruction) == (False, None)


def test_a_released_approval_works_again() -> None:
    """What was not used and has not lapsed meanwhile."""
    free = after(granted(5), Held(at=at(6), by="eve"), Released(at=at(20), by="eve"))
    assert free.grant == granted(5).grant
    assert decide(free, redeems(free, 21)).answer is Answer.DONE


# ---------------------------------------------------------------------------------------------- not started


def held_before(**route: object) -> Review:
    """A review asked for by a stopped agent."""
    return opening(held=STOP, **route).review


@pytest.mark.parametrize("tier", [Tier.AUTO, Tier.SAMPLE, Tier.APPROVE, Tier.DENY])
def test_what_a_stopped_agent_asks_is_kept_and_held(tier: Tier) -> None:
    """Policy decides nothing, nobody is called, no clock runs; the agent is told that it is stopped."""
    came = opening(held=STOP, tier=tier)
    review = came.review
    assert (stands(review), review.held, review.started) == ("pending", True, False)
    assert kinds(came.effects) == ("review.opened", "review.held")
    assert told(came.effects) == (Message.AGENT_STOPPED,)
    assert entry(came, "review.held").actor == "person:eve"
    assert (next_alarm(review), review.called, review.ladder.fired) == (None, {}, 0)
    assert stands(after(review, ticks(review, 600))) == "pending"
    assert decide(review, redeems(review)).answer is Answer.LOCKED


@pytest.mark.parametrize("event", [by(Approved, ANA), by(Taken, ANA, until=at(9)), by(Escalated, ANA, reach=REACH)])
def test_what_has_not_started_is_only_whispered_about(event: Event) -> None:
    """People may not grant it either, nor call others."""
    review = held_before()
    came = decide(review, event)
    assert (came.answer, came.review) == (Answer.WHISPER, review)


@pytest.mark.parametrize(("event", "end"), [(by(Rejected, ANA), "rejected"), (Withdrawn(at=at(5)), "withdrawn")])
def test_what_has_not_started_can_still_end(event: Event, end: str) -> None:
    """Nothing is granted by that."""
    over = after(held_before(), event)
    assert (stands(over), over.held) == (end, False)


def test_a_released_review_sets_out_by_the_schedule_of_now() -> None:
    """The first rung goes when it is released, the later ones as long after as the chain says."""
    review = held_before()
    came = decide(review, Released(at=at(90), by="eve", schedule=a_schedule(90), reach=REACH))
    out = came.review
    assert kinds(came.effects) == ("review.released", "review.called")
    assert told(came.effects) == (Message.AGENT_RESUMED,)
    assert (out.started, out.held, out.ladder.fired, out.ladder.epoch) == (True, False, 1, review.ladder.epoch + 1)
    assert out.ladder.schedule == a_schedule(90)
    assert next_alarm(out) == at(100)
    assert stands(after(out, by(Approved, ANA, 91))) == "approved/open"


def test_a_released_review_without_a_schedule_goes_by_its_own() -> None:
    """As long after the release as it would have been after the asking: it has not expired meanwhile."""
    out = after(held_before(), Released(at=at(600), by="eve", reach=REACH))
    assert out.ladder.schedule == a_schedule(600)
    assert stands(after(out, ticks(out, 659))) == "pending"


@pytest.mark.parametrize("tier", [Tier.AUTO, Tier.SAMPLE])
def test_what_needs_nobody_is_let_through_when_released(tier: Tier) -> None:
    """Its approval counts from then, and the agent is told of both."""
    review = held_before(tier=tier, needs=())
    came = decide(review, Released(at=at(30), by="eve"))
    assert stands(came.review) == "approved/open"
    assert (came.review.decision.cause, came.review.decision.decided_at) == (Cause.POLICY, at(30))
    assert came.review.grant.valid_until == at(90)
    assert told(came.effects) == (Message.AGENT_RESUMED, Message.DECIDED)


def test_what_the_policy_denies_is_rejected_when_released() -> None:
    """By policy, not by who resumed the agent."""
    came = after(held_before(tier=Tier.DENY, needs=()), Released(at=at(30), by="eve"))
    assert (stands(came), came.decision.cause) == ("rejected", Cause.POLICY)


def test_a_stopped_agent_may_plan_anew() -> None:
    """The new revision waits like a new review: earlier votes void, nobody called, and it sets out when released."""
    started = after(opened(), by(ChangesRequested, ANA, 2, reason="Less"))
    held = after(started, Held(at=at(3), by="eve", instruction="Ask for less"))
    came = decide(held, revises(held, 20.0, 4))
    anew = came.review
    assert (stands(anew), anew.revision, anew.held, anew.started) == ("pending", 2, True, False)
    assert (anew.instruction, anew.held_since, anew.reply_by) == ("Ask for less", at(3), None)
    assert kinds(came.effects) == ("review.revised",)
    assert next_alarm(anew) is None
    out = after(anew, Released(at=at(30), by="eve", schedule=a_schedule(30), reach=REACH))
    assert (out.status, out.started, out.ladder.fired) == (Status.PENDING, True, 1)


def test_a_stopped_agents_new_plan_is_not_let_through() -> None:
    """Not even where the new proposal's route would need nobody: the strictness rule holds, and so does the stop."""
    held = after(opened(tier=Tier.AUTO, needs=()), STOP)
    assert stands(held) == "approved/open"
    waiting = held_before(tier=Tier.AUTO, needs=())
    anew = after(waiting, revises(waiting, 20.0, 4))
    assert (stands(anew), anew.started, anew.revision) == ("pending", False, 2)
