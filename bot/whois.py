"""Who somebody is to the house, and that they are away: what operators ask of people by command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.absence import Absences, until_of
from bot.people import Directory
from bot.wire import stamp
from reviews.errors import NotFound
from reviews.keeping import Store
from reviews.model import Object, Person

_ALLOWED = "Write --until 2d, or a time in their zone: --until 2026-11-26T09:00."


class Whois:
    """The operations on people; all that is known of them comes from the directory."""

    def __init__(self, store: Store, absences: Absences, directory: Callable[[], Directory]) -> None:
        self._store, self._absences, self._directory = store, absences, directory

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Any]]]:
        """By name, for `Operations.also`."""
        return {"people.whois": self.whois, "people.away": self.away}

    async def whois(self, word: str) -> list[Object]:
        """Everybody a word may mean: an id, an e-mail, a part of a name, an identity (`slack:U02AB`)."""
        now = await self._store.view(lambda tx: tx.now())
        directory = self._directory()
        found = [person for person in directory.people() if _meant(directory, person, word.strip())]
        exact = [person for person in found if word.strip().casefold() == person.id]
        absent = directory.absent(now)
        layers = {turn.layer: {each.id for each in turn.people} for turn in directory.on_call(now)}
        return [
            _told(directory, person)
            | {
                "away_until": stamp(absent[person.id]) if person.id in absent else None,
                "on_call": [layer for layer, people in layers.items() if person.id in people],
            }
            for person in exact or found
        ]

    async def away(self, person: str, until: str | None) -> Object:
        """Keep until when somebody is away (`2d`, `2026-11-26 09:00` in their zone); None: they are back.

        Raises NotFound, Unclear.
        """
        directory = self._directory()
        who = directory.person(person)
        if who is None:
            raise NotFound(f"There is nobody {person!r} in placet.yml; `placet people whois WORD` looks for them.")
        now = await self._store.view(lambda tx: tx.now())
        end = None if until is None else until_of(until, now, directory.zone(person), _ALLOWED)
        await self._absences.set(who, end, surface="cli", by="operator")
        return {"person": person, "name": who.name, "until": stamp(end), "deputy": directory.stand_in(person, now)}


def _meant(directory: Directory, person: Person, word: str) -> bool:
    entry, folded = directory.entry(person.id), word.casefold()
    assert entry is not None
    surface, colon, identity = word.partition(":")
    if colon and surface in entry.identities:
        return identity.casefold() in _spellings(entry.identities[surface])
    if entry.email is not None and folded == entry.email.casefold():
        return True
    known = {spelling for each in entry.identities.values() for spelling in _spellings(each)}
    return folded == person.id or folded in known or (bool(folded) and folded in person.name.casefold())


def _spellings(identity: str) -> set[str]:
    """An identity whole, and without its workspace."""
    return {identity.casefold(), identity.rpartition(":")[2].casefold()}


def _told(directory: Directory, person: Person) -> Object:
    entry = directory.entry(person.id)
    assert entry is not None
    return {
        "id": person.id,
        "name": person.name,
        "email": entry.email,
        "phone": entry.phone,
        "timezone": entry.timezone,
        "identities": dict(entry.identities),
        "roles": [{"role": role, "source": why} for role, why in directory.sources(person.id).items()],
        "level": person.level,
        "may": sorted(person.may),
        "scopes": sorted(person.scopes),
        "auditor": person.auditor,
        "deputy": entry.deputy,
        "quiet": None if entry.quiet is None else f"{entry.quiet.begins} to {entry.quiet.until}, {entry.quiet.days}",
        "told_on": [target.surface for target in directory.direct(person.id)],
    }
