"""What a request may hold beyond its types: ranges, names, addresses, decisions. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from operator import attrgetter
from urllib.parse import urlsplit

from reviews.model import OPTIONAL_DECISIONS, Request, Verb

#: How many JSON Pointers may name what is sensitive; each is looked for in every text shown.
MAX_SENSITIVE = 200
#: How many terms may be marked in snippets; each is looked for in every one.
MAX_TERMS = 50
#: Names and references of an agent (characters), and its callback's address.
MAX_NAME, MAX_URL = 500, 2000
NAMES = tuple(
    field.name
    for field in dataclasses.fields(Request)
    if field.type == "str | None" and field.name not in ("summary", "callback_url")
)


def beyond_types(request: Request) -> Iterator[tuple[str, str]]:
    """Pointer and rule of each field that breaks one that types alone do not say."""
    yield from _out_of_bounds(request)
    if not _callable(request.callback_url):
        yield "/callback_url", "an https URL without a user or password"
    if not _answerable(request.allowed_decisions):
        yield "/allowed_decisions", "approve and reject, and of edit and request_changes what you can take"


#: Numbers of a request, and between what they lie.
_RANGES: tuple[tuple[str, float, float, str], ...] = (
    ("confidence", 0, 1, "from 0 to 1"),
    ("risk.score", 0, 1, "from 0 to 1"),
    ("risk.sentiment", -1, 1, "from -1 to 1"),
    ("risk.amount", 0, math.inf, "0 or more"),
    ("escalate_after_seconds", 1, 10**7, "from 1 to 10000000"),
)
_numbers = attrgetter(*(field for field, _, _, _ in _RANGES))
_names = attrgetter(*NAMES)


def _out_of_bounds(request: Request) -> Iterator[tuple[str, str]]:
    """Pointer and rule of each field that breaks one."""
    name = request.action.name
    # Of all that is space, only the plain one is printable.
    if not (0 < len(name) <= 128 and name.isprintable() and " " not in name):
        yield "/action/name", "1 to 128 characters, none of them a space"
    for value, (field, low, high, message) in zip(_numbers(request), _RANGES, strict=True):
        if value is not None and not low <= value <= high:
            yield "/" + field.replace(".", "/"), message
    for field, text in zip(NAMES, _names(request), strict=True):
        if text is not None and len(text) > MAX_NAME:
            yield f"/{field}", f"at most {MAX_NAME} characters"
    deadline = request.review_deadline
    if deadline is not None and (deadline.tzinfo is None or not 2000 <= deadline.year < 9000):
        yield "/review_deadline", "an RFC 3339 instant with its offset, such as 2026-11-25T12:00:00Z"
    yield from _faulty_parts(request)


def _faulty_parts(request: Request) -> Iterator[tuple[str, str]]:
    """As `_out_of_bounds`, for what there may be several of."""
    for n, evidence in enumerate(request.evidence):
        if evidence.score is not None and not 0 <= evidence.score <= 1:
            yield f"/evidence/{n}/score", "from 0 to 1"
        if evidence.url is not None and not _readable(evidence.url):
            yield f"/evidence/{n}/url", "a web address that can be read"
    if len(request.sensitive) > MAX_SENSITIVE:
        yield "/sensitive", f"at most {MAX_SENSITIVE} pointers; name a parent"
    terms = request.ui_hint.highlight_terms
    if len(terms) > MAX_TERMS or any(len(term) > MAX_NAME for term in terms):
        yield "/ui_hint/highlight_terms", f"at most {MAX_TERMS} terms of {MAX_NAME} characters"
    for n, pointer in enumerate(request.sensitive):
        if not pointer.startswith("/"):
            yield f"/sensitive/{n}", "a JSON Pointer such as /action/arguments/iban"


def _readable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.port is None or parts.hostname is not None
    except ValueError:
        return False


def _callable(url: str | None) -> bool:
    if url is None:
        return True
    try:
        parts = urlsplit(url)
        ok = parts.scheme in ("https", "http") and parts.hostname and "@" not in parts.netloc and parts.port != 0
        return bool(ok and len(url) <= MAX_URL and url.isprintable() and " " not in url)
    except ValueError:
        return False


def _answerable(decisions: tuple[Verb, ...] | None) -> bool:
    if decisions is None:
        return True
    always = {Verb.APPROVE, Verb.REJECT}
    return always <= set(decisions) <= always | OPTIONAL_DECISIONS
