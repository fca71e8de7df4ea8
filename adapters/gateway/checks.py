"""What an operator's commands ask of gateways: whether each could be used. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.gateway.config import Gateway, GatewayMisconfigured, configure
from adapters.gateway.sending import fault_of
from adapters.port import Finding, Member, bad, ok

#: A gateway is not an app: nobody is told of us, and it knows nobody.
_NO_APP = "A gateway has nothing to install and knows nobody: write its Apprise URL into the variable placet.yml names."


class GatewayTools:
    """The `placet.tools` of all gateways together; the section is `gateways:`."""

    def manifest(self, config: Mapping[str, Any], *, url: str, socket: bool) -> str:
        """There is none. Raises GatewayMisconfigured."""
        raise GatewayMisconfigured(_NO_APP)

    def package(self, config: Mapping[str, Any], *, url: str) -> bytes | None:
        """There is none."""
        return None

    async def members(self, config: Mapping[str, Any], env: Mapping[str, str], *, group: str) -> Sequence[Member]:
        """There is none. Raises GatewayMisconfigured."""
        raise GatewayMisconfigured(_NO_APP)

    async def examine(
        self,
        config: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        channels: Sequence[str],
        people: Sequence[str],
        now: datetime,
    ) -> Sequence[Finding]:
        """Whether each variable is set, to a URL that Apprise understands."""
        return [finding for name, variable in config.items() for finding in _looked(str(name), str(variable), env)]


def _looked(name: str, variable: str, env: Mapping[str, str]) -> list[Finding]:
    try:
        found = configure({name: variable}, env)
    except GatewayMisconfigured as fault:
        return [bad(name, str(fault), "Mend the path, or set the variable itself.")]
    if not found:
        return [bad(name, f"{variable} is not set", "Set it to an Apprise URL, or take the gateway out.")]
    return [_understood(gateway) for gateway in found]


def _understood(gateway: Gateway) -> Finding:
    if fault_of(gateway):
        fix = "Look up the form of its URL at https://appriseit.com/services/; write {to} where the address goes."
        return bad(gateway.name, f"{gateway.variable} holds no URL that Apprise understands", fix)
    whose = "each person at their own address" if gateway.personal else "one pager for all"
    return ok(gateway.name, f"Apprise understands {gateway.variable}: {whose}")


TOOLS = GatewayTools()
