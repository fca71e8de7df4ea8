"""What an adapter is to the running service: a Surface with routes and a life of its own.

An adapter is found by the entry-point group `placet.adapters`; the entry names a function
`create(setup: Setup) -> Adapter | None` that answers None when the operator did not configure it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
