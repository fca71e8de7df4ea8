"""Time and calls: what is due by an instant, who is called next, and when a stopped clock goes on. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from reviews import eligibility
from reviews.eligibility import Barred
from reviews.events import (
    Answer,
    Deliver,
    Effect,
    Escalated,
    Handed,
    Held,
    Message,
    PersonEvent,
    Post,
    Rang,
    Record,
    Refresh,
    Released,
    Ticked,
    Transition,
    Unreachable,
)
from reviews.model import Cause, GrantState, Ladder, Person, Reach, Review, RiskLevel, Schedule, Status
from reviews.steps import Effects, by, close, done, end, forbid, noted, open_grant, refuse, same, sentence
from reviews.values import replace

# ---------------------------------------------------------------------------------------------- time


def settle(review: Review, at: datetime) -> tuple[Review, Effects]:
    """What time alone has ended by `at`: the deadline, the reply clock, an approval's validity."""
    grant = open_grant(review)
    if grant is not None and at >= grant.valid_until:
        lapsed = close(replace(review, version=review.version + 1), replace(grant, state=GrantState.LAPSED, at=at))
        return lapsed, (Record(kind="grant.lapsed", at=at, actor="placet"), Refresh())
    if review.held:
        return review, ()
    if review.status is Status.PENDING and at >= review.ladder.schedule.deadline_at:
        return end(review, Status.EXPIRED, Cause.TIMEOUT, at, reason="Nobody decided in time.", actor="placet")
    if review.status is Status.CHANGES_REQUESTED and review.reply_by is not None and at >= review.reply_by:
        reason = "No other proposal came in time."
        return end(review, Status.EXPIRED, Cause.TIMEOUT, at, reason=reason, actor="placet")
    return review, ()


def tick(review: Review, event: Ticked) -> Transition:
    """Rungs due go out together; a promise broken calls the next one, once."""
    ladder = review.ladder
    stale = event.epoch is not None and event.epoch != ladder.epoch
    if stale or review.status is not Status.PENDING or review.held:
        return Transition(review=review, text=sentence(review))
    upto = sum(1 for instant in ladder.schedule.rungs if _due(instant, ladder) <= event.at)
    effects: Effects = ()
    if (sla := _sla(ladder)) is not None and sla <= event.at:
        review = replace(review, ladder=replace(ladder, sla_passed=True), version=review.version + 1)
        effects = (Record(kind="review.sla_missed", at=event.at, actor="placet"), Refresh())
        upto = max(upto, _past_next(review))
    called, more = climb(review, event.at, upto, event.reach, why="silence")
    return Transition(review=called, text=sentence(called), effects=effects + more)


def next_alarm(review: Review) -> datetime | None:
    """When time next matters to this review; None when it never does."""
    if (grant := open_grant(review)) is not None:
        return grant.valid_until
    if review.held:
        return None
    if review.status is Status.CHANGES_REQUESTED:
        return review.reply_by
    if review.status is not Status.PENDING:
        return None
    ladder = review.ladder
    alarms = [ladder.schedule.deadline_at]
    if (rung := _next(review)) is not None:
        alarms.append(_due(ladder.schedule.rungs[rung], ladder))
    if (sla := _sla(ladder)) is not None:
        alarms.append(sla)
    return min(alarms)


def _due(instant: datetime, ladder: Ladder) -> datetime:
    """When a clock really rings: not while somebody has the review in hand."""
    return max(instant, ladder.paused_until) if ladder.paused_until is not None else instant


def _sla(ladder: Ladder) -> datetime | None:
    sla = ladder.schedule.sla_at
    return _due(sla, ladder) if sla is not None and not ladder.sla_passed else None


# ---------------------------------------------------------------------------------------------- calls


def climb(review: Review, at: datetime, upto: int, reach: Sequence[Reach], *, why: str) -> tuple[Review, Effects]:
    """Fire the rungs below `upto` together, and on past any that reach nobody. `reach` is aligned with the chain."""
    ladder, chain = review.ladder, review.route.chain
    calls, top = _calls(review, upto, reach)
    after = replace(review, ladder=replace(ladder, fired=top))
    if not calls:
        return after, ()
    later = any(chain[rung].after > timedelta(0) for rung in calls)
    persons = list(dict.fromkeys(person for who in calls.values() for person in who.persons))
    detail = {"rungs": list(calls), "epoch": ladder.epoch, "persons": persons, "why": why}
    kind = "review.escalated" if later else "review.called"
    effects = [*_rang(ladder.epoch, at, calls), Record(kind=kind, at=at, actor="placet", detail=detail)]
    if later:
        effects.append(Deliver(message=Message.ESCALATED))
    called = dict(review.called)
    for rung, who in calls.items():
        called |= {} if chain[rung].notify_only else who.persons
    after = replace(after, called=called)
    # Nobody has seen a card yet of a review just opened: there is none to draw again.
    if review.version > 1 or ladder.fired > 0 or later:
        after = replace(after, version=review.version + 1)
        effects.append(Refresh())
    return after, (*effects, *_posts(ladder.epoch, calls))


def _calls(review: Review, upto: int, reach: Sequence[Reach]) -> tuple[dict[int, Reach], int]:
    """Whom each rung fired now reaches, and how many have fired then. A rung that notifies nobody only passes."""
    chain = review.route.chain
    calls: dict[int, Reach] = {}
    rung, stuck = review.ladder.fired, False
    while rung < len(chain) and (rung < upto or stuck):
        if chain[rung].notify:
            calls[rung] = reach[rung] if rung < len(reach) else Reach(unreachable="Nobody is named there.")
            stuck = calls[rung].unreachable is not None
        rung += 1
    return calls, rung


def _rang(epoch: int, at: datetime, calls: dict[int, Reach]) -> list[Effect]:
    effects: list[Effect] = [Rang(epoch=epoch, rung=rung, at=at) for rung in calls]
    for rung, who in calls.items():
        if who.unreachable is not None:
            detail = {"rung": rung, "why": who.unreachable}
            effects.append(Record(kind="rung.unreachable", at=at, actor="placet", detail=detail))
    return effects


def _posts(epoch: int, calls: dict[int, Reach]) -> tuple[Post, ...]:
    """One copy a place, however many rungs call it together."""
    first = {target: rung for rung, who in reversed(calls.items()) for target in who.targets}
    wanted = dict.fromkeys(target for who in calls.values() for target in who.targets)
    return tuple(Post(target=target, epoch=epoch, rung=first[target]) for target in wanted)


def _next(review: Review) -> int | None:
    """The next rung that calls somebody; None when all have."""
    chain = review.route.chain
    return next((rung for rung in range(review.ladder.fired, len(chain)) if chain[rung].notify), None)


def _past_next(review: Review) -> int:
    rung = _next(review)
    return review.ladder.fired if rung is None else rung + 1


def escalate(review: Review, event: Escalated) -> Transition:
    """A person calls the next rung now."""
    if _next(review) is None:
        return Transition(review=review, answer=Answer.WHISPER, text="Everyone on the chain has been called already.")
    pushed = noted("review.pushed", event)
    why = f"{event.person.name} escalated"
    called, effects = climb(review, event.at, _past_next(review), event.reach, why=why)
    return Transition(review=called, text="The next on the chain is called.", effects=(pushed, *effects))


def unreachable(review: Review, event: Unreachable) -> Transition:
    """A rung turned out to reach nobody: the next goes at once, unless it was called meanwhile."""
    entry = Record(kind="rung.unreachable", at=event.at, actor="placet", detail={"rung": event.rung, "why": event.why})
    last = max((n for n in range(review.ladder.fired) if review.route.chain[n].notify), default=None)
    fresh = event.epoch == review.ladder.epoch and event.rung == last
    if review.status is not Status.PENDING or review.held or not fresh:
        return Transition(review=review, effects=(entry,))
    called, effects = climb(review, event.at, _past_next(review), event.reach, why=event.why)
    return Transition(review=called, effects=(entry, *effects))


# ---------------------------------------------------------------------------------------------- pauses


def own(review: Review, event: PersonEvent, owner: Person, until: datetime) -> Transition:
    """Put the review into one person's hands: nobody else is called before `until`."""
    standing = eligibility.standing(review, event.person)
    if isinstance(standing, Barred):
        return forbid(review, event, standing.text)
    until = min(until, review.ladder.schedule.deadline_at)
    kept = replace(review, owner=owner.id, ladder=replace(review.ladder, paused_until=until))
    text = f"{owner.name} has it. Nobody else is called before {until:%H:%M} UTC; then the chain goes on."
    return done(kept, text, noted("review.taken", event, owner=owner.id, until=until.isoformat()))


def hand(review: Review, event: Handed) -> Transition:
    """Put the review into the hands of another who may decide it."""
    if isinstance(eligibility.standing(review, event.to), Barred):
        return refuse(review, event, f"{event.to.name} may not decide this, so it cannot be handed to them.")
    return own(review, event, event.to, event.until)


def hold(review: Review, event: Held) -> Transition:
    """Stop the clocks with the agent."""
    if review.held:
        return same(review, "This agent is stopped already.")
    entry = Record(kind="review.held", at=event.at, actor=by(event.by), detail={"reason": event.reason})
    return done(replace(review, held_since=event.at), "Held: its agent is stopped.", entry)


def release(review: Review, event: Released) -> Transition:
    """Let the clocks go on from where they stopped."""
    if review.held_since is None:
        return same(review, "This agent is not stopped.")
    pause = event.at - review.held_since
    entry = Record(kind="review.released", at=event.at, actor=by(event.by), detail={"held_s": pause.total_seconds()})
    free = replace(
        review,
        held_since=None,
        ladder=_shifted(review.ladder, pause),
        reply_by=review.reply_by + pause if review.reply_by else None,
    )
    return done(free, "Its agent goes on, and so do the clocks.", entry)


def _shifted(ladder: Ladder, pause: timedelta) -> Ladder:
    old = ladder.schedule
    schedule = Schedule(
        rungs=tuple(due + pause if n >= ladder.fired else due for n, due in enumerate(old.rungs)),
        deadline_at=old.deadline_at + pause,
        sla_at=old.sla_at + pause if old.sla_at else None,
    )
    until = ladder.paused_until + pause if ladder.paused_until else None
    return replace(ladder, epoch=ladder.epoch + 1, schedule=schedule, paused_until=until)


# ---------------------------------------------------------------------------------------------- the queue

#: How much sooner a riskier review is looked at than its deadline alone would have it.
_HEAD_START = {
    RiskLevel.LOW: timedelta(0),
    RiskLevel.MEDIUM: timedelta(hours=1),
    RiskLevel.HIGH: timedelta(hours=4),
    RiskLevel.CRITICAL: timedelta(hours=12),
}


def priority(review: Review) -> float:
    """The order of every queue, higher first: the deadline, sooner by a head start for risk."""
    return -(review.ladder.schedule.deadline_at - _HEAD_START[review.route.risk]).timestamp()
