"""What an adapter is to the running service: a Surface with routes and a life of its own.

An adapter is found by the entry-point group `placet.adapters`; the entry names a function
`create(setup: Setup) -> Adapter | None` that answers None when the operator did not configure it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from reviews.ports import Clock, Desk, Door, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an adapter is given.

    `config` is its own section of placet.yml (empty when absent), `env` the environment, the only source of
    secrets. `demo` is true in `placet demo` alone. `public_url` has no trailing slash.
    """

    config: Mapping[str, Any]
    env: Mapping[str, str]
    desk: Desk
    door: Door
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
class Check:
    """A finding of a surface's own examination. `state`: ok, warn, bad; `fix` says how to mend it."""

    name: str
    state: str
    text: str
    fix: str = ""


class Tools(Protocol):
    """What an operator's commands ask of a surface, found by the entry-point group `placet.tools`.

    No server need run.
    """

    def manifest(self, config: Mapping[str, Any], *, url: str, socket: bool) -> str:
        """What is handed to the vendor to make the app, for a server reached at `url`."""
        ...

    async def examine(
        self,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        channels: Sequence[str],
        people: Sequence[str],
        now: datetime,
    ) -> Sequence[Check]:
        """Look whether the surface would work: secrets, permissions, channels, people, clock."""
        ...
