"""Several reviews of one action approved at once: chosen line by line, nothing beforehand; each stands on its own."""

from __future__ import annotations

from adapters import selection
from adapters.chores import Chores
from adapters.saying import spoken
from adapters.selection import SEVERAL, Pick, unsure
from adapters.teams import render, views
from adapters.teams.answers import Answers, Shown
from adapters.teams.parse import Origin
from adapters.teams.press import Pressed
from adapters.teams.seam import Json
from reviews.filled import Faults
from reviews.model import Person
from reviews.ports import Desk


class Bulk:
    """The form to choose with, and what comes of it."""

    def __init__(self, desk: Desk, answers: Answers, chores: Chores) -> None:
        self._desk = desk
        self._answers = answers
        self._chores = chores

    async def form(self, person: Person, action: str) -> Shown:
        """The lines this person may approve together; which action first, where there are several."""
        offer = await selection.offered(self._desk, person, action)
        drawn = views.bulk_form(offer) if offer.action else views.bulk_actions(offer)
        return Shown(message=drawn, title=SEVERAL, apart=True)

    async def approve(self, origin: Origin, pressed: Pressed) -> Shown:
        """Approve the chosen lines. What comes of it stands where the form was, for who sent it alone."""
        chosen = selection.together(pressed.picks)
        if isinstance(chosen, Faults):
            return Shown(text=chosen.text, title=SEVERAL)
        message = await spoken(self._results(origin, chosen), _unsure)
        if origin.alone and origin.activity:
            # The answer shows it now; the message itself must not offer the same lines again.
            self._chores.add(self._answers.redraw(origin, message))
        return Shown(message=message, title=SEVERAL, apart=not origin.alone)

    async def _results(self, origin: Origin, chosen: tuple[Pick, ...]) -> Json:
        return views.results(await selection.approve(self._desk, origin.identity, chosen))


def _unsure(why: str) -> Json:
    return render.note(unsure(why))
