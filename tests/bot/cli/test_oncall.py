"""`placet oncall` and what `placet doctor` says of rotations: with a server and without, calendars well and ill."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bot.cli.conftest import Placet, change, serving
from tests.bot.test_calendars import SECRET, rota
from tests.bot.test_expansion import one
from tests.fakes.receiver import closed_port

PEOPLE = [
    {"id": "ana", "name": "Ana Ruiz", "roles": ["reviewer", "lead"]},
    {"id": "bo", "name": "Bo Chen", "roles": ["reviewer"]},
]


@pytest.fixture
def rotated(house: Path) -> Path:
    """An installation with a rotation of two in the short form, and one in a calendar beside it."""
    (house.parent / "rota.ics").write_text(rota("Bo Chen"), "utf-8")
    layers = {
        "primary": {"people": ["ana", "bo"], "every": "1d", "handoff": "09:00"},
        "secondary": {"ical": "rota.ics"},
    }
    change(house, people=PEOPLE, rotations={"ops": layers})
    return house


def _report(placet: Placet, config: Path, *words: str) -> dict[str, Any]:
    return {layer["layer"]: layer for layer in json.loads(placet("oncall", *words, "--json", "--config", config).out)}


def test_without_a_server(placet: Placet, rotated: Path) -> None:
    """Now, next and gaps, in words and as JSON; a calendar says as of when it is."""
    now, following = (placet("oncall", word, "--config", rotated) for word in ("now", "next"))
    assert now.code == following.code == 0
    report = _report(placet, rotated, "now")
    first, second = (report["ops.primary"][each]["people"][0]["name"] for each in ("now", "next"))
    assert {first, second} == {"Ana Ruiz", "Bo Chen"}
    assert first in next(line for line in now.out.splitlines() if "ops.primary" in line)
    assert second in next(line for line in following.out.splitlines() if "ops.primary" in line)
    assert "ops.secondary: calendar read" in now.out
    assert "every moment of the next 14 days" in placet("oncall", "gaps", "--config", rotated).out


def test_gaps_are_listed_and_told_by_the_exit_code(placet: Placet, rotated: Path) -> None:
    """With why, where an event means nobody; as far ahead as asked."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    event = one("SUMMARY:Zed", f"DTSTART:{tomorrow:%Y%m%dT%H%M%SZ}", "DURATION:PT2H")
    (rotated.parent / "rota.ics").write_text(event, "utf-8")
    ran = placet("oncall", "gaps", "--days", "30", "--config", rotated)
    assert ran.code == 1
    assert ran.out.count("ops.secondary  ") == 3
    assert "ops.primary" not in ran.out
    assert "“Zed” names nobody in placet.yml" in ran.out
    assert len(_report(placet, rotated, "gaps", "--days", "30")["ops.secondary"]["gaps"]) == 3


def test_no_rotations_are_said(placet: Placet, house: Path) -> None:
    """Words for people, an empty list for programs."""
    change(house, rotations={})
    assert "no rotations" in placet("oncall", "now", "--config", house).out
    assert _report(placet, house, "gaps") == {}


@pytest.mark.slow
def test_with_a_server(placet: Placet, rotated: Path) -> None:
    """The same, asked of the process that calls people."""
    before = _report(placet, rotated, "now")
    with serving(rotated):
        after = _report(placet, rotated, "now")
        assert "every moment" in placet("oncall", "gaps", "--config", rotated).out
    for report in (before, after):
        del report["ops.primary"]["now"]["from"]  # the instant of asking
    assert after["ops.primary"] == before["ops.primary"]
    assert [p["id"] for p in after["ops.secondary"]["now"]["people"]] == ["bo"]


def _found(placet: Placet, config: Path) -> str:
    findings = json.loads(placet("doctor", "--json", "--config", config).out)
    return "\n".join(f"{f['state']}: {f['text']} → {f['fix']}" for f in findings if f["name"] == "rotations")


def test_the_doctor_finds_everybody_on_call(placet: Placet, rotated: Path) -> None:
    """And nothing else to say."""
    said = _found(placet, rotated)
    assert "ok: ops.secondary: bo now" in said
    assert "warn" not in said


def test_the_doctor_warns_of_gaps_ahead_and_of_words_that_mean_nobody(placet: Placet, rotated: Path) -> None:
    """Two weeks ahead, each with its way out."""
    now = datetime.now(UTC)
    event = one("SUMMARY:ana", f"DTSTART:{now - timedelta(hours=1):%Y%m%dT%H%M%SZ}", "DURATION:P2D")
    zed = event.replace("UID:1", "UID:2").replace("ana", "Zed").replace("P2D", "P3D").split("\r\n", 2)[2]
    (rotated.parent / "rota.ics").write_text(event.removesuffix("END:VCALENDAR") + zed, "utf-8")
    said = _found(placet, rotated)
    assert "ok: ops.secondary: ana now" in said
    assert "warn: ops.secondary: nobody is on call from" in said
    assert "placet oncall gaps" in said
    assert "warn: ops.secondary: “Zed” names nobody in placet.yml → Give the person that name" in said


def test_the_doctor_names_a_calendar_that_cannot_be_read(placet: Placet, rotated: Path) -> None:
    """By its layer and why, not by its address."""
    url = f"http://127.0.0.1:{closed_port()}/{SECRET}.ics"
    change(rotated, rotations={"ops": {"primary": {"ical": url}, "secondary": {"ical_env": "NO_SUCH_ROTA"}}})
    said = _found(placet, rotated)
    assert "ops.primary: its calendar could not be read: 127.0.0.1 cannot be reached" in said
    assert "ops.secondary: its calendar could not be read: NO_SUCH_ROTA is not set" in said
    assert "ops.primary: nobody is on call now" in said
    assert SECRET not in said
