"""What an agent asks for makes a route stricter, or nothing. So do two routes together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.load import load_text
from policies.model import Known
from policies.tighten import stricter
from reviews.model import (
    ALL_DECISIONS,
    Need,
    Order,
    ReviewType,
    RiskLevel,
    Route,
    Rung,
    Tier,
    Verb,
)
from tests.policies.example import policy, request, run

AUTO = '- {name: a, when: "true", route: {tier: auto}}'
SAMPLE = '- {name: a, when: "true", route: {tier: sample, rate: 1, role: junior}}'
DENY = '- {name: a, when: "true", route: {tier: deny}}'


@pytest.mark.parametrize("rule", [AUTO, SAMPLE, '- {name: a, when: "true", route: {tier: confirm}}'])
def test_asking_for_a_role_raises_to_approve_by_it(rule: str) -> None:
    """Where nobody of a role was needed, the role asked for is."""
    found = run(policy(rule), request("read", reviewer_role="manager"))
    assert (found.route.tier, found.route.needs, found.drawn) == (Tier.APPROVE, (Need(role="manager"),), False)
    assert found.route.p is None
    assert "the agent asks for a manager" in found.route.explanation


def test_a_role_asked_for_is_a_further_slot() -> None:
    """Two persons are two persons: the tier says dual."""
    found = run(policy(), request(reviewer_role="manager"))
    assert (found.route.tier, found.route.needs) == (Tier.DUAL, (Need(role="desk"), Need(role="manager")))


def test_a_role_needed_already_changes_nothing() -> None:
    """Asking for whom the policy asks is not asking twice."""
    found = run(policy(), request(reviewer_role="desk"))
    assert (found.route.tier, found.route.needs) == (Tier.APPROVE, (Need(role="desk"),))


def test_a_role_nobody_has_is_kept_and_told() -> None:
    """Fail closed: the slot stays, and the violation says why nobody will fill it."""
    text = "policy: p\nversion: 1\ndefault: {tier: approve, role: desk}"
    found = run(load_text(text, known=Known(roles=frozenset({"desk"}))), request(reviewer_role="pope"))
    assert Need(role="pope") in found.route.needs
    assert any("'pope'" in text for text in found.violations)


@pytest.mark.parametrize("kind", [ReviewType.PLAN, ReviewType.HANDOFF])
@pytest.mark.parametrize("rule", [AUTO, SAMPLE])
def test_a_plan_or_a_handoff_asks_a_person(kind: ReviewType, rule: str) -> None:
    """Asking for a plan's review or a handoff raises auto and sample to approve by the default's people."""
    found = run(policy(rule), request("read", review_type=kind))
    assert (found.route.tier, found.route.needs) == (Tier.APPROVE, (Need(role="desk"),))


def test_a_handoff_may_be_answered() -> None:
    """Who takes a handoff may do it themselves; a plan may not be answered."""
    assert Verb.ANSWER in run(policy(), request(review_type=ReviewType.HANDOFF)).route.allowed
    assert Verb.ANSWER not in run(policy(), request(review_type=ReviewType.PLAN)).route.allowed


def test_feedback_never_lowers_a_tier() -> None:
    """Where the policy asks beforehand, the wish to be looked at afterwards is a violation."""
    found = run(policy(), request(review_type=ReviewType.FEEDBACK))
    assert found.route.tier is Tier.APPROVE
    assert "feedback" in found.violations[0]
    light = run(policy(AUTO), request("read", review_type=ReviewType.FEEDBACK))
    assert (light.route.tier, light.violations) == (Tier.AUTO, ())


def test_only_edit_and_request_changes_can_be_left_out() -> None:
    """Approving and rejecting stay; nothing can be added; what was refused is told."""
    wish = (Verb.APPROVE, Verb.BREAK_GLASS)
    found = run(policy(), request(allowed_decisions=wish))
    assert found.route.allowed == (Verb.APPROVE, Verb.REJECT)
    assert any("reject stays" in text for text in found.violations)
    assert any("break_glass is not open" in text for text in found.violations)
    assert run(policy(), request(allowed_decisions=ALL_DECISIONS)).route.allowed == ALL_DECISIONS


def test_a_handoff_keeps_its_answer_without_a_word() -> None:
    """Nobody can ask for an answer by name, so a list without it leaves nothing out."""
    found = run(policy(), request(review_type=ReviewType.HANDOFF, allowed_decisions=(Verb.APPROVE, Verb.REJECT)))
    assert (set(found.route.allowed), found.violations) == ({Verb.APPROVE, Verb.REJECT, Verb.ANSWER}, ())


CHAIN = """chains:
  c:
    - {after: 0m, notify: channel:role}
    - {after: 10m, notify: role:boss}
    - {after: 1h, then: expire}
"""


@pytest.mark.parametrize(
    ("seconds", "after"), [(60, 60), (600, 600), (6000, 600), (0, 0), (-1, 600), (float("nan"), 600)]
)
def test_escalation_takes_the_minimum(seconds: float, after: float) -> None:
    """The first rung that waits rings no later than the agent asks; what is no time has no effect."""
    subject = policy(default="default: {tier: approve, role: desk, chain: c}", more=CHAIN)
    found = run(subject, request(escalate_after_seconds=seconds))
    assert [rung.after.total_seconds() for rung in found.route.chain] == [0, after, 3600]


def test_deny_stays_deny() -> None:
    """No wish changes a no."""
    asked = request("read", reviewer_role="x", review_type=ReviewType.HANDOFF, allowed_decisions=(Verb.APPROVE,))
    found = run(policy(DENY), asked)
    assert (found.route.tier, found.route.needs) == (Tier.DENY, ())


def test_human_only_keeps_its_answer() -> None:
    """Whatever is left out, the person may answer or reject."""
    rule = '- {name: a, when: "true", route: {tier: human_only, role: r}}'
    found = run(policy(rule), request(allowed_decisions=(Verb.APPROVE,), reviewer_role="s"))
    assert found.route.allowed == (Verb.ANSWER, Verb.REJECT)
    assert (found.route.tier, len(found.route.needs)) == (Tier.HUMAN_ONLY, 2)


# ------------------------------------------------------------------------------------------ two routes

needs = st.lists(st.sampled_from([Need(role="a"), Need(role="b"), Need(level=2)]), min_size=1, max_size=3)
spans = st.none() | st.integers(1, 99).map(lambda n: timedelta(minutes=n))


@st.composite
def routes(draw: st.DrawFn) -> Route:
    """Any route a policy can make."""
    tier = draw(st.sampled_from(list(Tier)))
    slotted = tier in (Tier.APPROVE, Tier.DUAL, Tier.HUMAN_ONLY)
    slots = tuple(draw(needs)) if slotted else ()
    if tier is Tier.APPROVE:
        slots = slots[:1]
    base = (Verb.ANSWER, Verb.REJECT, Verb.REQUEST_CHANGES) if tier is Tier.HUMAN_ONLY else ALL_DECISIONS
    left = draw(st.sets(st.sampled_from([Verb.EDIT, Verb.REQUEST_CHANGES])))
    return Route(
        tier=tier,
        needs=slots,
        order=draw(st.sampled_from(list(Order))),
        sla=draw(spans),
        valid_for=timedelta(minutes=draw(st.integers(1, 99))),
        allowed=tuple(verb for verb in base if verb not in left),
        risk=draw(st.sampled_from(list(RiskLevel))),
        reversible=draw(st.booleans()),
        sensitive=tuple(draw(st.sets(st.sampled_from("abc")))),
        scopes=frozenset(draw(st.sets(st.sampled_from("xyz")))),
        listed=draw(st.booleans()),
        p=draw(st.floats(0, 1)) if tier is Tier.SAMPLE else None,
        shadow=draw(st.booleans()),
    )


def at_least_as_strict(joint: Route, one: Route) -> None:
    """Assert that nothing of `one` was loosened."""
    assert joint.tier.strictness >= one.tier.strictness
    if joint.tier in (Tier.APPROVE, Tier.DUAL, Tier.HUMAN_ONLY):
        for need in set(one.needs):
            assert joint.needs.count(need) >= one.needs.count(need)
    assert joint.order is Order.SEQUENCE or one.order is Order.ANY
    assert one.sla is None or (joint.sla is not None and joint.sla <= one.sla)
    assert joint.valid_for <= one.valid_for
    assert joint.risk.rank >= one.risk.rank
    assert set(joint.sensitive) >= set(one.sensitive)
    assert joint.scopes >= one.scopes
    assert one.listed or not joint.listed
    assert one.reversible or not joint.reversible
    assert one.shadow or not joint.shadow
    if one.tier is not Tier.HUMAN_ONLY:
        assert Verb.EDIT in one.allowed or Verb.EDIT not in joint.allowed
    assert Verb.REQUEST_CHANGES in one.allowed or Verb.REQUEST_CHANGES not in joint.allowed


@given(routes(), routes())
def test_two_routes_together_loosen_nothing(a: Route, b: Route) -> None:
    """The joint route is at least as strict as each, in every respect, and somebody may still say yes."""
    joint = stricter(a, b)
    at_least_as_strict(joint, a)
    at_least_as_strict(joint, b)
    yes = Verb.ANSWER if joint.tier is Tier.HUMAN_ONLY else Verb.APPROVE
    assert yes in joint.allowed
    assert Verb.REJECT in joint.allowed


@given(routes())
def test_a_route_with_itself_is_itself(a: Route) -> None:
    """Joining is idempotent for every route a policy can make, but for two slots, which are dual."""
    wanted = replace(a, tier=Tier.DUAL) if a.tier is Tier.APPROVE and len(a.needs) > 1 else a
    assert stricter(a, a) == wanted


def test_the_chain_of_the_stricter_tier_is_kept() -> None:
    """A joint route never loses its ladder."""
    ladder = (Rung(after=timedelta(0), notify=("role:x",)),)
    light, strict = Route(tier=Tier.APPROVE, chain=ladder, chain_name="c"), Route(tier=Tier.DUAL)
    assert stricter(light, strict).chain == ladder
    other = replace(strict, chain=(Rung(after=timedelta(0), notify=("role:y",)),), chain_name="d")
    assert stricter(light, other).chain_name == "d"


def test_what_rests_longer_is_stricter() -> None:
    """Of two routes the longer time to take an approval back holds; a raised one keeps the default's."""
    short, long = Route(tier=Tier.APPROVE, undo=timedelta(seconds=5)), Route(tier=Tier.DUAL, undo=timedelta(0))
    assert stricter(short, long).undo == stricter(long, short).undo == timedelta(seconds=5)
    raised = run(
        policy(AUTO, default="default: {tier: approve, role: desk, undo: 9s, assign: one}"), request("unheard")
    )
    assert (raised.route.undo, raised.route.assign_one) == (timedelta(seconds=9), True)
