"""`placet teams manifest` and `package`, and what `placet doctor` says of Teams."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.bot.cli.conftest import Placet, change

URL = "https://placet.example.com"
APP, TENANT = "5b1c9d3e-7a42-4c1f-8e60-2f4b8a1d9c03", "c2f7e8a1-36b4-4d59-9b02-7d1e5f3a6c48"
TEAMS = {"app_id": APP, "tenant_id": TENANT}
SECRET = "PLACET_TEAMS_APP_PASSWORD"


@pytest.fixture(autouse=True)
def no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here reaches Microsoft."""
    for name in (SECRET, f"{SECRET}_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_the_manifest_names_the_bot_and_the_address(placet: Placet, house: Path) -> None:
    """As JSON, laid out for people or for programs; the address is the one given, else the configuration's."""
    change(house, teams=TEAMS, server={"port": 0, "public_url": URL})
    told = placet("teams", "manifest", "--config", house).out
    manifest = json.loads(told)
    assert (manifest["id"], manifest["validDomains"]) == (APP, ["placet.example.com"])
    assert yaml.safe_load(told) == manifest
    assert json.loads(placet("teams", "manifest", "--json", "--config", house).out) == manifest
    other = placet("teams", "manifest", "--url", "https://other.example.com/", "--config", house).out
    assert json.loads(other)["validDomains"] == ["other.example.com"]


def test_the_package_is_written_where_it_is_wanted(
    placet: Placet, house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here under its own name, or in the file that is named; it holds the manifest that is printed."""
    change(house, teams=TEAMS, server={"port": 0, "public_url": URL})
    monkeypatch.chdir(tmp_path)
    assert placet("teams", "package", "--config", house).last == "wrote placet-teams.zip"
    assert placet("teams", "package", "--out", "app.zip", "--config", house).last == "wrote app.zip"
    data = (tmp_path / "app.zip").read_bytes()
    assert data == (tmp_path / "placet-teams.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        assert held.read("manifest.json").decode() == placet("teams", "manifest", "--config", house).out


def test_a_package_that_cannot_be_written(placet: Placet, house: Path, tmp_path: Path) -> None:
    """A sentence with the way out."""
    change(house, teams=TEAMS)
    ran = placet("teams", "package", "--url", URL, "--out", tmp_path / "no" / "app.zip", "--config", house)
    assert (ran.code, "--out" in ran.err) == (1, True)


def test_a_surface_without_a_package(placet: Placet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what it takes instead, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    ran = placet("slack", "package")
    assert (ran.code, "placet slack manifest" in ran.err, list(tmp_path.glob("*.zip"))) == (1, True, [])


@pytest.mark.parametrize("command", ["manifest", "package"])
@pytest.mark.parametrize(
    ("section", "args", "says"),
    [
        (TEAMS, (), "server.public_url"),
        (TEAMS, ("--url", "http://placet.example.com"), "https"),
        ({"app_id": APP}, ("--url", URL), "teams.tenant_id"),
        (None, ("--url", URL), "teams.app_id"),
    ],
)
def test_without_an_address_or_a_bot(
    placet: Placet,
    house: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    section: dict[str, str] | None,
    args: tuple[str, ...],
    says: str,
) -> None:
    """A sentence with the fix, exit code 1, and no half manifest."""
    monkeypatch.chdir(tmp_path)
    if section is not None:
        change(house, teams=section)
    ran = placet("teams", command, *args, "--config", house)
    assert (ran.code, ran.out, list(tmp_path.glob("*.zip"))) == (1, "", [])
    assert says in ran.err


def test_teams_knows_no_socket(placet: Placet, house: Path) -> None:
    """Said, and not passed over."""
    change(house, teams=TEAMS)
    assert "no socket" in placet("teams", "manifest", "--url", URL, "--socket", "--config", house).err


def test_the_room_is_in_the_list_of_commands(placet: Placet) -> None:
    """With both of its commands."""
    assert "teams" in placet("--help").out
    said = placet("teams", "--help").out
    assert "manifest" in said
    assert "package" in said


# --- the doctor


def found(placet: Placet, config: Path, name: str) -> list[tuple[str, str]]:
    """State and words of the findings of this name."""
    findings = json.loads(placet("doctor", "--json", "--config", config).out)
    return [(each["state"], f"{each['text']} {each['fix']}") for each in findings if each["name"] == name]


def test_the_doctor_names_the_secret_that_is_missing(
    placet: Placet, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the slip that put its ID there."""
    change(house, teams=TEAMS)
    ((state, words),) = found(placet, house, "teams secrets")
    assert (state, SECRET in words) == ("bad", True)
    monkeypatch.setenv(SECRET, "0f3c1b9e-2b5b-4f3e-9a55-0d6c1a6f0001")
    ((state, words),) = found(placet, house, "teams secrets")
    assert (state, "not its value" in words) == ("bad", True)


def test_a_slip_in_teams_section_is_the_configurations(placet: Placet, house: Path) -> None:
    """A file with a fault is not said to be well, and no secret is blamed."""
    change(house, teams=TEAMS | {"app_type": "MultiTenant"}, server={"port": 0, "public_url": URL})
    ((state, words),) = found(placet, house, "configuration")
    assert (state, "teams.app_type" in words, "SingleTenant or UserAssignedMSI" in words) == ("bad", True, True)
    assert found(placet, house, "teams secrets") == []


def test_the_doctor_says_that_teams_cannot_reach_us(placet: Placet, house: Path) -> None:
    """Without a public https address no click ever comes."""
    change(house, teams=TEAMS)
    ((state, words),) = found(placet, house, "teams address")
    assert (state, "server.public_url" in words) == ("bad", True)
    change(house, teams=TEAMS, server={"port": 0, "public_url": URL})
    assert found(placet, house, "teams address") == []
