"""Where callbacks may go. Literals and schemes are judged when a review is asked for; addresses when connecting.

The gate sits in the connector's socket factory, the one place that sees the address really connected to: a gate in
the resolver never sees literals, and checking a name before connecting loses to rebinding (aiohttp 3.14, measured).
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from reviews.errors import PlacetError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: What `ipaddress` calls global and is not ours to reach: multicast, NAT64, IPv4 in disguise, old site-local.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "224.0.0.0/4",
            "ff00::/8",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "::/96",
            "fec0::/10",
            "2002::/16",
            "2001::/32",
            "192.0.0.0/24",
        ),
    )
)
#: Cloud metadata services hand out credentials; no allow-list opens them.
_METADATA = tuple(
    ipaddress.ip_network(net)
    for net in ("169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32")
)
_PORTS = {"https": 443, "http": 80}
#: URLs whose verdict is remembered: agents give one for all their reviews.
_REMEMBERED = 256


class CallbackForbidden(PlacetError):
    """The callback's address is not one this installation may call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What a URL says: its host, the same with its port, whether the allow-list names it, and why not to call it."""

    host: str
    where: str
    named: bool
    fault: str | None


class Gate:
    """The operator's rule for callbacks: public https, and what `callbacks.allow` names."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._hosts: set[tuple[str, int]] = set()
        for entry in allow:
            if "/" in entry:
                self._networks.append(ipaddress.ip_network(entry))
            else:
                host, _, port = entry.rpartition(":")
                self._hosts.add((host.strip("[]").casefold(), int(port)))
        # What a URL says is judged alike as long as this gate stands; where its name leads is asked when connecting.
        self._verdict = lru_cache(maxsize=_REMEMBERED)(self._judge)

    def refuses(self, url: str, *, hosts: Sequence[str] = ()) -> str | None:
        """Why this URL may not be called, judged by what it says alone; None when it may be tried.

        `hosts` are those the agent's key allows; empty allows any. Raises ValueError for what is no URL at all.
        """
        verdict = self._verdict(url)
        if hosts and verdict.host not in hosts and verdict.where not in hosts:
            return f"{verdict.host} is not among the callback hosts of this key: {', '.join(hosts)}"
        return verdict.fault

    def names(self, url: str) -> bool:
        """Whether the allow-list names this URL's host and port, or the network of its literal address."""
        return self._verdict(url).named

    def _judge(self, url: str) -> _Verdict:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").casefold(), parts.port or _PORTS.get(parts.scheme, 0)
        where, address = f"{host}:{port}", _literal(host)
        named = (host, port) in self._hosts or (address is not None and _in(address, self._networks))
        fault = None
        if address is not None and _in(address, _METADATA):
            named = False
        if not named and parts.scheme != "https":
            fault = f"must be https; or ask an operator to add {where} to callbacks.allow"
        elif not named and address is not None and not self.open(address):
            fault = f"{host} is not a public address; an operator can add {where} to callbacks.allow"
        return _Verdict(host=host, where=where, named=named, fault=fault)

    def open(self, address: Address, *, named: bool = False) -> bool:
        """Whether this address may be connected to. `named`: its host is on the allow-list by name."""
        address = getattr(address, "ipv4_mapped", None) or address
        if _in(address, _METADATA):
            return False
        if named or _in(address, self._networks):
            return True
        return address.is_global and not _in(address, _NOT_PUBLIC)

    def connector(self, *, named: bool) -> aiohttp.TCPConnector:
        """A connector that cannot leave the gate; one for hosts the allow-list names, one for all others."""

        def guarded(info: aiohttp.abc.AddrInfo) -> socket.socket:  # type: ignore[name-defined]  # alias is not exported
            family, kind, proto, _, where = info
            address = ipaddress.ip_address(str(where[0]).partition("%")[0])
            if not self.open(address, named=named):
                raise CallbackForbidden(f"{address} is not an address callbacks may go to.")
            made = socket.socket(family, kind, proto)
            made.setblocking(False)
            return made

        return aiohttp.TCPConnector(socket_factory=guarded, limit=0, ttl_dns_cache=10, force_close=not named)


def _literal(host: str) -> Address | None:
    # Resolvers read wide digits, ideographic full stops and a last dot as the plain ones (UTS #46).
    host = unicodedata.normalize("NFKC", host).replace("。", ".").removesuffix(".")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _odd_literal(host)


def _odd_literal(host: str) -> Address | None:
    """IPv4 in the spellings resolvers take: `127.1`, `0x7f.1`, `2130706433`."""
    parts = host.split(".")
    if not all(part[:1].isdigit() for part in parts if part) or not host:
        return None
    try:
        return ipaddress.ip_address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _in(address: Address, networks: Iterable[Any]) -> bool:
    return any(address.version == net.version and address in net for net in networks)
