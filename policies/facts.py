"""What holds of a request once the catalogue has had its say, and the values conditions see of it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from policies.hours import is_open
from policies.model import CatalogueEntry, Policy, Sight
from reviews.model import Object, Request, RiskLevel

_LONGEST_SHOWN = 120
_HIDDEN = "(hidden)"


# Not frozen, as it lives only while one request is classified, and filling a frozen one takes three times as long.
@dataclass(slots=True, kw_only=True)
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
    claimed, known = request.risk.level, entry.risk if entry is not None else RiskLevel.MEDIUM
    amount, faults = _amount(entry, request)
    confidence = request.confidence
    if confidence is not None and not (_is_number(confidence) and 0 <= confidence <= 1):
        confidence, faults = None, (*faults, "confidence is not between 0 and 1")
    hidden = entry.hidden if entry is not None else ()
    return Facts(
        listed=entry is not None,
        risk=known if claimed is None or claimed.rank <= known.rank else claimed,
        reversible=entry is not None and entry.reversible and request.action.reversible is not False,
        amount=amount,
        confidence=None if confidence is None else float(confidence),
        sensitive=tuple(dict.fromkeys((*hidden, *request.sensitive))) if request.sensitive else hidden,
        schema=entry.schema if entry is not None and entry.schema is not None else request.action.schema,
        guide=entry.guide if entry is not None else None,
        faults=faults,
    )


def _amount(entry: CatalogueEntry | None, request: Request) -> tuple[float | None, tuple[str, ...]]:
    """The amount at the catalogue's pointer, raised by the claim; None, and a fault, where it is no amount."""
    claim = request.risk.amount
    faults: tuple[str, ...] = ()
    if claim is not None and not is_amount(claim):
        claim, faults = None, ("risk.amount is no amount (a number of at least 0)",)
    if entry is None or entry.amount is None:
        return (None if claim is None else float(claim)), faults
    listed = pointed(request.action.arguments, entry.amount)
    if not is_amount(listed):
        return None, (*faults, f"the amount at {entry.amount} of the arguments is absent or no number of at least 0")
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
        key = part.replace("~1", "/").replace("~0", "~") if "~" in part else part
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
    return {name: _value(name, policy, request, facts, agent, now) for name in policy.names}


def _value(name: str, policy: Policy, request: Request, facts: Facts, agent: str, now: datetime) -> Any:
    match name:
        case "action":
            return {"name": request.action.name}
        case "args":
            return _read(policy, name, request.action.arguments)
        case "risk":
            return _read(policy, name, _risk(request, facts))
        case "validation":
            return _read(policy, name, request.validation or {})
        case "metadata":
            return _read(policy, name, request.metadata)
        case "amount" | "confidence" | "reversible" | "listed":
            return getattr(facts, name)
        case "review_type":
            return str(request.review_type)
        case "agent":
            return agent
        case "session_id":
            return request.session_id
        case "now":
            return _local(now, policy)
        case "after_hours":
            return not is_open(policy.calendar, now)
        case _:
            raise AssertionError(f"no condition may use {name}")


def _read(policy: Policy, name: str, value: Object) -> Object:
    """What the conditions read of an object; all of it where that cannot be told."""
    fields = policy.lookup.fields.get(name)
    return value if fields is None else {key: part for key, part in value.items() if key in fields}


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


def shown(sight: Sight, values: Object, sensitive: tuple[str, ...]) -> Any:
    """One value for the trace: scalars as they are, sensitive ones hidden, large ones described, absent ones null."""
    if sight.pointer is not None and sensitive and _covered(sight.pointer, sensitive):
        return _HIDDEN
    value: Any = values
    for key in sight.path:
        value = value.get(key) if isinstance(value, dict) else None
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
        case dict():
            return f"(an object with {len(value)} keys)"
        case list() | tuple():
            return f"(a list of {len(value)})"
        case datetime():
            return value.isoformat()
        case _:
            return f"(a {type(value).__name__})"


def _covered(pointer: str, sensitive: tuple[str, ...]) -> bool:
    return any(pointer == hidden or pointer.startswith(hidden + "/") for hidden in sensitive)
