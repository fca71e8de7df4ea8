"""The way in: one session, one workspace, signatures, and a socket that comes back."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack import transport
from adapters.slack.calls import Gate
from reviews.errors import SurfaceUnavailable
from tests.adapters.slack.conftest import Build, House
from tests.adapters.slack.test_home import Rounds
from tests.fakes import cards
from tests.fakes import slack_payloads as payloads
from tests.fakes.slack import Fault, signed
from tests.fakes.slack_process import TEAM

pytestmark = [pytest.mark.node, pytest.mark.slow]

Json = dict[str, Any]


# ---------------------------------------------------------------------------------------------- who we are


async def test_the_workspace_is_learned_from_the_token(house: House) -> None:
    """Until then it is empty, and nobody is let in."""
    await house.known()
    assert house.adapter.tenant == TEAM


async def test_a_slack_that_is_down_does_not_stop_the_start(build: Build) -> None:
    """It is asked again, and learned once it answers."""
    rounds = Rounds()
    house: House = await build(api_url="http://127.0.0.1:9/api/", pause=rounds)
    await rounds.paused.wait()
    assert house.adapter.tenant == ""
    assert rounds.asked == [transport.ASK_AGAIN]
    assert not (await house.adapter.health()).ok


async def test_the_workspace_may_be_named(build: Build) -> None:
    """Known from the start; a token of another one is said, for nobody of the named one could press anything."""
    house: House = await build(team="T0OTHER")
    assert house.adapter.tenant == "T0OTHER"
    health = await house.adapter.health()
    assert not health.ok
    assert f"workspace {TEAM}" in health.text
    assert "team: T0OTHER" in health.text


# ---------------------------------------------------------------------------------------------- http


@pytest.mark.parametrize(
    "change",
    [
        {"X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "1000000000"},
    ],
)
async def test_an_unsigned_request_is_turned_away(house: House, change: dict[str, str]) -> None:
    """Nothing reaches the desk that Slack did not sign just now."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-unsigned")
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, "placet:approve")
    assert (await house.send(payload, **change))[0] == 401
    assert house.desk.done == []


@pytest.mark.parametrize(
    "body", ["payload=%7Bnot json", "payload=[]", "payload=[" + "[" * 99_999, "payload=%FF", 'payload={"team":3}']
)
async def test_a_malformed_body_is_400_and_no_traceback(house: House, body: str) -> None:
    """When it is signed; what is not is not even looked at."""
    raw, headers = signed(body)
    async with house.slack.session.post(house.url, data=raw, headers=headers) as answer:
        assert answer.status == 400
        assert "Traceback" not in await answer.text()
    async with house.slack.session.post(house.url, data=raw, headers=headers | {"X-Slack-Signature": "v0=0"}) as answer:
        assert answer.status == 401
    assert house.desk.done == []


async def test_slacks_handshake_is_answered(house: House) -> None:
    """`url_verification`, sent when the address is entered in the app's settings."""
    body, headers = signed('{"type": "url_verification", "challenge": "abc", "token": "x"}')
    headers["Content-Type"] = "application/json"
    async with house.slack.session.post(house.url, data=body, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (200, {"challenge": "abc"})


async def test_our_own_messages_are_not_heard(build: Build) -> None:
    """A reply of ours is no comment, whatever it looks like."""
    house: House = await build(comments="thread")
    await house.known()
    ref = await house.adapter.post(cards.refund(), house.target, "copy-own")
    house.desk.marks[ref.mark] = "rev_refund4721"
    said = payloads.reply("Details", "U0PLACETBOT", house.target.address, ref.ref["ts"])
    assert (await house.send(payloads.event(said)))[0] == 200
    assert house.desk.done == []


# ---------------------------------------------------------------------------------------------- patience


async def test_a_long_429_is_kept_to_by_later_calls(house: House) -> None:
    """Limits are per method, for posts per channel too: the next call to it is not even made."""
    house.slack.faults["chat.postMessage"] = [Fault(status=429, retry_after=30)]
    with pytest.raises(SurfaceUnavailable):
        await house.adapter.post(cards.held(), house.target, "copy-429")
    with pytest.raises(SurfaceUnavailable) as caught:
        await house.adapter.post(cards.held(), house.target, "copy-429")
    assert caught.value.retry_after is not None
    assert 29 < caught.value.retry_after <= 30
    assert [method for method, _ in house.slack.calls].count("chat.postMessage") == 1
    await house.adapter.whisper(house.ana, "Another place takes posts.")
    assert (await house.slack.direct(house.ana.id))[0] == "Another place takes posts."


async def test_a_gate_opens_again() -> None:
    """A wait of no seconds is over at once."""
    gate = Gate()
    gate.shut("chat.update", 0.0)
    gate.let("chat.update")
    gate.shut("chat.update", 5.0)
    with pytest.raises(SurfaceUnavailable):
        gate.let("chat.update")
    gate.let("views.open")
