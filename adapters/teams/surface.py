"""Teams, behind the seam: posts, updates, notes. What comes in is `transport`, what people press `clicks`, what they
type `words`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from adapters.chores import Chores
from adapters.saying import FOREIGN
from adapters.teams import parse, render
from adapters.teams.answers import Answers, Manner, Shown, answered, manner_of
from adapters.teams.bulk import Bulk
from adapters.teams.calls import CardRefused, translated
from adapters.teams.clicks import Clicks
from adapters.teams.config import TeamsConfig
from adapters.teams.limits import ABILITIES
from adapters.teams.pace import Pace
from adapters.teams.parse import SURFACE, Invoke, Kind, Nobody, kind_of, mark_of, threaded
from adapters.teams.places import Places, Where
from adapters.teams.seam import Answered, Connector, Failed, Json, Sent
from adapters.teams.sending import Sending
from adapters.teams.tokens import Tokens
from adapters.teams.transport import Transport
from adapters.teams.words import Words
from adapters.token import Malformed
from reviews.card import Card, Happening
from reviews.errors import PlacetError, SurfaceBlind, SurfaceRefused
from reviews.model import Identity, Target
from reviews.ports import Clock, Desk, Health, MessageRef, References

_log = logging.getLogger(__name__)

_FRESH = timedelta(seconds=5)
#: Seconds that the long parts may take: who waits for the post would else give up a card that is there.
_BENEATH = 5.0
#: Places that could not be reached which are named to the operator.
_NAMED = 3


class TeamsSurface:
    """The surface `teams`. `patience` is how many seconds somebody may wait for an answer before they are told so."""

    name = SURFACE
    abilities = ABILITIES

    def __init__(
        self,
        config: TeamsConfig,
        desk: Desk,
        clock: Clock,
        references: References,
        connector: Connector,
        tokens: Tokens,
        *,
        patience: float = 1.5,
        pace: Pace | None = None,
    ) -> None:
        self.tenant: str | None = config.tenant_id
        self._clock = clock
        self._connector = connector
        self._tokens = tokens
        self._chores = Chores(SURFACE)
        self._places = Places(references, service=config.service_url, tenant=config.tenant_id)
        self._sending = Sending(connector, pace or Pace(time.monotonic), self._places)
        self._answers = Answers(self._sending, self._places, self._chores, patience=patience)
        bulk = Bulk(desk, self._answers, self._chores)
        self._words = Words(desk, self._answers, self._places, bulk)
        self._clicks = Clicks(desk, self._answers, bulk, self._words, self._chores)
        self._transport = Transport(tokens, connector, self._handle)
        self._health: tuple[datetime, Health] | None = None

    # ------------------------------------------------------------------------------------------ life

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Teams' one address, for messages and clicks alike."""
        return self._transport.routes()

    async def start(self) -> None:
        """Open what is kept open. A Teams that is down does not stop us."""
        await self._connector.start()
        await self._tokens.start()

    async def stop(self) -> None:
        """End what was begun, close what is open."""
        await self._chores.drain()
        await self._connector.stop()

    # ------------------------------------------------------------------------------------------ what comes in

    async def _handle(self, payload: Json) -> Answered:
        """What a verified activity is answered with. Raises StoreUnavailable for what Teams is to send again."""
        manner = manner_of(payload)
        try:
            origin = parse.origin(payload)
        except Malformed as fault:
            _log.warning("what Teams sent cannot be read: %s", fault)
            return answered(manner, Shown(text=str(fault) if isinstance(fault, Nobody) else FOREIGN))
        invoke = parse.invoked(payload)
        self._chores.add(self._places.note(origin, member=not parse.anywhere(payload)))
        if invoke == Invoke.POINT:
            return await self._words.on_pointed(origin, payload)
        if manner is Manner.MESSAGE and invoke:
            # Of a name we do not know, so in a shape we do not know: anything else Teams shows as broken.
            return Answered(body={})
        if manner is not Manner.MESSAGE or isinstance(payload.get("value"), dict):
            return await self._clicks.on_press(origin, manner, payload)
        if payload.get("type") == "message":
            return await self._words.on_message(origin, payload)
        return await self._words.on_installed(origin) if parse.welcomed(payload) else Answered()

    # ------------------------------------------------------------------------------------------ the surface

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Post a copy, then its long parts beneath it. See `Surface.post`."""
        where = await self._places.where(target)
        try:
            sent = await self._posted(where, card, copy_id)
        except SurfaceRefused:
            self._places.forget(target)
            raise
        channel, _, root = sent.conversation.partition(parse.ROOT)
        ref = {"channel": channel, "conversation": sent.conversation, "activity": sent.activity, "copy": copy_id}
        mark = mark_of(channel, sent.activity) if root in ("", sent.activity) else ""
        return MessageRef(surface=SURFACE, ref=ref | await self._detailed(where, sent, card), mark=mark)

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Redraw a copy, and its long parts where those changed. See `Surface.update`."""
        where = await self._lying(ref)
        try:
            await self._sending.redraw(where, ref.ref["activity"], render.message(card, ref.ref.get("copy", "")))
        except CardRefused:
            _log.exception("Teams did not take the card of %s; a minimal one is shown", card.review)
            await self._sending.redraw(where, ref.ref["activity"], render.minimal(card))
        long = render.details(card)
        if long is not None and "thread" in ref.ref and ref.ref.get("drawn") != _mark(long):
            try:
                await self._sending.redraw(where, ref.ref["thread"], long, patient=True)
            except PlacetError:
                # The card itself stands, and must go on being redrawn.
                _log.exception("the details of %s could not be redrawn; they are on the full page", card.review)

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Say beneath a copy what happened: in a channel as a reply, in a chat after it. See `Surface.note`."""
        if lines:
            await self._sending.say(await self._lying(ref), render.news(lines))

    async def whisper(self, identity: Identity, text: str) -> None:
        """Say something in the chat with one person. See `Surface.whisper`."""
        await self._sending.say(await self._places.person(identity.id), render.note(text))

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Nothing is looked for: Teams shows a bot no history. See `Surface.find`."""
        raise SurfaceBlind("Teams lets no bot look for its earlier messages.")

    async def health(self) -> Health:
        """Whether Entra gives a token and Teams' keys are here, asked at most every few seconds; and who is blocked."""
        now = self._clock.now()
        if self._health is None or now - self._health[0] >= _FRESH:
            self._health = (now, await self._examined())
        return self._health[1]

    # ------------------------------------------------------------------------------------------ parts

    async def _posted(self, where: Where, card: Card, copy_id: str) -> Sent:
        try:
            return await self._sending.post(where, render.message(card, copy_id))
        except CardRefused:
            _log.exception("Teams did not take the card of %s; a minimal one is posted", card.review)
            return await self._sending.post(where, render.minimal(card))

    async def _detailed(self, where: Where, sent: Sent, card: Card) -> dict[str, str]:
        """Post the long parts. The card is there already: a failure here must not have it posted again."""
        long = render.details(card)
        if long is None:
            return {}
        beneath = Where(service=where.service, key=where.key, address=where.address, conversation=sent.conversation)
        try:
            async with asyncio.timeout(_BENEATH):
                reply = await self._sending.say(beneath, long)
        except (PlacetError, TimeoutError):
            _log.exception("the details of %s could not be posted; they are on the full page", card.review)
            return {}
        return {"thread": reply.activity, "drawn": _mark(long)}

    async def _lying(self, ref: MessageRef) -> Where:
        """Where a copy lies; one that was taken in by a press tells its conversation by its place."""
        channel, activity = ref.ref["channel"], ref.ref["activity"]
        room = await self._places.where(Target(surface=SURFACE, address=channel))
        hangs = bool(room.channel) or kind_of(channel) is Kind.CHANNEL
        conversation = ref.ref.get("conversation") or (threaded(channel, activity) if hangs else channel)
        return Where(service=room.service, key=channel, address=channel, conversation=conversation)

    async def _examined(self) -> Health:
        try:
            await self._connector.token()
        except Failed as fault:
            return Health(ok=False, text=str(translated(fault)))
        if self._tokens.fault:
            return Health(ok=False, text=self._tokens.fault)
        refused = list(self._sending.refused.items())[-_NAMED:]
        return Health(ok=True, text=" ".join(f"Not reached: {address}. {why}" for address, why in refused))


def _mark(message: Json) -> str:
    """A short fingerprint of what was drawn."""
    return hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()[:16]
