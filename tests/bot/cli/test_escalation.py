"""The table of what happens while nobody answers, made by the ladder itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import config
from bot.cli.escalation import UNKNOWN, Step, people_of, steps
from policies.load import load_text
from tests.policies.example import request, run

PEOPLE: dict[str, Any] = {
    "people": [
        {"id": "ana", "name": "Ana", "roles": ["desk"], "identities": {"slack": "U1"}, "phone": "+34600000001"},
        {"id": "bo", "name": "Bo", "roles": ["boss"], "phone": "+34600000002"},
        {
            "id": "cy",
            "name": "Cy",
            "roles": ["boss"],
            "away": [{"from": "2026-03-01 00:00", "until": "2026-03-09 00:00"}],
        },
    ],
    "roles": {"desk": {"level": 1, "channels": {"slack": "#desk"}}, "boss": {"level": 2}},
    "rotations": {"it": {"first": {"people": ["ana"]}, "second": {"people": ["cy"]}}},
    "gateways": {"sms": "SMS", "pager": "PAGER"},
    "slack": {},
}
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def table(rungs: str, folder: Path, *, known: bool = True, **route: str) -> list[Step]:
    """What happens at noon with a chain of rungs set apart by bars."""
    listed = ", ".join(f"{{{rung}}}" for rung in rungs.split(" | "))
    said = "".join(f", {key}: {value}" for key, value in ({"role": "desk"} | route).items() if value)
    text = f"policy: p\nversion: 1\nchains: {{c: [{listed}]}}\ndefault: {{tier: approve, chain: c{said}}}\n"
    policy, asked = load_text(text), request("unheard.of")
    people = people_of(config.parse(PEOPLE), folder) if known else None
    return steps(people, asked, run(policy, asked, now=NOON).route, policy.calendar, NOON)


def told(found: list[Step]) -> list[tuple[str, str, str]]:
    """When, whom, and by what."""
    return [(f"{step.at:%H:%M}", step.whom, step.by) for step in found]


def test_every_line_says_who_and_what_comes_next(tmp_path: Path) -> None:
    """Roles by their holders, people by name and why, ways as they lead to them."""
    found = table("after: 0m, notify: channel:role | after: 9m, notify: 'oncall:it.first', via: [dm, sms] | "
                  "after: 1h, then: expire", tmp_path)  # fmt: skip
    assert [step.row(ZoneInfo("Europe/Madrid")) for step in found] == [
        ("Wed 04 Mar 13:00", "channel:role", "Ana (desk)", "slack #desk", "12:09: oncall:it.first is called"),
        ("Wed 04 Mar 13:09", "oncall:it.first", "Ana (oncall:it.first)", "slack, sms", "13:00: it expires"),
        ("Wed 04 Mar 14:00", "expire", "nobody decided, and the agent is told", "callback", "–"),
    ]


def test_a_rung_that_reaches_nobody_passes_on_at_once(tmp_path: Path) -> None:
    """Who is on call is away: the line says so, and the next one is at the same minute."""
    found = table("after: 0m, notify: 'oncall:it.second' | after: 20m, notify: 'person:bo', via: sms | "
                  "after: 1h, then: expire", tmp_path)  # fmt: skip
    assert told(found)[:2] == [("12:00", "oncall:it.second", "web inbox"), ("12:00", "person:bo", "sms")]
    assert "Cy is away until" in found[0].who
    assert found[0].next == "the next at once"


def test_reminders_promises_and_endings_are_lines(tmp_path: Path) -> None:
    """As they will happen: a promise calls the next rung, and takes the reminders before it along."""
    found = table(
        "after: 0m, notify: channel:role, remind: 4m | after: 20m, notify: role:boss, via: pager, remind: 15m | "
        "after: 40m, then: human_only, hold_max: 1h",
        tmp_path,
        sla="10m",
    )
    assert told(found) == [
        ("12:00", "channel:role", "slack #desk"),
        ("12:04", "reminder", "as before"),
        ("12:08", "reminder", "as before"),
        ("12:10", "sla", "–"),
        ("12:10", "role:boss", "pager"),
        ("12:35", "reminder", "as before"),
        ("12:40", "human_only", "–"),
        ("13:00", "expire", "callback"),
    ]


def test_a_gateway_that_leads_to_one_place_needs_no_phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address says so, where it is known here; else somebody without a phone is not reached."""
    chain = "after: 0m, notify: 'person:cy' | after: 1m, notify: 'person:bo', via: pager | after: 1h, then: expire"
    monkeypatch.delitem(PEOPLE["people"][1], "phone")
    assert told(table(chain, tmp_path))[1] == ("12:00", "person:bo", "–")
    monkeypatch.setenv("PAGER", "json://127.0.0.1/page")
    assert told(table(chain, tmp_path))[1] == ("12:00", "person:bo", "pager")


def test_in_sequence_the_first_role_is_called(tmp_path: Path) -> None:
    """The other's turn comes when that one has approved, which nobody does here."""
    chain = "after: 0m, notify: channel:role | after: 1h, then: expire"
    both = "[{role: desk}, {role: boss}]"
    assert table(chain, tmp_path, role="", needs=both, order="sequence")[0].who == "Ana (desk)"
    assert "Bo (boss)" in table(chain, tmp_path, role="", needs=both)[0].who


def test_without_a_configuration_there_are_the_policys_names(tmp_path: Path) -> None:
    """Whom and when, by which way; not who that is."""
    chain = "after: 0m, notify: channel:role | after: 1m, notify: 'person:bo', via: sms | after: 1h, then: expire"
    found = table(chain, tmp_path, known=False)
    assert [(step.whom, step.who, step.by) for step in found[:2]] == [
        ("channel:role", UNKNOWN, "what each prefers"),
        ("person:bo", UNKNOWN, "sms"),
    ]


def test_what_is_confirmed_waits_for_the_person_acted_for(tmp_path: Path) -> None:
    """Whoever that is: only the agent's key says it."""
    policy = load_text("policy: p\nversion: 1\nactions: {a: {risk: low}}\ndefault: {tier: confirm}\n")
    people, asked = people_of(config.parse(PEOPLE), tmp_path), request("a")
    found = steps(people, asked, run(policy, asked, now=NOON).route, policy.calendar, NOON)
    assert (found[0].who, found[0].by) == ("the person acted for", "what each prefers")
