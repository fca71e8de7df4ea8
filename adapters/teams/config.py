"""What the operator says about Teams: the `teams:` section of placet.yml, and the secret in the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from adapters.settings import loopback, secret
from reviews.errors import PlacetError

APP_PASSWORD = "PLACET_TEAMS_APP_PASSWORD"  # noqa: S105 - the name of a variable


class TeamsMisconfigured(PlacetError):
    """Teams is not set up in full. The text names the setting and the fix."""


def _guid(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ValueError("must be an id like 0b8f6f52-6f0e-4a56-8a43-5b0f7c1d2e02, from the app's overview in Azure")
    return text.lower()


#: An id of Entra's, compared in lower case everywhere.
Guid = Annotated[str, AfterValidator(_guid)]


class TeamsConfig(BaseModel):
    """The `teams:` section.

    `app_id` and `tenant_id` are the bot's Application (client) ID and Directory (tenant) ID. `app_type` is its kind in
    Azure: `SingleTenant` has a client secret, `UserAssignedMSI` a managed identity; bots of many tenants can no longer
    be made. `service_url` is where Teams is called until it has called us, the root all addresses of Teams must share
    until then. The other addresses, `issuer` and `scope` are changed for a sovereign cloud or in tests only.
    `timeout` is seconds a call to Teams may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    app_id: Guid
    tenant_id: Guid
    app_type: Literal["SingleTenant", "UserAssignedMSI"] = "SingleTenant"
    service_url: str = "https://smba.trafficmanager.net/teams/"
    openid_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    login_url: str = "https://login.microsoftonline.com"
    issuer: str = "https://api.botframework.com"
    scope: str = "https://api.botframework.com/.default"
    timeout: float = Field(default=10.0, gt=0, le=60)

    @field_validator("service_url", "openid_url", "login_url")
    @classmethod
    def _web(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a web address like https://smba.trafficmanager.net/teams/")
        if parts.scheme == "http" and not loopback(url):
            raise ValueError("must be https: what lets the bot in travels there")
        return url

    @property
    def loopback(self) -> bool:
        """Whether Teams lies on this machine, as it does in tests."""
        return loopback(self.service_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The bot's client secret; never shown. Empty with a managed identity."""

    app_password: str = field(default="", repr=False)


def configure(section: Mapping[str, Any], env: Mapping[str, str]) -> tuple[TeamsConfig, Secrets] | None:
    """Read the section and the secret. None: there is no section, so Teams is off.

    Raises TeamsMisconfigured when something is set but not usable.
    """
    password = secret(env, APP_PASSWORD, TeamsMisconfigured)
    if not section:
        return None
    config = _section(section)
    if config.app_type == "SingleTenant" and not password:
        raise TeamsMisconfigured(
            f"Teams needs {APP_PASSWORD} (or {APP_PASSWORD}_FILE): the value of a client secret of the app "
            f"{config.app_id}, made in Azure at App registrations > Certificates & secrets. "
            "A bot with a managed identity has none: write `app_type: UserAssignedMSI`."
        )
    return config, Secrets(app_password=password)


def _section(section: Mapping[str, Any]) -> TeamsConfig:
    try:
        return TeamsConfig.model_validate(dict(section))
    except ValidationError as fault:
        lines = (f"teams.{'.'.join(map(str, e['loc']))}: {_said(e)}" for e in fault.errors(include_input=False))
        raise TeamsMisconfigured(
            f"placet.yml: {'; '.join(lines)}. Allowed: {_allowed()}. `placet doctor` says the fix of each."
        ) from None


def _said(error: Mapping[str, Any]) -> str:
    """What is wrong with a key, in our words where pydantic's are of its own."""
    words = {"missing": "not set", "extra_forbidden": "no such key"}
    return words.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def _allowed() -> str:
    return ", ".join(TeamsConfig.model_fields)
