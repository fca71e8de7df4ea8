"""Socket mode: Slack's requests over a connection of ours, where nobody can call us.

The SDK's own client tries one short-lived address for ever, with a session of its own and tasks nobody holds. This one
asks for a fresh address each time, and says in a sentence what is wrong while it cannot connect.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.chores import Chores, logged
from adapters.slack.calls import Calls, Refused, translated
from adapters.slack.config import APP_TOKEN
from adapters.slack.parse import SURFACE
from adapters.slack.text import Json
from reviews.errors import PlacetError, SurfaceUnavailable

_log = logging.getLogger(__name__)

#: Seconds between two signs of life; a connection that misses one is given up half as long later.
HEARTBEAT = 10.0
#: Seconds before the next try to connect: 1, 2, 4 … and never more than the last.
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
_CLOSED = "The socket to Slack is closed; it is being opened again. If that stays, check the network."
_DISABLED = "Socket mode is switched off in the Slack app: switch it on at Settings > Socket Mode."
#: Slack's words for: this is not the token of an app.
_TOKEN = frozenset({"invalid_auth", "not_authed", "not_allowed_token_type", "token_revoked", "missing_scope"})
_APP_TOKEN = (
    "Slack refused the socket ({error}): make an app-level token with the scope connections:write at Basic Information "
    f"> App-Level Tokens and put it into {APP_TOKEN}."
)

Dispatch = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]
Link = aiohttp.ClientWebSocketResponse


class SocketMode:
    """One connection, opened anew whenever it ends. `pause` waits so many seconds before the next try."""

    def __init__(
        self,
        app_token: str,
        calls: Calls,
        chores: Chores,
        dispatch: Dispatch,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app_token = app_token
        self._calls = calls
        self._chores = chores
        self._dispatch = dispatch
        self._pause = pause
        self._link: Link | None = None
        self._fault = _CLOSED
        self._listening: set[asyncio.Task[None]] = set()

    @property
    def fault(self) -> str:
        """What is wrong, and how to mend it; empty while connected."""
        return "" if self._link is not None and not self._link.closed else self._fault

    async def run(self) -> None:
        """Stay connected until cancelled."""
        wait = FIRST_WAIT
        try:
            while True:
                if await self._once():
                    wait = FIRST_WAIT
                else:
                    wait = min(2 * wait, LONGEST_WAIT)
                await self._pause(wait if self._fault else 0.0)
        finally:
            await self._close()

    async def _once(self) -> bool:
        """Open a connection and return when another one is wanted. Whether it was open at all."""
        try:
            link = self._link = await self._open()
        except (PlacetError, aiohttp.ClientError, OSError, TimeoutError) as fault:
            self._fault = str(fault) if isinstance(fault, PlacetError) else f"{_CLOSED} ({type(fault).__name__})"
            _log.warning("socket mode: %s", self._fault)
            return False
        self._fault = ""
        over = asyncio.Event()
        task = asyncio.create_task(self._listen(link, over))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)
        await over.wait()
        return True

    async def _open(self) -> Link:
        try:
            with translated():
                answer = await self._calls.steady.apps_connections_open(app_token=self._app_token)
        except Refused as fault:
            if fault.error in _TOKEN:
                raise SurfaceUnavailable(_APP_TOKEN.format(error=fault.error)) from fault
            raise
        async with asyncio.timeout(HEARTBEAT):
            return await self._calls.session.ws_connect(
                str(answer["url"]), heartbeat=HEARTBEAT, proxy=self._calls.proxy, max_msg_size=0
            )

    async def _listen(self, link: Link, over: asyncio.Event) -> None:
        """Take what comes. A connection that Slack is about to close sets `over` first and is read to its end."""
        try:
            async for message in link:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(link, json.loads(message.data), over)
        except ValueError:
            _log.exception("socket mode: Slack sent something that is not JSON")
        finally:
            over.set()
            if link is self._link:
                self._fault = self._fault or _CLOSED
            await link.close()

    def _take(self, link: Link, message: Json, over: asyncio.Event) -> None:
        match message.get("type"):
            case "hello":
                _log.info("socket mode: connected")
            case "disconnect":
                if message.get("reason") == "link_disabled":
                    self._fault = _DISABLED
                over.set()
            case _ if isinstance(message.get("payload"), dict) and message.get("envelope_id"):
                self._chores.begin(logged(self._answer(link, message), SURFACE))
            case other:
                _log.info("socket mode: a message of type %r was passed over", other)

    async def _answer(self, link: Link, message: Json) -> None:
        """Have Bolt answer. What is not acknowledged, Slack sends again or shows as failed."""
        try:
            asked = AsyncBoltRequest(mode="socket_mode", body=message["payload"], headers=_headers(message))
            answer = await self._dispatch(asked)
            if answer.status == 200:
                await link.send_json({"envelope_id": message["envelope_id"], **_payload(answer)})
        except (ConnectionError, aiohttp.ClientError) as fault:
            _log.warning("socket mode: the connection ended before an acknowledgement (%s)", fault)

    async def _close(self) -> None:
        for task in list(self._listening):
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)


def _headers(message: Json) -> dict[str, Any] | None:
    """The retry headers that come over HTTP."""
    said = {"x-slack-retry-num": message.get("retry_attempt"), "x-slack-retry-reason": message.get("retry_reason")}
    return {name: str(value) for name, value in said.items() if value} or None


def _payload(answer: BoltResponse) -> Json:
    if not answer.body:
        return {}
    kind = (answer.headers.get("content-type") or [""])[0]
    return {"payload": json.loads(answer.body) if kind.startswith("application/json") else {"text": answer.body}}
