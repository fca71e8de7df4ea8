"""Slack, with slack-bolt mounted in our own aiohttp application: posts, updates, clicks.

Bolt checks signatures (within five minutes) and finds the listener; what a click means is not its business.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from markupsafe import Markup
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from adapters.port import Adapter, Setup
from adapters.slack import render
from adapters.slack.calls import Calls, CardRefused, translated
from adapters.slack.clicks import Clicks
from adapters.slack.config import Secrets, SlackConfig, configure
from adapters.slack.limits import ABILITIES
from adapters.slack.parse import SURFACE
from adapters.slack.places import Places
from adapters.slack.render import Message
from reviews.card import Card
from reviews.errors import PlacetError, SurfaceRefused, SurfaceUnavailable
from reviews.model import Identity, Target
from reviews.ports import Clock, Desk, Health, MessageRef

_log = logging.getLogger(__name__)

PATH = "/slack/events"
#: How a posted copy is found again: Slack keeps this beside the message, out of sight.
EVENT_TYPE = "placet_copy"
_FRESH = timedelta(seconds=5)
_SKEW = timedelta(minutes=2)
_PAGES = 20


def create(setup: Setup) -> Adapter | None:
    """The Slack surface, or None where there is no bot token. Raises SlackMisconfigured."""
    configured = configure(setup.config, setup.env)
    if configured is None:
        if setup.config:
            _log.warning("placet.yml has a section slack, but PLACET_SLACK_BOT_TOKEN is not set: Slack is off")
        return None
    config, secrets = configured
    return SlackAdapter(config, secrets, desk=setup.desk, clock=setup.clock)


def preview(card: Card) -> str:
    """How a card looks in Slack, as HTML that is safe to put into a page; works where Slack is not set up too."""
    return Markup(render.preview_html(card))  # noqa: S704 - every text in it is escaped by sketch.py


class SlackAdapter:
    """The surface `slack`. `patience` is how many seconds a click may wait for its decision unacknowledged."""

    name = SURFACE
    abilities = ABILITIES

    def __init__(
        self, config: SlackConfig, secrets: Secrets, *, desk: Desk, clock: Clock, patience: float = 1.5
    ) -> None:
        self._config = config
        self._secrets = secrets
        self._clock = clock
        self._calls = Calls(config, secrets.bot_token)
        self._places = Places(self._calls)
        self._clicks = Clicks(desk, self._calls, self.whisper, patience=patience)
        self._bolt: AsyncApp | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._health: tuple[datetime, Health] | None = None
        self._self: tuple[str, str] | None = None

    # ------------------------------------------------------------------------------------------ life

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Slack's one address, for events and clicks alike; none in socket mode."""
        return [web.post(PATH, self._receive)] if self._config.mode == "http" else []

    async def start(self) -> None:
        """Open the session, make the Bolt app; in socket mode connect. A Slack that is down does not stop us."""
        await self._calls.start()
        self._bolt = AsyncApp(
            name="placet",
            client=self._calls.stranger(),
            signing_secret=self._secrets.signing_secret,
            authorize=_one_workspace(self._secrets.bot_token),
        )
        self._clicks.listen(self._bolt)
        if self._config.mode == "socket":
            self._socket = AsyncSocketModeHandler(self._bolt, self._secrets.app_token)
            if self._config.loopback:
                self._socket.client.proxy = None
            # It tries until Slack answers, however long that takes; `health` says how it stands.
            self._connecting = asyncio.create_task(self._socket.connect_async())  # type: ignore[no-untyped-call] # Bolt's are untyped

    async def stop(self) -> None:
        """Close the socket and the session."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._socket is not None:
            await self._socket.close_async()  # type: ignore[no-untyped-call] # Bolt's are untyped
        await self._calls.stop()

    async def _receive(self, request: web.Request) -> web.Response:
        """A request of Slack's. What Bolt would stumble over is refused before it: 401, 400."""
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not (stamp.isascii() and stamp.isdigit()):
            return web.Response(status=401, text="X-Slack-Request-Timestamp is missing or not a number")
        try:
            asked = await to_bolt_request(request)
        except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
            # Bolt reads the body before it looks at the signature, so anybody may send it any shape.
            return web.Response(status=400, text="the body is not what Slack sends")
        assert self._bolt is not None, "routes are served after start"
        answer: web.Response = await to_aiohttp_response(await self._bolt.async_dispatch(asked))
        return answer

    # ------------------------------------------------------------------------------------------ the surface

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Post a copy, then its long parts as the first reply. See `Surface.post`."""
        try:
            channel = await self._places.channel(target)
            sent = await self._send(channel, card, copy_id)
        except SurfaceRefused:
            self._places.forget(target)
            raise
        return MessageRef(surface=self.name, ref={**sent, "copy": copy_id, **await self._reply(sent, card)})

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Redraw a copy, and its thread where that changed. See `Surface.update`."""
        channel, ts = ref.ref["channel"], ref.ref["ts"]
        try:
            await self._redraw(channel, ts, render.message(card, ref.ref.get("copy", "")))
        except CardRefused:
            _log.exception("Slack did not take the card of %s; a minimal one is shown", card.review)
            await self._redraw(channel, ts, render.minimal(card))
        long = render.details(card)
        if long is not None and "thread" in ref.ref and ref.ref.get("drawn") != _mark(long):
            await self._redraw(channel, ref.ref["thread"], long)

    async def whisper(self, identity: Identity, text: str) -> None:
        """Send one person a direct message. See `Surface.whisper`."""
        channel = await self._places.channel(Target(surface=self.name, address=identity.id))
        said = render.note(text)
        with translated(posting=True):
            await self._calls.once.chat_postMessage(
                channel=channel, text=said.text, blocks=said.blocks, unfurl_links=False, unfurl_media=False
            )

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Look for a copy by its metadata, in our own messages only. See `Surface.find`.

        Only for a post whose answer was lost: Slack limits reading history harshly.
        """
        channel = await self._places.channel(target)
        us = await self._ourselves()
        cursor = ""
        for _ in range(_PAGES):
            with translated():
                page = await self._calls.steady.conversations_history(
                    channel=channel,
                    oldest=f"{(since - _SKEW).timestamp():.6f}",
                    include_all_metadata=True,
                    limit=200,
                    cursor=cursor,
                )
            found = next((m for m in page["messages"] if _is_copy(m, copy_id, us)), None)
            if found is not None:
                return MessageRef(surface=self.name, ref={"channel": channel, "ts": found["ts"], "copy": copy_id})
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return None
        raise SurfaceUnavailable("The channel has too many messages since then to be sure; looking again later.")

    async def health(self) -> Health:
        """Whether Slack takes our token, asked at most every few seconds."""
        now = self._clock.now()
        if self._health is None or now - self._health[0] >= _FRESH:
            self._health = (now, await self._examine())
        return self._health[1]

    # ------------------------------------------------------------------------------------------ parts

    async def _send(self, channel: str, card: Card, copy_id: str) -> dict[str, str]:
        try:
            return await self._say(channel, render.message(card, copy_id), copy_id)
        except CardRefused:
            _log.exception("Slack did not take the card of %s; a minimal one is posted", card.review)
            return await self._say(channel, render.minimal(card), copy_id)

    async def _say(self, channel: str, message: Message, copy_id: str = "", thread: str = "") -> dict[str, str]:
        mark = {"event_type": EVENT_TYPE, "event_payload": {"copy": copy_id}}
        with translated(posting=True):
            sent = await self._calls.once.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=message.blocks,
                metadata=mark if copy_id else None,
                thread_ts=thread or None,
                unfurl_links=False,
                unfurl_media=False,
            )
        return {"channel": str(sent["channel"]), "ts": str(sent["ts"])}

    async def _reply(self, sent: dict[str, str], card: Card) -> dict[str, str]:
        """Post the long parts. The card is there already: a failure here must not have it posted again."""
        long = render.details(card)
        if long is None:
            return {}
        try:
            reply = await self._say(sent["channel"], long, thread=sent["ts"])
        except PlacetError:
            _log.exception("the details of %s could not be posted; they are on the full page", card.review)
            return {}
        return {"thread": reply["ts"], "drawn": _mark(long)}

    async def _redraw(self, channel: str, ts: str, message: Message) -> None:
        # Both text and blocks, always: text alone would take the blocks away.
        with translated():
            await self._calls.steady.chat_update(channel=channel, ts=ts, text=message.text, blocks=message.blocks)

    async def _ourselves(self) -> tuple[str, str]:
        """Our user and bot ids, asked for once."""
        if self._self is None:
            with translated():
                me = await self._calls.steady.auth_test()
            self._self = (str(me.get("user_id") or ""), str(me.get("bot_id") or ""))
        return self._self

    async def _examine(self) -> Health:
        try:
            with translated():
                await self._calls.steady.auth_test()
        except PlacetError as fault:
            return Health(ok=False, text=str(fault))
        if self._socket is not None and not await self._socket.client.is_connected():
            return Health(ok=False, text="The socket to Slack is closed. It reconnects by itself; else restart Placet.")
        return Health(ok=True)


def _one_workspace(token: str) -> Callable[..., Awaitable[AuthorizeResult]]:
    """One workspace, one token. Bolt's own way asks Slack first, and a click must not depend on that."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    return authorize


def _is_copy(message: dict[str, Any], copy_id: str, us: tuple[str, str]) -> bool:
    """Whether a message of the history is our copy. Another app may carry the same metadata; ours is signed by us."""
    mark = message.get("metadata") or {}
    ours = bool({message.get("user"), message.get("bot_id")} & ({*us} - {""}))
    return ours and mark.get("event_type") == EVENT_TYPE and (mark.get("event_payload") or {}).get("copy") == copy_id


def _mark(message: Message) -> str:
    """A short fingerprint of what was drawn."""
    return hashlib.sha256(json.dumps(message.blocks, sort_keys=True).encode()).hexdigest()[:16]
