"""The section `slack:` and the secrets in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.slack.config import SlackMisconfigured, configure

ENV = {"PLACET_SLACK_BOT_TOKEN": "xoxb-1", "PLACET_SLACK_SIGNING_SECRET": "sign"}


def test_no_token_means_no_slack() -> None:
    """Nothing to warn of: it is simply not used."""
    assert configure({}, {}) is None
    assert configure({"mode": "http"}, {"PLACET_SLACK_BOT_TOKEN": " "}) is None


def test_the_defaults() -> None:
    """Slack itself, over http."""
    found = configure({}, ENV)
    assert found is not None
    config, secrets = found
    assert (config.mode, config.api_url) == ("http", "https://slack.com/api/")
    assert (config.comments, config.team) == ("button", None)
    assert (secrets.bot_token, secrets.signing_secret) == ("xoxb-1", "sign")


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    """As container platforms hand them in."""
    file = tmp_path / "token"
    file.write_text("xoxb-2\n", encoding="utf-8")
    found = configure({}, {"PLACET_SLACK_BOT_TOKEN_FILE": str(file), "PLACET_SLACK_SIGNING_SECRET": "s"})
    assert found is not None
    assert found[1].bot_token == "xoxb-2"


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    """The sentence names what to look at."""
    with pytest.raises(SlackMisconfigured, match="PLACET_SLACK_BOT_TOKEN_FILE"):
        configure({}, {"PLACET_SLACK_BOT_TOKEN_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"mod": "http"}, "slack.mod"),
        ({"mode": "smoke"}, "slack.mode"),
        ({"api_url": "http://slack.example.com/api/"}, "https"),
        ({"api_url": "slack.com"}, "web address"),
        ({"timeout": "10"}, "slack.timeout"),
        ({"comments": "shout"}, "slack.comments"),
        ({"team": "acme"}, "slack.team"),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, Any], said: str) -> None:
    """Also where there is no token yet: the file is wrong either way."""
    with pytest.raises(SlackMisconfigured, match=said):
        configure(section, {})


@pytest.mark.parametrize(
    ("mode", "missing"), [("http", "PLACET_SLACK_SIGNING_SECRET"), ("socket", "PLACET_SLACK_APP_TOKEN")]
)
def test_each_mode_needs_its_secret(mode: str, missing: str) -> None:
    """A bot that could post but not hear would look as if it worked."""
    with pytest.raises(SlackMisconfigured, match=missing):
        configure({"mode": mode}, {"PLACET_SLACK_BOT_TOKEN": "xoxb-1"})


def test_secrets_do_not_print() -> None:
    """Not in a log, not in a traceback."""
    found = configure({}, ENV)
    assert "xoxb" not in repr(found)
    assert "sign'" not in repr(found)
