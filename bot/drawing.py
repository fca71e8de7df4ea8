"""A review's card with all that surrounds it: log, history, people. Reads inside a transaction, changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from bot.people import Directory
from reviews import eligibility
from reviews.card import Card
from reviews.eligibility import Barred
from reviews.keeping import Query, Tx
from reviews.model import Review
from reviews.present import Earlier, Surroundings, present, title_of
from reviews.timeline import timeline

#: How many earlier reviews of the same subject a card shows.
_HISTORY = 5
#: A review's log is read no further than this; what was refused is not in what people read, so none can fill it up.
LOGGED = 2000


class Drawing:
    """Draws cards as the directory stands. `base` has no trailing slash."""

    def __init__(self, directory: Callable[[], Directory], base: str) -> None:
        self._directory, self._base = directory, base

    def card(self, tx: Tx, review: Review, *, revealed: bool = False) -> Card:
        """The card of a review as it stands."""
        directory = self._directory()
        eligible = [
            person.id
            for person in directory.people()
            if not review.status.over and not isinstance(eligibility.standing(review, person), Barred)
        ]
        around = Surroundings(
            link=f"{self._base}/reviews/{review.id}",
            timeline=timeline(tx.log(review=review.id, limit=LOGGED, public=True), directory.names()),
            history=_history(tx, review),
            names=directory.names(),
            people=tuple(eligible),
            revealed=revealed,
        )
        return present(review, around)


def _history(tx: Tx, review: Review) -> tuple[Earlier, ...]:
    subject = review.request.subject
    if subject is None:
        return ()
    query = Query(subject=subject, action=review.request.action.name, limit=_HISTORY + 1)
    return tuple(
        Earlier(
            when=f"{earlier.created_at:%d %b %Y %H:%M} UTC",
            what=title_of(earlier),
            came_to=earlier.status.replace("_", " "),
        )
        for earlier in tx.find(query)
        if earlier.id != review.id and earlier.sandbox == review.sandbox and earlier.agent == review.agent
    )[:_HISTORY]
