"""What is asked in the whole ways of who may decide, whatever the chat."""

from __future__ import annotations

from typing import Any

from reviews.keeping import Query, Tx
from reviews.model import Review

POLICY = """
policy: decides
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount}
  note.add: {risk: low, reversible: true}
  migrate: {risk: medium, reversible: true}
rules:
  - {name: a note, when: 'action.name == "note.add"', route: {tier: auto}}
  - {name: a migration, when: 'action.name == "migrate"', route: {tier: approve, role: manager, undo: 1m}}
default: {tier: approve, role: manager, sla: 1h}
"""
RIGHTS = ["stop", "break_glass", "appeal"]
NOTE: dict[str, Any] = {"action": {"name": "note.add", "arguments": {"text": "Called back."}}}
STEPS = ["stop writes", "copy", "drop the old table"]
PLAN: dict[str, Any] = {"action": {"name": "migrate", "arguments": {"steps": STEPS}}, "review_type": "plan"}


def linked(tx: Tx, review: str) -> Review | None:
    """The review that follows from one, once it is there."""
    return next((found for found in tx.find(Query()) if found.about == review), None)
