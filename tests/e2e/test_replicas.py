"""Two processes' worth of Placet on one PostgreSQL: they share the work and tell each other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from reviews.model import Verb
from tests.fakes.app import Caller, House, running
from tests.fakes.postgres import Postgres
from tests.fakes.receiver import Receiver, receiving

pytestmark = pytest.mark.slow
POLICY = """
policy: replicas
version: 1
chains:
  quick:
    - {after: 0m, notify: channel:role}
    - {after: 1s, notify: person:bo}
    - {after: 3s, then: expire}
rules: []
default: {tier: approve, role: manager, chain: quick}
"""


class Pair:
    """Two houses on one database."""

    def __init__(self, one: House, two: House, agent: Caller, receiver: Receiver) -> None:
        self.one, self.two, self.agent, self.receiver = one, two, agent, receiver
        self.agent_at_two = Caller(two, agent.name, agent.key, agent.secret)


@pytest.fixture
async def pair(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Pair]:
    """Both up, and one agent known to both."""
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving())
        config = {"callbacks": {"allow": [receiver.address]}}
        url = await asyncio.to_thread(postgres.database)
        houses = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            house = running(tmp_path / name, policy=POLICY, store=url, config=config)
            houses.append(await stack.enter_async_context(house))
        agent = await houses[0].agent()
        await houses[1].app.keyring.load()
        yield Pair(*houses, agent, receiver)


async def test_asked_at_one_decided_at_the_other(pair: Pair) -> None:
    """The agent waits at the second process and is answered when a person presses at the first."""
    review = await pair.agent.asked(callback_url=pair.receiver.url())
    entered = pair.two.next_waiter()
    waiting = asyncio.create_task(pair.agent_at_two.get(f"/v1/reviews/{review['id']}?wait=20"))
    await entered.wait()
    await pair.one.press(Verb.APPROVE, review)
    assert (await waiting).body["status"] == "approved"
    assert (await pair.receiver.next()).headers["webhook-id"].endswith("_decided")


async def test_a_race_of_two_processes_has_one_winner(pair: Pair) -> None:
    """Approve here and reject there at once: one stands, the other is told, the agent hears one decision."""
    review = await pair.agent.asked(callback_url=pair.receiver.url())
    replies = await asyncio.gather(
        pair.one.press(Verb.APPROVE, review, "ana"), pair.two.press(Verb.REJECT, review, "bo")
    )
    answers = Counter(reply.answer for reply in replies)
    assert answers == Counter(done=1, refused=1)
    call = await pair.receiver.next()
    assert call.headers["webhook-id"].endswith("_decided")


async def test_alarms_are_shared_and_none_rings_twice(pair: Pair) -> None:
    """Twelve reviews fall silent under two clocks: each rung once, each review expires once."""
    asked = [(await pair.agent.asked())["id"] for _ in range(12)]
    for review in asked:
        assert (await pair.agent.get(f"/v1/reviews/{review}?wait=20")).body["status"] == "expired"
        log = await pair.one.store.view(lambda tx, review=review: tx.log(review=review))
        kinds = Counter(entry.kind for entry in log)
        assert (kinds["review.called"], kinds["review.escalated"], kinds["review.expired"]) == (1, 1, 1)
