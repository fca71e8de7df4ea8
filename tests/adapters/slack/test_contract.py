"""Slack, held to the contract of every adapter, against an emulated Slack."""

from __future__ import annotations

import pytest

from tests.adapters.slack.conftest import Build
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.contracts.adapter_contract import AdapterContract, FindsContract, NewsContract, PostedContract
from tests.contracts.counterpart_contract import ReplyingContract, TypingContract, VendorContract, WalkingContract

pytestmark = [pytest.mark.node, pytest.mark.slow]


class TestSlack(
    AdapterContract,
    FindsContract,
    NewsContract,
    PostedContract,
    VendorContract,
    TypingContract,
    ReplyingContract,
    WalkingContract,
):
    """Slack keeps the copies; people type and reply there."""

    @pytest.fixture
    async def rig(self, build: Build) -> SlackHarness:
        """The adapter before the emulator; replies are comments."""
        return await slack_harness(await build(comments="thread"))
