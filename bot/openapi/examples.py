"""What the document shows: one refund, from the question to the redeemed approval. A test checks them."""

from __future__ import annotations

from reviews.digest import action_digest
from reviews.model import Object

_ARGUMENTS: Object = {"order": "A-4721", "amount": 180.0, "currency": "USD"}
_EDITED: Object = {**_ARGUMENTS, "amount": 120.0}
_ACTION: Object = {"name": "refund.issue", "arguments": _ARGUMENTS}
_ID = "rev_01a2002eb15179adaa60b3a0b9ceb26e"
DIGEST = action_digest("refund.issue", _EDITED)

REQUEST: Object = {
    "action": _ACTION,
    "subject": "order:A-4721",
    "summary": "Refund order A-4721, parcel lost",
    "confidence": 0.62,
    "context": {"goal": "Make it right for the customer", "facts": {"Customer since": "2019"}},
    "evidence": [{"title": "Carrier status", "snippet": "lost in transit", "score": 0.93}],
    "callback_url": "https://agent.example.com/hooks/placet",
    "metadata": {"run": 17},
}
REVISION: Object = {"action": {"arguments": _EDITED}, "summary": "Refund two thirds of order A-4721", "supersedes": 1}

_ROUTE: Object = {
    "tier": "approve",
    "needs": [{"role": "manager"}],
    "order": "any",
    "risk": "medium",
    "reversible": False,
    "rule": "default",
    "explanation": "No rule matched, so the default asks a manager.",
    "allowed_decisions": ["approve", "edit", "reject", "request_changes"],
    "sla_seconds": 3600.0,
    "valid_for_seconds": 900.0,
    "undo_seconds": 0.0,
    "shadow": False,
}
PENDING: Object = {
    "id": _ID,
    "seq": 1,
    "agent": "refund-desk",
    "status": "pending",
    "held": False,
    "instruction": None,
    "revision": 1,
    "action": _ACTION,
    "subject": "order:A-4721",
    "review_type": "approval",
    "digest": action_digest("refund.issue", _ARGUMENTS),
    "request_digest": "792813692da67e2b967bef356f59cd5bdc9c7a9af59ad79bbc29e7ca4b1a6d18",
    "route": _ROUTE,
    "policy": "demo@1#sha256:b1bc6b93db6f537da21821c8138fdd140ddefdaec0b3c7d0e124fa3fec56ad74",
    "created_at": "2026-11-21T09:00:00.000Z",
    "deadline_at": "2026-11-21T10:00:00.000Z",
    "reply_by": None,
    "about": None,
    "relation": None,
    "appeal": None,
    "assigned": [],
    "task_id": None,
    "correlation_id": None,
    "session_id": None,
    "metadata": {"run": 17},
    "changes_requested": [],
    "decision": None,
    "grant": None,
    "outcomes": [],
    "sandbox": False,
    "links": {
        "self": f"https://placet.example.com/v1/reviews/{_ID}",
        "page": f"https://placet.example.com/reviews/{_ID}",
        "about": None,
        "appeal": None,
    },
}
_SEAT: Object = {
    "person": "ana",
    "name": "Ana Ruiz",
    "role": "manager",
    "slot": 0,
    "surface": "slack",
    "at": "2026-11-21T09:04:31.000Z",
}
APPROVED: Object = {
    **PENDING,
    "status": "approved",
    "revision": 2,
    "action": {"name": "refund.issue", "arguments": _EDITED},
    "digest": DIGEST,
    "decision": {
        "verdict": "approved",
        "cause": "human",
        "action": {"name": "refund.issue", "arguments": _EDITED},
        "edited": True,
        "changes": [{"op": "replace", "path": "/amount", "value": 120.0}],
        "reason": "Shipping is not refunded.",
        "notes": None,
        "answer": None,
        "comments": [],
        "by": [_SEAT],
        "policy": PENDING["policy"],
        "decided_at": "2026-11-21T09:04:31.000Z",
        "valid_until": "2026-11-21T09:19:31.000Z",
        "digest": DIGEST,
        "receipt": None,
        "checkpoint": None,
    },
    "grant": {
        "state": "open",
        "usable_from": None,
        "valid_until": "2026-11-21T09:19:31.000Z",
        "redemption_id": None,
        "at": None,
    },
}
_USED: Object = {
    "state": "used",
    "usable_from": None,
    "valid_until": "2026-11-21T09:19:31.000Z",
    "redemption_id": "red_e67a077481d520b37e72e44f16448a9d",
    "at": "2026-11-21T09:04:32.000Z",
}
REDEEMED: Object = {"redemption_id": _USED["redemption_id"], "review": {**APPROVED, "grant": _USED}}
CALLBACK: Object = {"type": "review.decided", "timestamp": "2026-11-21T09:04:31.000Z", "data": APPROVED}
