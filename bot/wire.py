"""The JSON of the agent API: requests in, reviews and callbacks out. Pure; only it and `sparse` know field names."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from bot.bounds import MAX_NAME, beyond_types
from bot.sparse import request_json
from reviews.digest import canonical, request_digests
from reviews.errors import PlacetError
from reviews.events import Message
from reviews.keeping import Entry
from reviews.model import Object, Request, Review, Route, Status
from reviews.redact import join
from reviews.steps import open_grant

#: A body larger than this is not read (bytes), nor JSON nested deeper, nor integers past what doubles can carry.
MAX_BODY = 1_000_000
MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
#: A callback's body stays below this (bytes); what does not fit is left out, and said to be.
MAX_CALLBACK = 20_000
#: Words said about a review (characters).
MAX_WORDS = 10_000
#: At most so many faults are told of one body.
MAX_FAULTS = 50
#: The action of a request that brings a `result` already produced.
RESULT = "review.result"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """What is wrong with one field. `pointer` is a JSON Pointer into the body."""

    pointer: str
    message: str


class BadRequest(PlacetError):
    """The body cannot be taken; `faults` name each field and what it may be."""

    def __init__(self, text: str, faults: tuple[FieldFault, ...] = (), *, status: int = 422) -> None:
        super().__init__(text)
        self.faults, self.status = faults, status


# ---------------------------------------------------------------------------------------------- in


def parse_body(raw: bytes) -> Object:
    """A request body as a JSON object. Raises BadRequest for what is not JSON, too deep, or not exact."""
    if len(raw) > MAX_BODY:
        raise BadRequest(f"The body is {len(raw)} bytes; at most {MAX_BODY} are taken.", status=413)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise BadRequest(f"The body is not JSON (RFC 8259): {fault}.", status=400) from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.", status=400)
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or _may_be_large(raw):
        _exact(body)
    return body


#: Every digit as 0, e as e, all else as a space.
_DIGITS = bytes(0x30 if chr(byte).isdigit() and byte < 128 else 0x65 if byte in b"eE" else 0x20 for byte in range(256))


def _may_be_large(raw: bytes) -> bool:
    """Whether a number out of bounds may be in it: one of sixteen digits, or with an exponent. Nearly never so."""
    digits = raw.translate(_DIGITS)
    return b"0" * 16 in digits or b"0e" in digits


def _exact(body: Object) -> None:
    """Refuse what would not survive the way: nesting past MAX_DEPTH, integers past 2^53, endless numbers."""
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.", status=400)


def _inside(value: Any) -> list[Any]:
    found = list(value.values()) if isinstance(value, dict) else value
    for inner in found:
        if type(inner) is int and abs(inner) > MAX_INTEGER:
            raise BadRequest(f"The integer {inner} is beyond 2^53; write it as a string.", status=422)
        if type(inner) is float and (math.isinf(inner) or (inner.is_integer() and abs(inner) > MAX_INTEGER)):
            raise BadRequest(f"The number {inner} cannot be kept exactly; write it as a string.", status=422)
    return [inner for inner in found if isinstance(inner, dict | list)]


_request: TypeAdapter[Request] = TypeAdapter(Request)


def request_of(body: Object, *, previous: Request | None = None) -> Request:
    """A Request from a body. With `previous`, fields left out carry over and the action's name and schema stay.

    Raises BadRequest naming each field at fault and what it may be.
    """
    body = dict(body)
    body.pop("idempotency_key", None)
    body.pop("supersedes", None)
    if previous is not None:
        body = _carried(body, previous)
    body = _with_action(body)
    try:
        request = _request.validate_json(orjson.dumps(body), strict=True, extra="forbid")
    except ValidationError as fault:
        faults = fault.errors(include_url=False, include_input=False)[:MAX_FAULTS]
        raise BadRequest("The request has faults.", tuple(map(_fault, faults))) from None
    beyond = tuple(FieldFault(pointer=pointer, message=message) for pointer, message in beyond_types(request))
    if beyond:
        raise BadRequest("The request has faults.", beyond[:MAX_FAULTS])
    return request


def _with_action(body: Object) -> Object:
    """Give a request that only brings a `result` the action that stands for it."""
    if "action" in body and "result" in body:
        raise BadRequest(
            "Send `action` or `result`, not both.", (FieldFault(pointer="/result", message="not with action"),)
        )
    if "action" in body:
        return body
    if "result" not in body:
        raise BadRequest(
            "What is to be reviewed?",
            (FieldFault(pointer="/action", message="required: {name, arguments}; or `result` for work already done"),),
        )
    rest = {key: value for key, value in body.items() if key != "result"}
    return {**rest, "action": {"name": RESULT, "arguments": {"result": body["result"]}}}


def _carried(body: Object, previous: Request) -> Object:
    """A revision's body: what it leaves out stays as it was; the action's name and schema are fixed."""
    old = request_json(previous)
    action = body.get("action", {})
    if not isinstance(action, dict):
        raise BadRequest("The request has faults.", (FieldFault(pointer="/action", message="must be an object"),))
    fixed = {"name": previous.action.name, "schema": previous.action.schema}
    for key, value in fixed.items():
        if key in action and action[key] != value:
            raise BadRequest(
                "A revision proposes other arguments for the same action.",
                (FieldFault(pointer=f"/action/{key}", message="fixed by the first revision; ask for a new review"),),
            )
    if "result" in body:
        action = {"arguments": {"result": body["result"]}}
    kept = {key: value for key, value in body.items() if key != "result"}
    return {**old, **kept, "action": {**old["action"], **action}}


def _fault(error: Any) -> FieldFault:
    pointer = join(*error["loc"])
    unknown = error["type"] in ("unexpected_keyword_argument", "extra_forbidden")
    message = "unknown field; see /docs for those there are" if unknown else str(error["msg"])
    return FieldFault(pointer=pointer, message=message)


def fingerprint(body: Object) -> str:
    """What makes two bodies the same request: SHA-256 over their sorted JSON, without the idempotency key."""
    kept = {key: value for key, value in body.items() if key != "idempotency_key"}
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


# ---------------------------------------------------------------------------------------------- out


def stamp(at: datetime | None) -> str | None:
    """An instant as RFC 3339 with milliseconds, UTC."""
    if at is None:
        return None
    # `isoformat` takes four times as long; this leaves a fraction out where there is none.
    raw = orjson.dumps(at.astimezone(UTC))
    return (raw[1:24] if at.microsecond else raw[1:20] + b".000").decode() + "Z"


def review_json(review: Review, base: str, *, context: bool = True) -> Object:
    """The review as agents read it. `base` is the public address; `context` leaves out what the agent knows anyway."""
    proposal, request = review.proposal, review.proposal.request
    # Closed words go out as plain texts: the encoder would ask each for its value, which enumerations answer slowly.
    shown: Object = {
        "id": review.id,
        "seq": review.seq,
        "agent": review.agent,
        "status": str(review.status),
        "held": review.held,
        "instruction": review.instruction if review.held else None,
        "revision": review.revision,
        "action": {"name": request.action.name, "arguments": request.action.arguments},
        "subject": request.subject,
        "review_type": str(request.review_type),
        "digest": proposal.digest,
        "request_digest": proposal.request_digest,
        "route": route_json(proposal.route),
        "policy": proposal.policy,
        "created_at": stamp(review.created_at),
        "deadline_at": stamp(review.ladder.schedule.deadline_at),
        "reply_by": stamp(review.reply_by),
        "about": review.about,
        "relation": str(review.relation) if review.about is not None else None,
        "appeal": review.appeal,
        "assigned": list(review.assigned),
        "task_id": request.task_id,
        "correlation_id": request.correlation_id,
        "session_id": request.session_id,
        "metadata": request.metadata,
        "changes_requested": [
            {"by": c.person, "text": c.text, "about": c.about, "revision": c.revision, "at": stamp(c.at)}
            for c in review.changes
        ],
        "decision": decision_json(review),
        "grant": grant_json(review),
        "outcomes": [{"result": o.result, "detail": o.detail, "at": stamp(o.at)} for o in review.outcomes],
        "sandbox": review.sandbox,
        "links": _links(review, base),
    }
    if context:
        shown["request"] = request_json(request)
    return shown


def _links(review: Review, base: str) -> Object:
    """Where it can be read, and where what it is about and what looks at it again."""
    return {
        "self": f"{base}/v1/reviews/{review.id}",
        "page": f"{base}/reviews/{review.id}",
        "about": None if review.about is None else f"{base}/v1/reviews/{review.about}",
        "appeal": None if review.appeal is None else f"{base}/v1/reviews/{review.appeal}",
    }


def route_json(route: Route) -> Object:
    """The route as agents read it: durations in seconds."""
    return {
        "tier": str(route.tier),
        "needs": [{"role": need.role} if need.role is not None else {"level": need.level} for need in route.needs],
        "order": str(route.order),
        "risk": str(route.risk),
        "reversible": route.reversible,
        "rule": route.rule,
        "explanation": route.explanation,
        "allowed_decisions": [str(verb) for verb in route.allowed],
        "sla_seconds": route.sla.total_seconds() if route.sla else None,
        "valid_for_seconds": route.valid_for.total_seconds(),
        "undo_seconds": route.undo.total_seconds(),
        "shadow": route.shadow,
    }


def decision_json(review: Review) -> Object | None:
    """What the review came to; None while it has not. The action is complete and final: act on it, not on your own."""
    decision = review.decision
    if decision is None:
        return None
    action, edited = review.request.action, review.edited
    return {
        "verdict": decision.verdict,
        "cause": decision.cause,
        "action": {"name": action.name, "arguments": action.arguments},
        "edited": edited,
        "changes": patch(review.original, action.arguments) if edited else [],
        "reason": decision.reason,
        "notes": decision.notes,
        "answer": decision.answer,
        "comments": [{"by": c.person, "text": c.text, "at": stamp(c.at)} for c in review.comments],
        "by": [
            {
                "person": s.person,
                "name": s.name,
                "role": s.role,
                "slot": s.slot,
                "surface": s.surface,
                "at": stamp(s.at),
            }
            for s in decision.by
        ],
        "policy": review.proposal.policy,
        "decided_at": stamp(decision.decided_at),
        "valid_until": stamp(review.grant.valid_until) if review.grant else None,
        "digest": decision.digest,
        "receipt": None,
        "checkpoint": None,
    }


def grant_json(review: Review) -> Object | None:
    """What became of the right to act."""
    grant = review.grant
    if grant is None:
        return None
    return {
        "state": grant.state,
        "usable_from": stamp(grant.usable_from),
        "valid_until": stamp(grant.valid_until),
        "redemption_id": grant.redemption_id,
        "at": stamp(grant.at),
    }


def patch(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> list[Object]:
    """What changed, as JSON Patch (RFC 6902): add, remove and replace, objects gone into, arrays as a whole."""
    steps: list[Object] = []
    for key in dict.fromkeys((*before, *after)):
        path = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in after:
            steps.append({"op": "remove", "path": path})
        elif key not in before:
            steps.append({"op": "add", "path": path, "value": after[key]})
        elif isinstance(before[key], dict) and isinstance(after[key], dict):
            steps += patch(before[key], after[key], path)
        elif canonical(before[key]) != canonical(after[key]):
            steps.append({"op": "replace", "path": path, "value": after[key]})
    return steps


def callback_body(message: Message, review: Review, at: datetime, base: str) -> bytes:
    """The bytes of a callback, frozen when it is made. What would pass MAX_CALLBACK is left out, longest first."""
    data = review_json(review, base, context=False)
    body = {"type": message, "timestamp": stamp(at), "data": data}
    for heavy in ("metadata", "changes_requested", "action"):
        raw = orjson.dumps(body)
        if len(raw) <= MAX_CALLBACK:
            return raw
        data[heavy] = None
        data["truncated"] = True
    # What is decided on is still too long: the agent reads it at links.self, and the digest binds it.
    data["outcomes"] = []
    if data["decision"]:
        data["decision"] |= {"action": None, "changes": None, "comments": [], "answer": None, "notes": None}
        data["decision"]["reason"] = (data["decision"]["reason"] or "")[:MAX_NAME] or None
    return orjson.dumps(body)


def entry_json(entry: Entry) -> Object:
    """A line of a review's history."""
    detail = {key: value for key, value in entry.detail.items() if key != "salt"}
    return {"seq": entry.seq, "at": stamp(entry.at), "type": entry.kind, "by": entry.actor, "detail": detail}


def turn_of_agent(review: Review, at: datetime) -> bool:
    """Whether it is the agent's turn, or the review is over and nothing rests: what a waiting agent waits for."""
    return review.status is Status.CHANGES_REQUESTED or (review.status.over and not rest_of(review, at))


def rest_of(review: Review, at: datetime) -> timedelta:
    """How long an approval can still be undone before it may be used; nothing where it may be used, or is gone."""
    grant = open_grant(review)
    return max(grant.usable_from - at, timedelta(0)) if grant and grant.usable_from else timedelta(0)


def proposal_digests(request: Request) -> tuple[str, str]:
    """The action's digest and the whole request's. Raises DigestImpossible."""
    return request_digests(request_json(request))
