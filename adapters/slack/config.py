"""What the operator says about Slack: the `slack:` section of placet.yml, and the secrets in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from adapters.settings import loopback, secret
from reviews.errors import PlacetError

BOT_TOKEN = "PLACET_SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable
SIGNING_SECRET = "PLACET_SLACK_SIGNING_SECRET"  # noqa: S105 - the name of a variable
APP_TOKEN = "PLACET_SLACK_APP_TOKEN"  # noqa: S105 - the name of a variable


class SlackMisconfigured(PlacetError):
    """Slack is not set up in full. The text names the setting and the fix."""


class SlackConfig(BaseModel):
    """The `slack:` section.

    `mode`: `http` (Slack calls our public URL) or `socket` (we call Slack; for trying it out). `comments`: `button`, or
    `thread` where a reply beneath a card is a comment too (needs the message events of the manifest). `team` is the
    workspace people are let in from; without it, the bot token's. `api_url` is the root of the Web API, changed for
    tests only. `timeout` is seconds a call to Slack may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mode: Literal["http", "socket"] = "http"
    comments: Literal["button", "thread"] = "button"
    team: str | None = Field(default=None, pattern=r"^[TE][A-Z0-9]{2,}$")
    api_url: str = "https://slack.com/api/"
    timeout: float = Field(default=10.0, gt=0, le=60)

    @field_validator("api_url")
    @classmethod
    def _root(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a web address like https://slack.com/api/")
        if parts.scheme == "http" and not loopback(url):
            raise ValueError("must be https: the bot token travels with every call")
        return url if url.endswith("/") else url + "/"

    @property
    def loopback(self) -> bool:
        """Whether the Web API lies on this machine, as it does in tests."""
        return loopback(self.api_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Slack's secrets; never shown. `app_token` is needed in socket mode, `signing_secret` in http mode."""

    bot_token: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)


def configure(section: Mapping[str, Any], env: Mapping[str, str]) -> tuple[SlackConfig, Secrets] | None:
    """Read the section and the secrets. None: there is no bot token, so Slack is off.

    Raises SlackMisconfigured when something is set but not usable.
    """
    config = _section(section)
    token = secret(env, BOT_TOKEN, SlackMisconfigured)
    if not token:
        return None
    secrets = Secrets(
        bot_token=token,
        signing_secret=secret(env, SIGNING_SECRET, SlackMisconfigured),
        app_token=secret(env, APP_TOKEN, SlackMisconfigured),
    )
    _demand(config.mode != "http" or secrets.signing_secret, SIGNING_SECRET, "http", "Basic Information")
    _demand(config.mode != "socket" or secrets.app_token, APP_TOKEN, "socket", "Basic Information > App-Level Tokens")
    return config, secrets


def _section(section: Mapping[str, Any]) -> SlackConfig:
    try:
        return SlackConfig.model_validate(dict(section))
    except ValidationError as fault:
        lines = (f"slack.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors(include_input=False))
        raise SlackMisconfigured(f"placet.yml: {'; '.join(lines)}. Allowed: {_allowed()}.") from None


def _allowed() -> str:
    return ", ".join(SlackConfig.model_fields)


def _demand(there: object, name: str, mode: str, where: str) -> None:
    if not there:
        raise SlackMisconfigured(
            f"Slack in mode {mode} needs {name} (or {name}_FILE): copy it from your Slack app's page, {where}."
        )
