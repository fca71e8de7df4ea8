"""What Prometheus reads: counts of what happened, and how things stand at the moment it asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reviews.events import Deliver, Effect, Rang, Record
from reviews.keeping import Query, Tx
from reviews.model import Review, Status, Tier

_SECONDS = (1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)


class Metrics:
    """The counters of one process, and gauges read from the database when asked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        opened = Counter("placet_reviews_opened", "Reviews asked for.", ("tier",), registry=self.registry)
        self._opened = {tier: opened.labels(tier) for tier in Tier}
        self._ended = Counter("placet_reviews_ended", "Reviews ended.", ("status", "cause"), registry=self.registry)
        self._rungs = Counter("placet_rungs_fired", "Rungs of escalation fired.", registry=self.registry)
        self._messages = Counter("placet_messages", "Messages for agents.", ("message",), registry=self.registry)
        self._latency = Histogram(
            "placet_decision_seconds", "From ask to a person's decision.", buckets=_SECONDS, registry=self.registry
        )
        self._open = Gauge("placet_reviews_open", "Open reviews.", ("status",), registry=self.registry)
        self._overdue = Gauge("placet_overdue_seconds", "How late the earliest alarm is.", registry=self.registry)
        self._dead = Gauge("placet_deliveries_dead", "Deliveries given up.", registry=self.registry)
        self._depth = Gauge("placet_queue_depth", "Reviews that wait for a role.", ("role",), registry=self.registry)
        self._oldest = Gauge(
            "placet_queue_oldest_seconds", "How long the oldest of them waits.", ("role",), registry=self.registry
        )
        self._queues = set[str]()

    def observe(self, review: Review, effects: Iterable[Effect]) -> None:
        """Count what a committed transition did."""
        for effect in effects:
            match effect:
                case Record(kind="review.opened"):
                    self._opened[review.route.tier].inc()
                case Rang():
                    self._rungs.inc()
                case Deliver(message=message):
                    self._messages.labels(message).inc()
                    if message == "review.decided" and review.decision is not None:
                        self._count_end(review, review.decision.decided_at)

    def _count_end(self, review: Review, at: datetime) -> None:
        assert review.decision is not None
        self._ended.labels(review.status, review.decision.cause).inc()
        if review.decision.by:
            self._latency.observe((at - review.created_at).total_seconds())

    def gather(self, tx: Tx) -> bytes:
        """The exposition text, with the gauges as they stand in this transaction."""
        for status in (Status.PENDING, Status.CHANGES_REQUESTED):
            self._open.labels(status).set(tx.count(Query(statuses=(status,))))
        due = tx.next_due()
        self._overdue.set(max(0.0, (tx.now() - due).total_seconds()) if due is not None else 0.0)
        self._dead.set(len(tx.deliveries(state="dead", limit=1000)))
        self._waits(tx)
        return generate_latest(self.registry)

    def _waits(self, tx: Tx) -> None:
        """What waits for each role or level; an emptied queue stays, at nothing."""
        now, backlog = tx.now(), {each.whom: each for each in tx.backlog()}
        self._queues |= backlog.keys()
        for whom in self._queues:
            there = backlog.get(whom)
            self._depth.labels(whom).set(there.waiting if there is not None else 0)
            age = max(0.0, (now - there.oldest).total_seconds()) if there is not None else 0.0
            self._oldest.labels(whom).set(age)
