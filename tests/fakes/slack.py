"""A Slack on this machine: the `emulate` server behind a shim that makes it as strict as the real one.

`emulate` keeps channels, messages, threads, metadata, views and triggers. The shim in front of it takes what the
stock client sends (query strings, forms), refuses unknown tokens and blocks Slack would refuse, keeps ephemeral
messages, speaks socket mode, and fails on demand. Clicks are built from the message that was really posted, checked
against the published shapes, and signed as Slack signs them.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from adapters.slack.manifest import SCOPES
from tests.adapters.slack.checker import home_faults, message_faults, seen, view_faults
from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_payloads import signed as signed
from tests.fakes.slack_process import APP_TOKEN, SPY, TOKEN, Emulator

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call fails. `status`: this HTTP status. `error`: refused with this code. `body`: this text instead of
    JSON. `dropped`: carried out, then the connection is cut. `silent`: carried out, and never answered."""

    status: int = 200
    retry_after: int | None = None
    error: str = ""
    body: str = ""
    dropped: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemeral:
    """A message that one person saw."""

    channel: str
    user: str
    text: str
    thread: str = field(default="", compare=False)
    blocks: list[Json] = field(default_factory=list, compare=False)


@dataclass(slots=True, kw_only=True)
class Slack:
    """One test's Slack. `faults` by method are used up one by one (None: that call goes well; `link` is the socket);
    `calls`, `ephemerals` and `responses` (what came to a `response_url`) are in order. `views` are the modals and Homes
    as they stand, by id. `author` makes all of history another app's. `told` are the answers, by method, to what the
    emulator does not know."""

    upstream: str
    session: aiohttp.ClientSession
    api_url: str = ""
    faults: dict[str, list[Fault | None]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, Json]] = field(default_factory=list)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    responses: list[Json] = field(default_factory=list)
    views: dict[str, Json] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    uses: dict[str, int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acked: list[Json] = field(default_factory=list)
    author: str | None = None
    told: dict[str, Json] = field(default_factory=lambda: {"dnd.info": {"ok": True, "dnd_enabled": False}})
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    # ------------------------------------------------------------------------------------------ the API

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call of the Web API."""
        method = request.match_info["method"]
        args = await _arguments(request)
        self.calls.append((method, args))
        fault = self.faults[method].pop(0) if self.faults[method] else None
        if fault is not None and not (fault.dropped or fault.silent):
            self.changed.set()
            return _failed(fault)
        answer = self._refusal(request, method, args) or self.told.get(method) or await self.ask(method, args)
        if method == "conversations.history" and answer["ok"]:
            answer["messages"] = [m for m in answer["messages"] if float(m["ts"]) > float(args.get("oldest", 0))]
            for message in answer["messages"] if self.author else ():
                message.update(user=self.author, bot_id=self.author)
        if answer["ok"]:
            self._kept(method, args, answer)
        self.changed.set()
        if fault is not None and fault.silent:
            await self.closing.wait()
        if fault is not None and request.transport is not None:
            request.transport.abort()
        headers = {"x-oauth-scopes": ",".join(SCOPES)} if method == "auth.test" else {}
        return web.json_response(answer, headers=headers)

    def _kept(self, method: str, args: Json, answer: Json) -> None:
        """Keep what a person sees that the emulator does not show."""
        if method == "chat.postEphemeral":
            text, thread = seen(args["blocks"]) or args["text"], args.get("thread_ts") or ""
            shown = {"channel": args["channel"], "user": args["user"], "thread": thread, "blocks": args["blocks"]}
            self.ephemerals.append(Ephemeral(text=text, **shown))
        elif method.startswith("views."):
            self.views[answer["view"]["id"]] = {**args["view"], **answer["view"], "blocks": args["view"]["blocks"]}

    def _refusal(self, request: web.Request, method: str, args: Json) -> Json | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if method == "apps.connections.open":
            return {"ok": True, "url": self._ticket()} if token == APP_TOKEN else {"ok": False, "error": "invalid_auth"}
        if token != TOKEN:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        faults = _faults(method, args)
        if faults:
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": faults}}
        return None

    def _ticket(self) -> str:
        """An address for one connection: Slack's are used up by it."""
        ticket = secrets.token_urlsafe(8)
        self.tickets.add(ticket)
        return self.api_url.replace("http", "ws", 1).replace("/api/", f"/link?ticket={ticket}")

    async def ask(self, method: str, args: Json | None = None, token: str = TOKEN) -> Json:
        """Ask the emulator itself, past the shim."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.upstream}/api/{method}", json=args or {}, headers=headers) as answer:
            found: Json = await answer.json()
            return found

    async def respond(self, request: web.Request) -> web.Response:
        """What the app says at a `response_url`, which takes five answers."""
        uses = self.uses[request.path] = self.uses.get(request.path, 0) + 1
        said = await request.json()
        faults = message_faults(said.get("blocks"), said.get("text"))
        if uses > 5 or faults:
            return web.Response(status=404 if uses > 5 else 400, text=f"used_url or invalid_blocks: {faults}")
        self.responses.append(said)
        self.changed.set()
        return web.Response(text="ok")

    async def link(self, request: web.Request) -> web.StreamResponse:
        """A socket mode connection, kept in `sockets`; what the app acknowledges is kept in `acked`."""
        fault = self.faults["link"].pop(0) if self.faults["link"] else None
        if fault is not None:
            return _failed(fault)
        if request.query.get("ticket") not in self.tickets:
            return web.Response(status=404, text="this address was used")
        self.tickets.discard(request.query["ticket"])
        link = web.WebSocketResponse()
        await link.prepare(request)
        await link.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(link)
        self.changed.set()
        async for message in link:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.acked.append(json.loads(message.data))
                self.changed.set()
        return link

    # ------------------------------------------------------------------------------------------ looking

    async def user(self, name: str) -> str:
        """The id of a seeded user."""
        answer = await self.ask("users.lookupByEmail", {"email": f"{name}@example.com"}, SPY)
        return str(answer["user"]["id"])

    async def channel(self, name: str) -> str:
        """The id of a seeded channel."""
        answer = await self.ask("conversations.list", {"types": "public_channel"}, SPY)
        return next(str(c["id"]) for c in answer["channels"] if c["name"] == name)

    async def message(self, channel: str, ts: str) -> Json:
        """A posted message as Slack keeps it now, also one in a thread."""
        answer = await self.ask("conversations.replies", {"channel": channel, "ts": ts}, SPY)
        return next(m for m in answer["messages"] if m["ts"] == ts)

    async def replies(self, channel: str, ts: str) -> list[Json]:
        """The replies beneath a message, newest first."""
        answer = await self.ask("conversations.replies", {"channel": channel, "ts": ts}, SPY)
        return [m for m in reversed(answer["messages"]) if m["ts"] != ts]

    async def history(self, channel: str) -> list[Json]:
        """The channel's messages, newest first."""
        answer = await self.ask("conversations.history", {"channel": channel, "limit": 1000}, SPY)
        return list(answer["messages"])

    async def direct(self, user: str) -> list[str]:
        """What the bot told this person alone, by direct message, newest first."""
        opened = await self.ask("conversations.open", {"users": user}, SPY)
        return [seen(m.get("blocks")) or m["text"] for m in await self.history(opened["channel"]["id"])]

    async def until(self, found: Any) -> None:
        """Return once `found()` is true; it is looked at after every call."""
        async with asyncio.timeout(10):
            while not found():
                self.changed.clear()
                await self.changed.wait()

    # ------------------------------------------------------------------------------------------ pressing

    async def press(self, channel: str, ts: str, user: str, action_id: str, option: int | str = 0) -> Json:
        """The payload of a click on a control that lies on the posted message."""
        message = await self.message(channel, ts)
        return payloads.click(
            user,
            payloads.action(message["blocks"], action_id, option),
            await self.trigger(user),
            channel={"id": channel, "name": "reviews"},
            container={"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            message=message,
            response_url=self.response_url(),
        )

    async def press_alone(self, shown: Ephemeral, action_id: str, option: int | str = 0) -> Json:
        """The payload of a click on a message that one person sees."""
        container = {"type": "message", "message_ts": "1.2", "channel_id": shown.channel, "is_ephemeral": True}
        return payloads.click(
            shown.user,
            payloads.action(shown.blocks, action_id, option),
            await self.trigger(shown.user),
            channel={"id": shown.channel, "name": "reviews"},
            container=container,
            response_url=self.response_url(),
        )

    async def press_view(self, view: Json, user: str, action_id: str, option: int | str = 0) -> Json:
        """The payload of a click in a modal or on Home."""
        return payloads.click(
            user,
            payloads.action(view["blocks"], action_id, option),
            await self.trigger(user, view["id"] if view["type"] == "modal" else ""),
            container={"type": "view", "view_id": view["id"]},
            view=view,
        )

    async def trigger(self, user: str, view: str = "") -> str:
        """A trigger that may open one modal, upon `view` if one is given."""
        asked = {"user_id": user, **({"view_id": view} if view else {})}
        return str((await self.ask("views.generateTriggerId", asked))["trigger_id"])

    def response_url(self) -> str:
        """A fresh address for answers."""
        return self.api_url.replace("/api/", f"/response/{secrets.token_urlsafe(8)}")

    def submit(self, view: Json, user: str, values: Json) -> Json:
        """The payload of a form sent with these values, by field name."""
        return payloads.submission(view, user, values)

    async def command(self, text: str, user: str, channel: str) -> Json:
        """The payload of a typed command."""
        return payloads.command(text, user, channel, self.response_url(), await self.trigger(user))

    async def shortcut(self, channel: str, ts: str, user: str) -> Json:
        """The payload of the shortcut on a posted message."""
        return payloads.shortcut(await self.message(channel, ts), user, channel, await self.trigger(user))


@asynccontextmanager
async def slack_server(emulator: Emulator) -> AsyncIterator[Slack]:
    """A shim of its own for one test, in front of the emulator all tests share."""
    async with aiohttp.ClientSession() as session:
        slack = Slack(upstream=emulator.url, session=session)
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/api/{method}", slack.answer)
        app.router.add_get("/link", slack.link)
        app.router.add_post("/response/{id}", slack.respond)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        slack.api_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        try:
            yield slack
        finally:
            slack.closing.set()
            for link in slack.sockets:
                await link.close()
            await runner.cleanup()


async def _arguments(request: web.Request) -> Json:
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        args |= await request.json()
    elif request.method == "POST":
        args |= dict(await request.post())
    for name in ("blocks", "view", "metadata"):
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    return args


def _faults(method: str, args: Json) -> list[str]:
    if method in ("chat.postMessage", "chat.update", "chat.postEphemeral"):
        return message_faults(args.get("blocks"), args.get("text"))
    if method == "views.publish" or (method == "views.update" and args["view"].get("type") == "home"):
        return home_faults(args["view"])
    return view_faults(args["view"]) if method.startswith("views.") else []


def _failed(fault: Fault) -> web.Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
    if fault.body:
        return web.Response(status=fault.status, text=fault.body, content_type="text/html", headers=headers)
    error = fault.error or ("ratelimited" if fault.status == 429 else "internal_error")
    return web.json_response({"ok": False, "error": error}, status=fault.status, headers=headers)
