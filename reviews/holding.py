"""Who has a review in hand, and a stopped agent's clocks: taken, handed, held, released. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta

from reviews import eligibility
from reviews.eligibility import Barred
from reviews.events import (
    COURTESY,
    Deliver,
    Effect,
    Handed,
    Held,
    Message,
    PersonEvent,
    Post,
    Record,
    Released,
    Taken,
    Transition,
)
from reviews.model import Ladder, Person, Review, Schedule
from reviews.opening import set_out
from reviews.steps import by_whom, done, forbid, halt, noted, refuse, same, sentence
from reviews.values import replace

# ---------------------------------------------------------------------------------------------- in somebody's hands


def take(review: Review, event: Taken) -> Transition:
    """Put the review into one's own hands: nobody else is called before `until`.

    Taken again while one has it, it does not rest longer: else a review could be kept from everybody till its end.
    """
    resting = review.ladder.paused_until
    if review.owner == event.person.id and resting is not None and event.at < resting:
        return same(review, f"You have it already. The chain goes on at {resting:%H:%M} UTC.")
    until = _until(review, event.until)
    entry = noted("review.taken", event, owner=event.person.id, until=until.isoformat())
    return _give(review, event, event.person, until, entry)


def hand(review: Review, event: Handed) -> Transition:
    """Put the review into the hands of another who may decide it, and tell them."""
    if isinstance(eligibility.standing(review, event.to), Barred):
        return refuse(review, event, f"{event.to.name} may not decide this, so it cannot be handed to them.")
    until = _until(review, event.until)
    whose = {"from": event.person.id, "to": event.to.id}
    entry = noted("review.handed", event, **whose, until=until.isoformat())
    posts = (Post(target=target, epoch=review.ladder.epoch, rung=COURTESY) for target in event.targets)
    return _give(review, event, event.to, until, entry, *posts)


def _until(review: Review, until: datetime) -> datetime:
    return min(until, review.ladder.schedule.deadline_at)


def _give(review: Review, event: PersonEvent, owner: Person, until: datetime, *effects: Effect) -> Transition:
    """Only who may decide it has it to give, or to keep."""
    standing = eligibility.standing(review, event.person)
    if isinstance(standing, Barred):
        return forbid(review, event, standing.text)
    kept = replace(review, owner=owner.id, ladder=replace(review.ladder, paused_until=until))
    text = f"{owner.name} has it. Nobody else is called before {until:%H:%M} UTC; then the chain goes on."
    return done(kept, text, *effects)


# ---------------------------------------------------------------------------------------------- stopped agents


def hold(review: Review, event: Held) -> Transition:
    """Stop the clocks with the agent. An approval still lapses in its time."""
    if review.held:
        return same(review, "This agent is stopped already.")
    held, effects = halt(review, event)
    return done(held, "Held: its agent is stopped.", *effects)


def release(review: Review, event: Released) -> Transition:
    """Let the clocks go on from where they stopped; what had not started sets out now."""
    if review.held_since is None:
        return same(review, "This agent is not stopped.")
    pause = event.at - review.held_since
    entry = Record(
        kind="review.released", at=event.at, actor=by_whom(event.by), detail={"held_s": pause.total_seconds()}
    )
    free = replace(
        review,
        held_since=None,
        instruction=None,
        ladder=_shifted(review.ladder, review.held_since, pause),
        reply_by=review.reply_by + pause if review.reply_by else None,
    )
    went = done(free, "Its agent goes on, and so do the clocks.", entry, Deliver(message=Message.AGENT_RESUMED))
    return went if review.started else _start(went, event)


def _start(went: Transition, event: Released) -> Transition:
    """Set out at last, by the schedule of now where there is one: the old one was made for when it was asked."""
    review = went.review
    ladder = replace(review.ladder, schedule=event.schedule or review.ladder.schedule)
    begun, effects = set_out(replace(review, started=True, ladder=ladder), event.at, event.reach)
    return replace(went, review=begun, text=sentence(begun), effects=(*went.effects, *effects))


def _shifted(ladder: Ladder, since: datetime, pause: timedelta) -> Ladder:
    """The ladder after a pause: what had not come by `since` comes so much later, called early or not."""
    old = ladder.schedule
    schedule = Schedule(
        rungs=tuple(due + pause if n >= ladder.fired or due > since else due for n, due in enumerate(old.rungs)),
        deadline_at=old.deadline_at + pause,
        sla_at=old.sla_at + pause if old.sla_at else None,
    )
    until = ladder.paused_until + pause if ladder.paused_until else None
    return replace(ladder, epoch=ladder.epoch + 1, schedule=schedule, paused_until=until)
