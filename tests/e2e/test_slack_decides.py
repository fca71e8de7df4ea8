"""Whole ways through Slack of who may decide: a stopped agent, broken glass, undone, appealed, a plan by steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reviews.model import Relation
from tests.e2e.deciding import NOTE, PLAN, POLICY, RIGHTS, STEPS, linked
from tests.e2e.loop import Loop, looped
from tests.fakes.slack_process import Emulator

pytestmark = pytest.mark.node


@pytest.fixture
async def loop(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Loop]:
    """A running Placet with Slack: Ana and Bo are managers with every right, Cy a director above them."""
    people = [{"id": "bo", "roles": ["manager"]}, {"id": "cy", "name": "Cy Okafor", "roles": ["director"]}]
    roles = {"manager": {"level": 2, "may": RIGHTS}, "director": {"level": 3}}
    async with looped(emulator, tmp_path, POLICY, people=people, roles=roles) as running:
        yield running


async def test_a_stopped_agent_waits(loop: Loop) -> None:
    """Stopped from a card, with an instruction: what it asks then is held, automatic or not, until it is resumed."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:more", option="stop")
    assert await loop.submit(form, {"reason": "It refunds twice.", "notes": "Check the ledger first."}) == {}
    told = await loop.told()
    assert (told["type"], told["data"]["instruction"]) == ("agent.stopped", "Check the ledger first.")
    await loop.shows(card["ts"], "It refunds twice")
    note = await loop.ask(**NOTE)
    assert (note["status"], note["held"]) == ("pending", True)
    assert (await loop.told())["type"] == "agent.stopped"
    assert await loop.submit(await loop.form(card["ts"], "placet:more", option="resume"), {}) == {}
    kinds = [(told["type"], told["data"]["id"] == note["id"]) for told in [await loop.told() for _ in range(3)]]
    assert sorted(kinds) == [("agent.resumed", False), ("agent.resumed", True), ("review.decided", True)]
    await loop.shows(card["ts"], "placet:approve", without="It refunds twice")
    assert await loop.press(card["ts"], "placet:approve") == 200
    assert (await loop.told())["data"]["decision"]["verdict"] == "approved"


async def test_two_break_the_glass(loop: Loop) -> None:
    """Ana asks with a reason, Bo observes: approved with a cause of its own, and looked at afterwards by others."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:more", option="break_glass")
    assert await loop.submit(form, {"reason": "The shop is down."}) == {}
    await loop.shows(card["ts"], "The shop is down", without="Approved by")
    form = await loop.form(card["ts"], "placet:more", loop.bo, "break_glass")
    assert await loop.submit(form, {"reason": "Seen."}, loop.bo) == {}
    decision = (await loop.told())["data"]["decision"]
    assert (decision["verdict"], decision["cause"]) == ("approved", "break_glass")
    assert [seat["person"] for seat in decision["by"]] == ["ana", "bo"]
    after = await loop.store.until(lambda tx: linked(tx, review["id"]))
    assert (after.relation, after.excluded) == (Relation.AFTER_GLASS, frozenset({"ana", "bo"}))


async def test_an_approval_rests_before_it_counts(loop: Loop) -> None:
    """A route with `undo`: the agent hears nothing yet and may not act; taken back, it hears that alone."""
    review = await loop.ask(**PLAN)
    card = await loop.card(review["id"])
    assert await loop.press(card["ts"], "placet:approve") == 200
    await loop.shows(card["ts"], "Approved by Ana Ruiz")
    async with loop.agent.post(f"/v1/reviews/{review['id']}/redeem", json={"digest": review["digest"]}) as answer:
        assert answer.status == 423
    assert await loop.submit(await loop.form(card["ts"], "placet:more", option="undo"), {}) == {}
    assert (await loop.told())["type"] == "review.revoked"
    assert await loop.grant(review["id"]) == "revoked"


async def test_a_plan_is_approved_in_part(loop: Loop) -> None:
    """Two of three steps are ticked: a new revision without the third, approved by who chose."""
    review = await loop.ask(**PLAN)
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:edit:form")
    refused = await loop.submit(form, {"/steps/0": [], "/steps/1": [], "/steps/2": []})
    assert refused["response_action"] == "errors"
    assert await loop.submit(form, {"/steps/0": ["true"], "/steps/1": ["true"], "/steps/2": []}) == {}
    await loop.shows(card["ts"], "Approved by Ana Ruiz")
    async with loop.agent.get(f"/v1/reviews/{review['id']}") as answer:
        body = await answer.json()
    assert (body["revision"], body["decision"]["action"]["arguments"]["steps"]) == (2, STEPS[:2])


async def test_a_rejection_is_appealed(loop: Loop) -> None:
    """Bo holds Ana's rejection to be wrong: who is above both looks again, and the first verdict stands as it was."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    form = await loop.form(card["ts"], "placet:reject:form")
    assert await loop.submit(form, {"reason": "No."}) == {}
    assert (await loop.told())["data"]["decision"]["verdict"] == "rejected"
    await loop.shows(card["ts"], "Rejected by Ana Ruiz")
    form = await loop.form(card["ts"], "placet:more", loop.bo, "appeal")
    assert await loop.submit(form, {"reason": "The parcel is lost."}, loop.bo) == {}
    told = await loop.told()
    again = await loop.store.until(lambda tx: linked(tx, review["id"]))
    assert (told["type"], told["data"]["appeal"]) == ("review.appealed", again.id)
    assert (again.relation, again.excluded >= {"ana"}) == (Relation.APPEAL, True)
    assert [need.level for need in again.route.needs] == [3]
    first = await loop.store.view(lambda tx: tx.read(review["id"]))
    assert first is not None
    assert first.status == "rejected"
