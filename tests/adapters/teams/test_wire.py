"""One HTTP call, tried once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest

from adapters.teams import wire
from adapters.teams.seam import Failed
from tests.adapters.teams.service import Service, Told, service


@pytest.fixture
async def there() -> AsyncIterator[Service]:
    """A service."""
    async with service() as found:
        yield found


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """What calls are made with."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as found:
        yield found


async def test_an_answer_is_handed_back_whatever_its_status(there: Service, session: aiohttp.ClientSession) -> None:
    """And a redirect is not followed."""
    there.next.append(Told(status=302, body=b"gone", headers={"Location": there.root + "/elsewhere"}))
    answer = await wire.call(session, "POST", there.root + "/a%2Fb", data=b"x", headers={"X-Y": "z"})
    assert (answer.status, answer.body) == (302, b"gone")
    assert [(asked.path, asked.headers["X-Y"]) for asked in there.asked] == [("/a%2Fb", "z")]


async def test_an_answer_without_end_is_not_read_to_it(there: Service, session: aiohttp.ClientSession) -> None:
    """A megabyte."""
    there.next.append(Told(body=b"x" * (wire.MOST + 1)))
    with pytest.raises(Failed, match="ClientPayloadError") as told:
        await wire.call(session, "GET", there.root)
    assert told.value.sent


async def test_a_lost_answer_may_have_been_a_good_one(there: Service, session: aiohttp.ClientSession) -> None:
    """Somebody must look, or risk a second."""
    there.next.append(Told(lost=True))
    with pytest.raises(Failed, match=r"127\.0\.0\.1 was lost") as told:
        await wire.call(session, "POST", there.root)
    assert (told.value.status, told.value.sent) == (0, True)
    assert len(there.asked) == 1


async def test_where_nobody_listens_nothing_was_sent(session: aiohttp.ClientSession) -> None:
    """A service that has gone."""
    async with service() as gone:
        pass
    with pytest.raises(Failed, match="cannot be reached") as told:
        await wire.call(session, "POST", gone.root)
    assert (told.value.status, told.value.sent) == (0, False)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"error": {"code": "BotDisabledByAdmin", "message": "No."}}', "BotDisabledByAdmin", "No."),
        (b'{"code": "Throttled", "message": "Slow."}', "Throttled", "Slow."),
        (b'{"message": "Authorization has been denied."}', "", "Authorization has been denied."),
        (
            b'{"message": "{\\"subCode\\": \\"BotDisabledByAdmin\\"}"}',
            "BotDisabledByAdmin",
            '{"subCode": "BotDisabledByAdmin"}',
        ),
        (b"<html>502</html>", "", "HTTP 502 Bad Gateway"),
        (b'{"error": "no"}', "", "HTTP 502 Bad Gateway"),
        (b"[]", "", "HTTP 502 Bad Gateway"),
        (b"[" * 100_000, "", "HTTP 502 Bad Gateway"),
        (b"\xff", "", "HTTP 502 Bad Gateway"),
        (b"", "", "HTTP 502 Bad Gateway"),
    ],
)
def test_a_bad_answer_is_read_as_far_as_it_goes(body: bytes, code: str, text: str) -> None:
    """Gateways answer in their own way."""
    told = wire.failed(wire.Answer(status=502, reason="Bad Gateway", headers={}, body=body))
    assert (told.status, told.code, told.text, told.sent) == (502, code, text, True)


def test_what_a_bad_answer_says_is_not_repeated_without_end() -> None:
    """It stands on a health page."""
    body = b'{"error": {"code": "%s", "message": "%s"}}' % (b"c" * 9000, b"m" * 9000)
    told = wire.failed(wire.Answer(status=400, reason="", headers={}, body=body))
    assert (len(told.code), len(told.text), told.sent) == (300, 300, False)


def test_retry_after_is_seconds_or_a_date() -> None:
    """RFC 9110, 10.2.3. What is neither says nothing."""
    assert wire.seconds("7") == 7.0
    assert wire.seconds(None) is None
    assert wire.seconds("soon") is None
    assert wire.seconds("-3") is None
    later = wire.seconds(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert later is not None
    assert 80 < later <= 90
    assert wire.seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize(
    ("said", "waits"), [("9" * 400, 300.0), ("99999999999", 300.0), ("Fri, 31 Dec 9999 23:59:59 -2300", None)]
)
def test_no_answer_makes_anybody_wait_for_ever(said: str, waits: float | None) -> None:
    """Nor are there instants so far away."""
    assert wire.seconds(said) == waits


def test_a_proxy_of_the_environment_is_taken_but_not_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where the environment says not to."""
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", ".internal.example.com")
    assert wire._proxy("https://smba.example.com/x") == "http://proxy.example.com:3128"
    assert wire._proxy("https://a.internal.example.com/x") is None
    assert wire._proxy("http://127.0.0.1:1/x") is None
