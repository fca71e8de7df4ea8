"""Callbacks: signed, at least once, each receiver on its own time, whatever receivers do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import cast
from urllib.parse import quote

import jsonschema_rs
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.courier import BACKOFF, LEASE, PER_RECEIVER
from bot.openapi.schemas import components
from bot.wire import MAX_CALLBACK
from reviews.errors import StoreUnavailable
from reviews.keeping import Delivery, Store, Tx
from tests.fakes.app import PATIENCE, Caller, House, running
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import Call, Receiver, closed_port, receiving

LATER = timedelta(minutes=5)


@pytest.fixture
def clock() -> FakeClock:
    """Stands still at the present, which signatures are checked against."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def house(tmp_path: Path, receiver: Receiver, clock: FakeClock) -> AsyncIterator[House]:
    """A house whose time stands still."""
    async with running(tmp_path, clock=clock, config={"callbacks": {"allow": ["127.0.0.0/8"]}}) as made:
        yield made


async def _told(agent: Caller, url: str, action: str = "orders.list") -> str:
    """Ask for what the policy approves at once, so that a callback goes out. The delivery's id."""
    review = await agent.asked(action, callback_url=url)
    assert review["status"] == "approved"
    return f"msg_{review['id'].removeprefix('rev_')}_decided"


def _delivery(tx: Tx, delivery: str) -> Delivery:
    return next(d for d in tx.deliveries(limit=1000) if d.id == delivery)


async def _came_to(house: House, delivery: str, state: str, attempts: int) -> Delivery:
    """The delivery, once it has been tried so often and stands so."""

    def look(tx: Tx) -> Delivery | None:
        found = _delivery(tx, delivery)
        return found if (found.state, found.attempts) == (state, attempts) else None

    return await house.store.until(look)


def _again(house: House, clock: FakeClock, after: timedelta) -> None:
    """Let time pass, and the courier look."""
    clock.forward(after)
    house.app.hub.deliveries.set()


def _verified(call: Call, secret: str) -> object:
    return Webhook(secret).verify(call.body, dict(call.headers))


# ---------------------------------------------------------------------------------------------- what is sent


async def test_a_decision_arrives_signed(house: House, agent: Caller, receiver: Receiver) -> None:
    """Agents check it with the library of the standard; a changed byte or another secret does not pass."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("approve", review)
    call = await receiver.next()
    assert _verified(call, agent.secret) == json.loads(call.body)
    for wrong in (replace(call, body=call.body + b" "), replace(call, body=call.body.replace(b"180.0", b"999.0"))):
        with pytest.raises(WebhookVerificationError):
            _verified(wrong, agent.secret)
    stranger = await house.agent("stranger")
    with pytest.raises(WebhookVerificationError):
        _verified(call, stranger.secret)


async def test_what_arrives_is_the_review_as_documented(house: House, agent: Caller, receiver: Receiver) -> None:
    """Type, instant, and the whole decision; the context the agent sent is left out."""
    review = await agent.asked(callback_url=receiver.url(), metadata={"run": 17}, context={"goal": "to help"})
    await house.press("reject", review, reason="Not ours to refund.")
    call = await receiver.next()
    body = json.loads(call.body)
    schema = {"$ref": "#/components/schemas/Callback", "components": {"schemas": components()}}
    jsonschema_rs.Draft202012Validator(schema).validate(body)
    assert body["type"] == "review.decided"
    assert body["data"]["decision"]["reason"] == "Not ours to refund."
    assert body["data"]["metadata"] == {"run": 17}
    assert b"to help" not in call.body
    assert call.headers["content-type"] == "application/json"
    assert "cookie" not in call.headers


async def test_changes_asked_for_are_told_too(house: House, agent: Caller, receiver: Receiver) -> None:
    """The agent's turn is news for it."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("request_changes", review, reason="Name the order.")
    body = json.loads((await receiver.next()).body)
    assert body["type"] == "review.changes_requested"
    assert body["data"]["changes_requested"][0]["text"] == "Name the order."


async def test_a_callback_stays_small(house: House, agent: Caller, receiver: Receiver) -> None:
    """What would make it longer than 20 KB is left out, and said to be; the digest still binds it."""
    huge = {"name": "orders.list", "arguments": {"note": "é" * 50_000}}
    review = await agent.asked(huge, callback_url=receiver.url(), metadata={"big": "m" * 50_000}, subject="s" * 500)
    call = await receiver.next()
    data = json.loads(call.body)["data"]
    assert len(call.body) <= MAX_CALLBACK
    assert data["truncated"] is True
    assert data["decision"]["action"] is None
    assert data["decision"]["digest"] == review["digest"]
    assert (await agent.review(review["id"]))["decision"]["action"]["arguments"] == huge["arguments"]


async def test_both_secrets_sign_while_one_is_changed(house: House, agent: Caller, receiver: Receiver) -> None:
    """A receiver may change over in its own time; the one before the last no longer signs."""
    second = (await house.app.operations.run("agent.secret", {"name": agent.name}))["secret"]
    await _told(agent, receiver.url())
    call = await receiver.next()
    assert len(call.headers["webhook-signature"].split()) == 2
    assert _verified(call, agent.secret) == _verified(call, second)
    third = (await house.app.operations.run("agent.secret", {"name": agent.name}))["secret"]
    await _told(agent, receiver.url())
    call = await receiver.next()
    assert _verified(call, second) == _verified(call, third)
    with pytest.raises(WebhookVerificationError):
        _verified(call, agent.secret)


# ---------------------------------------------------------------------------------------------- when it fails


@pytest.mark.parametrize(("path", "said"), [("/500", "500"), ("/404", "404"), ("/301", "301"), ("/redirect", "307")])
async def test_anything_but_2xx_is_tried_again(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock, path: str, said: str
) -> None:
    """Kept as due in about five seconds, with what was answered; redirects are not followed."""
    delivery = await _told(agent, receiver.url(path))
    await receiver.next(path)
    kept = await _came_to(house, delivery, "due", 1)
    assert said in (kept.error or "")
    assert timedelta(seconds=4) <= kept.due_at - clock.now() <= timedelta(seconds=6)
    assert [call.path for call in receiver.calls] == [path]


async def test_a_receiver_that_is_not_there_is_tried_again(house: House, agent: Caller) -> None:
    """A refused connection is a failure like another; the agent's review is decided all the same."""
    delivery = await _told(agent, f"http://127.0.0.1:{closed_port()}/hook")
    kept = await _came_to(house, delivery, "due", 1)
    assert "Connect" in (kept.error or "")


async def test_a_host_that_cannot_be_one_is_a_failure_not_a_fault(house: House, agent: Caller) -> None:
    """A label too long for DNS fails before any lookup; the courier goes on, and it is tried again."""
    delivery = await _told(agent, f"https://{'a' * 64}.invalid/hook")
    kept = await _came_to(house, delivery, "due", 1)
    assert kept.error
    assert house.app.workers.failing == {}


async def test_410_ends_it(house: House, agent: Caller, receiver: Receiver, clock: FakeClock) -> None:
    """The receiver wants no more of this one: never tried again."""
    delivery = await _told(agent, receiver.url("/410"))
    await _came_to(house, delivery, "gone", 1)
    _again(house, clock, timedelta(days=2))
    other = await _told(agent, receiver.url())
    await _came_to(house, other, "done", 1)
    assert [call.path for call in receiver.calls] == ["/410", "/ok"]


@pytest.mark.parametrize("asked", ["3600", "date"])
async def test_retry_after_is_honoured(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock, asked: str
) -> None:
    """In seconds or as a date (RFC 9110 §10.2.3), when it is later than we would come anyway."""
    until = clock.now() + timedelta(hours=1)
    wait = asked if asked.isdigit() else format_datetime(until, usegmt=True)
    delivery = await _told(agent, receiver.url(f"/later/{quote(wait)}"))
    kept = await _came_to(house, delivery, "due", 1)
    assert abs(kept.due_at - until) <= timedelta(seconds=1)


@pytest.mark.parametrize("asked", ["999999999999", "-5", "soon", "Mon, 01 Jan 2035 00:00:00 +99999999999", "٣"])
async def test_a_retry_after_gone_wrong_changes_little(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock, asked: str
) -> None:
    """Nonsense is passed over, and nobody is put off for more than a day."""
    delivery = await _told(agent, receiver.url(f"/later/{quote(asked)}"))
    kept = await _came_to(house, delivery, "due", 1)
    assert timedelta(seconds=4) <= kept.due_at - clock.now() <= timedelta(days=1)


async def test_a_repeat_is_the_same_message(house: House, agent: Caller, receiver: Receiver, clock: FakeClock) -> None:
    """The same webhook-id and the same bytes, though the review went on meanwhile; signed afresh."""
    delivery = await _told(agent, receiver.url("/500"))
    first = await receiver.next("/500")
    await _came_to(house, delivery, "due", 1)
    review = delivery.removeprefix("msg_").removesuffix("_decided")
    await agent.post(f"/v1/reviews/rev_{review}/outcome", {"result": "failed"})
    receiver.answers["/500"] = 200
    _again(house, clock, timedelta(seconds=7))
    second = await receiver.next("/500")
    await _came_to(house, delivery, "done", 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert _verified(first, agent.secret) == _verified(second, agent.secret)


async def test_after_the_last_try_people_can_send_it_again(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """Nine tries over two days, then a dead letter in the log; `resend` sends the same message, and it is done."""
    delivery = await _told(agent, receiver.url("/500"))
    for attempt, pause in enumerate(BACKOFF, start=1):
        await receiver.next("/500")
        await _came_to(house, delivery, "due", attempt)
        _again(house, clock, pause * 1.3)
    await receiver.next("/500")
    await _came_to(house, delivery, "dead", len(BACKOFF) + 1)
    log = await house.store.view(lambda tx: tx.log(limit=1000))
    assert [entry.detail["delivery"] for entry in log if entry.kind == "delivery.dead"] == [delivery]
    receiver.answers["/500"] = 200
    await house.app.operations.run("resend", {"delivery": delivery})
    house.app.hub.deliveries.set()
    again = await receiver.next("/500")
    await _came_to(house, delivery, "done", 1)
    assert {call.body for call in receiver.calls} == {again.body}


# ---------------------------------------------------------------------------------------------- who is not harmed


async def test_hanging_receivers_delay_nobody_else(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """While more messages hang than one receiver may hold, others arrive, and people's presses are answered."""
    async with receiving() as hanging:
        stuck = [await _told(agent, hanging.url("/hang")) for _ in range(PER_RECEIVER + 3)]
        for _ in range(PER_RECEIVER):
            await hanging.next("/hang")
        review = await agent.asked(callback_url=receiver.url())
        assert (await house.press("approve", review)).answer == "done"
        await receiver.next()
        assert len(hanging.calls) == PER_RECEIVER
        hanging.release()
        for delivery in stuck[:PER_RECEIVER]:
            await _came_to(house, delivery, "done", 1)
        _again(house, clock, timedelta(seconds=2))
        for delivery in stuck:
            await _came_to(house, delivery, "done", 1)


async def test_no_more_is_claimed_than_a_receiver_may_hold(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """What waits for a hanging receiver stays due, by no lease: it weighs on nobody, and goes when there is room."""
    async with receiving() as hanging:
        for _ in range(3 * PER_RECEIVER):
            await _told(agent, hanging.url("/hang"))
        for _ in range(PER_RECEIVER):
            await hanging.next("/hang")
        await _told(agent, receiver.url())
        await receiver.next()
        waiting = await house.store.view(lambda tx: [d for d in tx.deliveries(limit=1000) if d.state == "due"])
        assert len([d for d in waiting if d.due_at <= clock.now()]) == 2 * PER_RECEIVER
        hanging.release()
        for _ in range(2 * PER_RECEIVER):
            await hanging.next("/hang")


async def test_what_arrived_while_the_store_was_gone_is_kept_later(
    house: House, agent: Caller, receiver: Receiver
) -> None:
    """The receiver took it; it is kept as done once the store is back, and is not sent again."""
    courier, store = house.app.courier, house.app.courier._store
    refused = asyncio.Event()

    class Gone:
        """A store that takes nothing."""

        async def tx(self, fn: object) -> object:
            """Refuse."""
            refused.set()
            raise StoreUnavailable("the disk is full")

    async with receiving() as hanging:
        delivery = await _told(agent, hanging.url("/hang"))
        await hanging.next("/hang")
        courier._store = cast("Store", Gone())
        hanging.release()
        async with asyncio.timeout(PATIENCE):
            await refused.wait()
        courier._store = store
        await _came_to(house, delivery, "done", 1)
        assert len(hanging.calls) == 1
    log = await house.store.view(lambda tx: tx.log(limit=1000))
    assert [entry.detail["delivery"] for entry in log if entry.kind == "delivery.done"] == [delivery]


async def test_what_ends_after_its_lease_is_not_told_twice(
    house: House, agent: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    """A second worker took it over and delivered it: the first one's end changes nothing and is not in the log."""
    async with receiving() as hanging:
        delivery = await _told(agent, hanging.url("/hang"))
        await hanging.next("/hang")
        _again(house, clock, LEASE)
        await hanging.next("/hang")
        hanging.release()
        await _came_to(house, delivery, "done", 1)
        await _told(agent, receiver.url())
        await receiver.next()
        await house.store.until(lambda tx: all(d.state == "done" for d in tx.deliveries()) or None)
    log = await house.store.view(lambda tx: tx.log(limit=1000))
    assert len([1 for entry in log if entry.kind == "delivery.done" and entry.detail["delivery"] == delivery]) == 1


async def test_a_revoked_agent_is_told_nothing_more(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """Its messages are dead letters, not sent to whoever holds the address now."""
    delivery = await _told(agent, receiver.url("/500"))
    await _came_to(house, delivery, "due", 1)
    await house.app.operations.run("agent.revoke", {"name": agent.name})
    _again(house, clock, LATER)
    kept = await _came_to(house, delivery, "dead", 2)
    assert "revoked" in (kept.error or "")
    assert len(receiver.calls) == 1


async def test_a_host_taken_off_the_list_is_not_called_again(
    tmp_path: Path, receiver: Receiver, clock: FakeClock
) -> None:
    """The list of now counts, not that of when the agent asked; the message stays due, with the reason."""
    store = "sqlite:///placet.db"
    async with running(
        tmp_path, store=store, clock=clock, config={"callbacks": {"allow": [receiver.address]}}
    ) as open_:
        delivery = await _told(await open_.agent(), receiver.url("/500"))
        await _came_to(open_, delivery, "due", 1)
    clock.forward(LATER)
    async with running(tmp_path, store=store, clock=clock) as shut:
        kept = await _came_to(shut, delivery, "due", 2)
    assert "callbacks.allow" in (kept.error or "")
    assert len(receiver.calls) == 1


async def test_what_was_due_at_a_restart_still_arrives_once(
    tmp_path: Path, receiver: Receiver, clock: FakeClock
) -> None:
    """The row is the truth: a new process sends what the old one could not, under the same id."""
    store = "sqlite:///placet.db"
    config = {"callbacks": {"allow": [receiver.address]}}
    async with running(tmp_path, store=store, clock=clock, config=config) as first:
        delivery = await _told(await first.agent(), receiver.url("/500"))
        await _came_to(first, delivery, "due", 1)
    receiver.answers["/500"] = 200
    clock.forward(LATER)
    async with running(tmp_path, store=store, clock=clock, config=config) as second:
        await _came_to(second, delivery, "done", 2)
    assert {call.headers["webhook-id"] for call in receiver.calls} == {delivery}
    assert len(receiver.calls) == 2
