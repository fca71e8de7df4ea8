"""What is filled in on a card, through the running house: steps of a plan, a task handed over, an appeal, a stop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.taking import take
from reviews import filled
from reviews.card import Callout
from reviews.events import Interaction, Reply
from reviews.model import Identity, Object, Person, Verb
from tests.fakes.app import Caller, House, running

POLICY = """
policy: filled
version: 1
default: {tier: approve, role: manager, sla: 1h}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 1, "may": ["stop"]}, "lead": {"level": 2, "may": ["appeal"]}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]},
        {"id": "bo", "name": "Bo Chen", "roles": ["manager"]},
        {"id": "di", "name": "Di Moreau", "roles": ["lead"]},
        {"id": "el", "name": "El Novak", "roles": ["lead"]},
    ],
}
STEPS = ["Drain web-7", {"do": "stop", "host": "web-7"}, "Delete its disk"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running Placet."""
    async with running(tmp_path, policy=POLICY, config=CONFIG) as made:
        yield made


@pytest.fixture
async def agent(house: House) -> Caller:
    """An agent of nobody's."""
    return await house.agent("refund-agent")


async def fill(house: House, review: str, verb: Verb, who: str = "ana", **typed: str) -> Reply:
    """Open the form of a control as a surface does, change some fields, send it."""
    identity = Identity(surface="web", id=who)
    person = await house.app.desk.who(identity)
    assert isinstance(person, Person)
    card = await house.app.desk.read(review, person, surface="web")
    control = filled.control(card, verb)
    assert control is not None, f"{verb} is not on the card: {card.status}"
    fields = control.form.fields if control.form is not None else ()
    values = {field.name: field.value for field in fields}
    values |= {name.replace("__", "/"): text for name, text in typed.items()}
    pressed = Interaction(verb=verb, identity=identity, review=review, revision=card.revision, shown=card.digest)
    return await take(house.app.desk, pressed, values)


async def a_plan(agent: Caller) -> str:
    """A plan of three steps."""
    made = await agent.asked({"name": "plan.run", "arguments": {"steps": STEPS}}, review_type="plan")
    return str(made["id"])


async def test_some_steps_of_a_plan_are_approved(house: House, agent: Caller) -> None:
    """A new revision without the others, which the agent is handed with the decision."""
    plan = await a_plan(agent)
    reply = await fill(house, plan, Verb.EDIT, __steps__2="false")
    assert reply.kind == "good", reply
    found = await agent.review(plan)
    assert (found["status"], found["revision"]) == ("approved", 2)
    assert found["request"]["action"]["arguments"] == {"steps": STEPS[:2]}


async def test_all_steps_of_a_plan_are_its_approval(house: House, agent: Caller) -> None:
    """Of the digest that was proposed."""
    plan = await a_plan(agent)
    before = await agent.review(plan)
    assert (await fill(house, plan, Verb.EDIT)).kind == "good"
    found = await agent.review(plan)
    assert (found["status"], found["revision"], found["digest"]) == ("approved", 1, before["digest"])


async def test_no_step_of_a_plan_is_no_answer(house: House, agent: Caller) -> None:
    """It is said at the first field, and nothing is decided."""
    plan = await a_plan(agent)
    reply = await fill(house, plan, Verb.EDIT, __steps__0="false", __steps__1="false", __steps__2="false")
    assert reply.errors == {"/steps/0": "Tick at least one step, or reject the plan."}
    assert (await agent.review(plan))["status"] == "pending"


async def test_a_task_handed_over_gives_back_what_was_done(house: House, agent: Caller) -> None:
    """The first control of its card; the agent reads it in the decision."""
    task = str((await agent.asked("order.trace", review_type="handoff"))["id"])
    assert (await fill(house, task, Verb.ANSWER, notes="Called the carrier: it is in Lyon")).kind == "good"
    found = await agent.review(task)
    assert found["status"] == "answered"
    assert found["decision"]["answer"] == {"done": "Called the carrier: it is in Lyon"}


async def test_an_agent_is_stopped_and_resumed_from_a_card(house: House, agent: Caller) -> None:
    """By its form, with an instruction that the held card shows; and it goes on from there."""
    review = str((await agent.asked())["id"])
    stopped = await fill(house, review, Verb.STOP, reason="It repeats itself", notes="Ask once")
    assert stopped.kind == "good", stopped
    await house.app.stopping.look()
    found = await agent.review(review)
    assert (found["held"], found["instruction"]) == (True, "Ask once")
    assert (await fill(house, review, Verb.RESUME)).kind == "good"
    await house.app.stopping.look()
    assert (await agent.review(review))["held"] is False


async def test_a_rejection_is_appealed_from_its_card(house: House, agent: Caller) -> None:
    """By who may; the card then leads to the review of its own, whose card says what it is about."""
    review = str((await agent.asked())["id"])
    assert (await fill(house, review, Verb.REJECT, reason="In use")).kind == "good"
    reply = await fill(house, review, Verb.APPEAL, "di", reason="It was drained")
    assert reply.kind == "good", reply
    assert reply.review is not None
    assert reply.review.appeal is not None
    el = await house.app.desk.who(Identity(surface="web", id="el"))
    assert isinstance(el, Person)
    card = await house.app.desk.read(reply.review.appeal, el, surface="web")
    said = next(block.text for block in card.blocks if isinstance(block, Callout))
    assert "was rejected by Ana Ruiz" in said
    assert "“In use”. Di Moreau appeals: “It was drained”." in said
    assert filled.control(card, Verb.APPROVE) is not None
