"""Valid values made quickly: name only what a test is about."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from reviews.digest import action_digest, sha256
from reviews.model import (
    Action,
    Ladder,
    Need,
    Object,
    Proposal,
    Request,
    Review,
    Route,
    Rung,
    Schedule,
    Tier,
    Verb,
    Vote,
)

#: When everything made here begins, unless said otherwise.
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ARGUMENTS: Object = {"order": "A-4721", "amount": 180.0, "currency": "USD"}
CHAIN = (
    Rung(after=timedelta(0), notify=("channel:role",)),
    Rung(after=timedelta(minutes=10), notify=("person:bo",), via=("dm",)),
)

_ids = itertools.count(1)


def a_request(**overrides: Any) -> Request:
    """A request to refund an order; `name` and `arguments` are the action's."""
    action = Action(name=overrides.pop("name", "refund.issue"), arguments=overrides.pop("arguments", dict(ARGUMENTS)))
    return Request(**({"action": action, "subject": "order:A-4721", "summary": "Refund order A-4721"} | overrides))


def a_route(**overrides: Any) -> Route:
    """A route: one manager approves, Bo is called after ten minutes."""
    return Route(**({"tier": Tier.APPROVE, "needs": (Need(role="manager"),), "chain": CHAIN} | overrides))


def a_proposal(**overrides: Any) -> Proposal:
    """A proposal with right digests for its request."""
    request = overrides.get("request") or a_request()
    made = {
        "revision": 1,
        "request": request,
        "route": a_route(),
        "digest": action_digest(request.action.name, request.action.arguments),
        "request_digest": sha256({"action": request.action.name, "arguments": request.action.arguments}),
        "policy": "test@1#sha256:" + "0" * 64,
    }
    return Proposal(**(made | overrides))


def a_review(**overrides: Any) -> Review:
    """A pending review, its ladder at the start; `request` and `route` go into its proposal."""
    parts = {part: overrides.pop(part) for part in ("request", "route") if part in overrides}
    proposal = overrides.get("proposal") or a_proposal(**parts)
    created = overrides.get("created_at", START)
    schedule = Schedule(
        rungs=tuple(created + rung.after for rung in proposal.route.chain), deadline_at=created + timedelta(hours=24)
    )
    made = {
        "id": f"rev_{next(_ids):032x}",
        "agent": "billing-bot",
        "created_at": created,
        "proposal": proposal,
        "ladder": Ladder(epoch=0, schedule=schedule),
        "original": proposal.request.action.arguments,
    }
    return Review(**(made | overrides))


def a_vote(review: Review, person: str, **overrides: Any) -> Vote:
    """A person's approval of the review's current revision."""
    made = {
        "person": person,
        "name": person.title(),
        "verb": Verb.APPROVE,
        "revision": review.revision,
        "at": review.created_at + timedelta(minutes=1),
        "surface": "web",
        "slots": (0,),
        "eligibility": "role manager",
        "digest": review.proposal.digest,
    }
    return Vote(**(made | overrides))


def revised(review: Review, **arguments: Any) -> Review:
    """The review under a new proposal with these arguments besides the old ones."""
    action = review.request.action
    request = dataclasses.replace(
        review.request, action=dataclasses.replace(action, arguments=action.arguments | arguments)
    )
    proposal = a_proposal(request=request, route=review.route, revision=review.revision + 1)
    return dataclasses.replace(review, proposal=proposal, version=review.version + 1)
