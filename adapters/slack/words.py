"""What people type in Slack: commands, replies beneath a card, and the wish to have a message looked at."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

from adapters.asking import ASK, ask
from adapters.chores import Chores
from adapters.saying import FOREIGN, UNCHANGED, UNHEARD, WORKING, said, spoken
from adapters.slack import forms, parse, render, views
from adapters.slack.answers import Answers
from adapters.slack.calls import Calls, translated
from adapters.slack.modals import Ack, Modals, marked
from adapters.slack.parse import SURFACE, Asking, Command, Origin
from adapters.slack.render import Message
from adapters.slack.text import Json, unescape
from adapters.taking import in_time, refused
from adapters.token import Malformed, Token
from reviews.errors import PlacetError
from reviews.events import Interaction, Reply
from reviews.model import Person, Target
from reviews.ports import Desk, Refusal

_log = logging.getLogger(__name__)

#: Refused commenters remembered, so that each is told once per card.
_KEPT = 1000


class Words:
    """Takes what was typed. `patience` is how many seconds an answer may take before Slack is told to wait.

    `ours` tells the ids our own messages carry.
    """

    def __init__(
        self,
        desk: Desk,
        calls: Calls,
        answers: Answers,
        modals: Modals,
        chores: Chores,
        *,
        ours: Callable[[], frozenset[str]],
        patience: float,
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._answers = answers
        self._modals = modals
        self._chores = chores
        self._ours = ours
        self._patience = patience
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    # ------------------------------------------------------------------------------------------ commands

    async def on_command(self, ack: Ack, body: Json) -> None:
        """A command was typed; only who typed it sees the answer."""
        try:
            typed = parse.command(body)
        except Malformed as fault:
            _log.warning("a command that cannot be read: %s", fault)
            await ack(response_type="ephemeral", text=FOREIGN)
            return
        work = self._chores.begin(spoken(self._answer(typed), render.note))
        if await in_time(work, self._patience):
            answer = work.result()
            await ack(response_type="ephemeral", text=answer.text, blocks=answer.blocks)
            return
        await ack(response_type="ephemeral", text=WORKING)
        self._chores.add(self._follow(typed.origin, work))

    async def _answer(self, typed: Command) -> Message:
        """The card a command comes to, or why there is none."""
        person = await self._desk.who(typed.origin.identity)
        if isinstance(person, Refusal):
            return render.note(person.text)
        card = await self._desk.command(person, typed.text, surface=SURFACE)
        return render.private(card, Token.of(card, "") if card.review else None)

    async def _follow(self, origin: Origin, work: asyncio.Task[Message]) -> None:
        answer = await work
        try:
            await self._answers.respond(origin, answer, replace=False)
        except PlacetError as fault:
            _log.warning("a command's answer goes another way: %s", fault)
            await self._answers.tell(origin, unescape(answer.text))

    # ------------------------------------------------------------------------------------------ comments

    async def on_message(self, body: Json) -> None:
        """A message was written. A reply beneath a card is a comment, kept before Slack hears that we have it.

        A failure goes back to Slack, which sends the event again; kept twice it is not, for `once` names the event.
        """
        try:
            comment = parse.reply(body)
        except Malformed as fault:
            _log.warning("a message that cannot be read: %s", fault)
            return
        if comment is None:
            return
        reply = await self._desk.interact(comment)
        if reply.kind == "good":
            return
        # What stands beneath a message of ours was meant for us, known or not; other people's threads are theirs.
        unheard = UNHEARD if parse.above(body) in self._ours() else ""
        if text := reply.text or unheard:
            self._refuse(comment, text)

    def _refuse(self, comment: Interaction, text: str) -> None:
        """Tell a commenter once per card: who may not comment may still talk there."""
        key = (comment.identity.id, comment.mark or "")
        if key in self._told:
            return
        self._told[key] = None
        if len(self._told) > _KEPT:
            self._told.popitem(last=False)
        channel, _, thread = (comment.mark or "").partition(":")
        origin = Origin(identity=comment.identity, channel=channel, thread=thread)
        self._chores.add(self._answers.tell(origin, text))

    # ------------------------------------------------------------------------------------------ asking

    async def on_shortcut(self, ack: Ack, body: Json) -> None:
        """Somebody pointed at a message and wants it looked at."""
        await ack()
        try:
            pointed = parse.shortcut(body)
        except Malformed as fault:
            _log.warning("a shortcut that cannot be read: %s", fault)
            self._chores.add(self._answers.foreign(body))
            return

        async def fill(person: Person) -> Json:
            form = await self._desk.asking(person)
            if isinstance(form, Refusal):
                return forms.notice(ASK, form.text)
            return views.ask_form(form, pointed.back, pointed.text)

        self._chores.add(self._modals.open(pointed.origin, ASK, fill))

    async def submitted(self, ack: Ack, body: Json) -> None:
        """The form to ask with was sent."""
        try:
            asking = parse.asking(body)
        except Malformed as fault:
            _log.warning("a form to ask with that cannot be read: %s", fault)
            await ack(response_action="update", view=forms.notice(ASK, FOREIGN))
            return
        work = self._chores.begin(spoken(self._ask(asking), refused))
        if not await in_time(work, self._patience):
            await ack(response_action="update", view=forms.notice(ASK, WORKING))
            self._chores.add(self._say(asking.origin, work))
            return
        reply = work.result()
        if reply.errors and asking.fields:
            await ack(response_action="errors", errors=marked(asking.fields, reply.errors))
        else:
            await ack(response_action="update", view=forms.notice(ASK, reply.text or UNCHANGED))

    async def _say(self, origin: Origin, work: asyncio.Task[Reply]) -> None:
        await self._answers.tell(origin, said(await work) or UNCHANGED, ASK)

    async def _ask(self, asking: Asking) -> Reply:
        """Open the review."""
        where = asking.origin
        place = Target(surface=SURFACE, address=where.channel, thread=where.thread)
        link = await self._link(where)
        return await ask(self._desk, where.identity, asking.values, place=place, link=link, once=asking.once)

    async def _link(self, where: Origin) -> str:
        """The address of the message; none where the bot may not look."""
        try:
            with translated():
                found = await self._calls.steady.chat_getPermalink(channel=where.channel, message_ts=where.message)
        except PlacetError as fault:
            _log.info("no link to the message that was pointed at: %s", fault)
            return ""
        return str(found["permalink"])
