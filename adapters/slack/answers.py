"""What one person is told, where they are: in the modal they pressed in, beside the message, else by direct message."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from adapters.saying import FOREIGN
from adapters.slack import forms, parse, render, views
from adapters.slack.calls import Calls, translated
from adapters.slack.parse import Origin
from adapters.slack.render import Message
from adapters.slack.text import Json
from adapters.token import Token
from reviews.card import Card
from reviews.errors import PlacetError, SurfaceUnavailable
from reviews.model import Identity

_log = logging.getLogger(__name__)

TITLE = "Placet"
LATE = "Slack took too long to open the form; nothing was done. Press again."


class Answers:
    """The ways to one person. `whisper` is the direct message; `api_url` tells which `response_url`s are Slack's."""

    def __init__(self, calls: Calls, whisper: Callable[[Identity, str], Awaitable[None]], *, api_url: str) -> None:
        self._calls = calls
        self._whisper = whisper
        place = urlsplit(api_url).netloc
        self._hooks = frozenset({place, f"hooks.{place}"})

    async def tell(self, origin: Origin, text: str, title: str = TITLE) -> None:
        """Say a sentence, the first way that works, in a modal under `title`.

        Raises what the direct message raises when no way does.
        """
        said = render.note(text)
        if origin.view and await self._worked(self.update(origin.view, forms.notice(title, text))):
            return
        if origin.channel and await self._worked(self._beside(origin, said)):
            return
        if not origin.channel and origin.trigger and await self._worked(self._open(origin, text)):
            return
        await self._whisper(origin.identity, text)

    async def foreign(self, payload: Json) -> None:
        """Say that a control is none this version knows. Raises as `tell`, and Malformed where nobody is named."""
        await self.tell(parse.origin(payload), FOREIGN)

    async def show(self, origin: Origin, card: Card) -> None:
        """Show a card, without controls, beside the message; say so where Slack does not. Raises as `tell`."""
        if origin.channel and await self._worked(self._beside(origin, render.private(card, None))):
            return
        await self.tell(origin, "Slack showed it nowhere. Open the full page to see it.")

    async def respond(self, origin: Origin, said: Message, *, replace: bool) -> None:
        """Answer by the message's own address, which takes five answers within half an hour.

        `replace` puts it where the message stood. Raises SurfaceUnavailable.
        """
        if urlsplit(origin.response).netloc not in self._hooks:
            raise SurfaceUnavailable("Slack gave no address to answer at.")
        body = {"text": said.text, "blocks": said.blocks, "response_type": "ephemeral", "replace_original": replace}
        try:
            async with self._calls.session.post(origin.response, json=body, proxy=self._calls.proxy) as answer:
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as fault:
            raise SurfaceUnavailable(f"Slack did not take the answer ({type(fault).__name__}).") from fault
        if status >= 400:
            raise SurfaceUnavailable(f"Slack did not take the answer ({status}).")

    async def redraw(self, origin: Origin, card: Card) -> None:
        """Make the card that only this person sees show what stands now. Raises SurfaceUnavailable, SurfaceRefused."""
        token = Token.of(card, "")
        if origin.view:
            await self.update(origin.view, views.card_modal(card, token, origin.back()))
        else:
            await self.respond(origin, render.private(card, token), replace=True)

    async def update(self, view: str, content: Json) -> None:
        """Put content into a modal. Raises SurfaceUnavailable, SurfaceRefused."""
        with translated():
            await self._calls.steady.views_update(view_id=view, view=content)

    async def _beside(self, origin: Origin, said: Message) -> None:
        with translated():
            await self._calls.steady.chat_postEphemeral(
                channel=origin.channel,
                user=origin.identity.id,
                text=said.text,
                blocks=said.blocks,
                thread_ts=origin.thread or None,
            )

    async def _open(self, origin: Origin, text: str) -> None:
        with translated():
            await self._calls.once.views_open(trigger_id=origin.trigger, view=forms.notice(TITLE, text))

    async def _worked(self, way: Awaitable[None]) -> bool:
        try:
            await way
        except PlacetError as fault:
            _log.info("one way to a person did not work, trying the next: %s", fault)
            return False
        return True
