"""Calls to Slack's Web API: the clients, their deadlines and retries, and what a failed call means to the house."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.config import BOT_TOKEN, SlackConfig
from reviews.errors import PlacetError, SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable

#: Seconds of `Retry-After` that a call waits out itself; longer waits belong to the outbox, which survives a restart.
_BRIEF = 2.0

#: What was wrong with the card itself: https://docs.slack.dev/reference/methods/chat.postMessage#errors
_BAD_CARD = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
#: Slack failed in the middle: "some aspect of the operation may have succeeded".
_HALFWAY = frozenset({"fatal_error", "internal_error", "request_timeout"})
_LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"})
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

_INVITE = "Invite the bot: type /invite @placet in the channel."
_TOKEN = f"Install the Slack app again and put its bot token into {BOT_TOKEN}."
_FIXES = {
    "account_inactive": f"the bot was removed from the workspace. {_TOKEN}",
    "cant_update_message": "the message is another app's. Check that the bot token is of the same app as before.",
    "channel_is_archived": "the channel is archived. Unarchive it, or name another one in placet.yml.",
    "channel_not_found": f"there is no such channel, or it is private. Check its name in placet.yml. {_INVITE}",
    "invalid_auth": f"the bot token is not valid. {_TOKEN}",
    "is_archived": "the channel is archived. Unarchive it, or name another one in placet.yml.",
    "message_not_found": "the message was deleted. The full page still shows the review.",
    "missing_scope": "the app lacks a permission. Add the scope named in manifest.yml and install the app again.",
    "not_allowed_token_type": f"the token is of another kind. {_TOKEN}",
    "not_authed": f"no bot token was sent. {_TOKEN}",
    "not_in_channel": f"the bot is not in the channel. {_INVITE}",
    "restricted_action": "the workspace does not let this bot post there. Ask an administrator of the workspace.",
    "token_expired": f"the bot token has expired. {_TOKEN}",
    "token_revoked": f"the bot token was revoked. {_TOKEN}",
    "user_disabled": "the person's account is deactivated. Change their identity in placet.yml.",
    "user_not_found": "there is no such person. Check `identities: {slack: U…}` in placet.yml.",
    "users_not_found": "there is no such person. Check `identities: {slack: U…}` in placet.yml.",
}


class Refused(SurfaceRefused):
    """Slack refused a call. `error` is its code."""

    def __init__(self, text: str, *, error: str) -> None:
        super().__init__(text)
        self.error = error


class CardRefused(Refused):
    """Slack did not take the blocks of this card."""


class BriefWait(AsyncRateLimitErrorRetryHandler):
    """Waits out a short `Retry-After` and leaves a long one to the caller."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            return False
        return _seconds(dict(response.headers)) <= _BRIEF


class Gate:
    """Which methods Slack has told to wait, and until when: limits are per method, for posts per channel too."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def let(self, key: str) -> None:
        """Let a call through. Raises SurfaceUnavailable with the seconds that are left."""
        rest = self._until.get(key, 0.0) - asyncio.get_running_loop().time()
        if rest > 0:
            raise SurfaceUnavailable(f"Slack asked for patience; {rest:.1f} s of it are left.", retry_after=rest)
        self._until.pop(key, None)

    def shut(self, key: str, seconds: float) -> None:
        """Let nothing through for so long."""
        self._until[key] = asyncio.get_running_loop().time() + seconds


class _Patient(AsyncWebClient):
    """The stock client, which asks nothing that Slack has told to wait."""

    gate: Gate

    async def api_call(self, api_method: str, **asked: Any) -> AsyncSlackResponse:
        """As the stock client's. Raises SurfaceUnavailable without calling while a wait lasts."""
        body = asked.get("json") or {}
        key = f"{api_method} {body.get('channel', '')}" if api_method == "chat.postMessage" else api_method
        self.gate.let(key)
        try:
            return await super().api_call(api_method, **asked)
        except SlackApiError as fault:
            status, headers, _ = _read(fault)
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self.gate.shut(key, _seconds(headers))
            raise


class Calls:
    """Two clients over one session.

    `steady` repeats a call after any failure that may pass, so it is for calls that may be made twice. `once` repeats
    only what surely was not carried out: a post made twice would be two cards.
    """

    def __init__(self, config: SlackConfig, token: str) -> None:
        self._config = config
        self._token = token
        self._gate = Gate()
        self._session: aiohttp.ClientSession | None = None
        self.steady = self._client([])
        self.once = self._client([])

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session of this surface; open after `start`."""
        assert self._session is not None, "calls are made after start"
        return self._session

    @property
    def proxy(self) -> str | None:
        """The proxy of the environment, which the SDK has read."""
        return self.steady.proxy

    async def start(self) -> None:
        """Open the session both clients share."""
        timeout = aiohttp.ClientTimeout(total=self._config.timeout, sock_connect=self._config.timeout / 2)
        self._session = aiohttp.ClientSession(timeout=timeout)
        unsent = AsyncConnectionErrorRetryHandler(error_types=list(_NOT_SENT))
        self.steady = self._client([AsyncConnectionErrorRetryHandler(), BriefWait(), AsyncServerErrorRetryHandler()])
        self.once = self._client([unsent, BriefWait()])

    async def stop(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    def stranger(self) -> AsyncWebClient:
        """A client without the bot token, for what brings its own."""
        return self._client([AsyncConnectionErrorRetryHandler()], token=None)

    def _client(self, handlers: list[AsyncRetryHandler], *, token: str | None = "") -> AsyncWebClient:
        client = _Patient(
            token=self._token if token == "" else token,
            base_url=self._config.api_url,
            session=self._session,
            timeout=max(1, int(self._config.timeout)),
            retry_handlers=handlers,
        )
        client.gate = self._gate
        if self._config.loopback:
            client.proxy = None  # the SDK takes a proxy from the environment; there is none to this machine
        return client


@contextmanager
def translated(*, posting: bool = False) -> Iterator[None]:
    """Turn a failed call into SurfaceUnavailable, SurfaceRefused or, for a post, SurfaceAmbiguous."""
    try:
        yield
    except SlackApiError as fault:
        raise _answered(fault, posting=posting) from fault
    except _NOT_SENT as fault:
        raise SurfaceUnavailable("Slack cannot be reached. Check the network and https://slack-status.com.") from fault
    except (TimeoutError, aiohttp.ClientError, SlackClientError, OSError) as fault:
        raise _lost(posting, f"Slack's answer was lost ({type(fault).__name__}).") from fault


def _answered(fault: SlackApiError, *, posting: bool) -> PlacetError:
    status, headers, error = _read(fault)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = _seconds(headers)
        return SurfaceUnavailable(f"Slack asks for {seconds:g} s of patience.", retry_after=seconds)
    if status == HTTPStatus.SERVICE_UNAVAILABLE or error in _LATER:
        return SurfaceUnavailable(f"Slack does not take it now ({error or status}). See https://slack-status.com.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or error in _HALFWAY or not error:
        return _lost(posting, f"Slack failed ({error or status}). See https://slack-status.com.")
    if error in _BAD_CARD:
        return CardRefused(f"Slack did not take the card ({error}): {_messages(fault)}", error=error)
    fix = _FIXES.get(error, "see its documentation of this error.")
    return Refused(f"Slack refused ({error}): {fix}", error=error)


def _lost(posting: bool, text: str) -> PlacetError:
    """A failure after which nobody knows whether it was done; only a post minds."""
    return SurfaceAmbiguous(f"{text} The card may or may not be there.") if posting else SurfaceUnavailable(text)


def _read(fault: SlackApiError) -> tuple[int, dict[str, object], str]:
    """Status, headers and error code of an answer; the SDK gives two kinds of them."""
    response = fault.response
    status = getattr(response, "status_code", getattr(response, "status", 0))
    data = getattr(response, "data", None)
    error = data.get("error", "") if isinstance(data, dict) else ""
    return int(status), dict(getattr(response, "headers", {})), str(error)


def _messages(fault: SlackApiError) -> str:
    data = getattr(fault.response, "data", None)
    meta = data.get("response_metadata", {}) if isinstance(data, dict) else {}
    return "; ".join(map(str, meta.get("messages", ()))) or "no particulars"


def _seconds(headers: dict[str, object]) -> float:
    """`Retry-After` in seconds; 1 where Slack does not say."""
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    text = str(named[0] if isinstance(named, list) else named)
    return float(text) if text.isascii() and text.isdigit() else 1.0
