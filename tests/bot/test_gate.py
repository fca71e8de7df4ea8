"""Where callbacks may go: judged by values, and by what a connector that obeys the gate ever connects to."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from bot.gate import CallbackForbidden, Gate
from tests.fakes.receiver import Receiver

METADATA = ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
#: Addresses nobody may be sent to, each for its own reason (RFC 6890 and its registries).
CLOSED = (
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.0.7",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    *METADATA,
)
OPEN = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8")


def _url(host: str, scheme: str = "https") -> str:
    return f"{scheme}://[{host}]/hook" if ":" in host else f"{scheme}://{host}/hook"


# ---------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public_is_closed(address: str) -> None:
    """Neither by its literal in a request, nor when a name turns out to be it."""
    assert not Gate().open(ipaddress.ip_address(address))
    fault = Gate().refuses(_url(address))
    assert fault is not None
    assert "callbacks.allow" in fault


@pytest.mark.parametrize("address", OPEN)
def test_what_is_public_is_open_by_https_alone(address: str) -> None:
    """https may go there; http only where an operator says so."""
    assert Gate().open(ipaddress.ip_address(address))
    assert Gate().refuses(_url(address)) is None
    assert "https" in (Gate().refuses(_url(address, "http")) or "")


@pytest.mark.parametrize("address", METADATA)
def test_metadata_services_are_closed_whatever_the_list_says(address: str) -> None:
    """They hand out credentials: neither a network, nor the host, nor a name opens them."""
    network = "0.0.0.0/0" if "." in address else "::/0"
    bracketed = f"[{address}]:443" if ":" in address else f"{address}:443"
    gate = Gate([network, bracketed])
    assert gate.refuses(_url(address)) is not None
    assert not gate.open(ipaddress.ip_address(address), named=True)
    if "." in address:
        assert not gate.open(ipaddress.ip_address(f"::ffff:{address}"), named=True)


@given(st.ip_addresses(v=4))
def test_no_more_is_open_than_the_standard_library_calls_global(address: ipaddress.IPv4Address) -> None:
    """An oracle: whatever is open is global and unicast, and every other IPv4 is closed or a metadata service."""
    # 192.0.0.0/24 is the IETF's own (RFC 6890); older Pythons call parts of it global.
    protocol = address in ipaddress.ip_network("192.0.0.0/24")
    plain = address.is_global and not address.is_multicast and not protocol
    assert Gate().open(address) is (plain and str(address) not in METADATA)


@given(st.ip_addresses(v=6))
def test_no_ipv6_is_open_that_is_not_global(address: ipaddress.IPv6Address) -> None:
    """The same for IPv6, where what hides an IPv4 inside is closed as a whole."""
    if Gate().open(address):
        assert address.is_global
        assert not address.is_multicast
        assert address.sixtofour is None
        assert address.teredo is None


def _spellings(address: ipaddress.IPv4Address) -> list[str]:
    a, b, c, d = address.packed
    wide = "".join(chr(ord(x) + 0xFEE0) if x.isdigit() else x for x in str(address))
    return [
        str(address),
        f"{address}.",
        str(int(address)),
        hex(int(address)),
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{b}.{(c << 8) + d}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        wide,
        str(address).replace(".", "。"),
        f"[::ffff:{address}]",
        f"[::ffff:{a << 8 | b:x}:{c << 8 | d:x}]",
    ]


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_address_is_judged_alike(address: ipaddress.IPv4Address) -> None:
    """Octal, hexadecimal, shortened, wide, mapped: what resolvers read as this address is this address."""
    verdicts = {s: Gate().refuses(f"https://{s}/hook") is None for s in _spellings(address)}
    assert set(verdicts.values()) == {Gate().open(address)}, verdicts


def test_the_allow_list_opens_what_it_names_and_nothing_beside() -> None:
    """A host with its port, a literal with its port, a network; http is then allowed too."""
    gate = Gate(["127.0.0.1:8991", "10.2.0.0/16", "agents.internal:8443", "[::1]:8080", "fd00:1::/32"])
    for url in (
        "http://127.0.0.1:8991/hook",
        "http://10.2.3.4/hook",
        "http://10.2.3.4:9999/hook",
        "http://agents.internal:8443/",
        "http://AGENTS.internal:8443/",
        "http://[::1]:8080/hook",
        "http://[fd00:1::7]/hook",
    ):
        assert gate.refuses(url) is None, url
    for url in (
        "http://127.0.0.1:8992/hook",
        "http://127.0.0.1/hook",
        "http://10.3.0.1/hook",
        "http://agents.internal/",
        "http://x.agents.internal:8443/",
        "https://[::1]:8081/hook",
    ):
        assert gate.refuses(url) is not None, url
    assert gate.open(ipaddress.ip_address("10.2.0.9"))
    assert gate.open(ipaddress.ip_address("::ffff:10.2.0.9"))
    assert not gate.open(ipaddress.ip_address("10.3.0.9"))
    assert gate.open(ipaddress.ip_address("192.168.0.1"), named=True)


def test_a_key_may_be_bound_to_hosts() -> None:
    """With hosts on the key only those are called, however public another is; they do not open what is closed."""
    gate = Gate()
    assert gate.refuses("https://hooks.example.com/x", hosts=["hooks.example.com"]) is None
    assert gate.refuses("https://hooks.example.com:444/x", hosts=["hooks.example.com:444"]) is None
    assert "hooks.example.com" in (gate.refuses("https://other.example.com/", hosts=["hooks.example.com"]) or "")
    assert gate.refuses("https://10.0.0.1/", hosts=["10.0.0.1"]) is not None


# ---------------------------------------------------------------------------------------------- connecting


class Names(AbstractResolver):
    """A resolver that answers from a table, in turn."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """All its answers for every name."""
        return [
            ResolveResult(hostname=host, host=a, port=port, family=10 if ":" in a else 2, proto=0, flags=0)
            for a in self.answers
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
async def attempts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Any]]:
    """Every connection tried while a test runs; one that would leave this machine is not made."""
    loop = asyncio.get_running_loop()
    tried: list[Any] = []
    connect = loop.sock_connect

    async def recording(sock: Any, address: Any) -> None:
        tried.append(address)
        assert ipaddress.ip_address(address[0]).is_loopback, f"would have connected to {address}"
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", recording)
    yield tried
    assert all(ipaddress.ip_address(address[0]).is_loopback for address in tried)


async def _post(gate: Gate, url: str, *, named: bool = False, answers: tuple[str, ...] = ()) -> int:
    connector = gate.connector(named=named)
    if answers:
        connector._resolver = Names(*answers)
    async with aiohttp.ClientSession(connector=connector) as session, session.post(url) as answer:
        return answer.status


@pytest.mark.parametrize("address", CLOSED)
async def test_a_name_is_judged_by_where_it_leads(address: str, attempts: list[Any]) -> None:
    """A public name that resolves to a closed address gets no connection attempt at all."""
    with pytest.raises(CallbackForbidden):
        await _post(Gate(), "https://hooks.example.com/", answers=(address,))
    assert attempts == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
async def test_a_literal_does_not_pass_the_gate_either(address: str, attempts: list[Any]) -> None:
    """aiohttp asks no resolver for literals, so a gate there would never see them."""
    with pytest.raises(CallbackForbidden):
        await _post(Gate(), _url(address, "http"))
    assert attempts == []


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"])
async def test_an_allowed_name_does_not_lead_to_metadata(address: str, attempts: list[Any]) -> None:
    """Whoever rules the name's DNS does not rule our credentials."""
    with pytest.raises(CallbackForbidden):
        await _post(Gate(["agents.internal:80"]), "http://agents.internal/", named=True, answers=(address,))
    assert attempts == []


async def test_this_machine_by_its_own_name_is_refused(receiver: Receiver, attempts: list[Any]) -> None:
    """`localhost` is a name like any other, and leads to loopback."""
    with pytest.raises(CallbackForbidden):
        await _post(Gate(), f"http://localhost:{receiver.port}/ok")
    assert attempts == []
    assert receiver.calls == []


async def test_what_is_allowed_is_reached(receiver: Receiver, attempts: list[Any]) -> None:
    """The gate is not simply shut: the literal on the list is called, and a name on it wherever it leads."""
    gate = Gate([receiver.address, f"agents.internal:{receiver.port}"])
    assert await _post(gate, receiver.url(), named=True) == 200
    named = f"http://agents.internal:{receiver.port}/ok"
    assert await _post(gate, named, named=True, answers=("127.0.0.1",)) == 200
    assert len(attempts) == 2
