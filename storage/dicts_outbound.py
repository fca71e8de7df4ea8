"""Copies and deliveries as plain dicts: the promises of `outbound.py`, without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from reviews.errors import Duplicate, NotFound
from reviews.keeping import Bulletin, Copy, CopyKind, Delivery
from reviews.model import Review, Target
from reviews.values import replace
from storage import leases, rows_outbound
from storage.shelf import Shelf, Wanted

#: How a delivery stands that its receiver took or wants no more of.
_SAID = ("done", "gone")


class DictsOutbound(Shelf):
    """The part of a transaction that keeps copies and deliveries."""

    # ------------------------------------------------------------------------------------------ copies

    def claim_copies(self, now: datetime, lease_until: datetime, limit: int) -> list[Copy]:
        """Claim copies that are due, one at a time of a review at a place, each given with the state it had."""
        busy = {_place(w.copy) for w in self._data.copies.values() if w.copy.lease is not None and w.copy.lease > now}
        due = [(w.due_at, w.copy) for w in self._data.copies.values() if w.due_at is not None]
        claimed: list[Copy] = []
        for at, copy in sorted(due, key=lambda pair: (pair[0], pair[1].id)):
            if at <= now and _place(copy) not in busy and len(claimed) < limit:
                busy.add(_place(copy))
                taken = replace(copy, lease=lease_until)
                claimed.append(taken)
                row = replace(taken, state="posting") if copy.state == "new" else taken
                self._put(self._data.copies, copy.id, Wanted(row, lease_until))
        return claimed

    def keep_copy(self, copy: Copy, due_at: datetime | None) -> bool:
        """Keep what came of a copy and end its lease; whether it counted. Raises NotFound."""
        row = self._data.copies.get(copy.id)
        if row is None:
            raise NotFound(f"There is no copy {copy.id}.")
        kept = leases.keep(row.copy, copy, due_at, self.now())
        if kept.row is not None:
            self._put(self._data.copies, copy.id, Wanted(kept.row, kept.due_at))
        if kept.twin is not None:
            self._put(self._data.copies, kept.twin.id, Wanted(kept.twin, self.now()))
        return kept.counted

    def copy(self, copy_id: str) -> Copy | None:
        """Read one copy."""
        row = self._data.copies.get(copy_id)
        return None if row is None else row.copy

    def copies(self, review_id: str) -> list[Copy]:
        """All copies of a review, oldest first."""
        mine = (row.copy for row in self._data.copies.values() if row.copy.review == review_id)
        return sorted(mine, key=lambda copy: (copy.created_at, copy.id))

    def copy_by_mark(self, surface: str, mark: str) -> Copy | None:
        """The copy whose `ref.mark` this is."""
        marked = (w.copy for w in self._data.copies.values() if w.copy.ref is not None and w.copy.ref.mark == mark)
        return next((copy for copy in marked if mark and copy.target.surface == surface), None)

    def adopt_copy(self, copy: Copy) -> None:
        """Keep a copy found in the world: its row made or changed, `shown=0`, due now; who works on it is late."""
        self._put(self._data.copies, copy.id, Wanted(replace(copy, shown=0, lease=None), self.now()))

    def standing(self, surface: str, address: str, state: str, limit: int) -> list[Copy]:
        """Copies (of cards) of open reviews in a state at an address, oldest first."""
        place = (surface, address, state, CopyKind.CARD)
        there = (w.copy for w in self._data.copies.values() if self._open_still(w.copy.review))
        found = [c for c in there if (c.target.surface, c.target.address, c.state, c.kind) == place]
        return sorted(found, key=lambda copy: (copy.created_at, copy.id))[:limit]

    def want_queue(self, surface: str, address: str) -> None:
        """The queue card there must be drawn again, a second from now; one that is over is posted afresh."""
        made = rows_outbound.new_queue(surface, address, self.now())
        row = self._data.copies.get(made.id, Wanted(replace(made, wanted=0), None))
        copy = made if row.copy.state in ("over", "failed") else row.copy
        wanted = replace(copy, wanted=row.copy.wanted + 1)
        self._put(self._data.copies, made.id, Wanted(wanted, row.due_at or self.now() + rows_outbound.QUEUE_AFTER))

    def put_bulletin(self, bulletin: Bulletin, targets: Sequence[Target]) -> None:
        """Keep a bulletin and a new copy of it for each target, due now. The same id again changes nothing."""
        if bulletin.id not in self._data.bulletins:
            self._put(self._data.bulletins, bulletin.id, bulletin)
            for copy in [rows_outbound.new_notice(bulletin, target, self.now()) for target in targets]:
                self._put(self._data.copies, copy.id, Wanted(copy, self.now()))

    def bulletin(self, bulletin_id: str) -> Bulletin | None:
        """Read a bulletin."""
        return self._data.bulletins.get(bulletin_id)

    def notices(self, person: str, places: Sequence[Target], since: datetime, limit: int) -> list[Bulletin]:
        """The bulletins since then that went to a person, on any surface, or to one of these places; newest first."""
        where = {(place.surface, place.address) for place in places}
        there = (w.copy for w in self._data.copies.values() if w.copy.kind is CopyKind.NOTICE)
        told = {c.review for c in there if c.target.person == person or (c.target.surface, c.target.address) in where}
        found = [each for each in self._data.bulletins.values() if each.id in told and each.at >= since]
        return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]

    def _open_still(self, review: str) -> bool:
        asked = self._data.reviews.get(review)
        return asked is not None and not asked.review.status.over

    def _refresh(self, review: Review) -> None:
        for key, row in list(self._data.copies.items()):
            if row.copy.review == review.id:
                due = row.due_at
                if leases.redrawable(row.copy) and row.copy.shown < review.version:
                    due = max(self.now(), row.copy.lease or self.now())
                self._put(self._data.copies, key, Wanted(replace(row.copy, wanted=review.version), due))

    # ------------------------------------------------------------------------------------------ deliveries

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a message to an agent. Raises Duplicate for an id in use."""
        if delivery.id in self._data.deliveries:
            raise Duplicate(f"There is a delivery {delivery.id} already.")
        self._put(self._data.deliveries, delivery.id, delivery)

    def claim_deliveries(
        self, now: datetime, lease_until: datetime, limit: int, *, each: int, busy: Mapping[str, int]
    ) -> list[Delivery]:
        """Claim deliveries that are due until the lease ends: `each` to one receiver, less those it is `busy` with."""
        due = sorted((d for d in self._data.deliveries.values() if d.state == "due" and d.due_at <= now), key=_due_at)
        lanes: dict[str, list[Delivery]] = {}
        for delivery in due:
            lanes.setdefault(delivery.receiver, []).append(delivery)
        claimed: list[Delivery] = []
        for receiver, waiting in lanes.items():
            room = min(each - busy.get(receiver, 0), limit - len(claimed))
            claimed += waiting[: max(room, 0)]
        for delivery in claimed:
            self._put(self._data.deliveries, delivery.id, replace(delivery, due_at=lease_until))
        return [replace(delivery, lease=lease_until) for delivery in claimed]

    def keep_delivery(self, delivery: Delivery) -> bool:
        """Keep what came of a delivery; late, only what the receiver said for good. Raises NotFound."""
        row = self._data.deliveries.get(delivery.id)
        if row is None:
            raise NotFound(f"There is no delivery {delivery.id}.")
        on_time = delivery.lease is None or (row.state, row.due_at) == ("due", delivery.lease)
        if on_time or (delivery.state in _SAID and row.state not in _SAID):
            self._put(self._data.deliveries, delivery.id, replace(delivery, lease=None))
            return True
        return False

    def deliveries(self, *, review: str | None = None, state: str | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        newest = reversed(self._data.deliveries.values())
        return [d for d in newest if review in (None, d.review) and state in (None, d.state)][:limit]

    def next_outbound(self) -> datetime | None:
        """When the next copy or delivery is due; one under work, when its lease ends."""
        now, rows_ = self.now(), self._data.copies.values()
        leased = {_place(w.copy): w.copy.id for w in rows_ if w.copy.lease is not None and w.copy.lease > now}
        copies = [w.due_at for w in rows_ if w.due_at and leased.get(_place(w.copy), w.copy.id) == w.copy.id]
        return min([*copies, *(d.due_at for d in self._data.deliveries.values() if d.state == "due")], default=None)


def _place(copy: Copy) -> tuple[str, str, str]:
    return copy.review, copy.target.surface, copy.target.address


def _due_at(delivery: Delivery) -> datetime:
    return delivery.due_at
