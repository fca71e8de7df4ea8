"""What becomes of a copy's row when a worker keeps it, perhaps after its lease. No I/O: the engines do as it says.

A lease that ended may have been followed by another worker's. What a late worker learned is worth nothing then, but
for one thing: a message it posted, which nobody else may know of, and whose buttons must one day go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reviews.keeping import Copy
from reviews.ports import MessageRef
from reviews.values import replace
from storage.rows import fresh_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The row as it is to be (None: as it is), due when; a `twin` to add; whether what was given `counted`."""

    row: Copy | None = None
    due_at: datetime | None = None
    twin: Copy | None = None
    counted: bool = True


def keep(row: Copy, copy: Copy, again_at: datetime | None, now: datetime) -> Kept:
    """What becomes of a row for which `copy` is kept, to be tried `again_at`."""
    if copy.lease != row.lease:
        return _late(row, copy, now)
    if row.ref is None or _same(row.ref, copy.ref):
        return _on_time(row, copy, again_at, now)
    if copy.ref is None:  # a late worker's message became known meanwhile; that nothing could be posted is no news
        return Kept(row=replace(row, lease=None), due_at=again_at or now, counted=False)
    return replace(_on_time(row, copy, again_at, now), twin=_twin(row, row.ref, now))


def redrawable(copy: Copy) -> bool:
    """Whether a copy lies where it can be changed; a folded one lies in its place's queue card."""
    return copy.state in ("posted", "folded") or (copy.state == "unknown" and copy.ref is not None)


def _on_time(row: Copy, copy: Copy, again_at: datetime | None, now: datetime) -> Kept:
    """What was wanted meanwhile is not forgotten: never due while it shows that, else when asked, else at once."""
    kept = replace(copy, wanted=max(copy.wanted, row.wanted), lease=None)
    if kept.shown >= kept.wanted:
        return Kept(row=kept)
    return Kept(row=kept, due_at=again_at or (now if redrawable(kept) else None))


def _late(row: Copy, copy: Copy, now: datetime) -> Kept:
    if copy.ref is None or _same(row.ref, copy.ref):
        return Kept(counted=False)
    if row.ref is not None:
        return Kept(twin=_twin(replace(row, muted=copy.muted), copy.ref, now))
    found = replace(row, state="posted", ref=copy.ref, shown=copy.shown, attempts=0, error=None, muted=copy.muted)
    return Kept(row=found, due_at=row.lease or now)


def _twin(row: Copy, ref: MessageRef, now: datetime) -> Copy:
    """A second message of one copy: a row of its own, so that it shows whatever the first one shows."""
    return replace(
        row, id=fresh_id("cpy"), state="posted", ref=ref, shown=0, attempts=0, error=None, lease=None, created_at=now
    )


def _same(one: MessageRef | None, other: MessageRef | None) -> bool:
    """Whether both name one message: by their marks, or else by agreeing in all that both of them say.

    A surface adds to a ref what it learns later (the reply that holds the details), so they need not be equal.
    """
    if one is None or other is None:
        return False
    if one.mark and other.mark:
        return one.mark == other.mark
    shared = one.ref.keys() & other.ref.keys()
    return bool(shared) and all(one.ref[name] == other.ref[name] for name in shared)
