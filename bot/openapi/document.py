"""The OpenAPI 3.1 document of the API (spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

from functools import cache
from importlib import metadata

from bot.openapi import examples
from bot.openapi.paths import paths
from bot.openapi.schemas import components, ref
from bot.problems import TITLES
from reviews.events import Message
from reviews.model import Object

_ABOUT = (
    "Ask for a review, wait for a person, go on with the decision. Errors are problem details (RFC 9457) that say "
    "what to do; every answer carries `X-Request-ID`."
)
_REFUSALS = {
    400: "The body is not JSON, or not JSON that can be kept exactly.",
    401: "The key or token is missing, wrong or not in force.",
    403: "This person may not; the detail says who may.",
    404: "There is no such thing, or it is not yours to see.",
    409: "What stands does not allow it; `review` is what stands.",
    410: "The approval lapsed, was revoked or given back.",
    413: "The body is too large.",
    415: "The body must be `application/json`.",
    422: "Fields have faults; `errors` name each with what it may be.",
    423: "A person stopped you, or the approval can still be undone: `Retry-After` says until when.",
    429: "Too often, or too many open reviews; `Retry-After` says when to try again.",
    500: "Our fault; nothing was granted.",
    503: "The database cannot be written now; nothing was changed. Try again with the same key.",
}
_MESSAGES = {
    Message.DECIDED: "The review came to its end.",
    Message.CHANGES_REQUESTED: "A person wants another proposal: send a revision.",
    Message.ESCALATED: "The next person was called.",
    Message.REVOKED: "The approval was taken back before you used it.",
    Message.APPEALED: "Somebody more senior looks again at what was rejected: `appeal` is their review.",
    Message.AGENT_STOPPED: "A person stopped you, and this is held; `instruction` is what your next plan is to heed.",
    Message.AGENT_RESUMED: "You may go on, and so does this review.",
}


@cache
def document() -> Object:
    """The whole document; the same object every time, not to be changed."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Placet", "version": _version(), "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        # Relative: wherever this document is read is where the calls go, behind a proxy or on an internal listener.
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "agents", "description": "For agents, with their key."},
            {"name": "people", "description": "For people, with a token."},
            {"name": "service", "description": "For whoever runs it."},
        ],
        "paths": paths(),
        "webhooks": {message.value: {"post": _webhook(message)} for message in Message},
        "components": {
            "schemas": components(),
            "responses": {str(status): _refusal(status) for status in _REFUSALS},
            "headers": {"X-Request-ID": {"schema": {"type": "string"}}},
            "securitySchemes": {
                "agent": {"type": "http", "scheme": "bearer", "description": "`plk_…`, of `placet agent add NAME`."},
                "person": {"type": "http", "scheme": "bearer", "description": "`plr_…`, of `placet token PERSON`."},
            },
        },
    }


def _version() -> str:
    return metadata.version("placet")


def _refusal(status: int) -> Object:
    headers: Object = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    if status in (423, 429, 503):
        headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    example = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": _REFUSALS[status]}
    return {
        "description": _REFUSALS[status],
        "headers": headers,
        "content": {"application/problem+json": {"schema": ref("Problem"), "example": example}},
    }


def _webhook(message: Message) -> Object:
    words = "Signed by Standard Webhooks. Answer 2xx; 410 stops this one; anything else is tried again."
    header: Object = {"in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "summary": _MESSAGES[message],
        "description": words,
        "parameters": [{"name": f"webhook-{part}", **header} for part in ("id", "timestamp", "signature")],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("Callback"), "example": examples.CALLBACK}},
        },
        "responses": {"2XX": {"description": "Taken."}, "410": {"description": "No more of this one."}},
    }
