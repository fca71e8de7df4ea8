"""Teams, held to the contract of every adapter, against a strict fake of it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest

from reviews.errors import SurfaceUnavailable
from tests.adapters.teams.conftest import Build, House
from tests.adapters.teams.harness import TeamsHarness, teams_harness
from tests.contracts.adapter_contract import AFTER, AdapterContract, BlindContract, NewsContract, PostedContract, after
from tests.contracts.counterpart_contract import (
    ReplyingContract,
    TypingContract,
    VendorContract,
    WalkingContract,
    patiently,
)
from tests.fakes import cards

pytestmark = [pytest.mark.slow]


class TestTeams(
    AdapterContract,
    BlindContract,
    NewsContract,
    PostedContract,
    VendorContract,
    TypingContract,
    ReplyingContract,
    WalkingContract,
):
    """Teams keeps the copies and shows a bot none of them; people type and reply there."""

    @pytest.fixture
    def rig(self, house: House) -> TeamsHarness:
        """The surface with the real SDK before the fake."""
        return teams_harness(house)

    async def test_teams_need_not_say_no_to_a_flood(self, rig: TeamsHarness) -> None:
        """What is too much at once is not even sent, whatever it is: cards, what belongs beneath them, redrawing."""
        for n in range(40):
            post = partial(rig.adapter.post, cards.refund(), rig.target, f"copy-{n}")
            ref = await patiently(rig, post)
            with suppress(SurfaceUnavailable):
                await rig.adapter.update(ref, after())
        assert len(await rig.posts()) == 40
        assert rig.teams.refused == []

    async def test_a_copy_outlives_a_restart(self, build: Build) -> None:
        """Another process, with what the first one kept, redraws it and reaches the same people in the same chats."""
        first = teams_harness(await build())
        ref = await first.adapter.post(cards.refund(), first.direct, "copy-1")
        again = teams_harness(await build(references=first.house.references))
        await again.adapter.update(ref, after())
        await again.adapter.whisper(again.ana, "Still here.")
        assert AFTER in await again.read_back(ref)
        assert "Still here." in (await again.whispers(again.ana))[0]
        assert [name for name, _ in again.teams.calls].count("create") == 1
