"""The shapes of the API as JSON Schema 2020-12: what is read, generated from the model; what is said, written here."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from bot import bounds, wire
from bot.votes import Vote
from reviews.events import Message
from reviews.model import (
    ALL_DECISIONS,
    Cause,
    GrantState,
    Object,
    Order,
    Relation,
    Request,
    ReviewType,
    RiskLevel,
    Status,
    Tier,
    Verb,
)

REF = "#/components/schemas/{model}"
OUTCOMES = ("succeeded", "failed", "reverted")

TEXT: Object = {"type": "string"}
TEXT_OR_NULL: Object = {"type": ["string", "null"]}
SHORT: Object = {"type": ["string", "null"], "maxLength": bounds.MAX_NAME}
LONG: Object = {"type": ["string", "null"], "maxLength": wire.MAX_WORDS}
NUMBER: Object = {"type": "number"}
WHOLE: Object = {"type": "integer"}
YES_NO: Object = {"type": "boolean"}
INSTANT: Object = {"type": "string", "format": "date-time"}
INSTANT_OR_NULL: Object = {"type": ["string", "null"], "format": "date-time"}
DIGEST: Object = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

#: What `wire` checks beyond types, by schema and property.
_BEYOND: dict[tuple[str, str], Object] = {
    ("Action", "name"): {"minLength": 1, "maxLength": 128, "pattern": r"^[^\p{C}\p{Z}]+$"},
    ("RiskClaim", "score"): {"minimum": 0, "maximum": 1},
    ("RiskClaim", "sentiment"): {"minimum": -1, "maximum": 1},
    ("RiskClaim", "amount"): {"minimum": 0, "maximum": wire.MAX_INTEGER},
    ("Evidence", "score"): {"minimum": 0, "maximum": 1},
    ("Request", "confidence"): {"minimum": 0, "maximum": 1},
    ("Request", "escalate_after_seconds"): {"minimum": 1, "maximum": 10_000_000},
    ("Request", "review_deadline"): {"pattern": "^[2-8][0-9]{3}-"},
    ("Request", "callback_url"): {"format": "uri", "pattern": "^https?://", "maxLength": bounds.MAX_URL},
    **{("Request", name): {"maxLength": bounds.MAX_NAME} for name in bounds.NAMES},
}
_WORDS = {
    "action": "What you propose to do.",
    "subject": "What it is about, such as `order:A-4721`. Earlier reviews of the same subject are shown to reviewers.",
    "summary": "One sentence a person understands: the title of the card.",
    "confidence": "How sure you are, 0 to 1.",
    "risk": "What you know of the risk. It can raise what the operator's catalogue says, never lower it.",
    "review_type": "`approval` before acting, `feedback` afterwards, `handoff` to a person, `plan` of several steps.",
    "reviewer_role": "A role that must agree too. It makes the route stricter, never laxer.",
    "review_deadline": "When you need it, with its offset. It can bring the deadline forward, never put it off.",
    "escalate_after_seconds": "When to call the next person, if earlier than the policy says.",
    "allowed_decisions": "Leave out `edit` or `request_changes` if you cannot take them; the other two stay.",
    "callback_url": "Where to send the decision: https, or an address the operator allows.",
    "context": "What a person needs to judge it.",
    "evidence": "Sources your claim rests on, strongest first.",
    "sensitive": "JSON Pointers from the request's root to what cards must hide, such as `/action/arguments/iban`.",
    "on_behalf_of": "The person you act for: an id or e-mail the operator knows. They cannot approve it themselves.",
    "scopes": "Scopes the reviewer must cover.",
    "metadata": "Anything; echoed back untouched.",
    "ui_hint": "How you would like the card to look.",
}


def components() -> dict[str, Object]:
    """Every schema of the document, by name."""
    return {
        "Json": _json(),
        **_asked(),
        "Review": _review(),
        "Route": _route(),
        "Decision": _decision(),
        "Seat": _seat(),
        "Comment": closed(by=TEXT, text=TEXT, at=INSTANT),
        "Change": closed(by=TEXT, text=TEXT, about=TEXT_OR_NULL, revision=WHOLE, at=INSTANT),
        "PatchStep": _patch_step(),
        "Grant": _grant(),
        "OutcomeReport": closed(result={"enum": list(OUTCOMES)}, detail=TEXT_OR_NULL, at=INSTANT),
        "Redemption": closed(redemption_id=TEXT, review=ref("Review")),
        "ReviewPage": closed(items=many(ref("Review")), cursor=TEXT_OR_NULL),
        "Entry": closed(seq=WHOLE, at=INSTANT, type=TEXT, by=TEXT, detail={"type": "object"}),
        "History": closed(items=many(ref("Entry"))),
        "Explanation": _explanation(),
        "InboxItem": _inbox_item(),
        "InboxReview": _inbox_review(),
        "InboxPage": closed(items=many(ref("InboxItem")), cursor=TEXT_OR_NULL),
        "Callback": closed(type={"enum": list(Message)}, timestamp=INSTANT, data=ref("CallbackReview")),
        "CallbackReview": _callback_review(),
        "Readiness": _readiness(),
        "Problem": _problem(),
    }


def ref(name: str) -> Object:
    """A reference to a component."""
    return {"$ref": REF.format(model=name)}


def many(of: Object) -> Object:
    """An array."""
    return {"type": "array", "items": of}


def or_null(of: Object) -> Object:
    """The same, or null."""
    return {"anyOf": [of, {"type": "null"}]}


def closed(optional: Object | None = None, /, **properties: Object) -> Object:
    """An object with these properties, all required but the `optional` ones, and no others."""
    shape: Object = {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "additionalProperties": False,
    }
    return shape | {"required": list(properties)} if properties else shape


# ---------------------------------------------------------------------------------------------- what is asked


def _json() -> Object:
    bound = wire.MAX_INTEGER
    return {
        "description": f"Any JSON value, {wire.MAX_DEPTH} levels deep at most; numbers beyond 2^53 as strings.",
        "anyOf": [
            {"type": ["null", "boolean", "string"]},
            {"type": "number", "minimum": -bound, "maximum": bound},
            many(ref("Json")),
            {"type": "object", "additionalProperties": ref("Json")},
        ],
    }


def _asked() -> dict[str, Object]:
    """The bodies agents and people send, from the model itself, so that they cannot drift from what is read."""
    made: Object = TypeAdapter(Request).json_schema(ref_template=REF)
    found: dict[str, Object] = {name: _strict(name, schema) for name, schema in made.pop("$defs").items()}
    for enum in (Verb, ReviewType, RiskLevel):
        found[enum.__name__] = {"type": "string", "enum": list(enum)}
    whole = _strict("Request", made)
    _describe(whole["properties"])
    rest = {name: schema for name, schema in whole["properties"].items() if name != "action"}
    key: Object = {"idempotency_key": {**IDEMPOTENCY_KEY, "type": ["string", "null"]}}
    result = {"description": "The work to be looked at, already done.", **ref("Json")}
    action = found["Action"]
    found["ActionRequest"] = closed({**rest, **key}, action=ref("Action"))
    found["ResultRequest"] = closed({**rest, **key}, result=result)
    found["ReviewRequest"] = {"anyOf": [ref("ActionRequest"), ref("ResultRequest")]}
    found["ActionRevision"] = {
        **{name: part for name, part in action.items() if name != "required"},
        "description": "The changed arguments. `name` and `schema` may be repeated, not changed.",
    }
    found["Revision"] = closed({"action": ref("ActionRevision"), **rest, **key, "supersedes": _SUPERSEDES})
    found["VoteRequest"] = _strict("VoteRequest", Vote.model_json_schema(ref_template=REF))
    found["VoteRequest"]["properties"]["vote"] = ref("Verb")
    found["Withdrawal"] = closed({"reason": LONG})
    found["RedeemRequest"] = closed({"idempotency_key": key["idempotency_key"]}, digest=_NON_EMPTY)
    found["Outcome"] = closed({"detail": LONG}, result={"enum": list(OUTCOMES)})
    return found


IDEMPOTENCY_KEY: Object = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
_NON_EMPTY: Object = {"type": "string", "minLength": 1, "maxLength": wire.MAX_WORDS}
_SUPERSEDES: Object = {
    "type": ["integer", "null"],
    "minimum": -wire.MAX_INTEGER,
    "maximum": wire.MAX_INTEGER,
    "description": "The revision you mean to replace; refused with 409 when another stands by now.",
}


def _strict(name: str, schema: Object) -> Object:
    """A generated schema as it is read: no further properties, and with what is checked beyond types."""
    if "properties" not in schema:
        return schema
    properties = {key: _property(name, key, part) for key, part in schema["properties"].items()}
    if name == "Request":
        properties["sensitive"]["items"] = {"type": "string", "pattern": "^/"}
        properties["allowed_decisions"] = _decisions()
    kept: Object = {"type": "object", "properties": properties, "additionalProperties": False}
    if "description" in schema and name != "Request":
        kept["description"] = schema["description"]
    return kept | ({"required": schema["required"]} if "required" in schema else {})


def _property(owner: str, name: str, schema: Object) -> Object:
    clean: Object = {
        key: part for key, part in schema.items() if key != "title" and not (key == "default" and not part)
    }
    kinds = [_open(kind) for kind in clean.pop("anyOf", [clean])]
    beyond = _BEYOND.get((owner, name), {})
    if len(kinds) == 1:
        return _open(clean) | beyond
    known, null = kinds
    if set(known) <= {"type", "format"}:
        return {"type": [known["type"], null["type"]], **{k: v for k, v in known.items() if k != "type"}, **beyond}
    return clean | {"anyOf": [known | beyond, null]}


def _open(schema: Object) -> Object:
    """An object of anything is an object of what survives JSON exactly."""
    return schema | {"additionalProperties": ref("Json")} if schema.get("additionalProperties") is True else schema


def _decisions() -> Object:
    return {
        "type": ["array", "null"],
        "items": {"enum": list(ALL_DECISIONS)},
        "allOf": [{"contains": {"const": Verb.APPROVE}}, {"contains": {"const": Verb.REJECT}}],
    }


def _describe(properties: dict[str, Object]) -> None:
    for name, words in _WORDS.items():
        properties[name] = {**properties[name], "description": words}


# ---------------------------------------------------------------------------------------------- what is answered


def _review_properties() -> dict[str, Object]:
    action = closed(name=TEXT, arguments={"type": "object"})
    return {
        "id": {"type": "string", "pattern": "^rev_[0-9a-f]{32}$"},
        "seq": WHOLE,
        "agent": TEXT,
        "status": {"enum": list(Status)},
        "held": {**YES_NO, "description": "Whether a person stopped you: nothing is decided before you are resumed."},
        "instruction": {**TEXT_OR_NULL, "description": "While it is held: what your next plan is to heed."},
        "revision": {"type": "integer", "minimum": 1},
        "action": action,
        "subject": TEXT_OR_NULL,
        "review_type": ref("ReviewType"),
        "digest": DIGEST,
        "request_digest": DIGEST,
        "route": ref("Route"),
        "policy": {"type": "string", "description": "`name@version#sha256:…`: the text it was routed by."},
        "created_at": INSTANT,
        "deadline_at": INSTANT,
        "reply_by": INSTANT_OR_NULL,
        "about": {**TEXT_OR_NULL, "description": "The review this one follows from."},
        "relation": {"enum": [*Relation, None], "description": "Why it follows; null where you asked for it."},
        "appeal": {**TEXT_OR_NULL, "description": "The review that looks again at a rejection held to be wrong."},
        "assigned": {**many(TEXT), "description": "Whose it is to look at first; others may decide it as well."},
        "task_id": TEXT_OR_NULL,
        "correlation_id": TEXT_OR_NULL,
        "session_id": TEXT_OR_NULL,
        "metadata": {"type": "object"},
        "changes_requested": many(ref("Change")),
        "decision": or_null(ref("Decision")),
        "grant": or_null(ref("Grant")),
        "outcomes": many(ref("OutcomeReport")),
        "sandbox": YES_NO,
        "links": closed(self=TEXT, page=TEXT, about=TEXT_OR_NULL, appeal=TEXT_OR_NULL),
    }


def _review() -> Object:
    made = closed({"request": {"type": "object", "description": "The request as it stands."}}, **_review_properties())
    return made | {"description": "One thing a person must look at, and what became of it."}


def _inbox_review() -> Object:
    request: Object = {"type": "object", "description": "The request as it stands."}
    return closed(**_review_properties(), request=request, hidden=many(TEXT))


def _callback_review() -> Object:
    properties = _review_properties()
    for heavy in ("metadata", "changes_requested", "action"):
        properties[heavy] = or_null(properties[heavy])
    properties["decision"] = or_null(_decision(cut=True))
    return closed({"truncated": YES_NO}, **properties) | {
        "description": "The review without its context, 20 KB at most. What was too long is null, and `truncated` true."
    }


def _route() -> Object:
    need = {"oneOf": [closed(role=TEXT), closed(level=WHOLE)]}
    return closed(
        tier={"enum": list(Tier)},
        needs=many(need),
        order={"enum": list(Order)},
        risk=ref("RiskLevel"),
        reversible=YES_NO,
        rule=TEXT,
        explanation={"type": "string", "description": "Why this route, in a sentence."},
        allowed_decisions=many(ref("Verb")),
        sla_seconds={"type": ["number", "null"]},
        valid_for_seconds=NUMBER,
        undo_seconds={**NUMBER, "description": "How long an approval rests, so that its voter may undo it."},
        shadow=YES_NO,
    )


def _decision(*, cut: bool = False) -> Object:
    action = closed(name=TEXT, arguments={"type": "object"})
    changes = many(ref("PatchStep"))
    return closed(
        verdict={"enum": [status for status in Status if status.over]},
        cause={"enum": list(Cause)},
        action=or_null(action) if cut else {**action, "description": "Complete and final: act on this."},
        edited=YES_NO,
        changes=or_null(changes) if cut else changes,
        reason=TEXT_OR_NULL,
        notes=TEXT_OR_NULL,
        answer={"type": ["object", "null"]},
        comments=many(ref("Comment")),
        by=many(ref("Seat")),
        policy=TEXT,
        decided_at=INSTANT,
        valid_until=INSTANT_OR_NULL,
        digest=DIGEST,
        receipt={"type": "null"},
        checkpoint={"type": "null"},
    )


def _seat() -> Object:
    return closed(person=TEXT, name=TEXT, role=TEXT, slot=WHOLE, surface=TEXT, at=INSTANT)


def _patch_step() -> Object:
    made = closed({"value": {}}, op={"enum": ["add", "remove", "replace"]}, path=TEXT)
    return made | {"description": "A step of a JSON Patch (RFC 6902), for reading; `action` is what counts."}


def _grant() -> Object:
    return closed(
        state={"enum": list(GrantState)},
        usable_from={**INSTANT_OR_NULL, "description": "Until then its voter may undo it, and it cannot be redeemed."},
        valid_until=INSTANT,
        redemption_id=TEXT_OR_NULL,
        at=INSTANT_OR_NULL,
    )


def _explanation() -> Object:
    return closed(
        policy=TEXT,
        asked={"type": "object"},
        rules=many({"type": "object"}),
        tightened=many({"type": "object"}),
        route={"type": "object", "required": ["tier"]},
        schedule=many(closed(at=INSTANT, what=TEXT)),
        violations=many(TEXT),
    )


def _inbox_item() -> Object:
    return closed(
        id=TEXT,
        title=TEXT,
        action=TEXT,
        agent=TEXT,
        status={"enum": list(Status)},
        held=YES_NO,
        risk=ref("RiskLevel"),
        tier={"enum": list(Tier)},
        waiting_for=TEXT,
        revision=WHOLE,
        deadline_at=INSTANT,
    )


def _readiness() -> Object:
    check = closed(ok=YES_NO, vital=YES_NO, text=TEXT)
    return closed(
        status={"enum": ["ready", "not ready"]},
        checks={"type": "object", "additionalProperties": check},
        store={"type": "object"},
    )


def _problem() -> Object:
    fault = closed(pointer=TEXT, message=TEXT)
    made: dict[str, Any] = closed(
        {"errors": many(fault), "review": ref("Review")}, type=TEXT, title=TEXT, status=WHOLE, detail=TEXT
    )
    return made | {
        "description": "What is wrong and how to mend it (RFC 9457). `errors` name the fields by JSON Pointer; "
        "`review` is what stands."
    }
