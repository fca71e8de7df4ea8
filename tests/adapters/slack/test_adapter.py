"""Posts, updates and finds against an emulated Slack that also fails in every way we know."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from adapters.port import Setup
from adapters.slack.adapter import EVENT_TYPE, SlackAdapter, create, preview
from adapters.slack.config import SlackMisconfigured
from reviews.card import Happening
from reviews.errors import SurfaceAmbiguous, SurfaceBlind, SurfaceRefused, SurfaceUnavailable
from reviews.model import Target
from reviews.ports import MessageRef
from reviews.values import replace
from tests.adapters.slack.checker import seen
from tests.adapters.slack.conftest import Build, House
from tests.fakes import cards
from tests.fakes.desk import FakeDoor, FixedClock, desk_of
from tests.fakes.references import FakeReferences
from tests.fakes.slack import Fault, Slack
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


async def test_a_card_is_redrawn_though_its_details_were_deleted(house: House) -> None:
    """Buttons that are over must go, whatever became of the reply beneath."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-7")
    house.slack.faults["chat.update"] = [None, Fault(error="message_not_found")]
    await house.adapter.update(ref, cards.decided())
    assert len([method for method, _ in house.slack.calls if method == "chat.update"]) == 2
    assert "placet:approve" not in json.dumps(await house.slack.message(ref.ref["channel"], ref.ref["ts"]))


async def test_a_post_carries_its_copy_id_and_unfurls_nothing(house: House) -> None:
    """`find` needs the one; a link's preview would be an agent's words outside the card."""
    await house.adapter.post(cards.held(), house.target, "copy-meta")
    args = next(args for method, args in house.slack.calls if method == "chat.postMessage")
    assert args["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"copy": "copy-meta"}}
    assert str(args["unfurl_links"]) in ("0", "False")
    assert str(args["unfurl_media"]) in ("0", "False")
    assert args["text"] == cards.held().fallback


async def test_a_decided_card_has_no_controls(house: House) -> None:
    """Every copy loses its buttons; the menu of what is rare may stay."""
    ref = await house.adapter.post(cards.refund(), house.target, "copy-over")
    before = await house.slack.message(ref.ref["channel"], ref.ref["ts"])
    await house.adapter.update(ref, cards.decided())
    after = await house.slack.message(ref.ref["channel"], ref.ref["ts"])
    assert '"placet:approve"' in json.dumps(before)
    assert '"placet:approve"' not in json.dumps(after)
    assert "button" not in [e["type"] for block in after["blocks"] for e in block.get("elements", ())]


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


# ---------------------------------------------------------------------------------------------- beneath and beside


_NEWS = (
    Happening(at=cards.NOW, text="Bo Lindqvist was called <!here>"),
    Happening(at=cards.NOW + timedelta(minutes=3), text="Ana Ruiz approved"),
)


async def test_news_is_said_beneath_the_card(house: House) -> None:
    """One reply for all of it; whoever follows the thread is notified, and nobody is mentioned by an agent's words."""
    ref = await house.adapter.post(cards.held(), house.target, "copy-news")
    await house.adapter.note(ref, _NEWS)
    replies = [args for method, args in house.slack.calls if args.get("thread_ts") == ref.ref["ts"]]
    said = replies[-1]
    assert "Bo Lindqvist was called <!here>" in seen(said["blocks"])
    assert "Ana Ruiz approved" in seen(said["blocks"])
    assert "<!here>" not in said["text"]
    assert "copy-news" not in json.dumps(said)


async def test_no_news_says_nothing(house: House) -> None:
    """An empty reply would be refused."""
    ref = await house.adapter.post(cards.held(), house.target, "copy-none")
    before = len(house.slack.calls)
    await house.adapter.note(ref, ())
    assert len(house.slack.calls) == before


async def test_news_that_was_lost_is_ambiguous(house: House) -> None:
    """Said at most once, so the caller must know that it may have been."""
    ref = await house.adapter.post(cards.held(), house.target, "copy-lost-news")
    house.slack.faults["chat.postMessage"] = [Fault(status=500)]
    with pytest.raises(SurfaceAmbiguous):
        await house.adapter.note(ref, _NEWS)


async def test_a_card_may_lie_in_a_thread(house: House) -> None:
    """Where somebody asked: card, details and news are replies there, and it is found there; it has no mark, for what
    is said there need not be about the review."""
    asked = await house.slack.ask("chat.postMessage", {"channel": house.target.address, "text": "May we?"})
    target = replace(house.target, thread=asked["ts"])
    ref = await house.adapter.post(cards.refund(), target, "copy-in-thread")
    await house.adapter.note(ref, _NEWS)
    posts = [args for method, args in house.slack.calls if method == "chat.postMessage"]
    assert {args["thread_ts"] for args in posts} == {asked["ts"]}
    assert ref.mark == ""
    found = await house.adapter.find("copy-in-thread", target, _since())
    assert found is not None
    assert found.ref.items() <= ref.ref.items()
    assert await house.adapter.find("copy-in-thread", house.target, _since()) is None


async def test_a_card_is_marked_by_what_replies_name(house: House) -> None:
    """Channel and `ts`; the one found again has the same."""
    ref = await house.adapter.post(cards.held(), house.target, "copy-mark")
    assert ref.mark == f"{ref.ref['channel']}:{ref.ref['ts']}"
    found = await house.adapter.find("copy-mark", house.target, _since())
    assert found is not None
    assert found.mark == ref.mark


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel"])
async def test_find_says_when_it_may_not_look(house: House, error: str) -> None:
    """That is no refusal of the card: it may be there."""
    house.slack.faults["conversations.history"] = [Fault(error=error)]
    with pytest.raises(SurfaceBlind, match=error):
        await house.adapter.find("copy-any", house.target, _since())


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
    await house.known()
    house.slack.calls.clear()
    house.slack.faults["auth.test"] = [Fault(error="token_revoked")]
    first = await house.adapter.health()
    assert not first.ok
    assert "PLACET_SLACK_BOT_TOKEN" in first.text
    assert await house.adapter.health() == first
    house.clock.move(timedelta(seconds=6))
    assert (await house.adapter.health()).ok
    assert _made(house.slack, "auth.test") == 2


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
            config=config,
            env=env,
            desk=desk_of(),
            door=FakeDoor(clock),
            references=FakeReferences(),
            clock=clock,
            public_url="http://127.0.0.1",
        )
        return create(setup)

    env = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": "s"}
    assert made({}, {}) is None
    assert made({"mode": "http"}, {}) is None
    assert isinstance(made({}, env), SlackAdapter)
    with pytest.raises(SlackMisconfigured, match="PLACET_SLACK_SIGNING_SECRET"):
        made({}, {"PLACET_SLACK_BOT_TOKEN": TOKEN})
