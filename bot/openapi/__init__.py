"""What the API says of itself: OpenAPI 3.1 at `/v1/openapi.json`, and the same for people at `/docs`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from bot.openapi.document import document
from bot.openapi.page import page, stylesheet

#: The page needs nothing but its own stylesheet, so nothing else may load or run.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def docs_routes(base: str) -> list[web.RouteDef]:
    """The routes. `base` is the public address, shown in the examples; one with port 0 is not known yet."""

    async def machine(_: web.Request) -> web.StreamResponse:
        return web.Response(body=orjson.dumps(document()), content_type="application/json", headers=_HEADERS)

    async def people(request: web.Request) -> web.StreamResponse:
        shown = str(request.url.origin()) if base.endswith(":0") else base
        return web.Response(text=page(shown), content_type="text/html", headers=_HEADERS)

    async def style(_: web.Request) -> web.StreamResponse:
        return web.Response(text=stylesheet(), content_type="text/css", headers=_HEADERS)

    return [_get("/v1/openapi.json", machine), _get("/docs", people), _get("/docs.css", style)]


def _get(path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.RouteDef:
    return web.get(path, handler, allow_head=False)
