"""Chains as they are written, on a running installation: turns, reminders, repeats, and what silence comes to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reviews.keeping import Tx
from reviews.model import Object, Verb
from tests.e2e.watch import Watch
from tests.fakes.app import running
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
POLICY = """policy: chains
version: 1
actions: {turns: {risk: high}, hands: {risk: high}, again: {risk: high}}
chains:
  turns:
    - {after: 0m, notify: channel:role}
    - {after: 1h, then: expire}
  hands:
    - {after: 0m, notify: channel:role, remind: 4m}
    - {after: 10m, then: human_only, hold_max: 1h}
  again:
    repeat: {times: 1, every: 10m}
    rungs:
      - {after: 0m, notify: 'person:sue'}
      - {after: 30m, then: fallback-role, role: lead, hold_max: 1h}
rules:
  - {name: one after the other, when: action.name == "turns",
     route: {tier: dual, needs: [{role: security}, {role: lead}], order: sequence, chain: turns}}
  - {name: by hand at last, when: action.name == "hands", route: {tier: approve, role: security, chain: hands}}
default: {tier: approve, role: security, chain: again}
"""
CONFIG: dict[str, Any] = {
    "people": [
        {"id": "sue", "name": "Sue Haas", "roles": ["security"], "identities": {"slack": "U-SUE"}},
        {"id": "lee", "name": "Lee Voss", "roles": ["lead"], "identities": {"slack": "U-LEE"}},
    ],
    "roles": {
        "security": {"level": 1, "channels": {"slack": "C-SECURITY"}},
        "lead": {"level": 2, "channels": {"slack": "C-LEADS"}},
    },
    "slack": {},
}


@dataclass(slots=True, kw_only=True)
class Chains(Watch):
    """Asked what has happened."""

    async def kinds(self, review: Object, *wanted: str) -> list[str]:
        """What has happened, once these kinds are in it, each so often, and every copy shows it."""

        def look(tx: Tx) -> list[str]:
            found = [entry.kind for entry in tx.log(review=review["id"])]
            drawn = all(copy.shown >= copy.wanted for copy in tx.copies(review["id"]))
            return found if drawn and all(found.count(kind) >= wanted.count(kind) for kind in wanted) else []

        return await self.house.store.until(look)


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Chains]:
    """A running installation."""
    chat, clock = FakeChat(), FakeClock(NOON)
    async with running(tmp_path, policy=POLICY, clock=clock, config=CONFIG, adapters={"slack": chat}) as house:
        yield Chains(house=house, agent=await house.agent("bot"), chat=chat, clock=clock)


async def test_each_role_is_called_in_its_turn(watch: Chains) -> None:
    """The second role's channel has no card before the first has approved, and then has one."""
    review = await watch.agent.asked({"name": "turns", "arguments": {}})
    await watch.kinds(review, "copy.posted")
    assert watch.places() == ["C-SECURITY"]
    early = await watch.house.press(Verb.APPROVE, review, "lee")
    assert (early.kind, "not your turn: security comes now" in early.text) == ("bad", True)
    assert (await watch.house.press(Verb.APPROVE, review, "sue")).kind == "good"
    await watch.kinds(review, "copy.posted", "copy.posted")
    assert watch.places() == ["C-SECURITY", "C-LEADS"]
    assert (await watch.house.press(Verb.APPROVE, review, "lee")).kind == "good"
    assert (await watch.agent.review(review["id"]))["status"] == "approved"


async def test_silence_reminds_and_then_leaves_it_to_be_done_by_hand(watch: Chains) -> None:
    """Reminders lie beneath the one card; from the tenth minute on nobody approves, and somebody answers."""
    review = await watch.agent.asked({"name": "hands", "arguments": {}})
    await watch.kinds(review, "copy.posted")
    watch.after(minutes=4)
    await watch.kinds(review, "review.reminded")
    watch.after(minutes=4)
    await watch.kinds(review, "review.reminded", "review.reminded")
    # No alarm rings: the vote itself comes too late.
    watch.clock.forward(timedelta(minutes=2))
    late = await watch.house.press(Verb.APPROVE, review, "sue")
    assert (late.kind, "a person must do it now" in late.text) == ("bad", True)
    done = await watch.house.press(Verb.ANSWER, review, "sue", arguments={"done": "by hand"})
    assert done.kind == "good", done.text
    body = await watch.agent.review(review["id"])
    assert (body["status"], body["decision"]["answer"]) == ("answered", {"done": "by hand"})
    assert watch.places() == ["C-SECURITY"]
    told = [text for _, text in watch.chat.notes if text.startswith("Still waiting for security")]
    assert told == ["Still waiting for security; until 13:00 UTC"] * len(told)
    assert len(told) >= 1


async def test_a_chain_runs_again_and_falls_back(watch: Chains) -> None:
    """Sue twice, then the leads, who may decide it by being called; nobody does, so it expires in the end."""
    review = await watch.agent.asked({"name": "again", "arguments": {}})
    await watch.kinds(review, "copy.posted")
    watch.after(minutes=10)
    await watch.kinds(review, "review.escalated", "copy.posted", "copy.posted")
    assert watch.places() == ["U-SUE", "U-SUE"]
    refused = await watch.house.press(Verb.APPROVE, review, "lee")
    assert (refused.kind, "This needs security" in refused.text) == ("bad", True)
    watch.after(minutes=20)
    await watch.kinds(review, *["review.escalated"] * 2, *["copy.posted"] * 3)
    assert watch.places()[2:] == ["C-LEADS"]
    watch.after(minutes=30)
    assert "review.expired" in await watch.kinds(review, "review.expired")
    assert (await watch.agent.review(review["id"]))["status"] == "expired"
