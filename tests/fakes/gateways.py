"""Where gateways send to in tests: an HTTP receiver in the shape of an SMS gateway, and a real SMTP server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope

from tests.fakes.app import PATIENCE
from tests.fakes.serving import serving

_LINK = re.compile(r"https?://\S+/enter\?link=[\w-]+")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it arrived."""

    to: str
    text: str
    subject: str = ""

    @property
    def link(self) -> str:
        """The link of the person it was sent to."""
        found = _LINK.search(self.text)
        assert found is not None, self.text
        return found[0]


@dataclass
class Sink:
    """What arrived. `url` is the Apprise URL that leads here.

    `status` is what is answered while it is set; nothing is, before a `gate` is open.
    """

    url: str
    messages: list[Sent] = field(default_factory=list)
    status: int = 0
    tries: int = 0
    gate: asyncio.Event | None = None
    raw: list[bytes] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, sent: Sent) -> None:
        """Keep a message."""
        async with self._arrived:
            self.messages.append(sent)
            self._arrived.notify_all()

    async def until(self, count: int, to: str = "") -> list[Sent]:
        """The messages to somebody (to anybody), once there are so many."""
        async with asyncio.timeout(PATIENCE), self._arrived:
            await self._arrived.wait_for(lambda: len(self.sent_to(to)) >= count)
        return self.sent_to(to)

    def sent_to(self, to: str) -> list[Sent]:
        """What one address has (every address, where none is given)."""
        return [sent for sent in self.messages if to in ("", sent.to)]


@asynccontextmanager
async def sms_sink() -> AsyncIterator[Sink]:
    """`POST /{to}` with `{"message": …}`, as SMS gateways take it."""
    sink = Sink(url="")

    async def take(request: web.Request) -> web.Response:
        sink.tries += 1
        if sink.gate is not None:
            await sink.gate.wait()
        if sink.status:
            return web.Response(status=sink.status)
        body: dict[str, Any] = await request.json()
        assert body["title"] == ""
        await sink.take(Sent(to=request.match_info["to"], text=body["message"]))
        return web.Response()

    async with serving([web.post("/send/{to}", take)]) as url:
        sink.url = f"json://placet:sms-password@{url.removeprefix('http://')}/send/{{to}}"
        yield sink


class _Letters:
    """What aiosmtpd hands letters to: https://aiosmtpd.aio-libs.org/en/stable/handlers.html"""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        """Keep a letter."""
        self._sink.tries += 1
        if self._sink.status:
            return f"{self._sink.status} not now"
        assert isinstance(envelope.content, bytes)
        self._sink.raw.append(envelope.content)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        assert letter.get_content_type() == "text/plain"
        (to,) = envelope.rcpt_tos
        await self._sink.take(Sent(to=str(to), text=letter.get_content(), subject=str(letter["Subject"])))
        return "250 OK"


@asynccontextmanager
async def smtp_sink() -> AsyncIterator[Sink]:
    """A real SMTP server on this machine."""
    sink = Sink(url="")
    handler = _Letters(sink)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sink.url = f"mailto://127.0.0.1:{port}?from=placet@example.com&to={{to}}"
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()
