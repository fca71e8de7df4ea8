"""Who is away: what was typed, what is kept, and who is called instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.absence import Absences, Unclear, until_of
from reviews.keeping import Absence
from reviews.model import Object, Person
from tests.fakes.app import running
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
