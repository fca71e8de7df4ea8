"""The demo's house: its rules load with every name known, pass their own tests, and end in time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo import world
from bot.people import Directory
from policies.explain import run_tests
from policies.load import load


@pytest.mark.parametrize("pace", [world.LOOKED_AT, world.HEADLESS])
def test_the_rules_load_and_pass_their_tests(tmp_path: Path, pace: world.Pace) -> None:
    """With the names of the demo's own people, at either pace."""
    config = world.furnish(tmp_path, pace=pace, port=0)
    policy = load(tmp_path / config.policy, Directory(config).known)
    assert [result.wrong for result in run_tests(policy) if not result.passed] == []
    assert policy.tests


def test_an_escalation_is_seen_within_a_minute_and_there_is_time_to_read(tmp_path: Path) -> None:
    """The ladder that is left alone calls the secondary within a minute, and ends between one and two."""
    config = world.furnish(tmp_path, pace=world.LOOKED_AT, port=0)
    chains = load(tmp_path / config.policy).chains
    rungs = chains["on-call"].rungs
    assert rungs[0].after == timedelta(0)
    assert timedelta(0) < rungs[2].after < rungs[3].after < timedelta(minutes=1)
    assert all(timedelta(seconds=90) <= chain.rungs[-1].after <= timedelta(minutes=2) for chain in chains.values())
