"""The app package: Teams' own schemas take it, it says what the code answers, and its icons are the drawn ones."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapters.teams import package
from adapters.teams.config import TeamsMisconfigured
from bot import commands

ROOT = Path(__file__).resolve().parents[3]
#: Microsoft's own schemas, in the npm tools.
SCHEMAS = ROOT / "node_modules" / "@microsoft" / "app-manifest" / "build" / "json-schemas" / "teams"
APP = "11111111-2222-4333-8444-555555555555"
URL = "https://placet.example.com"
#: What the surface answers beside the commands of the house.
OWN = {"home", "ask", "bulk", "comment"}


def made() -> dict[str, Any]:
    return package.document(app_id=APP, url=f"{URL}/")


# --- what Teams takes


@pytest.mark.node
@pytest.mark.parametrize("version", ["1.25", "1.26", "1.27", "1.28", "1.29", "1.30"])
def test_microsofts_own_schemas_take_it(version: str) -> None:
    """The version it names, and every later one that is published; and each of them can refuse."""
    schema = json.loads((SCHEMAS / f"v{version}" / "MicrosoftTeams.schema.json").read_text("utf-8"))
    check = jsonschema_rs.Draft4Validator(schema)
    found = made() | {"manifestVersion": version}
    assert [fault.message for fault in check.iter_errors(found)] == []
    found["bots"][0]["scopes"] = ["channel"]
    assert list(check.iter_errors(found))
    assert list(check.iter_errors(made() | {"manifestVersion": version, "name": {"short": "x" * 31}}))


def test_the_schema_it_names_is_of_its_version() -> None:
    """Whoever raises the one raises the other."""
    found = made()
    assert f"/v{found['manifestVersion']}/" in found["$schema"]


def test_the_bot_and_the_address_are_those_given() -> None:
    """Nothing of the server made up is left; the app goes by the bot's id."""
    found = made()
    assert found["id"] == APP
    assert [part["botId"] for part in (*found["bots"], *found["composeExtensions"])] == [APP, APP]
    other = package.text(package.document(app_id=APP, url="https://review.example.org:8443"))
    assert "placet.example.com" not in other
    assert "00000000" not in other
    assert json.loads(other)["validDomains"] == ["review.example.org"]
    assert json.loads(other)["developer"]["websiteUrl"] == "https://review.example.org:8443"


def test_it_asks_for_no_messages_and_no_directory() -> None:
    """The bot hears what is said to it; it reads no channel and asks nothing of Graph."""
    found = made()
    assert found["permissions"] == ["identity", "messageTeamMembers"]
    assert {"authorization", "webApplicationInfo", "devicePermissions"} & found.keys() == set()


@pytest.mark.parametrize(
    "url", ["", "http://placet.example.com", "https://placet.example.com/teams", "https://", "placet.example.com"]
)
def test_an_address_teams_cannot_call(url: str) -> None:
    """Refused with the fix."""
    with pytest.raises(TeamsMisconfigured, match=r"https://placet\.example\.com"):
        package.document(app_id=APP, url=url)


def test_a_package_of_no_bot() -> None:
    """Refused with where the id is found."""
    with pytest.raises(TeamsMisconfigured, match=r"teams\.app_id.*client"):
        package.document(app_id="", url=URL)


# --- what the code answers


def offered(*scopes: str) -> Iterator[str]:
    (bot,) = made()["bots"]
    for part in bot["commandLists"]:
        if set(scopes) & set(part["scopes"]):
            yield from (command["title"] for command in part["commands"])


def test_every_command_that_is_offered_is_answered() -> None:
    """Those of the house, all of them, and the surface's own; Teams lists ten in a place, so not all in the chat."""
    house = {usage.partition(" ")[0] for usage, _ in commands._COMMANDS}
    assert set(offered("personal", "team", "groupChat")) - OWN == house
    assert house - set(offered("personal")) == {"agents", "stop", "resume"}
    assert "comment" in set(offered("team"))
    assert max(len(list(offered(scope))) for scope in ("personal", "team")) <= 10


def test_the_message_action_asks_us_for_its_form() -> None:
    """There is one, on messages; what it opens is drawn by us."""
    (extension,) = made()["composeExtensions"]
    (command,) = extension["commands"]
    assert (command["type"], command["context"], command["fetchTask"]) == ("action", ["message"], True)


# --- the zip


def test_the_package_holds_the_manifest_and_both_icons() -> None:
    """At its root, and nothing else; the same manifest gives the same bytes."""
    data = package.zipped(made())
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        assert held.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert {each.date_time[0] for each in held.infolist()} == {1980}
        assert json.loads(held.read("manifest.json")) == made()
        assert held.read("color.png") == (package.FOLDER / "color.png").read_bytes()
    assert set(made()["icons"].values()) == {"color.png", "outline.png"}
