"""Who is away, and until when. The rows are the truth; a copy in memory answers, read anew by the sweep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from policies import durations
from reviews.errors import PlacetError
from reviews.events import Record
from reviews.keeping import Absence, Store, Tx
from reviews.model import Person

#: Nobody is away for longer; a year typed wrong is caught.
LONGEST = timedelta(days=366)
_ALLOWED = "Write “away 2h”, “away 3d”, “away until 2026-11-26 09:00” or “away off”."


class Unclear(PlacetError):
    """What was typed after `away` says no time."""


class Absences:
    """Who is away. An absence changes no roles: calls go to the deputy meanwhile (`Directory.stand_in`)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[Absence, ...] = ()

    async def load(self) -> None:
        """Read them anew. Raises StoreUnavailable."""
        self._known = tuple(await self._store.view(lambda tx: tx.absences()))

    def of(self, at: datetime) -> Mapping[str, datetime]:
        """Who is away at an instant, and until when."""
        return {absence.person: absence.until for absence in self._known if absence.until > at}

    async def set(self, person: Person, until: datetime | None, *, surface: str) -> None:
        """Keep until when somebody is away, by their own word; None: they are back. Raises StoreUnavailable."""

        def keep(tx: Tx) -> None:
            at, actor = tx.now(), f"person:{person.id}"
            tx.put_absence(Absence(person=person.id, until=until or at, by=actor))
            detail = {"surface": surface} | ({"until": until.isoformat()} if until else {})
            kind = "person.away" if until else "person.back"
            tx.record(Record(kind=kind, at=at, actor=actor, detail=detail, public=False))

        await self._store.tx(keep)
        await self.load()


def until_of(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant meant by `2h` or `until 2026-11-26 09:00` (in `zone`); None for `off`. Raises Unclear."""
    words = text.strip().casefold()
    if words in ("off", "back", "no"):
        return None
    until = _instant(words, now, zone)
    if until is None:
        raise Unclear(f"“{text.strip()}” says no time. {_ALLOWED}")
    if not now < until <= now + LONGEST:
        raise Unclear(f"That is not within the next {LONGEST.days} days. {_ALLOWED}")
    return until


def _instant(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    try:
        if (span := durations.parse(words.replace(" ", ""))) is not None:
            return now + span
        said = datetime.fromisoformat(words.removeprefix("until").strip().upper())
        return (said if said.tzinfo else said.replace(tzinfo=zone)).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        return None
