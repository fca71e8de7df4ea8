"""Whom a rung reaches: ways, who is away and who answers instead, quiet hours, who is barred. No I/O.

One answer for every rung: persons it makes electors and why, the places a card goes to, and, where nobody is likely to
notice it, why not, so that the next rung goes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from bot.config import Config
from bot.entries import PersonEntry
from bot.quiet import quiet_until
from reviews.model import Need, Person, Reach, Route, Rung, Target, Tier
from reviews.values import replace
from reviews.ways import CHANNEL, DIRECT, EMAIL, rings

#: Picks one of several people for a role, or nobody.
Assign: TypeAlias = Callable[[str, Sequence[str]], str | None]

#: The channels of the roles a route needs.
_NEEDED = "channel:role"
_DATE = "%d %b %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Who is on call in a layer, nobody in a gap; `source` is what a call of theirs is put down to."""

    people: tuple[str, ...]
    source: str


class House(Protocol):
    """What is asked about people (`bot.people.Directory`)."""

    config: Config
    surfaces: frozenset[str]
    shared: frozenset[str]

    def entry(self, person_id: str) -> PersonEntry | None:
        """A person as placet.yml writes them."""
        ...

    def direct(self, person_id: str) -> list[Target]:
        """Where a person can be told something, the best place first."""
        ...

    def holders(self, role: str) -> tuple[Person, ...]:
        """Who holds a role."""
        ...

    def calls(self, role: str) -> tuple[Call, ...]:
        """The calls to who holds a role, were all of them there."""
        ...

    def channels(self, role: str) -> tuple[Target, ...]:
        """The channels of a role."""
        ...

    def holding(self, need: Need) -> tuple[str, ...]:
        """The roles whose holders fill a slot."""
        ...

    def absent(self, at: datetime) -> Mapping[str, datetime]:
        """Who is away at an instant, and until when."""
        ...

    def duty(self, layer: str, at: datetime) -> Duty:
        """Who is on call in a layer."""
        ...

    def turns(self, layer: str, at: datetime, n: int) -> list[str]:
        """Who is on call there next."""
        ...

    def anywhere_on_call(self, at: datetime) -> frozenset[str]:
        """Who is on call in any layer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A person called and why; `missed` says why they are not likely to answer. `instead`: somebody else is away."""

    person: str
    source: str
    missed: str | None = None
    instead: bool = False


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Part of a rung's reach. `missed` says why it reaches nobody, `faults` what of it leads nowhere all the same."""

    persons: Mapping[str, str]
    targets: tuple[Target, ...] = ()
    missed: str | None = None
    faults: tuple[str, ...] = ()


#: None of them is called by name.
_NOBODY = _Part(persons={}, missed="")


class Calling:
    """Whom the rungs of one route call at one instant.

    `besides` are persons who may not decide and so are not called; `assign` picks one of those who fill a slot, for the
    first rung that calls their role, unless somebody is `assigned` already. `needs` are the slots whose people are
    called now, where that is not all of the route's; `principal` is the person acted for, told of what they confirm.
    """

    def __init__(
        self,
        house: House,
        route: Route,
        at: datetime,
        *,
        besides: frozenset[str] = frozenset(),
        assign: Assign | None = None,
        assigned: tuple[str, ...] = (),
        needs: tuple[Need, ...] | None = None,
        principal: str | None = None,
    ) -> None:
        self._house, self._route, self._at, self._principal = house, route, at, principal
        self._besides, self._assign, self._before = besides, assign, assigned
        self._absent = house.absent(at)
        self._given: dict[int, str] = {}
        self._needs = route.needs if needs is None else needs
        #: The roles that fill each of these slots.
        self._filling = [house.holding(need) for need in self._needs]

    def rung(self, rung: Rung) -> Reach:
        """Whom one rung reaches."""
        if not rung.notify:
            return Reach()
        if rung.notify_only and self._besides:
            # Whoever is only told of it need not be let decide it.
            told = Calling(self._house, self._route, self._at, needs=self._needs, principal=self._principal)
            return told.rung(rung)
        assigned = self._share(rung) if self._route.assign_one else ()
        whole = _joined([self._part(rung, notify, assigned) for notify in rung.notify])
        return Reach(
            persons=dict(whole.persons),
            targets=tuple(dict.fromkeys(whole.targets)),
            unreachable=whole.missed,
            assigned=assigned,
            missed=() if whole.missed is not None else tuple(dict.fromkeys(whole.faults)),
        )

    def instead(self, person: str, source: str, turns: Iterable[str] = ()) -> Call:
        """Who answers a call to a person: they themselves, or while they are away their deputy or the next of `turns`.

        With none who is there, the call stays with them, and is as good as missed.
        """
        until = self._absent.get(person)
        if until is None:
            return Call(person=person, source=source)
        entry = self._house.entry(person)
        if entry is not None and entry.deputy is not None and self._there(entry.deputy):
            return Call(person=entry.deputy, source=f"{source}, {person} away: deputy", instead=True)
        following = next(filter(self._there, turns), None)
        if following is not None:
            return Call(person=following, source=f"{source}, {person} away: next on call", instead=True)
        missed = f"{self._name(person)} is away until {_local(until, entry, _DATE)}, and nobody stands in."
        return Call(person=person, source=source, missed=missed)

    # ---------------------------------------------------------------------------- who

    def _part(self, rung: Rung, notify: str, assigned: tuple[str, ...]) -> _Part:
        if notify == _NEEDED:
            return self._needed(rung, assigned)
        kind, _, name = notify.partition(":")
        match kind:
            case "channel" | "role":
                return self._role(name, rung, assigned)
            case "person" if self._house.entry(name) is not None:
                return self._people((name,), notify, rung.via)
            case "oncall":
                duty = self._house.duty(name, self._at)
                missed = f"Nobody is on call in {name} now."
                return self._people(duty.people, duty.source, rung.via, layer=name, missed=missed)
            case _:
                return _Part(persons={}, missed=f"{notify} names nobody.")

    def _people(
        self, people: tuple[str, ...], source: str, via: tuple[str, ...], *, layer: str | None = None, missed: str = ""
    ) -> _Part:
        """People called by name. Whoever is called for a `layer` has no quiet hours."""
        calls = self._calls(people, source, layer)
        if not calls:
            barred = f"{' and '.join(map(self._name, people))} may not decide this."
            return _Part(persons={}, missed=barred if people else missed)
        return self._told(calls, via, on_duty=layer is not None)

    def _calls(self, people: Iterable[str], source: str, layer: str | None = None) -> list[Call]:
        """Who answers for these people; who is not likely to only where nobody else is."""
        made: dict[str, Call] = {}
        for person in people:
            call = self.instead(person, source, self._turns(layer))
            if call.person not in self._besides:
                made.setdefault(call.person, call)
        return [call for call in made.values() if call.missed is None] or list(made.values())

    def _turns(self, layer: str | None) -> Iterator[str]:
        """Who else is on call in a layer, now and then next; looked up only where somebody must answer."""
        if layer is not None:
            yield from self._house.duty(layer, self._at).people
            yield from self._house.turns(layer, self._at, len(self._house.config.people))

    def _needed(self, rung: Rung, assigned: tuple[str, ...]) -> _Part:
        """The channels of the roles a route needs; on live surfaces their queue is enough."""
        roles = dict.fromkeys([role for roles in self._filling for role in roles])
        parts = [self._role(role, rung, assigned) for role in roles]
        if self._route.tier is Tier.CONFIRM and self._principal is not None:
            parts.append(self._acted_for(self._principal, rung))
        if not parts:
            return _Part(persons={}, missed="No role is needed, so there is no channel.")
        return _joined(parts)

    def _acted_for(self, principal: str, rung: Rung) -> _Part:
        """Nobody confirms in their stead, and being told makes them no elector of another slot."""
        until, entry = self._absent.get(principal), self._house.entry(principal)
        missed = f"{self._name(principal)} is away until {_local(until, entry, _DATE)}." if until is not None else None
        part = self._by_name(Call(person=principal, source="", missed=missed), rung.via or (DIRECT,), on_duty=False)
        return replace(part, persons={})

    def _role(self, role: str, rung: Rung, assigned: tuple[str, ...]) -> _Part:
        """The channel of a role, or its holders each by their own way, or both."""
        calls = self._of_role(role)
        if not calls:
            barred = f"Nobody with the role {role} may decide this."
            return _Part(persons={}, missed=barred if self._house.holders(role) else f"Nobody has the role {role}.")
        ways = tuple([way for way in rung.via if way != CHANNEL])
        if assigned and any(role in roles for roles in self._filling):
            named = [call for call in calls if call.person in assigned]
        else:
            named = [call for call in calls if ways or call.instead]
        persons, told = self._electors(role, calls), self._told(named, ways, on_duty=False)
        if ways and ways == rung.via:
            return replace(told, persons=persons)
        missed = _said(call.missed for call in calls) if all(call.missed for call in calls) else None
        faults = (told.missed,) if told.missed else told.faults
        targets = (*self._house.channels(role), *told.targets)
        return _Part(persons=persons, targets=targets, missed=missed, faults=faults)

    def _of_role(self, role: str) -> Sequence[Call]:
        """The holders of a role who are there; where none is, whoever stands in for them."""
        held = self._house.calls(role)
        if not held or not (self._absent or self._besides):
            return held
        there = [call for call in held if self._there(call.person)]
        if there:
            return there
        # Who stands in decides by being called, for any slot: of two roles needed they would be let fill both.
        slots = {need.role for need in self._route.needs}
        holders = [call.person for call in held]
        calls = self._calls(holders, held[0].source) if slots <= {role} or role not in slots else []
        if any(call.missed is None for call in calls):
            return calls
        missed = f"Everybody with the role {role} is away."
        return [replace(call, missed=missed) for call in held if call.person not in self._besides]

    def _electors(self, role: str, calls: Iterable[Call]) -> dict[str, str]:
        """Being called makes an elector of any slot. Who holds a role that is needed may fill that slot anyway, and
        must not fill the other role's too: two people of security are not security and lead engineer.
        """
        needed = role in [need.role for need in self._route.needs]
        return {call.person: call.source for call in calls if call.instead or not needed}

    def _share(self, rung: Rung) -> tuple[str, ...]:
        """Whom the review is given to, of those this rung calls: one for each slot that was given to nobody yet."""
        called = self._roles(rung)
        able = [self._able(called.intersection(roles)) for roles in self._filling]
        still = tuple(person for person in self._before if any(person in people for people in able))
        if still or self._assign is None:
            return still
        given = list[str]()
        for slot, people in enumerate(able):
            free = [person for person in people if person not in self._given.values()]
            if slot not in self._given and free and (one := self._assign(str(self._needs[slot]), free)):
                self._given[slot] = one
                given.append(one)
        return tuple(given)

    def _roles(self, rung: Rung) -> frozenset[str]:
        """The roles a rung calls."""
        if _NEEDED in rung.notify:
            return frozenset(role for roles in self._filling for role in roles)
        kinds = (notify.partition(":") for notify in rung.notify)
        return frozenset(name for kind, _, name in kinds if kind in ("role", "channel"))

    def _able(self, roles: Iterable[str]) -> list[str]:
        """Who of some roles can be given a review now."""
        holders = dict.fromkeys(person.id for role in sorted(roles) for person in self._house.holders(role))
        return [person for person in holders if self._there(person) and self._quiet(person) is None]

    def _there(self, person: str) -> bool:
        known = self._house.entry(person) is not None
        return known and person not in self._absent and person not in self._besides

    # ---------------------------------------------------------------------------- by which way

    def _told(self, calls: Sequence[Call], via: tuple[str, ...], *, on_duty: bool) -> _Part:
        """Each of these people, by each way; one of them reached is enough."""
        if not calls:
            return _NOBODY
        return _joined([self._by_name(call, via or (DIRECT,), on_duty=on_duty) for call in calls])

    def _by_name(self, call: Call, ways: tuple[str, ...], *, on_duty: bool) -> _Part:
        quiet = None if on_duty else self._quiet(call.person)
        going = [way for way in ways if quiet is None or not rings(way)]
        found = [self._place(call.person, way) for way in going]
        targets = tuple(place for place in found if isinstance(place, Target))
        faults = tuple(place for place in found if isinstance(place, str))
        missed = call.missed
        if missed is None and quiet is not None:
            until = _local(quiet, self._house.entry(call.person), "%H:%M")
            missed = f"{self._name(call.person)} has quiet hours until {until}."
        elif missed is None and not targets:
            missed = _said(faults)
        return _Part(persons={call.person: call.source}, targets=targets, missed=missed, faults=faults)

    def _place(self, person: str, way: str) -> Target | str:
        """Where a way leads to a person, or in a sentence why it leads nowhere."""
        if way in (DIRECT, CHANNEL):
            places = self._house.direct(person)
            return places[0] if places else f"{self._name(person)} is on no surface that runs."
        if way not in self._house.surfaces:
            return f"{way} is not set up here."
        if way not in self._house.config.gateways:
            known = (place for place in self._house.direct(person) if place.surface == way)
            return next(known, f"{self._name(person)} has no identity on {way}.")
        entry = self._house.entry(person)
        address = way if way in self._house.shared else address_of(entry, way) if entry is not None else None
        if address is None:
            return f"{self._name(person)} has no {'e-mail address' if way == EMAIL else 'phone'} in placet.yml."
        return Target(surface=way, address=address, person=person)

    def _quiet(self, person: str) -> datetime | None:
        """Until when a person has quiet hours now; None outside them, and for whoever is on call anywhere."""
        entry = self._house.entry(person)
        until = quiet_until(entry.quiet, ZoneInfo(entry.timezone), self._at) if entry and entry.quiet else None
        return None if until is None or person in self._on_call else until

    @cached_property
    def _on_call(self) -> frozenset[str]:
        return self._house.anywhere_on_call(self._at)

    def _name(self, person: str) -> str:
        entry = self._house.entry(person)
        return entry.name if entry is not None else person


def address_of(entry: PersonEntry, gateway: str) -> str | None:
    """Where a gateway reaches a person; None where placet.yml does not say."""
    return entry.addresses.get(gateway) or (entry.email if gateway == EMAIL else entry.phone) or None


def _joined(parts: Sequence[_Part]) -> _Part:
    """Parts together: one that is reached is enough, and then what the others missed is told as a fault."""
    if len(parts) == 1:
        return parts[0]
    persons: dict[str, str] = {}
    for part in parts:
        persons |= {who: why for who, why in part.persons.items() if who not in persons}
    every = tuple(dict.fromkeys(target for part in parts for target in part.targets))
    reached = any(part.missed is None for part in parts)
    missed = [part.missed for part in parts if part.missed]
    faults = (*missed, *(fault for part in parts for fault in part.faults)) if reached else ()
    return _Part(persons=persons, targets=every, missed=None if reached else _said(missed), faults=faults)


def _said(sentences: Iterable[str | None]) -> str:
    return " ".join(dict.fromkeys(filter(None, sentences)))


def _local(at: datetime, entry: PersonEntry | None, form: str) -> str:
    """An instant as a person's clock shows it, with the zone."""
    zone = entry.timezone if entry is not None else "UTC"
    return f"{at.astimezone(ZoneInfo(zone)):{form}} {zone}"
