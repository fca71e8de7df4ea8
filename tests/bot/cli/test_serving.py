"""`placet serve` in a process of its own: the first review from `init` to its end, signals, refusals to start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bot.cli.conftest import ROOT, Placet, change, serving

pytestmark = pytest.mark.slow


def _call(url: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What an agent's call is answered."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - our own server's address
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - as above
        found: dict[str, Any] = json.loads(answer.read())
    return found


def _ask(url: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    return _call(f"{url}/v1/reviews", key, body)


def _refund(amount: float) -> dict[str, Any]:
    arguments = {"order": "A-1", "amount": amount, "iban": "DE89370400440532013000"}
    return {"action": {"name": "refund.issue", "arguments": arguments}, "summary": "Refund [bold]A-1[/bold]"}


def test_the_first_review_from_init_to_its_end(placet: Placet, house: Path) -> None:
    """init → serve → agent add → ask → inbox → edit, approve, reject; commands write through the running server."""
    with serving(house) as server:
        assert f"placet link me --config {house}" in server.greeting
        key = placet("agent", "add", "refunds", "--config", house).last
        me = ("--token", placet("token", "me", "--config", house).last, "--server", server.url, "--config", house)
        edited, approved, rejected = (_ask(server.url, key, _refund(amount))["id"] for amount in (180, 90, 70))

        listed = placet("inbox", *me)
        assert listed.code == 0, listed.err
        assert {i["id"] for i in json.loads(placet("inbox", "--json", *me).out)} == {edited, approved, rejected}
        assert "[bold]A-1[/bold]" in listed.out  # an agent's text is never markup
        shown = placet("show", edited, *me)
        assert "order: A-1" in shown.out
        assert "DE89370400440532013000" not in shown.out

        assert placet("edit", edited, "--set", "amount=120.5", *me).out.strip() == f"{edited}: approved, revision 2."
        assert placet("approve", approved, "--reason", "fine", *me).out.strip() == f"{approved}: approved, revision 1."
        assert "rejected" in placet("reject", rejected, "--reason", "duplicate", *me).out
        late = placet("approve", rejected, *me)
        assert late.code == 1
        assert "Rejected by Me" in late.err

        review = _call(f"{server.url}/v1/reviews/{edited}", key)
        assert review["decision"]["action"]["arguments"] == {
            "order": "A-1",
            "amount": 120.5,
            "iban": "DE89370400440532013000",
        }
        stats = json.loads(placet("stats", "--json", "--config", house).out)
        assert [(line["rule"], line["asked"], line["approved"]) for line in stats] == [("a refund", 3, 2)]


def test_votes_that_cannot_be_taken_are_sentences(placet: Placet, house: Path) -> None:
    """A bad token, a review that is not there, an old revision, a bad value, nothing to change."""
    with serving(house) as server:
        key = placet("agent", "add", "refunds", "--config", house).last
        token = placet("token", "me", "--config", house).last
        where = ("--server", server.url, "--config", house)
        me = ("--token", token, *where)
        review = _ask(server.url, key, _refund(180))["id"]
        for args, says in (
            (("inbox", "--token", "plr_wrong", *where), "placet token"),
            (("approve", "rev_none", *me), "no such review"),
            (("approve", review, "--revision", "7", *me), ""),
        ):
            ran = placet(*args)
            assert (ran.code, says in ran.err) == (1, True), ran.err
        for args in (("edit", review), ("edit", review, "--set", "amount"), ("inbox", "--view", "every")):
            assert placet(*args, *me).code == 2
        assert json.loads(placet("show", review, "--json", *me).out)["status"] == "pending"
    ran = placet("inbox", *me)
    assert ran.code == 1
    assert "placet serve" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(house: Path, number: signal.Signals) -> None:
    """Exit code 0, within seconds, and neither socket nor lock stays held."""
    with serving(house) as server:
        server.process.send_signal(number)
        _, log = server.process.communicate(timeout=15)
        assert server.process.returncode == 0
        assert '"event": "stopped"' in log
    assert not (house.parent / "placet.db.sock").exists()


def test_sighup_loads_the_policy_anew_or_keeps_the_old_one(placet: Placet, house: Path) -> None:
    """A new version holds from then on; one that does not load changes nothing and is said."""
    policy = house.parent / "policy.yml"
    with serving(house) as server:
        key = placet("agent", "add", "refunds", "--config", house).last
        policy.write_text(policy.read_text().replace("version: 1", "version: 2"))
        server.process.send_signal(signal.SIGHUP)
        assert "starter@2" in server.heard('"event": "reloaded"')
        policy.write_text("policy: [")
        server.process.send_signal(signal.SIGHUP)
        assert "policy.yml:1" in server.heard("policy_not_loaded")
        assert _ask(server.url, key, _refund(180))["policy"].startswith("starter@2")


def test_sighup_takes_over_the_people_of_placet_yml(placet: Placet, house: Path) -> None:
    """Whoever is added is known at once; a file that does not load changes nothing and is said."""
    with serving(house) as server:
        people = yaml.safe_load(house.read_text("utf-8"))["people"]
        change(house, people=[*people, {"id": "fay", "name": "Fay Osei", "roles": ["reviewer"]}])
        server.process.send_signal(signal.SIGHUP)
        server.heard('"event": "reloaded"')
        assert "reviewer (placet.yml)" in placet("people", "whois", "fay", "--config", house).out
        before = house.read_text("utf-8")
        house.write_text("people: [", "utf-8")
        server.process.send_signal(signal.SIGHUP)
        assert "is not YAML" in server.heard("config_not_loaded")
        house.write_text(before, "utf-8")
        assert "Fay Osei" in placet("people", "whois", "fay", "--config", house).out


def test_what_keeps_it_from_starting_is_a_sentence(placet: Placet, house: Path) -> None:
    """A second server on one file, a policy that does not load, an address that needs a key, a port in use."""
    with serving(house):
        ran = _serve(house)
        assert ran.returncode == 1
        assert "open in another Placet" in ran.stderr
        assert "waiting_for_database" not in ran.stderr  # a server does not let go
    (house.parent / "keys" / "draw.key").unlink()
    for sections, says in (
        ({"server": {"host": "0.0.0.0", "port": 0}}, "PLACET_DRAW_KEY"),  # noqa: S104 - what is refused
        ({"server": {"host": "127.0.0.1", "port": 0}, "policy": "none.yml"}, "none.yml:1"),
    ):
        change(house, **sections)
        ran = _serve(house)
        assert ran.returncode == 1
        assert says in ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_path_too_long_for_a_socket_is_a_sentence(placet: Placet, tmp_path: Path) -> None:
    """The control socket lies beside the database, and its path has a limit of its own (unix(7))."""
    folder = tmp_path / ("long" * 30)
    assert placet("init", "--yes", "--dir", folder, "--port", 0).code == 0
    looked = placet("doctor", "--config", folder / "placet.yml")
    assert looked.code == 1
    assert "too long for the control socket" in looked.out
    ran = _serve(folder / "placet.yml")
    assert ran.returncode == 1
    assert "the path of a socket" in ran.stderr
    assert "Traceback" not in ran.stderr


def _serve(house: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLACET_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", "serve", "--config", str(house)],
        env=env | {"PYTHONPATH": str(ROOT)},
        cwd=house.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
