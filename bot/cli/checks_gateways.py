"""Checks of gateways: whether each works, and whom rungs call by it in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain as joined
from pathlib import Path

from adapters.port import Finding, bad, warn
from bot.config import Config
from bot.gateways import key_of, shared
from bot.people import Directory
from bot.tools import tools_of
from policies.errors import PolicyFault
from policies.load import load
from policies.model import Policy
from reviews.values import replace

_NAME = "gateways"


def gateways(config: Config, folder: Path, env: Mapping[str, str]) -> list[Finding]:
    """Whether each gateway works, and reaches whom rungs call by it: a call that cannot go is seen too late."""
    found = [*_examined(config, env)]
    try:
        rules = load(folder / config.policy, Directory(config).known)
    except PolicyFault:
        return found  # the check of the policy says so
    return [*found, *_unreached(config, rules, shared(config, env))]


def _examined(config: Config, env: Mapping[str, str]) -> Iterator[Finding]:
    tools = tools_of(_NAME)
    if not config.gateways:
        return
    if tools is None:
        fix = "Install Placet with its metadata: pip install . (or -e .), not by copying files."
        yield bad(_NAME, "no adapter for gateways is installed, so nobody is reached by them", fix)
        return
    looked = tools.examine(config.gateways, env, channels=(), people=(), now=datetime.now(UTC))
    yield from (replace(each, name=_NAME, text=f"{each.name}: {each.text}") for each in asyncio.run(looked))


def _unreached(config: Config, rules: Policy, shared: frozenset[str]) -> Iterator[Finding]:
    """People whom a rung calls by a gateway that has no address of theirs; each once for each gateway."""
    directory, said = Directory(config), set[tuple[str, str]]()
    for chain in rules.chains.values():
        for rung in chain.rungs:
            for way in (way for way in rung.via if way in config.gateways and way not in shared):
                for person in joined.from_iterable(called(config, directory, notify) for notify in rung.notify):
                    if directory.address(person, way) is None and (person, way) not in said:
                        said.add((person, way))
                        text = f"{person} is called by {way} and has no address for it"
                        yield warn(
                            _NAME, text, f"Give {person} {key_of(way)}; until then such a call passes on at once."
                        )


def called(config: Config, directory: Directory, notify: str) -> Iterator[str]:
    """Everybody a rung may call by this target's name, whoever is on call."""
    kind, _, name = notify.partition(":")
    if kind == "person":
        yield name
    elif kind == "role":
        yield from (person.id for person in directory.holders(name))
    elif kind == "oncall":
        rotation, _, layer = name.rpartition(".")
        turn = config.rotations.get(rotation, {}).get(layer)
        if turn is not None:
            named = (*turn.people, *turn.names.values(), *(each.person for each in turn.overrides))
            yield from dict.fromkeys(named)
