"""Workers run for ever: one that fails starts again, and it is known meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from bot import workers
from bot.workers import Workers
from tests.fakes.app import PATIENCE


async def test_a_worker_that_fails_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fault is told until it runs again; one that ends is done."""
    monkeypatch.setattr(workers, "RESTART", 0.01)
    made, runs, done = Workers(), list[dict[str, str]](), asyncio.Event()

    async def work() -> None:
        runs.append(dict(made.failing))
        if len(runs) == 1:
            raise OSError("no disk")
        done.set()

    made.begin("writer", work)
    assert made.any
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    assert runs == [{}, {}]
    assert made.failing == {}
    await made.stop()


async def test_what_fails_is_known_and_can_be_stopped() -> None:
    """While it rests before the next try."""
    made, failed = Workers(), asyncio.Event()

    async def work() -> None:
        failed.set()
        raise OSError("no disk")

    made.begin("writer", work)
    async with asyncio.timeout(PATIENCE):
        await failed.wait()
    assert made.failing == {"writer": "OSError('no disk')"}
    await made.stop()
    assert all(task.done() for task in made.tasks)
