"""What an adapter is to the running service: a Surface with routes and a life of its own.

An adapter is found by the entry-point group `placet.adapters`; the entry names a function
`create(setup: Setup) -> Adapter | None` that answers None when the operator did not configure it, or a sequence of
adapters where one entry makes several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from reviews.model import Object
from reviews.ports import Clock, Desk, Door, References, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an adapter is given.

    `config` is its own section of placet.yml (empty when absent), `env` the environment, the only source of
    secrets. `references` are this adapter's alone. `demo` is true in `placet demo` alone. `public_url` has no
    trailing slash.
    """

    config: Mapping[str, Any]
    env: Mapping[str, str]
    desk: Desk
    door: Door
    references: References
    clock: Clock
    public_url: str
    demo: bool = False


class Adapter(Surface, Protocol):
    """A surface the service can mount, start and stop."""

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """The aiohttp routes this adapter answers."""
        ...

    async def start(self) -> None:
        """Open connections; called inside the running loop, before routes are served."""
        ...

    async def stop(self) -> None:
        """Close what `start` opened."""
        ...


# ---------------------------------------------------------------------------------------------- operators' commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in a group of a surface: their id there, and what its directory says of them.

    `guest`: of another organisation, or a bot; never matched by e-mail.
    """

    id: str
    name: str
    email: str = ""
    active: bool = True
    guest: bool = False


#: The name of what is found in placet.yml itself.
CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing an examination looked at, the house's own or a surface's.

    `state` is `ok`, `warn` (look at it) or `bad` (it will fail); `fix` says what to do.
    """

    name: str
    state: str
    text: str
    fix: str = ""

    def as_json(self) -> Object:
        """The finding for other programs."""
        return asdict(self)


def ok(name: str, text: str) -> Finding:
    """Well."""
    return Finding(name=name, state="ok", text=text)


def warn(name: str, text: str, fix: str) -> Finding:
    """Works, and should be looked at: `fix` is the way out."""
    return Finding(name=name, state="warn", text=text, fix=fix)


def bad(name: str, text: str, fix: str = "") -> Finding:
    """Will fail, or does."""
    return Finding(name=name, state="bad", text=text, fix=fix)


class Tools(Protocol):
    """What an operator's commands ask of a surface, found by the entry-point group `placet.tools`.

    No server need run.
    """

    def manifest(self, config: Mapping[str, Any], *, url: str, socket: bool) -> str:
        """What is handed to the vendor to make the app, for a server reached at `url`."""
        ...

    def package(self, config: Mapping[str, Any], *, url: str) -> bytes | None:
        """The zip that is uploaded there, with the manifest in it; None: this surface takes the manifest alone."""
        ...

    async def members(self, config: Mapping[str, Any], env: Mapping[str, str], *, group: str) -> Sequence[Member]:
        """Who is in a group (a user group, a conversation). Raises SurfaceUnavailable, SurfaceRefused."""
        ...

    async def examine(
        self,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        channels: Sequence[str],
        people: Sequence[str],
        now: datetime,
    ) -> Sequence[Finding]:
        """Look whether the surface would work: secrets, permissions, channels, people, clock."""
        ...
