"""`placet agent`, `token`, `link` without a server: secrets once and last, refusals as sentences."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.lock import FileLock
from tests.bot.cli.conftest import Placet


def _kept(config: Path) -> bytes:
    return b"".join(path.read_bytes() for path in config.parent.glob("placet.db*"))


def test_an_agents_key_is_the_last_line_and_is_not_kept(placet: Placet, house: Path) -> None:
    """`whsec_…` labelled, then `plk_…` alone; the database holds the key's hash only."""
    ran = placet("agent", "add", "refunds", "--owner", "me", "--rate", "5", "--config", house)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[-1].startswith("plk_")
    assert any(line.startswith("callback secret: whsec_") for line in lines)
    assert ran.out.count("plk_") == 1
    assert lines[-1].encode() not in _kept(house)
    again = placet("agent", "list", "--config", house)
    assert "refunds" in again.out
    assert "plk_" not in again.out + again.err
    assert "whsec_" not in again.out + again.err


def test_json_gives_both_secrets(placet: Placet, house: Path) -> None:
    """One object for programs."""
    made = json.loads(placet("agent", "add", "refunds", "--json", "--config", house).out)
    assert made["agent"] == "refunds"
    assert made["key"].startswith("plk_")
    assert made["secret"].startswith("whsec_")


def test_a_name_in_use_is_refused_until_it_is_revoked(placet: Placet, house: Path) -> None:
    """Exit code 1 and the way out; after revoking, the name is free."""
    placet("agent", "add", "refunds", "--config", house)
    twice = placet("agent", "add", "refunds", "--config", house)
    assert twice.code == 1
    assert "revoke" in twice.err
    assert placet("agent", "revoke", "refunds", "--config", house).code == 0
    assert json.loads(placet("agent", "list", "--json", "--config", house).out)[0]["revoked"] is True
    assert placet("agent", "add", "refunds", "--config", house).code == 0


def test_an_agent_is_stopped_without_a_server(placet: Placet, house: Path) -> None:
    """Kept at once, for whoever serves next; the list says by whom and why, and a reason is asked for."""
    placet("agent", "add", "refunds", "--config", house)
    assert placet("agent", "stop", "refunds", "--config", house).code == 2
    blank = placet("agent", "stop", "refunds", "--reason", " ", "--config", house)
    assert (blank.code, blank.err.count("Say why")) == (1, 1)
    ran = placet("agent", "stop", "refunds", "--reason", "It pays twice.", "--instruction", "Wait.", "--config", house)
    assert ran.out.strip() == "refunds is stopped. What it has open is held as soon as Placet serves."
    assert "stopped by operator: It pays twice." in placet("agent", "list", "--config", house).out
    stopped = json.loads(placet("agent", "list", "--json", "--config", house).out)[0]["stopped"]
    assert (stopped["by"], stopped["instruction"]) == ("operator", "Wait.")
    assert placet("agent", "resume", "refunds", "--config", house).out.strip() == "refunds may go on."
    again = json.loads(placet("agent", "resume", "refunds", "--json", "--config", house).out)
    assert (again["new"], again["text"]) == (False, "refunds is not stopped.")


def test_nobody_is_stopped_who_is_not_there(placet: Placet, house: Path) -> None:
    """The sentence says where the names are."""
    ran = placet("agent", "stop", "refunds", "--reason", "It pays twice.", "--config", house)
    assert ran.code == 1
    assert "placet agent list" in ran.err


def test_a_fresh_secret_is_the_last_line(placet: Placet, house: Path) -> None:
    """It differs from the first."""
    first = json.loads(placet("agent", "add", "refunds", "--json", "--config", house).out)["secret"]
    fresh = placet("agent", "secret", "refunds", "--config", house).last
    assert fresh.startswith("whsec_")
    assert fresh != first


@pytest.mark.parametrize(("command", "starts"), [("token", "plr_"), ("link", "http://127.0.0.1:0/enter?link=pll_")])
def test_what_lets_a_person_in_is_the_last_line(placet: Placet, house: Path, command: str, starts: str) -> None:
    """A token or a link, printed once, kept as a hash."""
    ran = placet(command, "me", "--config", house)
    assert ran.code == 0, ran.err
    assert ran.last.startswith(starts)
    assert ran.last.rpartition("=")[2].encode() not in _kept(house)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("agent", "add", "x", "--owner", "nobody"), 1, "nobody"),
        (("agent", "add", "x", "--sandbox", "maybe"), 2, "silence"),
        (("agent", "revoke", "x"), 1, "agent list"),
        (("token", "nobody"), 1, "placet.yml"),
        (("link", "nobody"), 1, "placet.yml"),
        (("agent", "add"), 2, "NAME"),
    ],
)
def test_refusals_are_sentences(placet: Placet, house: Path, args: tuple[str, ...], code: int, says: str) -> None:
    """1 for what is refused, 2 for what was written wrongly."""
    ran = placet(*args, "--config", house)
    assert ran.code == code
    assert says in ran.err


def test_a_missing_configuration_says_how_to_get_one(placet: Placet, tmp_path: Path) -> None:
    """And which file was looked for."""
    ran = placet("agent", "list", "--config", tmp_path / "none.yml")
    assert ran.code == 1
    assert "none.yml" in ran.err
    assert "placet init" in ran.err


def test_a_server_that_breaks_off_is_not_mistaken_for_none(
    placet: Placet, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation may have been done: the command says so, and does not do it a second time by itself."""
    monkeypatch.chdir(house.parent)  # a socket's path may have 107 bytes at most
    silent = threading.Event()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("placet.db.sock")
        server.listen()

        def hang_up() -> None:
            peer, _ = server.accept()
            peer.recv(4096)
            peer.close()
            silent.set()

        thread = threading.Thread(target=hang_up)
        thread.start()
        ran = placet("agent", "add", "refunds", "--config", house)
        thread.join(10)
    assert silent.is_set()
    assert ran.code == 1
    assert "broke off" in ran.err
    assert "plk_" not in ran.out


class Heard(io.StringIO):
    """Standard error that does something as soon as it is told to wait for the server."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def write(self, text: str) -> int:
        """Keep the text; act on the sentence."""
        if "waiting for the server to start" in text:
            self._then()
        return super().write(text)


@pytest.fixture
def lock(house: Path) -> Iterator[FileLock]:
    """The database's lock, held as by a server that has not begun to listen."""
    held = FileLock(house.parent / "placet.db")
    held.take()
    yield held
    held.release()


def test_a_server_that_is_starting_is_waited_for(
    placet: Placet, house: Path, lock: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says that it waits, looks again, and does what it was asked."""
    heard = Heard(lock.release)
    monkeypatch.setattr(sys, "stderr", heard)
    ran = placet("agent", "add", "refunds", "--config", house)
    assert ran.code == 0, heard.getvalue()
    assert heard.getvalue() == "placet: waiting for the server to start\n"
    assert ran.last.startswith("plk_")


def test_a_server_that_never_listens_is_named(
    placet: Placet, house: Path, lock: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded wait the command says who holds the database."""
    monkeypatch.setattr("bot.cli.house.STARTING", 0.3)
    ran = placet("agent", "add", "refunds", "--config", house)
    assert ran.code == 1
    assert ran.err.startswith("placet: waiting for the server to start\n")
    assert f"open in another Placet (pid {os.getpid()}, lock {lock.path})" in ran.err


@pytest.mark.parametrize("name", ["Refunds", "a b", "-x", "ä", "a/b", "x" * 65, ""])
def test_a_name_that_would_make_trouble_is_refused(placet: Placet, house: Path, name: str) -> None:
    """With what may be written instead, before anything is made."""
    ran = placet("agent", "add", "--config", house, "--", name)
    assert (ran.code, ran.out) == (1, "")
    assert "is no name for an agent" in ran.err
    assert "refund-desk" in ran.err
    assert not (house.parent / "placet.db").exists()
