"""One HTTP call to Microsoft, tried once and read in full: Teams' addresses and the directory's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from adapters.settings import loopback
from adapters.teams.seam import Failed, Json

#: Bytes of an answer that are read, and characters of what it says that are repeated.
MOST, _CHUNK, _WORDS = 1 << 20, 1 << 16, 300
#: Where an older part of Teams puts its word for it, within the text of another error.
_SUBCODE = re.compile(rb"subCode\W{1,9}(\w{1,99})")
#: Seconds that anybody is waited for at the most: a gateway may say what it likes.
_LONGEST = 300.0
#: What fails before anything was sent.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


async def call(
    session: aiohttp.ClientSession, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Any = None
) -> Answer:
    """Make a call. `url` is quoted already. Redirects are not followed: what lets us in would go along.

    Raises Failed without a status where there is no answer, and for one over a megabyte.
    """
    asked = {"headers": headers, "data": data, "allow_redirects": False, "proxy": _proxy(url), "middlewares": (_once,)}
    try:
        async with session.request(method, URL(url, encoded=True), **asked) as answer:
            return Answer(
                status=answer.status, reason=answer.reason or "", headers=answer.headers, body=await _read(answer)
            )
    except (TimeoutError, aiohttp.ClientError, OSError) as fault:
        raise _lost(url, fault) from fault


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating by itself what it takes to be harmless: a lost call comes out as what it is."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as fault:
        raise _lost(str(request.url), fault) from fault


def _lost(url: str, fault: Exception) -> Failed:
    if isinstance(fault, _NOT_SENT):
        return Failed(f"{_host(url)} cannot be reached. Check the network.")
    return Failed(f"The answer of {_host(url)} was lost ({type(fault).__name__}).", sent=True)


def json_of(body: bytes) -> Json:
    """The JSON object in a body; empty where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def failed(answer: Answer) -> Failed:
    """What a bad answer says: `{"error": {"code": …, "message": …}}`, an older form, or a page of a gateway's."""
    found = json_of(answer.body)
    error = found["error"] if isinstance(found.get("error"), dict) else found
    code, text = (str(error.get(name) or "")[:_WORDS] for name in ("code", "message"))
    if not code and (inner := _SUBCODE.search(answer.body)):
        code = inner.group(1).decode()
    return Failed(
        text or f"HTTP {answer.status} {answer.reason}",
        status=answer.status,
        code=code,
        retry_after=seconds(answer.headers.get("Retry-After")),
        sent=answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def seconds(said: str | None) -> float | None:
    """`Retry-After` in seconds, given as such or as a date, but no longer than five minutes.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if not said:
        return None
    if said.isascii() and said.isdigit():
        return min(float(said), _LONGEST)
    try:
        rest = (parsedate_to_datetime(said).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, rest), _LONGEST)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST:
            raise aiohttp.ClientPayloadError("the answer is too long")
    return body


def _proxy(url: str) -> str | None:
    """The proxy of the environment. aiohttp would look for passwords in ~/.netrc as well, in a thread, at each call."""
    parts = URL(url)
    if loopback(url) or proxy_bypass(parts.host or ""):
        return None
    return getproxies().get(parts.scheme)


def _host(url: str) -> str:
    return URL(url).host or url
