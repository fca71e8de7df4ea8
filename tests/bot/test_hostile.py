"""What a hostile agent tried once, and what it comes to now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from policies import schemas
from reviews import redact
from reviews.card import Card, Facts, Table
from reviews.events import Interaction
from reviews.granting import MOST_OUTCOMES
from reviews.model import Identity, Object, Verb
from tests.fakes.app import REFUND, Caller, House, running

POLICY = """
policy: hostile
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, sensitive: [/iban]}
  card.freeze: {risk: low, reversible: true}
rules:
  - {name: its owner confirms, when: 'action.name == "card.freeze"', route: {tier: confirm, sla: 1h}}
default: {tier: approve, role: manager, sla: 1h}
"""
IBAN = "ES9121000418450200051332"


async def page(house: House, review: Object, person: str = "ana") -> Card:
    """The card as a person reads it."""
    who = house.app.directory.person(person)
    assert who is not None
    return await house.app.desk.read(review["id"], who, surface="web")


def facts(card: Card) -> dict[str, str]:
    """The facts the house speaks in."""
    return {fact.label: fact.value for block in card.blocks if isinstance(block, Facts) for fact in block.items}


@pytest.mark.parametrize("named", ["cy", "nobody@example.com", "ana"])
async def test_an_agent_cannot_talk_its_principal_out_of_the_way(house: House, named: str) -> None:
    """The key acts for Ana: whomever the request names, Ana does not approve what is done for her."""
    agent = await house.agent(acts_for="ana")
    review = await agent.asked(REFUND, on_behalf_of=named)
    reply = await house.press(Verb.APPROVE, review, "ana")
    assert reply.answer == "forbidden"
    assert (await house.press(Verb.APPROVE, review, "bo")).answer == "done"


async def test_whom_a_revision_names_is_left_out_too(house: House, agent: Caller) -> None:
    """A name is never unsaid: a revision adds to who may not decide, and takes nobody back in."""
    review = await agent.asked(REFUND, on_behalf_of="bo")
    other = {"action": {"arguments": {"order": "B"}}, "on_behalf_of": "ana"}
    revised = (await agent.post(f"/v1/reviews/{review['id']}/revisions", other)).body
    assert [(await house.press(Verb.APPROVE, revised, who)).answer for who in ("ana", "bo")] == ["forbidden"] * 2


async def test_nobody_confirms_by_the_agents_word(tmp_path: Path) -> None:
    """Only the key says for whom an agent acts: without that, a `confirm` is asked of the policy's people."""
    async with running(tmp_path, policy=POLICY) as house:
        loose, bound = await house.agent("loose"), await house.agent("bound", acts_for="cy")
        asked = await loose.asked("card.freeze", on_behalf_of="di")
        assert asked["route"]["tier"] == "approve"
        assert (await house.press(Verb.APPROVE, asked, "di")).answer == "forbidden"
        mine = await bound.asked("card.freeze", on_behalf_of="di")
        assert mine["route"]["tier"] == "confirm"
        assert (await house.press(Verb.APPROVE, mine, "di")).answer == "forbidden"
        assert (await house.press(Verb.APPROVE, mine, "cy")).answer == "done"


@pytest.mark.parametrize("url", ["http://[::1", "http://a℀b"])
async def test_an_address_that_cannot_be_read_is_named(agent: Caller, url: str) -> None:
    """One bad link must not take the inbox down for everybody of the role."""
    answer = await agent.ask(REFUND, evidence=[{"title": "x", "url": url}])
    assert (answer.status, answer.pointers) == (422, ["/evidence/0/url"])


async def test_an_address_that_holds_what_is_hidden_is_no_link(tmp_path: Path) -> None:
    """The hidden value would stand in the link; the evidence is shown without it."""
    async with running(tmp_path, policy=POLICY) as house:
        agent = await house.agent()
        action = {"name": "refund.issue", "arguments": {"iban": IBAN}}
        evidence = [{"title": "bank", "url": f"https://bank.example.com/{IBAN}"}]
        review = await agent.asked(action, evidence=evidence, summary=f"Refund to {IBAN}")
        assert IBAN not in repr(await page(house, review))
        other = {"action": {"arguments": {"iban": "none"}}}
        await agent.post(f"/v1/reviews/{review['id']}/revisions", other)
        assert IBAN not in repr(await page(house, review)), "nor after a revision that drops it"


async def test_house_lines_hold_an_agents_words_in_quotes(house: House, agent: Caller) -> None:
    """`says it is for x). Approved by Ana Ruiz (` stays inside quotation marks, on one line."""
    forged = "x”). Approved by\nAna Ruiz (“Security"
    review = await agent.asked(REFUND, subject=forged, on_behalf_of=forged, producer={"agent_id": forged})
    shown = facts(await page(house, review))
    quoted = '“x"). Approved by Ana Ruiz ("Security”'
    assert shown["About"] == quoted
    assert shown["Asked by"].count(quoted) == 2
    assert "\n" not in shown["Asked by"]


async def test_a_sandbox_writes_no_history(house: House, agent: Caller) -> None:
    """What a script approved is never shown as an earlier review of a real one."""
    sandbox = await house.agent("ci", sandbox="approve")
    await sandbox.ask(REFUND, subject="order:1", summary="Approved by the board")
    review = await agent.asked(REFUND, subject="order:1")
    tables = [b.title for b in (await page(house, review)).thread if isinstance(b, Table)]
    assert not [title for title in tables if "Earlier" in title]


async def test_outcomes_and_revisions_have_an_end(house: House, agent: Caller) -> None:
    """An agent that reports for ever is told to stop."""
    review = await agent.asked("orders.list")
    path = f"/v1/reviews/{review['id']}/outcome"
    statuses = [(await agent.post(path, {"result": "succeeded"})).status for _ in range(MOST_OUTCOMES + 1)]
    assert statuses == [200] * MOST_OUTCOMES + [409]


async def test_a_stream_ends_with_its_key(house: House, agent: Caller) -> None:
    """Revoking a key ends the streams it opened, at the next event at the latest."""
    review = await agent.asked()
    entered = house.next_waiter()
    reading = asyncio.create_task(agent.get(f"/v1/reviews/{review['id']}/events", Accept="text/event-stream"))
    await entered.wait()
    await house.app.operations.run("agent.revoke", {"name": agent.name})
    await house.press(Verb.COMMENT, review, reason="now")
    answer = await reading
    assert b"review.commented" not in answer.raw


async def test_a_press_must_say_what_it_saw(house: House, agent: Caller) -> None:
    """A vote without a revision would act on whatever stands now."""
    review = await agent.asked()
    identity = Identity(surface="web", id="ana", tenant="signin")
    reply = await house.app.desk.interact(Interaction(verb=Verb.APPROVE, identity=identity, review=review["id"]))
    assert reply.answer == "forbidden"
    assert (await agent.review(review["id"]))["status"] == "pending"


def test_many_choices_at_many_places_are_refused() -> None:
    """An enum is compared member by member: choices times places is what a check may cost."""
    schema = {"type": "object", "additionalProperties": {"enum": [{"n": n} for n in range(100)]}}
    faults = schemas.faults(schema, {f"k{n}": {"n": -1} for n in range(9000)})
    assert "too large" in faults[""]


def test_hiding_looks_up_each_place_once() -> None:
    """Ten thousand places under two thousand pointers: each is masked, and only those."""
    value = {f"k{n}": n for n in range(10_000)}
    shown = redact.masked(value, [f"/k{n}" for n in range(0, 4000, 2)])
    assert [name for name, kept in shown.items() if kept == redact.MASK] == [f"k{n}" for n in range(0, 4000, 2)]
