"""Slack, held to the contract of every surface, against an emulated Slack."""

from __future__ import annotations

import pytest

from tests.adapters.slack.conftest import House
from tests.contracts.surface_contract import Rig, SurfaceContract

pytestmark = [pytest.mark.node, pytest.mark.slow]


class TestSlack(SurfaceContract):
    """The contract."""

    @pytest.fixture
    def rig(self, house: House) -> Rig:
        """The adapter before the emulator."""
        return house
