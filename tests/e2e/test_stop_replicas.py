"""An agent stopped on one of two servers on one PostgreSQL: nothing it asks of the other slips past."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from reviews.keeping import Query
from tests.fakes.app import PATIENCE, Caller, House, running
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.slow
WHY = "It pays twice."


class Two:
    """Two houses on one database, `url`, and an agent known to both."""

    def __init__(self, url: str, one: House, two: House, agent: Caller) -> None:
        self.url, self.one, self.two = url, one, two
        self.here, self.there = agent, Caller(two, agent.name, agent.key, agent.secret)


@pytest.fixture
async def both(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Two]:
    """Both up."""
    async with AsyncExitStack() as stack:
        url = await asyncio.to_thread(postgres.database)
        houses = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            houses.append(await stack.enter_async_context(running(tmp_path / name, store=url)))
        agent = await houses[0].agent()
        await houses[1].app.keyring.load()
        yield Two(url, houses[0], houses[1], agent)


async def _redeem(agent: Caller, review: Any) -> int:
    answer = await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})
    return answer.status


async def test_asking_waits_for_a_stop_under_way(both: Two) -> None:
    """A stop not committed yet is waited for, not read past: what policy would let through comes back held."""
    conn = await asyncpg.connect(both.url)
    try:
        async with conn.transaction():
            kept = json.loads(await conn.fetchval("SELECT body FROM agents WHERE name = $1 FOR UPDATE", "refund-desk"))
            kept["stop"] = {"by": "ana", "at": kept["created_at"], "reason": WHY, "instruction": None}
            await conn.execute("UPDATE agents SET body = $1 WHERE name = $2", json.dumps(kept), "refund-desk")
            asking = asyncio.create_task(both.there.ask("orders.list"))
            await _one_waits(both.url)
            assert not asking.done()
        answer = await asking
    finally:
        await conn.close()
    assert (answer.status, answer.body["status"], answer.body["held"]) == (201, "pending", True)


async def _one_waits(url: str) -> None:
    """Once somebody waits for a lock of another's."""
    conn = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass
    finally:
        await conn.close()


async def test_of_many_asked_of_both_none_slips_past(both: Two) -> None:
    """Sixty are asked of two servers while one stops the agent: when it says so, all of them are held for good."""
    asking = [asyncio.create_task(agent.ask("orders.list")) for _ in range(30) for agent in (both.here, both.there)]
    stopping = asyncio.create_task(both.one.app.stopping.stop("refund-desk", None, WHY))
    done = await stopping
    assert done.stop is not None
    late = [await both.there.asked("orders.list") for _ in range(3)]
    assert all(review["held"] for review in late)
    answers = await asyncio.gather(*asking)
    assert {answer.status for answer in answers} == {201}
    free = await both.two.store.view(lambda tx: tx.count(Query(agent="refund-desk", live=True, held=False)))
    assert free == 0
    reviews = [answer.body for answer in answers] + late
    assert {await _redeem(both.there, review) for review in reviews} <= {409, 423}


async def test_two_people_stop_it_at_once_and_one_was_first(both: Two) -> None:
    """Both are answered with the same stop; a resume on the other server ends it for both."""
    first, second = await asyncio.gather(
        both.one.app.stopping.stop("refund-desk", None, "One."), both.two.app.stopping.stop("refund-desk", None, "Two.")
    )
    assert sorted([first.new, second.new]) == [False, True]
    assert first.stop == second.stop
    assert (await both.two.app.stopping.resume("refund-desk", None)).new
    assert (await both.here.asked("orders.list"))["status"] == "approved"
