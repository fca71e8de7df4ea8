"""Where people and rooms are reached: kept from whatever comes in, and asked of Teams where nothing did yet."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.teams.parse import Kind, Origin, kind_of, threaded
from reviews.errors import StoreUnavailable
from reviews.model import Target
from reviews.ports import References
from reviews.values import replace

_log = logging.getLogger(__name__)

#: What people and rooms are kept under, and where Teams was when it last called.
_PERSON, _ROOM, _BOT = "person:", "room:", "bot"
_CHAT = ("19:", "a:")
#: References held in memory; the others are read again.
_KEPT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where something goes, at the service `service`.

    Into the conversation `conversation`; where that is empty, into a new one: of the channel `channel`, or with the
    person `member`. `key` is the place whatever hangs on it, by which it is paced; `address` is what people call it.
    """

    service: str
    key: str
    address: str
    conversation: str = ""
    channel: str = ""
    member: str = ""


class Places:
    """References by key, read once. `service` is where Teams is until it has called; `tenant` is whose people count.

    A database that is down is no reason not to answer: what is not known is then asked of Teams.
    """

    def __init__(self, references: References, *, service: str, tenant: str) -> None:
        self._references = references
        self._service = service
        self._tenant = tenant
        self._known: OrderedDict[str, dict[str, str]] = OrderedDict()

    # ------------------------------------------------------------------------------------------ what comes in

    async def note(self, origin: Origin, *, member: bool = True) -> None:
        """Keep where somebody and their room are reached. `member`: we are of that room, and may write there.

        Raises StoreUnavailable.
        """
        if origin.identity.tenant != self._tenant or not origin.service:
            return
        conversation = origin.conversation if origin.alone and member else ""
        person = {"user": origin.user, "conversation": conversation, "service": origin.service}
        await self._keep(_PERSON + origin.identity.id, person)
        await self._keep(_BOT, {"service": origin.service})
        if member and not origin.alone:
            await self._keep(_ROOM + origin.channel, {"service": origin.service, "kind": str(origin.kind)})

    async def knows(self, origin: Origin) -> bool:
        """Whether we are of the room that somebody did something in."""
        return not origin.alone and bool(await self._get(_ROOM + origin.channel))

    # ------------------------------------------------------------------------------------------ what goes out

    async def alone(self, origin: Origin) -> Where:
        """The chat with who did something: where they did it, if that is it."""
        if origin.alone:
            return self.here(origin)
        known = await self.person(origin.identity.id)
        if known.conversation:
            return known
        return replace(known, service=origin.service or known.service, member=origin.user or known.member)

    def here(self, origin: Origin) -> Where:
        """Where somebody did something."""
        return Where(
            service=origin.service or self._service,
            key=origin.channel,
            address=origin.identity.id if origin.alone else origin.channel,
            conversation=origin.conversation,
        )

    async def where(self, target: Target) -> Where:
        """Where a target is reached."""
        address = target.address.strip()
        if not address.startswith(_CHAT):
            return await self.person(address)
        room = await self._get(_ROOM + address)
        service = room.get("service") or await self._default()
        kind = Kind(room["kind"]) if room.get("kind") in tuple(Kind) else kind_of(address)
        if kind is not Kind.CHANNEL:
            return Where(service=service, key=address, address=address, conversation=address)
        conversation = threaded(address, target.thread) if target.thread else ""
        return Where(service=service, key=address, address=address, conversation=conversation, channel=address)

    async def person(self, object_id: str) -> Where:
        """Where a person is reached, by the directory's object id; a chat that was never begun has no conversation."""
        person = object_id.lower()
        known = await self._get(_PERSON + person)
        service = known.get("service") or await self._default()
        conversation = known.get("conversation", "")
        return Where(
            service=service,
            key=conversation or person,
            address=person,
            conversation=conversation,
            member="" if conversation else known.get("user") or person,
        )

    async def begun(self, object_id: str, conversation: str, service: str) -> None:
        """Keep a chat that was begun. A database that does not take it has it begun again, which is the same one."""
        try:
            await self._keep(_PERSON + object_id.lower(), {"conversation": conversation, "service": service})
        except StoreUnavailable as fault:
            _log.warning("where somebody is reached in Teams was not kept: %s", fault)

    def forget(self, target: Target) -> None:
        """Take what is known of a person's chat as wrong: it is begun anew. Rooms have nothing to begin."""
        address = target.address.strip()
        if not address.startswith(_CHAT):
            self._remember(_PERSON + address.lower(), {})

    # ------------------------------------------------------------------------------------------ keeping

    async def _default(self) -> str:
        return (await self._get(_BOT)).get("service") or self._service

    async def _get(self, key: str) -> Mapping[str, str]:
        """What is known under a key; nothing where the database does not say."""
        try:
            return await self._read(key)
        except StoreUnavailable as fault:
            _log.warning("where Teams is reached is not known for now: %s", fault)
            return {}

    async def _read(self, key: str) -> dict[str, str]:
        if key not in self._known:
            kept = await self._references.get(key)
            if kept is None:
                return {}
            self._remember(key, dict(kept))
        self._known.move_to_end(key)
        return self._known[key]

    async def _keep(self, key: str, fields: Mapping[str, str]) -> None:
        """Keep what is new; blank fields say nothing."""
        known = await self._read(key)
        whole = known | {name: value for name, value in fields.items() if value}
        if whole != known:
            await self._references.put(key, whole)
            self._remember(key, whole)

    def _remember(self, key: str, fields: dict[str, str]) -> None:
        self._known[key] = fields
        self._known.move_to_end(key)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
