"""Whether Teams is set up. Everything else of it is loaded only then: it takes a sixth of a server's memory."""

from __future__ import annotations

from adapters.port import Adapter, Setup
from adapters.teams.config import configure


def create(setup: Setup) -> Adapter | None:
    """The Teams surface, or None where there is no section `teams`. Raises TeamsMisconfigured."""
    configured = configure(setup.config, setup.env)
    if configured is None:
        return None
    from adapters.teams.adapter import BotbuilderConnector  # noqa: PLC0415 - loaded only where Teams is set up
    from adapters.teams.surface import TeamsSurface  # noqa: PLC0415 - as above
    from adapters.teams.tokens import Tokens  # noqa: PLC0415 - as above

    config, secrets = configured
    connector, tokens = BotbuilderConnector(config, secrets), Tokens(config)
    return TeamsSurface(config, setup.desk, setup.clock, setup.references, connector, tokens)
