"""A Slack on this machine: the `emulate` server behind a shim that makes it as strict as the real one.

`emulate` keeps channels, messages, threads, metadata, views and triggers. The shim in front of it takes what the
stock client sends (query strings, forms), refuses unknown tokens and blocks Slack would refuse, keeps ephemeral
messages, speaks socket mode, and fails on demand. Clicks are built from the message that was really posted, checked
against the published shapes, and signed as Slack signs them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_events.validation import validate_payload
from slack_sdk.signature import SignatureVerifier

from tests.adapters.slack.checker import message_faults, seen, view_faults
from tests.fakes.slack_process import APP_TOKEN, SECRET, TEAM, TOKEN, Emulator

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


@dataclass(slots=True, kw_only=True)
class Slack:
    """One test's Slack. `faults` by method are used up one by one (None: that call goes well); `calls` and
    `ephemerals` are in order. `author` makes all of history another app's."""

    upstream: str
    session: aiohttp.ClientSession
    api_url: str = ""
    faults: dict[str, list[Fault | None]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, Json]] = field(default_factory=list)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acked: list[Json] = field(default_factory=list)
    author: str | None = None
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    # ------------------------------------------------------------------------------------------ the API

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call of the Web API."""
        method = request.match_info["method"]
        args = await _arguments(request)
        self.calls.append((method, args))
        fault = self.faults[method].pop(0) if self.faults[method] else None
        if fault is not None and not (fault.dropped or fault.silent):
            return _failed(fault)
        answer = self._refusal(request, method, args) or await self.ask(method, args)
        if method == "conversations.history" and answer["ok"]:
            answer["messages"] = [m for m in answer["messages"] if float(m["ts"]) > float(args.get("oldest", 0))]
            for message in answer["messages"] if self.author else ():
                message.update(user=self.author, bot_id=self.author)
        if method == "chat.postEphemeral" and answer["ok"]:
            said = Ephemeral(channel=args["channel"], user=args["user"], text=seen(args["blocks"]) or args["text"])
            self.ephemerals.append(said)
        self.changed.set()
        if fault is not None and fault.silent:
            await self.closing.wait()
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    def _refusal(self, request: web.Request, method: str, args: Json) -> Json | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if method == "apps.connections.open":
            url = self.api_url.replace("http", "ws", 1).replace("/api/", "/link")
            return {"ok": True, "url": url} if token == APP_TOKEN else {"ok": False, "error": "invalid_auth"}
        if token != TOKEN:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        faults = _faults(method, args)
        if faults:
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": faults}}
        return None

    async def ask(self, method: str, args: Json | None = None) -> Json:
        """Ask the emulator itself, past the shim."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.session.post(f"{self.upstream}/api/{method}", json=args or {}, headers=headers) as answer:
            found: Json = await answer.json()
            return found

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """A socket mode connection, kept in `sockets`; what the app acknowledges is kept in `acked`."""
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
        answer = await self.ask("users.lookupByEmail", {"email": f"{name}@example.com"})
        return str(answer["user"]["id"])

    async def channel(self, name: str) -> str:
        """The id of a seeded channel."""
        answer = await self.ask("conversations.list", {"types": "public_channel"})
        return next(str(c["id"]) for c in answer["channels"] if c["name"] == name)

    async def message(self, channel: str, ts: str) -> Json:
        """A posted message as Slack keeps it now, also one in a thread."""
        answer = await self.ask("conversations.replies", {"channel": channel, "ts": ts})
        return next(m for m in answer["messages"] if m["ts"] == ts)

    async def history(self, channel: str) -> list[Json]:
        """The channel's messages, newest first."""
        answer = await self.ask("conversations.history", {"channel": channel, "limit": 1000})
        return list(answer["messages"])

    async def direct(self, user: str) -> list[str]:
        """What the bot told this person alone, by direct message, newest first."""
        opened = await self.ask("conversations.open", {"users": user})
        return [seen(m.get("blocks")) or m["text"] for m in await self.history(opened["channel"]["id"])]

    async def until(self, found: Any) -> None:
        """Return once `found()` is true; it is looked at after every call."""
        async with asyncio.timeout(10):
            while not found():
                self.changed.clear()
                await self.changed.wait()

    # ------------------------------------------------------------------------------------------ pressing

    async def press(self, channel: str, ts: str, user: str, action_id: str, option: int = 0) -> Json:
        """The payload of a click on a control that lies on the posted message."""
        message = await self.message(channel, ts)
        block, element = next(
            (b, e) for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]
            if e["action_id"] == action_id
        )  # fmt: skip
        action = {"type": element["type"], "action_id": action_id, "block_id": block["block_id"], "action_ts": "1.2"}
        if element["type"] == "button":
            action["value"] = element["value"]
        else:
            action["selected_option"] = element["options"][option]
        payload = {
            **_sender("block_actions", user),
            "channel": {"id": channel, "name": "reviews"},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel},
            "message": message,
            "trigger_id": (await self.ask("views.generateTriggerId", {"user_id": user}))["trigger_id"],
            "actions": [action],
        }
        validate_payload("block_actions", None, payload)
        return payload

    def submit(self, view: Json, user: str, values: Json) -> Json:
        """The payload of a form sent with these values, by field name."""
        inputs = [block for block in view["blocks"] if block["type"] == "input"]
        state = {block["block_id"]: _filled(block, values) for block in inputs}
        payload = {
            **_sender("view_submission", user),
            "trigger_id": "1.2.3",
            "view": {**view, "id": view["id"], "state": {"values": state}},
            "response_urls": [],
        }
        validate_payload("view_submission", None, payload)
        return payload


def signed(payload: Json | str, *, stamp: str = "", signature: str = "") -> tuple[str, dict[str, str]]:
    """Body and headers of a payload, signed as Slack signs."""
    body = payload if isinstance(payload, str) else urlencode({"payload": json.dumps(payload)})
    stamp = stamp or str(int(time.time()))
    made = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    return body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature or str(made),
    }


@asynccontextmanager
async def slack_server(emulator: Emulator) -> AsyncIterator[Slack]:
    """A shim of its own for one test, in front of the emulator all tests share."""
    async with aiohttp.ClientSession() as session:
        slack = Slack(upstream=emulator.url, session=session)
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/api/{method}", slack.answer)
        app.router.add_get("/link", slack.link)
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


def _sender(kind: str, user: str) -> Json:
    return {
        "type": kind,
        "user": {"id": user, "username": "somebody", "name": "somebody", "team_id": TEAM},
        "api_app_id": "A0PLACET",
        "token": "unused",
        "team": {"id": TEAM, "domain": "placet-tests"},
    }


def _filled(block: Json, values: Json) -> Json:
    """What Slack sends of one input: the choice, the date or the text, or null where it was left blank."""
    element = block["element"]
    value = values.get(block["block_id"].removeprefix("field:"))
    key = {"static_select": "selected_option", "radio_buttons": "selected_option", "datepicker": "selected_date"}
    if key.get(element["type"]) == "selected_option" and value is not None:
        value = next(option for option in element["options"] if option["value"] == value)
    return {element["action_id"]: {"type": element["type"], key.get(element["type"], "value"): value}}


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
    return view_faults(args["view"]) if method in ("views.open", "views.update") else []


def _failed(fault: Fault) -> web.Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
    if fault.body:
        return web.Response(status=fault.status, text=fault.body, content_type="text/html", headers=headers)
    error = fault.error or ("ratelimited" if fault.status == 429 else "internal_error")
    return web.json_response({"ok": False, "error": error}, status=fault.status, headers=headers)
