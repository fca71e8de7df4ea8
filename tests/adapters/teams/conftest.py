"""A Teams of one's own, and our surface served in front of it: over the network, with the real SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.teams.adapter import BotbuilderConnector
from adapters.teams.config import Secrets, TeamsConfig
from adapters.teams.pace import Pace
from adapters.teams.surface import TeamsSurface
from adapters.teams.tokens import Tokens
from adapters.teams.transport import PATH
from reviews.model import Identity, Target
from tests.adapters.teams.checker import card_faults
from tests.fakes.clock import Ticks
from tests.fakes.desk import ANA, BO, FakeDesk, FixedClock, desk_of
from tests.fakes.references import FakeReferences
from tests.fakes.serving import serving
from tests.fakes.teams import Teams, teams_server
from tests.fakes.teams_payloads import APP_ID, CHANNEL, TEAMS_ANA, TEAMS_BO, TENANT
from tests.fakes.teams_service import PASSWORD


@dataclass(slots=True, kw_only=True)
class House:
    """Our side: the surface, its desk, and what it keeps. The desk knows Ana and Bo."""

    surface: TeamsSurface
    desk: FakeDesk
    clock: FixedClock
    ticks: Ticks
    references: FakeReferences
    teams: Teams
    target: Target = field(default_factory=lambda: Target(surface="teams", address=CHANNEL))
    ana: Identity = field(default_factory=lambda: Identity(surface="teams", id=TEAMS_ANA, tenant=TENANT))
    bo: Identity = field(default_factory=lambda: Identity(surface="teams", id=TEAMS_BO, tenant=TENANT))

    async def settled(self) -> None:
        """Return once everything that follows answers is done."""
        await self.surface._chores.drain(10.0)


Build = Callable[..., Any]


@pytest.fixture
async def teams() -> AsyncIterator[Teams]:
    """This test's Teams, which takes no card that our own checker finds fault with."""
    async with teams_server(finds=card_faults) as server:
        yield server


@pytest.fixture
async def build(teams: Teams) -> AsyncIterator[Build]:
    """Makes a House; the desk, what is kept from before and settings of the surface may be given."""
    async with AsyncExitStack() as stack:

        async def make(
            *,
            desk: FakeDesk | None = None,
            references: FakeReferences | None = None,
            patience: float = 1.5,
            **section: Any,
        ) -> House:
            addresses = {"service_url": teams.service, "openid_url": teams.openid, "login_url": teams.url}
            config = TeamsConfig(app_id=APP_ID, tenant_id=TENANT, **addresses | section)
            desk, clock, ticks = desk or desk_of(), FixedClock(), Ticks()
            desk.people = {TEAMS_ANA: ANA, TEAMS_BO: BO}
            references = references or FakeReferences()
            connector = BotbuilderConnector(config, Secrets(app_password=PASSWORD))
            pace = Pace(ticks.now, pause=ticks.pause)
            given = (config, desk, clock, references, connector, Tokens(config))
            surface = TeamsSurface(*given, patience=patience, pace=pace)
            await surface.start()
            stack.push_async_callback(surface.stop)
            teams.endpoint, teams.now = await stack.enter_async_context(serving(surface.routes())) + PATH, ticks.now
            return House(surface=surface, desk=desk, clock=clock, ticks=ticks, references=references, teams=teams)

        yield make


@pytest.fixture
async def house(build: Build) -> House:
    """The usual House."""
    made: House = await build()
    return made
