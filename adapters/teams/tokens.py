"""Whether an inbound call is the Bot Connector's: its token, checked against the keys Microsoft publishes.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication#connector-to-bot
The SDK's own check is not used: it does not notice new keys, waits for the network within the event loop, and also lets
in what the Emulator and other bots sign.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import jwt
from jwt.types import Options

from adapters.settings import loopback
from adapters.teams import wire
from adapters.teams.config import TeamsConfig
from adapters.teams.seam import Claims, Failed, Json, Unauthorized

_log = logging.getLogger(__name__)

CHANNEL = "msteams"
#: Seconds two clocks may differ.
_LEEWAY = 300
#: Seconds after which the keys are fetched again, and after which they are good for nothing where that fails.
_FRESH, _STALE = 86_400.0, 7 * 86_400.0
#: Seconds between two tries where no key is known at all.
_SOON = 2.0
#: Seconds each of the two calls of a fetch may take.
_PATIENCE = 5.0
_CLAIMS: Options = {"require": ["exp", "iss", "aud"], "strict_aud": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A published key, and the channels whose calls it may sign."""

    key: jwt.PyJWK
    channels: frozenset[str]


class Tokens:
    """Checks tokens; fetches the keys when they are old, or when a token names one that is not known.

    `cooldown` is the seconds between two fetches, so that nobody can make us fetch with tokens made up; `clock` tells
    seconds.
    """

    def __init__(
        self, config: TeamsConfig, *, cooldown: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._cooldown = cooldown
        self._clock = clock
        self._keys: Mapping[str, _Key] = {}
        self._fetched = self._tried = -_STALE
        self._fetching = asyncio.Lock()
        self.fault = ""  #: What is wrong with the keys, and how to mend it; empty when nothing is.

    async def start(self) -> None:
        """Fetch the keys. Where they are away the first call tries again."""
        await self._fetch()

    async def check(self, header: str, payload: Json) -> Claims:
        """What the token in an Authorization header says. Raises Unauthorized when it proves nothing."""
        token = _bearer(header)
        key = await self._key(token)
        claims = self._claims(token, key.key)
        _endorsed(payload, key)
        return Claims(audience=self._config.app_id, service=_service(payload, claims), all=claims)

    # ------------------------------------------------------------------------------------------ the token

    async def _key(self, token: str) -> _Key:
        """The published key that a token names."""
        try:
            named = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthorized("The token is not a JWT.") from None
        if named.get("alg") != "RS256":
            raise Unauthorized("The token is not signed by RS256.")
        name = named.get("kid")
        if not isinstance(name, str):
            raise Unauthorized("The token names no key.")
        if self._age() > _FRESH or name not in self._keys:
            await self._fetch(unless=name)
        if not self._keys:
            raise Unauthorized(self.fault or "No key is known to check the token with.")
        if name not in self._keys:
            raise Unauthorized("The token names a key that is not published.")
        return self._keys[name]

    def _claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        """What the token says. Raises Unauthorized unless it is signed, in force, Microsoft's and for this bot."""
        try:
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._config.app_id,
                issuer=self._config.issuer,
                leeway=_LEEWAY,
                options=_CLAIMS,
            )
        except jwt.InvalidAudienceError:
            raise Unauthorized(
                "The token is for another bot: compare `teams.app_id` with the bot's in Azure."
            ) from None
        except jwt.PyJWTError as fault:
            raise Unauthorized(f"The token does not hold ({type(fault).__name__}).") from None

    # ------------------------------------------------------------------------------------------ the keys

    def _age(self) -> float:
        return self._clock() - self._fetched

    async def _fetch(self, unless: str = "") -> None:
        """Fetch the keys, one caller at a time; not at all if another has just brought the one that is sought."""
        async with self._fetching:
            now = self._clock()
            pause = self._cooldown if self._keys else min(self._cooldown, _SOON)
            if now - self._tried < pause or (unless in self._keys and self._age() <= _FRESH):
                return
            self._tried = now
            try:
                self._keys, self._fetched, self.fault = await self._published(), now, ""
            except (Failed, ValueError) as fault:
                self._failed(fault)

    def _failed(self, fault: Exception) -> None:
        self.fault = (
            f"Microsoft's keys cannot be fetched from {self._config.openid_url} ({fault}), so nothing "
            "that Teams sends can be checked. Let this server reach that address."
        )
        _log.warning(self.fault)
        if self._age() > _STALE:
            self._keys = {}

    async def _published(self) -> Mapping[str, _Key]:
        """The keys that are published. Raises Failed, and ValueError where there are none."""
        limit = aiohttp.ClientTimeout(total=_PATIENCE)
        async with aiohttp.ClientSession(timeout=limit) as session:
            where = (await _document(session, self._config.openid_url)).get("jwks_uri")
            if not isinstance(where, str) or not (where.startswith("https://") or loopback(where)):
                raise ValueError("the document names no https address of keys")
            found = _keys(await _document(session, where))
        if not found:
            raise ValueError("there are no keys")
        return found


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("There is no bearer token.")
    return token


def _endorsed(payload: Json, key: _Key) -> None:
    """Other channels of a bot, as Web Chat, let anybody say who they are; and a key signs for its own ones only."""
    if payload.get("channelId") != CHANNEL:
        raise Unauthorized("The call is of another channel than Teams: switch the others off in Azure, at Channels.")
    if CHANNEL not in key.channels:
        raise Unauthorized("The key of the token may not sign for Teams.")


def _service(payload: Json, claims: Mapping[str, Any]) -> str:
    """The address answers go to: the token must name it, or anybody could have our own token sent to them."""
    claimed, said = claims.get("serviceurl"), payload.get("serviceUrl")
    if not isinstance(claimed, str) or not isinstance(said, str) or claimed.rstrip("/") != said.rstrip("/"):
        raise Unauthorized("The token is for another service address than the call's.")
    if not (claimed.startswith("https://") or loopback(claimed)):
        raise Unauthorized("The service address is not https.")
    return claimed


async def _document(session: aiohttp.ClientSession, url: str) -> Json:
    answer = await wire.call(session, "GET", url)
    if answer.status != HTTPStatus.OK:
        raise wire.failed(answer)
    return wire.json_of(answer.body)


def _keys(published: Json) -> Mapping[str, _Key]:
    """The usable keys of a key set, by name."""
    listed = published.get("keys")
    named = [found for found in listed if isinstance(found, dict)] if isinstance(listed, list) else []
    return {found["kid"]: key for found in named if isinstance(found.get("kid"), str) and (key := _read(found))}


def _read(found: Json) -> _Key | None:
    """One published key; None for one of another kind or use."""
    channels = found.get("endorsements")
    try:
        key = jwt.PyJWK(found, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if key.public_key_use not in ("sig", None):
        return None
    return _Key(key=key, channels=frozenset(map(str, channels if isinstance(channels, list) else ())))
