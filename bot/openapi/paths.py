"""Every call of the API: what it takes, what it answers, and which calls follow from it."""

from __future__ import annotations

from typing import Any

from bot import wire
from bot.api import MAX_PAGE, MAX_WAIT
from bot.openapi import examples
from bot.openapi.schemas import IDEMPOTENCY_KEY, closed, ref
from reviews.model import Object, Status

ID: Object = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "description": "Review id."}
_KEY: Object = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body again get the same answer; another body is refused.",
    "schema": {**IDEMPOTENCY_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
_REQUEST_ID: Object = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Your name for this call; it comes back in the answer. One is made where you give none.",
    "schema": {"type": "string"},
}
_AGENT: list[Object] = [{"agent": []}]
_PERSON: list[Object] = [{"person": []}]
#: What any call by key may answer besides what it is for.
_ANY = (401, 429, 500, 503)
_READS = (400, 413, 415, 422)
_FOLLOWS = {
    "read": ("readReview", {"id": "$response.body#/id"}, None),
    "events": ("readHistory", {"id": "$response.body#/id"}, None),
    "withdraw": ("withdrawReview", {"id": "$response.body#/id"}, {}),
    "revise": ("reviseReview", {"id": "$response.body#/id"}, {}),
    "redeem": ("redeemApproval", {"id": "$response.body#/id"}, {"digest": "$response.body#/digest"}),
    "report": ("reportOutcome", {"id": "$response.body#/id"}, {"result": "succeeded"}),
}


def paths() -> dict[str, Object]:
    """The paths of the document."""
    one = "/v1/reviews/{id}"
    return {
        "/v1/reviews": {"post": _create(), "get": _list()},
        one: {"get": _read()},
        f"{one}/events": {"get": _events()},
        f"{one}/withdraw": {"post": _withdraw()},
        f"{one}/revisions": {"post": _revise()},
        f"{one}/redeem": {"post": _redeem()},
        f"{one}/outcome": {"post": _outcome()},
        "/v1/policies/explain": {"post": _explain()},
        "/v1/inbox": {"get": _inbox()},
        "/v1/inbox/{id}": {"get": _inbox_one()},
        f"{one}/votes": {"post": _vote()},
        "/v1/openapi.json": {"get": _document()},
        "/healthz": {"get": _healthz()},
        "/readyz": {"get": _readyz()},
        "/metrics": {"get": _metrics()},
    }


def _call(
    name: str,
    summary: str,
    words: str,
    *,
    tag: str,
    good: dict[str, Object],
    bad: tuple[int, ...] = (),
    parameters: tuple[Object, ...] = (),
    body: Object | None = None,
    security: list[Object] | None = None,
) -> Object:
    made: Object = {"operationId": name, "tags": [tag], "summary": summary, "description": words}
    made["parameters"] = [*parameters, _REQUEST_ID]
    if body is not None:
        made["requestBody"] = body
    refused = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(bad)}
    made["responses"] = {**good, **refused}
    made["security"] = security or []
    return made


def _agents(name: str, summary: str, words: str, *, bad: tuple[int, ...] = (), **more: Any) -> Object:
    return _call(name, summary, words, tag="agents", bad=(*_ANY, *bad), security=_AGENT, **more)


def answer(words: str, schema: Object, example: object = None, *, linked: bool = False) -> Object:
    """A good answer in JSON."""
    content: Object = {"schema": schema}
    if example is not None:
        content["example"] = example
    made: Object = {
        "description": words,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
        "content": {"application/json": content},
    }
    return made | {"links": _links()} if linked else made


def _links() -> Object:
    made: Object = {}
    for name, (operation, parameters, body) in _FOLLOWS.items():
        made[name] = {"operationId": operation, "parameters": parameters}
        if body is not None:
            made[name]["requestBody"] = body
    return made


def _body(schema: str, example: object, *, required: bool = True) -> Object:
    return {"required": required, "content": {"application/json": {"schema": ref(schema), "example": example}}}


# ---------------------------------------------------------------------------------------------- agents


def _create() -> Object:
    made = answer("The review, new.", ref("Review"), examples.PENDING, linked=True)
    again = answer("The same key and body again: the same review, as it stands now.", ref("Review"), linked=True)
    return _agents(
        "createReview",
        "Ask for a review",
        "The policy says at once whether a person is needed. `status` is `approved` when not, `rejected` when it is "
        "never allowed, else `pending`: then wait. Where a person stopped you it is kept and `held`, whatever the "
        "policy says, with their `instruction`. Send an idempotency key so that asking again after a lost answer "
        "makes no second review; the key is kept as long as the review.",
        good={"201": made, "200": again},
        bad=_READS,
        parameters=(_KEY,),
        body=_body("ReviewRequest", examples.REQUEST),
    )


def _list() -> Object:
    status: Object = {"type": "array", "minItems": 1, "items": {"enum": list(Status)}}
    return _agents(
        "listReviews",
        "List your reviews",
        "Newest first, in pages: give `cursor` back to get the next one. Other agents' reviews are never shown.",
        good={"200": answer("A page.", ref("ReviewPage"))},
        bad=(422,),
        parameters=(
            {"name": "status", "in": "query", "style": "form", "explode": False, "schema": status},
            {"name": "action", "in": "query", "schema": {"type": "string"}},
            {"name": "cursor", "in": "query", "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}},
        ),
    )


def _read() -> Object:
    wait: Object = {"type": "number", "minimum": 0, "maximum": MAX_WAIT}
    return _agents(
        "readReview",
        "Read a review, or wait for its decision",
        "With `wait` it answers the moment it is your turn or the review is over, an approval that can be undone when "
        "it may be used, and else after so many seconds with the review as it is: ask again then. `approved` with a "
        "`grant.usable_from` ahead is not yet a yes.",
        good={"200": answer("The review.", ref("Review"), examples.APPROVED, linked=True)},
        bad=(404, 422),
        parameters=(ID, {"name": "wait", "in": "query", "description": "Seconds to wait.", "schema": wait}),
    )


def _events() -> Object:
    history = answer("The history, oldest first.", ref("History"))
    history["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    after: Object = {"type": "integer", "minimum": 0, "maximum": wire.MAX_INTEGER}
    return _agents(
        "readHistory",
        "Read what happened, or follow it live",
        "JSON, or with `Accept: text/event-stream` server-sent events that go on until you hang up. "
        "A reconnect with `Last-Event-ID` goes on after the last one seen.",
        good={"200": history},
        bad=(404, 422),
        parameters=(
            ID,
            {"name": "after", "in": "query", "description": "Only entries after this `seq`.", "schema": after},
            {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}},
        ),
    )


def _withdraw() -> Object:
    return _agents(
        "withdrawReview",
        "Withdraw",
        "You no longer need it. An approval not used yet is given back.",
        good={"200": answer("The review.", ref("Review"))},
        bad=(*_READS, 404, 409),
        parameters=(ID,),
        body=_body("Withdrawal", {"reason": "The customer was helped by phone."}, required=False),
    )


def _revise() -> Object:
    return _agents(
        "reviseReview",
        "Propose anew",
        "The answer to a request for changes, or when the plan went stale. What you leave out stays as it was; the "
        "action's name and schema are fixed. It is routed again, and never more laxly. The same proposal again "
        "changes nothing (200).",
        good={
            "201": answer("The review at its new revision.", ref("Review")),
            "200": answer("The proposal that stands, unchanged.", ref("Review")),
        },
        bad=(*_READS, 404, 409),
        parameters=(ID,),
        body=_body("Revision", examples.REVISION),
    )


def _redeem() -> Object:
    return _agents(
        "redeemApproval",
        "Redeem an approval, once, and act",
        "Turns the approval into the right to act: it succeeds once, for the approved digest, before `valid_until`. "
        "Act only after a 200; 423 while a person has stopped you, and while the approval can still be undone. "
        "With an idempotency key the same call again gets the same `redemption_id`.",
        good={"200": answer("Act now, on `decision.action`.", ref("Redemption"), examples.REDEEMED)},
        bad=(*_READS, 404, 409, 410, 423),
        parameters=(ID, _KEY),
        body=_body("RedeemRequest", {"digest": examples.DIGEST}),
    )


def _outcome() -> Object:
    return _agents(
        "reportOutcome",
        "Report how it went",
        "The ground truth against which rules and reviewers are judged. May be told more than once.",
        good={"200": answer("The review.", ref("Review"))},
        bad=(*_READS, 404, 409),
        parameters=(ID,),
        body=_body("Outcome", {"result": "succeeded", "detail": "Refund re_91 was booked."}),
    )


def _explain() -> Object:
    return _agents(
        "explainPolicy",
        "Ask what the policy would answer",
        "A dry run: the route and the whole trace of why. Nothing is kept and nobody is called.",
        good={"200": answer("The route, and how it was found.", ref("Explanation"))},
        bad=_READS,
        body=_body("ReviewRequest", examples.REQUEST),
    )


# ---------------------------------------------------------------------------------------------- people, probes

_VIEWS = ("mine", "roles", "decided", "all")


def _inbox() -> Object:
    view: Object = {"enum": list(_VIEWS), "default": "roles"}
    return _call(
        "readInbox",
        "What waits for you",
        "Most urgent first. Off unless the operator sets `server.votes_by_token`.",
        tag="people",
        good={"200": answer("A page.", ref("InboxPage"))},
        bad=(401, 404, 422, 500, 503),
        parameters=(
            {"name": "view", "in": "query", "schema": view},
            {"name": "cursor", "in": "query", "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"}},
        ),
        security=_PERSON,
    )


def _inbox_one() -> Object:
    return _call(
        "readInboxReview",
        "Look at one review as a person",
        "Redacted as for any reviewer; `hidden` names the arguments that are. Looking is written down.",
        tag="people",
        good={"200": answer("The review.", ref("InboxReview"))},
        bad=(401, 404, 500, 503),
        parameters=(ID,),
        security=_PERSON,
    )


def _vote() -> Object:
    return _call(
        "castVote",
        "Vote as a person",
        "For terminals and other front ends, with a token of `placet token PERSON`. Routes that need two persons or "
        "level 2 refuse a token, and so do `stop`, `resume`, `appeal` and `break_glass` everywhere. `revision` and "
        "`digest` say what you saw. The same vote again is 200.",
        tag="people",
        good={"200": answer("The review, redacted as for any reviewer.", ref("Review"))},
        bad=(*_READS, 401, 403, 404, 409, 410, 423, 500, 503),
        parameters=(ID,),
        body=_body("VoteRequest", {"vote": "approve", "revision": 1, "digest": examples.DIGEST}),
        security=_PERSON,
    )


def _document() -> Object:
    good = {"200": answer("OpenAPI 3.1.", {"type": "object", "required": ["openapi"]})}
    return _call("readDocument", "This document", "For machines; `/docs` is for people.", tag="service", good=good)


def _healthz() -> Object:
    good = {"200": answer("It lives.", closed(status={"const": "alive"}))}
    return _call("isAlive", "Liveness", "Whether the process answers at all.", tag="service", good=good)


def _readyz() -> Object:
    good = {
        "200": answer("It can take reviews.", ref("Readiness")),
        "503": answer("It cannot; `checks` say why, each with its fix.", ref("Readiness")),
    }
    return _call("isReady", "Readiness", "Whether reviews can be taken and decided now.", tag="service", good=good)


def _metrics() -> Object:
    text: Object = {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return _call("readMetrics", "Metrics", "For Prometheus.", tag="service", good={"200": text}, bad=(500, 503))
