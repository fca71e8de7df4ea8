"""`placet policy`: faults as FILE:LINE, tests, explanations, differences, and what is asked of a server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bot.cli.conftest import Placet, change, serving


def _changed(house: Path, old: str, new: str) -> Path:
    policy = house.parent / "policy.yml"
    text = policy.read_text("utf-8")
    assert old in text
    other = house.parent / "other.yml"
    other.write_text(text.replace(old, new), "utf-8")
    return other


def test_check_counts_what_loads(placet: Placet, house: Path) -> None:
    """The policy of the configuration, names checked."""
    ran = placet("policy", "check", "--config", house)
    assert ran.code == 0, ran.err
    assert "starter@1#sha256:" in ran.out
    assert "5 rules" in ran.out


def test_check_prints_each_fault_with_its_line(placet: Placet, house: Path) -> None:
    """A role placet.yml lacks is a fault at the line that names it, with those there are."""
    other = _changed(
        house, "role: lead, chain: desk, sla: 1h, reasons: [not c", "role: boss, chain: desk, reasons: [not c"
    )
    line = next(n for n, text in enumerate(other.read_text().splitlines(), 1) if "role: boss" in text)
    ran = placet("policy", "check", other, "--config", house)
    assert ran.code == 1
    assert f"{other}:{line}: " in ran.err
    assert "reviewer" in ran.err


def test_test_fails_when_an_expectation_does(placet: Placet, house: Path) -> None:
    """Exit code 1, the test's line, what was expected and what came."""
    assert placet("policy", "test", "--config", house).code == 0
    ran = placet("policy", "test", _changed(house, "amount >= 1000\n", "amount >= 2000\n"), "--config", house)
    assert ran.code == 1
    assert "expected 'lead', got 'reviewer'" in ran.out
    assert "other.yml:" in ran.out


def test_explain_reads_a_request_from_standard_input(placet: Placet, house: Path) -> None:
    """As text for people, as JSON for programs, at the time asked for."""
    request = json.dumps({"action": {"name": "refund.issue", "arguments": {"amount": 1500}}})
    at = ("--at", "2026-03-04T22:00")
    text = placet("policy", "explain", "-", *at, "--config", house, given=request)
    assert text.code == 0, text.err
    assert "✓ a large refund: matched" in text.out
    assert "2026-03-04T22:00:00" in text.out
    told = json.loads(placet("policy", "explain", "-", "--json", *at, "--config", house, given=request).out)
    assert told["route"]["tier"] == "approve"


def test_explain_says_who_is_called_at_each_instant(placet: Placet, house: Path) -> None:
    """One table an instant, without the rules where there are several; JSON holds the same lines, a list of several."""
    request = json.dumps({"action": {"name": "refund.issue", "arguments": {"amount": 1500}}})
    at = ("--at", "2026-03-04T12:00", "--at", "2026-12-25T22:00")
    text = placet("policy", "explain", "-", *at, "--config", house, given=request)
    assert text.code == 0, text.err
    assert text.out.count("Who exactly") == 2
    assert "--- asked Fri 25 Dec 22:00 (UTC)" in text.out
    assert "not reached" not in text.out
    told = json.loads(placet("policy", "explain", "-", "--json", *at, "--config", house, given=request).out)
    assert [each["escalation"][0]["at"] for each in told] == ["2026-03-04T12:00:00+00:00", "2026-12-25T22:00:00+00:00"]
    assert told[0]["escalation"][0]["whom"] == "channel:role"


def test_explain_of_what_nobody_is_asked_for_says_so(placet: Placet, house: Path, tmp_path: Path) -> None:
    """And a policy without a configuration beside it is explained too, by its own names."""
    free = tmp_path / "free.yml"
    free.write_text("policy: p\nversion: 1\nactions: {a: {risk: low}}\ndefault: {tier: auto}\n", "utf-8")
    given = json.dumps({"action": {"name": "a"}})
    ran = placet("policy", "explain", "-", "--policy", free, "--config", tmp_path / "none.yml", given=given)
    assert ran.code == 0, ran.err
    assert "Nobody is asked beforehand." in ran.out


def test_explain_names_what_is_wrong_with_a_request(placet: Placet, house: Path, tmp_path: Path) -> None:
    """Not JSON, no object, an unknown field, no such file, no time: each its own sentence."""
    for given, says in (("{", "not JSON"), ("[]", "JSON object"), ('{"action": {"name": "a"}, "x": 1}', "/x")):
        ran = placet("policy", "explain", "-", "--config", house, given=given)
        assert ran.code == 1
        assert says in ran.err
    assert placet("policy", "explain", tmp_path / "none.json", "--config", house).code == 1
    assert placet("policy", "explain", "-", "--at", "noon", "--config", house, given="{}").code == 2


def test_diff_says_what_changes(placet: Placet, house: Path) -> None:
    """Rule by rule; nothing when nothing does."""
    policy = house.parent / "policy.yml"
    ran = placet("policy", "diff", policy, _changed(house, "sla: 15m", "sla: 20m"), "--config", house)
    assert ran.code == 0, ran.err
    assert "~ rule a refund" in ran.out
    assert "no difference" in placet("policy", "diff", policy, policy, "--config", house).out


def test_explain_takes_what_agents_send(placet: Placet, house: Path) -> None:
    """The idempotency key in the body, and a result instead of an action."""
    request = json.dumps({"idempotency_key": "k", "result": {"text": "a draft"}})
    ran = placet("policy", "explain", "-", "--config", house, given=request)
    assert ran.code == 0, ran.err
    assert "default: matched" in ran.out


# --- a change people approve


def _newer(config: Path, name: str = "policy.yml") -> Path:
    text = (config.parent / "policy.yml").read_text("utf-8")
    path = config.parent / name
    path.write_text(text.replace("version: 1", "version: 2").replace("sla: 15m", "sla: 20m"), "utf-8")
    return path


def test_a_change_is_proposed_to_the_server(placet: Placet, house: Path) -> None:
    """The difference and the review's number; the same again is the same review."""
    people = [{"id": who, "name": who.title(), "roles": ["reviewer"]} for who in ("me", "bo", "cy")]
    change(house, policy_changes="reviewed", people=people)
    with serving(house):
        newer = _newer(house, "newer.yml")
        ran = placet("policy", "apply", newer, "--as", "me", "--config", house)
        assert ran.code == 0, ran.err
        assert "→" in ran.out
        assert "asks people to approve this" in ran.out
        again = json.loads(placet("policy", "apply", newer, "--json", "--config", house).out)
        assert (again["seq"], again["status"]) == (1, "waits")


def test_without_a_server_nobody_is_asked(placet: Placet, house: Path) -> None:
    """It says what to start."""
    ran = placet("policy", "apply", "--config", house)
    assert ran.code == 1
    assert "placet serve" in ran.err


def test_a_policy_that_does_not_load_is_not_proposed(placet: Placet, house: Path) -> None:
    """With each fault's file and line."""
    (house.parent / "policy.yml").write_text("policy: x\nversion: 1\ndefault: {tier: approve, role: king}\n", "utf-8")
    ran = placet("policy", "apply", "--config", house)
    assert ran.code == 1
    assert "policy.yml:3" in ran.err
