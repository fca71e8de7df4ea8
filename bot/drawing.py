"""A review's card with all that surrounds it: log, history, people. Reads inside a transaction, changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.listing import concerns
from bot.people import Directory
from reviews import eligibility
from reviews.card import Card
from reviews.eligibility import Barred
from reviews.keeping import Query, Stop, Tx
from reviews.model import Person, Relation, Review
from reviews.present import present, title_of
from reviews.surroundings import Earlier, Origin, Surroundings
from reviews.timeline import actor_name, timeline

#: How many earlier reviews of the same subject a card shows.
_HISTORY = 5
#: A review's log is read no further than this; what was refused is not in what people read, so none can fill it up.
LOGGED = 2000


class Drawing:
    """Draws cards as the directory stands. `base` has no trailing slash."""

    def __init__(self, directory: Callable[[], Directory], base: str) -> None:
        self._directory, self._base = directory, base

    def card(self, tx: Tx, review: Review, *, reader: str | None = None, revealed: bool = False) -> Card:
        """The card of a review as it stands, for one person, or for all who read it in one place."""
        directory = self._directory()
        people = directory.people()
        log = tx.log(review=review.id, limit=LOGGED, public=True)
        who = directory.person(reader) if reader is not None else None
        around = Surroundings(
            link=f"{self._base}/reviews/{review.id}",
            timeline=timeline(log, directory.names()),
            history=_history(tx, review),
            names=directory.names(),
            people=tuple(person.id for person in people if _may_decide(review, person)),
            revealed=revealed,
            reader=who,
            acts=who is None or concerns(review, who),
            senior=senior_level(directory, review),
            rights=who.may if who is not None else frozenset(right for person in people for right in person.may),
            stop=_stop(tx, review),
            origin=_origin(tx, review, directory.names()),
        )
        return present(review, around)


def senior_level(directory: Directory, review: Review) -> int:
    """A decision is taken back by somebody at least as senior as who made it."""
    deciders = [directory.person(seat.person) for seat in (review.decision.by if review.decision else ())]
    return max((person.level for person in deciders if person is not None), default=2)


def _may_decide(review: Review, person: Person) -> bool:
    return not review.status.over and not isinstance(eligibility.standing(review, person), Barred)


def _stop(tx: Tx, review: Review) -> Stop | None:
    """Why its agent is stopped, while it is."""
    agent = tx.agent(review.agent) if review.held else None
    return agent.stop if agent is not None else None


def _origin(tx: Tx, review: Review, names: Mapping[str, str]) -> Origin | None:
    """What it follows from, and in whose words."""
    first = tx.read(review.about) if review.about is not None else None
    if first is None:
        return None
    if review.relation is not Relation.APPEAL:
        return Origin(review=first)
    log = tx.log(review=first.id, limit=LOGGED, public=True)
    pleas = [entry for entry in log if entry.kind == "review.appealed" and entry.at <= review.created_at]
    return Origin(
        review=first,
        by=actor_name(pleas[-1].actor, names) if pleas else "",
        reason=str(pleas[-1].detail.get("reason") or "") if pleas else "",
    )


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
