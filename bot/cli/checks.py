"""The doctor's checks. Each looks at one thing, changes nothing, and answers with findings; none stops the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from bot.cli import checks_house, checks_machine
from bot.cli.finding import Finding, bad, ok
from bot.config import Config, ConfigFault, load
from reviews.errors import PlacetError


def examine(config_file: Path) -> list[Finding]:
    """Run every check that can be run. Those that need a configuration wait until it loads."""
    found = [*checks_machine.python(), *checks_machine.packages()]
    try:
        config = load(config_file)
    except ConfigFault as fault:
        return [*found, bad("configuration", str(fault), "Mend the lines named; `placet init` writes a working one.")]
    folder = config_file.absolute().parent
    found.append(ok("configuration", f"{config_file} loads"))
    served = checks_machine.served(config, folder)
    for name, check in _checks(config, folder, served):
        try:
            found += check()
        except (PlacetError, OSError, ValueError) as fault:
            found.append(bad(name, str(fault)))
    return found


def _checks(
    config: Config, folder: Path, served: checks_machine.Served | None
) -> list[tuple[str, Callable[[], list[Finding]]]]:
    env = os.environ
    return [
        ("server", lambda: checks_machine.server(config, served)),
        ("policy", lambda: checks_house.policy(config, folder)),
        # Before the database is opened, which may write to it and so move the time of its last write.
        ("clock", lambda: checks_machine.clock(config, folder, served)),
        ("database", lambda: checks_machine.database(config, folder, served)),
        ("keys", lambda: checks_machine.keys(config, folder, env)),
        ("public_url", lambda: checks_machine.public_url(config)),
        ("callbacks", lambda: checks_house.callbacks(config)),
        ("people", lambda: checks_house.people(config, folder)),
        ("rotations", lambda: checks_house.rotations(config)),
        ("surfaces", lambda: checks_house.surfaces(config, env, served)),
        ("gateways", lambda: checks_house.gateways(config, folder, env)),
    ]
