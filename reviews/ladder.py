"""Time and calls: what is due by an instant, who is called next, and when a stopped clock goes on. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from reviews import eligibility
from reviews.events import (
    Answer,
    Deliver,
    Effect,
    Escalated,
    Message,
    Post,
    Rang,
    Record,
    Refresh,
    Ticked,
    Transition,
    Unreachable,
)
from reviews.model import (
    Cause,
    GrantState,
    Ladder,
    Object,
    Order,
    Reach,
    Review,
    RiskLevel,
    Rung,
    Status,
    Target,
    Then,
    Tier,
)
from reviews.steps import Effects, close, end, noted, open_grant, sentence
from reviews.values import replace

#: The target that means the channels of the roles needed: in sequence, of the one whose turn it is.
_ROLES = "channel:role"
#: How a target names one role.
_ROLE = "role:"

# ---------------------------------------------------------------------------------------------- time


def settle(review: Review, at: datetime) -> tuple[Review, Effects]:
    """What time alone has brought by `at`: the deadline, the reply clock, an approval's validity, the end of approving.

    By the clock, not by the timer: a vote that comes before a late timer finds it closed.
    """
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
    by_hand = _by_hand_at(review)
    if by_hand is not None and at >= by_hand:
        left = replace(review, ladder=replace(review.ladder, by_hand=True), version=review.version + 1)
        return left, (Record(kind="review.by_hand", at=at, actor="placet"), Refresh())
    return review, ()


def _by_hand_at(review: Review) -> datetime | None:
    """From when on a person must do it, for nobody has approved it; None where that never comes, or has come.

    Like the deadline, it does not wait for who has the review in hand. What was done already is left alone.
    """
    ladder, route = review.ladder, review.route
    if ladder.by_hand or route.tier is Tier.HUMAN_ONLY or review.status is not Status.PENDING:
        return None
    for rung, instant in zip(route.chain, ladder.schedule.rungs, strict=False):
        if rung.then is Then.HUMAN_ONLY:
            return None if review.afterwards else instant
    return None


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
    if (rung := _next(review, reminders=True)) is not None:
        alarms.append(_due(ladder.schedule.rungs[rung], ladder))
    if (by_hand := _by_hand_at(review)) is not None:
        alarms.append(by_hand)
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
    """Fire the rungs below `upto` together, and on past any that reach nobody. `reach` is aligned with the chain.

    Who was called is reminded only where nobody else is called at the same time.
    """
    ladder, chain = review.ladder, review.route.chain
    calls, top = _calls(review, upto, reach)
    fired = replace(ladder, fired=top)
    if not calls:
        overdue = [rung for rung in range(ladder.fired, top) if chain[rung].remind]
        return _reminded(replace(review, ladder=fired), at, overdue)
    later = any(chain[rung].after > timedelta(0) for rung in calls)
    detail: Object = {"rungs": list(calls), "epoch": ladder.epoch, "persons": _persons(calls), "why": why}
    detail |= {"roles": roles} if (roles := _roles(chain, calls)) else _queues(review, calls)
    kind = "review.escalated" if later else "review.called"
    effects = [*_rang(ladder.epoch, at, calls), Record(kind=kind, at=at, actor="placet", detail=detail)]
    if later:
        effects.append(Deliver(message=Message.ESCALATED))
    version = review.version
    # Nobody has seen a card yet of a review just opened: there is none to draw again.
    if version > 1 or ladder.fired > 0 or later:
        version += 1
        effects.append(Refresh())
    after, given = _joined(review, at, calls, ladder=fired, version=version)
    return after, (*effects, *given, *_posts(ladder.epoch, calls))


def _reminded(review: Review, at: datetime, overdue: Sequence[int]) -> tuple[Review, Effects]:
    """Tell who was called that it still waits: once, however many reminders are overdue."""
    if not overdue:
        return review, ()
    ladder = review.ladder
    until = ladder.schedule.deadline_at.isoformat()
    waiting = {"rungs": list(overdue), "epoch": ladder.epoch, "needed": eligibility.needed(review), "until": until}
    entry = Record(kind="review.reminded", at=at, actor="placet", detail=waiting)
    rang = (Rang(epoch=ladder.epoch, rung=rung, at=at) for rung in overdue)
    return replace(review, version=review.version + 1), (*rang, entry, Refresh())


def _joined(
    review: Review, at: datetime, calls: dict[int, Reach], *, ladder: Ladder, version: int
) -> tuple[Review, Effects]:
    """The review on this ladder, with those called as electors, and with those it is assigned to."""
    called, fresh = dict(review.called), dict[str, None]()
    for rung, who in calls.items():
        called |= {} if review.route.chain[rung].notify_only else who.persons
        fresh |= dict.fromkeys(who.assigned)
    given = [person for person in fresh if person not in review.assigned]
    joined = replace(review, ladder=ladder, version=version, called=called, assigned=(*review.assigned, *given))
    if not given:
        return joined, ()
    return joined, (Record(kind="review.assigned", at=at, actor="placet", detail={"persons": given}),)


def _roles(chain: Sequence[Rung], calls: Iterable[int]) -> list[str]:
    """The roles that are called by name."""
    notified = [target for rung in calls for target in chain[rung].notify if target.startswith(_ROLE)]
    return [target.removeprefix(_ROLE) for target in dict.fromkeys(notified)]


def _queues(review: Review, calls: dict[int, Reach]) -> Object:
    """Whose queue alone shows it, for no channel of theirs is written down; nothing where a card is posted."""
    if any(who.targets or who.persons for who in calls.values()):
        return {}
    reached = any(who.unreachable is None for who in calls.values())
    return {"queues": [str(need) for need in eligibility.coming(review)] if reached else []}


def _persons(calls: dict[int, Reach]) -> list[str]:
    return list(dict.fromkeys([person for who in calls.values() for person in who.persons]))


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
    rang: list[Effect] = [Rang(epoch=epoch, rung=rung, at=at) for rung in calls]
    return rang + _missed(at, calls)


def _missed(at: datetime, calls: dict[int, Reach]) -> list[Effect]:
    """What is written down of rungs that reach nobody, or not everybody."""
    return [
        Record(kind="rung.unreachable", at=at, actor="placet", detail={"rung": rung, "why": why})
        for rung, who in calls.items()
        for why in (who.unreachable, *who.missed)
        if why is not None
    ]


def _posts(epoch: int, calls: dict[int, Reach]) -> tuple[Post, ...]:
    """One copy a place, however many rungs call it together."""
    first: dict[Target, int] = {}
    for rung, who in calls.items():
        for target in who.targets:
            first.setdefault(target, rung)
    return tuple([Post(target=target, epoch=epoch, rung=rung) for target, rung in first.items()])


def _next(review: Review, *, reminders: bool = False) -> int | None:
    """The next rung that calls somebody, or reminds them; None when all have."""
    chain = review.route.chain
    for rung in range(review.ladder.fired, len(chain)):
        if chain[rung].notify or (reminders and chain[rung].remind):
            return rung
    return None


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


def call_next(review: Review, at: datetime, reach: Sequence[Reach]) -> tuple[Review, Effects]:
    """In sequence, once a slot is filled: call the role whose turn it is, by the rungs that called the one before.

    `reach` is aligned with the chain and is of that role. Who was called already is not called again.
    """
    slots, filled = eligibility.slots_of(review), len(eligibility.seats(review, review.votes_now()))
    if review.route.order is not Order.SEQUENCE or filled == len(slots) or slots[filled] in slots[:filled]:
        return review, ()
    chain, epoch = review.route.chain, review.ladder.epoch
    fired = range(min(review.ladder.fired, len(reach)))
    calls = {rung: _afresh(review, reach[rung]) for rung in fired if _ROLES in chain[rung].notify}
    if not calls:
        return review, ()
    detail: Object = {"rungs": list(calls), "epoch": epoch, "persons": _persons(calls), "turn": str(slots[filled])}
    detail |= _queues(review, calls)
    entry = Record(kind="review.called", at=at, actor="placet", detail=detail)
    after, given = _joined(review, at, calls, ladder=review.ladder, version=review.version)
    effects = (*_missed(at, calls), entry, *given, *_posts(epoch, calls))
    if any(who.unreachable is None for who in calls.values()):
        return after, effects
    after, more = climb(after, at, _past_next(after), reach, why=f"{slots[filled]} cannot be reached")
    return after, (*effects, *more)


def _afresh(review: Review, who: Reach) -> Reach:
    return replace(who, targets=tuple(target for target in who.targets if target.person not in review.called))


def unreachable(review: Review, event: Unreachable) -> Transition:
    """A rung turned out to reach nobody: another place of the same person is tried, else the next rung goes at once.

    Not where it was called meanwhile, nor for an earlier run.
    """
    ladder = review.ladder
    detail: Object = {"rung": event.rung, "why": event.why}
    if event.instead is not None:
        detail |= {"instead": event.instead.surface}
    entry = Record(kind="rung.unreachable", at=event.at, actor="placet", detail=detail)
    if review.status is not Status.PENDING or review.held or event.epoch != ladder.epoch:
        return Transition(review=review, effects=(entry,))
    if event.instead is not None:
        again = Post(target=event.instead, epoch=event.epoch, rung=event.rung)
        return Transition(review=review, effects=(entry, again))
    last = max((n for n in range(ladder.fired) if review.route.chain[n].notify), default=None)
    if event.rung != last:
        return Transition(review=review, effects=(entry,))
    called, effects = climb(review, event.at, _past_next(review), event.reach, why=event.why)
    return Transition(review=called, effects=(entry, *effects))


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
