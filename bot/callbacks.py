"""What an agent is told by callback: frozen in the transaction that decided it, sent by the courier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from bot import wire
from reviews.events import Deliver, Effect, Message
from reviews.keeping import Agent, Delivery, Tx
from reviews.model import Review
from reviews.values import replace

#: What is said of a decision's message that was taken back before it arrived.
UNDONE = "undone before it arrived"
#: How soon it is looked again whether a stopped agent may be told of an approval.
STOPPED = timedelta(seconds=5)


def freeze(tx: Tx, review: Review, effects: Sequence[Effect], at: datetime, base: str) -> None:
    """Freeze what the agent is told of a transition."""
    url = review.request.callback_url
    if url is None:
        return
    for effect in effects:
        if not isinstance(effect, Deliver):
            continue
        if effect.message is Message.REVOKED:
            _unsay(tx, review, at)
        tx.add_delivery(
            Delivery(
                id=_id(review, effect.message),
                review=review.id,
                agent=review.agent,
                message=effect.message.value,
                url=url,
                body=wire.callback_body(effect.message, review, at, base),
                state="due",
                due_at=_when(review, effect.message, at),
                created_at=at,
            )
        )


def _id(review: Review, message: Message) -> str:
    """The end's id is one for all time, any other's one for each version."""
    word = message.value.rpartition(".")[2]
    name = word if message is Message.DECIDED else f"{word}_{review.version}"
    return f"msg_{review.id.removeprefix('rev_')}_{name}"


def _when(review: Review, message: Message, at: datetime) -> datetime:
    """At once; an approval that can still be undone when it may be used."""
    grant = review.grant
    if message is not Message.DECIDED or grant is None or grant.usable_from is None:
        return at
    return max(at, grant.usable_from)


def _unsay(tx: Tx, review: Review, at: datetime) -> None:
    """Let the message of an approval not go that was taken back before it could be used, or that waits to be repeated.

    Else the agent would hear of the approval last, and not of what became of it.
    """
    grant = review.grant
    rests = grant is not None and grant.usable_from is not None and at < grant.usable_from
    said = _id(review, Message.DECIDED)
    for delivery in tx.deliveries(review=review.id):
        if delivery.id == said and delivery.state == "due" and (rests or delivery.attempts > 0):
            tx.keep_delivery(replace(delivery, state="gone", error=UNDONE, lease=None))


def rests_until(delivery: Delivery, agent: Agent, at: datetime) -> datetime | None:
    """Until when an approval is not told, however it came to be due: it can be undone yet, or its agent is stopped.

    None where it may go now.
    """
    # Nearly every message has neither: only a text can be an instant, whatever the agent wrote into its metadata.
    if delivery.message != Message.DECIDED or (agent.stop is None and b'"usable_from":"' not in delivery.body):
        return None
    grant = orjson.loads(delivery.body)["data"]["grant"]
    if grant is None:
        return None
    usable, until = (grant[name] and datetime.fromisoformat(grant[name]) for name in ("usable_from", "valid_until"))
    if usable is not None and at < usable:
        return usable
    return min(at + STOPPED, until) if agent.stop is not None and at < until else None
