"""The glass is broken aloud: those it concerns are told when it is asked for and when it is done, in bounded words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bulletins import lately
from reviews.card import Tone
from reviews.events import COURTESY, Answer
from reviews.keeping import Bulletin
from reviews.model import Object, Person
from tests.fakes.app import Caller, House, running
from tests.fakes.chat import FakeChat

CONFIG: Object = {
    "roles": {
        "manager": {"level": 2, "channels": {"slack": "C-MANAGERS"}},
        "fire": {"level": 1, "may": ["break_glass"]},
    },
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"slack": "U-ANA"}},
        {"id": "bo", "name": "Bo Chen", "roles": ["manager"]},
        {"id": "cy", "name": "Cy Okafor", "roles": ["fire"], "identities": {"slack": "U-CY"}},
        {"id": "di", "name": "Di Moreau", "roles": ["fire"]},
    ],
}
POLICY = """
policy: aloud
version: 1
actions:
  refund.issue: {risk: high, reversible: false, sensitive: [/card]}
chains:
  people: [{after: 0m, notify: 'role:manager'}, {after: 50m, then: expire}]
rules:
  - {name: by level, when: 'action.name == "server.stop"', route: {tier: approve, level: 2, chain: people}}
default: {tier: approve, role: manager, sla: 1h}
"""
WHY = "Production is down."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running Placet with a chat."""
    async with running(tmp_path, policy=POLICY, config=CONFIG, adapters={"slack": FakeChat()}) as made:
        yield made


async def told(house: House, person: str) -> list[Bulletin]:
    """What a person was told, the first one first."""
    found = house.app.directory.person(person)
    assert isinstance(found, Person)
    return (await house.store.view(lambda tx: lately(tx, found, house.app.directory)))[::-1]


async def broken(house: House, review: Object) -> None:
    """Cy asks for it, Di observes it."""
    for person, reason in (("cy", WHY), ("di", "")):
        done = await house.press("break_glass", review, person=person, reason=reason)
        assert done.answer is Answer.DONE, done.text


async def test_those_it_concerns_are_told_twice(house: House, agent: Caller) -> None:
    """When it is asked for and when it is done: the role's channel, who is not in it, and who may observe."""
    review = await agent.asked()
    await broken(house, review)
    asked, done = await told(house, "bo")
    assert asked.title == "Cy Okafor asks to break the glass for #1"
    assert "Why: “Production is down.”\nA second person who may break the glass must observe it before" in asked.text
    assert done.title == "The glass is broken for #1"
    assert "Cy Okafor broke it and Di Moreau observed it: refund-desk may act on it until" in done.text
    for bulletin in (asked, done):
        assert (bulletin.tone, bulletin.text.splitlines()[-1]) == (Tone.DANGER, f"{house.url}/reviews/{review['id']}")
    copies = await house.store.view(lambda tx: [(tx.copies(each.id)) for each in (asked, done)])
    assert [{copy.target.address for copy in each} for each in copies] == [
        {"C-MANAGERS", "bo", "di"},
        {"C-MANAGERS", "bo", "U-CY"},
    ]


async def test_a_press_that_changes_nothing_is_not_told(house: House, agent: Caller) -> None:
    """Not the same person's again, not that of somebody who may not."""
    review = await agent.asked()
    for person, answer in (("cy", Answer.DONE), ("cy", Answer.SAME), ("ana", Answer.FORBIDDEN)):
        assert (await house.press("break_glass", review, person=person, reason=WHY)).answer is answer
    assert len(await told(house, "bo")) == 1


async def test_where_a_level_is_needed_its_roles_are_told(house: House, agent: Caller) -> None:
    """Every role of that level or a higher one."""
    await broken(house, await agent.asked("server.stop"))
    assert len(await told(house, "ana")) == 2


async def test_the_words_are_bounded_and_hide_what_is_hidden(house: House, agent: Caller) -> None:
    """Neither an agent's summary nor a person's reason makes a page of it, or tells what the card hides."""
    arguments = {"order": "A-1", "card": "4111111111111111"}
    action = {"name": "refund.issue", "arguments": arguments, "preview": "Pay “now”\n" * 40}
    review = await agent.asked(action)
    reason = "Card 4111111111111111 is charged. " + "Hurry. " * 200
    assert (await house.press("break_glass", review, person="cy", reason=reason)).answer is Answer.DONE
    (asked,) = await told(house, "bo")
    assert "4111111111111111" not in asked.text
    assert (len(asked.text) < 600, len(asked.text.splitlines())) == (True, 4)


@pytest.mark.parametrize("action", ["refund.issue", "server.stop"])
async def test_its_card_goes_where_it_is_told(house: House, agent: Caller, action: str) -> None:
    """To one set of places, whether the route needs a role or a level."""
    review = await agent.asked(action)
    assert (await house.press("break_glass", review, person="cy", reason=WHY)).answer is Answer.DONE
    (asked,) = await told(house, "di")
    cards, notices = await house.store.view(lambda tx: (tx.copies(review["id"]), tx.copies(asked.id)))
    posted = {copy.target for copy in cards if copy.rung == COURTESY}
    assert posted == {copy.target for copy in notices}
    assert {target.address for target in posted} == {"C-MANAGERS", "bo", "di"}
