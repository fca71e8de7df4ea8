"""What the benchmarks measure against is there: a benchmark nobody runs breaks unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.beside import ENV, beside
from bench.rig import server

pytestmark = [pytest.mark.node, pytest.mark.slow]


async def test_a_card_comes_to_both_chats(tmp_path: Path) -> None:
    """The server of the benchmarks posts to the Slack and the Teams beside it, from which the memory is measured."""
    async with beside() as chats, server(chats.both, tmp_path, ENV) as ours:
        await chats.posted((await ours.create())["id"])
        assert ours.told["rss_mb"] > 0
