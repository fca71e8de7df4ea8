"""What holds of a request once the catalogue has had its say, and the values conditions see of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from policies.hours import is_open
from policies.model import CatalogueEntry, Policy
from reviews.model import Object, Request, RiskLevel

_ARGUMENTS = "/action/arguments"
_LONGEST_SHOWN = 120
#: Where the values of a condition's names lie in the request, for those that may be sensitive.
_POINTERS = {"args": _ARGUMENTS, "metadata": "/metadata", "validation": "/validation", "risk": "/risk"}
_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What holds of the request once the catalogue has had its say. `faults` are sentences; each is a failure."""

    listed: bool
    risk: RiskLevel
    reversible: bool
    amount: float | None
    confidence: float | None
    sensitive: tuple[str, ...]
    schema: Object | None
    guide: str | None
    faults: tuple[str, ...]


def gather(policy: Policy, request: Request) -> Facts:
    """The catalogue beats the agent: what an agent claims can only raise it."""
    entry = policy.actions.get(request.action.name)
    claimed = request.risk.level or RiskLevel.LOW
    known = entry.risk if entry is not None else RiskLevel.MEDIUM
    amount, faults = _amount(entry, request)
    confidence = request.confidence
    if confidence is not None and not (_is_number(confidence) and 0 <= confidence <= 1):
        confidence, faults = None, [*faults, "confidence is not between 0 and 1"]
    hidden = tuple(_ARGUMENTS + pointer for pointer in entry.sensitive) if entry is not None else ()
    return Facts(
        listed=entry is not None,
        risk=max(known, claimed, key=lambda level: level.rank),
        reversible=entry is not None and entry.reversible and request.action.reversible is not False,
        amount=amount,
        confidence=None if confidence is None else float(confidence),
        sensitive=tuple(dict.fromkeys((*hidden, *request.sensitive))),
        schema=entry.schema if entry is not None and entry.schema is not None else request.action.schema,
        guide=entry.guide if entry is not None else None,
        faults=tuple(faults),
    )


def _amount(entry: CatalogueEntry | None, request: Request) -> tuple[float | None, list[str]]:
    """The amount at the catalogue's pointer, raised by the claim; None, and a fault, where it is no amount."""
    claim, faults = request.risk.amount, list[str]()
    if claim is not None and not is_amount(claim):
        claim, faults = None, ["risk.amount is no amount (a number of at least 0)"]
    if entry is None or entry.amount is None:
        return (None if claim is None else float(claim)), faults
    listed = pointed(request.action.arguments, entry.amount)
    if not is_amount(listed):
        return None, [*faults, f"the amount at {entry.amount} of the arguments is absent or no number of at least 0"]
    return max(float(listed), float(claim or 0)), faults


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def is_amount(value: Any) -> bool:
    """Whether it is a finite number of at least 0."""
    return _is_number(value) and value >= 0


def pointed(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) points at; None when there is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, (list, tuple)) and key.isascii() and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


# ---------------------------------------------------------------------------------------------- what conditions see


def visible(policy: Policy, request: Request, facts: Facts, agent: str, now: datetime) -> Object:
    """The values of the names this policy uses, and no others: turning large arguments into CEL costs."""
    makers: dict[str, Callable[[], Any]] = {
        "action": lambda: {"name": request.action.name},
        "args": lambda: request.action.arguments,
        "amount": lambda: facts.amount,
        "confidence": lambda: facts.confidence,
        "risk": lambda: _risk(request, facts),
        "reversible": lambda: facts.reversible,
        "review_type": lambda: str(request.review_type),
        "validation": lambda: request.validation or {},
        "agent": lambda: agent,
        "session_id": lambda: request.session_id,
        "metadata": lambda: request.metadata,
        "listed": lambda: facts.listed,
        "now": lambda: _local(now, policy),
        "after_hours": lambda: not is_open(policy.calendar, now),
    }
    return {name: make() for name, make in makers.items() if name in policy.names}


def _risk(request: Request, facts: Facts) -> Object:
    """The effective level, and what the agent says; what it does not say is absent (`has(risk.score)`)."""
    claim = request.risk
    said = {"score": claim.score, "currency": claim.currency, "domain": claim.domain, "sentiment": claim.sentiment}
    values: Object = {name: value for name, value in said.items() if value is not None}
    if facts.amount is not None:
        values["amount"] = facts.amount
    return values | {"level": str(facts.risk)}


def _local(now: datetime, policy: Policy) -> datetime:
    # The engine takes fixed offsets only; with the policy's, now.getHours() is the hour on the wall.
    local = now.astimezone(policy.calendar.zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)))


def shown(path: tuple[str, ...], values: Object, facts: Facts) -> Any:
    """One value for the trace: scalars as they are, sensitive ones hidden, large ones described, absent ones null."""
    root = _POINTERS.get(path[0])
    if root is not None and _covered("/".join((root, *path[1:])), facts.sensitive):
        return _HIDDEN
    value: Any = values
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    match value:
        case dict():
            return f"(an object with {len(value)} keys)"
        case list() | tuple():
            return f"(a list of {len(value)})"
        case str() if len(value) > _LONGEST_SHOWN:
            return value[:_LONGEST_SHOWN] + "…"
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
        case _:
            return f"(a {type(value).__name__})"


def _covered(pointer: str, sensitive: tuple[str, ...]) -> bool:
    return any(pointer == hidden or pointer.startswith(hidden + "/") for hidden in sensitive)
