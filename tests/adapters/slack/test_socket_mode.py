"""Socket mode: the same requests over a connection of ours, which comes back."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from reviews.model import Verb
from tests.adapters.slack.conftest import Build, House
from tests.adapters.slack.test_home import Rounds
from tests.fakes import cards
from tests.fakes import slack_payloads as payloads
from tests.fakes.desk import desk_of
from tests.fakes.slack import Fault

pytestmark = [pytest.mark.node, pytest.mark.slow]

Json = dict[str, Any]


async def _pressed(house: House, copy: str = "copy-socket", link: int = -1, envelope: str = "e-1") -> None:
    """A click that comes over the socket, acknowledged."""
    ref = await house.adapter.post(cards.refund(), house.target, copy)
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, "placet:approve")
    await _send(house, payload, link=link, envelope=envelope)


async def _send(house: House, payload: Json, *, link: int = -1, envelope: str = "e-1", **more: Any) -> Json:
    kind = "events_api" if payload.get("type") == "event_callback" else "interactive"
    sent = {"type": kind, "envelope_id": envelope, "accepts_response_payload": True, "payload": payload, **more}
    await house.slack.sockets[link].send_json(sent)
    await house.slack.until(lambda: any(acked["envelope_id"] == envelope for acked in house.slack.acked))
    return next(acked for acked in house.slack.acked if acked["envelope_id"] == envelope)


async def test_clicks_come_over_the_socket(build: Build) -> None:
    """The same listeners; the acknowledgement goes back once the decision is kept. No public address is needed."""
    house: House = await build(mode="socket")
    await house.slack.until(lambda: house.slack.sockets)
    await _pressed(house)
    assert [done.copy for done in house.desk.done] == ["copy-socket"]
    assert (await house.adapter.health()).ok
    assert house.adapter.routes() == []


async def test_a_form_is_answered_over_the_socket(build: Build) -> None:
    """What the modal does travels in the acknowledgement."""
    house: House = await build(mode="socket")
    await house.slack.until(lambda: house.slack.sockets)
    ref = await house.adapter.post(cards.refund(), house.target, "copy-form")
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, "placet:edit:form")
    await _send(house, payload)
    view = await house.modal()
    sent = house.slack.submit(view, house.ana.id, {"/amount": "none"})
    acked = await _send(house, sent, envelope="e-2")
    assert acked["payload"]["response_action"] == "errors"


async def test_an_event_sent_again_over_the_socket_is_taken_once(build: Build) -> None:
    """The retry number comes in the envelope."""
    house: House = await build(mode="socket", comments="thread")
    await house.slack.until(lambda: house.slack.sockets)
    ref = await house.adapter.post(cards.refund(), house.target, "copy-again")
    house.desk.marks[ref.mark] = "rev_refund4721"
    said = payloads.event(payloads.reply("Why?", house.ana.id, house.target.address, ref.ref["ts"]))
    await _send(house, said)
    await _send(house, said, envelope="e-2", retry_attempt=1, retry_reason="timeout")
    assert [done.verb for done in house.desk.done] == [Verb.COMMENT]


async def test_a_dropped_socket_is_opened_again(build: Build) -> None:
    """By a fresh address, and clicks come over the new one; meanwhile health says so."""
    rounds = Rounds()
    house: House = await build(desk=desk_of(), mode="socket", pause=rounds)
    await house.slack.until(lambda: house.slack.sockets)
    await house.slack.sockets[0].close()
    await rounds.paused.wait()
    health = await house.adapter.health()
    assert not health.ok
    assert "socket" in health.text
    rounds.go()
    await house.slack.until(lambda: len(house.slack.sockets) == 2)
    await _pressed(house)
    assert len(house.desk.done) == 1


async def test_a_socket_slack_is_about_to_close_is_replaced_first(build: Build) -> None:
    """Slack says so some seconds before; a click on either is taken."""
    house: House = await build(mode="socket")
    await house.slack.until(lambda: house.slack.sockets)
    await house.slack.sockets[0].send_json({"type": "disconnect", "reason": "refresh_requested"})
    await house.slack.until(lambda: len(house.slack.sockets) == 2)
    await _pressed(house, "copy-old", link=0, envelope="e-old")
    await _pressed(house, "copy-new", link=1, envelope="e-new")
    assert [done.copy for done in house.desk.done] == ["copy-old", "copy-new"]


async def test_an_address_that_does_not_answer_is_not_tried_twice(build: Build) -> None:
    """Each try asks for a fresh one: Slack's are for one connection and short-lived."""
    rounds = Rounds()
    house: House = await build(
        mode="socket", pause=rounds, before=lambda slack: slack.faults["link"].append(Fault(status=404))
    )
    await rounds.paused.wait()
    rounds.go()
    await house.slack.until(lambda: house.slack.sockets)
    assert [method for method, _ in house.slack.calls].count("apps.connections.open") == 2


@pytest.mark.parametrize(
    ("error", "fix"), [("invalid_auth", "PLACET_SLACK_APP_TOKEN"), ("not_allowed_token_type", "PLACET_SLACK_APP_TOKEN")]
)
async def test_a_socket_that_is_refused_says_how_to_mend_it(build: Build, error: str, fix: str) -> None:
    """The app-level token is another one than the bot's, and the readiness page names it."""
    rounds = Rounds()
    refuse = [Fault(error=error)]
    house: House = await build(
        mode="socket", pause=rounds, before=lambda slack: slack.faults["apps.connections.open"].extend(refuse)
    )
    await rounds.paused.wait()
    health = await house.adapter.health()
    assert not health.ok
    assert fix in health.text


async def test_socket_mode_that_is_switched_off_says_so(build: Build) -> None:
    """Slack closes the socket for good."""
    rounds = Rounds()
    house: House = await build(mode="socket", pause=rounds)
    await house.slack.until(lambda: house.slack.sockets)
    await house.slack.sockets[0].send_json({"type": "disconnect", "reason": "link_disabled"})
    await house.slack.sockets[0].close()
    await rounds.paused.wait()
    assert "Socket Mode" in (await house.adapter.health()).text


async def test_nonsense_over_the_socket_ends_nothing(build: Build) -> None:
    """What is no envelope is passed over."""
    house: House = await build(mode="socket")
    await house.slack.until(lambda: house.slack.sockets)
    await house.slack.sockets[0].send_str(json.dumps({"type": "novel", "payload": []}))
    await _pressed(house)
    assert len(house.slack.sockets) == 1


async def test_all_calls_share_one_session(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of Bolt and of the socket: a session each would be a pool each, and one never closed."""
    made: list[aiohttp.ClientSession] = []
    real = aiohttp.ClientSession.__init__

    def counted(self: aiohttp.ClientSession, *args: Any, **kw: Any) -> None:
        made.append(self)
        real(self, *args, **kw)

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", counted)
    house: House = await build(mode="socket")
    await house.slack.until(lambda: house.slack.sockets)
    await _pressed(house)
    assert len(made) == 1
    await house.adapter.stop()
    assert made[0].closed
