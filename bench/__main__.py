"""`python -m bench`: the rows of the design's table that exist by now, measured here, beside must and goal.

Each row is measured three times and the best is shown: the machine is shared, and noise only ever adds. Ratios to
the machine's floor say more than the figures do on another machine. Nothing leaves loopback; each row ends by itself.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.beside import ENV, beside
from bench.classify import classify_ms
from bench.clicks import RATE, ack_ms
from bench.notified import RATE as ASKS
from bench.notified import notified_ms
from bench.rig import Receiver, Server, quantile, server

ROUNDS = 3
CREATES = {1: 600, 32: 3000}
PENDING = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `must` and `goal` in its unit; `less` says that less is better."""

    name: str
    value: float
    unit: str
    must: float | None = None
    goal: float | None = None
    less: bool = True

    @property
    def holds(self) -> bool:
        """Whether it is what it must be."""
        return self.must is None or (self.value <= self.must if self.less else self.value >= self.must)

    def line(self) -> str:
        """The row as printed."""

        def show(value: float | None) -> str:
            return "" if value is None else f"{value:g}"

        verdict = "" if self.must is None else ("ok" if self.holds else "MISSED")
        return (
            f"{self.name:<44} {self.value:>10.2f} {self.unit:<5} {show(self.must):>8} {show(self.goal):>8}  {verdict}"
        )


def floor_fsync() -> list[Row]:
    """The disk's floor: a 4 KiB append made durable."""
    with tempfile.NamedTemporaryFile() as file:
        began = time.perf_counter()
        for _ in range(500):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        rate = 500 / (time.perf_counter() - began)
    return [Row(name="floor: durable 4 KiB appends", value=rate, unit="/s", less=False)]


async def _creates(target: Server, clients: int) -> tuple[float, float]:
    """Rate (1/s) and p99 (ms) of creating with so many clients."""
    each = CREATES[clients] // clients
    times: list[float] = []

    async def client() -> None:
        for _ in range(each):
            began = time.perf_counter()
            await target.create()
            times.append(time.perf_counter() - began)

    await target.create()
    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return each * clients / (time.perf_counter() - began), quantile(times, 0.99) * 1000


async def creating() -> list[Row]:
    """Create, one client and 32, against bare aiohttp in the same rounds."""
    one: list[tuple[float, float]] = []
    many: list[tuple[float, float]] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        async with server("floor") as plain:
            bare.append((await _creates(plain, 32))[0])
        async with server({}) as ours:
            one.append(await _creates(ours, 1))
            many.append(await _creates(ours, 32))
    rate, p99 = max(many)[0], min(p for _, p in many)
    ratio = max(ours / floor for (ours, _), floor in zip(many, bare, strict=True))
    return [
        Row(name="floor: bare aiohttp, 32 clients", value=max(bare), unit="/s", less=False),
        Row(name="create, one client", value=max(one)[0], unit="/s", must=450, goal=600, less=False),
        Row(name="create, one client, p99", value=min(p for _, p in one), unit="ms", goal=6),
        Row(name="create, 32 clients", value=rate, unit="/s", must=1200, goal=2000, less=False),
        Row(name="create, 32 clients, p99", value=p99, unit="ms", must=60),
        Row(name="create, 32 clients, share of bare aiohttp", value=ratio, unit="", must=0.3, less=False),
    ]


async def deciding() -> list[Row]:
    """From the press to the callback at its receiver, one after the other."""
    best: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        async with Receiver() as receiver, server(_allowing(receiver)) as ours:
            times = []
            for _ in range(150):
                review = (await ours.create(callback_url=receiver.url))["id"]
                began = time.perf_counter()
                await ours.approve(review)
                await receiver.wait_for([review])
                times.append(receiver.came[review] - began)
            best.append((quantile(times, 0.5) * 1000, quantile(times, 0.99) * 1000))
    return [
        Row(name="decide → callback, p50", value=min(p for p, _ in best), unit="ms", must=5, goal=3),
        Row(name="decide → callback, p99", value=min(p for _, p in best), unit="ms", must=25, goal=12),
    ]


async def bursting(hanging: int = 0) -> list[Row]:
    """A hundred decisions at once; with `hanging`, as many receivers beside that never answer."""
    best = []
    for _ in range(ROUNDS):
        async with AsyncExitStack() as stack:
            receiver = await stack.enter_async_context(Receiver())
            stuck = [await stack.enter_async_context(Receiver(hang=True)) for _ in range(hanging)]
            ours = await stack.enter_async_context(server(_allowing(receiver, *stuck)))
            for never in stuck:
                for _ in range(20):
                    await ours.approve((await ours.create(callback_url=never.url))["id"])
            reviews = [(await ours.create(callback_url=receiver.url))["id"] for _ in range(100)]
            began = time.perf_counter()
            await asyncio.gather(*(ours.approve(review) for review in reviews))
            await receiver.wait_for(reviews)
            best.append(quantile([receiver.came[review] - began for review in reviews], 0.99) * 1000)
    beside = f" beside {hanging} hanging receivers" if hanging else ""
    return [Row(name=f"burst of 100{beside} → callbacks, p99", value=min(best), unit="ms", must=150, goal=90)]


def _allowing(*receivers: Receiver) -> dict[str, object]:
    return {"callbacks": {"allow": [f"127.0.0.1:{receiver.port}" for receiver in receivers]}}


async def clicking() -> list[Row]:
    """A press in Slack until it is acknowledged, which is after it is kept."""
    best = min([await ack_ms() for _ in range(ROUNDS)])
    return [Row(name=f"click → ack at {RATE}/s, p99", value=best, unit="ms", must=50)]


async def notifying() -> list[Row]:
    """A request until the first message about it is posted."""
    best = min([await notified_ms() for _ in range(ROUNDS)])
    return [Row(name=f"create → first message at {ASKS}/s, p99", value=best, unit="ms", must=2000)]


async def many_pending() -> list[Row]:
    """A hundred thousand pending reviews, with Slack and Teams: how soon a restart is ready, and what they cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with beside() as chats:
            async with server(chats.both, folder, ENV) as new:
                loaded: float = new.told["rss_mb"]
                await chats.posted((await new.create())["id"])
                used = psutil.Process(new.process.pid).memory_info().rss / 2**20
            async with server(chats.both, folder, ENV) as empty:  # a new one made its tables, too
                before: float = empty.told["rss_mb"]
            _multiply(folder / "placet.db", PENDING)
            async with server(chats.both, folder, ENV) as full:
                ready, after = full.told["ready_s"], full.told["rss_mb"]
    return [
        Row(name=f"ready after restart, {PENDING} pending", value=ready, unit="s", must=3),
        Row(name=f"memory more, {PENDING} pending", value=after - before, unit="MB", must=20),
        Row(name="resident memory, Slack and Teams", value=loaded, unit="MB", must=150, goal=120),
        Row(name="resident memory, a card posted in both", value=used, unit="MB", must=150, goal=120),
    ]


def _multiply(file: Path, count: int) -> None:
    """Copy the one review of a database until there are so many, each an hour further in the future."""
    with sqlite3.connect(file) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(reviews)")]
        changed = {"seq": "seq + n", "id": "id || '_' || n", "due_at": "due_at + 3600000000 + n"}
        chosen = ", ".join(changed.get(column, column) for column in columns)
        numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?)"
        db.execute(f"INSERT INTO reviews ({', '.join(columns)}) {numbers} SELECT {chosen} FROM reviews, c", (count,))
        revision = [row[1] for row in db.execute("PRAGMA table_info(revisions)")]
        first = ", ".join("r.id" if column == "review" else f"v.{column}" for column in revision)
        copied = f"SELECT {first} FROM reviews r, revisions v WHERE r.id != v.review"
        db.execute(f"INSERT INTO revisions ({', '.join(revision)}) {copied}")


async def main() -> int:
    """Print every row; 0 when each is what it must be."""
    print(f"{'row':<44} {'measured':>10} {'':<5} {'must':>8} {'goal':>8}")
    rows: list[Row] = []
    work: list[Callable[[], Awaitable[list[Row]]]] = [
        creating, deciding, bursting, lambda: bursting(5), clicking, notifying, many_pending,
    ]  # fmt: skip

    def tell(found: list[Row]) -> None:
        rows.extend(found)
        for row in found:
            print(row.line(), flush=True)

    tell(floor_fsync())
    tell([Row(name="classify, 100 rules", value=classify_ms(), unit="ms", must=1, goal=0.2)])
    for measure in work:
        tell(await measure())
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
