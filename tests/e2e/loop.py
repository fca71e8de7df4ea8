"""A running Placet with Slack and the web in front of it, an agent and its receiver: what every whole way needs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from standardwebhooks import Webhook

from adapters.slack.adapter import SlackAdapter
from bot.app import App
from bot.clock import SystemClock
from bot.config import Config, parse
from bot.places import database_url
from storage.engine import open_store
from tests.fakes.app import Watched
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.slack import Slack, signed, slack_server
from tests.fakes.slack_process import SECRET, TOKEN, Emulator

IBAN = "ES9121000418450200051332"
ASK = {
    "action": {"name": "refund.issue", "arguments": {"order": "A-4721", "amount": 180.0, "iban": IBAN}},
    "summary": "Refund order A-4721, parcel lost",
}


@dataclass(slots=True, kw_only=True)
class Loop:
    """Everything that takes part."""

    app: App
    store: Watched
    again: Callable[[], tuple[App, Watched]]
    slack: Slack
    agent: aiohttp.ClientSession
    secret: str
    receiver: Receiver
    ana: str
    bo: str
    channel: str

    async def ask(self, **more: Any) -> dict[str, Any]:
        """The agent asks."""
        async with self.agent.post("/v1/reviews", json=ASK | {"callback_url": self.receiver.url()} | more) as answer:
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
        # Slack has it a moment before our row says where: a reply that quick would name nothing of ours yet.
        await self.store.until(lambda tx: [copy for copy in tx.copies(review) if copy.ref])
        return found[0]

    async def press(self, ts: str, action: str, user: str | None = None, option: int | str = 0) -> int:
        """A press in Slack, signed as Slack signs it; `option` is how the value of a menu's line begins."""
        payload = await self.slack.press(self.channel, ts, user or self.ana, action, option)
        body, headers = signed(payload)
        async with self.slack.session.post(f"{self.app.url}/slack/events", data=body, headers=headers) as answer:
            return answer.status

    async def restart(self) -> None:
        """Stop the server and start another on the same database; Slack finds it where it is now.

        Returns once Slack has said which workspace this is: until then a press is answered "Press again in a moment".
        """
        await self.app.stop()
        self.app, self.store = self.again()
        await self.app.start()
        slack = self.app.adapters["slack"]
        assert isinstance(slack, SlackAdapter)
        await asyncio.wait(slack._transport._tasks[:1], timeout=10)

    async def send(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Something Slack sends, signed; what it is answered, {} for nothing."""
        body, headers = signed(payload)
        async with self.slack.session.post(f"{self.app.url}/slack/events", data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            text = await answer.text()
        told: dict[str, Any] = json.loads(text) if text else {}
        return told

    async def form(self, ts: str, action: str, user: str | None = None, option: int | str = 0) -> dict[str, Any]:
        """The form a press opens, once it is filled."""
        return await self.opened(await self.slack.press(self.channel, ts, user or self.ana, action, option))

    async def opened(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The form that something Slack sends opens, once it is filled."""
        before = set(self.slack.views)
        await self.send(payload)
        found: list[dict[str, Any]] = []

        async def filled() -> bool:
            found[:] = [v for key, v in self.slack.views.items() if key not in before and v.get("submit")]
            return bool(found)

        await until(self.slack, filled)
        return found[0]

    async def submit(self, view: dict[str, Any], values: dict[str, Any], user: str | None = None) -> dict[str, Any]:
        """Send a form; {} when the modal closes."""
        return await self.send(self.slack.submit(view, user or self.ana, values))

    async def shows(self, ts: str, *words: str, without: str = "placet:approve") -> None:
        """Wait until a message in the channel says this, and `without` that."""

        async def so() -> bool:
            shown = json.dumps(await self.slack.message(self.channel, ts), ensure_ascii=False)
            return all(word in shown for word in words) and without not in shown

        await until(self.slack, so)

    async def whispered(self, user: str, words: str) -> None:
        """Wait until this person alone was told this."""

        async def so() -> bool:
            return any(said.user == user and words in said.text for said in self.slack.ephemerals)

        await until(self.slack, so)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The agent posts."""
        async with self.agent.post(path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
            told: dict[str, Any] = await answer.json()
            return told

    async def grant(self, review: str) -> str:
        """Whether the agent may still use what was approved, as it is told: `open`, `revoked`, …."""
        async with self.agent.get(f"/v1/reviews/{review}") as answer:
            return str((await answer.json())["grant"]["state"])

    async def told(self) -> dict[str, Any]:
        """The next callback, its signature checked with the library agents use."""
        call = await self.receiver.next()
        told: dict[str, Any] = Webhook(self.secret).verify(call.body, dict(call.headers))
        return told


async def until(slack: Slack, found: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so; looked at after each call Slack gets."""
    async with asyncio.timeout(10):
        while True:
            slack.changed.clear()
            if await found():
                return
            await slack.changed.wait()


@asynccontextmanager
async def looped(
    emulator: Emulator, folder: Path, policy: str, channel: str = "reviews", **settings: Any
) -> AsyncIterator[Loop]:
    """A running Placet with Slack and the web; the role `manager` has the channel, Ana has the role.

    `settings` are sections of placet.yml, of which roles and people are added to those there; `env` are more secrets.
    """
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(slack_server(emulator))
        receiver = await stack.enter_async_context(receiving())
        users = {name: await slack.user(name) for name in ("ana", "bo")}
        where = await slack.channel(channel)
        (folder / "policy.yml").write_text(policy)
        made = _config(receiver.address, users, where, slack.api_url)
        made["slack"] |= settings.pop("slack", {})
        for person in settings.pop("people", []):
            _merge(made["people"], person)
        for role, said in settings.pop("roles", {}).items():
            made["roles"][role] = made["roles"].get(role, {}) | said
        env = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": SECRET} | settings.pop("env", {})
        config = parse(made | settings)
        app, store = served(config, folder, env)
        await app.start()
        made = await app.operations.run("agent.add", {"name": "refund-desk"})
        agent = aiohttp.ClientSession(app.url, headers={"Authorization": f"Bearer {made['key']}"})
        await stack.enter_async_context(agent)
        loop = Loop(
            app=app,
            store=store,
            again=lambda: served(config, folder, env),
            slack=slack,
            agent=agent,
            secret=made["secret"],
            receiver=receiver,
            ana=users["ana"],
            bo=users["bo"],
            channel=where,
        )
        try:
            yield loop
        finally:
            await loop.app.stop()


def served(config: Config, folder: Path, env: Mapping[str, str]) -> tuple[App, Watched]:
    """The server that ships, not yet started, and its store, which tells of every commit."""
    clock = SystemClock()
    store = Watched(open_store(database_url(config.database, folder), clock))
    return App(config, folder=folder, env=env, clock=clock, store=store), store


def _merge(people: list[dict[str, Any]], person: dict[str, Any]) -> None:
    """Say more of somebody who is there, or add them."""
    known = next((other for other in people if other["id"] == person["id"]), None)
    if known is None:
        people.append(person)
    else:
        known |= person


def _config(address: str, users: dict[str, str], channel: str, api_url: str) -> dict[str, Any]:
    ana = {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]}
    bo = {"id": "bo", "name": "Bo Chen"}
    return {
        "server": {"port": 0},
        "callbacks": {"allow": [address]},
        "roles": {"manager": {"level": 2, "channels": {"slack": channel}}},
        "people": [{**who, "identities": {"slack": users[str(who["id"])]}, "prefers": "slack"} for who in (ana, bo)],
        "slack": {"api_url": api_url},
    }
