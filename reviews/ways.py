"""The ways by which people are called: with the card itself, or by a gateway of placet.yml. No I/O."""

from __future__ import annotations

CHANNEL, DIRECT, WEB = "channel", "dm", "web"
#: Ways that go by the card itself, and are always there; every other is a gateway.
CARDS = (CHANNEL, DIRECT, WEB)
#: The gateway that sends letters.
EMAIL = "email"
#: Gateways most have, which a policy may name before there are any; others have the names placet.yml gives them.
GATEWAYS = ("sms", EMAIL, "call")
_SILENT = frozenset({*CARDS, EMAIL})


def rings(way: str) -> bool:
    """Whether a way wakes people: every gateway but e-mail does, also one that is not set up."""
    return way not in _SILENT
