"""Trying a gateway: one message to one person, when an operator asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.people import Directory
from reviews.errors import NotFound, PlacetError, SurfaceAmbiguous
from reviews.model import Identity, Object
from reviews.ports import Surface

_TEST = "This is a test of Placet for {name}: calls by {gateway} arrive here. Nothing waits for you."


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
            raise NotFound(f"{known.name} has no address for {gateway} in placet.yml.")
        try:
            await surface.whisper(Identity(surface=gateway, id=address), _TEST.format(name=known.name, gateway=gateway))
        except SurfaceAmbiguous as fault:
            raise PlacetError(f"{fault} It may have arrived all the same: look.") from None
        return {"gateway": gateway, "person": person, "name": known.name}
