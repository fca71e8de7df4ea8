"""The seam between Teams' wire and everything else here: neutral values, and what a vendor's SDK is asked for.

`adapters/teams/adapter.py` is the only file that knows an SDK; another one replaces it by implementing `Connector`.
Payloads and messages are the Bot Connector's own JSON, in dictionaries.
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where a message lies, in the service's exact ids. A channel's conversation ends in `;messageid=…`."""

    conversation: str
    activity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of a conversation: `id` is Teams' own (`29:…`), `object_id` and `tenant` are the directory's.

    `guest`: of another organisation, or not signed in.
    """

    id: str
    object_id: str
    tenant: str
    name: str
    email: str = ""
    guest: bool = False

    @classmethod
    def read(cls, found: Json) -> Member:
        """One as the service tells it. https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context"""
        said = {name: value for name, value in found.items() if isinstance(value, str)}
        upn, role = said.get("userPrincipalName", ""), said.get("userRole", "user")
        return cls(
            id=said.get("id", ""),
            object_id=(said.get("aadObjectId") or said.get("objectId") or "").lower(),
            tenant=said.get("tenantId", "").lower(),
            name=said.get("name", ""),
            email=said.get("email") or upn,
            guest=role.lower() != "user" or "#ext#" in upn.lower(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an inbound activity is answered with: an HTTP status, and for an invoke its body."""

    status: int = 200
    body: Json | None = None


class Failed(Exception):
    """A call that did not work.

    `status` is HTTP's, 0 where there was no answer; `code` is Teams' word for it; `retry_after` is seconds; `sent`
    says that it may have been carried out all the same.
    """

    def __init__(
        self, text: str, *, status: int = 0, code: str = "", retry_after: float | None = None, sent: bool = False
    ) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.sent = sent


class Unauthorized(Exception):
    """An inbound call whose token proves nothing. The sentence is for the log, never for who called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says: the bot it is for, and the service it came from."""

    audience: str
    service: str
    all: Mapping[str, Any] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Json], Awaitable[Answered]]


class Connector(Protocol):
    """What is asked of the Bot Connector. Every call raises Failed, and is tried once: retries are ours."""

    async def start(self) -> None:
        """Open what is kept open."""
        ...

    async def stop(self) -> None:
        """Close it."""
        ...

    async def receive(self, payload: Json, claims: Claims, handler: Handler) -> Answered:
        """Run the handler for a verified inbound activity, within the SDK's turn."""
        ...

    async def create(
        self, service: str, *, members: Sequence[str] = (), channel: str = "", message: Json | None = None
    ) -> Sent:
        """Begin a conversation: a new message in a channel, or a chat with one person.

        `members` are Teams' ids or the directory's object ids. `Sent.activity` is empty without a message.
        """
        ...

    async def send(self, service: str, conversation: str, message: Json) -> str:
        """Send into a conversation; the id of the message."""
        ...

    async def update(self, service: str, conversation: str, activity: str, message: Json) -> None:
        """Replace a message of ours."""
        ...

    async def member(self, service: str, conversation: str, who: str) -> Member:
        """Somebody of a conversation, by Teams' id or the directory's."""
        ...

    async def members(self, service: str, conversation: str) -> Sequence[Member]:
        """Everybody of a conversation; of a channel, of its team."""
        ...

    async def token(self) -> None:
        """Get a token, to see that there is one. Raises Failed with the directory's own code, as in `AADSTS7000215`."""
        ...
