"""What operators ask of gateways: whose address leads to one place for all, and one message to try it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.config import Config
from bot.keys import read_secret
from bot.people import Directory
from reviews.errors import NotFound, PlacetError, SurfaceAmbiguous
from reviews.model import Identity, Object
from reviews.ports import Surface
from reviews.ways import EMAIL

#: Where an Apprise URL takes a person's address; without it, one pager is for all.
_TO = "{to}"
_TEST = "This is a test of Placet for {name}: calls by {gateway} arrive here. Nothing waits for you."


def shared(config: Config, env: Mapping[str, str]) -> frozenset[str]:
    """The gateways whose URL has no room for a person's address; one that is not known here is taken to have it."""
    return frozenset(name for name, variable in config.gateways.items() if _TO not in _url(env, variable))


def _url(env: Mapping[str, str], variable: str) -> str:
    try:
        return read_secret(env, variable) or _TO
    except PlacetError:
        return _TO  # `placet doctor` says which file cannot be read


def key_of(gateway: str) -> str:
    """What a person of placet.yml lacks who has no address for a gateway."""
    return "an `email`" if gateway == EMAIL else f"a `phone`, or `addresses: {{{gateway}: …}}`"


class Gateways:
    """The gateways of a running server. `surfaces` are all that run, by name."""

    def __init__(self, surfaces: Mapping[str, Surface], directory: Callable[[], Directory]) -> None:
        self._surfaces, self._directory = surfaces, directory

    def operations(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """What operators may ask for, by name."""
        return {"gateways.test": self.test}

    async def test(self, gateway: str, person: str) -> Object:
        """Send a test message. Raises NotFound, SurfaceUnavailable, SurfaceRefused with what to mend."""
        directory = self._directory()
        known, surface = directory.person(person), self._surfaces.get(gateway)
        if gateway not in directory.config.gateways:
            there = ", ".join(directory.config.gateways) or "none"
            raise NotFound(f"There is no gateway {gateway!r} in placet.yml; there are {there}.")
        if surface is None:
            variable = directory.config.gateways[gateway]
            raise NotFound(f"{gateway} does not run: {variable} was not set when the server started.")
        if known is None:
            raise NotFound(f"There is nobody {person!r} in placet.yml.")
        address = gateway if surface.abilities.shared else directory.address(person, gateway)
        if address is None:
            raise NotFound(f"{known.name} has no address for {gateway} in placet.yml. Give them {key_of(gateway)}.")
        try:
            await surface.whisper(Identity(surface=gateway, id=address), _TEST.format(name=known.name, gateway=gateway))
        except SurfaceAmbiguous as fault:
            raise PlacetError(f"{fault} It may have arrived all the same: look.") from None
        return {"gateway": gateway, "person": person, "name": known.name}
