"""Where the server listens: which addresses are this machine's alone, and taking one."""

from __future__ import annotations

import ipaddress
import socket

from reviews.errors import PlacetError


class CannotServe(PlacetError):
    """The server cannot start as configured; the sentence says what to change."""


def is_loopback(host: str) -> bool:
    """Whether a host to bind is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address. Raises CannotServe when it is taken or not this machine's."""
    try:
        family, kind, proto, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, proto)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(where)
    except OSError as fault:
        text = f"Cannot listen on {host}:{port}: {fault.strerror}. Set server.host and server.port to a free address."
        raise CannotServe(text) from fault
    return taken


def bracketed(host: str) -> str:
    """A host as it stands in an address."""
    return f"[{host}]" if ":" in host else host
