"""What one person is told, where nobody else reads it: in the answer to what they pressed, else in their own chat.

Teams has no message in a channel that one person alone sees. A sentence goes into the answer, which only who pressed
sees; a card into the chat with them. https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, assert_never

from adapters.chores import Chores
from adapters.saying import DONE, UNCHANGED, WORKING, spoken
from adapters.taking import in_time
from adapters.teams import render, views
from adapters.teams.parse import Invoke, Origin, invoked
from adapters.teams.places import Places
from adapters.teams.seam import Answered, Json
from adapters.teams.sending import Sending
from reviews.errors import PlacetError, SurfaceRefused
from reviews.model import Target
from reviews.values import replace

_log = logging.getLogger(__name__)

TITLE = "Placet"
IN_CHAT = "It is in your chat with Placet."
BELOW = "It is below."
LATE = "It took too long to open the form; nothing was done. Press again."

_TOAST = "application/vnd.microsoft.activity.message"


class Manner(Enum):
    """How something is answered: a card's action and a dialog in the response, a message by another one."""

    ACTION = auto()
    DIALOG = auto()
    MESSAGE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What somebody is to see: a sentence, or rather a card (`message`), or rather a dialog as `views` make them.

    `apart`: the card goes into the chat with them alone. `link` is the full page, for where that cannot be reached.
    `follows`: where the answer could not wait for it, it is sent after that.
    """

    text: str = ""
    message: Json | None = None
    dialog: Json | None = None
    title: str = TITLE
    apart: bool = False
    link: str = ""
    follows: bool = True


def manner_of(payload: Json) -> Manner:
    """How this activity is answered."""
    match invoked(payload):
        case Invoke.ACTION:
            return Manner.ACTION
        case Invoke.FETCH | Invoke.SUBMIT | Invoke.POINT | Invoke.ASK:
            return Manner.DIALOG
        case _:
            return Manner.MESSAGE


def answered(manner: Manner, shown: Shown) -> Answered:
    """The response that shows it. A message has none to show anything in."""
    text = shown.text or UNCHANGED
    match manner:
        case Manner.ACTION:
            if shown.message is None:
                return toast(text)
            return Answered(body={"statusCode": 200, "type": render.CARD, "value": render.content(shown.message)})
        case Manner.DIALOG:
            if shown.dialog is None and shown.message is not None:
                return Answered(body={"task": views.dialog(shown.title, render.content(shown.message))})
            return Answered(body={"task": shown.dialog or views.said(text)})
        case Manner.MESSAGE:
            return Answered()
        case _:
            assert_never(manner)


def toast(text: str) -> Answered:
    """A sentence beneath the card, for who pressed."""
    return Answered(body={"statusCode": 200, "type": _TOAST, "value": text})


class Answers:
    """The ways to one person. `patience` is how many seconds an answer may take before they are told to wait."""

    def __init__(self, sending: Sending, places: Places, chores: Chores, *, patience: float) -> None:
        self._sending = sending
        self._places = places
        self._chores = chores
        self._patience = patience

    async def give(self, origin: Origin, manner: Manner, work: Coroutine[Any, Any, Shown]) -> Answered:
        """Do the work, and answer with what it comes to; where it takes long, say so and send that after it.

        It never fails: what broke is said, too.
        """
        task = self._chores.begin(self._settled(origin, manner, work))
        if await in_time(task, self._patience):
            return answered(manner, task.result())
        if manner is not Manner.MESSAGE:
            self._chores.add(self._late(origin, task))
        return answered(manner, Shown(text=WORKING))

    async def tell(self, origin: Origin, text: str) -> None:
        """Say a sentence to one person in their own chat. Raises as `private`."""
        await self.private(origin, render.note(text))

    async def private(self, origin: Origin, message: Json) -> None:
        """Send a card to one person alone. Raises as `Surface.whisper`."""
        where = await self._places.alone(origin)
        try:
            await self._sending.say(where, message)
        except SurfaceRefused:
            self._places.forget(Target(surface=origin.identity.surface, address=origin.identity.id))
            raise

    async def reply(self, origin: Origin, text: str) -> None:
        """Say a sentence where it was typed, for all there to read. Raises as `Surface.whisper`."""
        await self._sending.say(self._places.here(origin), render.note(text))

    async def redraw(self, origin: Origin, message: Json) -> None:
        """Make the message that was pressed another one. Raises as `Surface.update`."""
        await self._sending.redraw(self._places.here(origin), origin.activity, message, patient=True)

    # ------------------------------------------------------------------------------------------ parts

    async def _settled(self, origin: Origin, manner: Manner, work: Coroutine[Any, Any, Shown]) -> Shown:
        """What the work comes to, with what goes apart sent already, and what no response can show."""
        shown = await spoken(work, lambda text: Shown(text=text))
        if manner is not Manner.MESSAGE:
            return replace(shown, text=await self._apart(origin, shown), message=None) if shown.apart else shown
        told = await self._apart(origin, shown)
        if not origin.alone:
            await spoken(self.reply(origin, told), _unsaid)
        return shown

    async def _apart(self, origin: Origin, shown: Shown) -> str:
        """Send it into the chat with them; what to say of that where they are."""
        message = render.note(shown.text or UNCHANGED) if shown.message is None else shown.message
        try:
            await self.private(origin, message)
        except PlacetError as fault:
            _log.warning("nobody in Teams could be shown what they asked for: %s", fault)
            page = f" The full page: {shown.link}" if shown.link else ""
            return f"Placet cannot write to you. {fault}{page}"
        return BELOW if origin.alone else IN_CHAT

    async def _late(self, origin: Origin, task: asyncio.Task[Shown]) -> None:
        """Send what an answer came to that took long. What went apart is there already."""
        shown = await task
        if shown.apart or not shown.follows:
            return
        text = shown.text or (LATE if shown.dialog else DONE)
        await self.private(origin, shown.message if shown.message and not shown.text else render.note(text))


def _unsaid(why: str) -> None:
    _log.warning("a word in Teams was not said: %s", why)
