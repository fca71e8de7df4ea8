"""A press proves that a posted copy is there. What the database did not know of is taken in, so that it follows."""

from __future__ import annotations

import hashlib

from reviews.events import Interaction
from reviews.keeping import Copy, Tx
from reviews.model import Review, Target
from reviews.ports import MessageRef
from reviews.values import replace

#: Copies a review may have before no press adds another.
_MOST = 100


def adopt(tx: Tx, review: Review, pressed: Interaction) -> None:
    """Keep the copy that was pressed where it lies, if it is not kept so already; it is then drawn again.

    Three ways lead here: a post whose answer was lost, a row lost with a restored database, and a twin (a card posted
    twice, the first answer lost), which must lose its buttons like the other. Its mark is kept with it, so that words
    beneath it are heard. One message has one row, whatever id its controls carry.
    """
    if not pressed.copy or not pressed.ref:
        return
    ref = MessageRef(surface=pressed.identity.surface, ref=pressed.ref, mark=pressed.mark or "")
    there = tx.copy_by_mark(ref.surface, ref.mark) if ref.mark else None
    if there is not None and there.review != review.id:
        return  # that message shows something else: a press does not make it ours
    known = tx.copy(pressed.copy)
    if known is not None and (known.review != review.id or known.target.surface != ref.surface):
        return  # not a copy of this review: the press says nothing about it
    copies = tx.copies(review.id)
    if _lies(known, ref) or any(_lies(copy, ref) for copy in copies):
        return
    if len(copies) >= _MOST:
        return  # each of them is redrawn at every change: presses that name ever other messages must not add up
    if known is None:
        _take_in(tx, review, pressed.copy, ref)
    elif known.ref is None:
        tx.adopt_copy(replace(known, state="posted", ref=ref, error=None))
    else:
        _take_in(tx, review, _twin_id(ref), ref, known)


def _take_in(tx: Tx, review: Review, copy_id: str, ref: MessageRef, like: Copy | None = None) -> None:
    # What lies beside a copy of a rung belongs to it; what nobody knows of belongs to the run of the ladder there is.
    epoch, rung = (review.ladder.epoch, 0) if like is None else (like.epoch, like.rung)
    found = Copy(
        id=copy_id,
        review=review.id,
        target=Target(
            surface=ref.surface,
            address=ref.ref.get("channel", ""),
            person=None if like is None else like.target.person,
        ),
        epoch=epoch,
        rung=rung,
        state="posted",
        wanted=review.version,
        shown=0,
        created_at=tx.now(),
        ref=ref,
    )
    tx.adopt_copy(found)


def _lies(copy: Copy | None, pressed: MessageRef) -> bool:
    """Whether a copy is the message pressed, of which a surface may keep more than a press tells."""
    if copy is None or copy.ref is None or copy.ref.surface != pressed.surface:
        return False
    shared = copy.ref.ref.keys() & pressed.ref.keys()
    return bool(shared) and all(copy.ref.ref[key] == pressed.ref[key] for key in shared)


def _twin_id(ref: MessageRef) -> str:
    """One id for one place: two who press on the twin at once make one row of it."""
    place = repr((ref.surface, sorted(ref.ref.items())))
    return f"cpy_{hashlib.sha256(place.encode()).hexdigest()[:24]}"
