"""How fast the store keeps reviews: `python bench/store.py [memory|sqlite|postgres] …`, from the project's root.

Prints `name: number`. SQLite runs with `synchronous=FULL`; PostgreSQL is the wheel's, with fsync on.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import storage
from reviews.events import Cast, Post, Rang, Record
from reviews.keeping import Query, Store, Tx
from reviews.model import Review, Target
from storage.rows import fresh_id
from tests.fakes import postgres
from tests.fakes.builders import START, a_review, a_vote
from tests.fakes.clock import FakeClock

SECONDS = 2.0
USUAL = a_review()
EFFECTS = (
    Record(
        kind="review.opened", at=START, actor="agent:billing-bot", detail={"action": "refund.issue", "tier": "approve"}
    ),
    Rang(epoch=0, rung=0, at=START),
    Record(kind="review.called", at=START, actor="placet", detail={"rungs": [0], "epoch": 0, "why": "opened"}),
    Post(target=Target(surface="slack", address="#managers"), epoch=0, rung=0),
)


async def load(work: Callable[[], Awaitable[object]], clients: int) -> tuple[float, float, float]:
    """Calls per second, and milliseconds at the median and the 99th percentile."""
    took: list[float] = []
    begun = time.perf_counter()

    async def client() -> None:
        while time.perf_counter() - begun < SECONDS:
            at = time.perf_counter()
            await work()
            took.append(time.perf_counter() - at)

    await asyncio.gather(*(client() for _ in range(clients)))
    rate = len(took) / (time.perf_counter() - begun)
    took.sort()
    return rate, took[len(took) // 2] * 1e3, took[int(len(took) * 0.99)] * 1e3


def opening(store: Store, keep: list[Review]) -> Callable[[], Awaitable[object]]:
    """Open a review with the effects of a usual one."""

    async def work() -> None:
        review = replace(USUAL, id=fresh_id("rev"))
        keep.append(await store.tx(lambda tx: tx.open(review, EFFECTS, key=review.id, fingerprint="f" * 64)))

    return work


def voting(store: Store, todo: list[Review]) -> Callable[[], Awaitable[object]]:
    """Lock a review, add a vote, save."""

    turns = itertools.count()

    async def work() -> None:
        lap, n = divmod(next(turns), len(todo))
        review_id = todo[n].id

        def vote(tx: Tx) -> None:
            review = tx.lock(review_id)
            assert review is not None
            cast = a_vote(review, f"person-{lap}")
            after = replace(review, votes=(*review.votes, cast), version=review.version + 1)
            tx.save(review, after, [Cast(vote=cast), Record(kind="vote.approve", at=START, actor="person:ana")])

        await store.tx(vote)

    return work


async def measure(name: str, url: str) -> None:
    """All measurements on one engine."""
    store = storage.open_store(url, FakeClock())
    await store.start()
    kept: list[Review] = []
    for clients in (1, 64):
        rate, p50, p99 = await load(opening(store, kept), clients)
        print(f"{name} open, {clients} clients, tx/s: {rate:.0f}")
        print(f"{name} open, {clients} clients, p50 ms: {p50:.2f}")
        print(f"{name} open, {clients} clients, p99 ms: {p99:.2f}")
    some = kept[-1]
    rate, p50, p99 = await load(voting(store, kept), 16)
    print(f"{name} vote, 16 clients, tx/s: {rate:.0f}")
    rate, p50, p99 = await load(lambda: store.view(lambda tx: tx.read(some.id)), 16)
    print(f"{name} read, 16 clients, views/s: {rate:.0f}")
    query = Query(roles=("manager",), open_only=True, order="priority")
    rate, p50, p99 = await load(lambda: store.view(lambda tx: tx.find(query)), 1)
    print(f"{name} queue of 50 among {len(kept)}, p50 ms: {p50:.2f}")
    mine = Query(agent="billing-bot", open_only=True)
    rate, p50, p99 = await load(lambda: store.view(lambda tx: tx.count(mine)), 1)
    print(f"{name} count an agent's {len(kept)} open, p50 ms: {p50:.2f}")
    await store.stop()


def main() -> None:
    """Run the engines named, or all."""
    for name in sys.argv[1:] or ("memory", "sqlite", "postgres"):
        if name == "postgres":
            with postgres.running(fsync=True) as server:
                asyncio.run(measure(name, server.database()))
        else:
            with tempfile.TemporaryDirectory() as folder:
                asyncio.run(measure(name, "memory://" if name == "memory" else f"sqlite:///{folder}/bench.db"))


if __name__ == "__main__":
    main()
