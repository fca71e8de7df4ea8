"""The doctor's checks. Each looks at one thing, changes nothing, and answers with findings; none stops the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from adapters.port import CONFIGURATION, Finding, bad, ok
from bot.cli import checks_calls, checks_gateways, checks_house, checks_machine
from bot.config import Config, ConfigFault, load
from reviews.errors import PlacetError


def examine(config_file: Path) -> list[Finding]:
    """Run every check that can be run. Those that need a configuration wait until it loads."""
    found = [*checks_machine.python(), *checks_machine.packages()]
    try:
        config = load(config_file)
    except ConfigFault as fault:
        return [*found, bad(CONFIGURATION, str(fault), _way_out(config_file))]
    folder = config_file.absolute().parent
    looked: list[Finding] = []
    served = checks_machine.served(config, folder)
    for name, check in _checks(config, folder, served):
        try:
            looked += check()
        except (PlacetError, OSError, ValueError) as fault:
            looked.append(bad(name, str(fault)))
    # A surface knows its own section, so it may find a fault in a file that loads.
    faults = [finding for finding in looked if finding.name == CONFIGURATION]
    found += faults or [ok(CONFIGURATION, f"{config_file} loads")]
    return found + [finding for finding in looked if finding.name != CONFIGURATION]


def _way_out(config_file: Path) -> str:
    if not config_file.exists():
        return "Run `placet init`, which asks a few questions and writes it; then run `placet doctor` again."
    return "Mend what is named, then run `placet doctor` again; `placet init --dir FOLDER` writes one that works."


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
        ("audit", lambda: checks_house.audit(config)),
        ("people", lambda: checks_house.people(config, folder)),
        ("groups", lambda: checks_house.groups(config, env)),
        ("rotations", lambda: checks_house.rotations(config, folder, env)),
        ("calls", lambda: checks_calls.calls(config, folder)),
        ("stop", lambda: checks_house.stop(config, folder)),
        ("surfaces", lambda: checks_house.surfaces(config, env, served)),
        ("gateways", lambda: checks_gateways.gateways(config, folder, env)),
    ]
