"""The whole way of a review: asked over HTTP, shown in Slack and on the web, pressed in Slack, told to the agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot.app import App
from bot.config import parse
from tests.fakes.slack import Slack, signed, slack_server
from tests.fakes.slack_process import SECRET, TOKEN, Emulator, start_emulator

pytestmark = pytest.mark.node
POLICY = """
policy: loop
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount, sensitive: [/iban]}
chains:
  desk:
    - {after: 0m, notify: channel:role}
    - {after: 2s, notify: person:bo, via: dm}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: desk, reasons: [wrong customer, too much]}
"""
IBAN = "ES9121000418450200051332"
ASK = {
    "action": {"name": "refund.issue", "arguments": {"order": "A-4721", "amount": 180.0, "iban": IBAN}},
    "summary": "Refund order A-4721, parcel lost",
}


@dataclass(slots=True, kw_only=True)
class Loop:
    """Everything that takes part."""

    app: App
    slack: Slack
    agent: aiohttp.ClientSession
    secret: str
    callback: str
    callbacks: asyncio.Queue[tuple[dict[str, str], bytes]]
    ana: str
    channel: str

    async def ask(self, **more: Any) -> dict[str, Any]:
        """The agent asks."""
        async with self.agent.post("/v1/reviews", json=ASK | {"callback_url": self.callback} | more) as answer:
            assert answer.status == 201, await answer.text()
            body: dict[str, Any] = await answer.json()
            return body

    async def card(self, review: str) -> dict[str, Any]:
        """The review's card in the channel, once it is there; the channel is shared by all tests."""
        found: list[dict[str, Any]] = []

        async def posted() -> bool:
            found[:] = [m for m in await self.slack.history(self.channel) if review in json.dumps(m)]
            return bool(found)

        await until(self.slack, posted)
        return found[0]

    async def press(self, ts: str, action: str, user: str | None = None) -> int:
        """A press in Slack, signed as Slack signs it."""
        payload = await self.slack.press(self.channel, ts, user or self.ana, action)
        body, headers = signed(payload)
        async with self.slack.session.post(f"{self.app.url}/slack/events", data=body, headers=headers) as answer:
            return answer.status

    async def told(self) -> dict[str, Any]:
        """The next callback, its signature checked with the library agents use."""
        headers, body = await asyncio.wait_for(self.callbacks.get(), 10)
        told: dict[str, Any] = Webhook(self.secret).verify(body, headers)
        return told


async def until(slack: Slack, found: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so; looked at after each call Slack gets."""
    async with asyncio.timeout(10):
        while True:
            slack.changed.clear()
            if await found():
                return
            await slack.changed.wait()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """The Slack emulator."""
    running = start_emulator()
    yield running
    running.stop()


@pytest.fixture
async def loop(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Loop]:
    """A running Placet with Slack and the web, an agent and its receiver."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(slack_server(emulator))
        callbacks: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        port = await _receiver(stack, callbacks)
        ana, channel = await slack.user("ana"), await slack.channel("reviews")
        bo = await slack.user("bo")
        (tmp_path / "policy.yml").write_text(POLICY)
        people = [
            {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"slack": ana}, "prefers": "slack"},
            {"id": "bo", "name": "Bo Chen", "identities": {"slack": bo}, "prefers": "slack"},
        ]
        config = parse(
            {
                "server": {"port": 0},
                "callbacks": {"allow": [f"127.0.0.1:{port}"]},
                "roles": {"manager": {"level": 2, "channels": {"slack": channel}}},
                "people": people,
                "slack": {"api_url": slack.api_url},
            }
        )
        env = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": SECRET}
        app = App(config, folder=tmp_path, env=env)
        await app.start()
        stack.push_async_callback(app.stop)
        made = await app.operations.run("agent.add", {"name": "refund-desk"})
        agent = aiohttp.ClientSession(app.url, headers={"Authorization": f"Bearer {made['key']}"})
        await stack.enter_async_context(agent)
        yield Loop(
            app=app,
            slack=slack,
            agent=agent,
            secret=made["secret"],
            callback=f"http://127.0.0.1:{port}/hook",
            callbacks=callbacks,
            ana=ana,
            channel=channel,
        )


async def _receiver(stack: AsyncExitStack, callbacks: asyncio.Queue[tuple[dict[str, str], bytes]]) -> int:
    async def hook(request: web.Request) -> web.Response:
        await callbacks.put((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/hook", hook)])
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


async def test_once_round(loop: Loop) -> None:
    """Asked, shown without its secrets, pressed in Slack, told signed, redeemed once; the buttons are gone."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    assert "Refund order A-4721" in json.dumps(card)
    assert IBAN not in json.dumps(card)
    assert await loop.press(card["ts"], "placet:approve") == 200
    told = await loop.told()
    decision = told["data"]["decision"]
    assert (told["type"], decision["verdict"], decision["by"][0]["person"]) == ("review.decided", "approved", "ana")
    assert decision["action"]["arguments"]["iban"] == IBAN
    path = f"/v1/reviews/{review['id']}/redeem"
    answers = [await loop.agent.post(path, json={"digest": decision["digest"]}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 409]

    async def over() -> bool:
        shown = json.dumps(await loop.slack.message(loop.channel, card["ts"]))
        return "Approved by Ana Ruiz" in shown and "placet:approve" not in shown

    await until(loop.slack, over)
    async with loop.agent.get("/inbox") as page:
        assert page.status == 200  # the web is there as well; who is not signed in is told how
    await _decided_on_the_web(loop, review["id"])


async def _decided_on_the_web(loop: Loop, review: str) -> None:
    made = await loop.app.operations.run("link", {"person": "ana"})
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(made["url"]) as page:
            text = await page.text()
        fields = {
            part.split('"')[0]: part.split('value="')[1].split('"')[0]
            for part in text.split('name="')[1:]
            if "value=" in part
        }
        wanted = {key: value for key, value in fields.items() if key in ("link", "csrf")}
        async with browser.post(f"{loop.app.url}/enter", data=wanted, headers={"Origin": loop.app.url}) as entered:
            assert entered.status == 200, await entered.text()
        async with browser.get(f"{loop.app.url}/reviews/{review}") as page:
            assert "Approved by Ana Ruiz" in await page.text()


async def test_who_may_not_is_told_so_alone(loop: Loop) -> None:
    """A channel member presses Approve before anybody called them: nothing is granted, and only they read why."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    stranger = await loop.slack.user("bo")
    assert await loop.press(card["ts"], "placet:approve", stranger) == 200
    await until(loop.slack, lambda: _said(loop, stranger))
    async with loop.agent.get(f"/v1/reviews/{review['id']}") as answer:
        assert (await answer.json())["status"] == "pending"


async def _said(loop: Loop, user: str) -> bool:
    return any(said.user == user and "This needs manager" in said.text for said in loop.slack.ephemerals)


async def test_silence_calls_the_next_who_may_then_decide(loop: Loop) -> None:
    """After two seconds of silence Bo gets the card as a direct message, and by being called may approve."""
    review = await loop.ask()
    bo = await loop.slack.user("bo")

    async def called() -> bool:
        return bool(await loop.slack.direct(bo))

    assert (await loop.told())["type"] == "review.escalated"
    await until(loop.slack, called)
    card = await loop.card(review["id"])
    assert await loop.press(card["ts"], "placet:approve", bo) == 200
    told = await loop.told()
    assert told["data"]["id"] == review["id"]
    assert told["data"]["decision"]["by"][0]["person"] == "bo"
