"""People from a directory: who is matched, who must be settled by a person, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import Config, ConfigFault, load, parse
from bot.importing import CannotImport, Found, Row, as_yaml, gathered, match, write
from reviews.model import Object
from reviews.values import replace

CONFIG = parse(
    {
        "roles": {"manager": {}, "clerk": {}},
        "people": [
            {"id": "ana", "name": "Ana", "email": "Ana@Example.com", "identities": {"slack": "U1"}},
            {"id": "bo", "name": "Bo", "email": "bo@example.com", "roles": ["clerk"]},
            {"id": "cy", "name": "Cy", "email": "twins@example.com"},
            {"id": "di", "name": "Di", "email": "twins@example.com"},
            {"id": "eve", "name": "Eve", "identities": {"slack": "U5"}},
        ],
    }
)


def row(name: str, email: str = "", slack: str = "", **more: Any) -> Row:
    """Somebody of a Slack group."""
    identities = {"slack": slack} if slack else {}
    return Row(source="slack S1", where="slack S1", name=name, email=email, identities=identities, **more)


def found(*rows: Row, config: Config = CONFIG) -> Found:
    """What comes of rows."""
    return match(config, rows, ("clerk",))


def test_an_e_mail_that_is_one_persons_on_each_side_matches() -> None:
    """In any case; what is known already is not told again, and who is new gets an id of their own."""
    done = found(
        row("Ana R", "ana@example.COM", "U1"),
        row("Bo", "BO@example.com", "U2"),
        row("Bo Other", "bo@elsewhere.example", "U7"),
        row("Müller, J.", "j.müller@example.com", "U8"),
    )
    assert done.known == ({"id": "bo", "identities": {"slack": "U2"}},)
    assert done.new == (
        {
            "id": "bo-2",
            "name": "Bo Other",
            "email": "bo@elsewhere.example",
            "roles": ["clerk"],
            "identities": {"slack": "U7"},
        },
        {
            "id": "j.m-ller",
            "name": "Müller, J.",
            "email": "j.müller@example.com",
            "roles": ["clerk"],
            "identities": {"slack": "U8"},
        },
    )
    assert done.unsettled == ()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row("A", "new@example.com", "U7"), row("B", "NEW@example.com", "U8")], "2 have this e-mail there"),
        ([row("Twin", "twins@example.com", "U7")], "cy and di have this e-mail in placet.yml"),
        ([row("Nobody", "", "U7")], "no e-mail is known"),
        ([row("Gone", "bo@example.com", "U7", flaw="deactivated there")], "deactivated there"),
        ([row("Bot", "bo@example.com", "U7", flaw="a guest or a bot")], "a guest or a bot"),
        ([row("Bo", "bo@example.com", "U1")], "the identity is ana's, the e-mail bo's"),
        ([row("Bo", "other@example.com", "U1")], "the identity is ana's, whose e-mail is another"),
        ([row("Ana", "ana@example.com", "U9")], "ana is slack:U1 already"),
        ([row("Bo", "bo@example.com", id="cy")], "the e-mail is bo's, not cy's"),
        ([row("Cy", "cy@example.com", id="cy")], "cy is in placet.yml with another e-mail"),
        ([row("New", "new@example.com", roles=("king",))], "placet.yml has no role 'king'"),
    ],
)
def test_what_is_not_sure_is_left_to_a_person(rows: list[Row], why: str) -> None:
    """Nothing is guessed, and nothing comes of it."""
    done = found(*rows)
    assert len(done.unsettled) == len(rows)
    assert all(why in said for _, said in done.unsettled)
    assert (done.new, done.known) == ((), ())


def test_one_who_is_in_two_directories_is_one_person() -> None:
    """Once in each; twice in one of them, or with two ids, a person must say who is who."""
    there = Row(source="teams 19:x", where="teams 19:x", name="F", email="FAY@example.com", identities={"teams": "0a"})
    here = row("Fay", "fay@example.com", "U3")
    (fay,) = found(here, there).new
    assert (fay["id"], fay["identities"]) == ("fay", {"slack": "U3", "teams": "0a"})
    assert len(found(here, there, replace(here, identities={"slack": "U4"})).unsettled) == 3
    assert len(found(replace(here, id="fay"), replace(there, id="fae")).unsettled) == 2


def test_one_who_is_known_by_identity_needs_no_e_mail() -> None:
    """What the directory knows of them is told."""
    done = found(row("Eve", "eve@example.com", "U5"), row("Ana", "", "U1"))
    assert done.known == ({"id": "eve", "email": "eve@example.com"},)
    assert done.unsettled == ()


def test_a_table(tmp_path: Path) -> None:
    """Its columns in any order; what it lacks is lacking."""
    table = tmp_path / "people.csv"
    table.write_text(
        "email,name,roles,phone,teams,id\n"
        'fay@example.com,"Osei, Fay",manager clerk,+34 600,0A-B,fay\n'
        "bo@example.com,Bo,,+1 2,,\n",
        "utf-8",
    )
    done = match(CONFIG, gathered(CONFIG, {}, table))
    assert done.new == (
        {
            "id": "fay",
            "name": "Osei, Fay",
            "email": "fay@example.com",
            "phone": "+34 600",
            "roles": ["manager", "clerk"],
            "identities": {"teams": "0a-b"},
        },
    )
    assert done.known == ({"id": "bo", "phone": "+1 2"},)


def test_what_somebody_wrote_of_themselves_stays_on_its_line(tmp_path: Path) -> None:
    """In a list for a terminal it neither begins lines nor sends commands, and in placet.yml it is one entry."""
    table = tmp_path / "people.csv"
    table.write_text('email,name\nfay@example.com,"Fay\t\x1b[2J\u202e: {a: b}"\n', "utf-8")
    (fay,) = match(CONFIG, gathered(CONFIG, {}, table)).new
    assert fay["name"] == "Fay \ufffd[2J\ufffd: {a: b}"
    assert yaml.safe_load(as_yaml([fay])) == [fay]


@pytest.mark.parametrize(
    ("text", "why"), [("", "is empty"), ("name,salary\nBo,1\n", "a column 'salary'"), (None, "cannot be read")]
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str | None, why: str) -> None:
    """With what its first line should be."""
    table = tmp_path / "people.csv"
    if text is not None:
        table.write_text(text, "utf-8")
    with pytest.raises(CannotImport, match=why):
        gathered(CONFIG, {}, table)


# --- writing

FAY: Object = {"id": "fay", "name": 'Fay: "the" #1', "email": "fay@example.com"}
FLOW = """\
# The house.
people:
  # who decides
  - {id: ana, name: Ana}   # the first
  - {id: bo, name: Bo}

# A higher level is more senior.
roles: {manager: {}}
"""
BLOCK = """\
roles:
  manager: {}
people:
- id: ana
  name: Ana
  identities:
    slack: U1   # hers
- id: bo
  name: Bo"""


@pytest.mark.parametrize("text", [FLOW, BLOCK, BLOCK + "\n\n# the end\n", "roles: {manager: {}}\n"])
def test_new_people_are_added_and_all_else_stays(tmp_path: Path, text: str) -> None:
    """Comments too; the file as it was is beside it; and names that look like YAML are names."""
    file = tmp_path / "placet.yml"
    file.write_text(text, "utf-8")
    before = load(file)
    write(file, [FAY, {"id": "gil", "name": "yes"}])
    after = load(file)
    assert after.people[: len(before.people)] == before.people
    assert [(p.id, p.name) for p in after.people[len(before.people) :]] == [("fay", 'Fay: "the" #1'), ("gil", "yes")]
    assert after.model_copy(update={"people": before.people}) == before
    written = file.read_text("utf-8").splitlines()
    assert [line for line in written if line in text.splitlines()] == text.splitlines()
    assert (tmp_path / "placet.yml.bak").read_text("utf-8") == text


@pytest.mark.parametrize(
    ("text", "entry", "fault"),
    [
        ("people: [{id: ana, name: Ana}]\n", FAY, CannotImport),
        ("people: []\n", FAY, CannotImport),
        (FLOW, {"id": "ana", "name": "Another"}, ConfigFault),
        (FLOW, {"id": "fay", "name": "Fay", "roles": ["king"]}, ConfigFault),
    ],
)
def test_what_would_not_load_is_not_written(tmp_path: Path, text: str, entry: Object, fault: type[Exception]) -> None:
    """The file is as it was, and there is no other."""
    file = tmp_path / "placet.yml"
    file.write_text(text, "utf-8")
    with pytest.raises(fault):
        write(file, [entry])
    assert file.read_text("utf-8") == text
    assert [each.name for each in tmp_path.iterdir()] == ["placet.yml"]


def test_what_is_printed_reads_as_what_was_meant() -> None:
    """So that it can be pasted."""
    assert yaml.safe_load(f"people:\n{as_yaml([FAY])}") == {"people": [FAY]}


@pytest.mark.parametrize(
    ("entry", "after"),
    [
        (
            "  - {id: ana, name: Ana, roles: [clerk]}  # first",
            "  - {id: ana, identities: {slack: U1}, phone: '+34600', name: Ana, roles: [clerk, manager]}  # first",
        ),
        (
            "  - id: ana  # first\n    name: Ana\n    roles: [clerk]",
            "  - id: ana  # first\n    identities: {slack: U1}\n    phone: '+34600'\n    name: Ana\n"
            "    roles: [clerk, manager]",
        ),
    ],
)
def test_people_known_are_changed_where_they_stand(tmp_path: Path, entry: str, after: str) -> None:
    """A value there is replaced, others follow the id; comments and everybody else stay."""
    path = tmp_path / "placet.yml"
    text = f"# ours\nroles: {{manager: {{}}, clerk: {{}}}}\npeople:\n{entry}\n  - {{id: bo, name: Bo}}\n"
    path.write_text(text, "utf-8")
    more = {"id": "ana", "identities": {"slack": "U1"}, "phone": "+34600", "roles": ["clerk", "manager"]}
    write(path, [{"id": "cy", "name": "Cy"}], [more])
    assert path.read_text("utf-8") == text.replace(entry, after) + "  - {id: cy, name: Cy}\n"
    assert (tmp_path / "placet.yml.bak").read_text("utf-8") == text
    ana = load(path).people[0]
    assert (ana.identities, list(ana.roles), ana.phone) == ({"slack": "U1"}, ["clerk", "manager"], "+34600")


def test_an_identity_joins_those_there_are(tmp_path: Path) -> None:
    """What they have is never taken away; what lies over several lines is left to a person."""
    path = tmp_path / "placet.yml"
    path.write_text("people:\n  - {id: ana, name: Ana, roles: [], identities: {slack: U1}}\n", "utf-8")
    write(path, [], [{"id": "ana", "identities": {"teams": "t-1"}}])
    assert load(path).people[0].identities == {"slack": "U1", "teams": "t-1"}
    text = "people:\n  - id: ana\n    name: Ana\n    identities:\n      slack: U1\n      teams: t-2\n"
    path.write_text(text, "utf-8")
    with pytest.raises(CannotImport, match="several lines"):
        write(path, [], [{"id": "ana", "identities": {"teams": "t-1"}}])
    assert path.read_text("utf-8") == text
