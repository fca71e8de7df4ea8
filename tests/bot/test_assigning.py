"""Who is given a review: the fewest open first, then whose turn was longest ago."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.assigning import assigning
from reviews.keeping import Store, Tx
from reviews.model import Review
from reviews.ports import QueueFilter
from storage.engine import open_store
from tests.fakes.app import running
from tests.fakes.builders import a_review
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    """An empty one."""
    return open_store("memory://", FakeClock(NOW))


def given(tx: Tx, person: str) -> Review:
    """A review that was given to somebody."""
    return tx.open(dataclasses.replace(a_review(), assigned=(person,)), (), key=None, fingerprint="")


async def test_turns_go_round_where_all_have_the_same(store: Store) -> None:
    """In the order of the list at first, then whoever had one longest ago."""

    def four(tx: Tx) -> list[str | None]:
        one_of = assigning(tx)
        return [one_of("manager", ["ana", "bo", "cy"]) for _ in range(4)]

    assert await store.tx(four) == ["ana", "bo", "cy", "ana"]


async def test_each_role_has_turns_of_its_own(store: Store) -> None:
    """Being given one as manager is no turn as clerk."""

    def both(tx: Tx) -> list[str | None]:
        return [assigning(tx)(role, ["ana", "bo"]) for role in ("manager", "clerk", "manager")]

    assert await store.tx(both) == ["ana", "ana", "bo"]


async def test_whoever_has_fewest_open_comes_first(store: Store) -> None:
    """Also where it is not their turn; a review they were called to counts like one they were given."""

    def load(tx: Tx) -> str | None:
        given(tx, "ana")
        tx.open(dataclasses.replace(a_review(), called={"bo": "person:bo"}), (), key=None, fingerprint="")
        return assigning(tx)("manager", ["ana", "bo", "cy"])

    assert await store.tx(load) == "cy"
    assert await store.tx(lambda tx: assigning(tx)("manager", ["ana", "bo"])) == "ana"


async def test_of_nobody_nobody_is_chosen(store: Store) -> None:
    """And nothing is kept."""
    assert await store.tx(lambda tx: assigning(tx)("manager", [])) is None
    assert await store.view(lambda tx: tx.reference("assign", "manager")) is None


async def test_turns_outlive_a_transaction(store: Store) -> None:
    """They are kept with what was decided."""
    await store.tx(lambda tx: assigning(tx)("manager", ["ana", "bo"]))
    assert await store.tx(lambda tx: assigning(tx)("manager", ["ana", "bo"])) == "bo"


POLICY = """
policy: spread
version: 1
chains:
  room:
    - {after: 0m, notify: channel:role}
    - {after: 10m, notify: "role:manager", via: dm}
    - {after: 1h, then: expire}
default: {tier: approve, role: manager, chain: room, assign: one}
"""


@pytest.mark.parametrize("database", ["memory://", "sqlite:///placet.db"])
async def test_a_house_spreads_its_reviews(tmp_path: Path, database: str) -> None:
    """Each is one person's first, in their own view and by a message to them; the others may decide it all the same."""
    async with running(tmp_path, policy=POLICY, clock=FakeClock(NOW), store=database) as house:
        agent = await house.agent()
        asked = [await agent.asked() for _ in range(4)]
        kept = [await house.store.view(lambda tx, id=review["id"]: tx.read(id)) for review in asked]
        assert [review.assigned for review in kept if review is not None] == [("ana",), ("bo",)] * 2
        ana = house.app.directory.person("ana")
        assert ana is not None
        mine = await house.app.desk.queue(ana, QueueFilter(view="mine"))
        assert sorted(item.id for item in mine.items) == sorted(asked[n]["id"] for n in (0, 2))
        copies = await house.store.view(lambda tx: tx.copies(asked[1]["id"]))
        assert [copy.target.person for copy in copies] == ["bo"]
        assert (await house.press("approve", asked[0], "bo")).answer == "done"
        later = await agent.asked()
        given = await house.store.view(lambda tx: tx.read(later["id"]))
        assert given is not None
        assert given.assigned == ("ana",)
