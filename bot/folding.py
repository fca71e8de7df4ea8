"""Where many cards lie, harmless reviews share one: folding them, letting them out again, the card they share.

Works inside the outbox's transactions. A folded copy is of its review as every other; only it has no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reviews.card import Card
from reviews.events import Record
from reviews.flood import folds
from reviews.keeping import Copy, Tx
from reviews.model import Review, RiskLevel
from reviews.values import replace

#: A queue card counts so many of what is folded there, and looks for the most urgent among so many of the oldest.
_COUNTED, _READ = 1000, 50


class Folding:
    """What is folded where. `most` says how many cards a place holds; `queue_card` draws reviews, and how many more."""

    def __init__(self, most: Callable[[], int], queue_card: Callable[[Sequence[Review], int], Card]) -> None:
        self._most, self._queue_card = most, queue_card

    def folds(self, tx: Tx, copy: Copy) -> bool:
        """Whether a copy never posted is to be folded. What stands there is counted only where it matters."""
        most, review = self._most(), tx.read(copy.review)
        if review is None or not folds(review, copy, most, most):
            return False
        return folds(review, copy, _standing(tx, copy, most), most)

    def fold(self, tx: Tx, copy: Copy) -> bool:
        """Fold a copy, keep it folded, or let it have a card again. False: it is to have a card."""
        review = tx.lock(copy.review)
        assert review is not None, "a copy without its review"
        if copy.state == "new" and not self.folds(tx, copy):
            return False
        if copy.state == "folded" and _replaced(tx, copy):
            tx.keep_copy(replace(copy, state="over", shown=review.version), None)
        elif review.status.over or review.route.risk is RiskLevel.LOW:
            self._keep(tx, review, copy)
        else:
            # Claimed anew, it is `posting` in its row before anything is posted, as every other.
            tx.keep_copy(replace(copy, state="new", shown=0), tx.now())
        tx.want_queue(*place(copy))
        return True

    def _keep(self, tx: Tx, review: Review, copy: Copy) -> None:
        folded = replace(copy, state="folded", shown=review.version, attempts=0, error=None)
        if tx.keep_copy(folded, None) and copy.state == "new":
            detail = {"copy": copy.id, "surface": copy.target.surface, "address": copy.target.address}
            tx.record(Record(kind="copy.folded", at=tx.now(), actor="placet", detail=detail, public=False), review.id)

    def lines(self, tx: Tx, queue: Copy) -> list[Copy]:
        """What is folded where a queue card lies, oldest first.

        Nothing for a second message of that card, posted by a worker that was late: one card is enough.
        """
        first = queue.id.startswith("queue_")
        return tx.standing(*place(queue), "folded", _COUNTED) if first else []

    def card(self, tx: Tx, queue: Copy) -> tuple[Card, bool]:
        """A queue card as it stands, and whether nothing waits on it."""
        folded = self.lines(tx, queue)
        found = (tx.read(line.review) for line in folded[:_READ])
        reviews = [review for review in found if review is not None]
        return self._queue_card(reviews, len(folded) - len(reviews)), not folded


def _standing(tx: Tx, copy: Copy, most: int) -> int:
    """How many cards lie at a copy's place or wait for their turn there before it; no more than matter are counted."""
    lie = len(tx.standing(*place(copy), "posted", most))
    waiting = (c for state in ("new", "posting") for c in tx.standing(*place(copy), state, most + 1))
    return lie + sum((c.created_at, c.id) < (copy.created_at, copy.id) for c in waiting)


def _replaced(tx: Tx, copy: Copy) -> bool:
    """Whether a later run of the ladder called the same place: what it posted or folded there is enough."""
    siblings = (c for c in tx.copies(copy.review) if place(c) == place(copy) and c.state != "failed")
    return any(sibling.epoch > copy.epoch for sibling in siblings)


def place(copy: Copy) -> tuple[str, str]:
    """The surface and the address a copy is for."""
    return copy.target.surface, copy.target.address
