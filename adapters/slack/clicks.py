"""What people press in Slack, from the verified payload to a visible answer.

A decision is committed before it is acknowledged. When that takes longer than `patience`, Slack is told so first and
the answer follows: Slack gives up after three seconds. https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import asyncio
import logging
from typing import assert_never

from adapters.chores import Chores, logged
from adapters.saying import DONE, UNCHANGED, UNSEEN, WORKING, sentence
from adapters.selection import SEVERAL
from adapters.slack import parse, views
from adapters.slack.answers import Answers
from adapters.slack.bulk import Bulk
from adapters.slack.modals import Ack, Modals, alone
from adapters.slack.parse import SURFACE, Press, Step
from adapters.slack.press import FORM
from adapters.slack.text import Json
from adapters.taking import in_time
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.errors import PlacetError
from reviews.events import Answer, Reply
from reviews.model import Person
from reviews.ports import Desk, Refusal

_log = logging.getLogger(__name__)

_TITLES = {Go.OPEN: "Review", Go.HISTORY: "History", Go.QUEUE: "Queue", Go.BULK: SEVERAL}


class Clicks:
    """Takes what was pressed, in messages, modals and Home."""

    def __init__(
        self, desk: Desk, answers: Answers, modals: Modals, bulk: Bulk, chores: Chores, *, patience: float
    ) -> None:
        self._desk = desk
        self._answers = answers
        self._modals = modals
        self._bulk = bulk
        self._chores = chores
        self._patience = patience

    async def on_action(self, ack: Ack, body: Json) -> None:
        """A control was pressed. What this version does not know is answered too."""
        try:
            pressed = parse.press(body)
        except Malformed as fault:
            _log.warning("a click that cannot be read: %s", fault)
            await ack()
            self._chores.add(self._answers.foreign(body))
            return
        match pressed:
            case Step():
                await ack()
                self._chores.add(self._go(pressed))
            case Press(way=way) if way == FORM:
                await ack()
                self._chores.add(self._modals.form(pressed))
            case Press():
                await self._decide(ack, pressed)
            case _:
                assert_never(pressed)

    # ------------------------------------------------------------------------------------------ decisions

    async def _decide(self, ack: Ack, press: Press) -> None:
        work = self._chores.begin(self._desk.interact(press.interaction))
        if not await in_time(work, self._patience):
            await ack()
            self._chores.add(self._finish(work, press))
            return
        try:
            reply = work.result()
        except Exception as fault:
            # Not acknowledged: Slack then shows that it did not work, and so do we.
            self._chores.add(self._answers.tell(press.origin, sentence(fault)))
            raise
        await ack()
        self._chores.add(self._after(press, reply))

    async def _finish(self, work: asyncio.Task[Reply], press: Press) -> None:
        """Say that it takes longer, then what came of it."""
        await logged(self._answers.tell(press.origin, WORKING), SURFACE)
        try:
            reply = await work
        except Exception as fault:
            await self._answers.tell(press.origin, sentence(fault))
            raise
        await self._after(press, reply, waited=True)

    async def _after(self, press: Press, reply: Reply, *, waited: bool = False) -> None:
        """The answer to see: the card is redrawn, by the outbox where all see it, here where one alone does."""
        done = reply.answer is Answer.DONE
        if alone(press.origin, press.interaction):
            seen = done and await self._redrawn(press)
        else:
            seen = done and not waited and press.interaction.verb not in UNSEEN
        if not seen:
            await self._answers.tell(press.origin, reply.text or (DONE if done else UNCHANGED))

    async def _redrawn(self, press: Press) -> bool:
        """Whether the card that this person alone sees shows what stands now."""
        person = await self._desk.who(press.origin.identity)
        if isinstance(person, Refusal):
            return False
        try:
            card = await self._desk.read(press.interaction.review, person, surface=SURFACE)
            await self._answers.redraw(press.origin, card)
        except PlacetError as fault:
            _log.info("the card one person sees was not redrawn: %s", fault)
            return False
        return True

    # ------------------------------------------------------------------------------------------ ways to look further

    async def _go(self, step: Step) -> None:
        async def fill(person: Person) -> Json:
            return await self._shown(person, step)

        await self._modals.open(step.origin, _TITLES[step.go], fill)

    async def _shown(self, person: Person, step: Step) -> Json:
        match step.go:
            case Go.OPEN:
                card = await self._desk.read(step.value, person, surface=SURFACE)
                return views.card_modal(card, Token.of(card, ""), step.back)
            case Go.HISTORY:
                return views.history(await self._desk.read(step.value, person, surface=SURFACE))
            case Go.QUEUE:
                typed = "mine" if step.value == "mine" else "list"
                card = await self._desk.command(person, typed, surface=SURFACE)
                return views.card_modal(card, Token.of(card, ""), step.back)
            case Go.BULK:
                return await self._bulk.form(person, step)
            case _:
                assert_never(step.go)
