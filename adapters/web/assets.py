"""The inbox's own script, style and mark, and htmx: served from here, nothing from another host."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from aiohttp import web

from adapters.web.guard import HEADERS

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def load() -> dict[str, bytes]:
    """Every asset by its file name."""
    folder = files("adapters.web").joinpath("static")
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.name.rpartition(".")[2] in _TYPES}


def stamp(assets: dict[str, bytes]) -> str:
    """`?v=…`, another for other contents, so that browsers may keep assets for a year."""
    whole = hashlib.sha256(b"".join(assets[name] for name in sorted(assets)))
    return f"?v={whole.hexdigest()[:12]}"


def answer(assets: dict[str, bytes], name: str) -> web.Response:
    """One asset, or 404."""
    if name not in assets:
        return web.Response(status=404, text="No such file.", headers=HEADERS)
    return web.Response(
        body=assets[name],
        content_type=_TYPES[name.rpartition(".")[2]],
        charset="utf-8",
        headers={**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"},
    )
