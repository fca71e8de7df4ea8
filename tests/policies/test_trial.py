"""The policy's own tests fail when they should."""

from __future__ import annotations

from policies.load import load_text
from policies.trial import run_tests

HEAD = """policy: p
version: 1
timezone: Europe/Berlin
actions: {pay: {risk: medium, reversible: true, amount: /amount}}
rules:
  - {name: many, when: "count(1h) > 5 || sum(amount, 1d) > 100", route: {tier: dual, role: r, sla: 5m}}
  - {name: night, when: now.getHours() >= 22, route: {tier: deny}}
  - {name: sure, when: confidence > 0.9 && reversible, route: {tier: sample, rate: 0.1, role: r}}
default: {tier: approve, role: desk}
tests:
"""


def results(*cases: str) -> list[tuple[str, ...]]:
    """What is wrong in each case."""
    subject = load_text(HEAD + "".join(f"  - {{{case}}}\n" for case in cases))
    return [result.wrong for result in run_tests(subject)]


GIVEN = "given: {action: {name: pay, arguments: {amount: 5}}, confidence: 0.95}"


def test_circumstances_are_given() -> None:
    """Counters, time by the wall, the agent, the draw."""
    assert (
        results(
            f"{GIVEN}, expect: {{tier: sample, p: 0.1, drawn: true, rule: sure, risk: medium, shadow: false}}",
            f"{GIVEN}, draw: 0.5, expect: {{drawn: false}}",
            f"{GIVEN}, count: 5, expect: {{tier: dual, role: r, sla: 300s, needs: [{{role: r}}, {{role: r}}]}}",
            f"{GIVEN}, sum: 96, expect: {{rule: many, allowed: [reject, approve, edit, request_changes]}}",
            f"{GIVEN}, at: 2026-07-01T22:30, expect: {{tier: deny}}",
            f'{GIVEN}, at: "2026-07-01T21:30:00Z", expect: {{tier: deny}}',
            f"{GIVEN}, at: 2026-07-01T21:30, expect: {{tier: sample, chain: null, level: null, order: any}}",
        )
        == [()] * 7
    )


def test_what_is_not_as_expected_is_said() -> None:
    """Each difference with both values."""
    assert results(f"name: n, {GIVEN}, expect: {{tier: auto, role: x, sla: 1m, p: 0.2}}") == [
        (
            "tier: expected 'auto', got 'sample'",
            "role: expected 'x', got 'r'",
            "sla: expected '1m', got None",
            "p: expected 0.2, got 0.1",
        )
    ]


def test_a_request_that_is_none_is_said() -> None:
    """A field nobody knows, a value of the wrong kind."""
    first, second = results(
        "given: {action: {name: pay}, frob: 1}, expect: {tier: auto}",
        "given: {action: {name: pay}, confidence: high}, expect: {tier: auto}",
    )
    assert first == ("given: /frob: Unexpected keyword argument",)
    assert second[0].startswith("given: /confidence: ")


def test_a_result_knows_its_place() -> None:
    """File and line, and the classification to explain."""
    subject = load_text(HEAD + f"  - {{{GIVEN}, expect: {{tier: sample}}}}\n", name="x.yml")
    (result,) = run_tests(subject)
    assert (result.file, result.line, result.name, result.passed) == ("x.yml", 11, "test 1 (line 11)", True)
    assert result.classification is not None
