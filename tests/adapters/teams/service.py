"""A service on loopback that answers as it is told and keeps what it was asked: for what is tested below the fake."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.serving import serving

APP, TENANT = "0b8f6f52-6f0e-4a56-8a43-5b0f7c1d2e02", "7f0c2a34-1b6d-4c55-9a3e-2f5d8e6b1c01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, its path as it was quoted."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass(slots=True)
class Told:
    """An answer to be given. `lost`: the connection is cut instead; `held`: not before this is set."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    held: asyncio.Event | None = None


class Service:
    """Gives the answers in `next` one by one, then `otherwise`. Tokens are given out at once, and counted."""

    def __init__(self) -> None:
        self.root = ""
        self.asked: list[Asked] = []
        self.next: deque[Told] = deque()
        self.otherwise = Told(body={"id": "1"})
        self.tokens: deque[Told] = deque()
        self.granted = 0
        self.forms: list[dict[str, Any]] = []

    async def on_token(self, request: web.Request) -> web.Response:
        """Entra."""
        self.granted += 1
        self.forms.append(dict(await request.post()))
        good = Told(body={"access_token": f"token-{self.granted}", "expires_in": 3600})
        return await _answer(request, self.tokens.popleft() if self.tokens else good)

    async def on_call(self, request: web.Request) -> web.Response:
        """Teams."""
        body = await request.read()
        self.asked.append(Asked(method=request.method, path=request.raw_path, headers=request.headers, body=body))
        return await _answer(request, self.next.popleft() if self.next else self.otherwise)


async def _answer(request: web.Request, told: Told) -> web.Response:
    if told.held is not None:
        await told.held.wait()
    if told.lost:
        assert request.transport is not None
        request.transport.abort()
    if isinstance(told.body, bytes):
        return web.Response(body=told.body, status=told.status, headers=told.headers)
    return web.json_response(told.body, status=told.status, headers=told.headers)


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    """Serve on loopback."""
    found = Service()
    routes = [web.post(f"/{TENANT}/oauth2/v2.0/token", found.on_token), web.route("*", "/{rest:.*}", found.on_call)]
    async with serving(routes) as found.root:
        yield found
