"""The glass is broken aloud: everybody it concerns is told when it is asked for, and again when it is done."""

from __future__ import annotations

from bot import bulletins
from bot.people import Directory
from reviews.card import Tone
from reviews.events import Record, Transition
from reviews.keeping import Tx
from reviews.model import Person, Review, Right, Target
from reviews.present import title_of
from reviews.redact import scrubber
from reviews.unseen import clean
from reviews.words import quoted


def tell(tx: Tx, done: Transition, presser: Person, directory: Directory, base: str) -> None:
    """Say what a press on the glass came to; a press that changed nothing is not told. `base` is the public address."""
    review, kinds = done.review, {effect.kind for effect in done.effects if isinstance(effect, Record)}
    if "review.glass_asked" in kinds:
        title, text = f"{presser.name} asks to break the glass for #{review.seq}", _asked(review)
    elif "review.glass_broken" in kinds:
        title, text = f"The glass is broken for #{review.seq}", _broken(review)
    else:
        return
    lines = (quoted(title_of(review)), *text, f"{base}/reviews/{review.id}")
    bulletins.publish(tx, title, "\n".join(lines), concerned(review, presser, directory), tone=Tone.DANGER)


def _asked(review: Review) -> tuple[str, ...]:
    assert review.glass is not None
    second = f"A second person who may break the glass must observe it before {review.glass.until:%H:%M} UTC."
    return (_why(review, review.glass.reason), second)


def _broken(review: Review) -> tuple[str, ...]:
    assert review.decision is not None
    assert review.grant is not None
    first, second = (seat.name for seat in review.decision.by)
    until = f"{review.agent} may act on it until {review.grant.valid_until:%H:%M} UTC"
    said = f"{first} broke it and {second} observed it: {until}. Whether that was right is looked at afterwards."
    return (_why(review, review.decision.reason or ""), said)


def _why(review: Review, reason: str) -> str:
    hide = scrubber(review.request, review.route.sensitive, review.original)
    return f"Why: {quoted(hide(clean(reason)))}"


def concerned(review: Review, presser: Person, directory: Directory) -> tuple[Target, ...]:
    """Where the people of every role that was needed are, and each who may break the glass but who pressed."""
    roles = dict.fromkeys(role for need in review.route.needs for role in directory.holding(need))
    places = (place for role in roles for place in directory.places(role))
    others = (other.id for other in directory.with_right(Right.BREAK_GLASS) if other.id != presser.id)
    return tuple(dict.fromkeys((*places, *directory.first_places(others))))
