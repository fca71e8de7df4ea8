"""A running Placet with Teams in front of it, Slack too where asked, an agent and its receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from standardwebhooks import Webhook

from bot.app import App
from bot.config import Config, parse
from reviews.keeping import Copy, Tx
from tests.e2e.loop import ASK, served
from tests.fakes.app import Watched
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.signing import PATH, directory
from tests.fakes.teams import APP_ID, TENANT, Teams
from tests.fakes.teams_service import BEARER, PASSWORD, Message

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class TeamsLoop:
    """Everything that takes part but Teams itself."""

    app: App
    store: Watched
    config: Config
    folder: Path
    env: Mapping[str, str]
    agent: aiohttp.ClientSession
    secret: str
    receiver: Receiver

    @property
    def endpoint(self) -> str:
        """Where Teams sends to."""
        return self.app.url + PATH

    async def ask(self, **more: Any) -> Json:
        """The agent asks."""
        return await self.post("/v1/reviews", ASK | {"callback_url": self.receiver.url()} | more)

    async def post(self, path: str, body: Json) -> Json:
        """The agent posts."""
        async with self.agent.post(self.app.url + path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
            told: Json = await answer.json()
            return told

    async def read(self, review: str) -> Json:
        """A review as its agent sees it."""
        async with self.agent.get(f"{self.app.url}/v1/reviews/{review}") as answer:
            body: Json = await answer.json()
            return body

    async def events(self, review: str) -> list[str]:
        """What happened to a review, by the kinds of its entries."""
        async with self.agent.get(f"{self.app.url}/v1/reviews/{review}/events") as answer:
            return [entry["type"] for entry in (await answer.json())["items"]]

    async def told(self) -> Json:
        """The next callback, its signature checked with the library agents use."""
        call = await self.receiver.next()
        told: Json = Webhook(self.secret).verify(call.body, dict(call.headers))
        return told

    async def decided(self) -> Json:
        """The decision the next callback brings."""
        decision: Json = (await self.told())["data"]["decision"]
        return decision

    async def until(self, look: Callable[[Tx], T | None]) -> T:
        """The first true thing `look` sees in the store, now or after a commit."""
        return await self.store.until(look)

    async def copies(self, review: str, *states: str, shown: int = 1) -> list[Copy]:
        """The copies of a review in Teams, once all are in one of these states and show what they should."""

        def look(tx: Tx) -> list[Copy] | None:
            found = [copy for copy in tx.copies(review) if copy.target.surface == "teams"]
            settled = found and all(c.state in states and c.shown == c.wanted and c.shown >= shown for c in found)
            return found if settled else None

        return await self.until(look)

    async def restart(self) -> None:
        """Stop the server and start another on the same database."""
        await self.app.stop()
        self.app, self.store = served(self.config, self.folder, self.env)
        await self.app.start()


@asynccontextmanager
async def teams_loop(
    folder: Path, policy: str, given: Json, env: Mapping[str, str] | None = None
) -> AsyncIterator[TeamsLoop]:
    """Bring one up; `given` are the sections of placet.yml beside the server's, `env` more secrets than Teams'."""
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving())
        (folder / "policy.yml").write_text(policy)
        section = given["teams"]
        login = await stack.enter_async_context(directory(section["app_id"], section["tenant_id"], PASSWORD, BEARER))
        sections = {"server": {"port": 0}, "callbacks": {"allow": [receiver.address]}} | given
        config = parse(sections | {"teams": section | {"login_url": login}})
        secrets = {"PLACET_TEAMS_APP_PASSWORD": PASSWORD} | dict(env or {})
        app, store = served(config, folder, secrets)
        await app.start()
        made = await app.operations.run("agent.add", {"name": "refund-desk"})
        agent = aiohttp.ClientSession(headers={"Authorization": f"Bearer {made['key']}"})
        await stack.enter_async_context(agent)
        loop = TeamsLoop(
            app=app,
            store=store,
            config=config,
            folder=folder,
            env=secrets,
            agent=agent,
            secret=made["secret"],
            receiver=receiver,
        )
        try:
            yield loop
        finally:
            await loop.app.stop()


def teams_section(app_id: str, tenant: str, openid: str, service: str) -> Json:
    """The `teams:` section for a Teams on loopback."""
    return {"app_id": app_id, "tenant_id": tenant, "openid_url": openid, "service_url": service}


def section(teams: Teams) -> Json:
    """Where a fake Teams is."""
    return {"teams": teams_section(APP_ID, TENANT, teams.openid, teams.service)}


async def posted(teams: Teams, loop: TeamsLoop, review: Json, nth: int = 0) -> Message:
    """The message that shows a review, once it stands."""
    copies = await loop.copies(review["id"], "posted")
    return message_of(teams, copies[nth])


def message_of(teams: Teams, copy: Copy) -> Message:
    """The message a copy is."""
    assert copy.ref is not None
    return teams.message(copy.ref)


async def shows(teams: Teams, message: Message, *words: str) -> None:
    """Wait until a message is redrawn to say this and has nothing left to decide with."""
    await teams.until(lambda: all(word in message.seen for word in words) and "placet/approve" not in str(message.card))


def person(name: str, roles: Sequence[str] = (), prefers: str = "teams", **identities: str) -> Json:
    """One of the people of placet.yml; `identities` by surface. Ana Ruiz is called `ana` there."""
    known = {"roles": list(roles), "identities": identities, "prefers": prefers}
    return {"id": name.partition(" ")[0].lower(), "name": name} | known
