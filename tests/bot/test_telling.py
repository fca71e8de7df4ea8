"""What an agent is told, and when: an approval that can be undone rests before it is told, and may never be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.operations import BadOperation
from bot.telling import UNDONE
from reviews.events import Answer
from reviews.keeping import Delivery
from reviews.model import Object
from reviews.ports import Asked
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
