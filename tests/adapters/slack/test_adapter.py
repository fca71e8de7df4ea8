"""Posts, updates and finds against an emulated Slack that also fails in every way we know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from adapters.port import Setup
from adapters.slack.adapter import EVENT_TYPE, SlackAdapter, create, preview
from adapters.slack.config import SlackMisconfigured
from reviews.errors import SurfaceAmbiguous, SurfaceRefused, SurfaceUnavailable
from reviews.model import Target
from reviews.ports import MessageRef
from tests.adapters.slack.conftest import Build, House
from tests.fakes import cards
from tests.fakes.desk import FakeDoor, FixedClock, desk_of
from tests.fakes.slack import Fault, Slack, signed
from tests.fakes.slack_process import TOKEN

pytestmark = [pytest.mark.node, pytest.mark.slow]


def _since() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def _made(slack: Slack, method: str) -> int:
    return sum(name == method for name, _ in slack.calls)


# ---------------------------------------------------------------------------------------------- posting


async def test_the_long_parts_are_the_first_reply_in_the_thread(house: House) -> None:
    """The channel stays compact: conversation and timeline lie behind the card."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-thread")
    reply = await house.slack.message(ref.ref["channel"], ref.ref["thread"])
    assert reply["thread_ts"] == ref.ref["ts"]
    words = await house.read_back(MessageRef(surface="slack", ref={**ref.ref, "ts": ref.ref["thread"]}))
    assert "Please just give me my money back." in words
    assert "Please just give me my money back." not in await house.read_back(ref)


async def test_a_reply_that_fails_does_not_fail_the_post(house: House) -> None:
    """The card is there: an error now would have it posted a second time."""
    house.slack.faults["chat.postMessage"] = [None, Fault(error="restricted_action")]
    ref = await house.adapter.post(cards.refund(), house.target, "copy-reply-refused")
    assert ref.ref.keys() == {"channel", "ts", "copy"}
    assert _made(house.slack, "chat.postMessage") == 2


async def test_an_update_redraws_the_thread_only_when_that_changed(house: House) -> None:
    """One call is enough where the evidence is the same."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-redraw")
    await house.adapter.update(ref, cards.refund())
    assert _made(house.slack, "chat.update") == 1
    await house.adapter.update(ref, cards.decided())
    assert _made(house.slack, "chat.update") == 3
    words = await house.read_back(MessageRef(surface="slack", ref={**ref.ref, "ts": ref.ref["thread"]}))
    assert "Ana Ruiz approved; the agent was told" in words


async def test_a_post_carries_its_copy_id_and_unfurls_nothing(house: House) -> None:
    """`find` needs the one; a link's preview would be an agent's words outside the card."""
    await house.adapter.post(cards.held(), house.target, "copy-meta")
    args = next(args for method, args in house.slack.calls if method == "chat.postMessage")
    assert args["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"copy": "copy-meta"}}
    assert str(args["unfurl_links"]) in ("0", "False")
    assert str(args["unfurl_media"]) in ("0", "False")
    assert args["text"] == cards.held().fallback


async def test_a_decided_card_has_no_controls(house: House) -> None:
    """Every copy loses its buttons."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-over")
    before = await house.slack.message(ref.ref["channel"], ref.ref["ts"])
    await house.adapter.update(ref, cards.decided())
    after = await house.slack.message(ref.ref["channel"], ref.ref["ts"])
    assert "actions" in [block["type"] for block in before["blocks"]]
    assert "actions" not in [block["type"] for block in after["blocks"]]


async def test_a_person_gets_the_card_by_direct_message(house: House) -> None:
    """A `U…` address opens the conversation once and keeps it."""
    target = Target(surface="slack", address=house.ana.id, person="ana")
    ref = await house.adapter.post(cards.refund(), target, "copy-dm")
    await house.adapter.post(cards.held(), target, "copy-dm-2")
    assert ref.ref["channel"].startswith("D")
    assert "Refund 180.00 USD" in await house.read_back(ref)
    assert _made(house.slack, "conversations.open") == 1


async def test_a_channel_is_known_by_its_name(house: House) -> None:
    """`#reviews` in placet.yml is looked up once."""
    target = Target(surface="slack", address="#reviews")
    first = await house.adapter.post(cards.held(), target, "copy-name")
    await house.adapter.post(cards.held(), target, "copy-name-2")
    assert first.ref["channel"] == house.target.address
    assert _made(house.slack, "conversations.list") == 1


# ---------------------------------------------------------------------------------------------- failing


async def test_a_short_429_is_waited_out(house: House) -> None:
    """One card, posted a moment later."""
    house.slack.faults["chat.postMessage"] = [Fault(status=429, retry_after=0)]
    ref = await house.adapter.post(cards.held(), house.target, "copy-429")
    assert "Held: agent stopped" in await house.read_back(ref)


async def test_a_long_429_is_for_the_outbox(house: House) -> None:
    """A wait that could outlive the process belongs to what survives it."""
    house.slack.faults["chat.postMessage"] = [Fault(status=429, retry_after=30)]
    with pytest.raises(SurfaceUnavailable) as caught:
        await house.adapter.post(cards.held(), house.target, "copy-429-long")
    assert caught.value.retry_after == 30.0
    assert _made(house.slack, "chat.postMessage") == 1


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=503, body="<html>busy</html>")])
async def test_a_503_means_try_later(house: House, fault: Fault) -> None:
    """The service said that it did not begin."""
    house.slack.faults["chat.postMessage"] = [fault]
    with pytest.raises(SurfaceUnavailable):
        await house.adapter.post(cards.held(), house.target, "copy-503")


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=502, body="<html>"), Fault(error="fatal_error")])
async def test_a_post_that_failed_halfway_is_ambiguous(house: House, fault: Fault) -> None:
    """Slack says of these that something may have been done: look before posting again."""
    house.slack.faults["chat.postMessage"] = [fault]
    with pytest.raises(SurfaceAmbiguous):
        await house.adapter.post(cards.held(), house.target, "copy-500")
    assert await house.adapter.find("copy-500", house.target, _since()) is None


async def test_an_update_survives_a_500(house: House) -> None:
    """An update may be made twice, so it is tried again at once."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-update-500")
    house.slack.faults["chat.update"] = [Fault(status=500)]
    await house.adapter.update(ref, cards.decided())
    assert "Approved" in await house.read_back(ref)


@pytest.mark.parametrize("fault", [Fault(dropped=True), Fault(silent=True)])
async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(build: Build, fault: Fault) -> None:
    """The card is there once; its controls work, for the ref names the copy."""
    house = await build(timeout=0.4)
    copy = f"copy-lost-{fault.dropped}"
    house.slack.faults["chat.postMessage"] = [fault]
    with pytest.raises(SurfaceAmbiguous):
        await house.adapter.post(cards.refund(), house.target, copy)
    found = await house.adapter.find(copy, house.target, _since())
    assert found is not None
    assert found.ref["copy"] == copy
    history = await house.slack.history(house.target.address)
    assert sum((m.get("metadata") or {}).get("event_payload", {}).get("copy") == copy for m in history) == 1


async def test_somebody_elses_message_is_not_our_copy(house: House) -> None:
    """Metadata can be written by any app; only a message of ours counts."""
    await house.adapter.post(cards.held(), house.target, "copy-forged")
    assert await house.adapter.find("copy-forged", house.target, _since()) is not None
    house.slack.author = "U0STRANGER"
    assert await house.adapter.find("copy-forged", house.target, _since()) is None


async def test_find_raises_when_it_cannot_look(house: House) -> None:
    """No answer is not the answer `None`."""
    house.slack.faults["conversations.history"] = [Fault(status=500), Fault(status=500)]
    with pytest.raises(SurfaceUnavailable):
        await house.adapter.find("copy-any", house.target, _since())


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("channel_not_found", "placet.yml"),
        ("not_in_channel", "/invite"),
        ("is_archived", "Unarchive"),
        ("invalid_auth", "PLACET_SLACK_BOT_TOKEN"),
        ("account_inactive", "PLACET_SLACK_BOT_TOKEN"),
        ("restricted_action", "administrator"),
    ],
)
async def test_a_refusal_says_how_to_mend_it(house: House, error: str, fix: str) -> None:
    """Never tried again as it is; the sentence is for the operator."""
    house.slack.faults["chat.postMessage"] = [Fault(error=error)]
    with pytest.raises(SurfaceRefused, match=error) as caught:
        await house.adapter.post(cards.held(), house.target, "copy-refused")
    assert fix in str(caught.value)


async def test_an_unknown_channel_is_refused_and_asked_for_again(house: House) -> None:
    """An operator who creates it need not restart us."""
    target = Target(surface="slack", address="#nowhere")
    for _ in range(2):
        with pytest.raises(SurfaceRefused, match="#nowhere"):
            await house.adapter.post(cards.held(), target, "copy-nowhere")
    assert _made(house.slack, "conversations.list") == 2


async def test_a_card_slack_refuses_becomes_a_minimal_one_without_controls(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """People are called all the same; nobody decides on what they cannot see; the fault is in the log."""
    house.slack.faults["chat.postMessage"] = [Fault(error="invalid_blocks")]
    ref = await house.adapter.post(cards.refund(), house.target, "copy-minimal")
    message = await house.slack.message(ref.ref["channel"], ref.ref["ts"])
    assert "Slack did not take this card" in await house.read_back(ref)
    assert "actions" not in [block["type"] for block in message["blocks"]]
    assert "rev_refund4721" in caplog.text


async def test_a_refused_redraw_becomes_a_minimal_one(house: House) -> None:
    """Old buttons never stay behind."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-minimal-2")
    house.slack.faults["chat.update"] = [Fault(error="msg_blocks_too_long")]
    await house.adapter.update(ref, cards.held())
    message = await house.slack.message(ref.ref["channel"], ref.ref["ts"])
    assert "actions" not in [block["type"] for block in message["blocks"]]


async def test_nobody_listening_is_not_ambiguous(build: Build) -> None:
    """Refused before it was sent: it may simply be posted later."""
    house = await build(api_url="http://127.0.0.1:9/api/")
    with pytest.raises(SurfaceUnavailable):
        await house.adapter.post(cards.held(), house.target, "copy-closed")


# ---------------------------------------------------------------------------------------------- health and life


async def test_health_is_asked_for_once_in_a_while(house: House) -> None:
    """Asked by every rung, answered from memory for some seconds."""
    house.slack.faults["auth.test"] = [Fault(error="token_revoked")]
    first = await house.adapter.health()
    assert not first.ok
    assert "PLACET_SLACK_BOT_TOKEN" in first.text
    assert await house.adapter.health() == first
    house.clock.move(timedelta(seconds=6))
    assert (await house.adapter.health()).ok
    assert _made(house.slack, "auth.test") == 2


async def test_socket_mode_takes_clicks_without_a_public_address(build: Build) -> None:
    """The same listeners; the acknowledgement goes back over the socket once the decision is kept."""
    house = await build(mode="socket")
    await house.slack.until(lambda: house.slack.sockets)
    ref = await house.adapter.post(cards.refund(), house.target, "copy-socket")
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, "placet:approve")
    envelope = {"type": "interactive", "envelope_id": "e-1", "accepts_response_payload": True, "payload": payload}
    await house.slack.sockets[0].send_json(envelope)
    await house.slack.until(lambda: house.slack.acked)
    assert house.slack.acked[0]["envelope_id"] == "e-1"
    assert [done.copy for done in house.desk.done] == ["copy-socket"]
    assert (await house.adapter.health()).ok
    assert house.adapter.routes() == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"X-Slack-Signature": "v0=00"}, 401),
        ({"X-Slack-Request-Timestamp": "soon"}, 401),
        ({"X-Slack-Request-Timestamp": ""}, 401),
        ({"X-Slack-Request-Timestamp": "1000000000"}, 401),
    ],
)
async def test_an_unsigned_request_is_turned_away(house: House, change: dict[str, str], status: int) -> None:
    """Nothing reaches the desk that Slack did not sign just now."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-unsigned")
    payload = await house.slack.press(ref.ref["channel"], ref.ref["ts"], house.ana.id, "placet:approve")
    assert (await house.send(payload, **change))[0] == status
    assert house.desk.done == []


@pytest.mark.parametrize(
    "body", ["payload=%7Bnot json", "payload=[]", "payload=[" + "[" * 99_999, "payload=%FF", 'payload={"team":3}']
)
async def test_a_malformed_body_is_400_and_no_traceback(house: House, body: str) -> None:
    """Also when it is signed."""
    raw, headers = signed(body)
    async with house.slack.session.post(house.url, data=raw, headers=headers) as answer:
        assert answer.status == 400
        assert "Traceback" not in await answer.text()
    assert house.desk.done == []


async def test_slacks_handshake_is_answered(house: House) -> None:
    """`url_verification`, sent when the address is entered in the app's settings."""
    body, headers = signed('{"type": "url_verification", "challenge": "abc", "token": "x"}')
    headers["Content-Type"] = "application/json"
    async with house.slack.session.post(house.url, data=body, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (200, {"challenge": "abc"})


def test_the_preview_needs_no_slack() -> None:
    """The web page's tab "how it looks in Slack" needs no Slack; the text is marked as escaped already."""
    shown = preview(cards.hostile())
    assert isinstance(shown, Markup)
    assert shown.startswith('<div class="slack-message">')
    assert "<script" not in shown


def test_create_makes_an_adapter_only_where_there_is_a_token() -> None:
    """No token: None. Half a set of secrets: a sentence."""
    clock = FixedClock()

    def made(config: dict[str, object], env: dict[str, str]) -> object:
        setup = Setup(
            config=config, env=env, desk=desk_of(), door=FakeDoor(clock), clock=clock, public_url="http://127.0.0.1"
        )
        return create(setup)

    env = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": "s"}
    assert made({}, {}) is None
    assert made({"mode": "http"}, {}) is None
    assert isinstance(made({}, env), SlackAdapter)
    with pytest.raises(SlackMisconfigured, match="PLACET_SLACK_SIGNING_SECRET"):
        made({}, {"PLACET_SLACK_BOT_TOKEN": TOKEN})
