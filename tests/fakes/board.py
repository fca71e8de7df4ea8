"""A house whose Slack is a board in memory: what was posted there, and a surface that fails as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.outbox import Outbox
from reviews.card import Card, Happening
from reviews.errors import SurfaceBlind, SurfaceRefused
from reviews.keeping import Copy
from reviews.model import Identity, Object, Target
from reviews.ports import Abilities, Clock, Health, MessageRef
from tests.fakes.app import PATIENCE, House, running

POLICY = """
policy: outbox
version: 1
actions:
  refund.issue: {risk: medium, reversible: false}
chains:
  ladder:
    - {after: 0m, notify: channel:role}
    - {after: 20m, notify: person:bo}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: ladder}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2, "channels": {"slack": "C1"}}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"slack": "U1"}},
        {"id": "bo", "name": "Bo Chen", "identities": {"slack": "U2"}, "prefers": "slack"},
    ],
}


@dataclass
class Board:
    """A surface that keeps what was posted and fails as told: `faults` are used up, one a call.

    A fault with `made` set happens after the post was made, as when an answer is lost. `blind` forbids looking,
    `closed` are addresses it may not post to, `muted`
    those where nobody notices, and why.
    """

    name: str = "slack"
    abilities: Abilities = field(
        default_factory=lambda: Abilities(threads=True, live=False, finds=True, max_bytes=10**6, per_second=1000.0)
    )
    faults: list[Exception | None] = field(default_factory=list)
    made: bool = False
    posts: dict[str, list[Card]] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    notes: list[tuple[str, list[str]]] = field(default_factory=list)
    told: int = 0
    _telling: asyncio.Condition = field(default_factory=asyncio.Condition)
    blind: bool = False
    muted: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    tenant: str | None = None
    gate: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    twice: asyncio.Event = field(default_factory=asyncio.Event)

    def _fail(self) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Keep a new post."""
        (self.twice if self.began.is_set() else self.began).set()
        if self.gate is not None:
            await self.gate.wait()
        if not self.made:
            self._fail()
        if target.address in self.closed:
            raise SurfaceRefused(f"The bot may not post in {target.address}.")
        self.posted.append(target.address)
        message = copy_id if copy_id not in self.posts else f"{copy_id} again"
        self.posts[message] = [card]
        if self.made:
            self._fail()
        return MessageRef(surface=self.name, ref={"id": message}, muted=self.muted.get(target.address, ""))

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Keep what a post shows now."""
        self._fail()
        self.posts[ref.ref["id"]].append(card)

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Keep what was said beneath a post."""
        async with self._telling:
            self.told += 1
            self._telling.notify_all()
        self._fail()
        self.notes.append((ref.ref["id"], [line.text for line in lines]))

    async def until_told(self, times: int = 1) -> None:
        """Wait until something was to be said beneath posts so many times."""
        async with asyncio.timeout(PATIENCE), self._telling:
            await self._telling.wait_for(lambda: self.told >= times)

    async def whisper(self, identity: Identity, text: str) -> None:
        """Nothing here whispers."""
        raise AssertionError("the outbox does not whisper")

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Whether it was posted."""
        self.found.append(copy_id)
        if self.blind:
            raise SurfaceBlind("The scope channels:history is missing.")
        return MessageRef(surface=self.name, ref={"id": copy_id}) if copy_id in self.posts else None

    async def health(self) -> Health:
        """Always well."""
        return Health(ok=True)


@asynccontextmanager
async def working(
    folder: Path,
    board: Board,
    clock: Clock | None = None,
    *,
    policy: str = POLICY,
    others: Sequence[Board] = (),
    **config: Any,
) -> AsyncIterator[House]:
    """A house whose Slack is the board, beside `others` of their own names. `config` replaces sections of CONFIG."""
    async with running(folder, policy=policy, config={**CONFIG, **config}, clock=clock) as house:
        app = house.app
        boards = {each.name: each for each in (board, *others)}
        app.directory = type(app.directory)(app.config, ("web", *boards))
        outbox = Outbox(app.service, boards, app.desk.card, app.hub, app.clock, app.desk.queue_card)
        await instead_of_its_own(house)
        task = asyncio.create_task(outbox.run())
        try:
            yield house
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await outbox.stop()


async def instead_of_its_own(house: House) -> None:
    """Stop the house's own outbox."""
    own = next(task for task in house.app.workers.tasks if task.get_name() == "outbox")
    own.cancel()
    with suppress(asyncio.CancelledError):
        await own


async def copies(house: House, review: Object, *states: str, shown: int = 1, many: int = 1) -> list[Copy]:
    """The copies of a review, once there are so many, all in one of these states and showing at least this."""

    def look(tx: Any) -> list[Copy] | None:
        found: list[Copy] = tx.copies(review["id"])
        settled = len(found) >= many and all(
            c.state in states and c.shown >= (shown if c.state == "posted" else 0) for c in found
        )
        return found if settled and all(c.shown == c.wanted for c in found if c.state in ("posted", "folded")) else None

    return await house.store.until(look)
