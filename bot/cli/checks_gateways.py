"""Checks of gateways: whether each works, and whom rungs call by it in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from adapters.port import Finding, bad, warn
from bot.config import Config
from bot.keys import read_secret
from bot.people import Directory
from bot.tools import tools_of
from policies.errors import PolicyFault
from policies.load import load
from policies.model import Policy
from reviews.errors import PlacetError
from reviews.model import Rung
from reviews.values import replace

_NAME = "gateways"
#: A URL without this is one pager for all, which needs nobody's address.
_TO = "{to}"


def gateways(config: Config, folder: Path, env: Mapping[str, str]) -> list[Finding]:
    """Whether each gateway works, and reaches whom rungs call by it: a call that cannot go is seen too late."""
    found = [*_examined(config, env)]
    try:
        rules = load(folder / config.policy, Directory(config).known)
    except PolicyFault:
        return found  # the check of the policy says so
    shared = {name for name, variable in config.gateways.items() if _shared(env, variable)}
    return [*found, *_unreached(config, rules, shared)]


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


def _shared(env: Mapping[str, str], variable: str) -> bool:
    try:
        return _TO not in (read_secret(env, variable) or _TO)
    except PlacetError:
        return False  # said above


def _unreached(config: Config, rules: Policy, shared: set[str]) -> Iterator[Finding]:
    """People whom a rung calls by a gateway that has no address of theirs; each once for each gateway."""
    directory, said = Directory(config), set[tuple[str, str]]()
    for chain in rules.chains.values():
        for rung in chain.rungs:
            for way in (way for way in rung.via if way in config.gateways and way not in shared):
                for person in _called(config, directory, rung):
                    if directory.address(person, way) is None and (person, way) not in said:
                        said.add((person, way))
                        where = "an `email`" if way == "email" else f"a `phone`, or `addresses: {{{way}: …}}`"
                        text = f"{person} is called by {way} and has no address for it"
                        yield warn(_NAME, text, f"Give {person} {where}; until then such a call passes on at once.")


def _called(config: Config, directory: Directory, rung: Rung) -> Iterator[str]:
    """Everybody a rung may call by name, whoever is on call."""
    for notify in rung.notify:
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
