"""The bot's own token, for its client secret, from Entra: one call an hour.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
The SDK's way by msal makes a client for every turn, waits in the event loop and hides which code Entra gave.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus

import aiohttp

from adapters.teams import wire
from adapters.teams.config import TeamsConfig
from adapters.teams.seam import Failed, Json

_log = logging.getLogger(__name__)

#: Seconds before its end that a token is replaced, and between two tries at it while the old one is good.
_EARLY, _AGAIN = 300.0, 30.0
_CODE = re.compile(r"AADSTS\d+")


class Directory:
    """Keeps a token and replaces it in time. `session` is asked for at each call; `clock` tells seconds."""

    def __init__(
        self,
        config: TeamsConfig,
        secret: str,
        session: Callable[[], aiohttp.ClientSession],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{config.login_url.rstrip('/')}/{config.tenant_id}/oauth2/v2.0/token"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": config.app_id,
            "client_secret": secret,
            "scope": config.scope,
        }
        self._patience = config.timeout
        self._session = session
        self._clock = clock
        self._asking = asyncio.Lock()
        self._token = ""
        self._due = self._end = 0.0

    async def token(self) -> str:
        """A token good for a while. Raises Failed with Entra's code; what it was for was not sent then."""
        try:
            async with asyncio.timeout(self._patience), self._asking:
                if not self._token or self._clock() >= self._due:
                    await self._replace()
                return self._token
        except TimeoutError:
            raise Failed("Entra did not give a token in time.") from None
        except Failed as fault:
            fault.sent = False
            raise

    async def _replace(self) -> None:
        try:
            self._token, lasts = _granted(await wire.call(self._session(), "POST", self._url, data=self._form))
        except Failed as fault:
            if not self._token or self._clock() >= self._end:
                self._token = ""
                raise
            _log.warning("Entra gives no new token yet; the old one lasts for a while: %s", fault)
            self._due = self._clock() + _AGAIN
        else:
            self._end = self._clock() + lasts
            self._due = self._clock() + max(lasts - _EARLY, lasts / 2)


def _granted(answer: wire.Answer) -> tuple[str, float]:
    """The token and the seconds it lasts. Raises Failed with Entra's code."""
    found = wire.json_of(answer.body)
    token, lasts = found.get("access_token"), found.get("expires_in")
    if answer.status == HTTPStatus.OK and isinstance(token, str) and token:
        return token, float(lasts) if isinstance(lasts, int | float) else _EARLY
    if (
        answer.status in (HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS)
        or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        raise Failed(
            f"Entra gives no token now (HTTP {answer.status}).",
            retry_after=wire.seconds(answer.headers.get("Retry-After")),
        )
    raise refusal(found)


def refusal(said: Json) -> Failed:
    """Why the directory gives no token: its code, and the first sentence of its description."""
    text = str(said.get("error_description") or said.get("error") or "it gave no reason")
    code = _CODE.search(text)
    return Failed(
        text.splitlines()[0].partition(". ")[0],
        status=HTTPStatus.UNAUTHORIZED,
        code=code.group() if code else str(said.get("error") or ""),
    )
