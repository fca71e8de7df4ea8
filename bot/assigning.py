"""Which of several people a review is given to: who has the fewest open, and of those who was given one longest ago."""

from __future__ import annotations

from collections.abc import Sequence

from bot.reach import Assign
from reviews.keeping import Query, Tx

#: On the shelf of references, by role: who was given its reviews, who was longest ago first.
_SHELF, _ORDER = "assign", "order"


def assigning(tx: Tx) -> Assign:
    """A choice among people by what is open in a transaction, which keeps whom it chose."""

    def one_of(role: str, people: Sequence[str]) -> str | None:
        """Who of these gets it; None of nobody."""
        order = (tx.reference(_SHELF, role, change=True) or {}).get(_ORDER, "").split()
        load = {person: tx.count(Query(called=person, open_only=True)) for person in people}
        since = {person: order.index(person) if person in order else -1 for person in people}
        chosen = min(people, key=lambda person: (load[person], since[person]), default=None)
        if chosen is not None:
            later = [person for person in order if person != chosen]
            tx.put_reference(_SHELF, role, {_ORDER: " ".join([*later, chosen])})
        return chosen

    return one_of
