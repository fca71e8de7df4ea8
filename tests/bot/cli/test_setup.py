"""`placet init`: what it writes works at once, and nothing that is there is lost."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from bot.cli.starting import PLACEHOLDER
from bot.config import load
from bot.people import Directory
from policies.explain import run_tests
from policies.load import library_names
from policies.load import load as load_policy
from tests.bot.cli.conftest import Placet


@pytest.mark.parametrize("policy", ["starter", *library_names()])
def test_what_is_written_loads_with_every_name_known_and_its_tests_pass(
    placet: Placet, tmp_path: Path, policy: str
) -> None:
    """Whatever policy one begins with, its roles, people and rotations exist in the configuration beside it."""
    ran = placet("init", "--yes", "--dir", tmp_path, "--policy", policy)
    assert ran.code == 0
    assert "placet serve --config" in ran.out
    config = load(tmp_path / "placet.yml")
    rules = load_policy(tmp_path / config.policy, Directory(config).known)
    assert rules.tests
    assert all(result.passed for result in run_tests(rules))
    assert "keys/" in (tmp_path / ".gitignore").read_text()
    examined = placet("doctor", "--config", tmp_path / "placet.yml")
    assert examined.code == 0, examined.out
    filled = any(person.name == PLACEHOLDER for person in config.people)
    assert filled == (PLACEHOLDER in ran.out) == ("is nobody yet" in examined.out)
    assert filled or len(config.people) >= max(len(rule.route.needs) for rule in (*rules.rules, rules.default))


def test_a_second_person_is_named(placet: Placet, tmp_path: Path) -> None:
    """Where a policy asks for two; else nobody is made up, and nobody is asked for."""
    placet("init", "--yes", "--dir", tmp_path, "--policy", "it-operations", "--person", "ana", "--second", "bo")
    config = load(tmp_path / "placet.yml")
    assert [(person.id, person.name) for person in config.people] == [("ana", "Ana"), ("bo", "Bo")]
    assert "nobody yet" not in placet("doctor", "--config", tmp_path / "placet.yml").out
    asked = placet("init", "--dir", tmp_path / "asked", given="ana\nAna\n8123\nit-operations\nbo\n")
    assert "asks for two people" in asked.out
    assert [person.id for person in load(tmp_path / "asked" / "placet.yml").people] == ["ana", "bo"]
    placet("init", "--dir", tmp_path / "alone", given="ana\nAna\n8123\nstarter\n")
    assert [person.id for person in load(tmp_path / "alone" / "placet.yml").people] == ["ana"]


def test_what_is_there_is_not_overwritten(placet: Placet, house: Path) -> None:
    """A second init says what is there and changes nothing."""
    before = house.read_bytes()
    ran = placet("init", "--yes", "--dir", house.parent, "--person", "other")
    assert ran.code == 1
    assert "already" in ran.err
    assert house.read_bytes() == before


def test_without_yes_it_asks(placet: Placet, tmp_path: Path) -> None:
    """The answers end up in the file; a name may hold what YAML would read otherwise."""
    ran = placet("init", "--dir", tmp_path, given="ana\nAna: [Ruiz] #1\n8123\nthree-tier-fintech\n")
    assert ran.code == 0, ran.err
    config = load(tmp_path / "placet.yml")
    assert (config.server.port, config.people[0].id, config.people[0].name) == (8123, "ana", "Ana: [Ruiz] #1")
    assert "senior-reviewer" in config.roles


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--policy", "nope"), "three-tier-fintech"),
        (("--person", "Ana Ruiz"), "lower-case"),
        (("--second", "me"), "is you already"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_written(
    placet: Placet, tmp_path: Path, given: tuple[str, str], says: str
) -> None:
    """The sentence names what is allowed, and the folder stays empty."""
    ran = placet("init", "--yes", "--dir", tmp_path / "new", *given)
    assert ran.code == 1
    assert says in ran.err
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(placet: Placet, tmp_path: Path) -> None:
    """A file in the way of the folder."""
    (tmp_path / "file").write_text("")
    ran = placet("init", "--yes", "--dir", tmp_path / "file")
    assert ran.code == 1
    assert "cannot be written" in ran.err


def test_the_version_is_said(placet: Placet) -> None:
    """As the package says it."""
    ran = placet("--version")
    assert (ran.code, ran.out) == (0, f"placet {metadata.version('placet')}\n")
