"""A chat in memory that a running Placet posts to: what is posted, drawn again, said beneath and whispered is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from reviews.card import Card, Happening
from reviews.model import Identity, Target
from reviews.ports import Abilities, Health, MessageRef

TEAM = "T1"
#: As fast as asked, so that a clock that stands holds nothing up.
_ABLE = Abilities(threads=True, live=False, finds=True, max_bytes=10**6, per_second=float("inf"))


@dataclass
class FakeChat:
    """An adapter that takes everything. Messages are numbered as they come: the first in `C1` is marked `C1:1`."""

    name: str = "slack"
    abilities: Abilities = _ABLE
    tenant: str | None = TEAM
    posts: dict[str, tuple[Target, list[Card]]] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    whispers: list[tuple[str, str]] = field(default_factory=list)

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Keep a new message."""
        number = str(len(self.posts) + 1)
        self.posts[f"{target.address}:{number}"] = (target, [card])
        ref = {"channel": target.address, "ts": number, "copy": copy_id, "thread": "beneath"}
        return MessageRef(surface=self.name, ref=ref, mark=f"{target.address}:{number}")

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Draw a message again, one not posted by us too."""
        mark = f"{ref.ref['channel']}:{ref.ref['ts']}"
        target = Target(surface=self.name, address=ref.ref["channel"])
        self.posts.setdefault(mark, (target, []))[1].append(card)

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Keep what is said beneath a message."""
        self.notes += [(f"{ref.ref['channel']}:{ref.ref['ts']}", line.text) for line in lines]

    async def whisper(self, identity: Identity, text: str) -> None:
        """Keep what one person is told."""
        self.whispers.append((identity.id, text))

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Nothing is ever lost here."""
        return None

    async def health(self) -> Health:
        """It works."""
        return Health(ok=True)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """It answers nothing over HTTP."""
        return ()

    async def start(self) -> None:
        """There is nothing to open."""

    async def stop(self) -> None:
        """There is nothing to close."""
