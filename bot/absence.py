"""Who is away, and until when: by their own word, by placet.yml, by a calendar of theirs.

What a person says beats what was planned before they said it. Their words are kept; a copy in memory answers, read anew
by the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.entries import PersonEntry
from policies import durations
from reviews.errors import PlacetError
from reviews.events import Record
from reviews.keeping import Absence, Store, Tx
from reviews.model import Person

#: Nobody is away for longer; a year typed wrong is caught.
LONGEST = timedelta(days=366)
#: On the shelf of references: when each person last said whether they are away, whatever they said.
_SAID = ("absences", "said")
_ALLOWED = "Write “away 2h”, “away 3d”, “away until 2026-11-26 09:00” or “away off”."


class Unclear(PlacetError):
    """What was typed after `away` says no time."""


class Absences:
    """Who is away. An absence changes no roles: calls go to the deputy meanwhile (`Directory.stand_in`)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[Absence, ...] = ()
        self._said: dict[str, datetime] = {}

    async def load(self) -> None:
        """Read them anew. Raises StoreUnavailable."""
        known, said = await self._store.view(lambda tx: (tx.absences(), tx.reference(*_SAID)))
        self._known = tuple(known)
        self._said = {person: datetime.fromisoformat(at) for person, at in (said or {}).items()}

    def of(self, at: datetime) -> Mapping[str, datetime]:
        """Who is away at an instant by their own word, and until when."""
        return {absence.person: absence.until for absence in self._known if absence.until > at}

    def said(self, person: str) -> datetime | None:
        """When a person last said that they are away or back: what was planned earlier counts no more."""
        return self._said.get(person)

    async def set(self, person: Person, until: datetime | None, *, surface: str, by: str = "") -> None:
        """Keep until when somebody is away, by their own word or another's; None: they are back.

        Raises StoreUnavailable.
        """

        def keep(tx: Tx) -> None:
            at, actor = tx.now(), by or f"person:{person.id}"
            tx.put_absence(Absence(person=person.id, until=until or at, by=actor))
            said = {who: when for who, when in (tx.reference(*_SAID, change=True) or {}).items() if _lately(when, at)}
            tx.put_reference(*_SAID, said | {person.id: at.isoformat()})
            detail = {"surface": surface} | ({"until": until.isoformat()} if until else {})
            detail |= {"person": person.id} if by else {}
            kind = "person.away" if until else "person.back"
            tx.record(Record(kind=kind, at=at, actor=actor, detail=detail, public=False))

        await self._store.tx(keep)
        await self.load()


def _lately(when: str, now: datetime) -> bool:
    return datetime.fromisoformat(when) > now - LONGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A time away known beforehand, UTC, the end not in it."""

    start: datetime
    end: datetime


def away_key(person: str) -> str:
    """The name of a person's calendar among the copies. No rotation is called `away`."""
    return f"away.{person}"


def has_calendar(entry: PersonEntry) -> bool:
    """Whether a calendar says when a person is away."""
    return entry.away_ical is not None or entry.away_ical_env is not None


def written(entry: PersonEntry) -> tuple[Planned, ...]:
    """The times away placet.yml says of a person; in their zone unless it says another."""
    zone = ZoneInfo(entry.timezone)
    spans = ((each.begins, each.until) for each in entry.away)
    return tuple(Planned(start=_utc(start, zone), end=_utc(end, zone)) for start, end in spans)


def _utc(when: datetime, zone: ZoneInfo) -> datetime:
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def away_until(times: Iterable[Planned], at: datetime, said: datetime | None) -> datetime | None:
    """Until when somebody is away by what was planned; None when they are here.

    Times that touch are one. `said` is when they last said themselves where they are: a time begun by then is over.
    """
    times = tuple(times)
    if not any(time.start <= at < time.end for time in times):
        return None
    whole = next(time for time in _joined(times) if time.start <= at < time.end)
    return None if said is not None and whole.start <= said else whole.end


def _joined(times: Iterable[Planned]) -> Iterator[Planned]:
    current: Planned | None = None
    for time in sorted(times, key=lambda time: time.start):
        if current is not None and time.start <= current.end:
            current = Planned(start=current.start, end=max(current.end, time.end))
            continue
        if current is not None:
            yield current
        current = time
    if current is not None:
        yield current


def until_of(text: str, now: datetime, zone: ZoneInfo, allowed: str = _ALLOWED) -> datetime | None:
    """The instant meant by `2h` or `until 2026-11-26 09:00` (in `zone`); None for `off`.

    Raises Unclear, which ends with what is `allowed`.
    """
    words = text.strip().casefold()
    if words in ("off", "back", "no"):
        return None
    until = _instant(words, now, zone)
    if until is None:
        raise Unclear(f"“{text.strip()}” says no time. {allowed}")
    if not now < until <= now + LONGEST:
        raise Unclear(f"That is not within the next {LONGEST.days} days. {allowed}")
    return until


def _instant(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    try:
        if (span := durations.parse(words.replace(" ", ""))) is not None:
            return now + span
        said = datetime.fromisoformat(words.removeprefix("until").strip().upper())
        return (said if said.tzinfo else said.replace(tzinfo=zone)).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        return None
