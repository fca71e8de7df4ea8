"""Calendars in the shape of the exports people have: the spans they mean; and hostile ones, which cost little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import expansion
from bot.entries import PersonEntry
from bot.expansion import Span, Unreadable, expanded
from bot.oncall import Meaning, Shift

ROTAS = Path(__file__).parent / "rotas"
SINCE, UNTIL = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
PEOPLE = (
    PersonEntry(id="ana", name="Ana Ruiz", email="Ana@example.com"),
    PersonEntry(id="bo", name="Bo Chen", email="bo@example.com"),
)


def read(text: str, zone: str | None = None, **names: str) -> list[Shift]:
    """The turns a calendar means to Ana and Bo, in the last half of November 2026."""
    meaning = Meaning(PEOPLE, names)
    return [meaning.shift(span) for span in expanded(text, SINCE, UNTIL, zone)]


def one(*lines: str) -> str:
    """A calendar with one event."""
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT", "END:VCALENDAR"]
    )


def at(text: str) -> datetime:
    """An instant of November 2026, UTC: `23 08:00`."""
    return datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@pytest.mark.parametrize("vendor", ["pagerduty", "opsgenie", "grafana"])
def test_the_exports_of_the_vendors(vendor: str) -> None:
    """Ana's week, two days of Bo, then somebody whom placet.yml does not know: nobody, and why."""
    ana, bo, zed = read((ROTAS / f"{vendor}.ics").read_text("utf-8"))
    assert (ana.person, ana.start, ana.end) == ("ana", at("16 08:00"), at("23 08:00"))
    assert (bo.person, bo.start, bo.end) == ("bo", at("23 08:00"), at("25 08:00"))
    assert (zed.person, zed.start, zed.end) == (None, at("25 08:00"), at("30 08:00"))
    assert "zed" in zed.why.casefold()
    assert "nobody in placet.yml" in zed.why


def test_a_google_calendar() -> None:
    """Nights but one that is left out, one moved and given to the guest who accepted, and a whole day by its title."""
    turns = read((ROTAS / "google.ics").read_text("utf-8"), **{"bo's sunday": "bo"})
    assert [(turn.person, turn.start, turn.end) for turn in turns if at("18 00:00") < turn.start < at("23 00:00")] == [
        ("ana", at("18 19:00"), at("19 07:00")),
        ("bo", at("20 20:00"), at("21 07:00")),
        ("ana", at("21 19:00"), at("22 07:00")),
        ("bo", at("21 23:00"), at("22 23:00")),
        ("ana", at("22 19:00"), at("23 07:00")),
    ]


def test_a_rule_keeps_its_hour_through_the_nights_of_the_clocks() -> None:
    """20:00 in Madrid is 18:00 UTC in summer and 19:00 in winter; the night between lasts an hour more."""
    text = (ROTAS / "google.ics").read_text("utf-8")
    since = datetime(2026, 10, 24, tzinfo=UTC)
    (last, longer, first) = expanded(text, since, since + timedelta(days=2, hours=20), None)[1:4]
    assert (last.start.hour, longer.start.hour, first.start.hour) == (18, 19, 19)
    assert last.end - last.start == timedelta(hours=13)


@pytest.mark.parametrize(
    ("lines", "zone", "start", "end"),
    [
        (("DTSTART:20261118T090000", "DTEND:20261118T170000"), "Europe/Madrid", "18 08:00", "18 16:00"),
        (("DTSTART:20261118T090000", "DURATION:PT8H"), None, "18 09:00", "18 17:00"),
        (("DTSTART;VALUE=DATE:20261118",), "America/New_York", "18 05:00", "19 05:00"),
        (("DTSTART;TZID=W. Europe Standard Time:20261118T090000", "DURATION:PT8H"), None, "18 08:00", "18 16:00"),
    ],
)
def test_times_that_name_no_zone_or_an_odd_one(lines: tuple[str, ...], zone: str | None, start: str, end: str) -> None:
    """Floating times and whole days are in the layer's zone; Outlook's names of zones are known."""
    (turn,) = read(one("SUMMARY:ana", *lines), zone)
    assert (turn.start, turn.end) == (at(start), at(end))


def test_a_zone_the_calendar_defines_itself() -> None:
    """By its own rules, whatever its name; the event is in it."""
    zone = ("BEGIN:VTIMEZONE", "TZID:Our Office", "BEGIN:STANDARD", "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530",
            "DTSTART:19700101T000000", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip
    event = one("SUMMARY:ana", "DTSTART;TZID=Our Office:20261118T090000", "DURATION:PT1H")
    (turn,) = read(event.replace("BEGIN:VEVENT", "\r\n".join([*zone, "BEGIN:VEVENT"])))
    assert turn.start == at("18 03:30")


@pytest.mark.parametrize(
    ("title", "invited", "person"),
    [
        ("ANA", (), "ana"),
        ("ana ruiz", (), "ana"),
        ("On-call: Bo Chen", (), "bo"),
        ("Payments - Bo Chen", (), "bo"),
        ("L2: ana", (), "ana"),
        ("", ("bo@example.com", "Bo"), "bo"),
        ("Ana Ruiz", ("ana@example.com",), "ana"),
        ("Ana Ruiz", ("bo@example.com",), None),
        ("Ana", (), "ana"),
        ("Anabel", (), None),
        ("swap with ana", (), None),
        ("", (), None),
    ],
)
def test_who_a_title_and_its_guests_mean(title: str, invited: tuple[str, ...], person: str | None) -> None:
    """An id, a name or an e-mail, whole; two people are as unclear as none."""
    assert Meaning(PEOPLE, {}).shift(Span(start=SINCE, end=UNTIL, title=title, invited=invited)).person == person


def test_two_of_one_name_are_not_guessed() -> None:
    """Both are named, so that the operator can say which under `names`, which beats what is known otherwise."""
    people = (*PEOPLE, PersonEntry(id="ana2", name="Ana Ruiz"))
    span = Span(start=SINCE, end=UNTIL, title="Ana Ruiz")
    turn = Meaning(people, {}).shift(span)
    assert turn.person is None
    assert "ana and ana2" in turn.why
    assert Meaning(people, {"Ana Ruiz": "ana2"}).shift(span).person == "ana2"


MINUTES = ",".join(map(str, range(60)))
DAY = ("SUMMARY:ana", "DTSTART:20261118T090000Z", "DURATION:PT1H")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no calendar"),
        ("<html>Sign in</html>", "no calendar"),
        ("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "no calendar"),
        (one(*DAY, "RRULE:FREQ=SECONDLY"), "every minute or second"),
        (one(*DAY, "RRULE:FREQ=MINUTELY;COUNT=9"), "every minute or second"),
        (one(*DAY, f"RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9;BYMINUTE={MINUTES}"), "5000 turns"),
        (one(*DAY).removesuffix("END:VCALENDAR"), "not a whole one"),
        (one("SUMMARY:ana", "DTSTART:soon", "DURATION:PT1H"), "“ana” has no DTSTART"),
        (one("SUMMARY:ana", "DURATION:PT1H"), "“ana” has no DTSTART"),
        (one(*DAY, "RRULE:FREQ=SOMETIMES"), "“ana” has no RRULE"),
        (one(*DAY) + "\r\n" + one(*DAY), "no calendar"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_or_too_much_of_one(text: str, says: str) -> None:
    """Refused with why."""
    with pytest.raises(Unreadable, match=says):
        read(text)


def test_too_many_events() -> None:
    """Refused before any is worked out."""
    event = one(*DAY).split("\r\n", 2)[2].rpartition("\r\n")[0]
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *[event] * (expansion.EVENTS + 1), "END:VCALENDAR"])
    with pytest.raises(Unreadable, match="5000 events"):
        read(text)


def test_work_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that never match cost a process its life, and nobody else anything."""
    never = one(*DAY, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30").split("\r\n", 2)[2].rpartition("\r\n")[0]
    events = [never.replace("UID:1", f"UID:{n}") for n in range(60)]
    monkeypatch.setattr(expansion, "PATIENCE", 1)
    with pytest.raises(Unreadable, match="take longer than 1 s"):
        read("\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR"]))
