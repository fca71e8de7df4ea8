"""Where links go: to pages of ours, and to the web addresses agents give. Pure."""

from __future__ import annotations

import re
from typing import assert_never
from urllib.parse import quote, urlsplit

from reviews.card import Go, Snippet, Way

VIEWS = {"mine": "Mine", "roles": "My roles", "decided": "Decided", "all": "All"}


def way_link(way: Way) -> str:
    """The page of ours a way leads to."""
    value = quote(way.value, safe="")
    match way.go:
        case Go.OPEN:
            return f"/reviews/{value}"
        case Go.HISTORY:
            return f"/reviews/{value}#history"
        case Go.QUEUE:
            return f"/inbox?view={value}" if value in VIEWS else "/inbox"
        case Go.BULK:
            return f"/inbox?action={value}" if value else "/inbox"
        case _:
            assert_never(way.go)


def safe_link(snippet: Snippet) -> tuple[str, str] | None:
    """(address, place) of a snippet's link; None when it is not plain http or https.

    The place (`host` or `host:port`, ASCII) is put into the address, so that what is shown is where it goes: browsers
    and Python read `\\`, user names and some letters of hosts differently (WHATWG URL against RFC 3986).
    """
    url = snippet.url or ""
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        place = host if parts.port is None else f"{host}:{parts.port}"
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9_.-]+", host):
        return None
    return parts._replace(netloc=place).geturl(), place
