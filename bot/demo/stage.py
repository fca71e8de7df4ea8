"""Puts the demo on: a house in a temporary folder, its server, two agents; and takes it down again."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.app import App
from bot.demo import cases, reviewers, tally, world
from bot.demo.agent import Agent, Asked, Tell
from bot.demo.case import Case
from bot.demo.screen import Screen
from reviews.model import Object

#: Open reviews at most: a queue one can read.
MOST_OPEN = 12
#: Seconds between two requests of one agent, while somebody looks on and in a headless run.
LOOKED_AT = (5.0, 9.0)
HEADLESS = (0.15, 0.45)
#: After this many requests of each agent, every kind of case has come up.
ROUND = 8
#: How long open reviews may take to come to their end once nothing more is asked (seconds).
WIND_UP = world.HEADLESS.patient + 15.0
_AGENTS = (("refund-desk", cases.desk), ("it-operations", cases.operations))


def run(*, headless: float | None = None, port: int | None = None) -> int:
    """Run the demo until Ctrl-C, or headless for so many seconds. The exit code."""
    with tempfile.TemporaryDirectory(prefix="placet-demo-") as name:
        folder = Path(name)
        return asyncio.run(_looked_at(folder, port) if headless is None else _headless(folder, headless, port))


async def _looked_at(folder: Path, port: int | None) -> int:
    stop, room, screen = _stopped(), Room(MOST_OPEN), Screen()
    async with _house(folder, world.LOOKED_AT, port) as app, _agents(app, screen.tell, world.LOOKED_AT) as agents:
        screen.open(app.url)
        asking = [asyncio.create_task(_keep_asking(agent, source, room)) for agent, source in agents.items()]
        ended = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([ended, *asking], return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, *asking):
            task.cancel()
        screen.close()
        await asyncio.gather(ended, *asking, return_exceptions=True)
        for task in done:
            task.result()  # an agent that could not ask says so, instead of a demo that stands still
    return 0


async def _headless(folder: Path, seconds: float, port: int | None) -> int:
    stop, room = _stopped(), Room(MOST_OPEN)
    async with _house(folder, world.HEADLESS, port or 0) as app, _agents(app, _silent, world.HEADLESS) as agents:
        everything = list(agents)
        pressing = asyncio.create_task(reviewers.review(app.url, lambda review: _find(everything, review)))
        asking = (_ask_for(agent, source, room, seconds, stop) for agent, source in agents.items())
        refused = [str(fault) for fault in await asyncio.gather(*asking, return_exceptions=True) if fault is not None]
        asked = [each for agent in everything for each in agent.asked.values()]
        refused += await _wound_up(asked, pressing)
        refused += await _undelivered(app)
    numbers = tally.count(asked)
    faults = [*refused, *tally.faults(asked, numbers)]
    sys.stdout.write("".join(f"{name}: {number}\n" for name, number in numbers.items()))
    sys.stderr.write("".join(f"placet demo: {fault}\n" for fault in faults))
    return 1 if faults else 0


# ---------------------------------------------------------------------------------------------- the house


@asynccontextmanager
async def _house(folder: Path, pace: world.Pace, port: int | None) -> AsyncIterator[App]:
    """The demo's server, started. Its environment is empty: the demo needs no secret and uses none that is set."""
    app = App(world.furnish(folder, pace=pace, port=port), folder=folder, env={}, demo=True)
    await app.start()
    try:
        yield app
    finally:
        await app.stop()


@asynccontextmanager
async def _agents(app: App, tell: Tell, pace: world.Pace) -> AsyncIterator[dict[Agent, Iterator[Case]]]:
    """The two agents with their keys, started, each with its source of cases."""
    rng = random.Random()  # noqa: S311 - which case comes next is no secret
    agents: dict[Agent, Iterator[Case]] = {}
    try:
        for name, source in _AGENTS:
            made = await app.operations.run("agent.add", {"name": name})
            agent = Agent(name, app.url, made["key"], made["secret"], tell, linger=pace.linger)
            await agent.start()
            agents[agent] = source(rng)
        yield agents
    finally:
        for agent in agents:
            await agent.stop()


def _stopped() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)  # whoever asks twice need not wait

    for number in signals:
        loop.add_signal_handler(number, end)
    return stop


# ---------------------------------------------------------------------------------------------- asking


class Room:
    """Keeps the queue short enough to read: a place is free again when a review came to its end."""

    def __init__(self, places: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._leaving: set[asyncio.Task[None]] = set()

    async def ask(self, agent: Agent, case: Case) -> None:
        """Ask as soon as there is a place. Raises NotAsked."""
        await self._free.acquire()
        try:
            asked = await agent.ask(case)
        except BaseException:
            self._free.release()
            raise
        task = asyncio.create_task(self._leave(asked))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, asked: Asked) -> None:
        await asked.finished.wait()
        self._free.release()


async def _keep_asking(agent: Agent, source: Iterator[Case], room: Room) -> None:
    """Ask for ever: a few at once so that the queue is not empty, then at a pace one can follow."""
    for number, case in enumerate(source):
        await room.ask(agent, case)
        await asyncio.sleep(0.3 if number < 3 else random.uniform(*LOOKED_AT))  # noqa: S311 - no secret


async def _ask_for(agent: Agent, source: Iterator[Case], room: Room, seconds: float, stop: asyncio.Event) -> None:
    """Ask for so many seconds, and until every kind of case came up once, however short the time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    for number, case in enumerate(source):
        if stop.is_set() or (loop.time() >= end and number >= ROUND):
            return
        await room.ask(agent, case)
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(*HEADLESS)):  # noqa: S311 - no secret
                await stop.wait()


def _find(agents: list[Agent], review: str) -> Asked | None:
    return next((agent.asked[review] for agent in agents if review in agent.asked), None)


def _silent(asked: Asked, event: str, text: str) -> None:
    """A headless run prints its numbers and nothing else."""


# ---------------------------------------------------------------------------------------------- the end


async def _wound_up(asked: list[Asked], pressing: asyncio.Task[None]) -> list[str]:
    """Wait until every review came to its end, for a bounded time; what went wrong meanwhile."""
    ended = asyncio.create_task(_ended(asked))
    await asyncio.wait([ended, pressing], timeout=WIND_UP, return_when=asyncio.FIRST_COMPLETED)
    faults = [f"the reviewers stopped: {pressing.exception()!r}"] if pressing.done() else []
    for task in (ended, pressing):
        task.cancel()
    await asyncio.gather(ended, pressing, return_exceptions=True)
    return faults


async def _ended(asked: list[Asked]) -> None:
    for each in asked:
        await each.finished.wait()


async def _undelivered(app: App) -> list[str]:
    """Messages that the database does not say were delivered, a moment after the last one arrived."""
    left: list[Object] = []
    for _ in range(40):
        told = await app.operations.run("deliveries", {"limit": 10_000})
        left = [delivery for delivery in told if delivery["state"] != "done"]
        if not left:
            break
        await asyncio.sleep(0.1)
    return [f"{delivery['id']} is {delivery['state']}: {delivery['error']}" for delivery in left]
