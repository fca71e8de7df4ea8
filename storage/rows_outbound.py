"""Between what goes out (copies, deliveries, bulletins) and its rows."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from reviews.card import Tone
from reviews.events import COURTESY, Post
from reviews.keeping import Bulletin, Copy, CopyKind, Delivery
from reviews.model import Review, Target
from reviews.ports import MessageRef
from storage.rows import (
    Params,
    Row,
    fresh_id,
    instant,
    maybe_instant,
    maybe_micros,
    micros,
    plain,
    words_from,
    words_text,
)

#: A queue card is drawn this long after it is wanted anew: a flood draws it once, not a hundred times.
QUEUE_AFTER = timedelta(seconds=1)

COPY_COLUMNS = (
    "id", "review", "surface", "address", "person", "epoch", "rung", "state", "wanted", "shown", "created_at",
    "attempts", "ref", "error", "leased", "kind", "told", "thread", "mark", "muted",
)  # fmt: skip


def copy_columns(copy: Copy) -> Params:
    """What a copy's row says, but for when it is due and whether what it is of is open."""
    return {
        "id": copy.id,
        "review": copy.review,
        "surface": copy.target.surface,
        "address": copy.target.address,
        "person": copy.target.person,
        "epoch": copy.epoch,
        "rung": copy.rung,
        "state": copy.state,
        "wanted": copy.wanted,
        "shown": copy.shown,
        "created_at": micros(copy.created_at),
        "attempts": copy.attempts,
        "ref": None if copy.ref is None else words_text(copy.ref.ref),
        "error": plain(copy.error),
        "leased": maybe_micros(copy.lease),
        "kind": str(copy.kind),
        "told": copy.told,
        "thread": copy.target.thread,
        "mark": (copy.ref.mark or None) if copy.ref is not None else None,
        "muted": plain(copy.muted),
    }


def copy_from(row: Row) -> Copy:
    """A copy from the columns of COPY_COLUMNS."""
    kept: Params = dict(zip(COPY_COLUMNS, row, strict=True))
    surface, ref = kept["surface"], kept["ref"]
    return Copy(
        id=kept["id"],
        review=kept["review"],
        target=Target(surface=surface, address=kept["address"], person=kept["person"], thread=kept["thread"]),
        epoch=kept["epoch"],
        rung=kept["rung"],
        state=kept["state"],
        wanted=kept["wanted"],
        shown=kept["shown"],
        created_at=instant(kept["created_at"]),
        attempts=kept["attempts"],
        ref=None if ref is None else MessageRef(surface=surface, ref=words_from(ref), mark=kept["mark"] or ""),
        error=kept["error"],
        kind=CopyKind(kept["kind"]),
        told=kept["told"],
        lease=maybe_instant(kept["leased"]),
        muted=kept["muted"],
    )


DELIVERY_COLUMNS = (
    "id", "review", "agent", "message", "url", "body", "state", "due_at", "attempts", "error", "created_at",
)  # fmt: skip


def delivery_columns(delivery: Delivery) -> Params:
    """The row of a delivery."""
    return {
        "id": delivery.id,
        "review": delivery.review,
        "agent": delivery.agent,
        "message": delivery.message,
        "url": delivery.url,
        "receiver": delivery.receiver,
        "body": delivery.body,
        "state": delivery.state,
        "due_at": micros(delivery.due_at),
        "attempts": delivery.attempts,
        "error": plain(delivery.error),
        "created_at": maybe_micros(delivery.created_at),
    }


def delivery_from(row: Row) -> Delivery:
    """A delivery from the columns of DELIVERY_COLUMNS."""
    id_, review, agent, message, url, body, state, due, attempts, error, created = row
    return Delivery(
        id=id_,
        review=review,
        agent=agent,
        message=message,
        url=url,
        body=body,
        state=state,
        due_at=instant(due),
        attempts=attempts,
        error=error,
        created_at=maybe_instant(created),
    )


BULLETIN_COLUMNS = ("id", "title", "text", "tone", "at")


def bulletin_columns(bulletin: Bulletin) -> Params:
    """The row of a bulletin."""
    return {
        "id": bulletin.id,
        "title": plain(bulletin.title),
        "text": plain(bulletin.text),
        "tone": str(bulletin.tone),
        "at": micros(bulletin.at),
    }


def bulletin_from(row: Row) -> Bulletin:
    """A bulletin from the columns of BULLETIN_COLUMNS."""
    id_, title, text, tone, at = row
    return Bulletin(id=id_, title=title, text=text, tone=Tone(tone), at=instant(at))


def new_copy(review: Review, post: Post, at: datetime) -> Copy:
    """The copy a rung calls for, not posted yet."""
    return Copy(
        id=fresh_id("cpy"),
        review=review.id,
        target=post.target,
        epoch=post.epoch,
        rung=post.rung,
        state="new",
        wanted=review.version,
        shown=0,
        created_at=at,
    )


def queue_id(surface: str, address: str) -> str:
    """The id of the queue card at a place: one for each."""
    return f"queue_{hashlib.sha256(f'{surface}|{address}'.encode()).hexdigest()[:24]}"


def new_queue(surface: str, address: str, at: datetime) -> Copy:
    """The queue card of a place, not posted yet."""
    return Copy(
        id=queue_id(surface, address),
        review="",
        target=Target(surface=surface, address=address),
        epoch=0,
        rung=0,
        state="new",
        wanted=1,
        shown=0,
        created_at=at,
        kind=CopyKind.QUEUE,
    )


def new_notice(bulletin: Bulletin, target: Target, at: datetime) -> Copy:
    """A copy of a bulletin, not posted yet. No rung called for it."""
    return Copy(
        id=fresh_id("cpy"),
        review=bulletin.id,
        target=target,
        epoch=0,
        rung=COURTESY,
        state="new",
        wanted=1,
        shown=0,
        created_at=at,
        kind=CopyKind.NOTICE,
    )
