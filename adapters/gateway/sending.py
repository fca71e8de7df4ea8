"""Apprise, and nothing else knows it: one message to one address, and in a sentence why it was not taken.

Nothing that leaves this file holds the URL of a gateway, which is a secret, or the address of a person.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from adapters.gateway.config import Gateway
from adapters.gateway.render import Message
from adapters.text import cut, line
from reviews.errors import SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable

if TYPE_CHECKING:
    from apprise import Apprise, NotifyBase
    from apprise.result import AppriseResult

#: A gateway may take so long to answer (seconds), where its URL does not say (`rto`); Apprise's own 4 s is soon over.
PATIENCE = 10.0
#: Answers that the same message will get again; not 408 (too slow), 425 (too early), 429 (too many).
_FOR_GOOD = re.compile(r"\berror=4(?!08|25|29)\d\d\b")
#: Pieces of a URL this short are words of every sentence.
_PIECE = 4


class Sender:
    """Sends by one gateway. `start` loads Apprise, which takes a moment and 30 MB: who has no gateway has it not."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        #: Why nothing can be sent; and why the last message was not taken, until one is.
        self.fault, self.trouble = "", ""

    async def start(self) -> None:
        """Load Apprise and look whether it understands the URL; `fault` says if not."""
        self.fault = await asyncio.to_thread(fault_of, self._gateway)

    async def send(self, to: str, message: Message) -> None:
        """Hand a message over. Raises SurfaceUnavailable, SurfaceRefused, SurfaceAmbiguous."""
        url = self._gateway.address(to)
        ready = _ready(url)
        if ready is None:
            raise SurfaceRefused(self.fault or _not_understood(self._gateway))
        apprise, plugin = ready
        patience = min(plugin.request_timeout)
        sent = await apprise.async_notify(body=message.text, title=message.subject, body_format="text")
        failed = None if sent else self._failed(sent, url, to, patience)
        self.trouble = "" if failed is None else str(failed)
        if failed is not None:
            raise failed

    def _failed(self, sent: AppriseResult, url: str, to: str, patience: float) -> Exception:
        why = scrubbed(_last(sent), url, to) or "it gave no reason"
        text = f"The gateway {self._gateway.name} did not take it: {why}"
        if _FOR_GOOD.search(_last(sent)):
            return SurfaceRefused(f"{text} Look at {self._gateway.variable} and at the person's address.")
        # Whoever waited until the end of their patience does not know whether it was taken.
        return SurfaceAmbiguous(text) if sent.elapsed >= patience else SurfaceUnavailable(text)


def fault_of(gateway: Gateway) -> str:
    """What is wrong with a gateway's URL, in a sentence; empty when Apprise understands it. Sends nothing."""
    somebody = "nobody@example.com" if gateway.letters else "+15550100000"
    return "" if _ready(gateway.address(somebody)) else _not_understood(gateway)


def _not_understood(gateway: Gateway) -> str:
    return (
        f"{gateway.variable} holds no URL that Apprise understands, so nobody is reached by {gateway.name}. "
        "The forms are listed at https://appriseit.com/services/."
    )


def _ready(url: str) -> tuple[Apprise, NotifyBase] | None:
    """Apprise with one address, that of one person; None when it does not understand the URL."""
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - 30 MB and half a second that most servers need not

    _quiet()
    asset = AppriseAsset(app_id="Placet", app_desc="Placet", secure_logging=True)
    plugin: Any = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin is None:
        return None
    plugin.notify_format = "text"  # our words are plain text, whatever the service could make of them
    if plugin.socket_read_timeout == type(plugin).socket_read_timeout:
        plugin.socket_read_timeout = PATIENCE
    return Apprise(plugin, asset=asset), plugin


def _quiet() -> None:
    """What Apprise writes into its own log names addresses; what matters of it is said by whoever sends."""
    log = logging.getLogger("apprise")
    if log.propagate:
        log.addHandler(logging.NullHandler())
        log.propagate = False


def _last(sent: AppriseResult) -> str:
    logs = [entry.message for result in sent.results for entry in result.logs()]
    return logs[-1] if logs else ""


def scrubbed(text: str, *secrets: str) -> str:
    """A sentence without any piece of the secrets, their quoted forms, or web addresses."""
    text = re.sub(r"\S+://\S+", "…", text)
    for piece in sorted(_pieces(secrets), key=len, reverse=True):
        text = re.sub(re.escape(piece), "…", text, flags=re.IGNORECASE)
    return cut(line(text), 200)


def _pieces(secrets: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for secret in secrets:
        rest = secret.partition("://")[2] or secret
        for form in (rest, unquote(rest)):
            found |= {form, *re.split(r"[:/@?&=;, ]+", form)}
    return {piece for piece in found if len(piece) >= _PIECE}
