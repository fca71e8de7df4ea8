"""How what Teams sends comes in: one address, and nothing is done with what carries no valid token.

Teams sends again what is not answered in 15 s, or answered by a server's error.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from aiohttp import web

from adapters.saying import sentence
from adapters.teams.answers import toast
from adapters.teams.seam import Answered, Connector, Handler, Json, Unauthorized
from adapters.teams.tokens import Tokens

_log = logging.getLogger(__name__)

PATH = "/api/messages"
#: Bytes of a body; the largest card and what is typed into its forms are a fraction of it.
MOST = 256 * 1024
_CHUNK = 1 << 16
#: The invokes that a dialog is opened and sent by; they know another answer than those of a card.
_DIALOGS = ("task/", "composeExtension/")


class Transport:
    """The way in. `handler` is given each verified activity, and says what it is answered with."""

    def __init__(self, tokens: Tokens, connector: Connector, handler: Handler) -> None:
        self._tokens = tokens
        self._connector = connector
        self._handler = handler

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Teams' one address."""
        return [web.post(PATH, self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        """An activity. 400: no JSON object; 401: not from Teams; 413: too long; 500: send it again."""
        try:
            payload = _activity(await _body(request))
        except (ValueError, RecursionError):
            return web.Response(status=400, text="the body is not what Teams sends")
        try:
            claims = await self._tokens.check(request.headers.get("Authorization", ""), payload)
        except Unauthorized as fault:
            _log.warning("A call to %s was refused: %s", PATH, fault)
            return web.Response(status=401)
        try:
            return _response(await self._connector.receive(payload, claims, self._handler))
        except Exception as fault:  # noqa: BLE001 - whatever broke, Teams must be answered
            _log.exception("what Teams sent could not be dealt with")
            return _response(_broken(payload, fault))


def _broken(payload: Json, fault: Exception) -> Answered:
    """What a failure is answered with: somebody who pressed is told, a message is sent again by Teams."""
    if payload.get("type") != "invoke":
        return Answered(status=500)
    if str(payload.get("name")).startswith(_DIALOGS):
        return Answered(body={"task": {"type": "message", "value": sentence(fault)}})
    return toast(sentence(fault))


def _response(answered: Answered) -> web.Response:
    if answered.body is None:
        return web.Response(status=answered.status)
    return web.json_response(answered.body, status=answered.status)


async def _body(request: web.Request) -> bytes:
    """The body. Raises 413 where it is too long, before all of it is read."""
    body = b""
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST:
            raise web.HTTPRequestEntityTooLarge(max_size=MOST, actual_size=len(body))
    return body


def _activity(body: bytes) -> Json:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004 - what arrived is wrong, not the call
    return _whole(found) if b"\\ud" in body.lower() else found


def _whole(found: Json) -> Json:
    """The same with a question mark for each half of a character: no database takes one, nor can it be sent."""
    made: Json = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    return made
