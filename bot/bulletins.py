"""Messages of the house to people, of no one review: kept, posted by the outbox as copies, drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.ids import uuid7
from bot.people import Directory
from reviews.card import Card, Fact, Facts, Text, Tone, plain_card
from reviews.keeping import Bulletin, Tx
from reviews.model import Person, Target

#: How far back a Home shows what was said, how many of it, and so many characters of each.
LATELY, _SHOWN, _LONGEST = timedelta(days=7), 10, 300


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


def lately(tx: Tx, person: Person, directory: Directory) -> tuple[Bulletin, ...]:
    """What was said lately to a person, or in a channel of a role they hold; the newest first."""
    channels = [channel for role in sorted(person.roles) for channel in directory.channels(role)]
    return tuple(tx.notices(person.id, channels, tx.now() - LATELY, _SHOWN))


def facts(said: Sequence[Bulletin]) -> Facts | None:
    """Bulletins in a few words each, for who looks afterwards; None where nothing was said."""
    items = tuple(Fact(label=each.title, value=_short(each.text), at=each.at) for each in said)
    return Facts(items=items, title="What Placet said lately") if items else None


def _short(text: str) -> str:
    line = " ".join(text.split()) or "–"
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
