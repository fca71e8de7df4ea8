"""An answer that explains itself, and the difference between two policies."""

from __future__ import annotations

import json

from policies.explain import as_json, diff, explain
from policies.load import load_text
from policies.model import Policy
from reviews.model import RiskClaim
from tests.policies.example import NOW, policy, request, run

RULES = """
- {name: reads, when: 'action.name == "read"', route: {tier: auto}}
- {name: unsure, when: confidence < 0.5, route: {tier: dual, role: senior}}
- {name: to IBAN, when: 'args.iban == "DE89"', route: {tier: approve, role: desk, chain: c, sla: 5m}}
- {name: never reached, when: listed, route: {tier: deny}}
"""
CHAIN = """chains:
  c:
    - {after: 0m, notify: channel:role}
    - {after: 10m, notify: person:boss, via: [dm, sms]}
    - {after: 1h, then: expire}
timezone: Europe/Berlin
"""


def subject() -> Policy:
    """A policy with a bit of everything."""
    return policy(RULES, more=CHAIN)


def test_every_rule_is_told_in_order() -> None:
    """Matched, not matched, failed and why, not reached; with the values read; hidden where sensitive."""
    asked = request("pay", {"amount": 5, "iban": "DE89"}, reviewer_role="boss")
    found = run(subject(), asked)
    told = explain(found, subject())
    expected = [
        "pay (listed), 2026-03-04T12:00:00+00:00, under example@1#sha256:",
        "· reads: not matched",
        'with action.name = "pay"',
        "✗ unsure: failed (a value is absent or of another type than the expression needs; kept:",
        "with confidence = absent",
        "✓ to IBAN: matched",
        "with args.iban = (hidden)",
        "  never reached: not reached",
        "made stricter",
        '↑ approve and dual → dual: the rule "unsure" could not be evaluated, so the stricter route holds',
        "↑ needs + boss: the agent asks for a boss",
        "dual by unsure",
        "needs senior and senior and desk and boss",
        "risk medium, not reversible, amount 5",
        "schedule",
        "2026-03-04T13:00:00+01:00  channel:role",
        "2026-03-04T13:05:00+01:00  the promise (sla 5m) is broken",
        "violations",
    ]
    place = 0
    for line in expected:
        assert line in told[place:], (line, told)
        place = told.index(line, place)
    assert "DE89" not in told.replace('"DE89"', "")


def test_the_same_story_is_json() -> None:
    """All of it can be sent."""
    found = run(subject(), request("pay", {"amount": 5, "iban": "x"}, confidence=0.9, risk=RiskClaim(score=0.5)))
    told = as_json(found, subject())
    assert json.loads(json.dumps(told)) == told
    assert [rule["result"] for rule in told["rules"]] == [
        "not matched", "not matched", "not matched", "matched", "not reached",
    ]  # fmt: skip
    assert told["route"]["tier"] == "deny"
    assert told["schedule"] == []


def test_a_review_deadline_is_in_the_schedule() -> None:
    """The table is the one the ladder will follow."""
    asked = request("pay", {"amount": 5, "iban": "DE89"}, confidence=0.9, review_deadline=NOW.replace(minute=30))
    told = as_json(run(subject(), asked), subject())
    assert [step["at"][11:16] for step in told["schedule"]] == ["13:00", "13:05", "13:05", "13:30"]


def test_a_sample_prints_its_chance() -> None:
    """p, and whether it was drawn."""
    made = policy('- {name: a, when: "true", route: {tier: sample, rate: 0.25, role: r}}')
    assert "p 0.25, drawn" in explain(run(made, request("read"), draw=0.1), made)
    assert "p 0.25, not drawn" in explain(run(made, request("read"), draw=0.3), made)


def test_a_shadow_says_so() -> None:
    """Nobody should take it for an answer that holds."""
    made = policy(more="mode: shadow")
    assert "shadow: recorded and let through" in explain(run(made), made)


OLD = """policy: p
version: 1
actions: {a: {risk: low}, b: {risk: low}}
chains: {c: [{after: 0m, notify: role:x}], d: [{after: 0m, notify: role:x}]}
rules:
  - {name: one, when: listed, route: {tier: auto}}
  - {name: two, when: listed, route: {tier: deny}}
  - {name: three, when: listed, route: {tier: deny}}
default: {tier: approve, role: desk}
"""


def test_a_diff_says_what_changed_in_words() -> None:
    """Rules, actions, chains: added, removed, changed; and the order of rules."""
    new = (
        OLD.replace("version: 1", "version: 2")
        .replace("b: {risk: low}", "e: {risk: high}")
        .replace("a: {risk: low}", "a: {risk: critical, amount: /x}")
        .replace("d: [{after: 0m, notify: role:x}]", "d: [{after: 0m, notify: role:y}]")
        .replace("name: three, when: listed, route: {tier: deny}", "name: four, when: listed, route: {tier: auto}")
        .replace("name: one, when: listed, route: {tier: auto}", "name: Z, when: '!listed', route: {tier: deny}")
        .replace("name: two", "name: one")
        .replace("name: Z", "name: two")
        .replace("role: desk", "role: desk, sla: 5m")
    )
    told = diff(load_text(OLD), load_text(new))
    for line in (
        "p@1#sha256:",
        "~ action a\n    risk: low → critical\n    amount: nothing → /x\n",
        "- action b\n",
        "+ action e\n    risk: high\n",
        "~ chain d\n    rung 1: 0m role:x → 0m role:y\n",
        "~ rule one\n    tier: auto → deny\n",
        "~ rule two\n    when: listed → !listed\n",
        "- rule three\n",
        "+ rule four\n",
        "~ rule default\n    sla: nothing → 5m\n",
        "~ order of rules: two, one\n",
    ):
        assert line in told, (line, told)
    assert "chain c" not in told


def test_no_difference_is_said() -> None:
    """A change of a comment changes nothing."""
    assert "no difference" in diff(load_text(OLD), load_text(OLD + "# a comment\n"))


def test_reminders_and_endings_are_in_the_schedule() -> None:
    """What a chain was written out to, in words; and an approval that rests, and is given to one."""
    chain = """chains:
  c:
    - {after: 0m, notify: channel:role, remind: 20m}
    - {after: 30m, then: human_only, hold_max: 1h}
"""
    made = policy(default="default: {tier: approve, role: desk, chain: c, undo: 10s, assign: one}", more=chain)
    told = explain(run(made), made)
    for line in (
        "an approval can be taken back for 10s before the agent may use it",
        "given to one of the people who may decide it",
        "2026-03-04T12:20:00+00:00  a reminder",
        "2026-03-04T12:30:00+00:00  nobody can approve it any more; a person does it",
        "2026-03-04T13:00:00+00:00  expires",
    ):
        assert line in told, told
    brief = explain(run(made), made, with_rules=False, with_schedule=False)
    assert "rules" not in brief
    assert "schedule" not in brief
    plain = policy(default="default: {tier: approve, role: desk, chain: c}", more=chain.replace(", remind: 20m", ""))
    assert "rung 2: 30m then human_only → 20m remind" in diff(plain, made)
