"""What people press in Slack, from the verified payload to a visible answer.

A decision is committed before it is acknowledged. When that takes longer than `patience`, Slack is told so first and
the answer follows: Slack gives up after three seconds. https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from adapters.slack import controls, parse, render
from adapters.slack.calls import Calls, translated
from adapters.slack.press import CALLBACK, FORM, Malformed
from adapters.slack.text import Json
from reviews.errors import PlacetError, SurfaceRefused
from reviews.events import Answer, Interaction, Reply
from reviews.model import Identity, Verb
from reviews.ports import Desk, Refusal

_log = logging.getLogger(__name__)

Ack = Callable[..., Awaitable[Any]]

_WORKING = "Still working on it. You will see the answer here."
_BROKEN = "Something broke here, and nothing is known to be decided. Look at the full page, then try again."
_FOREIGN = "This control is not one this version knows; nothing was done. Open the full page."
_LATE = "Slack took too long to open the form; nothing was done. Press again."


class Clicks:
    """The listeners of the Bolt app. `whisper` is the way to a person where no ephemeral message can go."""

    def __init__(
        self, desk: Desk, calls: Calls, whisper: Callable[[Identity, str], Awaitable[None]], *, patience: float
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._whisper = whisper
        self._patience = patience

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt; whatever it does not know is answered too, for every click is."""
        bolt.action(re.compile(""))(self.on_action)
        bolt.view(CALLBACK)(self.on_submission)

    # ------------------------------------------------------------------------------------------ messages

    async def on_action(self, ack: Ack, body: Json) -> None:
        """A control of a message was pressed."""
        try:
            press = parse.press(body)
        except Malformed as fault:
            _log.warning("a click that cannot be read: %s", fault)
            await ack()
            await self._tell(parse.origin(body), _FOREIGN)
            return
        if press.way == FORM:
            await ack()
            await self._open(press)
        else:
            await self._decide(ack, press)

    async def _decide(self, ack: Ack, press: parse.Press) -> None:
        work = asyncio.ensure_future(self._desk.interact(press.interaction))
        if not await self._in_time(work):
            await ack()
            await self._tell(press.origin, _WORKING)
        try:
            reply = await work
        except Exception as fault:
            # Not acknowledged unless it had to be: Slack then shows that it did not work, and so do we.
            await self._tell(press.origin, _sentence(fault))
            raise
        await ack()
        if reply.answer is not Answer.DONE and reply.text:
            await self._tell(press.origin, reply.text)

    async def _in_time(self, work: asyncio.Future[Reply]) -> bool:
        done, _ = await asyncio.wait({work}, timeout=self._patience)
        return bool(done)

    async def _tell(self, origin: parse.Origin, text: str) -> None:
        """Say something to one person: where they pressed, else by direct message."""
        said = render.note(text)
        if origin.channel:
            try:
                with translated():
                    await self._calls.steady.chat_postEphemeral(
                        channel=origin.channel,
                        user=origin.identity.id,
                        text=said.text,
                        blocks=said.blocks,
                        thread_ts=origin.thread or None,
                    )
            except PlacetError as fault:
                _log.info("no ephemeral message (%s); trying a direct one", fault)
            else:
                return
        try:
            await self._whisper(origin.identity, text)
        except PlacetError:
            _log.exception("a person in Slack could not be answered")

    # ------------------------------------------------------------------------------------------ forms

    async def _open(self, press: parse.Press) -> None:
        """Open a modal at once, then put the form into it: the trigger does not live until the card is read."""
        verb = press.interaction.verb
        try:
            with translated():
                opened = await self._calls.once.views_open(trigger_id=press.origin.trigger, view=controls.loading(verb))
        except PlacetError as fault:
            _log.warning("no form was opened: %s", fault)
            late = isinstance(fault, SurfaceRefused) and "trigger" in str(fault)
            await self._tell(press.origin, _LATE if late else str(fault))
            return
        await self._show(press.origin, str(opened["view"]["id"]), await self._form(press))

    async def _form(self, press: parse.Press) -> Json:
        """The form as this person may see it now, or a sentence why there is none."""
        verb = press.interaction.verb
        try:
            person = await self._desk.who(press.origin.identity)
            if isinstance(person, Refusal):
                return controls.notice(verb, person.text)
            card = await self._desk.read(press.interaction.review, person, surface=parse.SURFACE)
        except PlacetError as fault:
            return controls.notice(verb, _sentence(fault))
        except Exception as fault:  # noqa: BLE001 - whatever broke, the person is told
            _log.exception("a form could not be made")
            return controls.notice(verb, _sentence(fault))
        control = controls.find(card, verb)
        return controls.form(control, press.token) if control else controls.notice(verb, f"{card.status}: too late.")

    async def _show(self, origin: parse.Origin, view: str, content: Json) -> None:
        try:
            with translated():
                await self._calls.steady.views_update(view_id=view, view=content)
        except PlacetError as fault:
            _log.warning("a form could not be shown: %s", fault)
            await self._tell(origin, str(fault))

    async def on_submission(self, ack: Ack, body: Json) -> None:
        """A form was sent."""
        try:
            sent = parse.submission(body)
        except Malformed as fault:
            _log.warning("a form that cannot be read: %s", fault)
            await ack(response_action="update", view=controls.notice(Verb.COMMENT, _FOREIGN))
            return
        work = asyncio.ensure_future(self._desk.interact(sent.interaction))
        verb = sent.interaction.verb
        if await self._in_time(work):
            await ack(**_answer(sent, await _outcome(work, sent.interaction)))
            return
        await ack(response_action="update", view=controls.notice(verb, _WORKING))
        reply = await _outcome(work, sent.interaction)
        await self._show(sent.origin, sent.view, controls.notice(verb, reply.text or "Done."))


async def _outcome(work: asyncio.Future[Reply], asked: Interaction) -> Reply:
    """The reply, or what a failure is to the person: a refusal in words."""
    try:
        return await work
    except PlacetError as fault:
        return Reply(answer=Answer.REFUSED, text=_sentence(fault))
    except Exception as fault:  # noqa: BLE001 - whatever broke, the person is told
        _log.exception("the form for %s of %s failed", asked.verb, asked.review)
        return Reply(answer=Answer.REFUSED, text=_sentence(fault))


def _answer(sent: parse.Submission, reply: Reply) -> Json:
    """What the modal does: closes, marks its fields, or says why not."""
    errors = {sent.fields[name]: text for name, text in reply.errors.items() if name in sent.fields}
    if errors:
        return {"response_action": "errors", "errors": errors}
    if reply.answer is Answer.DONE:
        return {}
    return {"response_action": "update", "view": controls.notice(sent.interaction.verb, reply.text or _BROKEN)}


def _sentence(fault: Exception) -> str:
    """What a person reads of a failure; nothing of the inside comes out."""
    return (str(fault) or type(fault).__doc__ or _BROKEN) if isinstance(fault, PlacetError) else _BROKEN
