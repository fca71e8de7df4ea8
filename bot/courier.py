"""Carries decisions to agents: signed, at least once, each receiver on its own time.

A delivery is claimed with a lease, sent outside any transaction, and kept as done or due again. The body was frozen
when it was decided, and `webhook-id` never changes, so that a receiver can tell a repeat. One transaction at a time
keeps whatever came of those sent and claims whatever may be sent: under load each does it for many.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import structlog

from bot.callbacks import rests_until
from bot.gate import CallbackForbidden, Gate
from bot.hub import Hub
from reviews.errors import StoreUnavailable
from reviews.events import Record, Refresh
from reviews.keeping import Agent, Delivery, Store, Tx
from reviews.model import Review
from reviews.ports import Clock
from reviews.signing import sign
from reviews.values import replace

log = structlog.get_logger(__name__)

#: When a delivery is tried again after each failure; after the last it is dead and people are told.
BACKOFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600))
TIMEOUT = 15.0
LEASE = timedelta(seconds=60)
CLAIM = 100
#: At most this many at once to one receiver: no more is claimed, so that a hanging one holds nothing others need.
PER_RECEIVER = 16
_BOUNDED_READ = 4096


class Courier:
    """One per process; several processes share the work by claims."""

    def __init__(self, store: Store, hub: Hub, gate: Gate, clock: Clock, agent: Callable[[str], Agent | None]) -> None:
        self._store, self._hub, self._gate, self._clock, self._agent = store, hub, gate, clock, agent
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: dict[str, int] = {}
        self._sent: list[Delivery] = []
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self.delivered = 0

    async def start(self) -> None:
        """Open the sessions: one for hosts the allow-list names, one for all others."""
        for named in (True, False):
            self._sessions[named] = aiohttp.ClientSession(
                connector=self._gate.connector(named=named),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                trust_env=False,
                auto_decompress=False,
            )

    async def stop(self) -> None:
        """Let what is on its way end, within its own deadline; the rest is due again after its lease."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=2)
        for task in self._sending:
            task.cancel()
        if self._sent:
            await self._turn(0)
        for session in self._sessions.values():
            await session.close()

    async def run(self) -> None:
        """Send what is due until cancelled."""
        while True:
            self._hub.deliveries.clear()
            claimed = await self._turn(CLAIM)
            for delivery in claimed:
                self._begin(delivery)
            if len(claimed) < CLAIM:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._hub.deliveries.wait()

    async def _turn(self, limit: int) -> list[Delivery]:
        """Keep what came of those sent and claim more, in one transaction."""
        sent, self._sent = self._sent, []
        busy = dict(self._busy)

        def turn(tx: Tx) -> tuple[list[Review], list[Delivery]]:
            shown = [review for delivery in sent if (review := _keep(tx, delivery)) is not None]
            now = tx.now()
            return shown, tx.claim_deliveries(now, now + LEASE, limit, each=PER_RECEIVER, busy=busy)

        try:
            shown, claimed = await self._store.tx(turn)
        except StoreUnavailable as fault:
            # Kept when the store is back; what ends before that goes out again with the same id, never lost.
            self._sent[:0] = sent
            log.warning("courier_waits", why=str(fault), sent=len(sent))
            return []
        for review in shown:
            self._hub.announce(review, (Refresh(),))
        return claimed

    def _begin(self, delivery: Delivery) -> None:
        receiver = delivery.receiver
        self._busy[receiver] = self._busy.get(receiver, 0) + 1
        task = asyncio.create_task(self._carry(delivery, receiver))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _carry(self, delivery: Delivery, receiver: str) -> None:
        try:
            sent = await self._send(delivery)
            self._sent.append(sent)  # looked up after the wait: a turn puts a new list there
        finally:
            self._busy[receiver] -= 1
            if not self._busy[receiver]:
                del self._busy[receiver]
            self._hub.deliveries.set()

    async def _send(self, delivery: Delivery) -> Delivery:
        agent = self._agent(delivery.agent)
        if agent is None or agent.revoked:
            return self._failed(delivery, "the agent's key was revoked", final=True)
        if (until := rests_until(delivery, agent, self._clock.now())) is not None:
            return replace(delivery, due_at=until)
        url = delivery.url
        if (fault := self._gate.refuses(url, hosts=agent.hosts)) is not None:
            return self._failed(delivery, fault)
        session = self._sessions[self._gate.names(url)]
        headers = self._headers(agent, delivery)
        try:
            async with session.post(url, data=delivery.body, headers=headers, allow_redirects=False) as answer:
                await answer.content.read(_BOUNDED_READ)
                return self._judge(delivery, answer)
        except (aiohttp.ClientError, OSError, ValueError, CallbackForbidden) as fault:  # ValueError: no host at all
            return self._failed(delivery, f"{type(fault).__name__}: {fault}")

    def _headers(self, agent: Agent, delivery: Delivery) -> dict[str, str]:
        at = int(self._clock.now().timestamp())
        signatures = [sign(secret, delivery.id, at, delivery.body) for secret in agent.secrets]
        return {
            "content-type": "application/json",
            "user-agent": "Placet",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(at),
            "webhook-signature": " ".join(signatures),
        }

    def _judge(self, delivery: Delivery, answer: aiohttp.ClientResponse) -> Delivery:
        if 200 <= answer.status < 300:
            self.delivered += 1
            return replace(delivery, state="done", attempts=delivery.attempts + 1, error=None)
        if answer.status == 410:
            return replace(
                delivery, state="gone", attempts=delivery.attempts + 1, error="410: the receiver wants no more"
            )
        return self._failed(delivery, f"answered {answer.status}", wait=self._asked_to_wait(answer))

    def _asked_to_wait(self, answer: aiohttp.ClientResponse) -> timedelta | None:
        """`Retry-After` as seconds or a date (RFC 9110 §10.2.3), a day at most."""
        asked = answer.headers.get("Retry-After", "").strip()
        if asked.isascii() and asked.isdigit():
            return timedelta(seconds=min(int(asked), 86_400))
        try:
            until = parsedate_to_datetime(asked)
        except (ValueError, OverflowError):
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(max(until - self._clock.now(), timedelta(0)), timedelta(days=1))

    def _failed(self, delivery: Delivery, why: str, *, final: bool = False, wait: timedelta | None = None) -> Delivery:
        tried = delivery.attempts
        if final or tried >= len(BACKOFF):
            log.error("delivery_dead", delivery=delivery.id, url=delivery.url, why=why)
            return replace(delivery, state="dead", attempts=tried + 1, error=why)
        pause = max(BACKOFF[tried] * random.uniform(0.8, 1.2), wait or timedelta(0))  # noqa: S311 - jitter, no secret
        return replace(delivery, attempts=tried + 1, due_at=self._clock.now() + pause, error=why)


def _keep(tx: Tx, delivery: Delivery) -> Review | None:
    """Keep what came of a delivery; the review as its cards must show it now, if they must."""
    if not tx.keep_delivery(delivery) or (entry := _entry(delivery, tx.now())) is None:
        return None
    review = tx.lock(delivery.review) if delivery.state == "dead" else None
    if review is None:
        tx.record(entry, delivery.review)
        return None
    # Whoever decided it sees on the card that the agent does not know.
    shown = replace(review, version=review.version + 1)
    tx.save(review, shown, (entry, Refresh()))
    return shown


def _entry(delivery: Delivery, at: datetime) -> Record | None:
    if delivery.state == "due":
        return None
    detail = {
        "delivery": delivery.id,
        "message": delivery.message,
        "attempts": delivery.attempts,
        "error": delivery.error,
    }
    return Record(kind=f"delivery.{delivery.state}", at=at, actor="placet", detail=detail, public=False)
