"""Messages of the house to people, of no one review: kept, posted by the outbox as copies, drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.ids import uuid7
from reviews.card import Card, Text, Tone, plain_card
from reviews.keeping import Bulletin, Tx
from reviews.model import Target


def publish(
    tx: Tx,
    title: str,
    text: str,
    targets: Sequence[Target],
    *,
    tone: Tone = Tone.NEUTRAL,
    once: str = "",
    within: timedelta | None = None,
) -> bool:
    """Keep a bulletin and a copy of it for each target. False: there is nobody to tell, or it was said before.

    `once` names what it is about: said before (`within` so long), it is not said again, whichever process says it.
    """
    if not targets or (once and not tx.once(f"bulletin:{once}", within=within)):
        return False
    at = tx.now()
    bulletin = Bulletin(id=f"bul_{uuid7(at)}", title=title, text=text, at=at, tone=tone)
    tx.put_bulletin(bulletin, tuple(dict.fromkeys(targets)))
    return True


def card(bulletin: Bulletin) -> Card:
    """A bulletin as every surface shows it: nothing can be pressed on it, and it is over as it is posted."""
    return plain_card(
        bulletin.title,
        [Text(text=line) for line in bulletin.text.splitlines() if line],
        tone=bulletin.tone,
        fallback=f"{bulletin.title}: {bulletin.text}" if bulletin.text else bulletin.title,
    )
