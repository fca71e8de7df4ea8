"""Whole ways through Teams of who may decide: a stopped agent, broken glass, undone, appealed, a plan by steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reviews.model import Relation
from tests.e2e.deciding import NOTE, PLAN, POLICY, RIGHTS, STEPS, linked
from tests.e2e.teams_loop import Json, TeamsLoop, person, posted, section, shows, teams_loop
from tests.fakes.teams import CHANNEL, TEAMS_ANA, TEAMS_BO, Teams

pytestmark = pytest.mark.slow
PEOPLE: Json = {
    "roles": {
        "manager": {"level": 2, "channels": {"teams": CHANNEL}, "may": RIGHTS},
        "director": {"level": 3},
    },
    "people": [
        person("Ana Ruiz", ["manager"], teams=TEAMS_ANA),
        person("Bo Chen", ["manager"], teams=TEAMS_BO),
        person("Cy Okafor", ["director"], prefers="web"),
    ],
}


@pytest.fixture
async def loop(teams: Teams, tmp_path: Path) -> AsyncIterator[TeamsLoop]:
    """A running Placet with it: Ana and Bo are managers with every right, Cy a director above them."""
    async with teams_loop(tmp_path, POLICY, PEOPLE | section(teams)) as running:
        teams.endpoint = running.endpoint
        yield running


async def test_a_stopped_agent_waits(teams: Teams, loop: TeamsLoop) -> None:
    """Stopped from a card, with an instruction: what it asks then is held, automatic or not, until it is resumed."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    await teams.press(card, "stop", TEAMS_ANA, {"reason": "It refunds twice.", "notes": "Check the ledger first."})
    told = await loop.told()
    assert (told["type"], told["data"]["instruction"]) == ("agent.stopped", "Check the ledger first.")
    await shows(teams, card, "It refunds twice")
    note = await loop.ask(**NOTE)
    assert (note["status"], note["held"]) == ("pending", True)
    assert (await loop.told())["type"] == "agent.stopped"
    await teams.press(card, "resume", TEAMS_ANA)
    kinds = [(told["type"], told["data"]["id"] == note["id"]) for told in [await loop.told() for _ in range(3)]]
    assert sorted(kinds) == [("agent.resumed", False), ("agent.resumed", True), ("review.decided", True)]
    await teams.until(lambda: "placet/approve" in str(card.card))
    await teams.press(card, "approve", TEAMS_ANA)
    assert (await loop.decided())["verdict"] == "approved"


async def test_two_break_the_glass(teams: Teams, loop: TeamsLoop) -> None:
    """Ana asks with a reason, Bo observes: approved with a cause of its own, and looked at afterwards by others."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    await teams.press(card, "break_glass", TEAMS_ANA, {"reason": "The shop is down."})
    await teams.until(lambda: "The shop is down" in card.seen)
    assert (await loop.read(review["id"]))["status"] == "pending"
    await teams.press(card, "break_glass", TEAMS_BO, {"reason": "Seen."})
    decision = await loop.decided()
    assert (decision["verdict"], decision["cause"]) == ("approved", "break_glass")
    assert [seat["person"] for seat in decision["by"]] == ["ana", "bo"]
    after = await loop.until(lambda tx: linked(tx, review["id"]))
    assert (after.relation, after.excluded) == (Relation.AFTER_GLASS, frozenset({"ana", "bo"}))


async def test_an_approval_rests_before_it_counts(teams: Teams, loop: TeamsLoop) -> None:
    """A route with `undo`: taken back in time, the agent hears that alone."""
    review = await loop.ask(**PLAN)
    card = await posted(teams, loop, review)
    await teams.press(card, "approve", TEAMS_ANA)
    await shows(teams, card, "Approved by Ana Ruiz")
    await teams.press(card, "undo", TEAMS_ANA)
    assert (await loop.told())["type"] == "review.revoked"
    assert (await loop.read(review["id"]))["grant"]["state"] == "revoked"


async def test_a_plan_is_approved_in_part(teams: Teams, loop: TeamsLoop) -> None:
    """Two of three steps are ticked: a new revision without the third, approved by who chose."""
    review = await loop.ask(**PLAN)
    card = await posted(teams, loop, review)
    none = {"/steps/0": "false", "/steps/1": "false", "/steps/2": "false"}
    await teams.press(card, "edit", TEAMS_ANA, none)
    assert (await loop.read(review["id"]))["revision"] == 1
    await teams.press(card, "edit", TEAMS_ANA, none | {"/steps/0": "true", "/steps/1": "true"})
    await shows(teams, card, "Approved by Ana Ruiz")
    body = await loop.read(review["id"])
    assert (body["revision"], body["decision"]["action"]["arguments"]["steps"]) == (2, STEPS[:2])


async def test_a_rejection_is_appealed(teams: Teams, loop: TeamsLoop) -> None:
    """Bo holds Ana's rejection to be wrong: who is above both looks again, and the first verdict stands as it was."""
    review = await loop.ask()
    card = await posted(teams, loop, review)
    await teams.press(card, "reject", TEAMS_ANA, {"reason": "No."})
    assert (await loop.decided())["verdict"] == "rejected"
    await shows(teams, card, "Rejected by Ana Ruiz")
    await teams.press(card, "appeal", TEAMS_BO, {"reason": "The parcel is lost."})
    told = await loop.told()
    again = await loop.until(lambda tx: linked(tx, review["id"]))
    assert (told["type"], told["data"]["appeal"]) == ("review.appealed", again.id)
    assert (again.relation, [need.level for need in again.route.needs]) == (Relation.APPEAL, [3])
    assert (await loop.read(review["id"]))["status"] == "rejected"
