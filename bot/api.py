"""The agents' HTTP API, `/v1`: ask, wait, revise, redeem, report. Parsing and answering; no rules of its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from bot import wire
from bot.hub import Hub
from bot.keys import Keyring
from bot.limits import Buckets
from bot.problems import REQUEST_ID, problem
from bot.sandbox import Sandbox
from bot.service import Service
from policies.explain import as_json
from reviews.errors import NotFound
from reviews.keeping import Agent, Entry, Query, Tx
from reviews.model import Object, Review, Status
from reviews.redact import join

#: How long a call may wait (seconds), and how many reviews a page may have.
MAX_WAIT = 60.0
MAX_PAGE = 200
_OUTCOMES = ("succeeded", "failed", "reverted")
#: Entries an agent sees of its review's history at most.
_HISTORY = 1000

#: A proxy that buffers would hold events back; nginx heeds the last of these.
_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}

AgentHandler = Callable[[web.Request, Agent], Awaitable[web.StreamResponse]]


class AgentApi:
    """The routes of `/v1` that agents call with their key."""

    def __init__(self, service: Service, keyring: Keyring, sandbox: Sandbox) -> None:
        self._service, self._keyring, self._sandbox = service, keyring, sandbox
        self._hub: Hub = service.hub
        self._buckets = Buckets()

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        one = "/v1/reviews/{id}"
        return [
            web.post("/v1/reviews", self._known(self._create)),
            web.get("/v1/reviews", self._known(self._list), allow_head=False),
            web.get(one, self._known(self._read), allow_head=False),
            web.get(one + "/events", self._known(self._events), allow_head=False),
            web.post(one + "/withdraw", self._known(self._withdraw)),
            web.post(one + "/revisions", self._known(self._revise)),
            web.post(one + "/redeem", self._known(self._redeem)),
            web.post(one + "/outcome", self._known(self._outcome)),
            web.post("/v1/policies/explain", self._known(self._explain)),
        ]

    def _known(self, handler: AgentHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Let only a known agent in, as often as it may."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            agent = self._keyring.agent_of(request.headers.get("Authorization", ""))
            if agent is None:
                return problem(
                    401,
                    "Send `Authorization: Bearer plk_…` with a key that is in force; `placet agent add` makes one.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            if wait := self._buckets.wait(agent):
                text = f"{agent.name} may ask {agent.rate:g} times a second; wait {wait} s."
                return problem(429, text, headers={"Retry-After": str(wait)})
            if not is_id(request):
                raise NotFound("You have no review of this id.")
            return await handler(request, agent)

        return guarded

    # ---------------------------------------------------------------------------- asking

    async def _create(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        body = await read_object(request)
        done = await self._service.submit(agent, body, _key(request, body))
        if agent.sandbox is not None and not done.replayed:
            done_review = await self._sandbox.answer(done.review, agent.sandbox)
            return self._answer(done_review, 201)
        return self._answer(done.review, 200 if done.replayed else 201)

    async def _revise(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        body = await read_object(request)
        supersedes = body.get("supersedes")
        if supersedes is not None and not _is_whole(supersedes):
            raise _field("/supersedes", "the revision this one takes the place of, a whole number")
        done = await self._service.revise(agent, request.match_info["id"], body)
        if agent.sandbox is not None and not done.replayed:
            # Whoever tries out changes wants to see the end too.
            answer = "approve" if agent.sandbox == "changes" else agent.sandbox
            return self._answer(await self._sandbox.answer(done.review, answer), 201)
        return self._answer(done.review, 200 if done.replayed else 201)

    async def _withdraw(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        body = await _only(request, "reason")
        return self._answer(await self._service.withdraw(agent, request.match_info["id"], _text(body, "reason")))

    async def _redeem(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        body = await _only(request, "digest", "idempotency_key")
        digest = _text(body, "digest")
        if not digest:
            raise _field("/digest", "required: the digest of the decision you are about to act on")
        key = _key(request, body)
        review = await self._service.redeem(agent, request.match_info["id"], digest, key)
        grant = wire.grant_json(review) or {}
        shown = wire.review_json(review, self._service.base_url, context=False)
        return _json({"redemption_id": grant.get("redemption_id"), "review": shown})

    async def _outcome(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        body = await _only(request, "result", "detail")
        result = _text(body, "result")
        if result not in _OUTCOMES:
            raise _field("/result", f"one of {', '.join(_OUTCOMES)}")
        review = request.match_info["id"]
        return self._answer(await self._service.report(agent, review, result, _text(body, "detail")))

    # ---------------------------------------------------------------------------- reading

    async def _read(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        review_id = request.match_info["id"]
        seconds = _seconds(request.query.get("wait"))
        if not seconds:
            return self._answer(await self._service.read(agent, review_id))
        end = asyncio.get_running_loop().time() + seconds
        with self._hub.waiter(review_id) as waiter:
            while True:
                # The clock first: what is read after an approval has rested can no longer be undone.
                now = self._service.clock.now()
                review = await self._service.read(agent, review_id)
                left = end - asyncio.get_running_loop().time()
                if wire.turn_of_agent(review, now) or left <= 0 or self._hub.closing.is_set():
                    return self._answer(review)
                # Another process may decide it: where the engine cannot tell us, a look every second does.
                # Nothing changes when an approval has rested: that instant is waited for by the clock.
                rest = wire.rest_of(review, now).total_seconds()
                await waiter.wait(min(left, rest or 1.0, 1.0))

    async def _list(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        asked = request.query
        unknown = set(asked) - {"status", "action", "cursor", "limit"}
        if unknown:
            raise wire.BadRequest(
                f"Unknown query parameter {sorted(unknown)[0]!r}; there are status, action, cursor, limit."
            )
        limit = whole(asked.get("limit", "50"), "limit", 1, MAX_PAGE)
        cursor = asked.get("cursor")
        query = Query(
            agent=agent.name,
            statuses=_statuses(asked.get("status")),
            action=asked.get("action"),
            before_seq=whole(cursor, "cursor", 1, wire.MAX_INTEGER) if cursor is not None else None,
            limit=limit + 1,
            asked=True,
        )
        found = await self._service.store.view(lambda tx: tx.find(query))
        more = str(found[limit - 1].seq) if len(found) > limit else None
        items = [wire.review_json(review, self._service.base_url, context=False) for review in found[:limit]]
        return _json({"items": items, "cursor": more})

    async def _events(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        review = await self._service.read(agent, request.match_info["id"])
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await self._stream(request, review)
        after = whole(request.query.get("after", "0"), "after", 0, wire.MAX_INTEGER)
        entries = await self._history(review, after)
        return _json({"items": [wire.entry_json(entry) for entry in entries]})

    async def _history(self, review: Review, after: int) -> list[Entry]:
        def look(tx: Tx) -> list[Entry]:
            return tx.log(review=review.id, after=after, limit=_HISTORY, public=True)

        return await self._service.store.view(look)

    async def _stream(self, request: web.Request, review: Review) -> web.StreamResponse:
        """The history live, as server-sent events; a reconnect goes on from `Last-Event-ID`."""
        stream = web.StreamResponse(headers=_STREAM)
        stream.headers["X-Request-ID"] = request[REQUEST_ID]
        await stream.prepare(request)
        last = request.headers.get("Last-Event-ID", "0")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 17 else 0
        with self._hub.waiter(review.id) as waiter:
            while not self._hub.closing.is_set() and self._in_force(review.agent):
                entries = await self._history(review, after)
                for entry in entries:
                    data = orjson.dumps(wire.entry_json(entry)).decode()
                    await stream.write(f"id: {entry.seq}\nevent: {entry.kind}\ndata: {data}\n\n".encode())
                    after = entry.seq
                if not await waiter.wait(15.0):
                    await stream.write(b": still here\n\n")
        return stream

    def _in_force(self, agent: str) -> bool:
        found = self._keyring.agent(agent)
        return found is not None and not found.revoked

    async def _explain(self, request: web.Request, agent: Agent) -> web.StreamResponse:
        body = await read_object(request)
        found = await self._service.explain(agent, body)
        return _json(as_json(found, self._service.router.policy))

    def _answer(self, review: Review, status: int = 200) -> web.Response:
        return _json(wire.review_json(review, self._service.base_url), status)


# ---------------------------------------------------------------------------------------------- reading requests


async def read_object(request: web.Request, *, empty: bool = False) -> Object:
    """The JSON object in a request's body. Raises wire.BadRequest."""
    raw = await request.read()
    if not raw and empty:
        return {}
    if request.content_type not in ("application/json", "application/octet-stream"):
        raise wire.BadRequest("Send `Content-Type: application/json`.", status=415)
    return wire.parse_body(raw)


async def _only(request: web.Request, *fields: str) -> Object:
    body = await read_object(request, empty=True)
    unknown = [key for key in body if key not in fields]
    if unknown:
        raise _field(join(unknown[0]), f"unknown field; there are {', '.join(fields)}")
    return body


def _is_whole(value: Any) -> bool:
    """Whether a JSON number is whole; `2.0` is (JSON Schema 2020-12 §6.1.1)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _text(body: Object, field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise _field(f"/{field}", "a text")
    if value is not None and len(value) > wire.MAX_WORDS:
        raise _field(f"/{field}", f"at most {wire.MAX_WORDS} characters")
    return value


def _field(pointer: str, message: str) -> wire.BadRequest:
    return wire.BadRequest("The request has faults.", (wire.FieldFault(pointer=pointer, message=message),))


def _key(request: web.Request, body: Object) -> str | None:
    """The idempotency key, from the header or the body; both are taken only when they say the same."""
    header, field = request.headers.get("Idempotency-Key"), body.get("idempotency_key")
    if field is not None and not isinstance(field, str):
        raise _field("/idempotency_key", "a text")
    if header is not None and field is not None and header != field:
        raise _field("/idempotency_key", "differs from the Idempotency-Key header; send one")
    key = header if header is not None else field
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise _field("/idempotency_key", "1 to 255 printable ASCII characters")
    return key


def _seconds(text: str | None) -> float:
    if text is None:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT:
        raise wire.BadRequest(f"`wait` is a number of seconds from 0 to {MAX_WAIT:g}.")
    return seconds


def is_id(request: web.Request) -> bool:
    """Whether the address, where it names a review, could name one; databases take no NUL."""
    name = request.match_info.get("id", "-")
    return len(name) <= 64 and name.isascii() and name.isprintable()


def whole(text: str, name: str, low: int, high: int) -> int:
    """A whole number in a query. Raises wire.BadRequest."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise wire.BadRequest(f"`{name}` is a whole number from {low} to {high}.")
    return int(text)


def _statuses(text: str | None) -> tuple[Status, ...]:
    if text is None:
        return ()
    try:
        return tuple(Status(part) for part in text.split(","))
    except ValueError:
        raise wire.BadRequest(f"`status` is one or more of {', '.join(Status)}, with commas.") from None


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
