"""placet.yml while the server runs: what changes in it of people is taken over; the rest waits for a restart.

A file that does not load, or that the policy does not load with, changes nothing, and readiness says why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.config import Config, ConfigFault, read
from bot.people import Directory
from bot.rules import Rules
from policies.errors import PolicyFault
from policies.model import Policy
from reviews.events import Record
from reviews.keeping import Store, Tx
from reviews.model import Object

log = structlog.get_logger(__name__)

#: The sections a running server takes over.
TAKEN = ("people", "roles", "rotations", "cards", "asks", "glass")
#: Of these the log says by name what came, went and changed.
_NAMED = ("people", "roles", "rotations")
#: On the shelf of references: the hash of the configuration in force, and a print of each entry of it.
_SHELF = ("config", "in_force")
#: So many names of one kind are said.
_SAID = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force after one reading of the file. `waits` are sections of it that wait for a restart."""

    config: Config
    sha256: str = ""
    waits: tuple[str, ...] = ()


class Reloading:
    """Follows placet.yml. `settings` are in force; `fault` says why the newest text is not.

    `file` None: there is nothing to follow. `take` puts a configuration in force.
    """

    def __init__(self, file: Path | None, config: Config, take: Callable[[Config], Awaitable[None]]) -> None:
        self._file, self._take = file, take
        self._started = config
        self._seen: object = None
        self.settings = Settings(config=config)
        self.fault = ""

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.settings.config

    async def look(self, store: Store, rules: Rules, in_force: Policy, *, force: bool = False) -> Policy | None:
        """Take over what changed. The policy as it loads with it, to be put in force; None where nothing changed.

        Raises StoreUnavailable; then the next look tries again.
        """
        # What did not load may do so once the policy's files have changed too.
        stamp = (self._stamp(), rules.stamp() if self.fault else None)
        if self._file is None or (stamp == self._seen and not force):
            return None
        try:
            fresh = self._read(self._file)
            policy = rules.fitting(Directory(fresh.config).known, in_force)
        except (ConfigFault, PolicyFault) as fault:
            self._seen, self.fault = (stamp[0], rules.stamp()), _why(fault)
            log.error("config_not_loaded", why=self.fault, in_force="the one before")
            return None
        if policy.sha256 != in_force.sha256 and not await rules.keep(store, policy):
            self._seen, self.fault = (stamp[0], rules.stamp()), rules.fault
            return None
        await _record(store, fresh)
        changed = fresh.config != self.config
        if changed:
            await self._take(fresh.config)
        if changed or self.fault or fresh.waits != self.settings.waits:
            log.info("config_loaded", sha256=fresh.sha256[:12], waits=list(fresh.waits))
        self.settings, self.fault, self._seen = fresh, "", (stamp[0], None)
        return policy

    def said(self) -> str:
        """For readiness: why placet.yml is not in force, or what of it waits for a restart; else nothing."""
        if self.fault:
            return f"placet.yml is not in force as it is now: {self.fault}"
        waits = self.settings.waits
        return f"Restart to take over {', '.join(waits)} of placet.yml." if waits else ""

    def _read(self, file: Path) -> Settings:
        """The file as it would be in force: its people, and all else as it was at the start. Raises ConfigFault."""
        fresh, raw = read(file)
        started = self._started
        taken = {name: getattr(fresh, name) for name in TAKEN}
        others = (name for name in Config.model_fields if name not in TAKEN)
        return Settings(
            config=started.model_copy(update=taken),
            sha256=hashlib.sha256(raw).hexdigest(),
            waits=tuple(name for name in others if getattr(fresh, name) != getattr(started, name)),
        )

    def _stamp(self) -> object:
        try:
            stat = self._file.stat() if self._file is not None else None
        except OSError:
            return None
        return None if stat is None else (stat.st_mtime_ns, stat.st_size, stat.st_ino)


async def _record(store: Store, fresh: Settings) -> None:
    """Record a configuration that was not in force before, with the names that came, went and changed; once."""

    def put(tx: Tx) -> None:
        before = tx.reference(*_SHELF, change=True)
        if before is not None and before["sha256"] == fresh.sha256:
            return
        prints = {name: _prints(getattr(fresh.config, name)) for name in _NAMED}
        kept = {name: json.dumps(each, separators=(",", ":")) for name, each in prints.items()}
        tx.put_reference(*_SHELF, {"sha256": fresh.sha256, **kept})
        detail: Object = {"sha256": fresh.sha256}
        if before is not None:
            detail |= {"changed": _changes(before, prints), "waits": list(fresh.waits)}
        tx.record(Record(kind="config.loaded", at=tx.now(), actor="operator", detail=detail, public=False))

    await store.tx(put)


def _why(fault: ConfigFault | PolicyFault) -> str:
    told = str(fault).replace("\n", "; ")
    return told if isinstance(fault, ConfigFault) else f"the policy does not load with it: {told}"


def _prints(section: Any) -> dict[str, str]:
    """Each entry's name and a print of what it says, short enough to keep and to say nothing of it."""
    entries: Mapping[str, Any] = section if isinstance(section, Mapping) else {entry.id: entry for entry in section}
    return {name: hashlib.sha256(repr(entry).encode()).hexdigest()[:12] for name, entry in entries.items()}


def _changes(before: Mapping[str, str], prints: Mapping[str, Mapping[str, str]]) -> Object:
    """Per section the names that came, went and changed; sections in which nothing did are left out."""
    found = {name: _change(json.loads(before.get(name, "{}")), each) for name, each in prints.items()}
    return {name: change for name, change in found.items() if change}


def _change(before: Mapping[str, str], after: Mapping[str, str]) -> Object:
    names = {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "changed": [name for name in after if name in before and after[name] != before[name]],
    }
    return {kind: _few(found) for kind, found in names.items() if found}


def _few(names: list[str]) -> list[str]:
    more = len(names) - _SAID
    return [*names[:_SAID], f"and {more} more"] if more > 0 else names
