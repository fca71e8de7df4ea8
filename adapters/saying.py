"""What people are told on every surface when the card itself says nothing, and how a failure is put to them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reviews.errors import PlacetError
from reviews.events import Reply
from reviews.model import Verb

T = TypeVar("T")

_log = logging.getLogger(__name__)

WORKING = "Still working on it. You will see the answer here."
BROKEN = "Something broke here, and nothing is known to be decided. Look at the full page, then try again."
FOREIGN = "This control is not one this version knows; nothing was done. Open the full page."
DONE = "Done."
UNCHANGED = "Nothing was changed."
UNHEARD = "This was not kept as a comment: Placet does not know the card it stands beneath. Press Comment on the card."

#: What the card itself does not show is said to who did it.
UNSEEN = frozenset({Verb.COMMENT, Verb.ESCALATE, Verb.HAND, Verb.STOP, Verb.RESUME, Verb.APPEAL})

#: Controls that a card may have for one person and not for another.
_PERSONAL = frozenset({Verb.STOP, Verb.RESUME, Verb.BREAK_GLASS, Verb.APPEAL, Verb.UNDO})


def title_of(verb: Verb) -> str:
    """What stands above a verb's form."""
    return verb.replace("_", " ").capitalize()


def closed(status: str, verb: Verb) -> str:
    """Why a control has no form for who pressed it; `status` is the card's, as it stands for them."""
    return f"{status}: {'this is not yours to do, or it is too late' if verb in _PERSONAL else 'too late'}."


def said(reply: Reply) -> str:
    """All that a reply says, its faults included, where there are no fields to mark."""
    return " ".join(dict.fromkeys(filter(None, (reply.text, *reply.errors.values()))))


def sentence(fault: Exception) -> str:
    """What a person reads of a failure; nothing of the inside comes out."""
    return (str(fault) or type(fault).__doc__ or BROKEN) if isinstance(fault, PlacetError) else BROKEN


async def spoken(work: Awaitable[T], otherwise: Callable[[str], T]) -> T:
    """What the work comes to; where it fails, what `otherwise` makes of the sentence a person reads of that."""
    try:
        return await work
    except PlacetError as fault:
        return otherwise(sentence(fault))
    except Exception as fault:  # noqa: BLE001 - whatever broke, the person is told
        _log.exception("an answer to somebody failed")
        return otherwise(sentence(fault))
