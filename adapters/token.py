"""What a control carries on every surface: which copy it lies on, and what was shown there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from reviews.card import Card


class Malformed(ValueError):
    """The payload is not of a shape this version draws; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The copy, review and revision a control stands for, and the digest of the card it stands on.

    `copy` is empty where the card is no posted copy: shown to one person alone, or in a modal.
    """

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
        if len(parts) != 4 or not (parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < 20) or not parts[1]:
            raise Malformed(f"not one of our values: {text!r:.100}")
        return cls(copy=parts[0], review=parts[1], revision=int(parts[2]), shown=parts[3])

    def __str__(self) -> str:
        return f"{self.copy}|{self.review}|{self.revision}|{self.shown}"
