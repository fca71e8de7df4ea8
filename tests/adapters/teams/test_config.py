"""The section `teams:` and the secret in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.teams.config import TeamsMisconfigured, configure

APP, TENANT = "0B8F6F52-6F0E-4A56-8A43-5B0F7C1D2E02", "7f0c2a34-1b6d-4c55-9a3e-2f5d8e6b1c01"
SECTION = {"app_id": APP, "tenant_id": TENANT}
ENV = {"PLACET_TEAMS_APP_PASSWORD": "pass-1"}


def test_no_section_means_no_teams() -> None:
    """Nothing to warn of: it is simply not used."""
    assert configure({}, {}) is None
    assert configure({}, ENV) is None


def test_the_defaults() -> None:
    """The public cloud, one tenant; ids in lower case, as all that is compared with them."""
    found = configure(SECTION, ENV)
    assert found is not None
    config, secrets = found
    assert (config.app_id, config.tenant_id) == (APP.lower(), TENANT)
    assert (config.app_type, config.issuer) == ("SingleTenant", "https://api.botframework.com")
    assert secrets.app_password == "pass-1"
    assert not config.loopback


def test_the_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    """As container platforms hand them in."""
    file = tmp_path / "password"
    file.write_text("pass-2\n", encoding="utf-8")
    found = configure(SECTION, {"PLACET_TEAMS_APP_PASSWORD_FILE": str(file)})
    assert found is not None
    assert found[1].app_password == "pass-2"


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    """The sentence names what to look at."""
    with pytest.raises(TeamsMisconfigured, match="PLACET_TEAMS_APP_PASSWORD_FILE"):
        configure(SECTION, {"PLACET_TEAMS_APP_PASSWORD_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"app": "x"}, "teams.app:"),
        ({"app_id": "the bot"}, "teams.app_id: .*must be an id"),
        ({"tenant_id": None}, "teams.tenant_id"),
        ({"app_type": "MultiTenant"}, "teams.app_type"),
        ({"service_url": "http://teams.example.com/"}, "https"),
        ({"openid_url": "login.botframework.com"}, "web address"),
        ({"login_url": "http://login.example.com"}, "https"),
        ({"timeout": "10"}, "teams.timeout"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, Any], said: str) -> None:
    """And what is allowed."""
    with pytest.raises(TeamsMisconfigured, match=said) as told:
        configure(SECTION | change, ENV)
    assert "Allowed: app_id, tenant_id" in str(told.value)


def test_a_missing_id_is_named() -> None:
    """Half a section is no section."""
    with pytest.raises(TeamsMisconfigured, match=r"teams\.tenant_id"):
        configure({"app_id": APP}, ENV)


def test_a_bot_of_one_tenant_needs_its_secret() -> None:
    """A bot that could hear but not speak would look as if it worked."""
    with pytest.raises(TeamsMisconfigured, match="PLACET_TEAMS_APP_PASSWORD"):
        configure(SECTION, {"PLACET_TEAMS_APP_PASSWORD": " "})


def test_a_managed_identity_has_no_secret() -> None:
    """Azure's machine proves who it is."""
    found = configure(SECTION | {"app_type": "UserAssignedMSI"}, {})
    assert found is not None
    assert found[1].app_password == ""


def test_another_cloud_has_other_addresses() -> None:
    """All of them are settings."""
    there = {
        "service_url": "https://smba.infra.gov.teams.microsoft.us/teams/",
        "openid_url": "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
        "login_url": "https://login.microsoftonline.us",
        "issuer": "https://api.botframework.us",
        "scope": "https://api.botframework.us/.default",
    }
    found = configure(SECTION | there, ENV)
    assert found is not None
    assert found[0].model_dump().items() >= there.items()


def test_the_secret_does_not_print() -> None:
    """Not in a log, not in a traceback."""
    assert "pass-1" not in repr(configure(SECTION, ENV))
