"""Gateways with what stands behind them: an SMS receiver and an SMTP server on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from adapters.gateway.adapter import GatewayAdapter, create
from adapters.port import Setup
from reviews.model import Target
from tests.fakes.cards import NOW
from tests.fakes.desk import FakeDesk, FakeDoor, FixedClock, desk_of
from tests.fakes.gateways import Sink, sms_sink, smtp_sink
from tests.fakes.references import FakeReferences

PHONE, MAIL = "+34600111222", "ana@example.com"


@dataclass(kw_only=True)
class Rig:
    """A gateway at work. `target` is Ana's address there."""

    adapter: GatewayAdapter
    sink: Sink
    door: FakeDoor
    desk: FakeDesk
    target: Target


def setup(urls: dict[str, str]) -> Setup:
    """What gateways of these names and URLs are given; the URL of `sms` is in `PLACET_GATEWAY_SMS`."""
    clock = FixedClock(NOW)
    return Setup(
        config={name: f"PLACET_GATEWAY_{name.upper()}" for name in urls},
        env={f"PLACET_GATEWAY_{name.upper()}": url for name, url in urls.items() if url},
        desk=desk_of(),
        door=FakeDoor(clock=clock),
        references=FakeReferences(),
        clock=clock,
        public_url="https://placet.example.com",
    )


async def rig(name: str, sink: Sink, address: str) -> Rig:
    """One gateway that leads to a sink."""
    given = setup({name: sink.url})
    (adapter,) = create(given)
    assert isinstance(adapter, GatewayAdapter)
    assert isinstance(given.door, FakeDoor)
    assert isinstance(given.desk, FakeDesk)
    await adapter.start()
    target = Target(surface=name, address=address, person="ana")
    return Rig(adapter=adapter, sink=sink, door=given.door, desk=given.desk, target=target)


@pytest.fixture
async def sms() -> AsyncIterator[Rig]:
    """A gateway of short messages."""
    async with sms_sink() as sink:
        yield await rig("sms", sink, PHONE)


@pytest.fixture
async def mail() -> AsyncIterator[Rig]:
    """A gateway of letters."""
    async with smtp_sink() as sink:
        yield await rig("email", sink, MAIL)
