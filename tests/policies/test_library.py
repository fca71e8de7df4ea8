"""The policies that come with Placet do what the articles they are taken from say."""

from __future__ import annotations

from typing import Any

import pytest

from policies.given import request_from
from policies.load import library, library_names, load_text
from policies.trial import run_tests
from reviews.model import Tier
from tests.policies.example import run

EXPECTED = ("confidence-bands", "it-operations", "regulatory", "risk-tiers", "three-tier-fintech")


def test_the_library_is_complete() -> None:
    """These five."""
    assert library_names() == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_each_passes_its_own_tests_without_a_warning(name: str) -> None:
    """Every rule but the last resort is tried by at least one case."""
    subject = library(name)
    results = run_tests(subject)
    assert [(result.name, result.wrong) for result in results if not result.passed] == []
    assert len(results) >= len(subject.rules) - 2
    assert subject.warnings == ()
    assert subject.name == name


@pytest.mark.parametrize("name", EXPECTED)
def test_each_can_be_kept_and_loaded_again(name: str) -> None:
    """The stored text is the same policy."""
    subject = library(name)
    assert load_text(subject.text).ref == subject.ref


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("action", ["unheard.of", ""])
def test_none_lets_an_unlisted_action_pass(name: str, action: str) -> None:
    """Even one that says of itself that it is harmless."""
    asked = request_from(
        {
            "action": {"name": action, "reversible": True},
            "confidence": 1.0,
            "risk": {"level": "low", "score": 0.0, "amount": 0.0},
            "validation": {"status": "pass"},
        }
    )
    assert run(library(name), asked).route.tier.strictness >= Tier.APPROVE.strictness


CASE: list[tuple[str, dict[str, Any], int, str, set[str | None]]] = [
    ("list_instances", {}, 12, "auto", set()),
    ("stop_instance", {"env": "dev"}, 23, "auto", set()),
    ("stop_instance", {"env": "staging"}, 12, "auto", set()),
    ("stop_instance", {"env": "staging"}, 22, "approve", {"on-call-engineer"}),
    ("stop_instance", {"env": "production"}, 12, "approve", {"engineering-manager"}),
    ("delete_volume", {}, 12, "dual", {"security", "lead-engineer"}),
    ("modify_security_group", {}, 12, "approve", {"network-engineer"}),
]


@pytest.mark.parametrize(("action", "arguments", "hour", "tier", "roles"), CASE)
def test_the_case_study_row_by_row(
    action: str, arguments: dict[str, Any], hour: int, tier: str, roles: set[str | None]
) -> None:
    """The table of the IT-operations case study."""
    from datetime import UTC, datetime

    asked = request_from({"action": {"name": action, "arguments": arguments}})
    route = run(library("it-operations"), asked, now=datetime(2026, 3, 4, hour, tzinfo=UTC)).route
    assert (str(route.tier), {need.role for need in route.needs}) == (tier, roles)


def test_the_case_studys_ladder() -> None:
    """10 min to the secondary, 20 min to the manager by SMS too, an end after an hour."""
    rungs = library("it-operations").chains["on-call"].rungs
    minutes = [rung.after.total_seconds() / 60 for rung in rungs]
    assert minutes == [0, 0, 10, 20, 60]
    assert (rungs[2].notify, rungs[3].notify, rungs[3].via) == (
        ("oncall:it-ops.secondary",),
        ("role:engineering-manager",),
        ("dm", "sms"),
    )
