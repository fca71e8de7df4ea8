"""What people say of a proposal: yes, no, not like this, done already. No I/O."""

from __future__ import annotations

from reviews import eligibility, ladder
from reviews.eligibility import Barred, Standing
from reviews.events import (
    Answer,
    Answered,
    Approved,
    Cast,
    ChangesRequested,
    Commented,
    Deliver,
    Edited,
    Effect,
    Message,
    PersonEvent,
    Rejected,
    Transition,
)
from reviews.model import Cause, Change, Comment, Object, Order, Review, Seat, Status, Verb, Vote
from reviews.opening import new_revision
from reviews.steps import Effects, by, done, end, forbid, noted, refuse, same, sentence
from reviews.values import replace


def approve(review: Review, event: Approved | Edited) -> Transition:
    """A yes: it fills a slot, and the last one approves."""
    standing = eligibility.standing(review, event.person)
    if isinstance(standing, Barred):
        return forbid(review, event, standing.text)
    if closed := closed_to(review, Verb.APPROVE):
        return refuse(review, event, closed)
    votes = review.votes_now()
    if any(v.person == event.person.id and v.verb is Verb.APPROVE for v in votes):
        return same(review, f"You approved this already. {sentence(review)}")
    vote = _vote(review, event, Verb.APPROVE, standing)
    filled = eligibility.seats(review, (*votes, vote))
    if vote.person not in {v.person for v in filled.values()}:
        return refuse(review, event, _no_seat(review))
    voted = replace(review, votes=(*review.votes, vote))
    cast = (Cast(vote=vote), noted("vote.approve", event, slots=vote.slots, eligibility=vote.eligibility))
    if len(filled) < len(eligibility.slots_of(review)):
        reach = event.turn if isinstance(event, Edited) else event.reach
        after, called = ladder.call_next(voted, event.at, reach)
        return done(after, f"Your approval counts. Still needed: {eligibility.needed(voted)}.", *cast, *called)
    seats = tuple(_seat(review, slot, v) for slot, v in sorted(filled.items()))
    return _decided(voted, event, Status.APPROVED, seats, cast)


def edit(review: Review, event: Edited) -> Transition:
    """A new revision by a person; their own approval of it too, where the new route lets them give one."""
    standing = eligibility.standing(review, event.person)
    if isinstance(standing, Barred):
        return forbid(review, event, standing.text)
    if event.proposal.digest == review.proposal.digest:
        return approve(review, event)
    vote = _vote(review, event, Verb.EDIT, standing)
    revised, effects = new_revision(_with(review, vote), event)
    effects = (Cast(vote=vote, again=True), noted("vote.edit", event, revision=revised.revision), *effects)
    if revised.status is not Status.PENDING:
        return Transition(review=revised, text=sentence(revised), effects=effects)
    yes = approve(revised, event)
    if yes.answer is Answer.DONE:
        return replace(yes, effects=(*effects, *yes.effects))
    text = f"Your edit is now revision {revised.revision}. It needs {eligibility.needed(revised)}."
    return Transition(review=revised, text=text, effects=effects)


def reject(review: Review, event: Rejected) -> Transition:
    """A no: one is enough, even after one's own yes."""
    return _alone(review, event, Verb.REJECT, Status.REJECTED)


def answer(review: Review, event: Answered) -> Transition:
    """A person did it in the agent's stead."""
    return _alone(review, event, Verb.ANSWER, Status.ANSWERED, event.answer)


def _alone(
    review: Review, event: PersonEvent, verb: Verb, verdict: Status, answered: Object | None = None
) -> Transition:
    """An end one person is enough for."""
    standing = eligibility.standing(review, event.person)
    if isinstance(standing, Barred):
        return forbid(review, event, standing.text)
    vote = _vote(review, event, verb, standing)
    cast = (Cast(vote=vote, again=True), noted(f"vote.{verb}", event, eligibility=vote.eligibility))
    return _decided(_with(review, vote), event, verdict, (_seat(review, vote.slots[0], vote),), cast, answered)


def _decided(
    review: Review,
    event: PersonEvent,
    verdict: Status,
    seats: tuple[Seat, ...],
    cast: Effects,
    answered: Object | None = None,
) -> Transition:
    ended, effects = end(
        review,
        verdict,
        Cause.HUMAN,
        event.at,
        by=seats,
        reason=event.reason,
        notes=event.notes,
        answer=answered,
        actor=by(event.person.id),
    )
    return Transition(review=ended, text=sentence(ended), effects=(*cast, *effects))


def request_changes(review: Review, event: ChangesRequested) -> Transition:
    """Not like this: the agent's turn, and people's clocks stop."""
    standing = eligibility.standing(review, event.person)
    if isinstance(standing, Barred):
        return forbid(review, event, standing.text)
    text = (event.reason or "").strip()
    if not text:
        return refuse(review, event, "Say in a sentence what should be changed.")
    wanted = Change(
        person=event.person.id,
        name=event.person.name,
        text=text,
        at=event.at,
        revision=review.revision,
        about=event.about,
    )
    vote = _vote(review, event, Verb.REQUEST_CHANGES, standing)
    waiting = replace(
        _with(review, vote),
        status=Status.CHANGES_REQUESTED,
        reply_by=event.at + review.route.reply_within,
        changes=(*review.changes, wanted),
    )
    told: tuple[Effect, ...] = (
        Cast(vote=vote, again=True),
        noted("vote.request_changes", event, about=event.about),
        Deliver(message=Message.CHANGES_REQUESTED),
    )
    return done(waiting, f"{review.agent} has been asked for another proposal.", *told)


def comment(review: Review, event: Commented) -> Transition:
    """A remark that goes to the agent with the decision."""
    text = (event.reason or "").strip()
    if not text:
        return refuse(review, event, "Write the comment first.")
    remark = Comment(person=event.person.id, name=event.person.name, text=text, at=event.at, surface=event.surface)
    kept = replace(review, comments=(*review.comments, remark))
    return done(kept, "Your comment goes to the agent with the decision.", noted("review.commented", event))


def closed_to(review: Review, verb: Verb) -> str | None:
    """Why this decision is not open on this review; None when it is."""
    allowed = eligibility.allowed(review)
    if verb in allowed:
        return None
    if review.ladder.by_hand and verb in (Verb.APPROVE, Verb.EDIT):
        return f"Nobody approved it in time, so a person must do it now. What is open: {', '.join(allowed)}."
    return f"{verb} is not open for this review; what is: {', '.join(allowed)}."


def _no_seat(review: Review) -> str:
    if review.route.order is Order.SEQUENCE:
        return f"It is not your turn: {eligibility.unfilled(review)[0]} comes now."
    return f"That part is filled already. Still needed: {eligibility.needed(review)}."


def _with(review: Review, vote: Vote) -> Review:
    """The review with this as the person's one vote on this revision."""
    others = (v for v in review.votes if (v.person, v.revision) != (vote.person, vote.revision))
    return replace(review, votes=(*others, vote))


def _vote(review: Review, event: PersonEvent, verb: Verb, standing: Standing) -> Vote:
    return Vote(
        person=event.person.id,
        name=event.person.name,
        verb=verb,
        revision=review.revision,
        at=event.at,
        surface=event.surface,
        slots=standing.slots,
        eligibility=standing.source,
        reason=event.reason,
        notes=event.notes,
        digest=review.proposal.digest,
        shown=event.shown,
    )


def _seat(review: Review, slot: int, vote: Vote) -> Seat:
    return Seat(
        person=vote.person,
        name=vote.name,
        role=str(eligibility.slots_of(review)[slot]),
        slot=slot,
        surface=vote.surface,
        at=vote.at,
        eligibility=vote.eligibility,
    )
