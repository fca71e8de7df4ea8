"""What a card shows besides its review: who reads it, what was logged, what went before. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from reviews.card import Happening
from reviews.keeping import Stop
from reviews.model import Person, Review, Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier review of the same subject and action, in a line."""

    when: str
    what: str
    came_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The review another one follows from. `by` and `reason` are who appealed and why, where it was appealed."""

    review: Review
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a card shows besides its review.

    `link` is the full page. `revealed` shows what is redacted (the caller has checked and logged it). `names` maps
    person ids to names; `people` are those a review may be handed to. `reader` is whose copy it is, None where many
    read it: of the controls they have those that would work for them. `acts`: they may do more with it than read it.
    `senior` is the level from which an approval of it is revoked. `rights` are theirs, or those that anybody holds.
    `stop` is why the agent is stopped, `origin` what the review follows from.
    """

    link: str = ""
    timeline: tuple[Happening, ...] = ()
    history: tuple[Earlier, ...] = ()
    names: dict[str, str] | None = None
    people: tuple[str, ...] = ()
    revealed: bool = False
    reader: Person | None = None
    acts: bool = True
    senior: int = 0
    rights: frozenset[Right] = frozenset()
    stop: Stop | None = None
    origin: Origin | None = None

    def name(self, person: str) -> str:
        """A person's name; their id where nobody here knows them."""
        return (self.names or {}).get(person, person)
