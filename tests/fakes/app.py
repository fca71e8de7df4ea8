"""A real Placet inside the test: real sockets on loopback, a real store, real people from a configuration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
from multidict import CIMultiDictProxy

from adapters.port import Adapter
from bot.app import App
from bot.clock import SystemClock
from bot.config import parse
from bot.hub import Waiter
from bot.places import database_url
from reviews.events import Interaction, Reply
from reviews.keeping import Store, Tx
from reviews.model import Identity, Object, Verb
from reviews.ports import Clock
from storage.engine import open_store

T = TypeVar("T")

#: Whoever waits longer than this (seconds) for what must happen has found a defect.
PATIENCE = 20.0
POLICY = """
policy: house
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount, sensitive: [/iban]}
  orders.list: {risk: low, reversible: true}
  note.write:
    risk: low
    reversible: true
    schema: {type: object, properties: {text: {type: string, maxLength: 20}}, required: [text]}
rules:
  - {name: reading, when: 'action.name == "orders.list"', route: {tier: auto}}
  - {name: a note, when: 'action.name == "note.write"', route: {tier: approve, role: clerk, sla: 1h}}
  - {name: a small one, when: 'action.name == "coupon.send"', route: {tier: approve, role: clerk, sla: 1h}}
  - name: a volume
    when: action.name == "volume.delete"
    route: {tier: dual, needs: [{role: manager}, {role: clerk}], sla: 1h}
  - name: two clerks
    when: action.name == "badge.print"
    route: {tier: dual, needs: [{role: clerk}, {role: clerk}], sla: 1h}
  - {name: never, when: 'action.name == "database.drop"', route: {tier: deny}}
default: {tier: approve, role: manager, sla: 1h, valid_for: 15m}
"""
CONFIG: Object = {
    "server": {"port": 0, "votes_by_token": True},
    "roles": {"manager": {"level": 2}, "clerk": {"level": 1}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "email": "ana@example.com", "roles": ["manager"]},
        {"id": "bo", "name": "Bo Lindqvist", "roles": ["manager"]},
        {"id": "cy", "name": "Cy Okafor", "roles": ["clerk"]},
        {"id": "di", "name": "Di Moreau", "roles": ["clerk"]},
        {"id": "eve", "name": "Eve Petrov", "auditor": True},
    ],
}
REFUND: Object = {"name": "refund.issue", "arguments": {"order": "A-4721", "amount": 180.0, "currency": "USD"}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered; `body` is the JSON, None where there is none."""

    status: int
    body: Any
    headers: CIMultiDictProxy[str]
    raw: bytes

    @property
    def pointers(self) -> list[str]:
        """The fields a problem names."""
        return [fault["pointer"] for fault in self.body.get("errors", ())]


class Caller:
    """Somebody with a key or a token, calling by HTTP."""

    def __init__(self, house: House, name: str, key: str, secret: str = "") -> None:
        self._house, self.name, self.key, self.secret = house, name, key, secret

    async def call(
        self, method: str, path: str, body: object = None, *, data: bytes | None = None, **headers: str
    ) -> Answer:
        """One call. `headers` are written with `_` for `-`; `data` goes out as it is, as JSON unless said otherwise."""
        sent = {"Authorization": f"Bearer {self.key}"}
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload: dict[str, Any] = {"data": data} if data is not None else {} if body is None else {"json": body}
        return await self._house.call(method, path, headers=sent, **payload)

    async def get(self, path: str, **headers: str) -> Answer:
        """Read."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: object = None, **more: Any) -> Answer:
        """Send JSON."""
        return await self.call("POST", path, body, **more)

    async def ask(self, action: Object | str = REFUND, *, key: str | None = None, **fields: Any) -> Answer:
        """Ask for a review of an action (its name is enough)."""
        whole = {"name": action} if isinstance(action, str) else action
        headers = {} if key is None else {"Idempotency_Key": key}
        return await self.post("/v1/reviews", {"action": whole, **fields}, **headers)

    async def asked(self, action: Object | str = REFUND, **fields: Any) -> Object:
        """Ask, and take the new review."""
        answer = await self.ask(action, **fields)
        assert answer.status == 201, answer.body
        return dict(answer.body)

    async def review(self, review: str) -> Object:
        """The review as it stands."""
        answer = await self.get(f"/v1/reviews/{review}")
        assert answer.status == 200, answer.body
        return dict(answer.body)


class Watched:
    """A store that lets tests wait for what is committed, instead of sleeping."""

    def __init__(self, store: Store) -> None:
        self._store, self._committed = store, asyncio.Condition()
        self.start, self.stop, self.listen = store.start, store.stop, store.listen
        self.facts, self.view = store.facts, store.view

    async def tx(self, fn: Callable[[Tx], T]) -> T:
        """As the store does, then tell."""
        try:
            return await self._store.tx(fn)
        finally:
            async with self._committed:
                self._committed.notify_all()

    async def until(self, look: Callable[[Tx], T | None]) -> T:
        """The first true thing `look` sees, now or after a commit."""
        async with asyncio.timeout(PATIENCE), self._committed:
            while not (found := await self._store.view(look)):
                await self._committed.wait()
            return found


@dataclass(kw_only=True)
class House:
    """A running App and the ways to it."""

    app: App
    store: Watched
    session: aiohttp.ClientSession
    callers: dict[str, Caller] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.app.url

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """One HTTP call; redirects are not followed."""
        async with self.session.request(method, self.url + path, allow_redirects=False, **more) as answer:
            raw = await answer.read()
            json = await answer.json(content_type=None) if raw and "json" in answer.content_type else None
            return Answer(answer.status, json, answer.headers, raw)

    async def agent(self, name: str = "refund-desk", **given: Any) -> Caller:
        """A new agent with a key."""
        made = await self.app.operations.run("agent.add", {"name": name, **given})
        return Caller(self, name, made["key"], made["secret"])

    async def person(self, name: str) -> Caller:
        """A person with a token for votes over HTTP."""
        made = await self.app.operations.run("token", {"person": name})
        return Caller(self, name, made["token"])

    async def press(
        self, verb: Verb | str, review: Object, person: str = "ana", *, tenant: str = "signin", **more: Any
    ) -> Reply:
        """What a person presses on the web, having come in by `tenant`; on the revision they were given."""
        return await self.app.desk.interact(
            Interaction(
                verb=Verb(verb),
                identity=Identity(surface="web", id=person, tenant=tenant),
                review=review["id"],
                revision=review["revision"],
                **more,
            )
        )

    def next_waiter(self) -> asyncio.Event:
        """Set when the next long poll or stream has begun to wait."""
        entered, waiter = asyncio.Event(), self.app.hub.waiter

        def telling(review: str) -> Waiter:
            self.app.hub.waiter = waiter
            entered.set()
            return waiter(review)

        self.app.hub.waiter = telling
        return entered

    async def counted(self) -> tuple[int, ...]:
        """How many log entries and deliveries are kept: the same before and after what must keep nothing."""
        return await self.store.view(lambda tx: (len(tx.log(limit=10_000)), len(tx.deliveries(limit=10_000))))


class _Fitted(App):
    """An App with adapters of a test's own beside those that are installed."""

    fitted: Mapping[str, Adapter] = MappingProxyType({})

    def _load_adapters(self) -> None:
        super()._load_adapters()
        self.adapters |= self.fitted


@asynccontextmanager
async def running(
    folder: Path,
    *,
    policy: str = POLICY,
    store: str = "memory://",
    clock: Clock | None = None,
    config: Mapping[str, Any] | None = None,
    adapters: Mapping[str, Adapter] | None = None,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[House]:
    """Bring one up. `config` replaces whole sections of CONFIG; `adapters` come beside the web's; `env` has secrets."""
    (folder / "policy.yml").write_text(policy)
    clock = clock or SystemClock()
    kept = Watched(open_store(database_url(store, folder), clock))
    app = _Fitted(
        parse({**CONFIG, "database": store, **(config or {})}), folder=folder, env=env or {}, clock=clock, store=kept
    )
    app.fitted = adapters or {}
    await app.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            yield House(app=app, store=kept, session=session)
    finally:
        if not app.hub.closing.is_set():
            await app.stop()
