"""Sandbox keys: scripted answers by everybody's lifecycle, for the CI of agent builders."""

from __future__ import annotations

import pytest

from bot.keys import SANDBOX_ANSWERS
from tests.fakes.app import House


@pytest.mark.parametrize("answer", SANDBOX_ANSWERS)
async def test_a_sandbox_key_gets_its_scripted_answer(house: House, answer: str) -> None:
    """By the same lifecycle, marked as sandbox, and never seen by people."""
    agent = await house.agent(f"ci-{answer}", sandbox=answer)
    review = await agent.asked()
    expected = {"approve": "approved", "edit": "approved", "reject": "rejected", "changes": "changes_requested"}
    assert (review["status"], review["sandbox"]) == (expected.get(answer, "pending"), True)
    assert (review["decision"] or {}).get("edited", False) is (answer == "edit")
    if review["status"] == "approved":
        assert (await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})).status == 200
    if answer == "changes":
        again = await agent.post(f"/v1/reviews/{review['id']}/revisions", {"action": {"arguments": {"n": 2}}})
        assert (again.status, again.body["status"]) == (201, "approved")
    inbox = (await (await house.person("ana")).get("/v1/inbox")).body["items"]
    assert inbox == []


async def test_a_sandbox_key_asks_no_policy(house: House) -> None:
    """What a real policy would deny is approved by the script, under its own name: it proves nothing about policies."""
    review = await (await house.agent("ci", sandbox="approve")).asked("database.drop")
    assert (review["status"], review["policy"], review["decision"]["by"][0]["person"]) == (
        "approved",
        "sandbox@1",
        "sandbox",
    )
