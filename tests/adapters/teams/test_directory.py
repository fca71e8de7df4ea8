"""The bot's own token, from Entra."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.teams.config import TeamsConfig
from adapters.teams.directory import Directory
from adapters.teams.seam import Failed
from tests.adapters.teams.service import APP, TENANT, Service, Told, service

WRONG = (
    "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
    "value, not the client secret ID. Trace ID: 1 Correlation ID: 2"
)


class Clock:
    """Stands still until it is moved."""

    at = 0.0


@pytest.fixture
async def entra() -> AsyncIterator[Service]:
    """Gives out tokens good for an hour."""
    async with service() as found:
        yield found


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """What calls are made with."""
    async with aiohttp.ClientSession() as found:
        yield found


@pytest.fixture
def directory(entra: Service, session: aiohttp.ClientSession) -> Directory:
    """Of the bot."""
    config = TeamsConfig(app_id=APP, tenant_id=TENANT, login_url=entra.root + "/")
    return Directory(config, "pass-1", lambda: session, clock=lambda: Clock.at)


@pytest.fixture(autouse=True)
def midnight() -> None:
    """Each test begins at 0."""
    Clock.at = 0.0


async def test_one_token_serves_many(entra: Service, directory: Directory) -> None:
    """Also those who ask while it is being fetched."""
    assert set(await asyncio.gather(*(directory.token() for _ in range(20)))) == {"token-1"}
    assert entra.granted == 1


async def test_what_is_asked_is_what_the_protocol_says(entra: Service, directory: Directory) -> None:
    """RFC 6749, 4.4, with the scope of the Bot Connector."""
    await directory.token()
    assert entra.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": APP,
            "client_secret": "pass-1",
            "scope": "https://api.botframework.com/.default",
        }
    ]


async def test_a_token_is_replaced_before_its_end(directory: Directory) -> None:
    """Five minutes, or half of a short life."""
    await directory.token()
    Clock.at = 3299.0
    assert await directory.token() == "token-1"
    Clock.at = 3301.0
    assert await directory.token() == "token-2"


async def test_a_short_token_is_not_asked_for_at_every_call(entra: Service, directory: Directory) -> None:
    """One of four minutes is good for two."""
    entra.tokens.append(Told(body={"access_token": "short", "expires_in": 240}))
    assert await directory.token() == "short"
    Clock.at = 119.0
    assert await directory.token() == "short"
    Clock.at = 121.0
    assert await directory.token() == "token-2"


async def test_an_outage_at_the_time_of_replacing_hurts_nobody(entra: Service, directory: Directory) -> None:
    """The old token is used to its end, and Entra is not asked at every call meanwhile."""
    await directory.token()
    Clock.at = 3301.0
    entra.tokens.extend([Told(status=503), Told(status=503), Told(status=503)])
    assert [await directory.token() for _ in range(10)] == ["token-1"] * 10
    assert entra.granted == 2
    Clock.at = 3601.0
    with pytest.raises(Failed):
        await directory.token()
    entra.tokens.clear()
    assert await directory.token() == "token-4"


async def test_entra_says_why_not(entra: Service, directory: Directory) -> None:
    """Its code, and its first sentence: the rest is for Microsoft."""
    entra.tokens.append(Told(status=401, body={"error": "invalid_client", "error_description": WRONG}))
    with pytest.raises(Failed) as told:
        await directory.token()
    assert (told.value.status, told.value.code) == (401, "AADSTS7000215")
    assert told.value.text == "AADSTS7000215: Invalid client secret provided"
    assert not told.value.sent
    assert await directory.token() == "token-2"


async def test_a_wrong_tenant_is_named_too(entra: Service, directory: Directory) -> None:
    """Entra answers 400 to it."""
    said = {"error": "invalid_request", "error_description": "AADSTS90002: Tenant 'x' not found."}
    entra.tokens.append(Told(status=400, body=said))
    with pytest.raises(Failed) as told:
        await directory.token()
    assert (told.value.status, told.value.code) == (401, "AADSTS90002")


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (Told(status=503, body=b"<html>", headers={"Retry-After": "7"}), 7.0),
        (Told(status=429, body={}), None),
        (Told(body=b"<html>welcome to this hotel"), None),
        (Told(body={"access_token": ""}), None),
        (Told(body=[1]), None),
    ],
)
async def test_no_answer_of_entras_is_no_refusal(
    entra: Service, directory: Directory, answer: Told, after: float | None
) -> None:
    """It is down, or something answers in its place: for now there is no token."""
    entra.tokens.append(answer)
    with pytest.raises(Failed) as told:
        await directory.token()
    assert (told.value.status, told.value.code, told.value.retry_after) == (0, "", after)


async def test_the_secret_is_in_no_failure(entra: Service, directory: Directory) -> None:
    """Nor in what caused it."""
    entra.tokens.append(Told(lost=True))
    with pytest.raises(Failed) as told:
        await directory.token()
    assert "pass-1" not in repr(told.value) + repr(told.value.__cause__)


async def test_a_lost_token_is_no_lost_card(entra: Service, directory: Directory) -> None:
    """The card it was for was not sent, so it is not looked for."""
    entra.tokens.append(Told(lost=True))
    with pytest.raises(Failed) as told:
        await directory.token()
    assert (told.value.status, told.value.sent) == (0, False)


async def test_all_who_wait_wait_together(entra: Service, session: aiohttp.ClientSession) -> None:
    """An Entra that hangs keeps the tenth no longer than the first."""
    held = asyncio.Event()
    entra.tokens.extend(Told(held=held) for _ in range(10))
    config = TeamsConfig(app_id=APP, tenant_id=TENANT, login_url=entra.root, timeout=0.2)
    directory = Directory(config, "pass-1", lambda: session)
    told = await asyncio.gather(*(directory.token() for _ in range(10)), return_exceptions=True)
    assert [(type(fault), str(fault)) for fault in told] == [(Failed, "Entra did not give a token in time.")] * 10
    assert entra.granted <= 2
    held.set()
