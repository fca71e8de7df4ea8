"""`placet slack manifest`, and what `placet doctor` says of Slack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bot.cli.conftest import Placet, change

URL = "https://placet.example.com"
SECRETS = ("PLACET_SLACK_BOT_TOKEN", "PLACET_SLACK_SIGNING_SECRET", "PLACET_SLACK_APP_TOKEN")


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here reaches Slack."""
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def request_url(text: str) -> Any:
    """Where a manifest has Slack send clicks."""
    return yaml.safe_load(text)["settings"]["interactivity"].get("request_url")


def test_the_manifest_names_the_servers_address(placet: Placet, house: Path) -> None:
    """The one given, else that of the configuration; nothing but the manifest is on standard output."""
    change(house, server={"port": 0, "public_url": URL})
    assert request_url(placet("slack", "manifest", "--config", house).out) == f"{URL}/slack/events"
    given = placet("slack", "manifest", "--url", "https://other.example.com/", "--config", house)
    assert request_url(given.out) == "https://other.example.com/slack/events"


def test_a_socket_needs_no_address(placet: Placet, house: Path) -> None:
    """By the option, or because the configuration says so."""
    assert request_url(placet("slack", "manifest", "--socket", "--config", house).out) is None
    change(house, slack={"mode": "socket"})
    assert request_url(placet("slack", "manifest", "--config", house).out) is None


def test_as_json(placet: Placet, house: Path) -> None:
    """The same document."""
    as_yaml = placet("slack", "manifest", "--url", URL, "--config", house).out
    assert json.loads(placet("slack", "manifest", "--url", URL, "--json", "--config", house).out) == yaml.safe_load(
        as_yaml
    )


@pytest.mark.parametrize("args", [(), ("--url", "http://placet.example.com")])
def test_without_an_address_slack_can_call(placet: Placet, house: Path, args: tuple[str, ...]) -> None:
    """A sentence that names both ways on, exit code 1, and no half manifest."""
    ran = placet("slack", "manifest", *args, "--config", house)
    assert (ran.code, ran.out) == (1, "")
    assert "https" in ran.err
    assert "--socket" in ran.err


def test_before_there_is_a_configuration(placet: Placet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app may be made first; a configuration that was named must be there."""
    monkeypatch.chdir(tmp_path)
    assert placet("slack", "manifest", "--socket").code == 0
    assert "--url" in placet("slack", "manifest").err
    assert "is not there" in placet("slack", "manifest", "--socket", "--config", "other.yml").err


def test_the_room_is_in_the_list_of_commands(placet: Placet) -> None:
    """A surface that is installed is found, and a command that is not there is still none."""
    assert "slack" in placet("--help").out
    assert "manifest" in placet("slack", "--help").out
    assert placet("slakc").code == 2


# --- the doctor


def found(placet: Placet, config: Path, name: str) -> list[tuple[str, str]]:
    """State and words of the findings of this name."""
    findings = json.loads(placet("doctor", "--json", "--config", config).out)
    return [(each["state"], f"{each['text']} {each['fix']}") for each in findings if each["name"] == name]


def test_the_doctor_names_the_secret_that_is_missing(
    placet: Placet, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, in both modes."""
    change(house, slack={"mode": "socket"})
    ((state, words),) = found(placet, house, "slack secrets")
    assert (state, "PLACET_SLACK_BOT_TOKEN" in words) == ("bad", True)
    monkeypatch.setenv("PLACET_SLACK_BOT_TOKEN", "xoxb-made-up")
    ((state, words),) = found(placet, house, "slack secrets")
    assert (state, "PLACET_SLACK_APP_TOKEN" in words) == ("bad", True)


def test_a_typo_in_slacks_section_is_the_configurations(placet: Placet, house: Path) -> None:
    """A file with a fault is not said to be well, and no secret is blamed."""
    change(house, slack={"mode": "socket", "coments": "thread"})
    ((state, words),) = found(placet, house, "configuration")
    assert (state, "slack.coments" in words, "Write slack.comments." in words) == ("bad", True, True)
    assert found(placet, house, "slack secrets") == []
    assert found(placet, house, "slack configuration") == []


def test_the_doctor_says_that_slack_cannot_reach_us(placet: Placet, house: Path) -> None:
    """Over http without a public address no click ever comes; a socket needs none."""
    change(house, slack={})
    ((state, words),) = found(placet, house, "slack address")
    assert (state, "server.public_url" in words) == ("bad", True)
    change(house, slack={"mode": "socket"})
    assert found(placet, house, "slack address") == []
    change(house, slack={}, server={"port": 0, "public_url": URL})
    assert found(placet, house, "slack address") == []
