"""Placeholder."""

from aiohttp import web


def docs_routes(base: str) -> list[web.RouteDef]:
    return []
