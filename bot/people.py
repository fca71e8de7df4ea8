"""Who people are, and whom a rung reaches. A value made from placet.yml; a reload makes a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.config import Config, Layer, PersonEntry
from bot.oncall import Copy, Stretch, on_call, stretches
from policies import durations
from policies.model import Known
from reviews.model import Identity, Need, Person, Reach, Route, Rung, Target, Tier
from reviews.ports import Refusal

#: What a rung may say it goes by, and which of them this installation has, is asked of the directory.
_BY_CARD = frozenset({"", "channel", "dm", "web"})


@dataclass(frozen=True, slots=True)
class _Called:
    """Part of a rung's reach: people it makes electors and why, places, and, where it reaches nobody, why not."""

    persons: dict[str, str]
    targets: tuple[Target, ...] = ()
    missed: str | None = None


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

    `tenant` says whose workspace a surface is (`Surface.tenant`), `absent` who is away at an instant and until when,
    `copies` what calendars say, by layer (`Calendars.copies`).
    """

    def __init__(
        self,
        config: Config,
        surfaces: Iterable[str] = ("web",),
        *,
        tenant: Callable[[str], str | None] = lambda surface: None,
        absent: Callable[[datetime], Mapping[str, datetime]] = lambda at: {},
        copies: Mapping[str, Copy] = MappingProxyType({}),
    ) -> None:
        self.config = config
        self.copies = copies
        self.layers: dict[str, Layer] = {
            f"{rotation}.{name}": layer
            for rotation, layers in config.rotations.items()
            for name, layer in layers.items()
        }
        self.surfaces = frozenset(surfaces)
        self._tenant, self.absent = tenant, absent
        self._entries = {entry.id: entry for entry in config.people}
        self._people = {entry.id: self._person(entry) for entry in config.people}
        self._by_identity: dict[tuple[str, str], str] = {
            (surface, identity): entry.id for entry in config.people for surface, identity in entry.identities.items()
        }
        self._by_email: dict[str, list[str]] = {}
        for entry in config.people:
            if entry.email:
                self._by_email.setdefault(entry.email.casefold(), []).append(entry.id)

    def _person(self, entry: PersonEntry) -> Person:
        level = max((self.config.roles[role].level for role in entry.roles), default=0)
        return Person(
            id=entry.id,
            name=entry.name,
            roles=frozenset(entry.roles),
            level=level,
            scopes=frozenset(entry.scopes),
            auditor=entry.auditor,
        )

    @property
    def known(self) -> Known:
        """The names a policy may use."""
        return Known(
            roles=frozenset(self.config.roles),
            people=frozenset(self._people),
            rotations=frozenset(self.layers),
            levels=frozenset(role.level for role in self.config.roles.values()),
        )

    def people(self) -> tuple[Person, ...]:
        """Everyone, as listed."""
        return tuple(self._people.values())

    def person(self, person_id: str) -> Person | None:
        """A person by id."""
        return self._people.get(person_id)

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

    def identity_of(self, person_id: str) -> Identity | None:
        """Where to whisper to a person: their preferred surface, else the first that runs."""
        for target in self._direct(person_id):
            return Identity(surface=target.surface, id=target.address)
        return None

    def resolve(self, name: str | None) -> str | None:
        """The one person meant by an id or e-mail an agent gave; None for nobody or for two."""
        if name is None:
            return None
        if name in self._people:
            return name
        found = self._by_email.get(name.casefold(), [])
        return found[0] if len(found) == 1 else None

    # ---------------------------------------------------------------------------- whom a rung reaches

    def reach(self, route: Route, at: datetime) -> tuple[Reach, ...]:
        """Whom each rung of a route's chain reaches at this instant, aligned with the chain."""
        return tuple(self._rung(route, rung, at) for rung in route.chain)

    def _rung(self, route: Route, rung: Rung, at: datetime) -> Reach:
        if not rung.notify:
            return Reach()
        foreign = [way for way in rung.via if way not in _BY_CARD]
        if rung.via and len(foreign) == len(rung.via):
            return Reach(unreachable=f"{' and '.join(foreign)} is not set up here.")
        parts = [self._called(route, target, at) for target in rung.notify]
        persons: dict[str, str] = {}
        for part in parts:
            persons |= {who: why for who, why in part.persons.items() if who not in persons}
        targets = tuple(dict.fromkeys(target for part in parts for target in part.targets))
        missed = " ".join(part.missed for part in parts if part.missed)
        unreachable = None if any(part.missed is None for part in parts) else missed
        return Reach(persons=persons, targets=targets, unreachable=unreachable)

    def _called(self, route: Route, notify: str, at: datetime) -> _Called:
        kind, _, name = notify.partition(":")
        match kind:
            case "channel" if name == "role":
                return self._needed_roles(route)
            case "channel" | "role":
                return self._role(name, route)
            case "person":
                return self._persons((name,), notify, at)
            case "oncall":
                layer, copy = self.layers.get(name), self.copies.get(name)
                people = on_call(layer, at, copy) if layer else ()
                source = f"{notify}, calendar of {copy.read_at:%Y-%m-%dT%H:%MZ}" if copy and copy.read_at else notify
                return self._persons(people, source, at, missed=f"Nobody is on call in {name} now.")
            case _:
                return _Called({}, missed=f"{notify} names nobody.")

    def _needed_roles(self, route: Route) -> _Called:
        """The channels of the roles a route needs; on live surfaces their queue is enough."""
        if route.tier is Tier.CONFIRM and not route.needs:
            return _Called({})  # the person acted for finds it in their queue
        roles = dict.fromkeys(role for need in route.needs for role in self._holding(need))
        parts = [self._role(role, route) for role in roles]
        targets = tuple(target for part in parts for target in part.targets)
        missed = " ".join(part.missed for part in parts if part.missed) or "No role is needed, so there is no channel."
        return _Called({}, targets, None if any(part.missed is None for part in parts) else missed)

    def _holding(self, need: Need) -> tuple[str, ...]:
        if need.role is not None:
            return (need.role,)
        return tuple(name for name, role in self.config.roles.items() if role.level >= (need.level or 0))

    def _role(self, role: str, route: Route) -> _Called:
        entry = self.config.roles.get(role)
        holders = [person.id for person in self._people.values() if role in person.roles]
        if entry is None or not holders:
            return _Called({}, missed=f"Nobody has the role {role}.")
        places = tuple(Target(surface=s, address=a) for s, a in entry.channels.items() if s in self.surfaces)
        # Being called makes an elector of any slot. Who holds a role that is needed may fill that slot anyway, and
        # must not fill the other role's too: two people of security are not security and lead engineer.
        slots = {need.role for need in route.needs}
        electors = {} if role in slots else dict.fromkeys(holders, f"role {role}")
        return _Called(electors, places)

    def _persons(self, people: Iterable[str], source: str, at: datetime, missed: str = "") -> _Called:
        called: dict[str, str] = {}
        for person in people:
            if person in self._people:
                instead = self.stand_in(person, at)
                called.setdefault(instead or person, source if instead is None else f"{source}, {person} away: deputy")
        targets = tuple(target for person in called for target in self._direct(person)[:1])
        return _Called(called, targets, None if called else missed or f"{source} names nobody.")

    def stand_in(self, person_id: str, at: datetime) -> str | None:
        """The deputy called instead of a person who is away; None where they are called themselves.

        A deputy who is away too, or none, would leave the call to nobody: then it stays with the person.
        """
        absent = self.absent(at)
        entry = self._entries.get(person_id)
        deputy = entry.deputy if entry is not None and person_id in absent else None
        return None if deputy in absent else deputy

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

    def stretches(self, layer: str, since: datetime, until: datetime) -> list[Stretch]:
        """Who is on call in a layer from one instant to another, gaps included."""
        return stretches(self.layers[layer], since, until, self.copies.get(layer))

    def zone(self, person_id: str) -> ZoneInfo:
        """The time zone a person writes times in."""
        entry = self._entries.get(person_id)
        return ZoneInfo(entry.timezone if entry is not None else "UTC")

    def _direct(self, person_id: str) -> list[Target]:
        """Where a person can be told something, their preferred surface first; everybody has the web."""
        entry = self._entries.get(person_id)
        if entry is None:
            return []
        places = {str(s): identity.rpartition(":")[2] for s, identity in entry.identities.items()} | {"web": entry.id}
        order = sorted(places, key=lambda surface: (surface != entry.prefers, surface == "web"))
        return [Target(surface=s, address=places[s], person=entry.id) for s in order if s in self.surfaces]


def _age(copy: Copy | None, at: datetime) -> str:
    """How old what is known of a calendar is, where it could not be read when it was last tried."""
    if copy is None or not copy.fault:
        return ""
    if copy.read_at is None:
        return f"its calendar could not be read: {copy.fault}"
    minutes = max(at - copy.read_at, timedelta()) // timedelta(minutes=1) * timedelta(minutes=1)
    return f"as its calendar was {durations.show(minutes)} ago; it could not be read since: {copy.fault}"


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
