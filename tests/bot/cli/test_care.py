"""`placet doctor`: each fault is found before it happens, with its fix; a fresh installation is well."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.lock import FileLock
from tests.bot.cli.conftest import ROOT, Placet, change


def _found(placet: Placet, config: Path, name: str, state: str) -> str:
    """The texts and fixes of the findings of this name and state, after one run of the doctor."""
    ran = placet("doctor", "--json", "--config", config)
    findings = json.loads(ran.out)
    assert ran.code == (1 if any(f["state"] == "bad" for f in findings) else 0)
    return "\n".join(f["text"] + " " + f["fix"] for f in findings if (f["name"], f["state"]) == (name, state))


def test_a_fresh_installation_has_nothing_to_mend(placet: Placet, house: Path) -> None:
    """And says so in words."""
    ran = placet("doctor", "--config", house)
    assert ran.code == 0, ran.out
    assert "0 to mend" in ran.out
    assert "there is one person" in ran.out


def test_no_configuration(placet: Placet, tmp_path: Path) -> None:
    """The other checks wait; the fix is named, and no line that is not there."""
    said = _found(placet, tmp_path / "none.yml", "configuration", "bad")
    assert "Run `placet init`" in said
    assert "Mend" not in said


def test_every_warning_has_a_way_out(placet: Placet, house: Path) -> None:
    """As every fault has."""
    change(house, callbacks={"allow": []})
    findings = json.loads(placet("doctor", "--json", "--config", house).out)
    assert [f for f in findings if f["state"] == "warn"]
    assert [f for f in findings if f["state"] != "ok" and not f["fix"]] == []


@pytest.mark.parametrize(
    ("sections", "name", "state", "says"),
    [
        ({"server": {"host": "0.0.0.0", "port": 0}}, "keys", "bad", "PLACET_DRAW_KEY"),  # noqa: S104 - the fault itself
        ({"server": {"host": "0.0.0.0", "port": 0}}, "public_url", "bad", "https"),  # noqa: S104 - as above
        ({"server": {"public_url": "http://placet.example.com", "port": 0}}, "public_url", "warn", "TLS"),
        ({"server": {"public_url": "https://placet.example.com/x", "port": 0}}, "public_url", "bad", "path"),
        ({"callbacks": {"allow": []}}, "callbacks", "warn", "127.0.0.1:8991"),
        ({"audit": {"retention_days": 400}}, "audit", "warn", "no effect yet"),
        ({"callbacks": {"allow": ["0.0.0.0/0"]}}, "callbacks", "bad", "every address"),
        ({"people": []}, "people", "bad", "nobody"),
        ({"people": [{"id": "me", "name": "Me", "roles": ["lead"]}]}, "people", "warn", "reviewer has nobody"),
        ({"people": [{"id": "me", "name": "Me", "roles": ["lead"]}]}, "people", "bad", "1 of reviewer"),
        ({"policy": "none.yml"}, "policy", "bad", "cannot be read"),
        ({"slack": {"mode": "http"}}, "slack secrets", "bad", "PLACET_SLACK_BOT_TOKEN"),
        ({"teams": {}}, "configuration", "bad", "teams.app_id"),
        ({"surfaces": {"discord": {}}}, "surfaces", "bad", "discord is configured, and no adapter"),
        ({"web": {"enabled": False}}, "surfaces", "bad", "nobody sees"),
        ({"gateways": {"sms": "NO_SUCH_VARIABLE"}}, "gateways", "bad", "sms: NO_SUCH_VARIABLE is not set"),
        ({"database": "memory://"}, "database", "warn", "forgets"),
        ({"database": "sqlite:///missing/placet.db"}, "database", "bad", "Create the folder"),
    ],
)
def test_each_fault_is_found_with_its_fix(
    placet: Placet,
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
    sections: dict[str, Any],
    name: str,
    state: str,
    says: str,
) -> None:
    """One thing wrong, one finding that names it."""
    for variable in ("PLACET_SLACK_BOT_TOKEN", "PLACET_SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    change(house, **sections)
    assert says in _found(placet, house, name, state)


def test_a_port_in_use(placet: Placet, house: Path) -> None:
    """Said before `serve` fails."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        change(house, server={"port": taken.getsockname()[1]})
        assert "cannot be listened on" in _found(placet, house, "port", "bad")


def test_a_database_somebody_holds(placet: Placet, house: Path) -> None:
    """By whom, as the lock says."""
    lock = FileLock(house.parent / "placet.db")
    lock.take()
    try:
        assert str(os.getpid()) in _found(placet, house, "database", "warn")
    finally:
        lock.release()


def test_secrets_others_can_read_and_a_clock_that_went_back(placet: Placet, house: Path) -> None:
    """Modes of keys and database; a database written in the future."""
    keys = house.parent / "keys"
    keys.mkdir(mode=0o700)
    (keys / "draw.key").write_text("x" * 40)
    (keys / "draw.key").chmod(0o644)
    assert placet("agent", "add", "a", "--config", house).code == 0
    database = house.parent / "placet.db"
    database.chmod(0o640)
    assert "draw.key" in _found(placet, house, "keys", "bad")
    assert f"chmod 600 {database}" in _found(placet, house, "database", "bad")
    os.utime(database, (time.time() + 3600, time.time() + 3600))
    assert "before the database's last write" in _found(placet, house, "clock", "bad")


def test_what_one_person_alone_cannot_do(placet: Placet, tmp_path: Path) -> None:
    """More slots than people, a rotation of one, a rung by a way that is not set up."""
    placet("init", "--yes", "--dir", tmp_path, "--policy", "it-operations", "--port", 0)
    config = tmp_path / "placet.yml"
    change(config, people=[person for person in yaml.safe_load(config.read_text())["people"] if person["id"] == "me"])
    assert "nobody fills two slots" in _found(placet, config, "people", "bad")
    assert "it-ops.primary: me now" in _found(placet, config, "rotations", "ok")
    assert "goes by sms, which is no gateway" in _found(placet, config, "policy", "warn")


@pytest.mark.slow
def test_a_foreign_package_in_the_way_is_named_at_start(tmp_path: Path) -> None:
    """A stranger's `adapters` before ours: a sentence that says where it is, and none of its code is run."""
    stranger = tmp_path / "adapters"
    stranger.mkdir()
    (stranger / "__init__.py").write_text("raise SystemExit('the stranger ran')\n")
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        cwd=tmp_path.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 1
    assert str(stranger) in ran.stderr
    assert "environment of its own" in ran.stderr
    assert "the stranger ran" not in ran.stderr


def test_looking_changes_nothing(placet: Placet, house: Path) -> None:
    """No database, lock or key appears because the doctor was there."""
    before = sorted(path.name for path in house.parent.rglob("*"))
    placet("doctor", "--config", house)
    assert sorted(path.name for path in house.parent.rglob("*")) == before


def test_nobody_who_may_stop_an_agent_is_told_where_there_is_one(placet: Placet, house: Path) -> None:
    """Not before; and not once a role somebody holds has the right."""
    assert _found(placet, house, "stop", "warn") == ""
    assert placet("agent", "add", "refund-desk", "--config", house).code == 0
    assert "no role has the right, so nobody can stop an agent" in _found(placet, house, "stop", "warn")
    roles = yaml.safe_load(house.read_text())["roles"]
    change(house, roles=roles | {"duty": {"level": 1, "may": ["stop"]}})
    assert "nobody holds duty, so nobody can stop" in _found(placet, house, "stop", "warn")
    first = next(iter(roles))
    change(house, roles=roles | {first: roles[first] | {"may": ["stop"]}})
    assert _found(placet, house, "stop", "warn") == ""


ON_CALL = """
policy: called
version: 1
chains:
  night: [{after: 0m, notify: 'oncall:ops.primary'}, {after: 30m, notify: 'role:lead', via: [dm]}]
rules:
  - {name: servers, when: 'action.name == "server.stop"', route: {tier: approve, role: lead, chain: night}}
default: {tier: approve, role: duty}
"""


def test_who_is_called_by_web_alone_is_named(placet: Placet, house: Path) -> None:
    """A rotation wherever its people have nothing else; a role only where people are reached by something else."""
    people = [{"id": id_, "name": id_.title(), "roles": ["duty", "lead"]} for id_ in ("ana", "bo")]
    turns = {"people": ["ana", "bo"]}
    roles = {"duty": {"level": 1}, "lead": {"level": 2}}
    (house.parent / "policy.yml").write_text(ON_CALL)
    change(house, people=people, roles=roles, rotations={"ops": {"primary": turns}})
    assert _found(placet, house, "calls", "warn").startswith("ops.primary is called by web alone while ana or bo is")
    assert "role" not in _found(placet, house, "calls", "warn").partition("on call")[0]
    people[0]["identities"] = {"slack": "U0ANA"}
    people[1]["identities"] = {"slack": "U0BO"}
    change(house, people=people, slack={})
    assert _found(placet, house, "calls", "warn") == ""
    alone = [person | {"identities": {}, "roles": ["lead"]} for person in people]
    people = [person | {"roles": ["duty"]} for person in people]
    alone = [person | {"id": person["id"] + "2"} for person in alone]
    change(house, people=people + alone)
    said = _found(placet, house, "calls", "warn")
    assert said.startswith("the role lead is called by web alone")
    assert "duty" not in said
    change(house, roles=roles | {"lead": {"level": 2, "channels": {"slack": "C0LEAD"}}})
    assert "the role lead" in _found(placet, house, "calls", "warn"), "its rung goes to them in person"
