"""What an operator's commands ask of Slack: the app's manifest, and whether all of it would work.

It looks, and changes nothing but one thing nobody sees: a direct conversation is opened with each person, as the
first card to them would open it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.drift import clock
from adapters.port import CONFIGURATION, Finding, Member, bad, ok, warn
from adapters.slack import manifest as app
from adapters.slack.calls import Calls, translated
from adapters.slack.config import (
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    Secrets,
    SlackConfig,
    SlackMisconfigured,
    configure,
)
from adapters.slack.groups import members
from adapters.slack.text import Json
from reviews.errors import PlacetError, SurfaceRefused

#: Seconds a call of these may take.
_PATIENCE = 5.0
_PAGES = 50
_SECRET = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[CG][A-Z0-9]{4,}")

_WHERE = "Copy it from your Slack app's page"
_AGAIN = (
    "Put `placet slack manifest` into App Manifest on your Slack app's page, then install the app again and set "
    f"{BOT_TOKEN} to its token."
)

#: What to write where a value is not one of a few words.
_VALUES = {
    "team": "Write the workspace's ID, such as T0ACME, or leave it out: the bot token's is taken then.",
    "api_url": "Leave it out: it is https://slack.com/api/, and changed for tests only.",
    "timeout": "Write seconds, more than 0 and at most 60, such as 10.",
}


class SlackTools:
    """The `placet.tools` of Slack."""

    def manifest(self, config: Mapping[str, Any], *, url: str, socket: bool) -> str:
        """The app manifest as YAML. See `adapters.port.Tools`. Raises SlackMisconfigured."""
        comments = config.get("comments") == "thread"
        socket = socket or config.get("mode") == "socket"
        return app.text(app.document(url=url, socket=socket, comments=comments))

    def package(self, config: Mapping[str, Any], *, url: str) -> bytes | None:
        """None: Slack makes the app from the manifest alone."""
        return None

    async def examine(
        self,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        channels: Sequence[str],
        people: Sequence[str],
        now: datetime,
    ) -> Sequence[Finding]:
        """See `adapters.port.Tools`. Nothing is asked of Slack until every setting and secret is there."""
        if wrong := list(_settings(config)):
            return wrong
        try:
            if _bot_token(env).startswith("xapp-"):
                return [_mixed_up()]
            configured = configure(config, env)
        except SlackMisconfigured as fault:
            return [bad("secrets", str(fault), "Then run `placet doctor` again.")]
        if configured is None:
            fix = f"{_WHERE}, OAuth & Permissions, into {BOT_TOKEN}, or name a file in {BOT_TOKEN}_FILE."
            return [bad("secrets", f"{BOT_TOKEN} is not set, so Slack is off", fix)]
        settings, secrets = configured
        async with _calling(settings, secrets) as calls:
            return [check async for check in _Look(calls, settings, secrets).all(channels, people, now)]

    async def members(self, config: Mapping[str, Any], env: Mapping[str, str], *, group: str) -> Sequence[Member]:
        """Who is in a user group, `S…`. See `adapters.port.Tools`."""
        try:
            configured = configure(config, env)
        except SlackMisconfigured as fault:
            raise SurfaceRefused(str(fault)) from fault
        if configured is None:
            raise SurfaceRefused(f"{BOT_TOKEN} is not set, so Slack cannot be asked who is in {group}.")
        async with _calling(*configured) as calls:
            return await members(calls, group)


TOOLS = SlackTools()


@asynccontextmanager
async def _calling(settings: SlackConfig, secrets: Secrets) -> AsyncIterator[Calls]:
    brief = settings.model_copy(update={"timeout": min(settings.timeout, _PATIENCE)})
    calls = Calls(brief, secrets.bot_token)
    await calls.start()
    try:
        yield calls
    finally:
        await calls.stop()


class _Look:
    """One look at Slack, from the token on. The rest waits until the token is taken."""

    def __init__(self, calls: Calls, settings: SlackConfig, secrets: Secrets) -> None:
        self._calls, self._settings, self._secrets = calls, settings, secrets
        self._teams: tuple[str, ...] = ()

    async def all(self, channels: Sequence[str], people: Sequence[str], now: datetime) -> AsyncIterator[Finding]:
        """Every check, in the order in which one mends them."""
        try:
            with translated():
                me = await self._calls.steady.auth_test()
        except PlacetError as fault:
            yield bad("token", str(fault), "The other checks of Slack wait for this one.")
            return
        self._teams = tuple(str(me[key]) for key in ("team_id", "enterprise_id") if me.get(key))
        yield _whose(me, self._settings.team, self._teams)
        yield _scopes(me)
        yield clock("Slack", "Slack", _header(me, "Date"), now)
        yield _signing(self._secrets) if self._settings.mode == "http" else await self._socket()
        try:
            for check in [*await self._channels(channels), *await self._people(people)]:
                yield check
        except PlacetError as fault:
            yield warn("places", f"not all channels and people were looked at: {fault}", "Run `placet doctor` again.")

    async def _socket(self) -> Finding:
        """Whether the app token opens a connection; the connection itself is not made."""
        try:
            with translated():
                await self._open_socket()
        except _NoSocket as fault:
            fix = "On your Slack app's page, Basic Information > App-Level Tokens, make one with connections:write."
            return bad("socket", f"Slack opens no socket for {APP_TOKEN} ({fault})", fix)
        except PlacetError as fault:
            return bad("socket", str(fault), "Run `placet doctor` again.")
        return ok("socket", "Slack opens one for the app token")

    async def _open_socket(self) -> None:
        try:
            await self._calls.stranger().apps_connections_open(app_token=self._secrets.app_token)
        except SlackApiError as fault:
            if fault.response.status_code == HTTPStatus.OK:
                raise _NoSocket(fault.response.get("error")) from None
            raise

    # ------------------------------------------------------------------------------------------ channels

    async def _channels(self, addresses: Sequence[str]) -> list[Finding]:
        wanted = list(dict.fromkeys(address.strip() for address in addresses))
        named = await self._listed() if any(not _ID.fullmatch(address) for address in wanted) else {}
        found = [_channel(address, await self._channel(address, named)) for address in wanted]
        return found or [warn("channels", "no role has one", "Give roles `channels: {slack: …}` in placet.yml.")]

    async def _channel(self, address: str, named: Mapping[str, Json]) -> Json | None:
        if not _ID.fullmatch(address):
            return named.get(address.removeprefix("#").lower())
        try:
            with translated():
                return dict((await self._calls.steady.conversations_info(channel=address))["channel"])
        except SurfaceRefused:
            return None

    async def _listed(self) -> dict[str, Json]:
        """The channels the bot sees, by name. Of two with one name, the one that is not archived."""
        found: dict[str, Json] = {}
        cursor = ""
        for _ in range(_PAGES):
            with translated():
                page = await self._calls.steady.conversations_list(
                    types="public_channel,private_channel", limit=1000, cursor=cursor
                )
            for channel in page["channels"]:
                name = str(channel.get("name", "")).lower()
                if name not in found or found[name].get("is_archived"):
                    found[name] = channel
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return found

    # ------------------------------------------------------------------------------------------ people

    async def _people(self, identities: Sequence[str]) -> list[Finding]:
        refused = [check for identity in identities if (check := await self._person(identity)) is not None]
        if not identities:
            fix = "Write `identities: {slack: U…}` for each: in Slack, their profile > ⋮ > Copy member ID."
            return [bad("people", "nobody has an identity in Slack, so nobody may press there", fix)]
        return refused or [ok("people", f"{len(identities)} can be written to")]

    async def _person(self, identity: str) -> Finding | None:
        """What is wrong with a person's identity, `U…` or `T…:U…`."""
        team, _, user = identity.strip().rpartition(":")
        if team and team not in self._teams:
            text = f"{identity} is of another workspace than the bot token's, {' of '.join(self._teams)}"
            return warn("people", text, "They may press in shared channels, and get no direct messages.")
        try:
            with translated():
                await self._calls.steady.conversations_open(users=[user])
        except SurfaceRefused as fault:
            return bad("people", f"{identity}: {fault}", "In Slack, their profile > ⋮ > Copy member ID.")
        return None


class _NoSocket(PlacetError):
    """Slack's error code for an app token."""


# ---------------------------------------------------------------------------------------------- settings and secrets


def _settings(section: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong in the `slack:` section itself: told as the configuration's, for there it is mended."""
    try:
        SlackConfig.model_validate(dict(section))
    except ValidationError as fault:
        for error in fault.errors(include_input=False, include_url=False):
            text, fix = _wrong(str(error["loc"][0]), error["type"], error["msg"], error.get("ctx", {}))
            yield bad(CONFIGURATION, f"placet.yml: {text}", fix)


def _wrong(key: str, kind: str, said: str, more: Mapping[str, Any]) -> tuple[str, str]:
    """A fault and its fix. `said` and `more` are pydantic's words and particulars of it."""
    if kind == "extra_forbidden":
        close = get_close_matches(key, SlackConfig.model_fields, n=1)
        instead = f"Write slack.{close[0]}" if close else "Take it out: tokens and secrets go into the environment"
        return f"there is no slack.{key}", f"{instead}. There are {', '.join(SlackConfig.model_fields)}."
    if kind == "literal_error":
        values = str(more["expected"]).replace("'", "")
        return f"slack.{key} has a value it does not take", f"Write {values}."
    return f"slack.{key}: {said.removeprefix('Value error, ')}", _VALUES[key]


def _bot_token(env: Mapping[str, str]) -> str:
    """The bot token from the variable or its file, whatever else is still missing. Raises SlackMisconfigured."""
    found = configure({"mode": "socket"}, {**env, APP_TOKEN: "-"})
    return "" if found is None else found[1].bot_token


def _mixed_up() -> Finding:
    fix = (
        f"Move it to {APP_TOKEN}. {BOT_TOKEN} takes the Bot User OAuth Token, which begins with xoxb-: "
        "on your Slack app's page, OAuth & Permissions."
    )
    return bad("token", f"{BOT_TOKEN} holds an app token (xapp-…), not the bot's", fix)


# ---------------------------------------------------------------------------------------------- single findings


def _whose(me: AsyncSlackResponse, team: str | None, teams: tuple[str, ...]) -> Finding:
    if not me.get("bot_id"):
        fix = f"{_WHERE}, OAuth & Permissions: the Bot User OAuth Token, which begins with xoxb-."
        return bad("token", f"{BOT_TOKEN} holds a person's token, not a bot's", fix)
    if team and team not in teams:
        text = f"the token is of the workspace {' of '.join(teams)}, and slack.team in placet.yml says {team}"
        return bad("token", text, "Take slack.team out, or install the app to that workspace and copy its token.")
    return ok("token", f"{me.get('user')} in the workspace {me.get('team')} ({me.get('team_id')})")


def _scopes(me: AsyncSlackResponse) -> Finding:
    """What the app may do against what it must: https://docs.slack.dev/authentication/installing-with-oauth"""
    said = _header(me, "x-oauth-scopes")
    if not said:
        return warn("scopes", "Slack did not say which the token has", _AGAIN)
    held = {scope.strip() for scope in said.split(",")}
    missing, more = sorted(set(app.SCOPES) - held), sorted(held - set(app.SCOPES))
    if needed := [scope for scope in missing if scope not in app.SPARE]:
        return bad("scopes", f"the app lacks {', '.join(needed)}", _AGAIN)
    if missing:
        without = "; ".join(dict.fromkeys(app.SPARE[scope] for scope in missing))
        return warn("scopes", f"without {', '.join(missing)} Placet cannot {without}", _AGAIN)
    if more:
        return warn("scopes", f"the app may do more than it needs: {', '.join(more)}", _AGAIN)
    return ok("scopes", f"the {len(held)} it needs, and no other")


def _signing(secrets: Secrets) -> Finding:
    if _SECRET.fullmatch(secrets.signing_secret):
        return ok("signing secret", "has the shape of one; only a click can prove it")
    fix = f"{_WHERE}, Basic Information > Signing Secret: 32 digits and letters a to f."
    return warn("signing secret", f"{SIGNING_SECRET} does not look like one", fix)


def _channel(address: str, found: Json | None) -> Finding:
    if found is None:
        fix = "Check it under `roles:` in placet.yml; into a private one invite the bot: /invite @placet."
        return bad("channels", f"Slack shows this bot no channel {address}", fix)
    if found.get("is_archived"):
        return bad("channels", f"{address} is archived", "Unarchive it, or name another one in placet.yml.")
    if not found.get("is_member"):
        text = f"the bot is no member of {address}: it can post there, and cannot look for a card that may be there"
        return warn("channels", text, "Type /invite @placet there.")
    return ok("channels", f"the bot is in {address}")


def _header(answer: AsyncSlackResponse, name: str) -> str:
    """A header of an answer, whatever its case; empty where it is not there."""
    found = {key.lower(): value for key, value in answer.headers.items()}
    return str(found.get(name.lower(), ""))
