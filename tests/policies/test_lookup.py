"""What is worked out when a policy is loaded changes no answer: everything else is as if each rule were evaluated."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.conditions import compile_condition
from policies.model import Classification, Counters, Fixed, Policy
from reviews.model import RiskClaim, RiskLevel
from tests.policies.example import policy, request, run
from tests.policies.test_classify import Broken

NAMES = ("pay", "read", "x", "unheard.of", "ü", "\ud800", "")
HEADS = (
    'action.name == "pay"',
    "action.name == 'read'",
    'action.name in ["pay", "x"]',
    "action.name in []",
    'action.name != "pay"',
    "action.name == '''pay'''",
    r'action.name == "p\x61y"',
    'action.name == "ü"',
    '(action.name == "pay")',
    '!(action.name == "pay")',
    'action.name == "pay" == listed',
    'action.name in ["pay"] + args.names',
    '"pay" == action.name',
)
OTHERS = (
    *HEADS,
    "args.n > 1",
    'args.env == "production"',
    "size(args) > 2",
    'args["n"] == 1 || "env" in args',
    "args.lines.exists(x, x.n > 1)",
    "args.lines.exists(amount, amount.n > 1)",
    "args.exists(args, args == 'n')",
    "[1].exists(action, action == 1)",
    "has(args.env) && has(metadata.k)",
    'metadata.k == "v"',
    "metadata == {}",
    'validation.status == "ok"',
    'risk.level == "high"',
    "has(risk.score) && risk.score > 0.5",
    'risk == {"level": "low"}',
    "amount > 100.0",
    "confidence > 0.5",
    "confidence > 0.5 ? listed : reversible",
    "count(1h) > 5",
    "sum(amount, 24h) > 100.0",
    'agent.count("x") == 1',
    r'r"\" == "/" || listed',
    '"a || b" == agent',
    "1",
    '"text"',
    "args.n / 0 == 1",
    "after_hours",
    "now.getHours() == 12",
    "true",
    "listed // || true\n",
)
TIERS = ("{tier: auto}", "{tier: sample, rate: 0.5, weight: (1 - confidence) * 2, role: r}", "{tier: deny}",
         "{tier: confirm}", "{tier: approve, role: r}", "{tier: dual, role: r}")  # fmt: skip
HOURS = 'business_hours: {days: mon-fri, from: "09:00", to: "18:00"}'


def plainly(subject: Policy) -> Policy:
    """The same policy with every rule evaluated for every action, on all there is of each value."""
    lookup = subject.lookup
    bare = replace(lookup, of_action=MappingProxyType({}), others=lookup.every, fields=MappingProxyType({}))
    return replace(subject, lookup=bare)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """An expression, often one that begins with the name of the action."""
    parts = draw(st.lists(st.sampled_from(OTHERS), max_size=3))
    joint = draw(st.lists(st.sampled_from((" && ", " || ", " &&\n", " && !")), min_size=3, max_size=3))
    wrapped = [f"({part})" if draw(st.booleans()) and "//" not in part else part for part in parts]
    head = draw(st.sampled_from(HEADS))
    return head + "".join(operator + part for operator, part in zip(joint, wrapped, strict=False))


def written(whens: list[str], tiers: list[str]) -> Policy:
    """A policy with a rule for each condition."""
    rules = "".join(
        f"  - name: rule {n}\n    when: |\n      {when.replace(chr(10), chr(10) + '      ')}\n    route: {tier}\n"
        for n, (when, tier) in enumerate(zip(whens, tiers, strict=True))
    )
    return policy(more=f"{HOURS}\nrules:\n{rules}")


ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.sampled_from((0, 1, 2, "2", None)),
        "env": st.sampled_from(("production", "staging", 7)),
        "lines": st.sampled_from(([], [{"n": 2}], [{"m": 2}], "text")),
        "names": st.sampled_from(([], ["x"], None)),
        "amount": st.sampled_from((5, 500.0, "5", None)),
        "extra": st.just({"deep": [1, "a", None]}),
    },
)


@settings(deadline=None)
@given(
    rules=st.lists(st.tuples(conditions(), st.sampled_from(TIERS)), min_size=1, max_size=6),
    name=st.sampled_from(NAMES),
    arguments=ARGUMENTS,
    confidence=st.sampled_from((None, 0.2, 0.9)),
    level=st.sampled_from((None, RiskLevel.HIGH)),
    score=st.sampled_from((None, 0.7)),
    metadata=st.sampled_from(({}, {"k": "v"}, {"other": 1})),
    validation=st.sampled_from((None, {"status": "ok"})),
    counters=st.sampled_from((Fixed(), Fixed(counted=9, summed=500.0), Broken())),
)
def test_every_answer_is_as_if_all_were_evaluated(
    rules: list[tuple[str, str]],
    name: str,
    arguments: dict[str, Any],
    confidence: float | None,
    level: RiskLevel | None,
    score: float | None,
    metadata: dict[str, Any],
    validation: dict[str, Any] | None,
    counters: Counters,
) -> None:
    """Rules passed over unseen, values left out of CEL: route, trace and violations are the same, failures too."""
    subject = written([when for when, _ in rules], [tier for _, tier in rules])
    asked = request(
        name,
        arguments,
        confidence=confidence,
        risk=RiskClaim(level=level, score=score),
        metadata=metadata,
        validation=validation,
    )
    assert run(subject, asked, counters=counters) == run(plainly(subject), asked, counters=counters)


@pytest.mark.parametrize(
    ("source", "only"),
    [
        ('action.name == "a"', {"a"}),
        ("action . name=='a'&&args.n > 1 && (listed || reversible ? true : false)", {"a"}),
        ('action.name in ["a", "b",] && count(1h) > 5', {"a", "b"}),
        ('action.name in [ ] // none\n && args.x == "||"', set()),
    ],
)
def test_a_condition_for_some_actions_alone_is_told_from_its_text(source: str, only: set[str]) -> None:
    """Where the action's name comes first and all else is joined by `&&`, the actions it can be true for are known."""
    found = compile_condition(source)
    assert found.rest is not None
    assert found.only == only
    assert "action" not in found.rest.variables


@pytest.mark.parametrize(
    "source",
    [
        'action.name == "a" || listed',
        'action.name == "a" && listed || reversible',
        'action.name == "a" && listed ? false : true',
        'action.name == "a" == false',
        'action.name == "a" + agent',
        'action.name == "a".size()',
        'action.name in ["a"] + args.more',
        'action.name in ["a", agent]',
        'action.name in [["a"]]',
        r'action.name == "\x61"',
        'action.name == r"a"',
        'action.name == """a"""',
        r'action.name == "a" && args.p == r"\" || agent == r"\"',
        'listed && action.name == "a"',
        '!(action.name == "a")',
        'action.name == "a" && [1].exists(action, action == 1)',
        'action.name != "a"',
    ],
)
def test_any_doubt_leaves_a_condition_to_be_evaluated(source: str) -> None:
    """What is not surely false for other actions, or not surely what it looks like, is asked of every action."""
    assert compile_condition(source).rest is None


class Once:
    """Counters that note each look at them."""

    def __init__(self) -> None:
        self.looks = 0

    def count(self, seconds: float) -> int:
        """Note the look."""
        self.looks += 1
        return 0

    def sum(self, seconds: float) -> float:
        """Note the look."""
        self.looks += 1
        return 0.0


def of(subject: Policy, name: str) -> list[int]:
    """The places of the rules evaluated for an action."""
    return [place for place, _ in subject.lookup.candidates(name)]


def test_rules_of_other_actions_are_not_evaluated_and_still_told() -> None:
    """The trace says of each rule reached that it did not match, and what it read; of later rules nothing."""
    whens = [
        'action.name == "pay" && args.a == 1',
        "args.b == 1",
        'action.name == "read" && args.c == 1',
        "args.d == 1",
    ]
    subject = written(whens, ["{tier: deny}"] * 4)
    assert (of(subject, "pay"), of(subject, "read"), of(subject, "x")) == ([0, 1, 3], [1, 2, 3], [1, 3])
    assert of(subject, "ü") == [0, 1, 2, 3]
    found: Classification = run(subject, request("read", {"a": "A", "b": 0, "c": 1, "d": 1}))
    assert [(s["rule"], s["result"]) for s in found.trace if s["step"] == "rule"] == [
        ("rule 0", "not matched"), ("rule 1", "not matched"), ("rule 2", "matched"),
    ]  # fmt: skip
    assert found.trace[0]["values"] == {"action.name": "read", "args.a": "A", "args.b": 0, "args.c": 1}


def test_counters_are_looked_at_only_where_a_condition_comes_to_them() -> None:
    """A rule of another action costs no look."""
    subject = written(['action.name == "pay" && count(1h) > 5', "listed && count(2h) > 5"], ["{tier: deny}"] * 2)
    counters = Once()
    run(subject, request("read"), counters=counters)
    assert counters.looks == 1


def test_an_object_is_read_in_part_only_where_no_rule_reads_it_whole() -> None:
    """A key nobody reads is not turned into CEL; one reader of the whole brings all of it back."""
    part = written(["args.a == 1 && has(args.b.c)", 'action.name == "x"'], ["{tier: deny}"] * 2)
    assert part.lookup.fields == {"args": {"a", "b"}}
    for whole in ("size(args) == 1", 'args["z"] == 1', "args.lines.exists(args, args == 1)"):
        assert written(["args.a == 1", whole], ["{tier: deny}"] * 2).lookup.fields == {}


def test_the_weight_of_the_default_reads_what_it_needs() -> None:
    """A default that is a sample reads values no rule does."""
    rule = "- {name: a, when: args.a == 1, route: {tier: deny}}"
    subject = policy(rule, default="default: {tier: sample, rate: 0.1, weight: args.w, role: r}")
    assert run(subject, request("read", {"a": 2, "w": 5.0})).route.p == 0.5
