"""The policy's own tests: each case classified and compared with what it expects. The same engine as the real thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policies import durations
from policies.classify import classify
from policies.errors import RequestFault
from policies.given import request_from
from policies.model import Case, Classification, Fixed, Policy
from reviews.model import Object, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """How one case went. `wrong` holds a sentence for each thing that is not as expected; empty when it passed."""

    __test__ = False  # the name is not pytest's to collect

    name: str
    file: str
    line: int
    wrong: tuple[str, ...] = ()
    classification: Classification | None = None

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.wrong


def run_tests(policy: Policy) -> list[TestResult]:
    """Run the `tests:` of a policy, in order."""
    return [_run(policy, case) for case in policy.tests]


def _run(policy: Policy, case: Case) -> TestResult:
    try:
        request = request_from(case.given)
    except RequestFault as fault:
        return TestResult(name=case.name, file=case.file, line=case.line, wrong=(f"given: {fault}",))
    counters = Fixed(counted=case.count, summed=case.sum)
    found = classify(policy, request, agent=case.agent, now=case.at, draw=case.draw, counters=counters)
    have = _plain(found)
    wrong = [
        f"{key}: expected {wanted!r}, got {have[key]!r}"
        for key, wanted in case.expect.items()
        if not _agrees(key, have[key], wanted)
    ]
    return TestResult(name=case.name, file=case.file, line=case.line, wrong=tuple(wrong), classification=found)


def _plain(found: Classification) -> Object:
    """What a case may expect, in the words of the policy file."""
    route = found.route
    return {
        "tier": str(route.tier),
        "role": _single(route, "role"),
        "level": _single(route, "level"),
        "needs": [{"role": n.role} if n.role is not None else {"level": n.level} for n in route.needs],
        "order": str(route.order),
        "sla": None if route.sla is None else durations.show(route.sla),
        "chain": route.chain_name or None,
        "rule": route.rule,
        "allowed": [str(verb) for verb in route.allowed],
        "risk": str(route.risk),
        "reversible": route.reversible,
        "shadow": route.shadow,
        "p": route.p,
        "drawn": found.drawn,
        "undo": durations.show(route.undo) if route.undo else None,
        "assign": "one" if route.assign_one else None,
    }


def _single(route: Route, field: str) -> Any:
    """The one role or level all slots share, or None."""
    values = {getattr(need, field) for need in route.needs}
    return values.pop() if len(values) == 1 else None


def _agrees(key: str, have: Any, wanted: Any) -> bool:
    match key:
        case "sla" | "undo" if wanted is not None:
            span = durations.parse(str(wanted))
            return span is not None and durations.show(span) == have
        case "p" if isinstance(wanted, (int, float)) and have is not None:
            return bool(abs(have - wanted) < 1e-9)
        case "allowed" if isinstance(wanted, list):
            return set(have) == set(wanted)
        case _:
            return bool(have == wanted)
