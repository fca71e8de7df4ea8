"""What people press in Teams, from the verified payload to a visible answer.

A decision is committed before it is answered. An answer that would come too late is sent after it: Teams gives up
after some seconds, and sends the same press again.
"""

from __future__ import annotations

import logging
from typing import assert_never

from adapters.chores import Chores
from adapters.saying import DONE, FOREIGN, UNCHANGED, UNSEEN, said
from adapters.taking import take
from adapters.teams import parse, render, views
from adapters.teams.answers import Answers, Manner, Shown
from adapters.teams.bulk import Bulk
from adapters.teams.dialogs import Dialogs
from adapters.teams.parse import SURFACE, Invoke, Origin
from adapters.teams.press import How, Pressed
from adapters.teams.seam import Answered, Json
from adapters.teams.words import Words
from adapters.token import Malformed, Token
from reviews.card import Card, Go
from reviews.errors import PlacetError
from reviews.events import Answer, Interaction, Reply
from reviews.model import Person, Verb
from reviews.ports import Desk, Refusal

_log = logging.getLogger(__name__)


class Clicks:
    """Takes what was pressed or sent, in cards and dialogs."""

    def __init__(self, desk: Desk, answers: Answers, bulk: Bulk, words: Words, chores: Chores) -> None:
        self._desk = desk
        self._answers = answers
        self._bulk = bulk
        self._words = words
        self._chores = chores
        self._dialogs = Dialogs(desk)

    async def on_press(self, origin: Origin, manner: Manner, payload: Json) -> Answered:
        """A control was pressed. What this version does not know is answered too."""
        return await self._answers.give(origin, manner, self._shown(origin, manner, payload))

    async def _shown(self, origin: Origin, manner: Manner, payload: Json) -> Shown:
        try:
            pressed = parse.pressed(payload)
            bare = parse.interaction(origin, pressed) if pressed.way in (How.ACT, How.FORM) else None
        except Malformed as fault:
            _log.warning("a press in Teams that cannot be read: %s", fault)
            return Shown(text=FOREIGN)
        if bare is not None:
            return await self._decided(origin, manner, pressed, bare, opens=parse.invoked(payload) == Invoke.FETCH)
        match pressed.way:
            case How.GO:
                return await self._gone(origin, pressed)
            case How.BULK:
                return await self._bulk.approve(origin, pressed)
            case How.ASK:
                return await self._words.asked(origin, manner, pressed, parse.pointed(payload))
            case _:
                return await self._refreshed(origin, pressed)

    # ------------------------------------------------------------------------------------------ decisions

    async def _decided(
        self, origin: Origin, manner: Manner, pressed: Pressed, bare: Interaction, *, opens: bool
    ) -> Shown:
        """Do what was pressed, or open its form."""
        if opens:
            return await self._dialogs.opened(origin, pressed)
        if pressed.way is How.FORM:
            reply = await take(self._desk, bare, pressed.values)
        else:
            reply = await self._desk.interact(bare)
        if bare.copy is None and origin.alone and origin.activity:
            # No outbox redraws what only they see; a card of theirs that is stale is redrawn by this, too.
            self._chores.add(self._redrawn(origin, bare.review))
        return await self._after(origin, manner, pressed, bare, reply)

    async def _after(self, origin: Origin, manner: Manner, pressed: Pressed, bare: Interaction, reply: Reply) -> Shown:
        """What the presser sees: faults at their fields, a sentence, or the card as it stands now."""
        if reply.errors:
            return await self._faulty(origin, manner, pressed, bare, reply)
        if reply.answer is not Answer.DONE:
            return Shown(text=reply.text or UNCHANGED)
        if bare.verb is Verb.REVEAL:
            return await self._revealed(origin, bare)
        text = reply.text or DONE
        if bare.copy is None or bare.verb in UNSEEN or manner is not Manner.ACTION:
            return Shown(text=text)
        card = await self._card(origin, bare.review)
        return Shown(text=text, message=None if card is None else render.message(card, bare.copy))

    async def _faulty(self, origin: Origin, manner: Manner, pressed: Pressed, bare: Interaction, reply: Reply) -> Shown:
        """The form again, as it was filled in, with what is wrong; in words where there is no form to show."""
        text = said(reply)
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal) or pressed.way is not How.FORM or manner is Manner.MESSAGE:
            return Shown(text=text)
        if manner is Manner.DIALOG:
            return await self._dialogs.form(person, pressed, reply.errors, reply.text)
        card = await self._card(origin, bare.review)
        if card is None:
            return Shown(text=text)
        drawn = render.faulty(card, bare.copy or "", bare.verb, pressed.values, reply.errors, reply.text)
        return Shown(text=text, message=drawn)

    async def _revealed(self, origin: Origin, bare: Interaction) -> Shown:
        """What is redacted, in the chat with who may see it and in no answer: an answer is drawn into the channel."""
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal):
            return Shown(text=person.text)
        card = await self._desk.read(bare.review, person, surface=SURFACE, reveal=True)
        return Shown(message=render.private(card, None), apart=True, link=card.link)

    async def _card(self, origin: Origin, review: str) -> Card | None:
        """The card as it stands; None where it cannot be had, for the decision stands all the same."""
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal):
            return None
        try:
            return await self._desk.read(review, person, surface=SURFACE)
        except PlacetError as fault:
            _log.info("the card was not shown with the answer: %s", fault)
            return None

    async def _redrawn(self, origin: Origin, review: str) -> None:
        card = await self._card(origin, review)
        if card is not None:
            await self._answers.redraw(origin, render.private(card, Token.of(card, "")))

    async def _refreshed(self, origin: Origin, pressed: Pressed) -> Shown:
        """The card as it stands. After an edit Teams may send the old card's data: only ids are taken from it."""
        token = pressed.token
        card = None if token is None else await self._card(origin, token.review)
        if card is None or token is None:
            return Shown(text="Open the full page to see how it stands.", follows=False)
        return Shown(message=render.message(card, token.copy), follows=False)

    # ------------------------------------------------------------------------------------------ ways to look further

    async def _gone(self, origin: Origin, pressed: Pressed) -> Shown:
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal):
            return Shown(text=person.text)
        return await self._looked(person, pressed)

    async def _looked(self, person: Person, pressed: Pressed) -> Shown:
        """What a way leads to, for that person alone."""
        match pressed.go:
            case Go.OPEN:
                card = await self._desk.read(pressed.value, person, surface=SURFACE)
                return Shown(message=render.private(card, Token.of(card, "")), apart=True, link=card.link)
            case Go.HISTORY:
                card = await self._desk.read(pressed.value, person, surface=SURFACE)
                return Shown(message=views.history(card), apart=True, link=card.link)
            case Go.QUEUE:
                typed = "mine" if pressed.value == "mine" else "list"
                card = await self._desk.command(person, typed, surface=SURFACE)
                return Shown(message=render.private(card, None), apart=True, link=card.link)
            case Go.BULK:
                return await self._bulk.form(person, pressed.value)
            case None:
                return Shown(text=FOREIGN)
            case _:
                assert_never(pressed.go)
