"""What keeps other sites out: tokens, origins, headers, cookies. Pure over plain values."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

#: No inline script or style, nothing from another host, no framing: a text that slipped through escaping does nothing.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
PERSONAL = {**HEADERS, "Cache-Control": "no-store"}

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def cookie_name(public_url: str, what: str = "session") -> str:
    """The cookie's name: `__Host-` on https, which no other subdomain can set (RFC 6265bis §4.1.3.2)."""
    name = f"placet-{what}"
    return f"__Host-{name}" if secure(public_url) else name


def secure(public_url: str) -> bool:
    """Whether people reach us by https."""
    return urlsplit(public_url).scheme == "https"


def token(secret: str) -> str:
    """The form token of a session: an HMAC of its secret, which no other site can know."""
    return hmac.new(secret.encode(), b"placet form", hashlib.sha256).hexdigest()


def token_fits(secret: str, given: str) -> bool:
    """Whether a posted form token is this session's. Compared in constant time."""
    return hmac.compare_digest(token(secret).encode(), given.encode("utf-8", "replace"))


def same_site(headers: Mapping[str, str], public_url: str, host: str) -> bool:
    """Whether a POST comes from one of our own pages, as far as the browser says.

    `Sec-Fetch-Site` decides where it is sent. `Origin: null` is what our own pages send on plain http, because of
    `no-referrer` (Fetch §3.2); there the form token alone must do.
    """
    fetched = headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    origin = headers.get("Origin")
    if origin is None or origin == "null":
        return True
    return _place(origin) == _place(public_url) or urlsplit(origin).netloc.lower() == host.lower()


def local_host(host: str, public_url: str) -> bool:
    """Whether the page was asked for under a name of this machine, and not one a stranger's DNS points at it."""
    name = urlsplit(f"//{host}").hostname
    return name in _LOOPBACK or name == urlsplit(public_url).hostname


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
