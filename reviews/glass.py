"""The emergency: one who may asks, a second who may observes, and it is looked at again afterwards. No I/O."""

from __future__ import annotations

from reviews import voting
from reviews.events import COURTESY, BrokenGlass, Effect, Follow, Post, Transition
from reviews.model import Cause, Glass, Relation, Review, Seat, Status, Verb
from reviews.steps import by, done, end, forbid, noted, refuse, same, sentence
from reviews.values import replace


def press(review: Review, event: BrokenGlass) -> Transition:
    """The first press asks for an observer; the second, by another and in time, approves."""
    if barred := _barred(review, event):
        return forbid(review, event, barred)
    if closed := _closed(review):
        return refuse(review, event, closed)
    asked = review.glass
    if asked is None or event.at >= asked.until:
        return _ask(review, event)
    if asked.person == event.person.id:
        text = f"A second person who may break the glass must press it too, until {asked.until:%H:%M} UTC."
        return same(review, text)
    return _break(review, event, asked)


def _barred(review: Review, event: BrokenGlass) -> str | None:
    """Why this person neither asks nor observes; None when they may."""
    if not event.allowed:
        return "Breaking the glass is for people with that right."
    own = review.owners | review.named | {review.principal}
    if event.person.id in own:
        return "Nobody breaks the glass for their own request."
    if event.person.id in review.excluded:
        return "You have had your say in the review this is about, so somebody else must break the glass."
    return None


def _closed(review: Review) -> str | None:
    """Why there is no glass here; None where there is."""
    if review.afterwards:
        return "This was done already: nothing here cannot wait."
    return voting.closed_to(review, Verb.APPROVE)


def _ask(review: Review, event: BrokenGlass) -> Transition:
    reason = (event.reason or "").strip()
    if not reason:
        return refuse(review, event, "Breaking the glass needs a reason.")
    person, until = event.person, event.at + event.window
    glass = Glass(person=person.id, name=person.name, reason=reason, surface=event.surface, at=event.at, until=until)
    posts: tuple[Effect, ...] = tuple(
        Post(target=target, epoch=review.ladder.epoch, rung=COURTESY) for target in event.targets
    )
    text = f"Asked. A second person who may break the glass must press it too, until {until:%H:%M} UTC."
    entry = noted("review.glass_asked", event, until=until.isoformat())
    return done(replace(review, glass=glass), text, entry, *posts)


def _break(review: Review, event: BrokenGlass, asked: Glass) -> Transition:
    """Both sit; the approval is short, gives nobody time to think again, and is looked at by others afterwards."""
    ended, effects = end(
        replace(review, glass=None),
        Status.APPROVED,
        Cause.BREAK_GLASS,
        event.at,
        by=_seats(event, asked),
        reason=asked.reason,
        actor=by(event.person.id),
    )
    assert ended.grant is not None
    short = replace(ended.grant, valid_until=event.at + min(event.valid_for, review.route.valid_for))
    entry = noted("review.glass_broken", event, reason=asked.reason, asked_by=asked.person)
    both = frozenset({asked.person, event.person.id})
    after = Follow(relation=Relation.AFTER_GLASS, excluded=both)
    broken = replace(ended, grant=short)
    return Transition(review=broken, text=sentence(broken), effects=(entry, *effects, after))


def _seats(event: BrokenGlass, asked: Glass) -> tuple[Seat, Seat]:
    first = Seat(
        person=asked.person,
        name=asked.name,
        role="break_glass",
        slot=0,
        surface=asked.surface,
        at=asked.at,
        eligibility="may break_glass",
    )
    second = Seat(
        person=event.person.id,
        name=event.person.name,
        role="observer",
        slot=1,
        surface=event.surface,
        at=event.at,
        eligibility="may break_glass",
    )
    return first, second
