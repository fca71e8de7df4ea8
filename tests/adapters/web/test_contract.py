"""The web inbox, held to the contract of every adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.adapters.web.harness import web_harness
from tests.contracts.adapter_contract import AdapterContract, FindsContract, LiveContract
from tests.contracts.harness import Harness


class TestWeb(AdapterContract, FindsContract, LiveContract):
    """Always drawn anew, and kept by nobody else."""

    @pytest.fixture
    async def rig(self) -> AsyncIterator[Harness]:
        """An inbox on loopback."""
        async with web_harness() as rig:
            yield rig
