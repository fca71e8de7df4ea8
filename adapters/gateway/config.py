"""What the operator says about gateways: a name each, and the variable that holds its Apprise URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from adapters.settings import secret
from reviews.errors import PlacetError, SurfaceRefused
from reviews.ways import EMAIL

#: Where an Apprise URL holds this, each person's own address is put; a URL without it is one pager for all.
TO = "{to}"


class GatewayMisconfigured(PlacetError):
    """A gateway's secret cannot be read. The text names the variable and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway. `variable` is where its `url` came from; the URL holds secrets and is never shown."""

    name: str
    variable: str
    url: str = field(repr=False)

    @property
    def letters(self) -> bool:
        """Whether it sends letters: a subject, all facts, and nobody woken; all others send short messages."""
        return self.name == EMAIL

    @property
    def personal(self) -> bool:
        """Whether each person has an address of their own there."""
        return TO in self.url

    def address(self, to: str) -> str:
        """The Apprise URL by which one person is reached. Raises SurfaceRefused for nobody."""
        if self.personal and not to.strip():
            raise SurfaceRefused(f"There is no address for the gateway {self.name} in placet.yml.")
        return self.url.replace(TO, quote(to.strip(), safe=""))


def configure(section: Mapping[str, Any], env: Mapping[str, str]) -> tuple[Gateway, ...]:
    """The gateways whose variable is set; by the others nobody can be called, which `placet doctor` says.

    Raises GatewayMisconfigured for a secret's file that cannot be read.
    """
    found = (
        Gateway(name=str(name), variable=str(variable), url=secret(env, str(variable), GatewayMisconfigured))
        for name, variable in section.items()
    )
    return tuple(gateway for gateway in found if gateway.url)
