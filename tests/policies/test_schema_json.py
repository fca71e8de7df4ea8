"""`schema.json`, which editors use, says what the loader says."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

import policies
from policies import chains, load, routes, sections
from policies.errors import PolicyFault
from policies.load import library_names, load_text
from reviews.model import Order, RiskLevel, Then, Tier

FOLDER = Path(policies.__file__).parent
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
DEFS = SCHEMA["$defs"]


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        (SCHEMA, load.MAIN_KEYS),
        (DEFS["route"], routes.ROUTE_KEYS),
        (DEFS["rule"], routes.RULE_KEYS),
        (DEFS["chain"], chains.CHAIN_KEYS),
        (DEFS["repeat"], chains.REPEAT_KEYS),
        (DEFS["rung"], chains.RUNG_KEYS),
        (DEFS["action"], sections.ACTION_KEYS),
        (DEFS["test"], sections.CASE_KEYS),
        (DEFS["test"]["properties"]["expect"], sections.EXPECTS),
        (SCHEMA["properties"]["business_hours"], sections.HOURS_KEYS),
    ],
)
def test_the_keys_are_the_loaders(part: dict[str, Any], keys: tuple[str, ...]) -> None:
    """A key in one and not in the other is a defect; unknown keys are refused by both."""
    assert tuple(part["properties"]) == keys
    assert part["additionalProperties"] is False


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (DEFS["route"]["properties"]["tier"], Tier),
        (DEFS["route"]["properties"]["order"], Order),
        (DEFS["rung"]["properties"]["then"], Then),
        (DEFS["action"]["properties"]["risk"], RiskLevel),
    ],
)
def test_the_words_are_the_domains(part: dict[str, Any], words: type[StrEnum]) -> None:
    """Closed words are the same closed words."""
    assert part["enum"] == [str(word) for word in words]


@pytest.mark.parametrize("name", library_names())
def test_the_library_fits(name: str) -> None:
    """What loads, validates."""
    document = yaml.safe_load((FOLDER / "library" / f"{name}.yml").read_text(encoding="utf-8"))
    for case in document["tests"]:
        case["at"] = str(case.get("at", ""))
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(json.dumps(document)))] == []


@pytest.mark.parametrize(
    "text",
    [
        "policy: p\nversion: 1\n",
        "policy: p\nversion: 1\ndefault: {tier: autoo}\n",
        "policy: p\nversion: 1\ndefault: {tier: approve, role: a}\nfrob: 1\n",
        "policy: p\nversion: 0\ndefault: {tier: approve, role: a}\n",
        "policy: p\nversion: 1\ndefault: {tier: approve, role: a, sla: 10x}\n",
        "policy: p\nversion: 1\ndefault: {tier: approve, role: a}\nactions: {x: {reversible: true}}\n",
        "policy: p\nversion: 1\ndefault: {tier: approve, role: a}\nchains: {c: [{after: 0m, notify: all}]}\n",
        "policy: p\nversion: 1\ndefault: {tier: approve, role: a}\nrules: [{name: r, route: {tier: auto}}]\n",
    ],
)
def test_both_refuse(text: str) -> None:
    """What the editor marks, the loader refuses."""
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
    with pytest.raises(PolicyFault):
        load_text(text)
