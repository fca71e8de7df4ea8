"""Gateways, held to the part of the contract of every adapter that is for those who only send."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from adapters.gateway.adapter import GatewayAdapter
from reviews.model import Identity, Target
from reviews.ports import MessageRef
from tests.adapters.gateway.conftest import Rig
from tests.contracts.adapter_contract import BlindContract, SurfaceContract, ToldContract
from tests.contracts.harness import SentHarness
from tests.fakes.desk import FakeDesk
from tests.fakes.gateways import Sent

_OURS = "https://placet.example.com/"


@dataclass(kw_only=True)
class GatewayHarness:
    """One gateway; the first message a test sends is the copy it looks at."""

    house: Rig
    other: str

    @property
    def adapter(self) -> GatewayAdapter:
        """The surface."""
        return self.house.adapter

    @property
    def desk(self) -> FakeDesk:
        """Its desk."""
        return self.house.desk

    @property
    def target(self) -> Target:
        """Ana: gateways have no channels."""
        return self.house.target

    @property
    def direct(self) -> Target:
        """Ana."""
        return self.house.target

    @property
    def ana(self) -> Identity:
        """Ana at her address."""
        return Identity(surface=self.adapter.name, id=self.target.address)

    @property
    def bo(self) -> Identity:
        """Bo at his."""
        return Identity(surface=self.adapter.name, id=self.other)

    async def read_back(self, ref: MessageRef) -> str:
        """The message that called."""
        return _words(self._sent(ref)[0])

    async def weight(self, ref: MessageRef) -> int:
        """Its bytes."""
        return len(_words(self._sent(ref)[0]).encode())

    async def markup(self, ref: MessageRef) -> list[str]:
        """Addresses that phones and mail programs would make links of."""
        found = re.findall(r"\w+://\S+|\bwww\.\S+", _words(self._sent(ref)[0]))
        return [address for address in found if not address.startswith(_OURS)]

    async def whispers(self, identity: Identity) -> list[str]:
        """What somebody was sent, newest first."""
        return [_words(sent) for sent in reversed(self.house.sink.sent_to(identity.id))]

    async def beneath(self, ref: MessageRef) -> list[str]:
        """What was sent after the card, newest first."""
        return [_words(sent) for sent in reversed(self._sent(ref)[1:])]

    def _sent(self, ref: MessageRef) -> list[Sent]:
        return self.house.sink.sent_to(ref.ref["to"])


def _words(sent: Sent) -> str:
    return f"{sent.subject}\n{sent.text}"


class _Gateways(SurfaceContract, BlindContract, ToldContract):
    """Sends, and cannot take it back."""


class TestSms(_Gateways):
    """Short messages."""

    @pytest.fixture
    def rig(self, sms: Rig) -> SentHarness:
        """Before a receiver in the shape of an SMS gateway."""
        return GatewayHarness(house=sms, other="+34600333444")


class TestMail(_Gateways):
    """Letters."""

    @pytest.fixture
    def rig(self, mail: Rig) -> SentHarness:
        """Before a real SMTP server."""
        return GatewayHarness(house=mail, other="bo@example.com")
