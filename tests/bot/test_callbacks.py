"""What an agent is told, and when: an approval that can be undone rests before it is told, and may never be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.callbacks import STOPPED, UNDONE
from bot.hub import Waiter
from bot.operations import BadOperation
from reviews.events import Answer
from reviews.keeping import Delivery, Tx
from reviews.model import Object
from reviews.ports import Asked
from tests.fakes.app import Answer as HttpAnswer
from tests.fakes.app import Caller, House, running
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import Receiver

POLICY = """
policy: rests
version: 1
default: {tier: approve, role: manager, sla: 1h, valid_for: 15m, undo: 10s}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2}, "head": {"level": 3}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]},
        {"id": "bo", "name": "Bo Lindqvist", "roles": ["head", "manager"]},
        {"id": "cy", "name": "Cy Okafor"},
    ],
}
REST = timedelta(seconds=10)


@pytest.fixture
def clock() -> FakeClock:
    """Stands still at the present, which signatures are checked against."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture(params=["memory://", "sqlite:///placet.db"])
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver, clock: FakeClock
) -> AsyncIterator[House]:
    """A house where each approval rests for ten seconds."""
    config = CONFIG | {"callbacks": {"allow": [receiver.address]}}
    async with running(tmp_path, policy=POLICY, store=request.param, clock=clock, config=config) as made:
        yield made


async def _deliveries(house: House, review: Object) -> dict[str, Delivery]:
    found = await house.store.view(lambda tx: tx.deliveries(review=review["id"]))
    return {delivery.message: delivery for delivery in found}


async def test_an_approval_is_told_when_it_may_be_used(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """Whoever looks sees it at once, with from when it is good; too early is 423 with how long to wait."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("approve", review)
    shown = await agent.review(review["id"])
    assert (shown["status"], shown["route"]["undo_seconds"]) == ("approved", 10.0)
    assert datetime.fromisoformat(shown["grant"]["usable_from"]) - REST == clock.at.replace(
        microsecond=clock.at.microsecond // 1000 * 1000
    )
    early = await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})
    assert (early.status, early.headers["Retry-After"]) == (423, "10")
    assert "can still be undone" in early.body["detail"]
    told = (await _deliveries(house, review))["review.decided"]
    assert (told.state, told.due_at) == ("due", clock.at + REST)
    clock.forward(REST)
    house.app.hub.deliveries.set()
    assert json.loads((await receiver.next()).body)["type"] == "review.decided"
    assert (await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})).status == 200


@pytest.mark.parametrize(("verb", "person"), [("undo", "ana"), ("revoke", "bo")])
async def test_what_is_undone_in_time_is_never_told(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock, verb: str, person: str
) -> None:
    """By the voter or a senior: the agent hears of a revoked approval, not of one it could use."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("approve", review)
    assert (await house.press(verb, review, person=person, reason="A slip.")).answer is Answer.DONE
    assert json.loads((await receiver.next()).body)["type"] == "review.revoked"
    clock.forward(REST)
    house.app.hub.deliveries.set()
    unsaid = (await _deliveries(house, review))["review.decided"]
    assert (unsaid.state, unsaid.error) == ("gone", UNDONE)
    with pytest.raises(BadOperation, match="undone"):
        await house.app.operations.run("resend", {"delivery": unsaid.id})
    assert len(receiver.calls) == 1
    gone = await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})
    assert gone.status == 410


async def _approved_while_waiting(house: House, agent: Caller, review: Object) -> asyncio.Task[HttpAnswer]:
    """A long poll that has seen the approval, and a remark made after that."""
    entered = house.next_waiter()
    waiting = asyncio.create_task(agent.get(f"/v1/reviews/{review['id']}?wait=15"))
    await entered.wait()
    await house.press("approve", review)
    await house.press("comment", review, person="bo", reason="Said while it rests.")
    return waiting


async def test_waiting_ends_when_an_approval_may_be_used(house: House, agent: Caller, clock: FakeClock) -> None:
    """The instant it is good to redeem, though nothing changes then; not while it can still be undone."""
    review = await agent.asked()
    waiting = await _approved_while_waiting(house, agent, review)
    clock.forward(REST)
    told = (await waiting).body
    assert (told["status"], [said["text"] for said in told["decision"]["comments"]]) == (
        "approved",
        ["Said while it rests."],
    )
    assert (await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})).status == 200


async def test_waiting_ends_when_an_approval_is_undone(house: House, agent: Caller) -> None:
    """Then the agent never read a yes."""
    review = await agent.asked()
    waiting = await _approved_while_waiting(house, agent, review)
    assert (await house.press("undo", review)).answer is Answer.DONE
    assert (await waiting).body["grant"]["state"] == "revoked"


async def test_nothing_need_happen_for_waiting_to_end(
    house: House, agent: Caller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock alone: whoever waits sleeps until the instant the approval may be used, and no longer."""
    review = await agent.asked()
    await house.press("approve", review)
    clock.forward(REST - timedelta(seconds=0.25))
    slept: list[float] = []

    async def sleep(_: Waiter, seconds: float) -> bool:
        slept.append(seconds)
        clock.forward(timedelta(seconds=seconds))
        return False

    monkeypatch.setattr(Waiter, "wait", sleep)
    assert (await agent.get(f"/v1/reviews/{review['id']}?wait=15")).body["status"] == "approved"
    assert slept == [0.25]


async def test_the_history_says_from_when_an_approval_is_good(house: House, agent: Caller, clock: FakeClock) -> None:
    """What is told as it happens is no right to act yet: the line says when it becomes one."""
    review = await agent.asked()
    await house.press("approve", review)
    items = (await agent.get(f"/v1/reviews/{review['id']}/events")).body["items"]
    assert items[-1]["type"] == "review.approved"
    assert datetime.fromisoformat(items[-1]["detail"]["usable_from"]) == clock.at + REST


async def test_what_was_told_stays_told(house: House, agent: Caller, receiver: Receiver, clock: FakeClock) -> None:
    """Undone later, unused still, the agent hears both."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("approve", review)
    clock.forward(REST)
    house.app.hub.deliveries.set()
    await receiver.next()
    assert (await house.press("undo", review)).answer is Answer.DONE
    assert json.loads((await receiver.next()).body)["type"] == "review.revoked"
    assert (await _deliveries(house, review))["review.decided"].error is None


async def test_a_rejection_does_not_rest(house: House, agent: Caller, receiver: Receiver) -> None:
    """Only what could be acted on waits."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("reject", review)
    assert json.loads((await receiver.next()).body)["data"]["grant"] is None


async def test_what_a_person_asked_is_used_once_it_may_be(house: House, clock: FakeClock) -> None:
    """No program acts on it, so the house uses it when its rest is over, not before."""
    person = house.app.directory.person("cy")
    assert person is not None
    asked = await house.app.desk.ask(Asked(person=person, summary="May I?", text="Once.", once="1"))
    assert asked.review is not None
    seen: Object = {"id": asked.review.id, "revision": 1}
    assert (await house.press("approve", seen)).answer is Answer.DONE
    states = []
    for rest in (timedelta(0), REST):
        clock.forward(rest)
        await house.app.desk.look()
        review = await house.store.view(lambda tx: tx.read(seen["id"]))
        assert review is not None
        assert review.grant is not None
        states.append(review.grant.state)
    assert states == ["open", "used"]


# ---------------------------------------------------------------------------------------------- whatever comes between


async def test_a_restart_tells_no_approval_sooner(tmp_path: Path, receiver: Receiver, clock: FakeClock) -> None:
    """A new process takes up at once what the one before had under way; what rests is not under way."""
    config = CONFIG | {"callbacks": {"allow": [receiver.address]}}
    store = "sqlite:///placet.db"
    async with running(tmp_path, policy=POLICY, store=store, clock=clock, config=config) as first:
        review = await (await first.agent()).asked(callback_url=receiver.url())
        await first.press("approve", review)
    clock.forward(REST / 2)
    async with running(tmp_path, policy=POLICY, store=store, clock=clock, config=config) as second:
        await _put_back(second, review, clock.at + REST / 2)
        assert receiver.calls == []
        assert (await second.press("undo", review)).answer is Answer.DONE
        assert json.loads((await receiver.next()).body)["type"] == "review.revoked"
        assert (await _deliveries(second, review))["review.decided"].error == UNDONE


async def test_sending_it_again_tells_no_approval_sooner(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """An operator's `resend` waits too."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("approve", review)
    resting = (await _deliveries(house, review))["review.decided"]
    await house.app.operations.run("resend", {"delivery": resting.id})
    house.app.hub.deliveries.set()
    await _put_back(house, review, resting.due_at)
    assert receiver.calls == []


async def test_a_stopped_agent_hears_no_approval(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """What was approved before the stop and not told yet is told once the agent may go on."""
    review = await agent.asked(callback_url=receiver.url())
    await house.press("approve", review)
    await house.app.operations.run("agent.stop", {"name": agent.name, "reason": "Odd refunds."})
    assert json.loads((await receiver.next()).body)["type"] == "agent.stopped"
    clock.forward(REST)
    house.app.hub.deliveries.set()
    await _put_back(house, review, clock.at + STOPPED)
    assert len(receiver.calls) == 1
    await house.app.operations.run("agent.resume", {"name": agent.name})
    assert json.loads((await receiver.next()).body)["type"] == "agent.resumed"
    clock.forward(STOPPED)
    house.app.hub.deliveries.set()
    assert json.loads((await receiver.next()).body)["type"] == "review.decided"


async def test_of_an_approval_taken_back_the_agent_hears_last_that_it_was(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock
) -> None:
    """A message that waits to be repeated is not repeated after the one that says it no longer holds."""
    review = await agent.asked(callback_url=receiver.url("/500"))
    await house.press("approve", review)
    clock.forward(REST)
    house.app.hub.deliveries.set()
    await receiver.next("/500")
    await house.store.until(lambda tx: next((d for d in tx.deliveries(review=review["id"]) if d.attempts == 1), None))
    receiver.answers["/500"] = 200
    assert (await house.press("undo", review)).answer is Answer.DONE
    assert json.loads((await receiver.next("/500")).body)["type"] == "review.revoked"
    assert (await _deliveries(house, review))["review.decided"].state == "gone"


@pytest.mark.parametrize("metadata", [{"usable_from": "2999-01-01T00:00:00.000Z"}, {"grant": {"usable_from": "x"}}])
async def test_an_agents_own_words_hold_nothing_back(
    house: House, agent: Caller, receiver: Receiver, clock: FakeClock, metadata: Object
) -> None:
    """Only the house's own word on the approval counts."""
    review = await agent.asked(callback_url=receiver.url(), metadata=metadata)
    await house.press("reject", review)
    assert json.loads((await receiver.next()).body)["data"]["decision"]["verdict"] == "rejected"


async def _put_back(house: House, review: Object, until: datetime) -> None:
    """Wait until the courier had the approval in hand, and put it back until then (agents read milliseconds)."""

    def look(tx: Tx) -> bool | None:
        found = [d for d in tx.deliveries(review=review["id"]) if d.message == "review.decided" and d.state == "due"]
        return any(d.attempts == 0 and abs(d.due_at - until) < timedelta(milliseconds=1) for d in found) or None

    await house.store.until(look)
