"""A Teams on this machine: a strict Bot Connector, and the people who use what was posted there.

What they do is pressed on the card that was really posted, and signed as the Bot Connector signs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import aiohttp

from reviews.ports import MessageRef
from tests.fakes import teams_payloads as payloads
from tests.fakes.serving import serving
from tests.fakes.signing import Issuer
from tests.fakes.teams_payloads import (
    APP_ID,
    CARD,
    CHANNEL,
    GROUP,
    TEAMS_ANA,
    TEAMS_BO,
    TEAMS_CLEO,
    TEAMS_EVE,
    TENANT,
    TOAST,
    Button,
    Json,
    chat_of,
    new_id,
)
from tests.fakes.teams_service import Fault, Message, Service

__all__ = ["APP_ID", "CHANNEL", "GROUP", "TEAMS_ANA", "TEAMS_BO", "TEAMS_CLEO", "TEAMS_EVE", "TENANT", "Fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of something a person did.

    `body` is that of the HTTP answer, {} where it had none; `text` the sentence shown to the presser, `card` the card
    shown to them instead of the one pressed or in a dialog. `errors` are the client's own complaints by field name:
    then nothing was sent.
    """

    status: int = 200
    body: Json = field(default_factory=dict)
    text: str = ""
    card: Json = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Teams(Service):
    """One test's Teams. `endpoint` is where the bot listens: set it before anything is sent; `issuer` signs."""

    session: aiohttp.ClientSession
    endpoint: str = ""
    issuer: Issuer = field(default_factory=cache(lambda: Issuer(APP_ID)))  # a key takes a while to make
    _last: dict[tuple[str, ...], Json] = field(default_factory=dict)

    @property
    def openid(self) -> str:
        """Where the keys are published."""
        return f"{self.url}/openid"

    # ------------------------------------------------------------------------------------------ looking

    def message(self, ref: MessageRef) -> Message:
        """A posted copy as it stands."""
        return self.messages[ref.ref["channel"], ref.ref["activity"]]

    def thread(self, conversation: str) -> list[Message]:
        """What the bot said in a thread beneath its first message, or in a chat; newest first."""
        root = conversation.partition(";messageid=")[2]
        found = (m for m in self.messages.values() if m.conversation == conversation and not m.by and m.id != root)
        return list(found)[::-1]

    def posts(self, room: str = CHANNEL) -> list[Message]:
        """The messages of the bot's that begin a thread in a channel, newest first."""
        found = (m for m in self.messages.values() if m.conversation == f"{room};messageid={m.id}" and not m.by)
        return list(found)[::-1]

    def direct(self, aad: str) -> list[Message]:
        """What the bot told this person alone, newest first."""
        return self.thread(chat_of(aad))

    async def until(self, found: Callable[[], Any]) -> None:
        """Return once `found()` is true; it is looked at after every call."""
        async with asyncio.timeout(10):
            while not found():
                self.changed.clear()
                await self.changed.wait()

    # ------------------------------------------------------------------------------------------ people

    def uninstall(self, who: str) -> None:
        """Nobody installed the app for this person."""
        self.reachable.discard(who)

    def block(self, who: str, code: str = "MessageWritesBlocked") -> None:
        """This person takes no messages of the app."""
        self.blocked[who] = code

    async def install(self, who: str, room: str = "") -> Answer:
        """A person adds the app for themselves, or to a channel's team; the bot is told."""
        conversation = room or self._open(who)
        self.reachable.add(who)
        self.rooms |= {room} if room else set()
        await self.deliver(payloads.joined(who, conversation, service=self.service))
        return await self.deliver(payloads.installed(who, conversation, service=self.service))

    async def say(
        self, text: str, who: str, room: str = "", *, beneath: str = "", mention: bool = True, tenant: str = TENANT
    ) -> Answer:
        """A person writes to the bot: alone where no room is given, else there, beneath a message or as a new one."""
        conversation = room or self._open(who)
        name = new_id()
        if conversation.endswith("@thread.tacv2"):
            conversation = f"{conversation};messageid={beneath or name}"
        under = {"replyToId": beneath} if beneath else {}
        said = payloads.message(
            text, who, conversation, mention=mention and bool(room), service=self.service, tenant=tenant, **under
        )
        self.keep(conversation, said, by=who, name=name)
        return await self.deliver(said | {"id": name})

    async def press(
        self,
        ref: MessageRef | Message,
        what: str,
        who: str,
        values: Mapping[str, str] | None = None,
        *,
        again: str = "",
        tenant: str = TENANT,
    ) -> Answer:
        """Press the control called so (its title, its verb) on a message, its form filled in.

        `again` sends the last press of this control once more: `same` with its id, `new` with another. A control that
        opens a dialog is pressed, and the dialog is sent.
        """
        message = ref if isinstance(ref, Message) else self.message(ref)
        key = (message.id, what, who)
        if again:
            return await self.deliver(self._last[key] | ({"id": new_id()} if again == "new" else {}), message)
        found = payloads.button(self.views.get((who, message.id), message.card), what, values or {})
        if found.action["type"] == "Action.Submit":
            opened = await self.fetch(message, found, who, tenant=tenant)
            return await self.submit(message, opened, what, who, values or {}, tenant=tenant) if opened.card else opened
        data, errors = payloads.gathered(found, values or {})
        if errors:
            return Answer(errors=errors)
        where = {"service": self.service, "tenant": tenant}
        self._last[key] = payloads.pressed(found.action, data, who, message.conversation, message.id, **where)
        return await self.deliver(self._last[key], message)

    async def fetch(self, message: Message, what: Button | str, who: str, *, tenant: str = TENANT) -> Answer:
        """Press a control that opens a dialog; `card` is the dialog's."""
        found = payloads.button(message.card, what, {}) if isinstance(what, str) else what
        data, _ = payloads.gathered(found, {})
        where = {"service": self.service, "tenant": tenant}
        return await self.deliver(payloads.dialog("task/fetch", data, who, message.conversation, message.id, **where))

    async def submit(
        self, message: Message, opened: Answer, what: str, who: str, values: Mapping[str, str], *, tenant: str = TENANT
    ) -> Answer:
        """Send a dialog that was opened from a message."""
        data, errors = payloads.gathered(payloads.button(opened.card, what, values), values)
        if errors:
            return replace(opened, errors=errors)
        where = {"service": self.service, "tenant": tenant}
        return await self.deliver(payloads.dialog("task/submit", data, who, message.conversation, message.id, **where))

    async def refresh(self, ref: MessageRef, who: str) -> Answer:
        """Choose "Refresh card" on a message; `card` is what this person then sees instead of it."""
        message = self.message(ref)
        asked, where = message.card["refresh"]["action"], {"service": self.service, "trigger": "manual"}
        sent = payloads.pressed(asked, asked["data"], who, message.conversation, message.id, **where)
        return await self.deliver(sent, message)

    async def point(self, text: str, who: str, room: str = CHANNEL, data: Json | None = None) -> Answer:
        """Choose "Ask for a review" on a message with this text; with `data` the dialog of it is sent."""
        name = "composeExtension/fetchTask" if data is None else "composeExtension/submitAction"
        return await self.deliver(payloads.pointed(name, text, who, room, service=self.service, data=data))

    def _open(self, who: str) -> str:
        self.chats.add(chat_of(who))
        return chat_of(who)

    async def deliver(self, activity: Json, message: Message | None = None, token: str = "") -> Answer:
        """Hand the bot an activity, signed; keep what the presser sees instead of the message."""
        headers = {"Authorization": f"Bearer {token or self.issuer.token(self.service)}"}
        async with self.session.post(self.endpoint, json=activity, headers=headers) as answer:
            raw = await answer.text()
        body = json.loads(raw) if raw else {}
        made = replace(_told(body), status=answer.status)
        if message is not None and made.card:
            self.views[activity["from"]["aadObjectId"], message.id] = made.card
        return made


@asynccontextmanager
async def teams_server(**settings: Any) -> AsyncIterator[Teams]:
    """A Teams for one test."""
    async with aiohttp.ClientSession() as session:
        teams = Teams(session=session, **settings)
        async with serving([*teams.routes(), *teams.issuer.routes()]) as teams.url:
            try:
                yield teams
            finally:
                teams.closing.set()


def _told(body: Json) -> Answer:
    """What a person sees of the body of an answer."""
    task = body.get("task") or {}
    kind: str = body.get("type", task.get("type", ""))
    value: Any = body.get("value", task.get("value"))
    if kind in (TOAST, "message"):
        return Answer(body=body, text=str(value))
    if kind == CARD:
        return Answer(body=body, card=value)
    if kind == "continue":
        return Answer(body=body, card=value["card"]["content"])
    if "composeExtension" in body:
        return Answer(body=body, text=str(body["composeExtension"].get("text", "")))
    return Answer(body=body)
