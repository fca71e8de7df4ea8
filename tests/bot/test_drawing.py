"""What surrounds a review on its card: its reader and their rights, why its agent is stopped, what it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reviews.card import Actions, Callout, Card, Facts, Text
from reviews.events import Record
from reviews.filled import controls
from reviews.keeping import Agent, Stop
from reviews.model import Identity, Object, Person, Relation, Review, Verb
from reviews.ports import QueueFilter
from tests.contracts.house_contract import keep
from tests.fakes.app import House, running
from tests.fakes.builders import START, a_review

POLICY = """
policy: drawn
version: 1
default: {tier: approve, role: manager, sla: 1h}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2}, "watch": {"level": 1, "may": ["stop", "break_glass"]}},
    "people": [{"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]}, {"id": "bo", "name": "Bo", "roles": ["watch"]}],
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running Placet."""
    async with running(tmp_path, policy=POLICY, config=CONFIG) as made:
        yield made


async def drawn(house: House, review: Review, reader: str | None = None) -> Card:
    """Its card, for one person or for everybody."""
    return await house.app.store.view(lambda tx: house.app.desk.card(tx, review, reader=reader))


def verbs(card: Card) -> set[Verb]:
    """The controls of a card."""
    actions = [block for block in card.blocks if isinstance(block, Actions)]
    return {control.verb for block in actions for control in (*block.controls, *block.overflow)}


def facts(card: Card) -> dict[str, str]:
    """Its facts by label."""
    return {fact.label: fact.value for block in card.blocks if isinstance(block, Facts) for fact in block.items}


def callouts(card: Card) -> str:
    """All it says set apart."""
    return " ".join(block.text for block in card.blocks if isinstance(block, Callout))


async def test_a_card_is_for_its_reader(house: House) -> None:
    """Why them, and the controls of their rights; in a channel those that anybody there could have."""
    review = await keep(house.app.store, a_review())
    rare = {Verb.STOP, Verb.BREAK_GLASS}
    assert facts(await drawn(house, review, "ana"))["Why you"] == "role manager"
    assert verbs(await drawn(house, review, "ana")) & rare == set()
    assert verbs(await drawn(house, review, "bo")) & rare == rare
    everybody = await drawn(house, review)
    assert ("Why you" in facts(everybody), verbs(everybody) & rare) == (False, rare)


async def test_what_a_person_opens_is_drawn_for_them(house: House) -> None:
    """The page says why them; queue, home and list what waits by role; agents are for who may stop them."""
    desk = house.app.desk
    review = await keep(house.app.store, a_review())
    ana, bo = [await desk.who(Identity(surface="web", id=person)) for person in ("ana", "bo")]
    assert isinstance(ana, Person)
    assert isinstance(bo, Person)
    assert facts(await desk.read(review.id, ana, surface="web"))["Why you"] == "role manager"
    assert [waits.whom for waits in (await desk.queue(ana, QueueFilter())).backlog] == ["manager"]
    home, listed = await desk.home(ana), await desk.command(ana, "list", surface="web")
    assert facts(home)["manager"].startswith("1 waiting, oldest ")
    assert facts(listed)["manager"].startswith("1 waiting, oldest ")
    assert "manager" not in facts(await desk.home(bo))
    heads = {who.id: [b.text for b in (await desk.home(who)).blocks if isinstance(b, Text)] for who in (ana, bo)}
    assert ("Agents" in heads["ana"], "Agents" in heads["bo"]) == (False, True)


async def test_home_has_the_controls_of_who_may_stop_agents(house: House) -> None:
    """Those that go can be stopped and those that are stopped let go, on the home and below the command `agents`."""
    desk, stop = house.app.desk, Stop(by="bo", at=START, reason="It repeats itself")
    ana, bo = [await desk.who(Identity(surface="web", id=person)) for person in ("ana", "bo")]
    assert isinstance(ana, Person)
    assert isinstance(bo, Person)
    assert verbs(await desk.home(bo)) == set()
    for name, stopped, gone in (("a", None, False), ("b", stop, False), ("c", None, True)):
        agent = Agent(name=name, key_hash="0" * 64, secrets=(), stop=stopped, revoked=gone)
        await house.app.store.tx(lambda tx, agent=agent: tx.put_agent(agent))
    for card in (await desk.home(bo), await desk.command(bo, "agents", surface="web")):
        asked = {control.verb: control.form.fields[0] for control in controls(card) if control.form}
        assert {verb: field.choices for verb, field in asked.items()} == {Verb.STOP: ("a",), Verb.RESUME: ("b",)}
    assert verbs(await desk.home(ana)) | verbs(await desk.command(ana, "agents", surface="web")) == set()


async def test_a_held_card_names_who_stopped_its_agent(house: House) -> None:
    """As the agent's row has it."""
    store = house.app.store
    stop = Stop(by="bo", at=START, reason="It repeats itself", instruction="Ask once")
    agent = Agent(name="billing-bot", key_hash="0" * 64, secrets=(), stop=stop)
    await store.tx(lambda tx: tx.put_agent(agent))
    review = await keep(store, a_review(held_since=START))
    assert "was stopped by Bo at 09:00 UTC: “It repeats itself”" in callouts(await drawn(house, review))


async def test_an_appeal_names_who_appeals_and_why(house: House) -> None:
    """By the log of what it is about."""
    store = house.app.store
    first = await keep(store, a_review())
    entry = Record(kind="review.appealed", at=START, actor="person:bo", detail={"reason": "It was returned"})
    await store.tx(lambda tx: tx.record(entry, first.id))
    review = await keep(store, a_review(about=first.id, relation=Relation.APPEAL, created_at=first.created_at))
    assert "Bo appeals: “It was returned”." in callouts(await drawn(house, review))


async def test_who_may_only_break_the_glass_finds_it_and_has_no_vote(house: House) -> None:
    """All reviews are in a view of their own, for glass is broken where nobody was asked to observe yet."""
    agent = await house.agent()
    review = await agent.asked()
    bo = house.app.directory.person("bo")
    assert bo is not None
    page = await house.app.desk.queue(bo, QueueFilter(view="all"))
    assert ([item.id for item in page.items], page.counts["all"]) == ([review["id"]], 1)
    card = await house.app.desk.read(review["id"], bo, surface="web")
    assert verbs(card) == {Verb.ESCALATE, Verb.COMMENT, Verb.BREAK_GLASS, Verb.STOP}
