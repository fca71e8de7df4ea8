"""What an operator's commands ask of Teams: the app's manifest and package, and whether all of it would work.

It looks, and changes nothing but one thing nobody sees: a chat is opened with each person, as the first card to them
would open it. Nothing is posted.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import aiohttp
from pydantic import ValidationError

from adapters.drift import clock
from adapters.port import CONFIGURATION, Finding, Member, bad, ok, warn
from adapters.teams import package as app
from adapters.teams import seam, wire
from adapters.teams.calls import DIRECTORY, FIXES, INSTALL, translated
from adapters.teams.config import APP_PASSWORD, Secrets, TeamsConfig, TeamsMisconfigured, configure
from adapters.teams.seam import Connector, Failed, Json
from adapters.teams.tokens import Tokens
from reviews.errors import SurfaceRefused

#: How a connector is made; tests give their own.
Connect = Callable[[TeamsConfig, Secrets], Connector]

#: Seconds a call of these may take.
_PATIENCE = 5.0
#: What is wrong with one room or one person; anything else is wrong with Teams.
_ABOUT_ONE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
#: The bot sees that conversation, and the person it asked for is not in it.
_NOT_THERE = "MemberNotFoundInConversation"
#: Of a person's chat: there is none, and none may be opened.
_NOT_INSTALLED = "BotNotInConversationRoster"

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ROOM = re.compile(r"19:[\w.-]+@(?:thread\.(?:tacv2|skype|v2)|unq\.gbl\.spaces)")

_REGISTRATION = "In Azure, App registrations > your app > Overview"
_OBJECT = "In the Entra admin center, Users > the person > Object ID."
_LINK = "In Teams, ⋯ beside the channel's name > Get link to channel"
_INVITE = "Add the Placet app to its team in Teams, or check the id under `roles:` in placet.yml."
_LEFT_OUT = "Leave it out: it is changed for a sovereign cloud or in tests only."

#: What to write where a value is not one of a few words.
_VALUES = {
    "app_id": f"{_REGISTRATION} > Application (client) ID.",
    "tenant_id": f"{_REGISTRATION} > Directory (tenant) ID.",
    "timeout": "Write seconds, more than 0 and at most 60, such as 10.",
}


def _botbuilder(config: TeamsConfig, secrets: Secrets) -> Connector:
    from adapters.teams.adapter import BotbuilderConnector  # noqa: PLC0415 - slow, and a manifest needs no SDK

    return BotbuilderConnector(config, secrets)


class TeamsTools:
    """The `placet.tools` of Teams."""

    def __init__(self, connect: Connect = _botbuilder) -> None:
        self._connect = connect

    def manifest(self, config: Mapping[str, Any], *, url: str, socket: bool) -> str:
        """The app manifest as JSON. See `adapters.port.Tools`. Raises TeamsMisconfigured."""
        if socket:
            raise TeamsMisconfigured("Teams knows no socket: it must reach this server by https. Leave --socket out.")
        return app.text(_document(config, url))

    def package(self, config: Mapping[str, Any], *, url: str) -> bytes:
        """The app package. See `adapters.port.Tools`. Raises TeamsMisconfigured."""
        return app.zipped(_document(config, url))

    async def examine(
        self,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        channels: Sequence[str],
        people: Sequence[str],
        now: datetime,
    ) -> Sequence[Finding]:
        """See `adapters.port.Tools`. Nothing is asked of anybody until every setting and the secret is there."""
        if wrong := list(_settings(config)):
            return wrong
        try:
            configured = configure(config, env)
        except TeamsMisconfigured as fault:
            return [bad("secrets", str(fault), "Then run `placet doctor` again.")]
        assert configured is not None, "an empty section lacks what is required, and was told of above"
        settings, secrets = configured
        if settings.app_type == "SingleTenant" and _GUID.fullmatch(secrets.app_password):
            return [_mixed_up()]
        brief = settings.model_copy(update={"timeout": min(settings.timeout, _PATIENCE)})
        async with _open(self._connect(brief, secrets)) as connector:
            return [finding async for finding in _Look(connector, brief).all(channels, people, now)]

    async def members(self, config: Mapping[str, Any], env: Mapping[str, str], *, group: str) -> Sequence[Member]:
        """Who is in a channel's team or a chat, `19:…`; known by object id. See `adapters.port.Tools`."""
        try:
            configured = configure(config, env)
        except TeamsMisconfigured as fault:
            raise SurfaceRefused(str(fault)) from fault
        if configured is None:
            raise SurfaceRefused(f"Teams is not set up, so it cannot be asked who is in {group}.")
        if not _ROOM.fullmatch(group.strip()):
            finding = _no_address(group)
            raise SurfaceRefused(f"{finding.text}. {finding.fix}")
        settings, secrets = configured
        brief = settings.model_copy(update={"timeout": min(settings.timeout, _PATIENCE)})
        async with _open(self._connect(brief, secrets)) as connector:
            try:
                found = await connector.members(settings.service_url, group.strip())
            except Failed as fault:
                raise translated(fault) from fault
        return [_known(one, settings.tenant_id) for one in found]


TOOLS = TeamsTools()


def _known(one: seam.Member, tenant: str) -> Member:
    """Somebody as others know them: by the directory's id, as a press of theirs names them."""
    stranger = not one.object_id or one.tenant not in ("", tenant)
    return Member(id=one.object_id or one.id, name=one.name, email=one.email, guest=one.guest or stranger)


def _document(config: Mapping[str, Any], url: str) -> Json:
    """The manifest of the bot the section names, whether or not its secret is there yet."""
    found = configure(config, {APP_PASSWORD: "-"})
    return app.document(app_id="" if found is None else found[0].app_id, url=url)


@asynccontextmanager
async def _open(connector: Connector) -> AsyncIterator[Connector]:
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop()


class _Look:
    """One look at Teams, from the token on. The rest waits until the directory gives one."""

    def __init__(self, connector: Connector, settings: TeamsConfig) -> None:
        self._connector, self._settings = connector, settings

    async def all(self, channels: Sequence[str], people: Sequence[str], now: datetime) -> AsyncIterator[Finding]:
        """Every check, in the order in which one mends them."""
        try:
            await self._connector.token()
        except Failed as fault:
            yield _no_token(fault, self._settings)
            return
        yield ok("token", f"Entra lets the bot {self._settings.app_id} in")
        yield await self._keys()
        yield await self._clock(now)
        known = [user for person in people if _GUID.fullmatch(user := person.strip().lower().rpartition(":")[2])]
        try:
            for check in [*await self._rooms(channels, known), *await self._people(people)]:
                yield check
        except Failed as fault:
            yield _whole(fault, self._settings)

    # ------------------------------------------------------------------------------------------ what Teams sends

    async def _keys(self) -> Finding:
        """Whether the keys that sign what Teams sends can be fetched."""
        tokens = Tokens(self._settings)
        await tokens.start()
        fix = "Where it takes a proxy to reach it, set HTTPS_PROXY."
        return bad("keys", tokens.fault, fix) if tokens.fault else ok("keys", "Microsoft's keys can be fetched")

    async def _clock(self, now: datetime) -> Finding:
        """This machine's clock against Microsoft's: a token counts between two times."""
        limit = aiohttp.ClientTimeout(total=_PATIENCE)
        async with aiohttp.ClientSession(timeout=limit) as session:
            try:
                date = (await wire.call(session, "GET", self._settings.openid_url)).headers.get("Date", "")
            except Failed:
                date = ""  # which is told as what it is: nobody said what time it is
        return clock("Microsoft", "Teams", date, now)

    # ------------------------------------------------------------------------------------------ rooms

    async def _rooms(self, addresses: Sequence[str], people: Sequence[str]) -> list[Finding]:
        wanted = [address for address in dict.fromkeys(map(str.strip, addresses)) if not _GUID.fullmatch(address)]
        fix = "Give roles `channels: {teams: …}` in placet.yml."
        # Somebody must be asked for; the bot itself, where there is nobody, is not among a room's members.
        who = next(iter(people), f"28:{self._settings.app_id}")
        return [await self._room(address, who) for address in wanted] or [warn("channels", "no role has one", fix)]

    async def _room(self, address: str, who: str) -> Finding:
        if not _ROOM.fullmatch(address):
            return _no_address(address)
        try:
            await self._connector.member(self._settings.service_url, address, who)
        except Failed as fault:
            if fault.code != _NOT_THERE:
                cause, fix = _cause(fault, _INVITE)
                return bad("channels", f"{address}: {cause}", fix)
        return ok("channels", f"the bot is in {address}")

    # ------------------------------------------------------------------------------------------ people

    async def _people(self, identities: Sequence[str]) -> list[Finding]:
        refused = [check for identity in identities if (check := await self._person(identity.strip())) is not None]
        if not identities:
            fix = f"Write `identities: {{teams: …}}` for each. {_OBJECT}"
            return [bad("people", "nobody has an identity in Teams, so nobody may press there", fix)]
        return refused or [ok("people", f"{len(identities)} can be written to")]

    async def _person(self, identity: str) -> Finding | None:
        """What is wrong with a person's identity, an object ID or `tenant:object ID`."""
        tenant, _, user = identity.lower().rpartition(":")
        if not _GUID.fullmatch(user):
            text = f"{identity} is no object ID, by which alone people are known"
            return bad("people", text, f"{_OBJECT} A name or an e-mail address can be given to somebody else.")
        if tenant and tenant != self._settings.tenant_id:
            text = f"{identity} is of another tenant than the bot's, {self._settings.tenant_id}"
            return warn("people", text, "They may press in shared channels, and get no direct messages.")
        try:
            await self._connector.create(self._settings.service_url, members=[user])
        except Failed as fault:
            if fault.code == _NOT_INSTALLED:
                return warn("people", f"{identity} gets no direct messages: they do not have the app", INSTALL)
            cause, fix = _cause(fault, f"Compare the id with the directory's. {_OBJECT}")
            if fault.status == HTTPStatus.FORBIDDEN:
                return warn("people", f"{identity} gets no direct messages: {cause}", fix)
            return bad("people", f"{identity}: {cause}", fix)
        return None


# ---------------------------------------------------------------------------------------------- settings and secrets


def _settings(section: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong in the `teams:` section itself: told as the configuration's, for there it is mended."""
    try:
        TeamsConfig.model_validate(dict(section))
    except ValidationError as fault:
        for error in fault.errors(include_input=False, include_url=False):
            text, fix = _wrong(str(error["loc"][0]), error["type"], error["msg"], error.get("ctx", {}))
            yield bad(CONFIGURATION, f"placet.yml: {text}", fix)


def _wrong(key: str, kind: str, said: str, more: Mapping[str, Any]) -> tuple[str, str]:
    """A fault and its fix. `said` and `more` are pydantic's words and particulars of it."""
    match kind:
        case "extra_forbidden":
            close = get_close_matches(key, TeamsConfig.model_fields, n=1)
            instead = f"Write teams.{close[0]}" if close else f"Take it out: the client secret goes into {APP_PASSWORD}"
            return f"there is no teams.{key}", f"{instead}. There are {', '.join(TeamsConfig.model_fields)}."
        case "missing":
            return f"teams.{key} is not set", _VALUES[key]
        case "literal_error":
            values = str(more["expected"]).replace("'", "")
            text = f"teams.{key} has a value it does not take"
            return (
                text,
                f"Write {values}, as the Azure Bot's Configuration says: bots of many tenants are no longer made.",
            )
        case _:
            return f"teams.{key}: {said.removeprefix('Value error, ')}", _VALUES.get(key, _LEFT_OUT)


def _mixed_up() -> Finding:
    fix = (
        "In Azure, App registrations > your app > Certificates & secrets: the value is shown once, when a secret is "
        "made. Make a new one and copy its Value."
    )
    return bad("secrets", f"{APP_PASSWORD} holds the ID of a client secret, not its value", fix)


# ---------------------------------------------------------------------------------------------- single findings


def _no_token(fault: Failed, settings: TeamsConfig) -> Finding:
    """Why the directory lets the bot not in, by its code where that is known."""
    if fault.code in DIRECTORY:
        cause, fix = _parted(DIRECTORY[fault.code])
        return bad("token", f"Entra gives no token ({fault.code}): {cause}", fix)
    text = f"Entra gives no token: {fault.text}"
    if settings.app_type == "UserAssignedMSI":
        fix = (
            "A managed identity is there on the Azure machines it is assigned to, and nowhere else. Elsewhere, make a "
            "SingleTenant bot with a client secret."
        )
    elif not fault.status:
        fix = f"Let this server reach {settings.login_url}, by a proxy where it must (HTTPS_PROXY)."
    else:
        fix = "Compare teams.app_id, teams.tenant_id and the secret with the app registration in Azure."
    return bad("token", text, fix)


def _whole(fault: Failed, settings: TeamsConfig) -> Finding:
    """What is wrong with Teams, not with one room or person."""
    if fault.status == HTTPStatus.UNAUTHORIZED:
        fix = (
            "In Azure, the Azure Bot's Configuration must show teams.app_id, teams.tenant_id and the type of "
            "teams.app_type, and its Channels must list Microsoft Teams."
        )
        return bad("bot", f"Teams does not know the bot ({fault.code or fault.status})", fix)
    if not fault.status:
        fix = f"Let this server reach {settings.service_url}, by a proxy where it must (HTTPS_PROXY)."
        return bad("connection", f"Teams did not answer: {fault.text}", fix)
    return warn("places", f"not all rooms and people were looked at: {translated(fault)}", "Run `placet doctor` again.")


def _no_address(address: str) -> Finding:
    """A name, or a link: the id is in it."""
    found = _ROOM.search(unquote(address))
    fix = f"Write {found[0]}." if found else f"{_LINK}: it holds the id, with %3A for : and %40 for @."
    return bad("channels", f"{address} is no id of a channel or chat, such as 19:…@thread.tacv2", fix)


def _cause(fault: Failed, otherwise: str) -> tuple[str, str]:
    """What is wrong with one room or person, and the fix. Raises the fault where it is about neither."""
    if fault.status not in _ABOUT_ONE:
        raise fault
    if fault.code in FIXES:
        return _parted(FIXES[fault.code])
    return f"Teams refuses ({fault.code or fault.status}): {fault.text}", otherwise


def _parted(sentences: str) -> tuple[str, str]:
    """The cause, and what to do about it."""
    cause, _, fix = sentences.partition(". ")
    return cause, fix
