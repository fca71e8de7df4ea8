"""Several reviews of one action approved at once: chosen line by line, nothing beforehand; each stands on its own."""

from __future__ import annotations

import logging

from adapters import selection
from adapters.chores import Chores, logged
from adapters.saying import FOREIGN, WORKING, spoken
from adapters.selection import SEVERAL, Pick, unsure
from adapters.slack import forms, parse, views
from adapters.slack.answers import Answers
from adapters.slack.modals import Ack
from adapters.slack.parse import SURFACE, Origin, Step
from adapters.slack.press import PICK
from adapters.slack.text import Json
from adapters.token import Malformed
from reviews.errors import PlacetError
from reviews.filled import Faults
from reviews.model import Person
from reviews.ports import Desk

_log = logging.getLogger(__name__)


class Bulk:
    """The form to choose with, and what comes of it."""

    def __init__(self, desk: Desk, answers: Answers, chores: Chores) -> None:
        self._desk = desk
        self._answers = answers
        self._chores = chores

    async def form(self, person: Person, step: Step) -> Json:
        """The lines this person may approve together; which action first, where there are several."""
        offer = await selection.offered(self._desk, person, step.value)
        if offer.action:
            return views.bulk_form(offer.action, offer.items, step.back)
        return views.bulk_actions(offer.waiting, step.back)

    async def submitted(self, ack: Ack, body: Json) -> None:
        """The chosen lines were sent."""
        try:
            origin = parse.origin(body)
            chosen = selection.together(parse.picked(body))
        except Malformed as fault:
            _log.warning("a selection that cannot be read: %s", fault)
            await ack(response_action="update", view=forms.notice(SEVERAL, FOREIGN))
            return
        if isinstance(chosen, Faults):
            groups = [block["block_id"] for block in body["view"]["blocks"] if _is_group(block)]
            if not groups:
                await ack(response_action="update", view=forms.notice(SEVERAL, FOREIGN))
                return
            await ack(response_action="errors", errors={groups[0]: chosen.text})
            return
        await ack(response_action="update", view=forms.notice(SEVERAL, WORKING))
        # Begun, not added: what was chosen must be done however much else there is.
        self._chores.begin(logged(self._approve(origin, chosen), SURFACE))

    async def _approve(self, origin: Origin, chosen: tuple[Pick, ...]) -> None:
        content = await spoken(self._results(origin, chosen), _unsure)
        try:
            await self._answers.update(origin.view, content)
        except PlacetError:
            # The modal was closed: what came of it must still be said.
            await self._answers.tell(origin, "Your selection was taken. Look at your queue for what came of it.")

    async def _results(self, origin: Origin, chosen: tuple[Pick, ...]) -> Json:
        return views.results(await selection.approve(self._desk, origin.identity, chosen))


def _unsure(why: str) -> Json:
    return forms.notice(SEVERAL, unsure(why))


def _is_group(block: Json) -> bool:
    return str(block.get("block_id", "")).startswith(PICK)
