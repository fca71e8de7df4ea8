"""The calendars that are kept elsewhere, of rotations and of times away, and the last good copy of each.

Read again and again, kept beside the database, and believed until a newer one can be read. What cannot be read, or not
be worked out, changes nothing but `Copy.fault`. Addresses are secrets: whoever has one reads the calendar, so they are
in no log, sentence or file.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from bot.absence import away_key, has_calendar
from bot.config import Config
from bot.entries import Layer, PersonEntry, address_fault
from bot.expansion import Unreadable, expanded
from bot.keys import SecretMissing, read_secret
from bot.oncall import Copy, Meaning, Shift
from bot.places import calendar_folder
from policies import durations
from reviews.ports import Clock
from reviews.values import replace

#: How long an address may take to answer (seconds), and how much it may say (bytes).
TIMEOUT, LARGEST = 10.0, 2_000_000
#: How far ahead turns are worked out, and how often that is done anew.
AHEAD, ANEW = timedelta(days=92), timedelta(days=1)
#: How long a text that could not be worked out is not tried again: each try may cost `expansion.PATIENCE`.
_REFUSED = timedelta(hours=1)
#: How often a copy that is still so is written again with its new instant.
_KEEP_AGAIN = timedelta(minutes=5)


class _Unread(Exception):
    """A calendar could not be read; the sentence says why and never the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A calendar as its source gave it. `source` is the hash of where; `etag` and `modified` ask whether it changed."""

    source: str
    read_at: datetime
    text: str
    etag: str = ""
    modified: str = ""


@dataclass(slots=True, kw_only=True)
class _Source:
    """One layer's calendar, or that of the times somebody is `away`, and how far one got with it."""

    name: str
    layer: Layer
    file: Path
    away: str | None = None
    kept: _Kept | None = None
    tried_at: datetime | None = None
    written: _Kept | None = None
    refused: tuple[str, str, datetime] | None = None  # a text that could not be worked out, why, and until when


class Calendars:
    """The copies of all calendars in a configuration: the directory looks at `copies`.

    They are named `rotation.layer`, and `away.PERSON` for the times somebody is away.

    `folder` is where relative paths begin. The server keeps copies and logs by `tell`; commands change nothing, and say
    themselves what they find.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        env: Mapping[str, str],
        clock: Clock,
        *,
        keep: bool = False,
        tell: Callable[..., object] = lambda event, **more: None,
    ) -> None:
        self._folder, self._env, self._clock, self._tell = folder, env, clock, tell
        self._keeps = keep
        self._place = calendar_folder(config.database, folder)
        self._people = config.people
        read = {
            f"{rotation}.{name}": (layer, None)
            for rotation, layers in config.rotations.items()
            for name, layer in layers.items()
            if layer.dated
        } | {away_key(entry.id): (_as_layer(entry), entry.id) for entry in config.people if has_calendar(entry)}
        self._sources = [
            _Source(name=name, layer=layer, file=self._place / f"{name}.json", away=person)
            for name, (layer, person) in read.items()
        ]
        now = clock.now()
        self.copies: dict[str, Copy] = {
            source.name: Copy(since=now, until=now + AHEAD, fault="it has not been read yet")
            for source in self._sources
        }

    async def start(self, before: Calendars | None = None) -> None:
        """Take up the copies kept beside the database, or by the calendars `before`; read at once where there is none.

        Their words are looked at anew: they may mean others than in the configuration before.
        """
        known = {} if before is None else {each.name: each.kept for each in before._sources}
        await asyncio.gather(*(self._take_up(source, known.get(source.name)) for source in self._sources))
        await asyncio.gather(*(self._look(source) for source in self._sources if source.kept is None))

    async def refresh(self) -> None:
        """Read those again that are due: addresses every `refresh`, files whenever they changed."""
        now = self._clock.now()
        await asyncio.gather(*(self._look(source) for source in self._sources if self._due(source, now)))

    def _due(self, source: _Source, now: datetime) -> bool:
        every = durations.parse(source.layer.refresh) or timedelta()
        by_address = source.layer.ical is None or "://" in source.layer.ical
        return source.tried_at is None or not by_address or now - source.tried_at >= every

    async def _take_up(self, source: _Source, known: _Kept | None) -> None:
        try:
            kept = known or await asyncio.to_thread(_load, source.file)
            if kept is not None and kept.source == _hash(self._where(source.layer)):
                await self._use(source, kept)
        except (Unreadable, _Unread) as fault:
            self._failed(source, str(fault))

    async def _look(self, source: _Source) -> None:
        """Read one calendar. What goes wrong leaves the copy before, with why."""
        source.tried_at = self._clock.now()
        try:
            where = self._where(source.layer)
            before = source.kept if source.kept is not None and source.kept.source == _hash(where) else None
            read = _fetched if "://" in where else _opened
            kept = await read(where if "://" in where else str(self._folder / where), before, source.tried_at)
            await self._use(source, replace(kept, source=_hash(where)))
            await self._keep(source)
        except (Unreadable, _Unread) as fault:
            self._failed(source, str(fault))

    def _where(self, layer: Layer) -> str:
        """The file or address of a calendar. Raises _Unread."""
        if layer.ical is not None:
            return layer.ical
        variable = layer.ical_env or ""
        try:
            found = read_secret(self._env, variable)
        except SecretMissing as fault:
            raise _Unread(str(fault)) from None
        if not found:
            raise _Unread(f"{variable} is not set; it should hold the calendar's address")
        if (wrong := address_fault(found)) is not None:
            raise _Unread(f"{variable}: {wrong}")
        return found

    async def _use(self, source: _Source, kept: _Kept) -> None:
        """Make this the good copy. Raises Unreadable: then the one before stays."""
        now, copy = self._clock.now(), self.copies[source.name]
        same = source.kept is not None and source.kept.text == kept.text
        if not (same and now < copy.since + ANEW * 2):
            shifts = await asyncio.to_thread(self._worked_out, source, kept.text, now)
            copy = Copy(shifts=shifts, since=now - ANEW, until=now + AHEAD, fault=copy.fault)
        if copy.fault and copy.read_at is not None:
            self._tell("calendar_read_again", rotation=source.name)
        source.kept = kept
        self.copies[source.name] = replace(copy, read_at=kept.read_at, fault="")

    def _worked_out(self, source: _Source, text: str, now: datetime) -> tuple[Shift, ...]:
        """The turns of a calendar. One that was refused is refused again without the work. Raises Unreadable."""
        layer = source.layer
        if source.refused is not None and source.refused[0] == text and now < source.refused[2]:
            raise Unreadable(source.refused[1])
        zone = layer.timezone if "timezone" in layer.model_fields_set else None
        try:
            found = expanded(text, now - ANEW, now + AHEAD, zone)
        except Unreadable as fault:
            source.refused = (text, str(fault), now + _REFUSED)
            raise
        if source.away is not None:
            return tuple(Shift(start=span.start, end=span.end, person=source.away) for span in found)
        meaning = Meaning(self._people, layer.names)
        return tuple(meaning.shift(span) for span in found)

    def _failed(self, source: _Source, why: str) -> None:
        copy = self.copies[source.name]
        if copy.fault != why:
            self._tell("calendar_not_read", rotation=source.name, why=why, in_force=str(copy.read_at or "none"))
        self.copies[source.name] = replace(copy, fault=why)

    async def _keep(self, source: _Source) -> None:
        """Write the copy, when it is new or its instant is old. A disk that is full is told, and costs nothing else."""
        kept, written = source.kept, source.written
        if kept is None or not self._keeps:
            return
        if written is not None and written.text == kept.text and kept.read_at - written.read_at < _KEEP_AGAIN:
            return
        try:
            await asyncio.to_thread(_write, source.file, kept)
            source.written = kept
        except OSError as fault:
            self._tell("calendar_not_kept", rotation=source.name, why=str(fault))


def _as_layer(entry: PersonEntry) -> Layer:
    """A person's calendar, read as a layer's is."""
    said = entry.model_dump(include={"timezone"}, exclude_unset=True)
    return Layer.model_validate(said | {"ical": entry.away_ical, "ical_env": entry.away_ical_env})


# ---------------------------------------------------------------------------------------------- reading


async def _fetched(url: str, before: _Kept | None, now: datetime) -> _Kept:
    """What an address says; the copy before, when it says that nothing changed. Raises _Unread."""
    parts = urlsplit(url)
    scheme = "https" if parts.scheme.startswith("webcal") else parts.scheme
    asked = {"Accept": "text/calendar", "Accept-Encoding": "identity", "User-Agent": "Placet"}
    if before is not None:
        asked |= {"If-None-Match": before.etag} if before.etag else {}
        asked |= {"If-Modified-Since": before.modified} if before.modified else {}
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            ) as session,
            session.get(parts._replace(scheme=scheme).geturl(), headers=asked, allow_redirects=False) as answer,
        ):
            return await _answered(answer, before, now)
    except TimeoutError:
        raise _Unread(f"it gave no answer within {TIMEOUT:.0f} s") from None
    except aiohttp.ClientConnectorCertificateError:
        raise _Unread("its certificate is not trusted") from None
    except aiohttp.ClientConnectorError as fault:
        raise _Unread(f"{parts.hostname} cannot be reached: {fault.os_error.strerror or 'no such host'}") from None
    except (aiohttp.ClientError, OSError, ValueError) as fault:  # their own words may hold the address
        raise _Unread(f"{parts.hostname} cannot be read ({type(fault).__name__})") from None


async def _answered(answer: aiohttp.ClientResponse, before: _Kept | None, now: datetime) -> _Kept:
    if answer.status == 304 and before is not None:
        return replace(before, read_at=now)
    if 300 <= answer.status < 400:
        raise _Unread(f"it answered {answer.status} and points elsewhere; write the address where the calendar is")
    if answer.status != 200:
        raise _Unread(f"it answered {answer.status}")
    raw = bytearray()
    async for part in answer.content.iter_chunked(65_536):
        raw += part
        if len(raw) > LARGEST:
            break
    etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
    return _Kept(source="", read_at=now, text=_text(bytes(raw)), etag=etag, modified=modified)


async def _opened(path: str, before: _Kept | None, now: datetime) -> _Kept:
    """What a file says; the copy before, when it did not change. Raises _Unread."""

    def read() -> _Kept:
        with Path(path).open("rb") as file:
            stat = os.fstat(file.fileno())
            modified = f"{stat.st_mtime_ns} {stat.st_size}"
            if before is not None and before.modified == modified:
                return replace(before, read_at=now)
            return _Kept(source="", read_at=now, text=_text(file.read(LARGEST + 1)), modified=modified)

    try:
        return await asyncio.to_thread(read)
    except OSError as fault:
        raise _Unread(f"{path} cannot be read: {fault.strerror}") from None


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise _Unread(f"it is larger than {LARGEST // 1_000_000} MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Unread("it is no text in UTF-8") from None


def _hash(where: str) -> str:
    return hashlib.sha256(where.encode()).hexdigest()


# ---------------------------------------------------------------------------------------------- keeping


def _load(file: Path) -> _Kept | None:
    """The copy kept in a file; None where there is none. Raises _Unread."""
    try:
        found = json.loads(file.read_text("utf-8"))
        return _Kept(**found | {"read_at": datetime.fromisoformat(found["read_at"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as fault:
        raise _Unread(f"the copy kept in {file.name} cannot be read ({type(fault).__name__})") from None


def _write(file: Path, kept: _Kept) -> None:
    """Put a copy in place whole, for nobody else to read."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as made:
            json.dump(
                {
                    "source": kept.source,
                    "read_at": kept.read_at.isoformat(),
                    "text": kept.text,
                    "etag": kept.etag,
                    "modified": kept.modified,
                },
                made,
            )
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
