"""kill -9 while an agent is being stopped: the next server holds the rest, and nothing was let through meanwhile."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest
import yaml

from bot.stopping import AT_ONCE
from reviews.model import Object
from tests.e2e.test_restart import Server, placet
from tests.fakes.app import PATIENCE

pytestmark = pytest.mark.slow
POLICY = """
policy: halts
version: 1
default: {tier: approve, role: clerk, sla: 1h}
"""
CONFIG: Object = {
    "server": {"port": 0},
    "database": "sqlite:///placet.db",
    "roles": {"clerk": {"level": 1}},
    "people": [{"id": "ana", "name": "Ana Ruiz", "roles": ["clerk"]}],
}
#: More than two transactions take.
ASKED = 2 * AT_ONCE + 50


class Agent:
    """An agent that asks, and reads how its reviews stand."""

    def __init__(self, session: aiohttp.ClientSession, server: Server) -> None:
        self._session, self._server = session, server

    async def ask(self) -> str:
        """Ask for one; its id."""
        async with self._session.post(f"{self._server.url}/v1/reviews", json={"action": {"name": "x"}}) as answer:
            assert answer.status == 201
            return str((await answer.json())["id"])

    async def held(self, review: str) -> bool:
        """Whether a review is held."""
        async with self._session.get(f"{self._server.url}/v1/reviews/{review}") as answer:
            return bool((await answer.json())["held"])

    async def until_held(self, review: str) -> None:
        """Look until it is held."""
        async with asyncio.timeout(PATIENCE):
            while not await self.held(review):
                pass


async def test_a_stop_cut_short_is_carried_on_by_the_next_server(tmp_path: Path) -> None:
    """Killed as soon as the first review is held; started again, the last one is too."""
    (tmp_path / "policy.yml").write_text(POLICY, "utf-8")
    config = tmp_path / "placet.yml"
    config.write_text(yaml.safe_dump(CONFIG), "utf-8")
    key = await placet("agent", "add", "halted", "--rate", "1e5", "--burst", "100000", "--config", str(config))
    server = Server(config)
    await server.start()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        agent = Agent(session, server)
        asked = await asyncio.gather(*(agent.ask() for _ in range(ASKED)))
        words = ("agent", "stop", "halted", "--reason", "It pays twice.", "--config", str(config))
        stopping = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        await agent.until_held(min(asked))
        await server.kill()
        await stopping.communicate()
        await server.start()
        try:
            assert await agent.held(await agent.ask())
            for review in sorted(asked, reverse=True)[::25]:
                await agent.until_held(review)
        finally:
            await server.kill()
