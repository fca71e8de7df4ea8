"""How a review stands, in a word and a tone."""

from __future__ import annotations

from typing import Any

import pytest

from reviews.card import Tone
from reviews.events import Appealed, Approved, BrokenGlass, ChangesRequested, Held, Rejected, Undone
from reviews.model import Relation
from reviews.status import asker, by_people, status_word, tone_of
from tests.reviews.builders import ANA, BO, CAL, DEE, after, at, by, granted, opened, ticks

STOPPED = Held(at=at(6), by="eve")


def appealed() -> Any:
    """Rejected by Ana, appealed by Bo."""
    event = by(Appealed, BO, 6, allowed=True, level=3, follow="rev_2", reason="Paid twice")
    return after(opened(), by(Rejected, ANA, 5), event)


def broken() -> Any:
    """The glass broken by Cal, observed by Dee."""
    first, second = (by(BrokenGlass, who, 5, allowed=True, reason="Down") for who in (CAL, DEE))
    return after(opened(), first, second)


@pytest.mark.parametrize(
    ("make", "word", "tone"),
    [
        (opened, "Review needed", Tone.ATTENTION),
        (lambda: opened(about="rev_1", relation=Relation.AFTER_GLASS), "Feedback wanted", Tone.ATTENTION),
        (lambda: opened(about="rev_1", relation=Relation.APPEAL), "Review needed", Tone.ATTENTION),
        (lambda: after(opened(), STOPPED), "On hold", Tone.MUTED),
        (lambda: after(granted(), STOPPED), "On hold", Tone.MUTED),
        (lambda: after(opened(), by(ChangesRequested, ANA, reason="Less")), "Changes requested", Tone.NEUTRAL),
        (lambda: after(opened(), by(Approved, ANA)), "Approved", Tone.SUCCESS),
        (lambda: after(granted(), by(Undone, ANA, 6)), "Approval revoked", Tone.MUTED),
        (lambda: after(granted(), ticks(granted(), 66)), "Approval lapsed", Tone.MUTED),
        (broken, "Approved (glass broken)", Tone.SUCCESS),
        (lambda: after(opened(), by(Rejected, ANA)), "Rejected", Tone.DANGER),
        (appealed, "Rejected (appealed)", Tone.DANGER),
        (lambda: after(opened(), ticks(opened(), 60)), "Expired", Tone.MUTED),
    ],
)
def test_a_word_and_a_tone(make: Any, word: str, tone: Tone) -> None:
    """For pills and cards, at every stage."""
    review = make()
    assert (status_word(review), tone_of(review)) == (word, tone)


def test_who_asks() -> None:
    """An agent by its name; people by theirs, where they ask by the house's own agent."""
    review = opened(owners=frozenset({"ana"}))
    assert (asker(review, {"ana": "Ana"}), by_people(review)) == ("billing-bot", False)
