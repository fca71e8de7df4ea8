"""A Connector in memory, and our side in front of it: it keeps what is sent and redrawn, and fails as it is told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.teams.config import TeamsConfig
from adapters.teams.pace import Pace
from adapters.teams.seam import Answered, Claims, Failed, Handler, Json, Member, Sent
from adapters.teams.surface import TeamsSurface
from adapters.teams.tokens import Tokens
from reviews import filled
from reviews.card import Card, Control
from reviews.model import Target, Verb
from reviews.ports import MessageRef
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.clock import Ticks
from tests.fakes.desk import ANA, FakeDesk, FixedClock, desk_of
from tests.fakes.references import FakeReferences
from tests.fakes.teams_payloads import TEAMS_ANA

SERVICE = "https://teams.example.com/emea/"


@dataclass
class FakeConnector:
    """`messages` by activity id, in the order they were sent; `calls` tells which methods were called with what.

    `faults` by method fail the next calls; `held` keeps every call waiting until it is set;
    `mute` are methods that are never answered.
    """

    messages: dict[str, Json] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, list[Failed]] = field(default_factory=dict)
    held: asyncio.Event | None = None
    mute: set[str] = field(default_factory=set)
    _ids: Callable[[], int] = field(default_factory=lambda: itertools.count(1).__next__)

    async def start(self) -> None:
        """Nothing is kept open."""

    async def stop(self) -> None:
        """Nothing is."""

    async def receive(self, payload: Json, claims: Claims, handler: Handler) -> Answered:
        """Run the handler."""
        return await handler(payload)

    async def create(
        self, service: str, *, members: Sequence[str] = (), channel: str = "", message: Json | None = None
    ) -> Sent:
        """A new message in a channel, or a chat with one person: always the same one."""
        await self._called("create", channel or members[0])
        if channel:
            activity = self._kept("", message)
            self.places[activity] = f"{channel};messageid={activity}"
            return Sent(conversation=self.places[activity], activity=activity)
        chats = {payloads.teams_id(aad): payloads.chat_of(aad) for aad in payloads.NAMES}
        chat = chats.get(members[0]) or payloads.chat_of(members[0])
        return Sent(conversation=chat, activity="" if message is None else self._kept(chat, message))

    async def send(self, service: str, conversation: str, message: Json) -> str:
        """Keep a message."""
        await self._called("send", conversation)
        return self._kept(conversation, message)

    async def update(self, service: str, conversation: str, activity: str, message: Json) -> None:
        """Keep another in its place; 404 where there is none."""
        await self._called("update", activity)
        if self.places.get(activity) != conversation:
            raise Failed("no such message", status=404, code="ActivityNotFoundInConversation")
        self.messages[activity] = message

    async def member(self, service: str, conversation: str, who: str) -> Member:
        """Nobody is asked for."""
        raise Failed("no such member", status=404, code="MemberNotFoundInConversation")

    async def members(self, service: str, conversation: str) -> Sequence[Member]:
        """Nobody is asked for."""
        raise Failed("no such conversation", status=404, code="ConversationNotFound")

    async def token(self) -> None:
        """One is there, unless a fault is."""
        await self._called("token", "")

    # ------------------------------------------------------------------------------------------ what tests look at

    def sent(self, conversation: str) -> list[Json]:
        """The messages of a conversation, oldest first."""
        return [message for activity, message in self.messages.items() if self.places[activity] == conversation]

    def alone(self, aad: str) -> list[Json]:
        """What one person was sent in their own chat."""
        return self.sent(payloads.chat_of(aad))

    def made(self, method: str) -> list[str]:
        """What a method was called with."""
        return [about for called, about in self.calls if called == method]

    async def _called(self, method: str, about: str) -> None:
        self.calls.append((method, about))
        if self.held is not None:
            await self.held.wait()
        if method in self.mute:
            await asyncio.Event().wait()
        if self.faults.get(method):
            raise self.faults[method].pop(0)

    def _kept(self, conversation: str, message: Json | None) -> str:
        activity = str(1_760_000_000_000 + self._ids())
        self.messages[activity] = message or {}
        self.places[activity] = conversation
        return activity


class Rig:
    """Our side in front of a FakeConnector: the surface, its desk, and ways to do what people do in Teams.

    Ana is known to the desk, Bo is not, as in the tests of the other surfaces.
    """

    def __init__(
        self, *, desk: FakeDesk | None = None, references: FakeReferences | None = None, patience: float = 1.5
    ) -> None:
        self.desk = desk or desk_of()
        self.desk.people = {TEAMS_ANA: ANA}
        self.clock, self.time = FixedClock(), Ticks()
        self.references = references or FakeReferences()
        self.connector = FakeConnector()
        config = TeamsConfig(app_id=payloads.APP_ID, tenant_id=payloads.TENANT, service_url=SERVICE)
        self.tokens = Tokens(config)
        pace = Pace(self.time.now, pause=self.time.pause)
        self.surface = TeamsSurface(
            config,
            self.desk,
            self.clock,
            self.references,
            self.connector,
            self.tokens,
            patience=patience,
            pace=pace,
        )

    async def deliver(self, payload: Json) -> Answered:
        """What a verified activity is answered with."""
        claims = Claims(audience=payloads.APP_ID, service=SERVICE)
        return await self.connector.receive(payload, claims, self.surface._handle)

    async def settled(self) -> None:
        """Return once all that follows answers is done."""
        await self.surface._chores.drain(10.0)

    # ------------------------------------------------------------------------------------------ what people do

    async def post(self, card: Card | None = None, address: str = payloads.CHANNEL, copy: str = "copy-7") -> MessageRef:
        """Post a copy."""
        return await self.surface.post(card or cards.refund(), Target(surface="teams", address=address), copy)

    def pressing(self, activity: str, what: str, who: str = TEAMS_ANA, values: Mapping[str, str] | None = None) -> Json:
        """What Teams sends when a control of a message is pressed: found by its title, its verb or its name."""
        found = payloads.button(card_of(self.connector.messages[activity]), what, values or {})
        data, faults = payloads.gathered(found, values or {})
        assert not faults, faults
        place = self.connector.places[activity]
        return payloads.pressed(found.action, data, who, place, activity, service=SERVICE)

    async def press(
        self, activity: str, what: str, who: str = TEAMS_ANA, values: Mapping[str, str] | None = None
    ) -> Answered:
        """Press it."""
        return await self.deliver(self.pressing(activity, what, who, values))

    async def say(self, text: str, who: str = TEAMS_ANA, place: str = "", **more: Any) -> Answered:
        """Type something: in one's own chat, or elsewhere with a mention; all that follows is done."""
        said = payloads.message(text, who, place or payloads.chat_of(who), mention=bool(place), service=SERVICE, **more)
        answer = await self.deliver(said)
        await self.settled()
        return answer

    def last(self, who: str = TEAMS_ANA) -> str:
        """The activity sent to somebody's own chat last."""
        return next(a for a in reversed(self.connector.messages) if self.connector.places[a] == payloads.chat_of(who))

    def told(self, who: str = TEAMS_ANA) -> list[str]:
        """The words of all that somebody was sent in their own chat."""
        return [words_of(message) for message in self.connector.alone(who)]


def control_of(card: Card, verb: Verb) -> Control:
    """The control of a card for a verb; it has one."""
    return next(each for each in filled.controls(card) if each.verb is verb)


def card_of(message: Json) -> Json:
    """The card of a message."""
    card: Json = message["attachments"][0]["content"]
    return card


def words_of(message: Json) -> str:
    """What people read of a message."""
    drawn = "\n".join(payloads.words(one["content"]) for one in message.get("attachments", ()))
    return f"{message.get('text', '')}\n{drawn}".strip()


def toast_of(answer: Answered) -> str:
    """The sentence of an answer to a press."""
    body = answer.body or {}
    assert (answer.status, body["statusCode"], body["type"]) == (200, 200, payloads.TOAST), body
    said: str = body["value"]
    return said


def drawn_of(answer: Answered) -> Json:
    """The card of an answer to a press."""
    body = answer.body or {}
    assert (answer.status, body["statusCode"], body["type"]) == (200, 200, payloads.CARD), body
    card: Json = body["value"]
    return card


def dialog_of(answer: Answered) -> Json:
    """The card of a dialog."""
    task = (answer.body or {})["task"]
    assert task["type"] == "continue", task
    card: Json = task["value"]["card"]["content"]
    return card


def said_of(answer: Answered) -> str:
    """The sentence a dialog ends with."""
    task = (answer.body or {})["task"]
    assert task["type"] == "message", task
    said: str = task["value"]
    return said
