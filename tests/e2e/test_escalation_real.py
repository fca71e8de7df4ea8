"""Escalation on the real clock, in seconds, through Slack and a gateway: the virtual clock's claim, once in truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.loop import Loop, looped, until
from tests.fakes.gateways import sms_sink
from tests.fakes.slack_process import Emulator

pytestmark = pytest.mark.node
PHONE = "+34600000001"
POLICY = """
policy: seconds
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount}
chains:
  quick:
    - {after: 0s, notify: channel:role}
    - {after: 1s, notify: person:bo, via: dm}
    - {after: 2s, notify: person:bo, via: sms}
    - {after: 4s, then: expire}
default: {tier: approve, role: manager, chain: quick}
"""


async def test_silence_climbs_from_the_channel_to_the_phone(emulator: Emulator, tmp_path: Path) -> None:
    """Channel at once, Bo's direct messages, Bo's phone, the end: each told of the end by the way they were called."""
    async with sms_sink() as phones:
        settings = {
            "people": [{"id": "bo", "phone": PHONE}],
            "gateways": {"sms": "SMS_URL"},
            "env": {"SMS_URL": phones.url},
        }
        async with looped(emulator, tmp_path, POLICY, **settings) as loop:
            review = await loop.ask()
            card = await loop.card(review["id"])
            await _told_directly(loop, "Refund order")
            called, over = await phones.until(2)
            assert (called.to, over.to) == (PHONE, PHONE)
            assert called.link.startswith(loop.app.url)
            assert "xpired" in over.text
            assert [(await loop.told())["type"] for _ in range(3)] == [
                "review.escalated", "review.escalated", "review.decided",
            ]  # fmt: skip
            await loop.shows(card["ts"], "Expired")
            await _told_directly(loop, "Expired")
            entries = await loop.store.view(lambda tx: tx.log(review=review["id"]))
            assert [entry.kind for entry in entries if entry.kind.startswith("review.")] == [
                "review.opened", "review.called", "review.escalated", "review.escalated", "review.expired",
            ]  # fmt: skip


async def _told_directly(loop: Loop, words: str) -> None:
    async def so() -> bool:
        return any(words in said for said in await loop.slack.direct(loop.bo))

    await until(loop.slack, so)
