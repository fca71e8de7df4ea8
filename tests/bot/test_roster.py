"""Rotations in a running server: what is told of calendars that fail, of gaps ahead, and of words that mean nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot import roster
from reviews.card import Facts
from reviews.keeping import Tx
from reviews.model import Identity, Object, Person
from tests.bot.test_calendars import SECRET, Kalends, rota
from tests.bot.test_expansion import one
from tests.fakes.app import PATIENCE, House, running
from tests.fakes.clock import FakeClock

PEOPLE = [{"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "deputy": "bo"}, {"id": "bo", "name": "Bo Chen"}]
POLICY = """
policy: called
version: 1
chains:
  ladder:
    - {after: 0m, notify: oncall:ops.primary}
    - {after: 10m, notify: person:bo}
    - {after: 1h, then: expire}
default: {tier: approve, role: manager, chain: ladder}
"""
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
#: On call on weekdays from eight to six.
WEEKDAYS = ("DTSTART:20261102T080000Z", "DURATION:PT10H", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")


@pytest.fixture
async def server() -> AsyncIterator[Kalends]:
    """A calendar server that says that Ana is on call every day."""
    made = Kalends()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def house(tmp_path: Path, server: Kalends) -> AsyncIterator[House]:
    """A running Placet with a calendar, on a Monday at nine, UTC."""
    rotations = {"ops": {"primary": {"ical": server.url}}}
    config = {"people": PEOPLE, "roles": {"manager": {}}, "rotations": rotations}
    async with running(tmp_path, policy=POLICY, config=config, clock=FakeClock(NOW)) as made:
        yield made


async def later(house: House, by: timedelta) -> None:
    """Look at calendars again after a while."""
    clock = house.app.clock
    assert isinstance(clock, FakeClock)
    clock.forward(by)
    await house.app.calendars.refresh()


async def ready(house: House) -> Object:
    """What `/readyz` says; it stays ready."""
    answer = await house.call("GET", "/readyz")
    assert answer.status == 200
    return dict(answer.body["checks"])


async def told(house: House) -> dict[str, str]:
    """What the command `oncall` answers."""
    ana = await house.app.desk.who(Identity(surface="web", id="ana"))
    assert isinstance(ana, Person)
    card = await house.app.desk.command(ana, "oncall", surface="slack")
    return {fact.label: fact.value for block in card.blocks if isinstance(block, Facts) for fact in block.items}


async def test_a_server_starts_with_its_calendars_read(house: House) -> None:
    """The first review already reaches who is on call."""
    review = await (await house.agent()).asked("x.do")
    read = await house.store.until(lambda tx: tx.read(review["id"]))
    assert read.called == {"ana": "oncall:ops.primary, calendar 127.0.0.1 of 2026-11-23T09:00Z"}
    assert await told(house) == {"ops.primary": "Ana Ruiz"}
    assert "rotations" not in await ready(house)


async def test_a_calendar_that_fails_shows_its_age_everywhere(house: House, server: Kalends) -> None:
    """In the command's answer, in readiness and to operators, without its address; and the copy holds."""
    server.answer = server.says("", 503)
    await later(house, timedelta(hours=2, minutes=30))
    note = "as its calendar was 2h30m ago; it could not be read since: it answered 503"
    assert await told(house) == {"ops.primary": f"Ana Ruiz ({note})"}
    check = (await ready(house))["rotations"]
    assert check == {"ok": False, "vital": False, "text": f"ops.primary: {note}."}
    (layer,) = await house.app.operations.run("oncall", {})
    assert layer["now"]["people"][0]["id"] == "ana"
    assert layer["note"] == note
    assert SECRET not in repr((check, layer))


async def test_a_gap_falls_through_to_the_next_rung(house: House, server: Kalends) -> None:
    """Also where the calendar has an event whose words mean nobody: the next rung is called at once."""
    server.answer = server.says(rota("Somebody Else"))
    await later(house, timedelta(minutes=5))
    review = await (await house.agent()).asked("x.do")

    def called(tx: Tx) -> Mapping[str, str] | None:
        read = tx.read(review["id"])
        return read.called if read is not None else None

    assert await house.store.until(called) == {"bo": "person:bo"}
    assert (await ready(house))["rotations"]["text"] == "Nobody is on call in ops.primary."


async def test_gaps_and_unclear_words_are_logged_before_they_come(house: House, server: Kalends) -> None:
    """Each once; a new one when it comes."""
    server.answer = server.says(one("SUMMARY:ana", *WEEKDAYS))
    with structlog.testing.capture_logs() as logged:
        await later(house, timedelta(hours=1))
        house.app.watch.tell()
        await later(house, timedelta(hours=1))
        house.app.watch.tell()
    gaps = [line for line in logged if line["event"] == "nobody_on_call"]
    assert len(gaps) == 10
    assert (gaps[0]["begins"], gaps[0]["until"]) == ("2026-11-23T18:00:00.000Z", "2026-11-24T08:00:00.000Z")
    server.answer = server.says(rota("zed"))
    with structlog.testing.capture_logs() as logged:
        await later(house, timedelta(hours=1))
        house.app.watch.tell()
    assert [line["why"] for line in logged if line["event"] == "calendar_unclear"] == [
        "“zed” names nobody in placet.yml"
    ]


async def test_the_report(house: House, server: Kalends) -> None:
    """Who is on call until when, who is next, the gaps within the days asked for; with deputies."""
    server.answer = server.says(one("SUMMARY:ana", *WEEKDAYS))
    await later(house, timedelta(hours=1))
    ana = house.app.directory.person("ana")
    assert ana is not None
    await house.app.absences.set(ana, NOW + timedelta(days=1), surface="web")
    (layer,) = await house.app.operations.run("oncall", {"days": 1})
    person: Object = {"id": "ana", "name": "Ana Ruiz", "instead": "bo", "away": True}
    assert layer["now"] == _stretch("2026-11-23T10:00", "2026-11-23T18:00", person)
    assert layer["next"] == layer["gaps"][0] == _stretch("2026-11-23T18:00", "2026-11-24T08:00")
    assert len(layer["gaps"]) == 1
    assert (layer["read_at"], layer["unclear"]) == ("2026-11-23T10:00:00.000Z", [])


def _stretch(start: str, end: str, *people: Object) -> Object:
    return {"from": f"{start}:00.000Z", "until": f"{end}:00.000Z", "people": list(people), "why": ""}


async def test_calendars_are_looked_at_by_themselves(
    tmp_path: Path, server: Kalends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes is seen by the running server, which nobody told."""
    monkeypatch.setattr(roster, "LOOK", 0.01)
    file = tmp_path / "rota.ics"
    file.write_text(rota("ana"), "utf-8")
    rotations: Any = {"ops": {"primary": {"ical": "rota.ics"}}}
    config = {"people": PEOPLE, "roles": {"manager": {}}, "rotations": rotations}
    async with running(tmp_path, policy=POLICY, config=config) as house:
        assert await told(house) == {"ops.primary": "Ana Ruiz"}
        seen, tell = asyncio.Event(), house.app.watch.tell

        def telling() -> None:
            tell()
            if house.app.directory.on_call(house.app.clock.now())[0].people[0].id == "bo":
                seen.set()

        monkeypatch.setattr(house.app.watch, "tell", telling)
        file.write_text(rota("Bo Chen"), "utf-8")
        async with asyncio.timeout(PATIENCE):
            await seen.wait()
