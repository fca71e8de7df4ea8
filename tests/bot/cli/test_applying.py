"""`placet policy apply`: what it asks of a server, and what it says without one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bot.cli.conftest import Placet, change, serving


def _newer(config: Path, name: str = "policy.yml") -> Path:
    text = (config.parent / "policy.yml").read_text("utf-8")
    path = config.parent / name
    path.write_text(text.replace("version: 1", "version: 2").replace("sla: 15m", "sla: 20m"), "utf-8")
    return path


def test_a_change_is_proposed_to_the_server(placet: Placet, house: Path) -> None:
    """The difference and the review's number; the same again is the same review."""
    people = [{"id": who, "name": who.title(), "roles": ["reviewer"]} for who in ("me", "bo", "cy")]
    change(house, policy_changes="reviewed", people=people)
    with serving(house):
        newer = _newer(house, "newer.yml")
        ran = placet("policy", "apply", newer, "--as", "me", "--config", house)
        assert ran.code == 0, ran.err
        assert "→" in ran.out
        assert "asks people to approve this" in ran.out
        again = json.loads(placet("policy", "apply", newer, "--json", "--config", house).out)
        assert (again["seq"], again["status"]) == (1, "waits")


def test_without_a_server_nobody_is_asked(placet: Placet, house: Path) -> None:
    """It says what to start."""
    ran = placet("policy", "apply", "--config", house)
    assert ran.code == 1
    assert "placet serve" in ran.err


def test_a_policy_that_does_not_load_is_not_proposed(placet: Placet, house: Path) -> None:
    """With each fault's file and line."""
    (house.parent / "policy.yml").write_text("policy: x\nversion: 1\ndefault: {tier: approve, role: king}\n", "utf-8")
    ran = placet("policy", "apply", "--config", house)
    assert ran.code == 1
    assert "policy.yml:3" in ran.err
