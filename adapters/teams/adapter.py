"""Teams through botbuilder-core, the only file that knows it: the Connector of seam.py.

Of the SDK come the turn, and the client of the Connector's REST calls. Its HTTP, its tokens and its check of inbound
calls are not used: 4.17.1 repeats updates by itself, hides their status, and waits for the network in the event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import msal
import requests
from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from botframework.connector.aio import ConnectorClient
from botframework.connector.aio.operations_async import ConversationsOperations
from botframework.connector.auth import (
    AuthenticateRequestResult,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
)
from msrest import Serializer
from msrest.exceptions import ClientException
from msrest.pipeline import Response
from msrest.pipeline.async_abc import AsyncHTTPPolicy, AsyncHTTPSender, AsyncPipeline
from msrest.universal_http import HTTPClientResponse

from adapters.teams import wire
from adapters.teams.config import Secrets, TeamsConfig
from adapters.teams.directory import Directory, refusal
from adapters.teams.seam import Answered, Claims, Failed, Handler, Json, Member, Sent

#: Service addresses whose clients are kept: Teams has one for each part of the world.
_CLIENTS = 8
#: Members of a conversation asked for at once, and how often.
_PAGE, _PAGES = 500, 20


class Credentials(Protocol):
    """What gets a token for calling Teams, from its own cache or over the network, waiting as it does so."""

    def get_access_token(self) -> str:
        """The token. Raises Failed with the directory's code."""
        ...


class BotbuilderConnector:
    """Calls to Teams, each tried once. `credentials` are made of the configuration unless given."""

    def __init__(self, config: TeamsConfig, secrets: Secrets, *, credentials: Credentials | None = None) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None
        self._clients: OrderedDict[str, ConnectorClient] = OrderedDict()
        self._roots = {_root(config.service_url)}
        self._bot = f"28:{config.app_id}"
        self._adapter = _Adapter(_Authentication())
        self._token = self._granter(secrets, credentials)

    # ------------------------------------------------------------------------------------------ life

    async def start(self) -> None:
        """Open the session all clients share, and make the first of them: the SDK takes its time over it."""
        seconds = self._config.timeout
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=seconds / 2),
            # A kept connection may be closed just as a card goes out on it, and nobody could tell whether it was taken.
            connector=aiohttp.TCPConnector(force_close=True),
        )
        self._client(self._config.service_url)

    async def stop(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def token(self) -> None:
        """Get a token. Raises Failed with the directory's code."""
        await self._token()

    def _granter(self, secrets: Secrets, credentials: Credentials | None) -> Callable[[], Awaitable[str]]:
        """What gets our token: what was given, the machine's identity, or our secret."""
        if credentials is None and self._config.app_type == "SingleTenant":
            return Directory(self._config, secrets.app_password, self._open).token
        return _Threaded(credentials or ByMachine(self._config), self._config.timeout).token

    # ------------------------------------------------------------------------------------------ inbound

    async def receive(self, payload: Json, claims: Claims, handler: Handler) -> Answered:
        """Run the handler within a turn of the SDK's. Its answer goes around the SDK, which cannot put it on the wire.

        From then on the address in the claims is one that may be called.
        """
        self._roots.add(_root(claims.service))
        answers: list[Answered] = []

        async def turn(_: TurnContext) -> None:
            answers.append(await handler(payload))

        asked = AuthenticateRequestResult()
        asked.claims_identity = ClaimsIdentity(dict(claims.all), True)
        asked.audience = claims.audience
        asked.connector_factory = _Factory(self._client)
        await self._adapter.process_activity(asked, _envelope(payload, claims.service), turn)
        return answers[0] if answers else Answered()

    # ------------------------------------------------------------------------------------------ outbound

    async def create(
        self, service: str, *, members: Sequence[str] = (), channel: str = "", message: Json | None = None
    ) -> Sent:
        """Begin a conversation: a new message in a channel, or a chat with one person."""
        data: Json = {"tenant": {"id": self._config.tenant_id}}
        asked: Json = {"isGroup": bool(channel), "bot": {"id": self._bot}, "tenantId": self._config.tenant_id}
        if channel:
            asked |= {"channelData": data | {"channel": {"id": channel}}}
            asked |= {"activity": message} if message else {}
        else:
            asked |= {"channelData": data, "members": [{"id": member} for member in members]}
        made = await _told(self._client(service).conversations.create_conversation(asked, raw=True))
        sent = Sent(conversation=_id(made), activity=str(made.get("activityId") or ""))
        if message is None or sent.activity:
            return sent
        if channel:
            raise Failed("Teams did not say the id of the message.", sent=True)
        return Sent(conversation=sent.conversation, activity=await self.send(service, sent.conversation, message))

    async def send(self, service: str, conversation: str, message: Json) -> str:
        """Send into a conversation; the id of the message."""
        asked = {"from": {"id": self._bot}, "conversation": {"id": conversation}} | message
        calls = self._client(service).conversations
        return _id(await _told(calls.send_to_conversation(conversation, asked, raw=True)))

    async def update(self, service: str, conversation: str, activity: str, message: Json) -> None:
        """Replace a message of ours."""
        asked = {"from": {"id": self._bot}, "conversation": {"id": conversation}} | message | {"id": activity}
        await _told(self._client(service).conversations.update_activity(conversation, activity, asked, raw=True))

    async def member(self, service: str, conversation: str, who: str) -> Member:
        """Somebody of a conversation, by Teams' id or the directory's."""
        calls = self._client(service).conversations
        return Member.read(await _told(calls.get_conversation_member(conversation, who, raw=True)))

    async def members(self, service: str, conversation: str) -> Sequence[Member]:
        """Everybody of a conversation, a page at a time; at most _PAGES of them."""
        calls, after = self._client(service).conversations, None
        found: dict[str, Member] = {}
        for _ in range(_PAGES):
            page = await _told(calls.get_conversation_paged_members(conversation, _PAGE, after, raw=True))
            # A page that follows another may repeat some of it.
            found |= {one.id: one for one in map(Member.read, page.get("members") or ())}
            after = page.get("continuationToken")
            if not after:
                return tuple(found.values())
        raise Failed("it has too many members to be a role.", status=HTTPStatus.BAD_REQUEST, code="TooManyMembers")

    def _client(self, service: str) -> ConnectorClient:
        """The client of a service address. Raises Failed for one that Teams has not called us from.

        Every call carries our token, so what is called must be the configured root, or one a verified token named.
        """
        if _root(service) not in self._roots or set(service) & set("{}?#"):
            raise Failed(
                f"{service} is not known to be Teams' and is not called. Say something to the bot in Teams, or set "
                "`teams.service_url` to the address of your cloud.",
                code="UnknownService",
            )
        if service not in self._clients:
            self._clients[service] = _client(service, _Signed(self._token), _Sender(self._open))
        self._clients.move_to_end(service)
        while len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)
        return self._clients[service]

    def _open(self) -> aiohttp.ClientSession:
        assert self._session is not None, "calls are made after start"
        return self._session


# ---------------------------------------------------------------------------------------------- the SDK's turn


class _Adapter(CloudAdapterBase):  # type: ignore[misc]  # the SDK has no types
    """The SDK's turn, and nothing else of it."""


class _Factory(ConnectorFactory):  # type: ignore[misc]  # the SDK has no types
    """Hands the turn our own client."""

    def __init__(self, client: Callable[[str], ConnectorClient]) -> None:
        self._client = client

    async def create(self, service_url: str, audience: str) -> ConnectorClient:
        """The client of a service address."""
        return self._client(service_url)


class _Authentication(BotFrameworkAuthentication):  # type: ignore[misc]  # the SDK has no types
    """Tokens are checked in tokens.py, before a turn begins: here is nothing that lets anybody in."""

    async def authenticate_request(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        """Refuses."""
        raise PermissionError("tokens are checked before a turn begins")

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> AuthenticateRequestResult:
        """Refuses."""
        raise PermissionError("tokens are checked before a turn begins")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        """Not asked for: every turn brings its own."""
        raise NotImplementedError

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """There is no sign-in of people."""
        return


def _envelope(payload: Json, service: str) -> Activity:
    """An activity as far as a turn needs it: what it holds is read by parse.py, from the payload itself."""
    place, sender, us = (_account(payload.get(key)) for key in ("conversation", "from", "recipient"))
    return Activity(
        type=payload.get("type"),
        id=payload.get("id"),
        name=payload.get("name"),
        channel_id=payload.get("channelId"),
        service_url=service,
        conversation=ConversationAccount(id=place),
        from_property=ChannelAccount(id=sender),
        recipient=ChannelAccount(id=us),
    )


def _account(found: object) -> str:
    return str(found.get("id") or "") if isinstance(found, dict) else ""


# ---------------------------------------------------------------------------------------------- the SDK's client


class _AsIs(Serializer):
    """Messages are the wire's JSON already; walking a large card through the SDK's models takes 20 000 calls."""

    def body(self, data: Json, data_type: str, **_: Any) -> Json:
        """What is sent: what was given."""
        return data


class _Signed(AsyncHTTPPolicy[Any, Any]):
    """Puts the token on a request, without waiting in the event loop as the SDK's own does."""

    def __init__(self, token: Callable[[], Awaitable[str]]) -> None:
        super().__init__()
        self._token = token

    async def send(self, request: Any, **asked: Any) -> Any:
        """Sign it and pass it on."""
        request.http_request.headers["Authorization"] = f"Bearer {await self._token()}"
        assert self.next is not None, "the pipeline ends in a sender"
        return await self.next.send(request, **asked)


class _Answer(HTTPClientResponse):
    """An answer as the SDK is shown it: without its body, which `_told` reads, and the SDK's models would trip over."""

    def __init__(self, request: Any, answer: wire.Answer) -> None:
        super().__init__(request, answer)
        self.status_code, self.reason = answer.status, answer.reason

    def body(self) -> bytes:
        """Nothing."""
        return b""


class _Sender(AsyncHTTPSender[Any, Any]):
    """Sends a request once. Raises Failed for every answer but a good one."""

    def __init__(self, session: Callable[[], aiohttp.ClientSession]) -> None:
        self._session = session

    async def __aexit__(self, *_: object) -> None:
        """The session is closed by who opened it."""

    async def send(self, request: Any, **_: Any) -> Response[Any, Any]:
        """Send it."""
        asked = request.http_request
        answer = await wire.call(self._session(), asked.method, asked.url, headers=asked.headers, data=asked.data)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise wire.failed(answer)
        return Response(request, _Answer(asked, answer))


def _client(service: str, signed: _Signed, sender: _Sender) -> ConnectorClient:
    """A client of the SDK's that calls through our own pipeline."""
    client = ConnectorClient(signed, base_url=service)
    plain = _AsIs()  # type: ignore[no-untyped-call]  # the SDK has half its types
    client.conversations = ConversationsOperations(client._client, client.config, plain, client._deserialize)
    client.config.pipeline = AsyncPipeline([client.config.user_agent_policy, signed], sender)
    return client


async def _told(call: Awaitable[Any]) -> Json:
    """What a call brings. Raises Failed, also for a good status that is not one of this call's."""
    try:
        raw = await call
    except ClientException as fault:
        raise Failed(f"Teams' answer cannot be read ({type(fault).__name__}).", sent=True) from fault
    answer: wire.Answer = raw.response
    return wire.json_of(answer.body)


def _id(made: Json) -> str:
    """The id in an answer. Raises Failed without one: the message may be there, but could never be redrawn."""
    found = made.get("id")
    if not isinstance(found, str) or not found:
        raise Failed("Teams did not say the id of what it made.", sent=True)
    return found


def _root(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None


# ---------------------------------------------------------------------------------------------- other credentials


class _Threaded:
    """A token of credentials that wait for the network: in a thread, one caller at a time."""

    def __init__(self, credentials: Credentials, patience: float) -> None:
        self._credentials = credentials
        self._patience = patience
        self._asking = asyncio.Lock()

    async def token(self) -> str:
        """The token, from their own cache where it is good. Raises Failed."""
        try:
            async with asyncio.timeout(self._patience), self._asking:
                return await asyncio.to_thread(self._credentials.get_access_token)
        except Failed:
            raise
        except Exception as fault:
            raise Failed(f"No token can be had ({type(fault).__name__}): {fault}"[:300]) from fault


class ByMachine:
    """A token for the managed identity of the machine, from Azure's endpoint on it; msal knows where, and keeps it.

    `web` is what msal calls through.
    """

    def __init__(self, config: TeamsConfig, web: Any = None) -> None:
        self._resource = config.scope.removesuffix("/.default")
        identity = msal.UserAssignedManagedIdentity(client_id=config.app_id)
        self._client = msal.ManagedIdentityClient(identity, http_client=web or _Bounded(config.timeout / 2))

    def get_access_token(self) -> str:
        """The token. Raises Failed with what the endpoint says."""
        try:
            said = self._client.acquire_token_for_client(resource=self._resource)
        except (OSError, ValueError) as fault:
            raise Failed(
                f"Azure's endpoint for managed identities does not answer ({type(fault).__name__}). Run on a machine "
                "in Azure that the bot's identity is assigned to, or use a client secret with `app_type: SingleTenant`."
            ) from fault
        if token := said.get("access_token"):
            return str(token)
        raise refusal(said)


class _Bounded(requests.Session):
    """What msal calls through: it waits so many seconds, and takes no proxy to what lies on the machine."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self.trust_env = False

    def request(self, *args: Any, **asked: Any) -> requests.Response:
        """As requests does it, with a limit."""
        return super().request(*args, **{"timeout": self._seconds} | asked)
