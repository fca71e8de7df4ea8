"""From approval to act: redeemed once, for what was approved, in time; and how it went."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reviews.model import Object
from tests.fakes.app import REFUND, Answer, Caller, House, running
from tests.fakes.clock import FakeClock


async def _approved(house: House, agent: Caller, **fields: Any) -> Object:
    review = await agent.asked(**fields)
    assert (await house.press("approve", review)).answer == "done"
    return await agent.review(review["id"])


async def _redeem(agent: Caller, review: Object, digest: str | None = None, **headers: str) -> Answer:
    body = {"digest": digest or review["digest"]}
    return await agent.post(f"/v1/reviews/{review['id']}/redeem", body, **headers)


async def test_an_approval_is_good_for_one_act(house: House, agent: Caller) -> None:
    """Redeemed once; the same call by its key gets the same answer; any other is refused."""
    review = await _approved(house, agent)
    first = await _redeem(agent, review, Idempotency_Key="act")
    again = await _redeem(agent, review, Idempotency_Key="act")
    other = await _redeem(agent, review, Idempotency_Key="another")
    bare = await _redeem(agent, review)
    assert [answer.status for answer in (first, again, other, bare)] == [200, 200, 409, 409]
    assert first.body["redemption_id"] == again.body["redemption_id"] == first.body["review"]["grant"]["redemption_id"]
    assert first.body["review"]["grant"]["state"] == "used"


@pytest.mark.parametrize("store", ["memory://", "sqlite:///placet.db"])
async def test_of_twenty_redeeming_at_once_one_may_act(tmp_path: Path, store: str) -> None:
    """Twenty copies of one agent: exactly one 200."""
    async with running(tmp_path, store=store) as house:
        agent = await house.agent()
        review = await agent.asked("orders.list")
        answers = await asyncio.gather(*(_redeem(agent, review, Idempotency_Key=f"k{n}") for n in range(20)))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 19


async def test_only_what_was_approved_is_redeemed(house: House, agent: Caller) -> None:
    """Pending, another digest, the digest before an edit, rejected: refused, and the grant stays."""
    pending = await agent.asked()
    assert (await _redeem(agent, pending)).status == 409
    await house.press("edit", pending, arguments={**REFUND["arguments"], "amount": 10.0})
    edited = await agent.review(pending["id"])
    assert edited["decision"]["edited"] is True
    assert edited["decision"]["changes"] == [{"op": "replace", "path": "/amount", "value": 10.0}]
    for wrong in (pending["digest"], "0" * 64):
        assert (await _redeem(agent, edited, wrong)).status == 409
    assert (await _redeem(agent, edited)).status == 200
    rejected = await agent.asked()
    await house.press("reject", rejected)
    assert (await _redeem(agent, rejected)).status == 409


async def test_an_approval_lapses_and_can_be_taken_back(tmp_path: Path) -> None:
    """Past `valid_until`, or revoked: gone (410)."""
    clock = FakeClock(datetime.now(UTC))
    async with running(tmp_path, clock=clock) as house:
        agent = await house.agent()
        late, taken = await _approved(house, agent), await _approved(house, agent)
        await house.press("revoke", taken, person="bo", reason="Wrong customer.")
        assert (await _redeem(agent, taken)).status == 410
        clock.forward(timedelta(minutes=15))
        gone = await _redeem(agent, late)
        assert (gone.status, gone.body["review"]["grant"]["state"]) == (410, "lapsed")


async def test_how_it_went_is_kept(house: House, agent: Caller) -> None:
    """More than once, for what was approved; only known words."""
    review = await _approved(house, agent)
    for result in ("succeeded", "reverted"):
        answer = await agent.post(f"/v1/reviews/{review['id']}/outcome", {"result": result, "detail": "d"})
        assert answer.status == 200
    assert [outcome["result"] for outcome in answer.body["outcomes"]] == ["succeeded", "reverted"]
    wrong = await agent.post(f"/v1/reviews/{review['id']}/outcome", {"result": "great"})
    assert (wrong.status, wrong.pointers) == (422, ["/result"])


@pytest.mark.parametrize("store", ["memory://", "sqlite:///placet.db"])
async def test_thirty_at_once_get_no_more_than_there_is_room_for(tmp_path: Path, store: str) -> None:
    """The limit holds for requests that are counted while none of them is kept yet."""
    async with running(tmp_path, store=store) as house:
        agent = await house.agent(max_open=5)
        answers = await asyncio.gather(*(agent.ask() for _ in range(30)))
        assert sorted(answer.status for answer in answers) == [201] * 5 + [429] * 25
