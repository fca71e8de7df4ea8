"""A form that was sent, on every surface: typed by the card as it stands, then decided."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from reviews import filled
from reviews.errors import NotFound
from reviews.events import Answer, Interaction, Reply
from reviews.ports import Desk, Refusal


async def take(desk: Desk, bare: Interaction, values: Mapping[str, str]) -> Reply:
    """Type the values of the form that `bare` came with by the card as it stands, and have it decided."""
    whole = await _typed(desk, bare, values)
    if isinstance(whole, filled.Faults):
        return Reply(answer=Answer.REFUSED, text=whole.text, errors=whole.errors)
    return await desk.interact(whole)


async def _typed(desk: Desk, bare: Interaction, values: Mapping[str, str]) -> Interaction | filled.Faults:
    """The interaction with its values; without them where the person may not see the card: the desk says so."""
    person = await desk.who(bare.identity)
    if isinstance(person, Refusal):
        return bare
    try:
        card = await desk.read(bare.review, person, surface=bare.identity.surface)
    except NotFound:
        return bare
    return filled.interaction(bare, card, values)


def refused(text: str) -> Reply:
    """The reply that something failed."""
    return Reply(answer=Answer.REFUSED, text=text)


async def in_time(work: asyncio.Task[Any], patience: float) -> bool:
    """Whether it is done within so many seconds."""
    done, _ = await asyncio.wait({work}, timeout=patience)
    return bool(done)
