"""`placet people`: whom a directory adds, what is amiss, who somebody is, who is away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.port import Member
from bot import importing
from bot.cli import checks_house
from bot.config import load
from reviews.errors import SurfaceRefused
from reviews.model import Object
from tests.bot.cli.conftest import Placet, change

PEOPLE: list[Object] = [
    {"id": "me", "name": "Me Myself", "roles": ["reviewer"], "email": "me@example.com", "deputy": "bo"},
    {"id": "bo", "name": "Bo Chen", "roles": ["reviewer"], "identities": {"slack": "U2"}},
]
GROUP = [
    Member(id="U1", name="Me", email="ME@example.com"),
    Member(id="U3", name="Fay Osei", email="fay@example.com"),
    Member(id="U4", name="Gone", email="gone@example.com", active=False),
    Member(id="U5", name="App", guest=True),
]


class Groups:
    """The tools of a chat that has one group."""

    async def members(self, config: Mapping[str, Any], env: Mapping[str, str], *, group: str) -> Sequence[Member]:
        """Who is in it."""
        if group != "S1":
            raise SurfaceRefused(f"There is no group {group}.")
        return GROUP


@pytest.fixture
def config(house: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with Slack, whose directory has a group."""
    change(house, people=PEOPLE, slack={})
    for module in (importing, checks_house):
        monkeypatch.setattr(module, "tools_of", lambda name: Groups() if name == "slack" else None)
    return house


def test_a_group_is_matched_printed_and_the_unsure_left(placet: Placet, config: Path) -> None:
    """Exit code 3: somebody is left to be settled; nothing is written unless asked for."""
    before = config.read_bytes()
    ran = placet("people", "import", "--slack", "S1", "--config", config)
    assert ran.code == 3
    assert "- {id: fay, name: Fay Osei, email: fay@example.com, identities: {slack: U3}}" in ran.out
    assert "- {id: me, identities: {slack: U1}}" in ran.out
    assert "deactivated there" in ran.out
    assert "a guest or a bot" in ran.out
    assert config.read_bytes() == before


def test_new_people_are_written(placet: Placet, config: Path) -> None:
    """With the role they are to have; run again, they are known."""
    ran = placet("people", "import", "--slack", "S1", "--role", "reviewer", "--write", "--json", "--config", config)
    found = json.loads(ran.out)
    assert (ran.code, found["written"], [each["id"] for each in found["new"]]) == (3, True, ["fay"])
    assert [(person.id, person.roles) for person in load(config).people][2:] == [("fay", ("reviewer",))]
    again = placet("people", "import", "--slack", "S1", "--json", "--config", config)
    assert json.loads(again.out)["new"] == []


def test_people_known_are_changed_only_when_asked(placet: Placet, config: Path) -> None:
    """Printed at first, and left alone by --write; with --update they get what was printed, and nothing is left."""
    known = ("people", "import", "--slack", "S1", "--config", config)
    placet(*known, "--write")
    assert load(config).people[0].identities.get("slack") is None
    assert "--write --update" in placet(*known).out
    assert placet(*known, "--update").code == 2
    ran = placet(*known, "--write", "--update")
    assert "Known already, and changed" in ran.out
    assert {person.id: person.identities.get("slack") for person in load(config).people}["me"] == "U1"
    assert json.loads(placet(*known, "--json").out)["known"] == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "--slack GROUP, --teams ROOM or --csv FILE"),
        (("--slack", "S9"), "There is no group S9"),
        (("--teams", "19:x"), "Teams has no groups that can be read"),
        (("--csv", "nowhere.csv"), "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(placet: Placet, config: Path, options: tuple[str, ...], why: str) -> None:
    """And exit code 1."""
    ran = placet("people", "import", *options, "--config", config)
    assert ran.code == 1
    assert why in ran.err


def test_check_reads_groups_and_says_who_is_a_stranger(placet: Placet, config: Path) -> None:
    """A group that cannot be read is to be mended; nobody by a group is no fault of a role."""
    change(config, roles={"lead": {"level": 2}, "reviewer": {"members": {"slack": "S1"}}})
    ran = placet("people", "check", "--config", config)
    assert "0 of Slack group S1 hold it" in ran.out
    assert "not in placet.yml: Me, Fay Osei, App" in ran.out
    change(config, roles={"lead": {"level": 2}, "reviewer": {"members": {"slack": "S9"}}})
    ran = placet("people", "check", "--json", "--config", config)
    assert ran.code == 1
    assert {"groups", "people"} >= {finding["name"] for finding in json.loads(ran.out)}


@pytest.mark.parametrize("word", ["me", "ME@example.com", "myself", "slack:u2", "U2", "bo"])
def test_whois_finds_by_whatever_is_known(placet: Placet, config: Path, word: str) -> None:
    """Id, e-mail, part of a name, identity."""
    (found,) = json.loads(placet("people", "whois", word, "--json", "--config", config).out)
    assert found["id"] == ("bo" if word in ("slack:u2", "U2", "bo") else "me")
    assert found["roles"] == [{"role": "reviewer", "source": "placet.yml"}]


def test_whois_tells_what_the_house_knows(placet: Placet, config: Path) -> None:
    """And exit code 1 for nobody."""
    told = placet("people", "whois", "bo", "--config", config).out
    assert "slack:U2" in told
    assert "reviewer (placet.yml)" in told
    nobody = placet("people", "whois", "zed", "--config", config)
    assert (nobody.code, nobody.out.strip()) == (1, "Nobody in placet.yml is zed.")


def test_away_and_back(placet: Placet, config: Path) -> None:
    """Calls go to the deputy meanwhile; the log says that the operator said so."""
    ran = placet("people", "away", "me", "--until", "2d", "--config", config)
    assert ran.code == 0, ran.err
    assert "bo is called instead" in ran.out
    (found,) = json.loads(placet("people", "whois", "me", "--json", "--config", config).out)
    assert found["away_until"]
    assert "Me Myself is back." in placet("people", "away", "me", "--back", "--config", config).out
    (found,) = json.loads(placet("people", "whois", "me", "--json", "--config", config).out)
    assert found["away_until"] is None


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (("zed", "--until", "2d"), 1, "There is nobody 'zed'"),
        (("me", "--until", "soonish"), 1, "says no time"),
        (("me",), 2, "--until WHEN, or --back"),
        (("me", "--until", "2d", "--back"), 2, "--until WHEN, or --back"),
    ],
)
def test_an_away_that_is_unclear_is_refused(
    placet: Placet, config: Path, options: tuple[str, ...], code: int, why: str
) -> None:
    """With what may be written."""
    ran = placet("people", "away", *options, "--config", config)
    assert ran.code == code
    assert why in ran.err


def test_the_doctor_says_that_no_change_of_the_policy_could_be_approved(placet: Placet, house: Path) -> None:
    """Where two people have to, and one is there."""
    change(house, policy_changes="reviewed", people=[PEOPLE[0], {"id": "bo", "name": "Bo"}])
    findings = json.loads(placet("doctor", "--json", "--config", house).out)
    (found,) = [each for each in findings if "A change of the policy" in each["text"]]
    assert (found["state"], "2 of reviewer (there are 1)" in found["text"]) == ("bad", True)
