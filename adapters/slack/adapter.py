"""Slack, with slack-bolt mounted in our own aiohttp application: posts, updates, notes, finds.

What comes in is `transport`, what people press `clicks`, what they type `words`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from markupsafe import Markup
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.chores import Chores
from adapters.port import Adapter, Setup
from adapters.slack import render
from adapters.slack.answers import Answers
from adapters.slack.bulk import Bulk
from adapters.slack.calls import Calls, CardRefused, Refused, translated
from adapters.slack.clicks import Clicks
from adapters.slack.config import Secrets, SlackConfig, configure
from adapters.slack.groups import Pauses
from adapters.slack.home import Homes
from adapters.slack.limits import ABILITIES
from adapters.slack.manifest import COMMAND, SHORTCUT
from adapters.slack.modals import Ack, Modals
from adapters.slack.parse import SURFACE, lying, mark_of
from adapters.slack.places import Places, is_person
from adapters.slack.press import ASKING, CALLBACK, PICKING
from adapters.slack.render import Message
from adapters.slack.text import Json
from adapters.slack.transport import Pause, Transport
from adapters.slack.words import Words
from reviews.card import Card, Happening
from reviews.errors import PlacetError, SurfaceBlind, SurfaceRefused, SurfaceUnavailable
from reviews.model import Identity, Target
from reviews.ports import Clock, Desk, Health, MessageRef, Refusal
from reviews.values import replace

_log = logging.getLogger(__name__)

#: How a posted copy is found again: Slack keeps this beside the message, out of sight.
EVENT_TYPE = "placet_copy"
_FRESH = timedelta(seconds=5)
_SKEW = timedelta(minutes=2)
_PAGES = 20
#: Slack's words for: you may not look there.
_BLIND = frozenset({"missing_scope", "not_in_channel", "channel_not_found", "no_permission", "access_denied"})


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
        self,
        config: SlackConfig,
        secrets: Secrets,
        *,
        desk: Desk,
        clock: Clock,
        patience: float = 1.5,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.tenant: str | None = config.team or ""
        self._config = config
        self._clock = clock
        self._calls = Calls(config, secrets.bot_token)
        self._chores = Chores(SURFACE)
        self._places = Places(self._calls)
        self._pauses = Pauses(self._calls)
        self._desk = desk
        answers = Answers(self._calls, self.whisper, api_url=config.api_url)
        self._modals = Modals(desk, self._calls, answers, self._chores, patience=patience)
        self._bulk = Bulk(desk, answers, self._chores)
        self._clicks = Clicks(desk, answers, self._modals, self._bulk, self._chores, patience=patience)
        self._words = Words(desk, self._calls, answers, self._modals, self._chores, ours=self._ours, patience=patience)
        self._homes = Homes(desk, self._calls, self._chores, pause=pause)
        self._following: asyncio.Task[None] | None = None
        self._transport = Transport(
            config, secrets, self._calls, self._chores, listen=self._listen, learned=self._learned, pause=pause
        )
        self._health: tuple[datetime, Health] | None = None

    # ------------------------------------------------------------------------------------------ life

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Slack's one address, for events and clicks alike; none in socket mode."""
        return self._transport.routes()

    async def start(self) -> None:
        """Open the session and the way in. A Slack that is down does not stop us."""
        await self._calls.start()
        await self._transport.start()
        self._following = asyncio.create_task(self._homes.run())

    async def stop(self) -> None:
        """Take nothing more, end what was begun, close the session."""
        await self._transport.stop()
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._chores.drain()
        await self._calls.stop()

    def _listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt; a click or form that is not ours is answered too, for every one is."""
        bolt.action(re.compile(""))(self._clicks.on_action)
        bolt.view(re.compile(""))(self._on_view)
        bolt.command(COMMAND)(self._words.on_command)
        bolt.shortcut(SHORTCUT)(self._words.on_shortcut)
        bolt.event("app_home_opened")(self._homes.on_opened)
        if self._config.comments == "thread":
            bolt.event("message")(self._words.on_message)

    async def _on_view(self, ack: Ack, body: Json) -> None:
        """A modal was sent."""
        taken = {CALLBACK: self._modals.submitted, PICKING: self._bulk.submitted, ASKING: self._words.submitted}
        await taken.get(str(body["view"].get("callback_id")), self._modals.submitted)(ack, body)

    def _ours(self) -> frozenset[str]:
        return self._transport.ourselves.ids

    def _learned(self) -> None:
        self.tenant = self._config.team or self._transport.ourselves.team

    # ------------------------------------------------------------------------------------------ the surface

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Post a copy, then its long parts as the first reply. See `Surface.post`."""
        try:
            channel = await self._places.channel(target)
            sent = await self._send(channel, card, copy_id, target.thread)
        except SurfaceRefused:
            self._places.forget(target)
            raise
        reply, muted = await asyncio.gather(self._reply(sent, card), self._muted(target))
        return replace(_ref({**sent, "copy": copy_id, **reply}), muted=muted)

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
            try:
                await self._redraw(channel, ref.ref["thread"], long)
            except SurfaceRefused:
                # Somebody deleted the reply: the card itself stands, and must go on being redrawn.
                _log.exception("the details of %s could not be redrawn; they are on the full page", card.review)

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Say beneath a copy, as a reply, what happened. See `Surface.note`."""
        if lines:
            await self._say(ref.ref["channel"], render.news(lines), thread=ref.ref.get("parent") or ref.ref["ts"])

    async def whisper(self, identity: Identity, text: str) -> None:
        """Send one person a direct message. See `Surface.whisper`."""
        channel = await self._places.channel(Target(surface=self.name, address=identity.id))
        await self._say(channel, render.note(text))

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Look for a copy by its metadata, in our own messages only. See `Surface.find`.

        Only for a post whose answer was lost: Slack limits reading history harshly.
        """
        channel = await self._places.channel(target)
        if not self._transport.ourselves.ids:
            await self._transport.ourselves.ask()
        us = self._transport.ourselves.ids
        async for page in self._pages(channel, target.thread, since):
            found = next((m for m in page if _is_copy(m, copy_id, us)), None)
            if found is not None:
                return _ref({**lying(channel, found["ts"], target.thread), "copy": copy_id})
        return None

    async def health(self) -> Health:
        """Whether Slack takes our token, asked at most every few seconds."""
        now = self._clock.now()
        if self._health is None or now - self._health[0] >= _FRESH:
            self._health = (now, await self._examine())
        return self._health[1]

    # ------------------------------------------------------------------------------------------ parts

    async def _pages(self, channel: str, thread: str, since: datetime) -> AsyncIterator[list[Json]]:
        """The messages there since then, a page at a time.

        Raises SurfaceBlind where we may not look, SurfaceUnavailable where there are too many.
        """
        asked = {"oldest": f"{(since - _SKEW).timestamp():.6f}", "include_all_metadata": True, "limit": 200}
        cursor = ""
        for _ in range(_PAGES):
            try:
                with translated():
                    page = await self._page(channel, thread, cursor=cursor, **asked)
            except Refused as fault:
                if fault.error in _BLIND:
                    raise SurfaceBlind(f"The bot cannot look for its post there: {fault}") from fault
                raise
            yield page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return
        raise SurfaceUnavailable("Too many messages came there since then to be sure; looking again later.")

    async def _page(self, channel: str, thread: str, **asked: Any) -> AsyncSlackResponse:
        if thread:
            return await self._calls.steady.conversations_replies(channel=channel, ts=thread, **asked)
        return await self._calls.steady.conversations_history(channel=channel, **asked)

    async def _send(self, channel: str, card: Card, copy_id: str, thread: str) -> dict[str, str]:
        try:
            return await self._say(channel, render.message(card, copy_id), copy_id, thread)
        except CardRefused:
            _log.exception("Slack did not take the card of %s; a minimal one is posted", card.review)
            return await self._say(channel, render.minimal(card), copy_id, thread)

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
        return lying(str(sent["channel"]), str(sent["ts"]), thread)

    async def _reply(self, sent: dict[str, str], card: Card) -> dict[str, str]:
        """Post the long parts. The card is there already: a failure here must not have it posted again."""
        long = render.details(card)
        if long is None:
            return {}
        try:
            reply = await self._say(sent["channel"], long, thread=sent.get("parent") or sent["ts"])
        except PlacetError:
            _log.exception("the details of %s could not be posted; they are on the full page", card.review)
            return {}
        return {"thread": reply["ts"], "drawn": _mark(long)}

    async def _muted(self, target: Target) -> str:
        """Why a person does not notice what they were sent; empty where they do, and for a channel."""
        user = target.address.strip()
        until = await self._pauses.until(user, self._clock.now()) if is_person(user) else None
        if until is None:
            return ""
        person = await self._desk.who(Identity(surface=SURFACE, id=user, tenant=self.tenant))
        name = user if isinstance(person, Refusal) else person.name
        return f"{name} has paused notifications in Slack until {until:%d %b %H:%M} UTC"

    async def _redraw(self, channel: str, ts: str, message: Message) -> None:
        # Both text and blocks, always: text alone would take the blocks away.
        with translated():
            await self._calls.steady.chat_update(channel=channel, ts=ts, text=message.text, blocks=message.blocks)

    async def _examine(self) -> Health:
        try:
            await self._transport.ourselves.ask()
        except PlacetError as fault:
            return Health(ok=False, text=str(fault))
        wrong = self._transport.fault()
        return Health(ok=not wrong, text=wrong)


def _ref(ref: dict[str, str]) -> MessageRef:
    return MessageRef(surface=SURFACE, ref=ref, mark=mark_of(ref))


def _is_copy(message: Json, copy_id: str, us: frozenset[str]) -> bool:
    """Whether a message of the history is our copy. Another app may carry the same metadata; ours is signed by us."""
    mark = message.get("metadata") or {}
    ours = bool({message.get("user"), message.get("bot_id")} & us)
    return ours and mark.get("event_type") == EVENT_TYPE and (mark.get("event_payload") or {}).get("copy") == copy_id


def _mark(message: Message) -> str:
    """A short fingerprint of what was drawn."""
    return hashlib.sha256(json.dumps(message.blocks, sort_keys=True).encode()).hexdigest()[:16]
