"""What a browser posts, made into an Interaction. Pure: no framework, no I/O.

Fields of a form are posted as `f.` + the Input's name, so that nothing an agent names can meet `verb` or `csrf`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reviews import filled
from reviews.card import Card
from reviews.events import Interaction
from reviews.filled import Faults
from reviews.model import Identity, Verb
from reviews.ports import Session

PREFIX = "f."


def typed(data: Mapping[str, str]) -> dict[str, str]:
    """The form's own values by field name, as typed."""
    return {key.removeprefix(PREFIX): value for key, value in data.items() if key.startswith(PREFIX)}


def identity(session: Session) -> Identity:
    """Who acts, and by which way they came in."""
    return Identity(surface="web", id=session.person.id, tenant=session.via)


def verb(data: Mapping[str, str]) -> Verb | None:
    """Which control was pressed; None when the page named none we know."""
    try:
        return Verb(data.get("verb", ""))
    except ValueError:
        return None


def interaction(data: Mapping[str, str], card: Card, identity: Identity) -> Interaction | Faults:
    """What the person did, with form values in the types the card's form asks for.

    `revision` and `shown` are those of the page that was posted, which may be older than `card`.
    """
    pressed = verb(data)
    if pressed is None:
        return Faults(text="This page sent something Placet does not know. Reload it and try again.")
    bare = Interaction(
        verb=pressed,
        identity=identity,
        review=card.review,
        revision=_revision(data),
        shown=data.get("shown") or None,
        # A remark made twice would stand there twice; everything else is the same when it comes again.
        once=(data.get("once") or None) if pressed is Verb.COMMENT else None,
    )
    return filled.interaction(bare, card, typed(data))


def destination(path: str) -> str:
    """Where to go after signing in: a page of ours, or the inbox. Anything else could lead off the site."""
    return path if re.fullmatch(r"/(inbox(\?view=[a-z]+)?|reviews/[A-Za-z0-9_-]{1,80})", path) else "/inbox"


def _revision(data: Mapping[str, str]) -> int | None:
    text = data.get("revision", "")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None
