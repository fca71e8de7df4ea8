"""What the demo's agents do after a person spoke, against a real server: another proposal, and time to think again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import App
from bot.demo import cases, world
from bot.demo.agent import Agent, Asked
from bot.demo.browser import Browser


class Heard:
    """What an agent tells, to be waited for."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def tell(self, asked: Asked, event: str, text: str) -> None:
        """Keep it."""
        self._told.put_nowait((event, text))

    async def until(self, event: str) -> str:
        """What is told with the next event of this name."""
        async with asyncio.timeout(20):
            while (found := await self._told.get())[0] != event:
                pass
        return found[1]


@asynccontextmanager
async def desk(folder: Path, heard: Heard, *, linger: float) -> AsyncIterator[tuple[App, Agent]]:
    """The demo's house with one refund agent."""
    app = App(world.furnish(folder, pace=world.LOOKED_AT, port=0), folder=folder, env={}, demo=True)
    await app.start()
    made = await app.operations.run("agent.add", {"name": "refund-desk"})
    agent = Agent("refund-desk", app.url, made["key"], made["secret"], heard.tell, linger=linger)
    await agent.start()
    try:
        yield app, agent
    finally:
        await agent.stop()
        await app.stop()


async def test_a_refund_that_is_asked_to_change_is_proposed_again_by_half(tmp_path: Path) -> None:
    """The second proposal is half the amount, and what was done says so."""
    heard = Heard()
    async with desk(tmp_path, heard, linger=0) as (app, agent), Browser(app.url, "faye") as faye:
        case = next(cases.desk(random.Random(1)))
        asked = await agent.ask(case)
        assert await faye.press(asked.id, "request_changes", {"reason": "half"})
        assert "revision 2" in await heard.until("changed")
        assert await faye.press(asked.id, "approve", {})
        half = case.body["action"]["arguments"]["amount"] / 2
        assert f"as proposed again, amount = {half:g}" in await heard.until("redeemed")


async def test_an_approval_that_is_undone_in_time_is_not_used(tmp_path: Path) -> None:
    """While the agent lingers, who approved takes it back: the agent is told, and does nothing."""
    heard = Heard()
    async with desk(tmp_path, heard, linger=60) as (app, agent), Browser(app.url, "faye") as faye:
        asked = await agent.ask(next(cases.desk(random.Random(1))))
        assert await faye.press(asked.id, "approve", {})
        await heard.until("waits")
        assert await faye.press(asked.id, "undo", {})
        await heard.until("revoked")
        assert "taken back" in await heard.until("stopped")
        assert not asked.redeemed
        assert asked.faults == []
