"""The Bot Connector as strict as the real one: conversations, messages, members, and what it refuses.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import jsonschema_rs
from aiohttp import web

from tests.fakes import schemas
from tests.fakes import teams_payloads as payloads
from tests.fakes.signing import GRANT, Directory
from tests.fakes.teams_payloads import (
    APP_ID,
    CARD,
    CHANNEL,
    GROUP,
    NAMES,
    TENANT,
    Json,
    chat_of,
    new_id,
    root_of,
    teams_id,
    words,
)

#: What a card and a whole message may weigh, bytes.
MOST_CARD, MOST_BODY = 28_000, 80_000
#: Calls in so many seconds to one conversation.
WINDOWS = ((7, 1.0), (60, 30.0))
#: The token our calls must carry, and the secret it is given for.
BEARER, PASSWORD = "a-token-of-the-directory", "the-value-of-a-client-secret"
_DIRECTORY = Directory(app_id=APP_ID, tenant=TENANT, secret=PASSWORD, token=BEARER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call fails. `status` and `code`: refused with these. `dropped`: carried out, then the connection is
    cut. `silent`: carried out, and never answered."""

    status: int = 500
    code: str = "ServiceError"
    retry_after: int | None = None
    dropped: bool = False
    silent: bool = False


@dataclass(slots=True, kw_only=True)
class Message:
    """A message as it stands. `conversation` is that of its thread, `by` the person who wrote it, empty for the bot."""

    conversation: str
    id: str
    activity: Json
    by: str = ""
    edits: int = 0

    @property
    def card(self) -> Json:
        """Its card; {} where it has none."""
        cards = (a["content"] for a in self.activity.get("attachments", ()) if a.get("contentType") == CARD)
        return next(cards, {})

    @property
    def seen(self) -> str:
        """What a person reads."""
        return "\n".join(filter(None, (self.activity.get("text", ""), words(self.card))))


class Refused(Exception):
    """Teams says no."""

    def __init__(self, status: int, code: str, text: str = "", retry_after: int | None = None) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text, self.retry_after = status, code, text, retry_after


@dataclass(slots=True, kw_only=True)
class Service:
    """The state of one test's Bot Connector.

    `faults` by call (`create`, `send`, `update`, `member`, `token`) are used up one by one (None: that call goes well).
    `calls` are in order, with their bodies; `refused` is what was said no to. `messages` by conversation without its
    thread, and id; `views` is what one person was answered instead of a card, by their id and the message's. `rooms`
    are channels and group chats it is in, `reachable` people who have the app, `blocked` maps people to Teams' code for
    why not. `now` paces: give it the clock the bot paces by. `finds` may find more faults in a card than Teams would.
    """

    url: str = ""
    now: Callable[[], float] = time.monotonic
    finds: Callable[[Json], list[str]] = field(default=lambda _: [])
    faults: dict[str, list[Fault | None]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, Json]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    views: dict[tuple[str, str], Json] = field(default_factory=dict)
    rooms: set[str] = field(default_factory=lambda: {CHANNEL, GROUP})
    reachable: set[str] = field(default_factory=lambda: set(NAMES))
    blocked: dict[str, str] = field(default_factory=dict)
    chats: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    took: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    @property
    def service(self) -> str:
        """The service URL, as activities tell it."""
        return f"{self.url}/teams/"

    # ------------------------------------------------------------------------------------------ the connector

    async def answer(self, request: web.Request, name: str, do: Callable[[web.Request, Json], Json]) -> web.Response:
        """One call of the Bot Connector."""
        raw = await request.read()
        fault = self.faults[name].pop(0) if self.faults[name] else None
        try:
            body = self._body(request, raw)
            self.calls.append((name, body))
            if fault is not None and not (fault.dropped or fault.silent):
                raise Refused(fault.status, fault.code, "told to fail", fault.retry_after)
            made = do(request, body)
        except Refused as no:
            self.refused.append(no)
            self.changed.set()
            return _refusal(no)
        self.changed.set()
        if fault is not None and fault.silent:
            await self.closing.wait()
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return web.json_response(made, status=201 if request.method == "POST" else 200)

    def _body(self, request: web.Request, raw: bytes) -> Json:
        if request.headers.get("Authorization") != f"Bearer {BEARER}":
            raise Refused(401, "Unauthorized", "Authorization has been denied for this request.")
        if len(raw) > MOST_BODY:
            raise Refused(413, "MessageSizeTooBig", f"{len(raw)} bytes")
        try:
            body = json.loads(raw or b"{}")
        except ValueError as fault:
            raise Refused(400, "BadSyntax", "not JSON") from fault
        if not isinstance(body, dict):
            raise Refused(400, "BadSyntax", "not an object")
        return body

    def create(self, request: web.Request, body: Json) -> Json:
        """A new message in a channel, or the 1:1 conversation with a person."""
        if body.get("tenantId", body.get("channelData", {}).get("tenant", {}).get("id")) != TENANT:
            raise Refused(403, "ForbiddenOperationException", "the tenant is not the app's, or not named")
        if body.get("isGroup"):
            channel = body.get("channelData", {}).get("channel", {}).get("id", "")
            said = self._put(channel, body.get("activity") or {})
            return {"id": said.conversation, "activityId": said.id}
        members = body.get("members") or []
        if len(members) != 1:
            raise Refused(400, "BadSyntax", "one member, no more")
        chat = chat_of(self._reach(str(members[0].get("id", ""))))
        self.chats.add(chat)
        return {"id": chat} | ({"activityId": self._put(chat, body["activity"]).id} if body.get("activity") else {})

    def send(self, request: web.Request, body: Json) -> Json:
        """A message into a conversation."""
        return {"id": self._put(request.match_info["conversation"], body).id}

    def update(self, request: web.Request, body: Json) -> Json:
        """Another text for a message of the bot's."""
        conversation, name = request.match_info["conversation"], request.match_info["activity"]
        self._room(conversation)
        self._pace(conversation)
        message = self.messages.get((root_of(conversation), name))
        if message is None or message.by:
            raise Refused(404, "ActivityNotFoundInConversation", name)
        if message.conversation != conversation:
            raise Refused(400, "Unknown", "the conversation of a channel's message ends in ;messageid=")
        self._checked(body)
        message.activity, message.edits = body, message.edits + 1
        self.views = {key: view for key, view in self.views.items() if key[1] != name}
        return {"id": name}

    def member(self, request: web.Request, body: Json) -> Json:
        """Somebody of a conversation, by Teams' id or the directory's."""
        self._room(request.match_info["conversation"])
        aad, room = _person(request.match_info["member"]), root_of(request.match_info["conversation"])
        if room not in (chat_of(aad), *self.rooms):
            raise Refused(404, "MemberNotFoundInConversation", aad)
        return _member(aad)

    def members(self, request: web.Request, body: Json) -> Json:
        """Everybody of a conversation."""
        self._room(request.match_info["conversation"])
        return {"members": [_member(aad) for aad in NAMES]}

    def _put(self, conversation: str, body: Json) -> Message:
        """A new message of the bot's."""
        self._room(conversation)
        self._pace(conversation)
        self._checked(body)
        return self.keep(conversation, body)

    def keep(self, conversation: str, body: Json, by: str = "", name: str = "") -> Message:
        """A message that stands from now on: of the bot's, or `by` a person. A new one in a channel begins a thread."""
        name = name or new_id()
        if conversation.endswith("@thread.tacv2"):
            conversation = f"{conversation};messageid={name}"
        message = Message(conversation=conversation, id=name, activity=body, by=by)
        self.messages[root_of(conversation), name] = message
        return message

    def _reach(self, member: str) -> str:
        aad = _person(member)
        if aad in self.blocked:
            raise Refused(403, self.blocked[aad], "the person does not take messages of this app")
        if aad not in self.reachable:
            raise Refused(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
        return aad

    def _room(self, conversation: str) -> None:
        """Whether the bot may speak there."""
        root = root_of(conversation)
        if root in self.chats:
            self._reach(next(aad for aad in NAMES if chat_of(aad) == root))
            return
        if root not in self.rooms:
            raise Refused(404, "ConversationNotFound", conversation)
        thread = conversation.removeprefix(root).removeprefix(";messageid=")
        if thread and (root, thread) not in self.messages:
            raise Refused(404, "ConversationNotFound", conversation)

    def _pace(self, conversation: str) -> None:
        took, now = self.took[root_of(conversation)], self.now()
        for most, seconds in WINDOWS:
            recent = [at for at in took if at > now - seconds]
            if len(recent) >= most:
                raise Refused(429, "Too Many Requests", "slower", int(seconds))
        took.append(now)

    def _checked(self, body: Json) -> None:
        if body.get("type") != "message" or not (body.get("text") or body.get("attachments")):
            raise Refused(400, "BadSyntax", "an activity that is no message, or empty")
        for one in body.get("attachments", ()):
            card = one.get("content")
            if one.get("contentType") != CARD or not isinstance(card, dict):
                raise Refused(400, "BadSyntax", "an attachment that is no card")
            if len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_CARD:
                raise Refused(413, "MessageSizeTooBig", "the card")
            if faults := [*card_faults(card), *self.finds(card)]:
                raise Refused(400, "BadSyntax", "; ".join(faults[:5]))

    async def directory(self, request: web.Request) -> web.Response:
        """The directory: a token for the app's secret, in its own tenant."""
        form = dict(await request.post())
        self.calls.append(("token", {name: str(value) for name, value in form.items() if name != "client_secret"}))
        if self.faults["token"] and (fault := self.faults["token"].pop(0)):
            return web.json_response({"error": "told_to_fail", "error_description": fault.code}, status=fault.status)
        return _DIRECTORY.given(request.match_info["tenant"], form)

    def routes(self) -> list[web.RouteDef]:
        """Everything this Teams answers."""

        def route(method: str, path: str, name: str, do: Callable[[web.Request, Json], Json]) -> web.RouteDef:
            async def handle(request: web.Request) -> web.Response:
                return await self.answer(request, name, do)

            return web.route(method, f"/teams/v3/conversations{path}", handle)

        return [
            route("POST", "", "create", self.create),
            route("POST", "/{conversation}/activities", "send", self.send),
            route("POST", "/{conversation}/activities/{activity}", "send", self.send),
            route("PUT", "/{conversation}/activities/{activity}", "update", self.update),
            route("GET", "/{conversation}/members/{member}", "member", self.member),
            route("GET", "/{conversation}/pagedmembers", "member", self.members),
            web.post(GRANT, self.directory),
        ]


def card_faults(card: Json) -> list[str]:
    """What Teams would not take of a card."""
    classic = {name: value for name, value in card.items() if name != "msteams"}
    faults = [_told(leaf) for fault in _schema().iter_errors(classic) for leaf in _leaves(fault)]
    for one in payloads.buttons(card):
        kind, data = one.action["type"], one.action.get("data")
        if kind == "Action.Execute" and not (one.action.get("verb") and isinstance(data, dict)):
            faults.append(f"an Action.Execute without a verb, or whose data is no object: {one.action}"[:300])
    ids = [field["id"] for field in payloads.inputs(card)]
    return faults + [f"the id {name} is there twice" for name in sorted({each for each in ids if ids.count(each) > 1})]


def _leaves(fault: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """What is wrong at the bottom of a choice none of whose alternatives fits."""
    context = getattr(fault.kind, "context", None)
    if not context:
        yield fault
    for one in (one for branch in context or () for one in branch):
        yield from _leaves(one)


def _told(fault: jsonschema_rs.ValidationError) -> str:
    return f"{'/'.join(map(str, fault.instance_path))}: {fault.message[-200:]}"


@cache
def _schema() -> jsonschema_rs.Draft6Validator:
    return jsonschema_rs.Draft6Validator(schemas.adaptive())


def _person(member: str) -> str:
    found = next((aad for aad in NAMES if member in (aad, teams_id(aad))), None)
    if found is None:
        raise Refused(404, "MemberNotFoundInConversation", member)
    return found


def _member(aad: str) -> Json:
    mail = NAMES[aad].split()[0].lower() + "@example.com"
    named = {"id": teams_id(aad), "name": NAMES[aad], "userPrincipalName": mail, "email": mail, "userRole": "user"}
    return named | {"objectId": aad, "aadObjectId": aad, "tenantId": TENANT}


def _refusal(no: Refused) -> web.Response:
    headers = {"Retry-After": str(no.retry_after)} if no.retry_after is not None else {}
    said = {"error": {"code": no.code, "message": no.text}}
    return web.json_response(said, status=no.status, headers=headers)
