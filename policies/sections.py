"""The sections of a policy file: business hours, actions, and the policy's own tests; and the names they may use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies import schemas
from policies.errors import SchemaFault
from policies.hours import DAYS, Calendar, country_holidays, weekdays
from policies.lookup import ARGUMENTS
from policies.model import Case, CatalogueEntry, Known
from policies.nodes import Item
from reviews.model import Object, RiskLevel
from reviews.ways import CARDS, GATEWAYS

EXPECTS = (
    "tier", "role", "level", "needs", "order", "sla", "chain", "rule", "allowed", "risk", "reversible", "shadow", "p",
    "drawn", "undo", "assign",
)  # fmt: skip
ACTION_KEYS = ("risk", "reversible", "amount", "sensitive", "schema", "guide")
CASE_KEYS = ("name", "given", "expect", "at", "agent", "count", "sum", "draw")
HOURS_KEYS = ("days", "from", "to", "holidays")

#: A Wednesday at noon: when a test that says nothing else takes place.
WHEN = datetime(2026, 1, 7, 12, 0)  # noqa: DTZ001 - local to the policy
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
_TARGET = re.compile(r"channel:role|(role|person|oncall):(\S+)")
_WAY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
TARGETS = "channel:role, role:NAME, person:ID, oncall:ROTATION.LAYER"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of `placet.yml`, where they are known; checks a name where it is used."""

    known: Known | None

    def role(self, item: Item, name: str) -> None:
        """Note a fault for a role nobody has."""
        if self.known is not None:
            _check(item, "role", name, self.known.roles)

    def level(self, item: Item, level: int) -> None:
        """Note a fault for a level no role reaches."""
        if self.known is not None and level > max(self.known.levels, default=0):
            item.fault(f"no role in placet.yml has level {level}; the highest is {max(self.known.levels, default=0)}")

    def way(self, item: Item) -> str | None:
        """A way by which a rung goes; None, with a fault noted, for one that is none, or a gateway nobody has."""
        way = item.raw()
        if way is None:
            return None
        ways = None if self.known is None else self.known.ways
        if way in (*CARDS, *GATEWAYS) or (ways is None and _WAY.fullmatch(way)) or way in (ways or ()):
            return way
        item.fault(
            f"{way!r} is not known; allowed: {', '.join(dict.fromkeys((*CARDS, *GATEWAYS, *sorted(ways or ()))))}"
        )
        return None

    def target(self, item: Item, target: str) -> None:
        """Note a fault for a target that is none, or names nobody."""
        match = _TARGET.fullmatch(target)
        if match is None:
            item.fault(f"{target!r} is no target; allowed: {TARGETS}")
        elif self.known is not None and match[1]:
            have = {"role": self.known.roles, "person": self.known.people, "oncall": self.known.rotations}[match[1]]
            _check(item, match[1], match[2], have)


def _check(item: Item, kind: str, name: str, have: frozenset[str]) -> None:
    if name not in have:
        item.fault(f"unknown {kind} {name!r}; placet.yml has: {', '.join(sorted(have)) or 'none'}")


# ---------------------------------------------------------------------------------------------- business hours


def calendar(root: Mapping[str, Item]) -> Calendar:
    """The calendar of `timezone` and `business_hours`."""
    zone = _zone(root["timezone"]) if "timezone" in root else "UTC"
    if "business_hours" not in root:
        return Calendar(timezone=zone)
    keys = root["business_hours"].mapping(HOURS_KEYS, required=("days", "from", "to"))
    days = _days(keys["days"]) if "days" in keys else frozenset(range(7))
    opens = _minutes(keys["from"]) if "from" in keys else 0
    closes = _minutes(keys["to"]) if "to" in keys else 1440
    if opens is not None and closes is not None and opens >= closes:
        keys["to"].fault("must be later than `from` on the same day; for open all day write from 00:00 to 24:00")
    country, closed = _holidays(keys["holidays"]) if "holidays" in keys else (None, frozenset())
    return Calendar(
        timezone=zone, hours=True, days=days, opens=opens or 0, closes=closes or 1440, country=country, closed=closed
    )


def _zone(item: Item) -> str:
    name = item.text() or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        item.fault(f"{name!r} is no time zone; use a name such as Europe/Berlin")
        return "UTC"
    return name


def _days(item: Item) -> frozenset[int]:
    found: set[int] = set()
    for member in item.many():
        for part in (member.raw() or "").split(","):
            first, dash, last = part.strip().partition("-")
            if first not in DAYS or (dash and last not in DAYS):
                member.fault(f"{part.strip()!r} is no day; allowed: {', '.join(DAYS)}, or a span such as mon-fri")
                continue
            found |= weekdays(first, last or first)
    return frozenset(found)


def _minutes(item: Item) -> int | None:
    text = item.raw() or ""
    match = _CLOCK.fullmatch(text)
    minutes = int(match[1]) * 60 + int(match[2]) if match else 1441
    if minutes > 1440:
        item.fault(f'{text!r} is no time of day; allowed: "00:00" to "24:00", in quotes')
        return None
    return minutes


def _holidays(item: Item) -> tuple[str | None, frozenset[date]]:
    country, closed = None, set[date]()
    for member in item.many():
        text = member.raw() or ""
        try:
            closed.add(date.fromisoformat(text))
            continue
        except ValueError:
            pass  # then it is a country
        if country is not None:
            member.fault("only one country; add the other's days as dates (2026-12-24)")
        country = _country(member, text)
    return country, frozenset(closed)


def _country(item: Item, code: str) -> str | None:
    try:
        country_holidays(code)
    except NotImplementedError:
        item.fault(f"{code!r} is no country; allowed: an ISO 3166 code such as DE or DE-BY, or dates (2026-12-24)")
        return None
    return code


# ---------------------------------------------------------------------------------------------- actions


def action(item: Item) -> CatalogueEntry:
    """One entry of the catalogue."""
    item = item.named(item.field)
    keys = item.mapping(ACTION_KEYS, required=("risk",))
    amount = keys["amount"].text() if "amount" in keys else None
    if amount is not None and not amount.startswith("/"):
        keys["amount"].fault("must be a JSON Pointer into the arguments, such as /amount")
    sensitive = _pointers(keys["sensitive"]) if "sensitive" in keys else ()
    return CatalogueEntry(
        name=item.field,
        risk=(keys["risk"].word(RiskLevel) if "risk" in keys else None) or RiskLevel.CRITICAL,
        reversible=bool(keys["reversible"].boolean()) if "reversible" in keys else False,
        amount=amount,
        sensitive=sensitive,
        hidden=tuple(dict.fromkeys(ARGUMENTS + pointer for pointer in sensitive)),
        schema=_schema(keys["schema"]) if "schema" in keys else None,
        guide=keys["guide"].text() if "guide" in keys else None,
    )


def _pointers(item: Item) -> tuple[str, ...]:
    pointers = []
    for member in item.many():
        pointer = member.text()
        if pointer is not None and not pointer.startswith("/"):
            member.fault("must be a JSON Pointer into the arguments, such as /iban")
        elif pointer is not None:
            pointers.append(pointer)
    return tuple(pointers)


def _schema(item: Item) -> Object | None:
    schema = item.plain()
    if not isinstance(schema, dict):
        item.fault("must be a JSON Schema, which is a mapping")
        return None
    try:
        schemas.check(schema)
    except SchemaFault as fault:
        item.fault(str(fault))
    return schema


# ---------------------------------------------------------------------------------------------- tests


def case(item: Item, number: int, zone: str) -> Case:
    """One of the policy's own tests."""
    item = item.named(f"test {number}")
    keys = item.mapping(CASE_KEYS, required=("given", "expect"))
    given = keys["given"].plain() if "given" in keys else {}
    expect = {k: v.plain() for k, v in keys["expect"].mapping(EXPECTS).items()} if "expect" in keys else {}
    if "expect" in keys and not expect:
        keys["expect"].fault(f"expects nothing; allowed: {', '.join(EXPECTS)}")
    if not isinstance(given, dict):
        keys["given"].fault("must be a request: a mapping with at least {action: {name: …}}")
    return Case(
        name=(keys["name"].text() if "name" in keys else None) or f"test {number} (line {item.line})",
        given=given if isinstance(given, dict) else {},
        expect=expect,
        at=_at(keys.get("at"), zone),
        agent=(keys["agent"].text() if "agent" in keys else None) or "test",
        count=(keys["count"].whole(0, 10**9) if "count" in keys else None) or 0,
        sum=(keys["sum"].number(0, 1e15) if "sum" in keys else None) or 0.0,
        draw=(keys["draw"].number(0, 1) if "draw" in keys else None) or 0.0,
        file=item.file,
        line=item.line,
    )


def _at(item: Item | None, zone: str) -> datetime:
    at = WHEN
    if item is not None:
        try:
            at = datetime.fromisoformat(item.raw() or "")
        except ValueError:
            item.fault("must be a date and time such as 2026-03-04T22:00 (local) or with an offset")
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
