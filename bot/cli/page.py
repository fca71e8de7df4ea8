"""One review on a terminal: what would happen, why, and what stands, from the JSON of `/v1/inbox/{id}`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.cli import show
from reviews.model import GrantState, Object, Status


def draw(review: Object) -> None:
    """Print a review, redacted as it came."""
    out = show.console()
    for heading, lines in _sections(review):
        lines = [line for line in lines if line]
        if lines:
            out.print(f"[bold]{show.plain(heading)}[/bold]")
            out.print(*(f"  {show.plain(line)}" for line in lines), sep="\n", soft_wrap=True)


def _sections(review: Object) -> Iterator[tuple[str, list[str]]]:
    request, route, context = review["request"], review["route"], review["request"].get("context", {})
    yield request.get("summary") or review["action"]["name"], _facts(review, route, request)
    yield "arguments", [f"{name}: {_value(value)}" for name, value in review["action"]["arguments"].items()]
    yield "what would happen", [request["action"].get("preview") or ""]
    yield "why it asks", [*context.get("reasoning", ()), context.get("recommendation", "")]
    yield "facts", [f"{name}: {_value(value)}" for name, value in context.get("facts", {}).items()]
    yield "conversation", [f"{turn['role']}: {turn['text']}" for turn in context.get("conversation", ())]
    yield "evidence", [_evidence(item) for item in request.get("evidence", ())]
    yield "changes asked for", [f"{c['by']}: {c['text']}" for c in review["changes_requested"]]
    yield "decision", _decision(review["decision"])


def _facts(review: Object, route: Object, request: Object) -> list[str]:
    needs = " and ".join(str(need.get("role") or f"level {need.get('level')}") for need in route["needs"])
    sure = request.get("confidence")
    return [
        f"{review['id']}, revision {review['revision']}: {str(review['status']).replace('_', ' ')}",
        f"{review['action']['name']}, asked by {review['agent']}"
        + (f", {sure:.0%} sure" if isinstance(sure, int | float) else ""),
        f"risk {route['risk']}, {'can' if route['reversible'] else 'cannot'} be undone",
        f"needs {needs}" if needs else "",
        _until(review),
        route["explanation"],
    ]


def _until(review: Object) -> str:
    """What time alone will end, and how; empty where nothing runs out any more."""
    grant = review["grant"]
    match review["status"]:
        case Status.PENDING | Status.CHANGES_REQUESTED if review["held"]:
            return "on hold while its agent is stopped: its time does not run"
        case Status.PENDING:
            return f"until {show.instant(review['deadline_at'])}; if nobody answers, it expires"
        case Status.CHANGES_REQUESTED:
            return f"the agent's turn until {show.instant(review['reply_by'])}; then it expires"
        case Status.APPROVED if grant and grant["state"] == GrantState.OPEN:
            return f"the agent may act until {show.instant(grant['valid_until'])}"
        case Status.APPROVED if grant:
            return f"the right to act: {grant['state']}, {show.instant(grant['at'])}"
        case _:
            return ""


def _evidence(item: Object) -> str:
    return ": ".join(part for part in (item.get("title"), item.get("snippet")) if part)


def _decision(decision: Object | None) -> list[str]:
    if decision is None:
        return []
    who = ", ".join(seat["name"] for seat in decision["by"]) or str(decision["cause"])
    return [f"{decision['verdict']} by {who}, {show.instant(decision['decided_at'])}", decision["reason"] or ""]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
