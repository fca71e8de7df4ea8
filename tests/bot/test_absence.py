"""Who is away: what was typed, what is kept, and who is called instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.absence import Absences, Planned, Unclear, away_until, until_of, written
from bot.config import ConfigFault, parse
from bot.entries import PersonEntry
from bot.people import Directory
from reviews.keeping import Absence
from reviews.model import Object, Person
from tests.bot.test_expansion import one
from tests.fakes.app import House, running
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
ANA = Person(id="ana", name="Ana Ruiz")
POLICY = """
policy: absence
version: 1
chains:
  ladder:
    - {after: 0m, notify: person:ana}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: ladder}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "deputy": "bo"},
        {"id": "bo", "name": "Bo Chen"},
    ],
}


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2h", NOW + timedelta(hours=2)),
        ("1d 2h", NOW + timedelta(hours=26)),
        ("until 2026-11-26 09:00", datetime(2026, 11, 26, 8, tzinfo=UTC)),
        ("2026-11-26T09:00", datetime(2026, 11, 26, 8, tzinfo=UTC)),
        ("until 2026-11-26", datetime(2026, 11, 25, 23, tzinfo=UTC)),
        ("UNTIL 2026-11-26T09:00Z", datetime(2026, 11, 26, 9, tzinfo=UTC)),
        ("off", None),
    ],
)
def test_times_as_people_write_them(text: str, until: datetime | None) -> None:
    """A span, or an instant in the person's own zone unless it says another."""
    assert until_of(text, NOW, MADRID) == until


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2", "-2h", "until", "until 2026-13-01", "2020-01-01", "0m", "400d", "999999999w", "0001-01-01"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """With how to write one; a year away is a slip."""
    with pytest.raises(Unclear, match="away 2h"):
        until_of(text, NOW, MADRID)


@pytest.mark.parametrize("store", ["memory://", "sqlite:///placet.db"])
async def test_an_absence_is_kept_and_ends_by_itself(tmp_path: Path, store: str) -> None:
    """It outlives the process that took it, ends with the clock, and is in the log."""
    clock = FakeClock(NOW)
    async with running(tmp_path, policy=POLICY, config=CONFIG, clock=clock, store=store) as house:
        await house.app.absences.set(ANA, NOW + timedelta(hours=1), surface="slack")
        another = Absences(house.store)
        await another.load()
        assert another.of(NOW) == {"ana": NOW + timedelta(hours=1)}
        assert another.of(NOW + timedelta(hours=1)) == {}
        log = await house.store.view(lambda tx: tx.log())
        assert [(e.kind, e.actor) for e in log if e.kind.startswith("person.")] == [("person.away", "person:ana")]


async def test_the_deputy_is_called_and_may_decide(tmp_path: Path) -> None:
    """A rung calls the deputy in her stead, by that they may decide, and the log says why they were called."""
    clock = FakeClock(NOW)
    async with running(tmp_path, policy=POLICY, config=CONFIG, clock=clock) as house:
        agent = await house.agent()
        before = await agent.asked()
        assert (await house.press("approve", before, "bo")).answer == "forbidden"
        await house.app.absences.set(ANA, NOW + timedelta(hours=1), surface="web")
        review = await agent.asked()
        kept = await house.store.view(lambda tx: tx.read(review["id"]))
        assert kept is not None
        assert kept.called == {"bo": "person:ana, ana away: deputy"}
        told = await house.press("approve", review, "bo")
        assert (told.answer, told.text) == ("done", "Approved by Bo Chen at 09:00 UTC.")


async def test_being_back_ends_it_at_once(tmp_path: Path) -> None:
    """The next call reaches her again."""
    async with running(tmp_path, policy=POLICY, config=CONFIG, clock=FakeClock(NOW)) as house:
        agent = await house.agent()
        await house.app.absences.set(ANA, NOW + timedelta(hours=1), surface="web")
        await house.app.absences.set(ANA, None, surface="web")
        review = await agent.asked()
        kept = await house.store.view(lambda tx: tx.read(review["id"]))
        assert kept is not None
        assert list(kept.called) == ["ana"]


async def test_what_another_process_keeps_is_heard(tmp_path: Path) -> None:
    """A replica that took the command says so, and this one calls the deputy too."""
    async with running(tmp_path, policy=POLICY, config=CONFIG, clock=FakeClock(NOW)) as house:
        until = NOW + timedelta(hours=1)
        await house.store.tx(lambda tx: tx.put_absence(Absence(person="ana", until=until, by="person:ana")))
        assert house.app.absences.of(NOW) == {}

        async def said() -> AsyncIterator[str]:
            yield "absences"

        house.store.listen = said
        await house.app._follow_others()
        assert house.app.absences.of(NOW) == {"ana": until}


# --- what is known beforehand


def planned(*times: tuple[str, str]) -> list[Planned]:
    """Times of this November, UTC, as `24T12` to `25T12`."""
    return [
        Planned(start=datetime.fromisoformat(f"2026-11-{a}:00Z"), end=datetime.fromisoformat(f"2026-11-{b}:00Z"))
        for a, b in times
    ]


@pytest.mark.parametrize(
    ("times", "said", "until"),
    [
        ([("23T08", "23T12")], None, "23T12"),
        ([("23T10", "23T12")], None, None),
        ([("22T08", "23T09")], None, None),
        ([("23T10", "24T12"), ("22T08", "23T10")], None, "24T12"),
        ([("23T08", "23T12")], "22T08", "23T12"),
        ([("23T08", "23T12")], "23T09", None),
        ([("22T08", "23T08"), ("23T08", "23T12")], "22T09", None),
        ([], None, None),
    ],
)
def test_times_that_touch_are_one(times: list[tuple[str, str]], said: str | None, until: str | None) -> None:
    """Whoever said where they are after one had begun is believed until the next."""
    spoken = None if said is None else datetime.fromisoformat(f"2026-11-{said}:00Z")
    expected = None if until is None else datetime.fromisoformat(f"2026-11-{until}:00Z")
    assert away_until(planned(*times), NOW, spoken) == expected


def test_times_of_the_file_are_in_the_persons_zone() -> None:
    """Unless they name another."""
    times = [
        {"from": "2026-11-23 09:00", "until": "2026-11-24 09:00"},
        {"from": "2026-11-25T09:00Z", "until": "2026-11-26T09:00Z"},
    ]
    entry = PersonEntry.model_validate({"id": "ana", "name": "Ana", "timezone": "Europe/Madrid", "away": times})
    assert written(entry) == tuple(planned(("23T08", "24T08"), ("25T09", "26T09")))


def on_holiday(**more: Any) -> Object:
    """The configuration with more said of Ana."""
    ana, bo = CONFIG["people"]
    return {**CONFIG, "people": [ana | more, bo]}


FILE = {"away": [{"from": "2026-11-22T00:00Z", "until": "2026-11-30T00:00Z"}]}


async def called(house: House) -> list[str]:
    """Whom a new review calls."""
    review = await house.callers["desk"].asked()
    kept = await house.store.view(lambda tx: tx.read(review["id"]))
    assert kept is not None
    return list(kept.called)


@pytest.mark.parametrize("store", ["memory://", "sqlite:///placet.db"])
async def test_a_persons_word_beats_the_file(tmp_path: Path, store: str) -> None:
    """“away off” and “away 1h” end what placet.yml says, for every process and for good."""
    clock = FakeClock(NOW)
    async with running(tmp_path, policy=POLICY, config=on_holiday(**FILE), clock=clock, store=store) as house:
        house.callers["desk"] = await house.agent()
        assert house.app.directory.absent(NOW) == {"ana": datetime(2026, 11, 30, tzinfo=UTC)}
        assert await called(house) == ["bo"]
        await house.app.absences.set(ANA, NOW + timedelta(hours=1), surface="slack")
        assert house.app.directory.absent(NOW) == {"ana": NOW + timedelta(hours=1)}
        clock.forward(timedelta(hours=2))
        assert await called(house) == ["ana"]
        another = Absences(house.store)
        await another.load()
        assert another.said("ana") == NOW
        await house.app.absences.set(ANA, None, surface="slack")
        assert await called(house) == ["ana"]


async def test_a_word_is_about_what_has_begun(tmp_path: Path) -> None:
    """Being back today says nothing of the holiday next week."""
    clock = FakeClock(NOW - timedelta(days=7))
    async with running(tmp_path, policy=POLICY, config=on_holiday(**FILE), clock=clock) as house:
        house.callers["desk"] = await house.agent()
        await house.app.absences.set(ANA, None, surface="slack")
        clock.forward(timedelta(days=7))
        assert await called(house) == ["bo"]


async def test_a_calendar_says_who_is_away(tmp_path: Path) -> None:
    """Whatever its events are called; a day of the calendar is a day of the person."""
    day = one("SUMMARY:Dentist", "DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261124")
    (tmp_path / "ana.ics").write_text(day)
    clock, more = FakeClock(NOW), {"away_ical": "ana.ics", "timezone": "Europe/Madrid"}
    async with running(tmp_path, policy=POLICY, config=on_holiday(**more), clock=clock) as house:
        house.callers["desk"] = await house.agent()
        assert house.app.directory.absent(NOW) == {"ana": datetime(2026, 11, 23, 23, tzinfo=UTC)}
        assert await called(house) == ["bo"]
        clock.forward(timedelta(hours=15))
        assert await called(house) == ["ana"]


def test_the_longer_of_two_absences_counts() -> None:
    """A word given before a holiday began does not shorten it."""
    word = {"ana": NOW + timedelta(hours=1)}
    here = Directory(parse(on_holiday(**FILE)), absent=lambda at: word, said=lambda person: NOW - timedelta(days=9))
    assert here.absent(NOW) == {"ana": datetime(2026, 11, 30, tzinfo=UTC)}


async def test_a_calendar_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    """Readiness says so, and nobody is away by it meanwhile."""
    async with running(tmp_path, policy=POLICY, config=on_holiday(away_ical="ana.ics"), clock=FakeClock(NOW)) as house:
        assert house.app.directory.absent(NOW) == {}
        said = house.app.watch.said()
        assert said.startswith("away.ana: its calendar could not be read: ")
        assert "ana.ics" in said


def test_no_rotation_is_called_away() -> None:
    """Its calendars would be taken for times away."""
    with pytest.raises(ConfigFault, match="choose another name"):
        parse({"people": [{"id": "ana", "name": "Ana"}], "rotations": {"away": {"ana": {"people": ["ana"]}}}})
