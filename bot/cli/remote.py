"""Votes from a terminal: the calls of a person's token over HTTP, with the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from reviews.errors import PlacetError
from reviews.model import Object

TIMEOUT = 20.0


class NotTaken(PlacetError):
    """The server did not take it; the sentence is its own."""


class Remote:
    """A server and a person's token."""

    def __init__(self, server: str, token: str) -> None:
        if urllib.parse.urlsplit(server).scheme not in ("http", "https"):
            raise NotTaken(f"{server} is no address of a Placet server; write --server http://127.0.0.1:8080.")
        self._server, self._token = server.rstrip("/"), token

    def inbox(self, view: str) -> list[Object]:
        """The person's queue: `mine`, `roles`, `decided` or `all`. Raises NotTaken."""
        items: list[Object] = self._call(f"/v1/inbox?view={urllib.parse.quote(view)}")["items"]
        return items

    def review(self, review: str) -> Object:
        """One review, redacted as for any reviewer. Raises NotTaken."""
        return self._call(f"/v1/inbox/{urllib.parse.quote(review, safe='')}")

    def vote(self, review: str, vote: Object) -> Object:
        """Vote; the review as it stands then. Raises NotTaken."""
        return self._call(f"/v1/reviews/{urllib.parse.quote(review, safe='')}/votes", vote)

    def _call(self, path: str, body: Object | None = None) -> Object:
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
            self._server + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
                return _object(answer.read())
        except urllib.error.HTTPError as fault:
            raise NotTaken(_sentence(fault)) from None
        except (OSError, ValueError) as fault:
            why = getattr(fault, "reason", None) or fault
            raise NotTaken(
                f"No Placet answers at {self._server}: {why}. Start it (`placet serve`), or name another with --server."
            ) from None


def _sentence(fault: urllib.error.HTTPError) -> str:
    """What a problem document says (RFC 9457), with its fields."""
    try:
        told = _object(fault.read())
    except ValueError:
        return f"The server answered {fault.code} {fault.reason}."
    lines = [str(told.get("detail") or told.get("title") or fault.reason)]
    lines += [f"{error.get('pointer')}: {error.get('message')}" for error in told.get("errors", ())]
    return "\n".join(lines)


def _object(raw: bytes) -> Object:
    found: Any = json.loads(raw)
    if isinstance(found, dict):
        return found
    raise ValueError("no JSON object")
