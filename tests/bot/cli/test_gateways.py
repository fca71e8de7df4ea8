"""`placet doctor` on gateways, and `placet gateways test` where nobody serves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.cli.conftest import Placet, change

POLICY = """
policy: paged
version: 1
chains:
  ops:
    - {after: 0m, notify: oncall:ops.primary, via: [sms]}
    - {after: 5m, notify: role:reviewer, via: [dm, email]}
    - {after: 10m, notify: person:bo, via: [dm, pager]}
    - {after: 1h, then: expire}
default: {tier: approve, role: reviewer, chain: ops}
"""
PEOPLE = [
    {"id": "ana", "name": "Ana Ruiz", "email": "ana@example.com", "phone": "+34600111222", "roles": ["reviewer"]},
    {"id": "bo", "name": "Bo Chen", "roles": ["reviewer"]},
]


@pytest.fixture
def paged(house: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose chain goes by three gateways."""
    change(
        house,
        people=PEOPLE,
        roles={"reviewer": {"level": 1}},
        rotations={"ops": {"primary": {"people": ["ana", "bo"], "every": "1d", "handoff": "09:00"}}},
        gateways={name: f"PLACET_GATEWAY_{name.upper()}" for name in ("sms", "email", "pager")},
    )
    (house.parent / "policy.yml").write_text(POLICY, "utf-8")
    monkeypatch.setenv("PLACET_GATEWAY_SMS", "json://127.0.0.1:9/send/{to}")
    monkeypatch.setenv("PLACET_GATEWAY_PAGER", "json://127.0.0.1:9/page")
    return house


def looked(placet: Placet, config: Path) -> list[dict[str, Any]]:
    """What the doctor says of gateways."""
    found = json.loads(placet("doctor", "--json", "--config", config).out)
    return [finding for finding in found if finding["name"] == "gateways"]


def test_the_doctor_looks_at_each_gateway_and_whom_it_reaches(placet: Placet, paged: Path) -> None:
    """A variable that is not set, one pager for all that needs no address, and Bo who has none."""
    said = {(finding["state"], finding["text"]) for finding in looked(placet, paged)}
    assert said == {
        ("ok", "sms: Apprise understands PLACET_GATEWAY_SMS: each person at their own address"),
        ("ok", "pager: Apprise understands PLACET_GATEWAY_PAGER: one pager for all"),
        ("bad", "email: PLACET_GATEWAY_EMAIL is not set"),
        ("warn", "bo is called by sms and has no address for it"),
        ("warn", "bo is called by email and has no address for it"),
    }


def test_the_doctor_shows_no_secret(placet: Placet, paged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a URL nobody understands only the variable is named."""
    monkeypatch.setenv("PLACET_GATEWAY_SMS", "carrier-pigeon://hush@loft/{to}")
    ran = placet("doctor", "--config", paged)
    assert "PLACET_GATEWAY_SMS holds no URL that Apprise understands" in ran.out
    assert "hush" not in ran.out + ran.err
    assert "pigeon" not in ran.out + ran.err


def test_a_test_message_needs_the_server(placet: Placet, paged: Path) -> None:
    """It is the server's gateways that are tried."""
    ran = placet("gateways", "test", "sms", "ana", "--config", paged)
    assert ran.code == 1
    assert "placet serve" in ran.err
