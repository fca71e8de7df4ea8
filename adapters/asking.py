"""A review that a person asks for, on every surface."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.taking import refused
from reviews import filled
from reviews.events import Answer, Reply
from reviews.model import Identity, Target
from reviews.ports import Asked, Desk, Refusal

#: What stands above the form to ask with.
ASK = "Ask for a review"


async def ask(
    desk: Desk, identity: Identity, values: Mapping[str, str], *, place: Target | None, link: str, once: str
) -> Reply:
    """Open the review that the form's values speak of.

    `place` is where it was asked, `link` leads to what was pointed at, `once` is the surface's id of the asking.
    """
    person = await desk.who(identity)
    if isinstance(person, Refusal):
        return refused(person.text)
    form = await desk.asking(person)
    if isinstance(form, Refusal):
        return refused(form.text)
    if lacks := filled.lacks(form.fields, values):
        return Reply(answer=Answer.REFUSED, text="", errors=lacks)
    asked = Asked(
        person=person,
        text=values.get("text", "").strip(),
        summary=values.get("summary", "").strip(),
        role=values.get("role") or None,
        link=link,
        place=place,
        once=once or None,
    )
    return await desk.ask(asked)
