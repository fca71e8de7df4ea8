"""Policies and requests the tests of this folder share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from policies.classify import classify
from policies.load import load_text
from policies.model import Classification, Counters, Fixed, Policy
from reviews.model import Action, Request

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday

ACTIONS = """
actions:
  read: {risk: low, reversible: true}
  write: {risk: medium, reversible: true}
  pay: {risk: medium, reversible: false, amount: /amount, sensitive: [/iban], guide: look twice}
  wipe: {risk: critical, reversible: false}
"""
DEFAULT = "default: {tier: approve, role: desk}"


def policy(rules: str = "", *, default: str = DEFAULT, more: str = "", actions: str = ACTIONS) -> Policy:
    """A policy with these rules, each a line `- {name: …}`."""
    listed = "rules:\n" + "\n".join(f"  {line.strip()}" for line in rules.strip().splitlines()) if rules else ""
    return load_text(f"policy: example\nversion: 1\n{more}\n{actions}\n{listed}\n{default}\n")


def request(name: str = "write", arguments: dict[str, Any] | None = None, **fields: Any) -> Request:
    """A request for an action."""
    known = {"reversible", "schema"} & fields.keys()
    action = Action(name=name, arguments=arguments or {}, **{key: fields.pop(key) for key in known})
    return replace(Request(action=action), **fields)


def run(
    subject: Policy,
    asked: Request | None = None,
    *,
    now: datetime = NOW,
    draw: float = 0.5,
    counters: Counters | None = None,
    key_scopes: frozenset[str] = frozenset(),
    agent: str = "bot",
) -> Classification:
    """Classify with circumstances that do not matter."""
    return classify(
        subject,
        asked or request(),
        agent=agent,
        now=now,
        draw=draw,
        counters=counters or Fixed(),
        key_scopes=key_scopes,
    )
