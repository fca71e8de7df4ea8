"""What a button of ours carries: which copy it lies on, and what was shown there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from reviews.card import Card
from reviews.model import Verb

#: Ends of `action_id`: act at once, act with the chosen reason, or open the form first.
ACT, BECAUSE, FORM = "act", "because", "form"
#: `callback_id` of our forms.
CALLBACK = "placet:form"


class Malformed(ValueError):
    """The payload is not of a shape this version draws; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The copy, review and revision a control stands for, and the digest of the card it stands on."""

    copy: str
    review: str
    revision: int
    shown: str

    @classmethod
    def of(cls, card: Card, copy: str) -> Token:
        """The token of a card's copy."""
        return cls(copy=copy, review=card.review, revision=card.revision, shown=card.digest)

    @classmethod
    def read(cls, text: object) -> Token:
        """Read what `str` made. Raises Malformed."""
        parts = text.split("|") if isinstance(text, str) else []
        if len(parts) != 4 or not (parts[2].isascii() and parts[2].isdigit()) or not parts[1]:
            raise Malformed(f"not one of our values: {text!r:.100}")
        return cls(copy=parts[0], review=parts[1], revision=int(parts[2]), shown=parts[3])

    def __str__(self) -> str:
        return f"{self.copy}|{self.review}|{self.revision}|{self.shown}"


def action_id(verb: Verb, way: str = ACT) -> str:
    """`placet:reject`, `placet:reject:because`, `placet:reject:form`."""
    return f"placet:{verb}" if way == ACT else f"placet:{verb}:{way}"


def verb_of(action: object) -> tuple[Verb, str]:
    """The verb and the way of an `action_id`. Raises Malformed."""
    parts = action.split(":") if isinstance(action, str) else []
    if len(parts) not in (2, 3) or parts[0] != "placet" or parts[1] not in tuple(Verb):
        raise Malformed(f"not one of our controls: {action!r:.100}")
    return Verb(parts[1]), parts[2] if len(parts) == 3 else ACT
