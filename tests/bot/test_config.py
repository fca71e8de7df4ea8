"""placet.yml: what is taken, and what each refusal says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.config import ConfigFault, load, parse

BACKWARDS = {"person": "ana", "from": "2026-11-18 18:00", "until": "2026-11-18 18:00"}


def test_an_empty_file_is_a_configuration() -> None:
    """Every key has a default, and the default binds loopback with votes by token off."""
    config = parse({})
    assert (config.server.host, config.server.votes_by_token, config.database) == (
        "127.0.0.1",
        False,
        "sqlite:///placet.db",
    )


def test_cards_fold_and_people_may_ask_unless_said_otherwise() -> None:
    """A channel holds twenty open cards, and people ask under an action of its own."""
    config = parse({})
    assert (config.cards.open_per_channel, config.asks.enabled, config.asks.action) == (20, True, "message.review")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"servr": {}}, "servr: there is no such key"),
        ({"server": {"port": "eighty"}}, "server.port"),
        ({"server": {"port": 70000}}, "server.port"),
        ({"people": [{"id": "ana", "name": "Ana", "roles": ["boss"]}]}, "has the role 'boss', which roles: lacks"),
        ({"people": [{"id": "ana", "name": "A"}, {"id": "ana", "name": "B"}]}, "'ana' is there twice"),
        ({"people": [{"id": "ana", "name": "Ana", "deputy": "bo"}]}, "deputy 'bo' is nobody here"),
        ({"people": [{"id": "ana", "name": "Ana", "deputy": "ana"}]}, "ana cannot be their own deputy"),
        ({"cards": {"open_per_channel": -1}}, "cards.open_per_channel"),
        ({"asks": {"action": ""}}, "asks.action"),
        ({"people": [{"id": "ana", "name": "Ana", "timezone": "Mars/Olympus"}]}, "is no time zone"),
        ({"rotations": {"ops": {"primary": {"people": ["bo"]}}}}, "names 'bo', who is nobody here"),
        ({"rotations": {"ops": {"primary": {"ical": "x.ics", "names": {"B": "bo"}}}}}, "names 'bo', who is nobody"),
        ({"rotations": {"ops": {"primary": {"timezone": "UTC"}}}}, "`ical` or `ical_env` for a calendar; one of them"),
        ({"rotations": {"ops": {"primary": {"people": ["ana"], "ical": "x.ics"}}}}, "one of them"),
        ({"rotations": {"ops": {"primary": {"ical": "http://calendar.example.com/x"}}}}, "https:// or webcal://"),
        ({"rotations": {"ops": {"primary": {"ical": "ftp://127.0.0.1/x"}}}}, "https:// or webcal://"),
        ({"rotations": {"ops": {"primary": {"people": ["ana"], "overrides": [BACKWARDS]}}}}, "ends after it begins"),
        ({"callbacks": {"allow": ["example.com"]}}, "HOST:PORT"),
        ({"callbacks": {"allow": ["10.0.0.0/99"]}}, "10.0.0.0/99"),
        ({"audit": {"retention_days": 30}}, "183"),
        ([], "whole file"),
    ],
)
def test_each_fault_is_named(given: Any, words: str) -> None:
    """The key at fault and what may stand there are both in the message."""
    with pytest.raises(ConfigFault) as fault:
        parse(given)
    assert words in str(fault.value)


@pytest.mark.parametrize(
    "ical",
    ["rota.ics", "/srv/rota.ics", "https://calendar.example.com/x.ics", "webcal://h/x", "http://127.0.0.1:80/x"],
)
def test_where_a_calendar_may_be(ical: str) -> None:
    """A file, an address nobody can read on the way, or this machine."""
    assert parse({"rotations": {"ops": {"primary": {"ical": ical}}}}).rotations["ops"]["primary"].dated


def test_a_calendars_address_is_not_repeated() -> None:
    """Whoever has it reads the calendar."""
    with pytest.raises(ConfigFault) as fault:
        parse({"rotations": {"ops": {"primary": {"ical": "http://calendar.example.com/secret-7f3"}}}})
    assert "secret-7f3" not in str(fault.value)


def test_two_people_cannot_share_an_identity() -> None:
    """One Slack id for two people could only be guessed at."""
    people = [{"id": p, "name": p, "identities": {"slack": "U1"}} for p in ("ana", "bo")]
    with pytest.raises(ConfigFault, match="ana and bo share the slack identity"):
        parse({"people": people})


@pytest.mark.parametrize(
    "sections",
    [
        {"people": [{"id": "ana", "name": "Ana", "identities": {"discord": "7"}}]},
        {"people": [{"id": "ana", "name": "Ana", "prefers": "discord"}]},
        {"roles": {"lead": {"channels": {"discord": "9"}}}},
    ],
)
def test_a_surface_nobody_configured_is_no_name(sections: dict[str, object]) -> None:
    """A slip would leave people without cards; an adapter of one's own says its name in `surfaces:`."""
    with pytest.raises(ConfigFault, match="names the surface 'discord'; there are web, slack, teams"):
        parse(sections)
    assert parse({**sections, "surfaces": {"discord": {"token": "x"}}}).section("discord") == {"token": "x"}


def test_no_surface_is_taken_for_another_section() -> None:
    """An adapter named like a part of the file gets none of it."""
    assert parse({}).section("people") is None


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """The first mistake of every new user has its answer in the message."""
    with pytest.raises(ConfigFault, match="placet init"):
        load(tmp_path / "placet.yml")


def test_what_is_not_yaml_is_said_with_its_line(tmp_path: Path) -> None:
    """A tab or a stray bracket is found where it stands."""
    (tmp_path / "placet.yml").write_text("server:\n  port: [1\n")
    with pytest.raises(ConfigFault, match="line"):
        load(tmp_path / "placet.yml")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"phone": "+34600111222,+34600333444"}, "phone: write one number"),
        ({"phone": "+34600111222 +34600333444"}, "phone: write one number"),
        ({"email": "ana@example.com,eve@example.com"}, "email: write one e-mail address"),
        ({"email": "ana@example.com eve@example.com"}, "email: write one e-mail address"),
        ({"email": "ana@example.com\nBcc: eve@example.com"}, "email: write one e-mail address"),
        ({"name": " "}, "name: a name has 1 to 200 characters"),
        ({"name": "x" * 201}, "name: a name has 1 to 200 characters"),
    ],
)
def test_an_address_is_one_persons(said: Any, words: str) -> None:
    """A gateway sends to each of several, and the link in it is for one; a name is one that can be read."""
    with pytest.raises(ConfigFault, match=words):
        parse({"people": [{"id": "ana", "name": "Ana", **said}]})


def test_a_name_is_on_one_line_and_shows_all_of_itself() -> None:
    """Lines of ours hold names: none begins another line, nor turns the rest of it around."""
    config = parse({"people": [{"id": "ana", "name": "Ana\nBo approved.\u202e"}]})
    assert config.people[0].name == "Ana Bo approved.\ufffd"
