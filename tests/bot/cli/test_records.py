"""`placet stats`, `deliveries`, `resend`, `migrate` without a server, and the help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bot.cli.conftest import Placet, change


def test_an_empty_house_says_so(placet: Placet, house: Path) -> None:
    """Words for people, empty lists for programs."""
    assert "Nothing was asked" in placet("stats", "--config", house).out
    assert json.loads(placet("stats", "--json", "--days", "1", "--config", house).out) == []
    assert "no such delivery" in placet("deliveries", "--state", "dead", "--config", house).out
    ran = placet("resend", "msg_none", "--config", house)
    assert ran.code == 1
    assert "placet deliveries" in ran.err


def test_migrate_makes_the_tables_once(placet: Placet, house: Path) -> None:
    """From empty to the newest, then nothing."""
    assert "from empty to revision" in placet("migrate", "--config", house).out
    assert "Nothing was changed" in placet("migrate", "--config", house).out


@pytest.mark.parametrize("database", ["mysql://x/y", "sqlite://", "what is this"])
def test_a_database_that_is_none(placet: Placet, house: Path, database: str) -> None:
    """Every command that opens it says what to write."""
    change(house, database=database)
    for command in (("migrate",), ("stats",), ("serve",)):
        ran = placet(*command, "--config", house)
        assert ran.code == 1
        assert "sqlite:///placet.db" in ran.err


def test_memory_is_the_servers_alone(placet: Placet, house: Path) -> None:
    """A key made into nowhere would be printed and never work."""
    change(house, database="memory://")
    ran = placet("agent", "add", "x", "--config", house)
    assert ran.code == 1
    assert "plk_" not in ran.out
    assert "Name a file" in ran.err


_COMMANDS = (
    "init", "serve", "demo", "doctor", "agent add", "agent list", "agent revoke", "agent secret", "token", "link",
    "inbox", "show", "approve", "reject", "edit", "policy check", "policy test", "policy explain", "policy diff",
    "stats", "deliveries", "resend", "migrate", "oncall now", "oncall next", "oncall gaps",
)  # fmt: skip


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help_and_takes_the_configuration_after_its_arguments(placet: Placet, command: str) -> None:
    """All but those that make or need none."""
    ran = placet(*command.split(), "--help")
    assert ran.code == 0
    assert ("--config" in ran.out) is (command not in ("init", "demo"))
    assert ("CommandLine" in ran.out, "None" in ran.out) == (False, False)
