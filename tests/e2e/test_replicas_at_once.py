"""Two servers on one PostgreSQL keep something at the same moment: nothing is lost, nothing is done twice.

What each keeps is held up until both have read what was there before: then whoever reads without waiting for the other
writes over what the other wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from bot.keys import desk
from bot.reloading import Settings, _record
from bot.service import Refused
from bot.workload import Workload
from policies.load import load_text
from reviews.keeping import Delivery, Query
from reviews.model import Object, Person, Review, Status, Verb
from tests.fakes.app import CONFIG, PATIENCE, POLICY, Caller, House, running
from tests.fakes.chat import FakeChat
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.slow
T = TypeVar("T")
SPREAD = """
policy: spread
version: 1
chains:
  room: [{after: 0m, notify: channel:role}, {after: 1h, then: expire}]
default: {tier: approve, role: manager, chain: room, assign: one}
"""
NEWER = POLICY.replace("version: 1", "version: 2").replace("{tier: auto}", "{tier: approve, role: clerk}")
OTHER = NEWER.replace("version: 2", "version: 3")
TOLD: Object = {
    "slack": {},
    "roles": {
        "manager": {"level": 2, "may": ["policy", "stop"]},
        "clerk": {"level": 1, "channels": {"slack": "C1"}, "alert": {"deep": 1}},
    },
    "people": [
        {**person, "identities": {"slack": f"U{number}"}, "prefers": "slack"}
        for number, person in enumerate(CONFIG["people"])
    ],
}


class Two:
    """Two houses on one database, `url`, and an agent known to both."""

    def __init__(self, url: str, one: House, two: House, agent: Caller) -> None:
        self._url, self.one, self.two = url, one, two
        self.here, self.there = agent, Caller(two, agent.name, agent.key, agent.secret)

    async def at_once(self, *work: Awaitable[T]) -> list[T]:
        """What comes of the work, where nothing on the shelf of references changes before two have come to wait."""
        conn = await asyncpg.connect(self._url)
        try:
            async with asyncio.timeout(PATIENCE), conn.transaction():
                await conn.execute("LOCK TABLE surface_references IN SHARE MODE")
                done = asyncio.gather(*work)
                while not done.done() and await _waiting(self._url) < 2:
                    pass
            return await done
        finally:
            await conn.close()

    async def kept(self, review: str) -> Review:
        """A review as it stands."""
        found = await self.one.store.view(lambda tx: tx.read(review))
        assert found is not None
        return found


async def _waiting(url: str) -> int:
    """How many wait for a lock of another's."""
    conn = await asyncpg.connect(url)
    try:
        return int(await conn.fetchval("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"))
    finally:
        await conn.close()


@asynccontextmanager
async def both(postgres: Postgres, folder: Path, *, agent: Mapping[str, Any] | None = None, **given: Any) -> Any:
    """Both up."""
    async with AsyncExitStack() as stack:
        url = await asyncio.to_thread(postgres.database)
        houses = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            houses.append(await stack.enter_async_context(running(folder / name, store=url, **given)))
        made = await houses[0].agent(**agent or {})
        await houses[1].app.keyring.load()
        yield Two(url, *houses, made)


@pytest.fixture
async def guarded(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Two]:
    """Where people approve changes of the policy, and are told of them."""
    config = {"policy_changes": "reviewed", **TOLD}
    async with both(postgres, tmp_path, config=config, adapters={"slack": FakeChat()}) as two:
        yield two


def person(house: House, name: str) -> Person:
    """Somebody of the configuration."""
    found = house.app.directory.person(name)
    assert found is not None
    return found


async def test_two_people_say_at_once_that_they_are_away(postgres: Postgres, tmp_path: Path) -> None:
    """Both are, on both servers, and of both it is known when they said so."""
    async with both(postgres, tmp_path) as two:
        await two.at_once(
            two.one.app.desk.command(person(two.one, "ana"), "away 2h", surface="web"),
            two.two.app.desk.command(person(two.two, "bo"), "away 3h", surface="web"),
        )
        for house in (two.one, two.two):
            await house.app.absences.load()
            assert set(house.app.absences.of(house.app.clock.now())) == {"ana", "bo"}
            assert house.app.absences.said("ana") is not None
            assert house.app.absences.said("bo") is not None


async def test_what_is_asked_of_both_at_once_goes_to_two_people(postgres: Postgres, tmp_path: Path) -> None:
    """Whose turn it is the second server learns from the first."""
    async with both(postgres, tmp_path, policy=SPREAD) as two:
        for _ in range(2):
            asked = await two.at_once(two.here.asked(), two.there.asked())
            given = {(await two.kept(review["id"])).assigned for review in asked}
            assert given == {("ana",), ("bo",)}


async def propose(house: House, text: str) -> Any:
    """Propose a text."""
    return await house.app.operations.run("policy.apply", {"text": text, "by": None})


async def test_two_changes_proposed_at_once_leave_one_to_decide(guarded: Two) -> None:
    """Nobody is asked to approve what would never be used: one is withdrawn, and the other can be put in force."""
    await guarded.at_once(propose(guarded.one, NEWER), propose(guarded.two, OTHER))
    found = await guarded.one.store.view(lambda tx: tx.find(Query(action="policy.change")))
    assert sorted(str(review.status) for review in found) == ["pending", "withdrawn"]
    (left,) = [review for review in found if review.status is Status.PENDING]
    await _approve(guarded, left)
    for house in (guarded.one, guarded.two):
        await house.app.reload(force=False)
        assert house.app.router.policy.sha256 == left.request.action.arguments["sha256"]


async def test_the_same_change_proposed_at_once_is_one_review(guarded: Two) -> None:
    """Both are told the same one, and it waits."""
    first, second = await guarded.at_once(propose(guarded.one, NEWER), propose(guarded.two, NEWER))
    assert first["review"] == second["review"]
    assert (await guarded.kept(first["review"])).status is Status.PENDING
    assert await guarded.one.store.view(lambda tx: tx.count(Query(action="policy.change", open_only=True))) == 1


async def test_what_was_approved_is_put_in_force_once(guarded: Two) -> None:
    """Both servers find it approved, and used by one that died then: one entry in the log, and people are told once."""
    review = await guarded.kept((await propose(guarded.one, NEWER))["review"])

    async def used_then_looked_at() -> None:
        await _approve(guarded, review)
        with suppress(Refused):  # the server's own look was first
            await guarded.one.app.service.redeem(desk(), review.id, review.proposal.digest, None)
        await asyncio.gather(guarded.one.app.reload(force=False), guarded.two.app.reload(force=False))

    await guarded.at_once(used_then_looked_at())
    for house in (guarded.one, guarded.two):
        await house.app.reload(force=False)
        assert house.app.router.policy.version == 2
    log = await guarded.one.store.view(lambda tx: tx.log(limit=1000))
    assert [entry.kind for entry in log].count("policy.applied") == 1
    assert await _told(guarded.one, "The policy was changed") == 1


async def _approve(two: Two, review: Review) -> None:
    """By two people, one at each server."""
    pressed = {"id": review.id, "revision": 1}
    for house, name in ((two.one, "ana"), (two.two, "bo")):
        assert (await house.press(Verb.APPROVE, pressed, name)).answer == "done"


async def _told(house: House, title: str) -> int:
    """How many bulletins of a title went to Ana or the clerks."""
    since = house.app.clock.now() - timedelta(hours=1)
    places = house.app.directory.channels("clerk")
    said = await house.store.view(lambda tx: tx.notices("ana", places, since, 100))
    return [bulletin.title for bulletin in said].count(title)


async def test_the_load_is_told_once(postgres: Postgres, tmp_path: Path) -> None:
    """A queue too deep and a message given up, seen by both servers at once."""
    async with both(postgres, tmp_path, config=TOLD, adapters={"slack": FakeChat()}) as two:
        for agent in (two.here, two.there):
            await agent.asked("coupon.send")
        given_up = await two.here.asked()
        at = two.one.app.clock.now()
        dead = Delivery(
            id="msg_1", review=given_up["id"], agent=two.here.name, message="review.decided",
            url="http://127.0.0.1:9/", body=b"{}", state="dead", due_at=at, created_at=at,
        )  # fmt: skip
        await two.one.store.tx(lambda tx: tx.add_delivery(dead))
        looks = [Workload(house.store, house.app.people, house.app.clock, str) for house in (two.one, two.two)]
        await two.at_once(*(look.look() for look in looks))
        assert await _told(two.one, "The queue of clerk needs people") == 1
        assert await _told(two.one, "refund-desk is not told") == 1


async def test_what_an_agent_has_open_is_counted_on_both(postgres: Postgres, tmp_path: Path) -> None:
    """Full is full, whichever server is asked, and room made at one is room at the other."""
    async with both(postgres, tmp_path, agent={"max_open": 3}) as two:
        first = await two.here.asked()
        await two.there.asked()
        await two.here.asked()
        assert [(await agent.ask()).status for agent in (two.there, two.here)] == [429, 429]
        assert (await two.here.post(f"/v1/reviews/{first['id']}/withdraw", {})).status == 200
        assert (await two.there.ask()).status == 201
        assert (await two.here.ask()).status == 429


async def test_what_both_load_is_recorded_once(postgres: Postgres, tmp_path: Path) -> None:
    """A policy that was in force before, and a configuration: one entry each, whichever server was first."""
    async with both(postgres, tmp_path) as two:
        houses = (two.one, two.two)
        old, new = (load_text(text, name="policy", known=two.one.app.directory.known) for text in (POLICY, NEWER))
        await two.one.app.rules.keep(two.one.store, new)
        await two.at_once(*(house.app.rules.keep(house.store, old) for house in houses))
        fresh = Settings(config=two.one.app.config, sha256="f" * 64, waits=())
        await two.at_once(*(_record(house.store, fresh) for house in houses))
        kinds = [entry.kind for entry in await two.one.store.view(lambda tx: tx.log(limit=1000))]
        assert kinds.count("policy.loaded") == 3
        assert kinds.count("config.loaded") == 1
