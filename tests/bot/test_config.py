"""placet.yml: what is taken, and what each refusal says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.config import ConfigFault, load, parse


def test_an_empty_file_is_a_configuration() -> None:
    """Every key has a default, and the default binds loopback with votes by token off."""
    config = parse({})
    assert (config.server.host, config.server.votes_by_token, config.database) == (
        "127.0.0.1",
        False,
        "sqlite:///placet.db",
    )


def test_cards_fold_and_people_may_ask_unless_said_otherwise() -> None:
    """A channel holds twenty open cards, and people ask under an action of its own."""
    config = parse({})
    assert (config.cards.open_per_channel, config.asks.enabled, config.asks.action) == (20, True, "message.review")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"servr": {}}, "servr: there is no such key"),
        ({"server": {"port": "eighty"}}, "server.port"),
        ({"server": {"port": 70000}}, "server.port"),
        ({"people": [{"id": "ana", "name": "Ana", "roles": ["boss"]}]}, "has the role 'boss', which roles: lacks"),
        ({"people": [{"id": "ana", "name": "A"}, {"id": "ana", "name": "B"}]}, "'ana' is there twice"),
        ({"people": [{"id": "ana", "name": "Ana", "deputy": "bo"}]}, "deputy 'bo' is nobody here"),
        ({"people": [{"id": "ana", "name": "Ana", "deputy": "ana"}]}, "ana cannot be their own deputy"),
        ({"cards": {"open_per_channel": -1}}, "cards.open_per_channel"),
        ({"asks": {"action": ""}}, "asks.action"),
        ({"people": [{"id": "ana", "name": "Ana", "timezone": "Mars/Olympus"}]}, "is no time zone"),
        ({"rotations": {"ops": {"primary": {"people": ["bo"]}}}}, "names 'bo', who is nobody here"),
        ({"callbacks": {"allow": ["example.com"]}}, "HOST:PORT"),
        ({"callbacks": {"allow": ["10.0.0.0/99"]}}, "10.0.0.0/99"),
        ({"audit": {"retention_days": 30}}, "183"),
        ([], "whole file"),
    ],
)
def test_each_fault_is_named(given: Any, words: str) -> None:
    """The key at fault and what may stand there are both in the message."""
    with pytest.raises(ConfigFault) as fault:
        parse(given)
    assert words in str(fault.value)


def test_two_people_cannot_share_an_identity() -> None:
    """One Slack id for two people could only be guessed at."""
    people = [{"id": p, "name": p, "identities": {"slack": "U1"}} for p in ("ana", "bo")]
    with pytest.raises(ConfigFault, match="ana and bo share the slack identity"):
        parse({"people": people})


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """The first mistake of every new user has its answer in the message."""
    with pytest.raises(ConfigFault, match="placet init"):
        load(tmp_path / "placet.yml")


def test_what_is_not_yaml_is_said_with_its_line(tmp_path: Path) -> None:
    """A tab or a stray bracket is found where it stands."""
    (tmp_path / "placet.yml").write_text("server:\n  port: [1\n")
    with pytest.raises(ConfigFault, match="line"):
        load(tmp_path / "placet.yml")
