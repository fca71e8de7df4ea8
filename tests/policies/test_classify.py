"""What a policy answers, and that it never answers yes when it is unsure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.classify import reclassify
from policies.model import Counters, Fixed, Recent
from reviews.model import Need, RiskClaim, RiskLevel, Tier, Verb
from tests.policies.example import NOW, policy, request, run

LIGHT = ("{tier: auto}", "{tier: sample, rate: 0.5, role: r}", "{tier: confirm}")


class Broken:
    """Counters whose source is gone."""

    def count(self, seconds: float) -> int:
        """Raise."""
        raise OSError("gone")

    def sum(self, seconds: float) -> float:
        """Raise."""
        raise OSError("gone")


def test_the_first_matching_rule_wins() -> None:
    """Of two rules that match, the earlier one routes."""
    subject = policy(
        """- {name: a, when: "true", route: {tier: approve, role: x}}
           - {name: b, when: "true", route: {tier: deny}}"""
    )
    found = run(subject)
    assert (found.route.tier, found.route.rule, found.violations) == (Tier.APPROVE, "a", ())


def test_nothing_matched_is_the_default() -> None:
    """Without a match the default holds, under its own name."""
    found = run(policy('- {name: a, when: "false", route: {tier: deny}}'))
    assert (found.route.rule, found.route.needs) == ("default", (Need(role="desk"),))


# ------------------------------------------------------------------------------------------ fail closed


@pytest.mark.parametrize("route", LIGHT)
@pytest.mark.parametrize("when", ["confidence >= 0.9", "args.missing == 1", '"text"', "1", "null", "args.n / 0 == 1"])
def test_a_failing_condition_never_grants_what_asks_nobody(route: str, when: str) -> None:
    """A condition that fails, or is no boolean, skips a rule of auto, sample or confirm."""
    subject = policy(f"- {{name: a, when: '{when}', route: {route}}}")
    found = run(subject, request("read", {"n": 1}))
    assert (found.route.tier, found.route.rule) == (Tier.APPROVE, "default")
    assert found.violations
    assert [step["then"] for step in found.trace if "then" in step] == ["skipped"]


@pytest.mark.parametrize("route", LIGHT)
def test_after_any_failure_a_person_is_asked(route: str) -> None:
    """A later rule that matches cannot grant what an earlier failure made unsure."""
    subject = policy(
        f"""- {{name: a, when: confidence > 0.9, route: {{tier: auto}}}}
            - {{name: b, when: "true", route: {route}}}"""
    )
    found = run(subject, request("read"))
    assert found.route.tier is Tier.APPROVE
    assert found.route.needs == (Need(role="desk"),)
    assert not found.drawn
    assert "unsure is never yes" in found.route.explanation


def test_another_failing_rule_is_kept_and_the_stricter_holds() -> None:
    """A failing dual holds against an approve found later; the trace says why."""
    subject = policy(
        """- {name: a, when: confidence < 0.5, route: {tier: dual, role: senior}}
           - {name: b, when: "true", route: {tier: approve, role: junior, sla: 1m}}"""
    )
    found = run(subject)
    assert found.route.tier is Tier.DUAL
    assert found.route.needs == (Need(role="senior"), Need(role="senior"), Need(role="junior"))
    assert found.route.sla == timedelta(minutes=1)
    assert [step["result"] for step in found.trace if step["step"] == "rule"] == ["failed", "matched"]
    assert any(
        step["step"] == "tightened" and "could not be evaluated, so the stricter route holds" in step["why"]
        for step in found.trace
    )


def test_a_failing_deny_denies() -> None:
    """The strictest failing rule holds, even against a match."""
    subject = policy(
        """- {name: a, when: args.country == "XX", route: {tier: deny}}
           - {name: b, when: "true", route: {tier: auto}}"""
    )
    assert run(subject, request("read")).route.tier is Tier.DENY


def test_a_failure_swallowed_by_a_logical_operator_is_none() -> None:
    """CEL's `false && error` is false: such a rule simply does not match."""
    subject = policy("""- {name: a, when: 'action.name == "x" && args.env == "p"', route: {tier: deny}}""")
    found = run(subject)
    assert (found.route.tier, found.violations) == (Tier.APPROVE, ())


@pytest.mark.parametrize("when", ["count(1h) < 5", "sum(amount, 24h) < 5", "!(count(1h) == 7)", "count(1h) != 3"])
def test_broken_counters_fail_the_condition(when: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A counter that cannot be read is a failure, whatever is made of its value, and prints nothing."""
    subject = policy(f'- {{name: a, when: "{when}", route: {{tier: auto}}}}')
    found = run(subject, request("pay", {"amount": 1}), counters=Broken())
    assert found.route.tier is Tier.APPROVE
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("weight", ["confidence * 2", '"much"', "-1.0", "1.0 / 0.0 - 1.0 / 0.0", "args.w"])
def test_a_failing_weight_means_drawn(weight: str) -> None:
    """No number of at least 0: the request is looked at, whatever the draw."""
    subject = policy(
        f"""- {{name: a, when: "true", route: {{tier: sample, rate: 0.01, weight: '{weight}', role: r}}}}"""
    )
    found = run(subject, draw=0.999)
    assert (found.route.tier, found.route.p, found.drawn) == (Tier.SAMPLE, 1.0, True)


@pytest.mark.parametrize("value", ["Ünïcode", 2**70, -(2**70), 1e308, [], {}, {"a": {"b": [1]}}, "\ud800", None])
def test_odd_arguments_never_raise(value: object) -> None:
    """What the engine cannot take fails the conditions that read it."""
    subject = policy("- {name: a, when: 'args.v == \"go\"', route: {tier: auto}}")
    assert run(subject, request("read", {"v": value})).route.tier is not Tier.AUTO


# ------------------------------------------------------------------------------------------ the catalogue


def test_an_unlisted_action_never_passes_by_itself() -> None:
    """Whatever the rule says, an action nobody listed is looked at."""
    for route in LIGHT[:2]:
        found = run(policy(f'- {{name: a, when: "true", route: {route}}}'), request("unheard.of"))
        assert (found.route.tier, found.route.listed) == (Tier.APPROVE, False)
        assert "not listed" in found.route.explanation


def test_a_raised_action_gets_the_defaults_people() -> None:
    """Without reviewers of its own a raised route takes the default's; where that names nobody, level 1."""
    rule = '- {name: a, when: "true", route: {tier: auto}}'
    assert run(policy(rule), request("x")).route.needs == (Need(role="desk"),)
    subject = policy(rule, default="default: {tier: deny}")
    assert run(subject, request("x")).route.needs == (Need(level=1),)
    assert run(subject, request("x")).route.chain


@pytest.mark.parametrize(
    ("action", "claimed", "effective"),
    [
        ("read", None, "low"),
        ("read", "high", "high"),
        ("wipe", "low", "critical"),
        ("unheard.of", "low", "medium"),
        ("unheard.of", "critical", "critical"),
    ],
)
def test_a_claim_only_raises_the_risk(action: str, claimed: str | None, effective: str) -> None:
    """Risk is the higher of the catalogue's and the claim."""
    level = None if claimed is None else RiskLevel(claimed)
    found = run(policy(), request(action, risk=RiskClaim(level=level)))
    assert found.route.risk == effective


@pytest.mark.parametrize(
    ("action", "claim", "effective"),
    [("read", None, True), ("read", True, True), ("read", False, False), ("pay", True, False), ("x", True, False)],
)
def test_irreversible_if_either_says_so(action: str, claim: bool | None, effective: bool) -> None:
    """An action is reversible only by the catalogue's word, and unless the agent denies it."""
    found = run(policy(), request(action, {"amount": 1}, reversible=claim))
    assert found.route.reversible is effective


@pytest.mark.parametrize(
    ("said", "claimed", "amount"), [(5, None, 5.0), (5, 9.0, 9.0), (9.5, 2.0, 9.5), (0, None, 0.0)]
)
def test_the_amount_is_read_where_the_catalogue_says(said: float, claimed: float | None, amount: float) -> None:
    """The arguments' amount counts; a claim can only raise it."""
    found = run(policy(), request("pay", {"amount": said}, risk=RiskClaim(amount=claimed)))
    assert (found.route.amount, found.violations) == (amount, ())


@pytest.mark.parametrize("said", ["180.00", -5, float("nan"), float("inf"), None, True, [1], 10**400])
def test_an_amount_that_is_none_fails_closed(said: object) -> None:
    """Absent, negative, not finite or no number: a failure, so nothing passes by itself."""
    subject = policy('- {name: a, when: "true", route: {tier: auto}}')
    found = run(subject, request("pay", {"amount": said}, risk=RiskClaim(amount=1.0)))
    assert (found.route.tier, found.route.amount) == (Tier.APPROVE, None)
    assert "amount" in found.violations[0]


def test_a_claimed_amount_or_confidence_out_of_bounds_fails_closed() -> None:
    """An agent cannot slip below a threshold with a negative amount or a confidence of 7."""
    subject = policy('- {name: a, when: "amount < 100 || confidence > 0.9", route: {tier: auto}}')
    assert run(subject, request("read", risk=RiskClaim(amount=-5.0))).route.tier is Tier.APPROVE
    assert run(subject, request("read", confidence=7.0)).route.tier is Tier.APPROVE
    anything = policy('- {name: a, when: "true", route: {tier: auto}}')
    assert run(anything, request("read", confidence=7.0)).violations == ("confidence is not between 0 and 1",)
    assert run(anything, request("read", confidence=-0.1)).route.tier is Tier.APPROVE
    assert run(subject, request("read", confidence=float("nan"))).route.tier is Tier.APPROVE


def test_sensitive_fields_are_the_catalogues_and_the_agents() -> None:
    """Catalogue pointers are made to start at the request's root."""
    found = run(policy(), request("pay", {"amount": 1}, sensitive=("/context/facts/Phone",)))
    assert found.route.sensitive == ("/action/arguments/iban", "/context/facts/Phone")


def test_the_catalogues_schema_wins() -> None:
    """Where the catalogue has a schema the agent's is not used; else the agent's is."""
    listed = "actions:\n  a: {risk: low, schema: {type: object, required: [x]}}\n  b: {risk: low}\n"
    subject = policy(actions=listed)
    assert run(subject, request("a", schema={"type": "string"})).route.schema == {"type": "object", "required": ["x"]}
    assert run(subject, request("b", schema={"type": "object"})).route.schema == {"type": "object"}


def test_confirm_is_for_low_and_medium_risk() -> None:
    """A confirmation of something critical becomes an approval."""
    subject = policy('- {name: a, when: "true", route: {tier: confirm}}')
    assert run(subject, request("write")).route.tier is Tier.CONFIRM
    raised = run(subject, request("wipe"))
    assert (raised.route.tier, raised.route.needs) == (Tier.APPROVE, (Need(role="desk"),))
    assert run(subject, request("write", risk=RiskClaim(level=RiskLevel.HIGH))).route.tier is Tier.APPROVE


def test_guides_come_from_the_rule_or_the_catalogue() -> None:
    """The rule's guide is the nearer one."""
    subject = policy("- {name: a, when: amount > 5, route: {tier: approve, role: r, guide: near}}")
    assert run(subject, request("pay", {"amount": 9})).route.guide == "near"
    assert run(subject, request("pay", {"amount": 1})).route.guide == "look twice"


def test_scopes_are_the_keys_and_the_requests() -> None:
    """Scopes only add up."""
    found = run(policy(), request(scopes=("payments",)), key_scopes=frozenset({"eu"}))
    assert found.route.scopes == {"payments", "eu"}


# ------------------------------------------------------------------------------------------ names and counters


def test_counters_include_the_request_itself() -> None:
    """Fifty refunds of 99 are seen: forty-nine before and this one."""
    subject = policy('- {name: a, when: "sum(amount, 24h) >= 4950 && count(1h) == 50", route: {tier: deny}}')
    at = [(NOW - timedelta(minutes=n), 99.0) for n in range(1, 50)]
    asked = request("pay", {"amount": 99})
    assert run(subject, asked, counters=Recent(rows=at, now=NOW)).route.tier is Tier.DENY
    assert run(subject, asked, counters=Recent(rows=at[1:], now=NOW)).route.tier is Tier.APPROVE
    assert subject.longest == timedelta(hours=24)


def test_recent_looks_back_as_far_as_asked() -> None:
    """A row at the edge counts, an older one does not; a row without an amount counts but adds nothing."""
    rows = [(NOW - timedelta(hours=1), 5.0), (NOW - timedelta(hours=1, seconds=1), 7.0), (NOW, None)]
    recent: Counters = Recent(rows=rows, now=NOW)
    assert (recent.count(3600), recent.sum(3600), recent.count(7200), recent.sum(7200)) == (2, 5.0, 3, 12.0)


@pytest.mark.parametrize(
    "when",
    [
        'action.name == "pay"',
        "args.amount == 5 && amount == 5.0",
        "confidence > 0.5",
        'risk.level == "medium" && risk.score < 0.5 && risk.amount == 5.0 && risk.domain == "legal"',
        "!reversible && listed",
        'review_type == "approval"',
        'validation.status == "ok"',
        'agent == "bot" && session_id == "s"',
        'metadata.k == "v"',
        "now.getHours() == 13 && now.getFullYear() == 2026",
        "!after_hours",
        "args.lines.exists(x, x.n > 1) && size(args.lines) == 2",
    ],
)
def test_every_name_is_there(when: str) -> None:
    """Each name of the language has the value of the request; `now` is the hour on the policy's wall."""
    more = 'timezone: Europe/Berlin\nbusiness_hours: {days: mon-fri, from: "09:00", to: "18:00"}'
    subject = policy(f"- {{name: a, when: '{when}', route: {{tier: deny}}}}", more=more)
    asked = request(
        "pay",
        {"amount": 5, "lines": [{"n": 1}, {"n": 2}]},
        confidence=0.8,
        risk=RiskClaim(score=0.2, domain="legal"),
        validation={"status": "ok"},
        session_id="s",
        metadata={"k": "v"},
    )
    assert run(subject, asked).route.tier is Tier.DENY


# ------------------------------------------------------------------------------------------ sampling, shadow


@given(rate=st.floats(0, 1), confidence=st.floats(0, 1), draw=st.floats(0, 1, exclude_max=True))
def test_the_chance_is_rate_times_weight_and_at_most_one(rate: float, confidence: float, draw: float) -> None:
    """p = min(1, rate × weight), and drawn is draw < p."""
    subject = policy(
        f'- {{name: a, when: "true", route: {{tier: sample, rate: {rate:f}, weight: (1 - confidence) * 20, role: r}}}}'
    )
    found = run(subject, request("read", confidence=confidence), draw=draw)
    assert found.route.p == pytest.approx(min(1.0, float(f"{rate:f}") * (1 - confidence) * 20))
    assert found.drawn is (draw < (found.route.p or 0))


def test_shadow_says_the_tier_that_would_have_been() -> None:
    """A rule or a policy in shadow keeps its tier and is let through by whoever carries it out."""
    rule = '- {name: a, mode: shadow, when: "true", route: {tier: dual, role: r}}'
    found = run(policy(rule))
    assert (found.route.tier, found.route.shadow) == (Tier.DUAL, True)
    assert run(policy(more="mode: shadow")).route.shadow
    assert not run(policy()).route.shadow


def test_a_failure_ends_the_shadow_of_a_rule() -> None:
    """A shadow rule cannot let through what a failing rule before it may have stopped."""
    subject = policy(
        """- {name: a, when: confidence < 0.5, route: {tier: deny}}
           - {name: b, mode: shadow, when: "true", route: {tier: approve, role: r}}"""
    )
    found = run(subject)
    assert (found.route.tier, found.route.shadow) == (Tier.DENY, False)
    light = policy(
        """- {name: a, when: confidence > 0.5, route: {tier: auto}}
           - {name: b, mode: shadow, when: "true", route: {tier: approve, role: r}}"""
    )
    assert not run(light).route.shadow


# ------------------------------------------------------------------------------------------ again


def test_a_new_revision_only_gets_stricter() -> None:
    """An edit below the threshold keeps the two persons the first proposal needed."""
    subject = policy("- {name: a, when: amount > 100, route: {tier: dual, role: senior, sla: 1m}}")
    first = run(subject, request("pay", {"amount": 500}))
    again = reclassify(
        subject, request("pay", {"amount": 5}), first.route, agent="bot", now=NOW, draw=0.5, counters=Fixed()
    )
    assert again.route.tier is Tier.DUAL
    assert again.route.needs == (Need(role="senior"), Need(role="senior"), Need(role="desk"))
    assert (again.route.amount, again.route.sla) == (5.0, timedelta(minutes=1))
    higher = reclassify(
        subject, request("pay", {"amount": 500}), again.route, agent="bot", now=NOW, draw=0.5, counters=Fixed()
    )
    assert higher.route.needs == again.route.needs


def test_a_revision_may_be_denied() -> None:
    """A later look can still say no."""
    subject = policy("- {name: a, when: amount > 100, route: {tier: deny}}")
    first = run(subject, request("pay", {"amount": 5}))
    args = {"agent": "bot", "now": NOW, "draw": 0.5, "counters": Fixed()}
    assert reclassify(subject, request("pay", {"amount": 500}), first.route, **args).route.tier is Tier.DENY


# ------------------------------------------------------------------------------------------ the trace


def test_the_trace_is_json_and_hides_what_is_sensitive() -> None:
    """Values read are told by path; sensitive ones are hidden, large ones described, absent ones null."""
    when = 'args.iban == "x" || args.lines == [] || confidence == 1.0 || args.note == "y" || args.env == "e"'
    subject = policy(f"- {{name: a, when: '{when}', route: {{tier: deny}}}}")
    asked = request("pay", {"amount": 1, "iban": "DE89", "lines": [1], "note": "n" * 500, "env": "e"})
    found = run(subject, asked)
    values = found.trace[0]["values"]
    assert (values["args.iban"], values["args.lines"]) == ("(hidden)", "(a list of 1)")
    assert (values["confidence"], values["args.env"], len(values["args.note"])) == (None, "e", 121)
    assert "DE89" not in str(found.trace)
    assert found.trace[-1] == {
        "step": "route", "tier": "deny", "rule": "a", "p": None, "drawn": False, "shadow": False,
    }  # fmt: skip


def test_the_answer_names_its_policy() -> None:
    """A classification carries name, version and hash."""
    subject = policy()
    assert run(subject).policy == subject.ref == f"example@1#sha256:{subject.sha256[:12]}"


def test_human_only_is_answered() -> None:
    """Where a person does it, they answer; there is nothing to approve or edit."""
    found = run(policy('- {name: a, when: "true", route: {tier: human_only, role: r}}'))
    assert found.route.allowed == (Verb.ANSWER, Verb.REJECT, Verb.REQUEST_CHANGES)


def test_after_hours_follows_the_calendar() -> None:
    """The same action at noon and at night."""
    more = 'timezone: Europe/Berlin\nbusiness_hours: {days: mon-fri, from: "09:00", to: "18:00", holidays: DE}'
    subject = policy("- {name: a, when: after_hours, route: {tier: dual, role: r}}", more=more)
    assert run(subject, now=NOW).route.tier is Tier.APPROVE
    assert run(subject, now=datetime(2026, 3, 4, 20, tzinfo=UTC)).route.tier is Tier.DUAL
    assert run(subject, now=datetime(2026, 12, 25, 12, tzinfo=UTC)).route.tier is Tier.DUAL


def test_classifying_changes_nothing() -> None:
    """The same question twice has the same answer, and the request is as it was."""
    subject, asked = policy('- {name: a, when: "args.n > 1", route: {tier: deny}}'), request(arguments={"n": 3})
    before = replace(asked)
    assert run(subject, asked) == run(subject, asked)
    assert asked == before
