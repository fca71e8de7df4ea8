"""Gateways as surfaces, one each by its own name: what rungs call by, and by which people hear that it is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from adapters.gateway import render
from adapters.gateway.config import Gateway, configure
from adapters.gateway.render import Message
from adapters.gateway.sending import Sender
from adapters.port import Adapter, Setup
from reviews.card import Card, Happening
from reviews.errors import NotFound, SurfaceBlind, SurfaceRefused
from reviews.model import Identity, Target
from reviews.ports import Abilities, Door, Health, MessageRef

log = logging.getLogger(__name__)


def create(setup: Setup) -> Sequence[Adapter]:
    """An adapter for each gateway of the section whose variable is set. Raises GatewayMisconfigured."""
    return [GatewayAdapter(gateway, setup.door) for gateway in configure(setup.config, setup.env)]


class GatewayAdapter:
    """One gateway. Nothing can be pressed on what it sends but a link, which opens the review for who was called."""

    tenant: str | None = None

    def __init__(self, gateway: Gateway, door: Door) -> None:
        self.name = gateway.name
        self.abilities = Abilities(
            threads=False,
            live=False,
            finds=False,
            max_bytes=4 * render.LETTER if gateway.letters else 4 * render.SHORT,
            per_second=1.0,
            redrawn=False,
            shared=not gateway.personal,
        )
        self._letter, self._door = gateway.letters, door
        self._sender = Sender(gateway)

    # ------------------------------------------------------------------------------------------ surface

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Call a person to a review, with a link of their own; only its hash is kept.

        Where everybody reads the same pager, nobody's own link goes there: whoever opens it signs in.
        """
        link = await self._link(card, target)
        await self._send(target.address, render.message(card, link, letter=self._letter))
        kept = {"id": copy_id, "to": target.address, "title": render.title_of(card)[: render.SUBJECT], "at": card.link}
        return MessageRef(surface=self.name, ref=kept)

    async def _link(self, card: Card, target: Target) -> str:
        if target.person is None or not card.review or card.over or self.abilities.shared:
            return card.link
        try:
            return await self._door.invite(target.person, card.review)
        except NotFound as gone:  # placet.yml was read again since the call
            raise SurfaceRefused(str(gone)) from None

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Nothing: what was sent stays as it is."""

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Say to whom it was sent what came of it."""
        told = render.news(ref.ref["title"], lines, ref.ref["at"], letter=self._letter)
        await self._send(ref.ref["to"], told)

    async def whisper(self, identity: Identity, text: str) -> None:
        """Tell one person something, at their address."""
        await self._send(identity.id, render.whisper(text, letter=self._letter))

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """What was sent cannot be looked for."""
        raise SurfaceBlind(f"The gateway {self.name} does not tell what was sent.")

    async def health(self) -> Health:
        """Well while Apprise understands the URL and the last message was taken; nothing is sent to find out."""
        wrong = self._sender.fault or self._sender.trouble
        return Health(ok=not wrong, text=wrong)

    async def _send(self, to: str, message: Message) -> None:
        await self._sender.send(to, message)

    # ------------------------------------------------------------------------------------------ life

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """None: nobody answers by a gateway."""
        return ()

    async def start(self) -> None:
        """Load what sends, and look at the URL."""
        await self._sender.start()
        if self._sender.fault:
            log.error("%s", self._sender.fault)

    async def stop(self) -> None:
        """Nothing is open."""
