"""What an agent is told by callback: frozen in the transaction that decided it, sent by the courier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import wire
from reviews.events import Deliver, Effect, Message
from reviews.keeping import Delivery, Tx
from reviews.model import Review
from reviews.values import replace

#: What is said of a decision's message that was taken back before it went.
UNDONE = "undone before it was sent"


def tell(tx: Tx, review: Review, effects: Sequence[Effect], at: datetime, base: str) -> None:
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
    """Let the message of an approval not go that was taken back while it could not be used yet."""
    if review.grant is None or review.grant.usable_from is None or at >= review.grant.usable_from:
        return
    said = _id(review, Message.DECIDED)
    for delivery in tx.deliveries(review=review.id):
        if delivery.id == said and delivery.state == "due":
            tx.keep_delivery(replace(delivery, state="gone", error=UNDONE, lease=None))
