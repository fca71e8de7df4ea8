"""Cards made of lines: what was folded at a place, and what a line says."""

from __future__ import annotations

from datetime import timedelta

import storage
from bot.listing import (
    Home,
    Some,
    backlog_facts,
    backlog_of,
    home_card,
    line,
    list_card,
    queue_card,
    queue_item,
)
from reviews.card import Actions, Card, Go, Lines, Text
from reviews.model import Cause, Decision, Need, Person, Review, RiskLevel, Seat, Status
from reviews.ports import Backlog
from reviews.values import replace
from tests.contracts.house_contract import keep
from tests.fakes.builders import START, a_proposal, a_review, a_route
from tests.fakes.clock import FakeClock

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


def _backlog(*waiting: tuple[str, int, timedelta]) -> list[Backlog]:
    return [Backlog(whom=whom, waiting=many, oldest=START - since) for whom, many, since in waiting]


def test_what_waits_is_counted_by_role() -> None:
    """With the age of the oldest, as it is said aloud."""
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    waiting = _backlog(("manager", 12, 3 * hour + 5 * minute), ("lead", 1, 90 * minute), ("level 2", 4, 50 * hour))
    facts = backlog_facts(waiting, START)
    assert facts is not None
    assert {fact.label: fact.value for fact in facts.items} == {
        "manager": "12 waiting, oldest 3 h",
        "lead": "1 waiting, oldest 90 min",
        "level 2": "4 waiting, oldest 2 d",
    }
    assert backlog_facts([], START) is None


async def test_people_see_the_backlog_of_their_own_roles() -> None:
    """And of levels up to theirs; an auditor sees every one."""
    store = storage.open_store("memory://", FakeClock(START))
    routes = [a_route(needs=(need,)) for need in (Need(role="manager"), Need(role="cfo"), Need(level=2), Need(level=3))]
    for route in routes:
        await keep(store, a_review(route=route))
    ana = Person(id="ana", name="Ana", roles=frozenset({"manager"}), level=2)

    async def whom(person: Person) -> list[str]:
        return [waits.whom for waits in await store.view(lambda tx: backlog_of(tx, person))]

    assert await whom(ana) == ["level 2", "manager"]
    assert len(await whom(replace(ana, roles=frozenset(), level=0, auditor=True))) == 4


def test_home_and_lists_tell_the_backlog() -> None:
    """On the card, so that every surface has it."""
    backlog = backlog_facts(_backlog(("manager", 2, timedelta(hours=3))), START)
    ana, none = Person(id="ana", name="Ana"), Some(reviews=())
    home = Home(person=ana, waiting=none, decided=none, away="You are here.", calls=None, backlog=backlog)
    assert backlog in home_card(home, {}, BASE).blocks
    assert backlog in list_card("Your queue", none, ana, {}, BASE, backlog).blocks
