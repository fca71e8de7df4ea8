"""Forms too large for their card: opened as dialogs. What is sent from one is taken as from a card (`clicks`)."""

from __future__ import annotations

from adapters.saying import closed, title_of
from adapters.teams import views
from adapters.teams.answers import Shown
from adapters.teams.parse import SURFACE, Origin
from adapters.teams.press import Pressed
from adapters.token import Malformed
from reviews import filled
from reviews.model import Person
from reviews.ports import Desk, Refusal


class Dialogs:
    """Opens forms, and shows them again where something in them is wrong."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def opened(self, origin: Origin, pressed: Pressed) -> Shown:
        """The form of a control, for who may see the review. Raises NotFound, StoreUnavailable."""
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal):
            return Shown(text=person.text)
        return await self.form(person, pressed)

    async def form(
        self, person: Person, pressed: Pressed, errors: dict[str, str] | None = None, text: str = ""
    ) -> Shown:
        """The form as the card stands, with what was filled in and what is wrong with it."""
        verb, token = pressed.verb, pressed.token
        if verb is None or token is None:
            raise Malformed("a form of no control")
        card = await self._desk.read(token.review, person, surface=SURFACE)
        control = filled.control(card, verb)
        if control is None:
            return Shown(text=closed(card.status, verb), title=title_of(verb))
        drawn = views.form_dialog(card, token, control, values=pressed.values, errors=errors or {}, text=text)
        return Shown(text=text, dialog=drawn, title=title_of(verb))
