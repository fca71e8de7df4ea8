"""Errors as agents read them: RFC 9457 problem details, each with the way to mend it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
import structlog
from aiohttp import web

from bot import wire
from bot.backpressure import TooManyOpen
from bot.ids import uuid7
from bot.routing import PolicyMissing
from bot.service import KeyReused, Refused
from reviews.errors import DigestImpossible, NotFound, PlacetError, StoreUnavailable
from reviews.events import Answer
from reviews.ports import Clock

log = structlog.get_logger(__name__)

#: The name of the call under way, for answers that begin before they are whole.
REQUEST_ID = web.RequestKey("request_id", str)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_STATUS = {Answer.REFUSED: 409, Answer.FORBIDDEN: 403, Answer.GONE: 410, Answer.LOCKED: 423, Answer.WHISPER: 409}
#: What each status is called.
TITLES = {
    400: "The request cannot be read",
    401: "Who is asking?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "What stands does not allow it",
    410: "The approval is gone",
    413: "Too large",
    415: "Send JSON",
    422: "The request has faults",
    423: "Not while it is on hold",
    429: "Too many",
    500: "Our fault",
    503: "Not now",
}


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> web.Response:
    """A problem response. `more` adds members such as `errors` or `decision`."""
    body = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail, **more}
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/problem+json", headers=dict(headers or {})
    )


def _wait(fault: Refused, now: datetime) -> dict[str, str]:
    """How long an approval that can still be undone rests, for whoever would use it at once."""
    grant = fault.transition.review.grant
    if fault.transition.answer is not Answer.LOCKED or fault.transition.review.held or grant is None:
        return {}
    rest = (grant.usable_from - now).total_seconds() if grant.usable_from is not None else 0
    return {"Retry-After": str(max(1, math.ceil(rest)))}


def _of(fault: PlacetError, base: str, now: datetime) -> web.Response:
    match fault:
        case wire.BadRequest():
            errors = [{"pointer": f.pointer, "message": f.message} for f in fault.faults]
            more: dict[str, Any] = {"errors": errors} if errors else {}
            return problem(fault.status, str(fault), **more)
        case DigestImpossible() | KeyReused():
            return problem(422, str(fault))
        case Refused():
            review = wire.review_json(fault.transition.review, base, context=False)
            return problem(_STATUS[fault.transition.answer], str(fault), headers=_wait(fault, now), review=review)
        case NotFound():
            return problem(404, str(fault))
        case TooManyOpen():
            return problem(429, str(fault), headers={"Retry-After": str(fault.retry_after)})
        case PolicyMissing():
            return problem(409, str(fault))
        case StoreUnavailable():
            return problem(503, "The database cannot be written now; nothing was changed. Try again with the same key.",
                           headers={"Retry-After": "1"})  # fmt: skip
        case _:
            log.error("unexpected_fault", why=repr(fault))
            return problem(500, "Something went wrong here and nothing was granted. It is in the log.")


def middleware(base: str, clock: Clock) -> Any:
    """Turn every fault into a problem, and carry `X-Request-ID` in and out."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if 0 < len(given) <= 128 and given.isprintable() and given.isascii() else uuid7(clock.now())
        request[REQUEST_ID] = request_id
        try:
            answer = await handler(request)
        except PlacetError as fault:
            answer = _of(fault, base, clock.now())
        except web.HTTPException as fault:
            if fault.status < 400 or not request.path.startswith("/v1"):
                raise
            allow = {"Allow": fault.headers["Allow"]} if "Allow" in fault.headers else {}
            answer = problem(fault.status, _HTTP.get(fault.status, fault.reason), headers=allow)
        except ConnectionResetError:
            raise
        except Exception as fault:
            log.exception("unexpected_fault", path=request.path, request=request_id, why=repr(fault))
            answer = problem(500, "Something went wrong here and nothing was granted. It is in the log.")
        if not answer.prepared:
            answer.headers["X-Request-ID"] = request_id
        return answer

    return guard


_HTTP = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address takes other methods; see `Allow`.",
    413: f"The body is too large; at most {wire.MAX_BODY} bytes are taken.",
}
