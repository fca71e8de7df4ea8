"""Modals: opened at once with "One moment…", for Slack's trigger lives three seconds, and filled after that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from adapters.chores import Chores, logged
from adapters.saying import DONE, FOREIGN, UNCHANGED, WORKING, closed, said, sentence, spoken, title_of
from adapters.slack import forms, parse
from adapters.slack.answers import LATE, Answers
from adapters.slack.calls import Calls, Refused, translated
from adapters.slack.parse import SURFACE, Origin
from adapters.slack.text import Json
from adapters.taking import in_time, refused, take
from adapters.token import Malformed
from reviews import filled
from reviews.errors import PlacetError
from reviews.events import Answer, Interaction, Reply
from reviews.model import Person, Verb
from reviews.ports import Desk, Refusal
from reviews.values import replace

_log = logging.getLogger(__name__)

Ack = Callable[..., Awaitable[Any]]
Fill = Callable[[Person], Awaitable[Json]]


class Modals:
    """Opens, fills and takes forms. `patience` is how many seconds a form may wait for its decision unacknowledged."""

    def __init__(self, desk: Desk, calls: Calls, answers: Answers, chores: Chores, *, patience: float) -> None:
        self._desk = desk
        self._calls = calls
        self._answers = answers
        self._chores = chores
        self._patience = patience

    # ------------------------------------------------------------------------------------------ opening

    async def open(self, origin: Origin, title: str, fill: Fill) -> None:
        """Open a modal, upon the one it was pressed in if there is one, and put in what `fill` makes for the person."""
        try:
            view = await self._opened(origin, forms.loading(title))
        except PlacetError as fault:
            _log.warning("no modal was opened: %s", fault)
            late = isinstance(fault, Refused) and "trigger" in fault.error
            await self._answers.tell(origin, LATE if late else str(fault))
            return
        content = await spoken(self._filled(origin, title, fill), partial(forms.notice, title))
        try:
            await self._answers.update(view, content)
        except PlacetError as fault:
            _log.warning("a modal could not be filled: %s", fault)
            await self._answers.tell(replace(origin, view=view), str(fault), title)

    async def _opened(self, origin: Origin, view: Json) -> str:
        try:
            with translated():
                if origin.view:
                    opened = await self._calls.once.views_push(trigger_id=origin.trigger, view=view)
                else:
                    opened = await self._calls.once.views_open(trigger_id=origin.trigger, view=view)
        except Refused as fault:
            if fault.error != "push_limit_reached":
                raise
            # Slack stacks three; the one that was pressed in makes room.
            await self._answers.update(origin.view, view)
            return origin.view
        return str(opened["view"]["id"])

    async def _filled(self, origin: Origin, title: str, fill: Fill) -> Json:
        """What the person may see now, or why there is nothing."""
        person = await self._desk.who(origin.identity)
        return forms.notice(title, person.text) if isinstance(person, Refusal) else await fill(person)

    async def form(self, press: parse.Press) -> None:
        """Open the form of a control."""
        verb = press.interaction.verb

        async def fill(person: Person) -> Json:
            card = await self._desk.read(press.interaction.review, person, surface=SURFACE)
            control = filled.control(card, verb)
            if control is None:
                return forms.notice(title_of(verb), closed(card.status, verb))
            return forms.form(control, press.back, card.link)

        await self.open(press.origin, title_of(verb), fill)

    # ------------------------------------------------------------------------------------------ taking

    async def submitted(self, ack: Ack, body: Json) -> None:
        """A control's form was sent."""
        try:
            sent = parse.submission(body)
        except Malformed as fault:
            _log.warning("a form that cannot be read: %s", fault)
            await ack(response_action="update", view=forms.notice("Placet", FOREIGN))
            return
        title, beneath = title_of(sent.interaction.verb), body["view"].get("previous_view_id") or ""
        work = self._chores.begin(spoken(take(self._desk, sent.interaction, sent.values), refused))
        if await in_time(work, self._patience):
            reply = work.result()
            await ack(**_answer(sent, reply))
            self._chores.add(self._after(sent, reply, beneath))
            return
        await ack(response_action="update", view=forms.notice(title, WORKING))
        self._chores.add(self._finish(work, sent, beneath))

    async def _finish(self, work: asyncio.Task[Reply], sent: parse.Submission, beneath: str) -> None:
        """Say in the modal what came of a form that took longer."""
        reply = await work
        done = reply.answer is Answer.DONE
        title = title_of(sent.interaction.verb)
        await logged(self._answers.tell(sent.origin, said(reply) or (DONE if done else UNCHANGED), title), SURFACE)
        await self._after(sent, reply, beneath)

    async def _after(self, sent: parse.Submission, reply: Reply, beneath: str) -> None:
        """What follows a decision that stands: the hidden is shown, the card beneath the form is redrawn."""
        if reply.answer is not Answer.DONE:
            return
        reveal = sent.interaction.verb is Verb.REVEAL
        person = await self._desk.who(sent.origin.identity)
        if isinstance(person, Refusal) or not (reveal or beneath or alone(sent.origin, sent.interaction)):
            return
        where = replace(sent.origin, view=beneath)
        try:
            card = await self._desk.read(sent.interaction.review, person, surface=SURFACE, reveal=reveal)
            await (self._answers.show if reveal and not beneath else self._answers.redraw)(where, card)
        except PlacetError as fault:
            _log.warning("what follows a form was not shown: %s", fault)
            await self._answers.tell(where, f"It was done, but the card could not be shown here: {sentence(fault)}")


def alone(origin: Origin, interaction: Interaction) -> bool:
    """Whether the card pressed is seen by this person alone, so that no outbox redraws it."""
    return interaction.copy is None and bool(origin.view or origin.response)


def _answer(sent: parse.Submission, reply: Reply) -> Json:
    """What the modal does: closes, marks its fields, or says why not."""
    if reply.errors and sent.fields:
        return {"response_action": "errors", "errors": marked(sent.fields, reply.errors)}
    if reply.answer is Answer.DONE:
        return {}
    text = said(reply) or UNCHANGED
    return {"response_action": "update", "view": forms.notice(title_of(sent.interaction.verb), text)}


def marked(fields: dict[str, str], errors: dict[str, str]) -> dict[str, str]:
    """Each fault at its field; one whose field is not in this form stands at the first."""
    first = next(iter(fields.values()))
    marked: dict[str, str] = {}
    for name, text in errors.items():
        block = fields.get(name)
        said = text if block or not name else f"{name}: {text}"
        marked[block or first] = " ".join(filter(None, (marked.get(block or first), said)))
    return marked
