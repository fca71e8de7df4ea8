"""Cards made of lines: what was folded at a place, and what a line says."""

from __future__ import annotations

from datetime import timedelta

from bot.listing import line, queue_card, queue_item
from reviews.card import Actions, Card, Go, Lines, Text
from reviews.model import Cause, Decision, Person, Review, RiskLevel, Seat, Status
from reviews.values import replace
from tests.fakes.builders import START, a_proposal, a_review, a_route

BASE = "http://127.0.0.1:8080"


def _review(number: int, risk: RiskLevel = RiskLevel.LOW) -> Review:
    return a_review(id=f"rev_{number}", seq=number, proposal=a_proposal(route=a_route(risk=risk)))


def _lines(card: Card) -> Lines:
    return next(block for block in card.blocks if isinstance(block, Lines))


def test_a_queue_card_names_ten_and_counts_the_rest() -> None:
    """The most urgent first; of twelve given and three more there are, five are left out."""
    card = queue_card([_review(n) for n in range(12)] + [_review(99, RiskLevel.HIGH)], 3, {}, BASE)
    assert (card.title, len(_lines(card).items), _lines(card).more) == ("16 low-risk reviews wait here", 10, 6)
    assert _lines(card).items[0].review == "rev_99"


def test_each_line_opens_its_review_and_several_can_be_approved() -> None:
    """What leads on shows something to who presses; nothing on the card decides."""
    card = queue_card([_review(1)], 0, {}, BASE)
    assert card.title == "1 low-risk review waits here"
    assert [(way.go, way.value) for way in _lines(card).items[0].ways] == [(Go.OPEN, "rev_1")]
    (actions,) = [block for block in card.blocks if isinstance(block, Actions)]
    assert (actions.controls, [way.go for way in actions.ways]) == ((), [Go.BULK, Go.QUEUE])


def test_a_line_names_who_asked_through_the_houses_own_agent() -> None:
    """`desk` would say nothing; an agent is named as it is."""
    theirs = replace(_review(7), agent="desk", owners=frozenset({"cy"}))
    assert line(theirs, {"cy": "Cy Okafor"}).detail.endswith("asked by Cy Okafor")
    assert line(_review(7), {}).detail.endswith(f"asked by {_review(7).agent}")
    ana = Person(id="ana", name="Ana Ruiz")
    assert queue_item(theirs, ana, {"cy": "Cy Okafor"}).agent == "Cy Okafor"
    assert queue_item(_review(7), ana).agent == _review(7).agent


def test_an_empty_queue_card_says_so() -> None:
    """It stays where it was posted, and offers nothing."""
    card = queue_card([], 0, {}, BASE)
    assert [block.text for block in card.blocks if isinstance(block, Text)] == ["Nothing waits here now."]
    assert not [block for block in card.blocks if isinstance(block, Actions | Lines)]


def test_a_line_of_what_is_over_says_what_came_of_it() -> None:
    """Who decided, and when."""
    at = START + timedelta(minutes=3)
    seat = Seat(person="ana", name="Ana Ruiz", role="manager", slot=0, surface="slack", at=at)
    decision = Decision(verdict=Status.APPROVED, cause=Cause.HUMAN, decided_at=at, revision=1, digest="", by=(seat,))
    made = line(replace(_review(7), status=Status.APPROVED, decision=decision), {})
    assert made.at == at
    assert "#7 · Low risk · Approved by Ana Ruiz" in made.detail
