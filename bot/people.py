"""Who people are, and whom a rung reaches. A value made from placet.yml; a reload makes a new one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from types import MappingProxyType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.absence import Planned, away_key, away_until, has_calendar, written
from bot.config import Config
from bot.entries import Layer, PersonEntry
from bot.oncall import Copy, Stretch, on_call, stretches
from bot.reach import Assign, Call, Calling, Duty, address_of
from policies import durations
from policies.model import Known
from reviews.model import Identity, Need, Person, Reach, Right, Route, Target, Tier
from reviews.ports import Refusal

#: Surfaces where a card shows itself to whoever looks: there everybody can be told, and nobody is called.
LIVE = frozenset({"web"})
#: How far ahead the next on call are looked for, the near future first.
_AHEAD = (timedelta(days=14), timedelta(days=92))
#: Where roles are said that no group gives.
_FILE = "placet.yml"
_NO_ROUTE = Route(tier=Tier.APPROVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A layer of a rotation (`it-ops.primary`) and who is on call in it; empty in a gap.

    `note` says of a calendar that could not be read how old what is known of it is.
    """

    layer: str
    people: tuple[Person, ...]
    note: str = ""


class Directory:
    """The people, roles and rotations of one configuration. `surfaces` are the adapters that run.

    `tenant` says whose workspace a surface is (`Surface.tenant`); `absent` who is away at an instant by their own word
    and until when, `said` when they last gave it (`Absences`); `copies` what calendars say, by layer and `away.PERSON`
    (`Calendars.copies`); `members` who holds a role by being in a group, with the group's name; `shared` are gateways
    that lead to one place whoever is called.
    """

    def __init__(
        self,
        config: Config,
        surfaces: Iterable[str] = ("web",),
        *,
        tenant: Callable[[str], str | None] = lambda surface: None,
        absent: Callable[[datetime], Mapping[str, datetime]] = lambda at: {},
        said: Callable[[str], datetime | None] = lambda person: None,
        copies: Mapping[str, Copy] = MappingProxyType({}),
        members: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
        shared: Iterable[str] = (),
    ) -> None:
        self.config = config
        self.copies = copies
        self.layers: dict[str, Layer] = {
            f"{rotation}.{name}": layer
            for rotation, layers in config.rotations.items()
            for name, layer in layers.items()
        }
        self.surfaces, self.shared = frozenset(surfaces), frozenset(shared)
        self._tenant, self._absent, self._said = tenant, absent, said
        self._entries = {entry.id: entry for entry in config.people}
        self._planned = {entry.id: written(entry) for entry in config.people if entry.away or has_calendar(entry)}
        self._sources = {entry.id: _roles_of(entry, config, members) for entry in config.people}
        self._people = {entry.id: self._person(entry) for entry in config.people}
        self._holders = {
            role: tuple(person for person in self._people.values() if role in person.roles) for role in config.roles
        }
        self._calls = {
            role: tuple(Call(person=person.id, source=f"role {role}") for person in held)
            for role, held in self._holders.items()
        }
        self._channels = {
            role: tuple(Target(surface=s, address=a) for s, a in entry.channels.items() if s in self.surfaces)
            for role, entry in config.roles.items()
        }
        self._direct = {entry.id: _places(entry, self.surfaces) for entry in config.people}
        self._by_identity: dict[tuple[str, str], str] = {
            (surface, identity): entry.id for entry in config.people for surface, identity in entry.identities.items()
        }
        self._by_email: dict[str, list[str]] = {}
        for entry in config.people:
            if entry.email:
                self._by_email.setdefault(entry.email.casefold(), []).append(entry.id)

    def _person(self, entry: PersonEntry) -> Person:
        held = {role: self.config.roles[role] for role in self._sources[entry.id]}
        return Person(
            id=entry.id,
            name=entry.name,
            roles=frozenset(held),
            level=max((role.level for role in held.values()), default=0),
            scopes=frozenset(entry.scopes),
            auditor=entry.auditor,
            may=frozenset(right for role in held.values() for right in role.may),
            groups={role: said for role, said in self._sources[entry.id].items() if said != _FILE},
        )

    @property
    def known(self) -> Known:
        """The names a policy may use."""
        return Known(
            roles=frozenset(self.config.roles),
            people=frozenset(self._people),
            rotations=frozenset(self.layers),
            levels=frozenset(role.level for role in self.config.roles.values()),
            ways=frozenset(self.config.gateways),
            ranks={name: role.level for name, role in self.config.roles.items()},
        )

    def people(self) -> tuple[Person, ...]:
        """Everyone, as listed."""
        return tuple(self._people.values())

    def person(self, person_id: str) -> Person | None:
        """A person by id."""
        return self._people.get(person_id)

    def entry(self, person_id: str) -> PersonEntry | None:
        """A person as placet.yml writes them."""
        return self._entries.get(person_id)

    def names(self) -> dict[str, str]:
        """Id to name."""
        return {person.id: person.name for person in self._people.values()}

    def who(self, identity: Identity) -> Person | Refusal:
        """The person behind a verified identity; never guessed from a name or an e-mail.

        Ids are a workspace's own: `U1` of a guest's workspace is somebody else, unless placet.yml says `T2:U1`.
        """
        if identity.surface in ("web", "api"):
            found = self._people.get(identity.id)
            return found or Refusal(text=_unknown(identity, identity.id))
        ours = self._tenant(identity.surface)
        bare = self._by_identity.get((identity.surface, identity.id))
        whole = f"{identity.tenant}:{identity.id}"
        named = self._by_identity.get((identity.surface, whole)) if identity.tenant else None
        if ours is not None and (not ours or identity.tenant != ours):
            if named is None:
                return _foreign(identity, whole, ours, known=bare is not None)
            return self._people[named]
        people = {person for person in (named, bare) if person is not None}
        if len(people) > 1:
            both = " and ".join(sorted(people))
            return Refusal(text=f"placet.yml gives {whole} to {both}. An operator must mend it.")
        return self._people[people.pop()] if people else Refusal(text=_unknown(identity, identity.id))

    def resolve(self, name: str | None) -> str | None:
        """The one person meant by an id or e-mail an agent gave; None for nobody or for two."""
        if name is None:
            return None
        if name in self._people:
            return name
        found = self._by_email.get(name.casefold(), [])
        return found[0] if len(found) == 1 else None

    # ---------------------------------------------------------------------------- roles

    def holders(self, role: str) -> tuple[Person, ...]:
        """Who holds a role, by placet.yml or by being in its group."""
        return self._holders.get(role, ())

    def calls(self, role: str) -> tuple[Call, ...]:
        """The calls to who holds a role, were all of them there."""
        return self._calls.get(role, ())

    def sources(self, person_id: str) -> dict[str, str]:
        """The roles a person holds, each with where that is said: `placet.yml`, or a group in its surface's words."""
        return dict(self._sources.get(person_id, {}))

    def with_right(self, right: Right) -> tuple[Person, ...]:
        """Who may do what only some roles let people do."""
        return tuple(person for person in self._people.values() if right in person.may)

    def holding(self, need: Need) -> tuple[str, ...]:
        """The roles whose holders fill a slot."""
        if need.role is not None:
            return (need.role,)
        return tuple(name for name, role in self.config.roles.items() if role.level >= (need.level or 0))

    def channels(self, role: str) -> tuple[Target, ...]:
        """The channels of a role on the surfaces that run."""
        return self._channels.get(role, ())

    def places(self, role: str) -> tuple[Target, ...]:
        """Where a role's people are told things: its channels, and each holder none of these can reach, at first."""
        channels = self.channels(role)
        reached = {place.surface for place in channels}
        beyond = (who.id for who in self.holders(role) if reached.isdisjoint(at.surface for at in self.direct(who.id)))
        return (*channels, *self.first_places(beyond))

    # ---------------------------------------------------------------------------- whom a rung reaches

    def reach(
        self,
        route: Route,
        at: datetime,
        *,
        besides: frozenset[str] = frozenset(),
        assign: Assign | None = None,
        assigned: tuple[str, ...] = (),
        needs: tuple[Need, ...] | None = None,
        principal: str | None = None,
    ) -> tuple[Reach, ...]:
        """Whom each rung of a route's chain reaches at this instant, aligned with the chain (`bot.reach.Calling`)."""
        calling = Calling(
            self, route, at, besides=besides, assign=assign, assigned=assigned, needs=needs, principal=principal
        )
        return tuple([calling.rung(rung) for rung in route.chain])

    def direct(self, person_id: str) -> list[Target]:
        """Where a person can be told something, their preferred surface first; everybody has the web."""
        return list(self._direct.get(person_id, ()))

    def first_places(self, people: Iterable[str]) -> tuple[Target, ...]:
        """Where each of these people is told things first, each place once."""
        return tuple(dict.fromkeys(place for person in people for place in self.direct(person)[:1]))

    def instead(self, person_id: str, tried: Collection[str]) -> Target | None:
        """Where else to tell a person what could not be told on the surfaces `tried`.

        Never a live one: to post there always works, and nobody notices it.
        """
        left = (place for place in self.direct(person_id) if place.surface not in tried and place.surface not in LIVE)
        return next(left, None)

    def address(self, person_id: str, gateway: str) -> str | None:
        """Where a gateway reaches a person; None where placet.yml does not say."""
        entry = self._entries.get(person_id)
        return address_of(entry, gateway) if entry is not None else None

    def stand_in(self, person_id: str, at: datetime, layer: str | None = None) -> str | None:
        """Who is called instead of a person who is away: their deputy, or the next on call of a `layer`.

        None where they are called themselves: a deputy who is away too, or none, would leave the call to nobody.
        """
        call = Calling(self, _NO_ROUTE, at).instead(person_id, "", self._following(layer, at))
        return call.person if call.instead else None

    def _following(self, layer: str | None, at: datetime) -> Iterator[str]:
        if layer is not None:
            yield from self.turns(layer, at, len(self._people))

    def absent(self, at: datetime) -> Mapping[str, datetime]:
        """Who is away at an instant, and until when: by their own word, by placet.yml, by their calendar."""
        if not self._planned:
            return self._absent(at)
        found = dict(self._absent(at))
        for person, times in self._planned.items():
            copy = self.copies.get(away_key(person))
            known = (*times, *(Planned(start=s.start, end=s.end) for s in copy.shifts)) if copy is not None else times
            until = away_until(known, at, self._said(person))
            if until is not None:
                found[person] = max(until, found.get(person, until))
        return found

    # ---------------------------------------------------------------------------- who is on call

    def duty(self, layer: str, at: datetime) -> Duty:
        """Who is on call in a layer, and what a call of theirs is put down to: the calendar's name, as of when."""
        found, copy = self.layers.get(layer), self.copies.get(layer)
        people = on_call(found, at, copy) if found is not None else ()
        source = f"oncall:{layer}"
        if found is not None and copy is not None and copy.read_at is not None:
            source += f", {_calendar(found)} of {copy.read_at:%Y-%m-%dT%H:%MZ}"
        return Duty(people=people, source=source)

    def anywhere_on_call(self, at: datetime) -> frozenset[str]:
        """Who is on call in any layer."""
        return frozenset(
            who for name, layer in self.layers.items() for who in on_call(layer, at, self.copies.get(name))
        )

    def turns(self, layer: str, at: datetime, n: int) -> list[str]:
        """The next `n` persons on call in a layer after those who are now, each once, as far ahead as is known."""
        if layer not in self.layers:
            return []
        now, found = on_call(self.layers[layer], at, self.copies.get(layer)), dict[str, None]()
        for ahead in _AHEAD:
            for stretch in self.stretches(layer, at, at + ahead):
                found |= dict.fromkeys(person for person in stretch.people if person not in now)
            if len(found) >= n:
                break
        return list(found)[:n]

    def on_call(self, at: datetime) -> tuple[Turn, ...]:
        """Who is on call at an instant, layer by layer, whether away or not."""
        return tuple(
            Turn(
                layer=name,
                people=tuple(self._people[person] for person in on_call(layer, at, self.copies.get(name))),
                note=_age(self.copies.get(name), at),
            )
            for name, layer in self.layers.items()
        )

    def unread(self, at: datetime) -> dict[str, str]:
        """The calendars of times away that could not be read, each with how old what is known of it is."""
        calendars = ((away_key(person), self.copies.get(away_key(person))) for person in self._planned)
        return {name: note for name, copy in calendars if (note := _age(copy, at))}

    def stretches(self, layer: str, since: datetime, until: datetime) -> list[Stretch]:
        """Who is on call in a layer from one instant to another, gaps included."""
        return stretches(self.layers[layer], since, until, self.copies.get(layer))

    def zone(self, person_id: str) -> ZoneInfo:
        """The time zone a person writes times in."""
        entry = self._entries.get(person_id)
        return ZoneInfo(entry.timezone if entry is not None else "UTC")


def _roles_of(entry: PersonEntry, config: Config, members: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The roles somebody holds, with where that is said; the file comes first. A group gives only roles there are."""
    by_group = {role: people[entry.id] for role, people in members.items() if entry.id in people}
    return {role: why for role, why in by_group.items() if role in config.roles} | dict.fromkeys(entry.roles, _FILE)


def _places(entry: PersonEntry, surfaces: frozenset[str]) -> tuple[Target, ...]:
    places = {str(s): identity.rpartition(":")[2] for s, identity in entry.identities.items()} | {"web": entry.id}
    order = sorted(places, key=lambda surface: (surface != entry.prefers, surface in LIVE))
    return tuple(Target(surface=s, address=places[s], person=entry.id) for s in order if s in surfaces)


def _calendar(layer: Layer) -> str:
    """What a calendar is called where people read it: its file, its host or its variable; its address is a secret."""
    if layer.ical is None:
        return f"calendar {layer.ical_env}"
    return f"calendar {urlsplit(layer.ical).hostname if '://' in layer.ical else PurePath(layer.ical).name}"


def _age(copy: Copy | None, at: datetime) -> str:
    """How old what is known of a calendar is, where it could not be read when it was last tried."""
    if copy is None or not copy.fault:
        return ""
    if copy.read_at is None:
        return f"its calendar could not be read: {copy.fault}"
    return f"as its calendar was {durations.since(copy.read_at, at)} ago; it could not be read since: {copy.fault}"


def _unknown(identity: Identity, written: str) -> str:
    return (
        f"Placet does not know {identity.surface} user {written}. "
        "Ask an operator to add this identity to a person in placet.yml."
    )


def _foreign(identity: Identity, whole: str, ours: str, *, known: bool) -> Refusal:
    """Somebody of a workspace that is not ours, or whose own is not known to be ours."""
    surface = identity.surface.capitalize()
    if known and not ours:
        return Refusal(text=f"{surface} has not said yet which workspace this is. Press again in a moment.")
    if identity.tenant is None:
        return Refusal(text=f"{surface} did not say of which workspace user {identity.id} is, so nobody is guessed.")
    if not known:
        return Refusal(text=_unknown(identity, whole if ours else identity.id))
    return Refusal(
        text=f"User {identity.id} is of another {surface} workspace than this one. If that is right, an operator "
        f"writes the identity as `{whole}` in placet.yml."
    )
