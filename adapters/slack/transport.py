"""How Slack's requests come in: over HTTP at one address, or over a socket. Either way Bolt finds their listener.

A listener ends with its acknowledgement, and what follows is a chore: so Bolt answers as soon as the listener is done,
and its own waiting loop is switched off (`process_before_response`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from yarl import query_to_pairs

from adapters.chores import Chores
from adapters.slack.calls import Calls, translated
from adapters.slack.config import Secrets, SlackConfig
from adapters.slack.manifest import PATH
from adapters.slack.socket_mode import SocketMode
from adapters.slack.text import Json
from reviews.errors import PlacetError

_log = logging.getLogger(__name__)

#: Seconds between two tries to learn which workspace the token is of.
ASK_AGAIN = 5.0

Pause = Callable[[float], Awaitable[None]]


class Ourselves:
    """Who the bot token is: workspace, user, bot. Empty until Slack has said so; then `learned` is called."""

    def __init__(self, calls: Calls, learned: Callable[[], None]) -> None:
        self._calls = calls
        self._learned = learned
        self.team = self.user = self.bot = ""

    @property
    def ids(self) -> frozenset[str]:
        """The ids our own messages carry."""
        return frozenset({self.user, self.bot}) - {""}

    async def ask(self) -> None:
        """Ask Slack. Raises SurfaceUnavailable and SurfaceRefused."""
        with translated():
            me = await self._calls.steady.auth_test()
        self.team, self.user, self.bot = (str(me.get(key) or "") for key in ("team_id", "user_id", "bot_id"))
        self._learned()


class Transport:
    """The way in. `listen` registers the listeners; `learned` is called once Slack has said who we are."""

    def __init__(
        self,
        config: SlackConfig,
        secrets: Secrets,
        calls: Calls,
        chores: Chores,
        *,
        listen: Callable[[AsyncApp], None],
        learned: Callable[[], None],
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._config = config
        self._secrets = secrets
        self._calls = calls
        self._chores = chores
        self._listen = listen
        # In socket mode Slack signs nothing, and there is no secret to check with.
        self._verifier = SignatureVerifier(secrets.signing_secret) if config.mode == "http" else None
        self._pause = pause
        self.ourselves = Ourselves(calls, learned)
        self._bolt: AsyncApp | None = None
        self._socket: SocketMode | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Slack's one address, for events and clicks alike; none in socket mode."""
        return [web.post(PATH, self._receive)] if self._config.mode == "http" else []

    async def start(self) -> None:
        """Make the Bolt app; in socket mode connect. A Slack that is down stops neither."""
        self._bolt = AsyncApp(
            name="placet",
            client=self._calls.stranger(),
            signing_secret=self._secrets.signing_secret,
            authorize=_one_workspace(self._secrets.bot_token, self.ourselves),
            process_before_response=True,
        )
        self._listen(self._bolt)
        self._tasks.append(asyncio.create_task(self._learn()))
        if self._config.mode == "socket":
            self._socket = SocketMode(
                self._secrets.app_token, self._calls, self._chores, self._bolt.async_dispatch, pause=self._pause
            )
            self._tasks.append(asyncio.create_task(self._socket.run()))

    async def stop(self) -> None:
        """Take nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def fault(self) -> str:
        """What is wrong with the way in, and how to mend it; empty when nothing is."""
        named, real = self._config.team, self.ourselves.team
        if named and real and named != real:
            return f"The bot token is of workspace {real}, but placet.yml says `team: {named}`. Correct one of the two."
        return self._socket.fault if self._socket is not None else ""

    async def _learn(self) -> None:
        """Ask who we are until Slack answers: nobody is let in before that."""
        while True:
            try:
                await self.ourselves.ask()
            except PlacetError as fault:
                _log.warning("Slack has not said yet which workspace this is: %s", fault)
                await self._pause(ASK_AGAIN)
            else:
                return

    async def _receive(self, request: web.Request) -> web.Response:
        """A request of Slack's. Nothing is parsed that was not signed: 401; what has no shape of Slack's: 400."""
        try:
            body = (await request.read()).decode()
            if not self._signed(body, request):
                return web.Response(status=401, text="the signature is missing, wrong or too old")
            # As over the socket: who sent it is known, so that Bolt need neither verify nor decode it.
            asked = AsyncBoltRequest(mode="socket_mode", body=_payload(body, request.content_type))
        except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
            return web.Response(status=400, text="the body is not what Slack sends")
        assert self._bolt is not None, "routes are served after start"
        answer: web.Response = await to_aiohttp_response(await self._bolt.async_dispatch(asked))
        return answer

    def _signed(self, body: str, request: web.Request) -> bool:
        """Whether Slack signed it within five minutes. https://docs.slack.dev/authentication/verifying-requests"""
        assert self._verifier is not None, "there is no such route in socket mode"
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        return stamp.isascii() and stamp.isdigit() and self._verifier.is_valid(body, stamp, signature)


def _payload(body: str, kind: str) -> Json:
    """What a body holds: JSON of an event, JSON within a form of a click, or the form of a command."""
    if kind == "application/json":
        found = json.loads(body)
    else:
        # Five times as fast as the standard library's, and decoding was half of what a click costs.
        fields = dict(query_to_pairs(body))
        found = json.loads(fields["payload"]) if "payload" in fields else fields
    if not isinstance(found, dict):
        raise TypeError("a JSON object is expected")
    return found


def _one_workspace(token: str, us: Ourselves) -> Callable[..., Awaitable[AuthorizeResult]]:
    """One workspace, one token. Bolt's own way asks Slack first, and a click must not depend on that."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=token,
            bot_id=us.bot or None,
            bot_user_id=us.user or None,
        )

    return authorize
