"""Calendars read from a server that changes, fails, lies and goes away, and from files: the last good copy stays."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot import calendars as reading
from bot.calendars import Calendars
from bot.config import parse
from bot.oncall import on_call
from tests.bot.test_expansion import one
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import closed_port

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
PEOPLE = [{"id": "ana", "name": "Ana Ruiz"}, {"id": "bo", "name": "Bo Chen"}]
SECRET = "private-7f3a9c"
NO_HEADERS: dict[str, str] = {}


def rota(person: str) -> str:
    """A calendar in which one person is on call on every day."""
    return one(f"SUMMARY:{person}", "DTSTART:20261101T000000Z", "DURATION:P1D", "RRULE:FREQ=DAILY")


class Kalends:
    """A calendar server on loopback: `answer` is what it says, `asked` the requests that came."""

    def __init__(self) -> None:
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.says(rota("ana"))
        self.asked: list[web.Request] = []
        self.port = 0
        self._runner = web.AppRunner(self._application(), shutdown_timeout=0.1)

    def _application(self) -> web.Application:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.asked.append(request)
            return await self.answer(request)

        application = web.Application()
        application.router.add_get("/{path:.*}", handle)
        return application

    @property
    def url(self) -> str:
        """The calendar's secret address."""
        return f"http://127.0.0.1:{self.port}/{SECRET}/basic.ics?token={SECRET}"

    def says(self, text: str | bytes, status: int = 200, headers: dict[str, str] = NO_HEADERS) -> Any:
        """To answer so; 304 to whoever has the ETag given."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if "ETag" in headers and request.headers.get("If-None-Match") == headers["ETag"]:
                return web.Response(status=304)
            raw = text if isinstance(text, bytes) else text.encode()
            return web.Response(status=status, body=raw, headers=headers)

        return answer

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away."""
        await self._runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Kalends]:
    """A server that says that Ana is on call."""
    made = Kalends()
    await made.start()
    yield made
    await made.stop()


class Desk:
    """One layer with a calendar, and a clock."""

    def __init__(self, folder: Path, layer: dict[str, Any], env: dict[str, str] | None = None) -> None:
        self.clock = FakeClock(NOW)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.config = parse({"people": PEOPLE, "database": "sqlite:///placet.db", "rotations": {"ops": {"one": layer}}})
        self.calendars = Calendars(self.config, folder, env or {}, self.clock, keep=True, tell=self.tell)
        self.kept = folder / "placet.db.calendars" / "ops.one.json"

    def tell(self, event: str, **more: Any) -> None:
        """What a server logs."""
        self.told.append((event, more))

    @property
    def called(self) -> tuple[str, ...]:
        """Who is on call now."""
        return on_call(self.config.rotations["ops"]["one"], self.clock.at, self.calendars.copies["ops.one"])

    @property
    def fault(self) -> str:
        """Why the calendar could not be read."""
        return self.calendars.copies["ops.one"].fault

    @property
    def age(self) -> timedelta:
        """How old what is known is."""
        read_at = self.calendars.copies["ops.one"].read_at
        assert read_at is not None
        return self.clock.at - read_at

    async def later(self, minutes: int = 5) -> None:
        """Look again after a while."""
        self.clock.forward(timedelta(minutes=minutes))
        await self.calendars.refresh()


async def test_a_calendar_that_changes(tmp_path: Path, server: Kalends) -> None:
    """Read at the start, and again when five minutes have passed, not sooner."""
    desk = Desk(tmp_path, {"ical": server.url})
    assert (desk.called, desk.fault) == ((), "it has not been read yet")
    await desk.calendars.start()
    assert (desk.called, desk.fault) == (("ana",), "")
    server.answer = server.says(rota("Bo Chen"))
    await desk.later(4)
    assert desk.called == ("ana",)
    await desk.later(1)
    assert desk.called == ("bo",)
    assert len(server.asked) == 2


async def test_a_server_that_goes_away_and_comes_back(tmp_path: Path, server: Kalends) -> None:
    """The last good copy stays, grows old, and is left for the new one."""
    desk = Desk(tmp_path, {"ical": server.url})
    await desk.calendars.start()
    await server.stop()
    for _ in range(3):
        await desk.later(60)
    assert desk.called == ("ana",)
    assert desk.age == timedelta(hours=3)
    assert "127.0.0.1 cannot be reached" in desk.fault
    back = Kalends()
    back.port, back.answer = server.port, back.says(rota("bo"))
    await back.start()
    try:
        await desk.later()
    finally:
        await back.stop()
    assert (desk.called, desk.fault, desk.age) == (("bo",), "", timedelta())


async def hang(request: web.Request) -> web.StreamResponse:
    """Begin, and never end."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b"BEGIN:VCALENDAR\r\n")
    await asyncio.Event().wait()
    return answer


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (500, b"", "answered 500"),
        (404, b"", "answered 404"),
        (302, b"", "points elsewhere"),
        (200, b"<html>Sign in</html>", "no calendar"),
        (200, rota("bo").encode()[:-9], "not a whole one"),
        (200, b"\xff\xfe\x00", "UTF-8"),
        (200, b"BEGIN:VCALENDAR" + b" " * 2_000_001, "larger than 2 MB"),
        (200, one("SUMMARY:bo", "DTSTART:20261101T000000Z", "RRULE:FREQ=SECONDLY").encode(), "every minute or second"),
    ],
)
async def test_an_answer_that_is_no_good(tmp_path: Path, server: Kalends, status: int, body: bytes, says: str) -> None:
    """Changes nothing but what is said of it; a redirect is not followed."""
    desk = Desk(tmp_path, {"ical": server.url})
    await desk.calendars.start()
    headers = {"Location": "/elsewhere.ics"} if status == 302 else {}
    server.answer = server.says(body, status, headers)
    await desk.later()
    assert desk.called == ("ana",)
    assert says in desk.fault
    assert len(server.asked) == 2


async def test_a_server_that_hangs(tmp_path: Path, server: Kalends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is left when its time is over, in the middle of its answer too."""
    desk = Desk(tmp_path, {"ical": server.url})
    await desk.calendars.start()
    monkeypatch.setattr(reading, "TIMEOUT", 0.2)
    server.answer = hang
    await desk.later()
    assert desk.called == ("ana",)
    assert "no answer within" in desk.fault


async def test_what_did_not_change_is_not_sent_again(tmp_path: Path, server: Kalends) -> None:
    """By ETag and by date; the copy is as young as the answer."""
    server.answer = server.says(rota("ana"), headers={"ETag": '"v1"', "Last-Modified": "Wed, 18 Nov 2026 10:00:00 GMT"})
    desk = Desk(tmp_path, {"ical": server.url})
    await desk.calendars.start()
    await desk.later()
    asked = server.asked[-1].headers
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"v1"', "Wed, 18 Nov 2026 10:00:00 GMT")
    assert (desk.called, desk.fault, desk.age) == (("ana",), "", timedelta())


async def test_the_copy_outlives_a_restart(tmp_path: Path, server: Kalends) -> None:
    """Beside the database, for its owner alone, without the address; another address's copy is not taken."""
    before = Desk(tmp_path, {"ical": server.url})
    await before.calendars.start()
    assert stat.S_IMODE(before.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(before.kept.parent.stat().st_mode) == 0o700
    assert SECRET not in before.kept.read_text("utf-8")
    await server.stop()
    after = Desk(tmp_path, {"ical": server.url})
    after.clock.forward(timedelta(hours=2))
    await after.calendars.start()
    assert (after.called, after.age) == (("ana",), timedelta(hours=2))
    await after.calendars.refresh()
    assert (after.called, after.age) == (("ana",), timedelta(hours=2))
    assert "cannot be reached" in after.fault
    moved = Desk(tmp_path, {"ical": f"http://127.0.0.1:{closed_port()}/other.ics"})
    await moved.calendars.start()
    assert moved.called == ()


@pytest.mark.parametrize("spoiled", ["", "{}", '{"text": 3}', "[1]", json.dumps({"read_at": "soon"})])
async def test_a_spoiled_copy_is_read_anew(tmp_path: Path, server: Kalends, spoiled: str) -> None:
    """It costs a look, not the start."""
    desk = Desk(tmp_path, {"ical": server.url})
    desk.kept.parent.mkdir()
    desk.kept.write_text(spoiled, "utf-8")
    await desk.calendars.start()
    assert desk.called == ("ana",)


async def test_turns_are_worked_out_anew_from_the_last_copy(tmp_path: Path, server: Kalends) -> None:
    """While the server says that nothing changed, a calendar goes on beyond what was worked out at first."""
    server.answer = server.says(rota("ana"), headers={"ETag": '"v1"'})
    desk = Desk(tmp_path, {"ical": server.url})
    await desk.calendars.start()
    await desk.later(120 * 24 * 60)
    assert desk.called == ("ana",)


async def test_the_address_is_told_to_nobody(tmp_path: Path, server: Kalends) -> None:
    """Neither in a fault nor in the log, whatever goes wrong."""
    desk = Desk(tmp_path, {"ical_env": "ROTA"}, {"ROTA": server.url})
    said = list[str]()
    await desk.calendars.start()
    for answer in (server.says("", 500), server.says("no"), server.says("x" * 2_000_001)):
        server.answer = answer
        await desk.later()
        said.append(desk.fault)
    await server.stop()
    await desk.later()
    broken = (f"http://[{SECRET}/x.ics", f"ftp://h/{SECRET}", f"https:///{SECRET}", f"http://h.example/{SECRET}")
    others = [Desk(tmp_path / "other", {"ical_env": "ROTA"}, {"ROTA": each}) for each in broken]
    for other in others:
        await other.calendars.start()
    desks = [desk, *others]
    said += [each.fault for each in desks]
    assert all(said)
    assert [len(each.told) for each in desks] == [4, 1, 1, 1, 1]
    assert SECRET not in json.dumps([said, [each.told for each in desks]], default=str)


async def test_the_log_says_once_that_a_calendar_is_gone_and_once_that_it_is_back(
    tmp_path: Path, server: Kalends
) -> None:
    """Not at every look; also that a copy cannot be kept, which costs nothing else."""
    desk = Desk(tmp_path, {"ical": server.url})
    desk.kept.parent.write_text("in the way", "utf-8")
    await desk.calendars.start()
    server.answer = server.says("", 503)
    for _ in range(3):
        await desk.later()
    server.answer = server.says(rota("ana"))
    await desk.later()
    events = [event for event, _ in desk.told]
    assert desk.called == ("ana",)
    assert events == [
        "calendar_not_read",
        "calendar_not_kept",
        "calendar_not_read",
        "calendar_read_again",
        "calendar_not_kept",
    ]


@pytest.mark.parametrize(("env", "says"), [({}, "ROTA is not set"), ({"ROTA_FILE": "/none"}, "cannot be read")])
async def test_an_address_that_is_not_there(tmp_path: Path, env: dict[str, str], says: str) -> None:
    """Is named by its variable."""
    desk = Desk(tmp_path, {"ical_env": "ROTA"}, env)
    await desk.calendars.start()
    assert desk.called == ()
    assert says in desk.fault


async def test_a_calendar_in_a_file(tmp_path: Path) -> None:
    """Beside placet.yml; a change is seen at the next look, and one that went wrong or away leaves the copy."""
    file = tmp_path / "rota.ics"
    file.write_text(rota("ana"), "utf-8")
    desk = Desk(tmp_path, {"ical": "rota.ics"})
    await desk.calendars.start()
    assert desk.called == ("ana",)
    file.write_text(rota("Bo Chen"), "utf-8")
    await desk.later(0)
    assert desk.called == ("bo",)
    file.write_text("not yet", "utf-8")
    await desk.later(0)
    assert desk.called == ("bo",)
    assert "no calendar" in desk.fault
    file.unlink()
    await desk.later(7)
    assert desk.called == ("bo",)
    assert "rota.ics cannot be read" in desk.fault
    assert desk.age == timedelta(minutes=7)


async def test_a_bad_calendar_is_worked_on_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile text costs its ten seconds one time, not at every look."""
    (tmp_path / "rota.ics").write_text("bad", "utf-8")
    desk = Desk(tmp_path, {"ical": "rota.ics"})
    await desk.calendars.start()

    def never(*_: object) -> None:
        raise AssertionError("worked on again")

    monkeypatch.setattr(reading, "expanded", never)
    await desk.later(59)
    assert "no calendar" in desk.fault


async def test_commands_keep_nothing(tmp_path: Path, server: Kalends) -> None:
    """They may run as somebody else, whose files the server could not write."""
    desk = Desk(tmp_path, {"ical": server.url})
    looking = Calendars(desk.config, tmp_path, {}, desk.clock)
    await looking.start()
    assert looking.copies["ops.one"].fault == ""
    assert not desk.kept.parent.exists()
