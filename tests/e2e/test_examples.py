"""The examples, run as they are: an agent killed while it waits, and the short one."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from reviews.keeping import Query
from reviews.model import Verb
from tests.fakes.app import House, running

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


async def start(house: House, example: str, *args: str) -> asyncio.subprocess.Process:
    """An example as a process of its own, with a key."""
    agent = house.callers.get("refund-desk") or await house.agent("refund-desk")
    house.callers["refund-desk"] = agent
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples" / example),
        *args,
        env={**os.environ, "PLACET_URL": house.url, "PLACET_KEY": agent.key},
        stdout=asyncio.subprocess.PIPE,
    )


async def waiting(process: asyncio.subprocess.Process) -> str:
    """The id of the review it says it waits for."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().split()[-1]


async def told(process: asyncio.subprocess.Process) -> str:
    """What it printed to its end."""
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    return out.decode()


async def test_a_langgraph_agent_is_killed_and_goes_on_with_the_edit(tmp_path: Path) -> None:
    """Killed while it waits, started again: the same review, and the person's arguments, redeemed once."""
    async with running(tmp_path) as house:
        checkpoints = str(tmp_path / "checkpoints.sqlite")
        first = await start(house, "langgraph_refund.py", "thread-1", checkpoints)
        review = await waiting(first)
        first.kill()
        await first.wait()
        second = await start(house, "langgraph_refund.py", "thread-1", checkpoints)
        assert await waiting(second) == review, "the same idempotency key finds the same review"
        edit = {"order": "A-4721", "amount": 90.0, "currency": "USD"}
        await house.press(Verb.EDIT, {"id": review, "revision": 1}, arguments=edit)
        assert (await told(second)).startswith("refunded 90.0 for A-4721 (red_")
        kept = await house.callers["refund-desk"].review(review)
        assert (kept["grant"]["state"], kept["decision"]["edited"]) == ("used", True)


async def test_a_langgraph_agent_that_is_refused_pays_nothing(tmp_path: Path) -> None:
    """A rejection reaches the graph as a rejection, with its reason, and nothing is redeemed."""
    async with running(tmp_path) as house:
        agent = await start(house, "langgraph_refund.py", "thread-2", str(tmp_path / "checkpoints.sqlite"))
        review = await waiting(agent)
        await house.press(Verb.REJECT, {"id": review, "revision": 1}, reason="wrong customer")
        assert await told(agent) == "not refunded: rejected (wrong customer)\n"
        assert (await house.callers["refund-desk"].review(review))["grant"] is None


async def test_a_langgraph_agent_that_is_asked_for_changes_withdraws(tmp_path: Path) -> None:
    """It does not spin: the graph ends with what was asked for, and the review is withdrawn."""
    async with running(tmp_path) as house:
        agent = await start(house, "langgraph_refund.py", "thread-3", str(tmp_path / "checkpoints.sqlite"))
        review = await waiting(agent)
        await house.press(Verb.REQUEST_CHANGES, {"id": review, "revision": 1}, reason="half of it")
        assert await told(agent) == "not refunded: changes requested (half of it)\n"
        kept = await house.callers["refund-desk"].review(review)
        assert (kept["status"], kept["grant"]) == ("withdrawn", None)


async def test_the_short_agent_that_is_asked_for_changes_withdraws(tmp_path: Path) -> None:
    """It says what was asked for, withdraws, and does not act."""
    async with running(tmp_path) as house:
        agent = await start(house, "plain_agent.py")
        review = await house.store.until(lambda tx: next(iter(tx.find(Query(limit=1))), None))
        await house.press(Verb.REQUEST_CHANGES, {"id": review.id, "revision": 1}, reason="half of it")
        said = (await told(agent)).splitlines()
        assert said == ["changes requested: half of it", "not acting: withdrawn I have no other proposal."]
        assert (await house.callers["refund-desk"].review(review.id))["status"] == "withdrawn"


@pytest.mark.parametrize(
    ("verb", "words"),
    [(Verb.APPROVE, 'acting on {"order": "A-4721", "amount": 180} with red_'), (Verb.REJECT, "not acting: rejected")],
)
async def test_the_short_agent(tmp_path: Path, verb: Verb, words: str) -> None:
    """It asks, waits, verifies the digest, redeems; and does not act on a no."""
    async with running(tmp_path) as house:
        agent = await start(house, "plain_agent.py")
        review = await house.store.until(lambda tx: next(iter(tx.find(Query(limit=1))), None))
        await house.press(verb, {"id": review.id, "revision": 1})
        assert (await told(agent)).startswith(words)


async def test_the_short_agent_acts_when_an_approval_has_rested(tmp_path: Path) -> None:
    """While a person can still undo it, it is not redeemed; where it is told when to try again, it does."""
    policy = "{policy: rests, version: 1, default: {tier: approve, role: manager, sla: 1h, undo: 1s}}"
    async with running(tmp_path, policy=policy) as house:
        house.callers["refund-desk"] = await house.agent("refund-desk", rate=1, burst=1)
        agent = await start(house, "plain_agent.py")
        review = await house.store.until(lambda tx: next(iter(tx.find(Query(limit=1))), None))
        await house.press(Verb.APPROVE, {"id": review.id, "revision": 1})
        assert (await told(agent)).startswith("acting on")


async def test_the_short_agent_stops_at_what_says_no(tmp_path: Path) -> None:
    """An approval undone while it rested: it says so, and does not act."""
    policy = "{policy: rests, version: 1, default: {tier: approve, role: manager, sla: 1h, undo: 1m}}"
    async with running(tmp_path, policy=policy) as house:
        agent = await start(house, "plain_agent.py")
        review = await house.store.until(lambda tx: next(iter(tx.find(Query(limit=1))), None))
        await house.press(Verb.APPROVE, {"id": review.id, "revision": 1})
        await house.press(Verb.UNDO, {"id": review.id, "revision": 1})
        out, _ = await agent.communicate()
        assert (agent.returncode, out) == (1, b"")
