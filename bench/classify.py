"""How long classifying takes: 100 rules, none of which matches before the last. Prints a `name: number` line.

Run from the project's root: `python -m bench.classify`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from statistics import median

from policies.classify import classify
from policies.load import load_text
from policies.model import Fixed, Policy
from reviews.model import Action, Request, RiskClaim

RULES = 100
ROUNDS = 2_000
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def policy() -> Policy:
    """A policy of 100 rules with three kinds of conditions."""
    kinds = (
        'action.name == "action.{n}" && args.env == "production"',
        'action.name == "action.{n}" && amount != null && sum(amount, 24h) > {n}',
        'risk.level == "critical" && confidence < 0.{n} && args.count > {n}',
    )
    rules = "".join(
        f"  - name: rule {n}\n    when: '{kinds[n % 3].format(n=n)}'\n    route: {{tier: approve, role: r{n}}}\n"
        for n in range(RULES)
    )
    head = "policy: bench\nversion: 1\nactions:\n  pay: {risk: medium, reversible: true, amount: /amount}\n"
    return load_text(f"{head}rules:\n{rules}default: {{tier: approve, role: desk}}\n")


def request() -> Request:
    """A request of ordinary size."""
    arguments = {"env": "staging", "amount": 42.5, "count": 3, "lines": [{"sku": f"s{n}", "n": n} for n in range(20)]}
    return Request(
        action=Action(name="pay", arguments=arguments), confidence=0.8, risk=RiskClaim(score=0.2), subject="order:1"
    )


def classify_ms() -> float:
    """The median time of one classification, in milliseconds."""
    subject, asked = policy(), request()
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        classify(subject, asked, agent="bench", now=NOW, draw=0.5, counters=Fixed())
        spent.append((time.perf_counter() - start) * 1e3)
    return median(spent)


if __name__ == "__main__":
    print(f"classify_{RULES}_rules_p50_ms: {classify_ms():.3f}")
