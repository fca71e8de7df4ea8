"""Rotations over days: who is on call now and next, where nobody is, and what a calendar does not make clear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.calendars import Calendars
from bot.oncall import Stretch
from bot.people import Directory
from bot.wire import stamp
from reviews.model import Object
from reviews.ports import Clock

log = structlog.get_logger(__name__)

#: How far ahead gaps are warned of.
WARNED = timedelta(days=14)
#: How often calendars are looked at (seconds); an address is read once in its own `refresh`.
LOOK = 5.0
#: How often gaps are looked for.
_GAPS = timedelta(minutes=5)


def report(directory: Directory, now: datetime, ahead: timedelta) -> list[Object]:
    """Each layer as JSON: who is on call `now` until when, who is `next`, `gaps` ahead, what is `unclear`.

    `until` is null where that is further ahead than was looked, 14 days at least.
    """
    return [_layer(directory, turn.layer, turn.note, now, ahead) for turn in directory.on_call(now)]


def _layer(directory: Directory, name: str, note: str, now: datetime, ahead: timedelta) -> Object:
    found = directory.stretches(name, now, now + max(ahead, WARNED))
    last, copy = found[-1:], directory.copies.get(name)
    told = {each: _stretch(directory, name, each, now, ends=[each] != last) for each in found}
    current, following = (*told.values(), None, None)[:2]
    return {
        "layer": name,
        "now": current,
        "next": following,
        "gaps": [told[gap] for gap in gaps(found, now + ahead)],
        "unclear": unclear(directory, name, now, ahead),
        "read_at": stamp(copy.read_at) if copy is not None else None,
        "note": note,
    }


def _stretch(directory: Directory, layer: str, stretch: Stretch, now: datetime, *, ends: bool) -> Object:
    at = max(stretch.start, now)
    absent, names = directory.absent(at), directory.names()
    return {
        "from": stamp(stretch.start),
        "until": stamp(stretch.end) if ends else None,
        "people": [
            {"id": person, "name": names[person], "instead": directory.stand_in(person, at, layer)}
            | ({"away": True} if person in absent else {})
            for person in stretch.people
        ],
        "why": stretch.why,
    }


def gaps(found: list[Stretch], until: datetime) -> list[Stretch]:
    """Those stretches in which nobody is on call and that begin before an instant."""
    return [stretch for stretch in found if not stretch.people and stretch.start < until]


def unclear(directory: Directory, name: str, now: datetime, ahead: timedelta) -> list[str]:
    """What a calendar says in the time ahead that means nobody, or two; each once."""
    copy = directory.copies.get(name)
    turns = () if copy is None else copy.shifts
    return list(dict.fromkeys(t.why for t in turns if t.why and t.end > now and t.start < now + ahead))


class Watch:
    """Keeps calendars fresh, and says in the log and to readiness what comes: gaps, and words that mean nobody."""

    def __init__(self, calendars: Callable[[], Calendars], directory: Callable[[], Directory], clock: Clock) -> None:
        self._calendars, self._directory, self._clock = calendars, directory, clock
        self._told = set[tuple[str, str]]()
        self._look_at: datetime | None = None

    async def run(self, closing: asyncio.Event) -> None:
        """Look until closing."""
        while not closing.is_set():
            await self._calendars().refresh()
            self.tell()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await closing.wait()

    def tell(self) -> None:
        """Log what was not logged before: each gap and each unclear word once."""
        now, directory = self._clock.now(), self._directory()
        if self._look_at is not None and now < self._look_at:
            return
        self._look_at = now + _GAPS
        seen = set[tuple[str, str]]()
        for name in directory.layers:
            for gap in gaps(directory.stretches(name, now, now + WARNED), now + WARNED):
                if self._is_new(seen, name, f"gap until {stamp(gap.end)}"):
                    log.warning(
                        "nobody_on_call", rotation=name, begins=stamp(gap.start), until=stamp(gap.end), why=gap.why
                    )
            for why in unclear(directory, name, now, WARNED):
                if self._is_new(seen, name, why):
                    log.warning("calendar_unclear", rotation=name, why=why)
        self._told = seen

    def _is_new(self, seen: set[tuple[str, str]], name: str, what: str) -> bool:
        seen.add((name, what))
        return (name, what) not in self._told

    def said(self) -> str:
        """For readiness: calendars that cannot be read, and layers in which nobody is on call now; else nothing."""
        now, directory = self._clock.now(), self._directory()
        turns = directory.on_call(now)
        notes = {turn.layer: turn.note for turn in turns if turn.note} | directory.unread(now)
        faults = [f"{name}: {note}." for name, note in notes.items()]
        empty = [turn.layer for turn in turns if not turn.people]
        return " ".join([*faults, *([f"Nobody is on call in {', '.join(empty)}."] if empty else [])])
