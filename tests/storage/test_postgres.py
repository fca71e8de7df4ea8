"""The store on PostgreSQL keeps every promise, between replicas too."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

import storage
from reviews.errors import StoreUnavailable
from reviews.events import Cast, Post, Rang, Record
from reviews.keeping import Query, Store, Tx
from reviews.model import Target
from tests.contracts.house_contract import HouseContract
from tests.contracts.places_contract import PlacesContract
from tests.contracts.store_contract import MINUTE, StoreContract, a_delivery, claimed, ended
from tests.fakes.builders import START, a_review, a_vote
from tests.fakes.clock import FakeClock
from tests.fakes.postgres import Postgres


@pytest.fixture
def database(postgres: Postgres) -> str:
    """A fresh database's URL."""
    return postgres.database()


class TestPostgres(StoreContract, PlacesContract, HouseContract):
    """The suite on PostgreSQL."""

    @pytest.fixture
    async def store(self, clock: FakeClock, database: str) -> AsyncIterator[Store]:
        """A store on a database of its own."""
        made = storage.open_store(database, clock)
        await made.start()
        yield made
        await made.stop()


@asynccontextmanager
async def replicas(url: str, count: int = 2) -> AsyncIterator[list[Store]]:
    """Stores on one database, while they run."""
    made = [storage.open_store(url, FakeClock()) for _ in range(count)]
    await asyncio.gather(*(store.start() for store in made))
    try:
        yield made
    finally:
        await asyncio.gather(*(store.stop() for store in made))


async def test_votes_on_two_replicas_are_all_counted(database: str) -> None:
    """Two hundred races of two votes, one on each replica: none is lost."""
    async with replicas(database) as (one, two):
        reviews = [a_review() for _ in range(200)]
        await asyncio.gather(*(one.tx(lambda tx, r=r: tx.open(r, [], key=None, fingerprint="f")) for r in reviews))

        def voting(review_id: str, person: str) -> Callable[[Tx], None]:
            def vote(tx: Tx) -> None:
                review = tx.lock(review_id)
                assert review is not None
                mine = a_vote(review, person)
                after = dataclasses.replace(review, votes=(*review.votes, mine), version=review.version + 1)
                tx.save(review, ended(after) if len(after.votes) == 2 else after, [Cast(vote=mine)])

            return vote

        pairs = [(one.tx(voting(r.id, "ana")), two.tx(voting(r.id, "bo"))) for r in reviews]
        await asyncio.gather(*(vote for pair in pairs for vote in pair))
        kept = await one.view(lambda tx: tx.find(Query(limit=300)))
        assert [(r.status.over, len(r.votes)) for r in kept] == [(True, 2)] * 200


async def test_an_alarm_rings_on_one_replica(database: str) -> None:
    """Both pump at once: each review's rung fires once, and nobody waits for what the other holds."""
    async with replicas(database) as stores:
        for review in [a_review() for _ in range(60)]:
            await stores[0].tx(lambda tx, r=review: tx.open(r, [], key=None, fingerprint="f"))
        now = START + timedelta(hours=1)

        def pump(tx: Tx) -> list[str]:
            due = tx.due(now, 10)
            for review in due:
                fired = dataclasses.replace(review, ladder=dataclasses.replace(review.ladder, fired=2), version=2)
                tx.save(review, fired, [Rang(epoch=0, rung=1, at=now)])
            return [review.id for review in due]

        rounds = await asyncio.gather(*(stores[n % 2].tx(pump) for n in range(16)))
        rang = [review_id for ids in rounds for review_id in ids]
        for _ in range(6):
            rang += await stores[0].tx(pump)
        assert len(rang) == len(set(rang)) == 60


async def test_claims_of_two_replicas_do_not_meet(database: str) -> None:
    """Copies and deliveries are given to one worker each, and one place is worked on once at a time."""
    async with replicas(database) as stores:
        place = Target(surface="slack", address="#managers")
        posts = [Post(target=place, epoch=0, rung=n) for n in range(3)]
        for n in range(20):
            review = a_review()
            await stores[0].tx(lambda tx, r=review: tx.open(r, posts, key=None, fingerprint="f"))
            await stores[0].tx(lambda tx, n=n: tx.add_delivery(a_delivery(f"msg_{n}", START)))
        now = await stores[0].tx(lambda tx: tx.now())
        copies = await asyncio.gather(
            *(stores[n % 2].tx(lambda tx: tx.claim_copies(now, now + MINUTE, 4)) for n in range(40))
        )
        reviews = [copy.review for claim in copies for copy in claim]
        assert len(reviews) == len(set(reviews)) == 20
        deliveries = await asyncio.gather(*(stores[n % 2].tx(lambda tx: claimed(tx, now, 4)) for n in range(10)))
        ids = [delivery.id for claim in deliveries for delivery in claim]
        assert len(ids) == len(set(ids)) == 20


async def test_a_change_is_heard_by_the_others(database: str) -> None:
    """What one replica commits the other hears, what was rolled back it does not, and nobody hears itself."""
    async with replicas(database) as (one, two):
        there, here = two.listen(), one.listen()
        assert await anext(there) == "resync"
        assert await anext(here) == "resync"
        review = a_review()

        def fails(tx: Tx) -> None:
            tx.open(a_review(), [], key=None, fingerprint="f")
            raise LookupError

        with pytest.raises(LookupError):
            await one.tx(fails)
        posts = [Post(target=Target(surface="slack", address="#m"), epoch=0, rung=0)]
        await one.tx(lambda tx: tx.open(review, posts, key=None, fingerprint="f"))
        await one.tx(lambda tx: tx.add_delivery(a_delivery("msg_1", START)))
        heard = [await asyncio.wait_for(anext(there), 10) for _ in range(3)]
        assert heard == ["copies", f"review:{review.id}", "deliveries"]
        await two.tx(lambda tx: tx.record(Record(kind="k", at=START, actor="a"), "rev_x"))
        assert await asyncio.wait_for(anext(here), 10) == "review:rev_x"


async def test_a_cut_subscription_stands_again(database: str) -> None:
    """After a break the listener is told to read anew, and hears what comes then."""
    async with replicas(database) as (one, two):
        there = two.listen()
        assert await anext(there) == "resync"
        await cut(database, "LISTEN")
        assert await asyncio.wait_for(anext(there), 10) == "resync"
        await one.tx(lambda tx: tx.record(Record(kind="k", at=START, actor="a"), "rev_x"))
        assert await asyncio.wait_for(anext(there), 10) == "review:rev_x"


async def test_cut_connections_are_replaced(database: str) -> None:
    """When the server closes every connection, the next transaction finds a new one."""
    async with replicas(database, 1) as (store,):
        await asyncio.gather(*(store.tx(lambda tx: tx.count(Query())) for _ in range(5)))
        await cut(database, "")
        assert await store.tx(lambda tx: tx.count(Query())) == 0


async def cut(url: str, last_query: str) -> None:
    """Have the server close the other connections to a database whose last statement began so."""
    conn = await asyncpg.connect(url)
    closed = await conn.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1",
        f"{last_query}%",
    )
    await conn.close()
    assert closed


async def test_two_that_lock_crosswise_both_succeed(database: str) -> None:
    """A deadlock is resolved by running one of the two again."""
    async with replicas(database) as stores:
        reviews = [a_review(), a_review()]
        for review in reviews:
            await stores[0].tx(lambda tx, r=review: tx.open(r, [], key=None, fingerprint="f"))
        runs = [0]

        def crosswise(first: str, second: str) -> Callable[[Tx], None]:
            def lock_both(tx: Tx) -> None:
                runs[0] += 1
                for review_id in (first, second):
                    review = tx.lock(review_id)
                    assert review is not None
                    tx.save(review, dataclasses.replace(review, version=review.version + 1), [])

            return lock_both

        a, b = (review.id for review in reviews)
        await asyncio.gather(*(stores[n % 2].tx(crosswise(*((a, b) if n % 2 else (b, a)))) for n in range(4)))
        kept = await stores[0].view(lambda tx: [review.version for review in tx.find(Query())])
        assert kept == [5, 5]
        assert runs[0] >= 4


async def test_a_server_that_is_not_there_is_named() -> None:
    """Starting without a server says where it looked and what to check, and no password."""
    store = storage.open_store("postgresql://placet:hunter2@127.0.0.1:1/placet", FakeClock())
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/placet .*Check") as refused:
        await store.start()
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in str(store.facts())
    with pytest.raises(StoreUnavailable):
        await store.tx(lambda tx: tx.now())


@pytest.mark.parametrize("change", ["UPDATE log SET kind = 'other'", "DELETE FROM log", "TRUNCATE log"])
async def test_the_log_cannot_be_changed(database: str, change: str) -> None:
    """Not even by somebody who connects to the database."""
    async with replicas(database, 1) as (store,):
        await store.tx(lambda tx: tx.record(Record(kind="k", at=START, actor="a")))
        conn = await asyncpg.connect(database)
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await conn.execute(change)
        await conn.close()
        assert [entry.kind for entry in await store.view(lambda tx: tx.log())] == ["k"]
