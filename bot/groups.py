"""Who is in the groups roles are held through (`roles: X: members`), and the last good copy of each.

A group never makes a person: of those in it only people of placet.yml count, by the identity written there. What cannot
be read changes nothing but what readiness says; of a group that was never read, nobody holds anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.config import Config
from bot.tools import tools_of
from policies import durations
from reviews.errors import PlacetError, StoreUnavailable
from reviews.keeping import Store
from reviews.ports import Clock

if TYPE_CHECKING:
    from adapters.port import Member, Tools

log = structlog.get_logger(__name__)

#: How often groups are read, and how often it is looked whether one is due (seconds).
EVERY, LOOK = timedelta(minutes=5), 5.0
#: How long a surface may take to answer (seconds): some are asked of each member one by one.
TIMEOUT = 120.0
#: On the shelf of references: by role and surface, the last good copy.
_SHELF = "groups"


class Unread(PlacetError):
    """A group could not be read; the sentence says why."""


@dataclass(slots=True, kw_only=True)
class Roster:
    """One role's group on one surface, and how far one got with it. `ids` are as its surface spells them."""

    role: str
    surface: str
    group: str
    ids: tuple[str, ...] = ()
    read_at: datetime | None = None
    tried_at: datetime | None = None
    fault: str = field(default="it has not been read yet")

    @property
    def source(self) -> str:
        """The group in words, as a role's source is told."""
        return f"{self.surface.capitalize()} group {self.group}"


class Groups:
    """The groups of a configuration. `tools` finds what a surface can be asked."""

    def __init__(
        self,
        store: Store,
        env: Mapping[str, str],
        clock: Clock,
        tools: Callable[[str], Tools | None] = tools_of,
    ) -> None:
        self._store, self._env, self._clock, self._tools = store, env, clock, tools
        self._known: dict[tuple[str, str], Roster] = {}

    async def take(self, config: Config) -> None:
        """Follow these groups, each from its last good copy. Raises StoreUnavailable."""
        known: dict[tuple[str, str], Roster] = {}
        for role, surface, group in _groups(config):
            before = self._known.get((role, surface))
            same = before is not None and before.group == group
            known[role, surface] = before if before and same else await self._kept(role, surface, group)
        self._known = known

    async def _kept(self, role: str, surface: str, group: str) -> Roster:
        roster = Roster(role=role, surface=surface, group=group)
        found = await self._store.view(lambda tx: tx.reference(_SHELF, f"{role}.{surface}"))
        if found is not None and found["group"] == group:
            roster.ids = tuple(json.loads(found["ids"]))
            roster.read_at = datetime.fromisoformat(found["read_at"])
        return roster

    def of(self, config: Config) -> dict[str, dict[str, str]]:
        """Who of a configuration holds each role through a group: role, person, and the group in words."""
        found: dict[str, dict[str, str]] = {}
        for roster in self._known.values():
            people = {person.identities.get(roster.surface): person.id for person in config.people}
            for who in (people[each] for each in roster.ids if each in people):
                found.setdefault(roster.role, {}).setdefault(who, roster.source)
        return found

    # ---------------------------------------------------------------------------- reading

    async def run(self, closing: asyncio.Event, config: Callable[[], Config], changed: Callable[[], None]) -> None:
        """Read what is due until closing; `changed` is called where somebody came or went."""
        while not closing.is_set():
            with suppress(StoreUnavailable):  # the next look keeps what this one read
                if await self.look(config()):
                    changed()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await closing.wait()

    async def look(self, config: Config) -> bool:
        """Read the groups that are due; whether anybody came or went. Raises StoreUnavailable."""
        now = self._clock.now()
        due = [r for r in self._known.values() if r.tried_at is None or now - r.tried_at >= EVERY]
        found = [await self._read(config, roster, now) for roster in due]
        return any(found)

    async def _read(self, config: Config, roster: Roster, now: datetime) -> bool:
        roster.tried_at = now
        try:
            members = await members_of(self._tools(roster.surface), config, self._env, roster.surface, roster.group)
        except Unread as fault:
            if roster.fault != str(fault):
                log.warning("group_not_read", role=roster.role, group=roster.source, why=str(fault))
            roster.fault = str(fault)
            return False
        ids = tuple(sorted(spelled(roster.surface, member.id) for member in members if member.active))
        fields = {"group": roster.group, "ids": json.dumps(ids), "read_at": now.isoformat()}
        await self._store.tx(lambda tx: tx.put_reference(_SHELF, f"{roster.role}.{roster.surface}", fields))
        changed = ids != roster.ids
        roster.ids, roster.read_at, roster.fault = ids, now, ""
        return changed

    def said(self) -> str:
        """For readiness: groups that cannot be read, and as of when their members are known; else nothing."""
        now = self._clock.now()
        return " ".join(_told(roster, now) for roster in self._known.values() if roster.fault)


def _told(roster: Roster, now: datetime) -> str:
    if roster.read_at is None:
        return f"{roster.role}: nobody of {roster.source} is known; {roster.fault}."
    return f"{roster.role}: {roster.source} is as it was {durations.since(roster.read_at, now)} ago; {roster.fault}."


async def members_of(
    tools: Tools | None, config: Config, env: Mapping[str, str], surface: str, group: str
) -> Sequence[Member]:
    """Who is in a group now, by the surface's own directory. Raises Unread."""
    section = config.section(surface)
    if tools is None or not hasattr(tools, "members"):
        raise Unread(f"{surface.capitalize()} has no groups that can be read")
    if section is None:
        raise Unread(f"placet.yml has no `{surface}:` section")
    try:
        async with asyncio.timeout(TIMEOUT):
            return await tools.members(section, env, group=group)
    except TimeoutError:
        raise Unread(f"{surface.capitalize()} gave no answer within {TIMEOUT:.0f} s") from None
    except (PlacetError, OSError) as fault:
        raise Unread(str(fault).rstrip(".") or type(fault).__name__) from fault


def spelled(surface: str, member: str) -> str:
    """An id as placet.yml spells it: the directory's object ids come in any case."""
    return member.lower() if surface == "teams" else member


def _groups(config: Config) -> Iterator[tuple[str, str, str]]:
    for role, entry in config.roles.items():
        for surface, group in entry.members.items():
            yield role, surface, group
