"""Reviews that follow from a review: a look afterwards, an appeal, an account of broken glass; each in one go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.config import parse
from bot.people import Directory
from reviews.errors import StoreUnavailable
from reviews.events import Answer
from reviews.keeping import Query
from reviews.model import Object, Relation, Review
from reviews.ports import Notice
from tests.fakes.app import Caller, House, running
from tests.fakes.receiver import Receiver

POLICY = """
policy: links
version: 1
actions:
  mail.send: {risk: low, reversible: true}
rules:
  - {name: looked at, when: 'action.name == "mail.send"', route: {tier: sample, rate: 1.0, role: clerk, sla: 1h}}
default: {tier: approve, role: clerk, sla: 1h, valid_for: 1h}
"""
CONFIG: Object = {
    "roles": {
        "clerk": {"level": 1},
        "manager": {"level": 2, "may": ["appeal"]},
        "director": {"level": 3},
        "fire": {"level": 1, "may": ["break_glass"]},
    },
    "people": [
        {"id": "cy", "name": "Cy Okafor", "roles": ["clerk"]},
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]},
        {"id": "bo", "name": "Bo Lindqvist", "roles": ["manager"]},
        {"id": "di", "name": "Di Moreau", "roles": ["fire"]},
        {"id": "eve", "name": "Eve Petrov", "roles": ["fire", "clerk"]},
        {"id": "own", "name": "Olu Wen"},
    ],
}
WHY = "The customer has sent the receipt since."


@pytest.fixture(params=["memory://", "sqlite:///placet.db"])
async def house(request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver) -> AsyncIterator[House]:
    """A running Placet, on each store."""
    config = CONFIG | {"callbacks": {"allow": [receiver.address]}}
    async with running(tmp_path, policy=POLICY, store=request.param, config=config) as made:
        yield made


@pytest.fixture
async def agent(house: House) -> Caller:
    """An agent that somebody owns."""
    return await house.agent(owners=["own"])


async def _all(house: House) -> list[Review]:
    return await house.store.view(lambda tx: tx.find(Query(order="oldest")))


async def _rejected(house: House, agent: Caller, **more: Any) -> Object:
    review = await agent.asked(**more)
    assert (await house.press("reject", review, person="cy", reason="No receipt.")).answer is Answer.DONE
    return review


async def test_a_sample_drawn_is_looked_at_and_never_holds_the_agent_up(tmp_path: Path) -> None:
    """The agent acts at once; the look afterwards takes none of its room, and what people say of it grants nothing."""
    async with running(tmp_path, policy=POLICY, config=CONFIG) as house:
        agent = await house.agent(max_open=1)
        asked = [await agent.asked("mail.send") for _ in range(3)]
        assert {review["status"] for review in asked} == {"approved"}
        linked = [review for review in await _all(house) if review.about]
        assert {review.about for review in linked} == {review["id"] for review in asked}
        seen = {"id": linked[0].id, "revision": 1}
        assert (await house.press("approve", seen, person="cy")).answer is Answer.DONE
        after = await house.store.view(lambda tx: tx.read(linked[0].id))
        assert after is not None
        assert after.grant is None
        pending = await agent.asked()
        assert (await agent.ask()).status == 429, "what it asks for itself takes its room"
        assert pending["relation"] is None


async def test_an_appeal_goes_to_somebody_more_senior(house: House, agent: Caller, receiver: Receiver) -> None:
    """The rejection stands, and names the review that looks again; who rejected it has no say in that one."""
    review = await _rejected(house, agent, callback_url=receiver.url())
    assert json.loads((await receiver.next()).body)["type"] == "review.decided"
    done = await house.press("appeal", review, person="own", reason=WHY)
    assert done.answer is Answer.DONE, done.text
    first = await agent.review(review["id"])
    assert (first["status"], first["links"]["appeal"]) == ("rejected", f"{house.url}/v1/reviews/{first['appeal']}")
    second = await agent.review(first["appeal"])
    assert (second["about"], second["relation"], second["status"]) == (review["id"], "appeal", "pending")
    assert second["route"]["needs"] == [{"level": 2}]
    told = json.loads((await receiver.next()).body)
    assert (told["type"], told["data"]["appeal"]) == ("review.appealed", second["id"])
    assert (await house.press("approve", second, person="cy")).answer is Answer.FORBIDDEN
    assert (await house.press("approve", second, person="ana")).answer is Answer.DONE
    assert json.loads((await receiver.next()).body)["data"]["about"] == review["id"]
    used = await agent.post(f"/v1/reviews/{second['id']}/redeem", {"digest": second["digest"]})
    assert used.status == 200
    assert (await agent.review(review["id"]))["status"] == "rejected"


async def test_who_may_appeal_and_when_nobody_is_senior_enough(house: House, agent: Caller) -> None:
    """The owners and those whose role says so; above whoever rejected it somebody must be left who may decide it."""
    review = await _rejected(house, agent)
    assert (await house.press("appeal", review, person="eve", reason=WHY)).answer is Answer.FORBIDDEN
    assert (await house.press("appeal", review, person="ana", reason=WHY)).answer is Answer.DONE
    again = await house.press("appeal", review, person="bo", reason=WHY)
    assert again.answer is not Answer.DONE
    linked = (await _all(house))[-1]
    seen = {"id": linked.id, "revision": 1}
    assert (await house.press("approve", seen, person="ana")).answer is Answer.FORBIDDEN, "it is her own appeal"
    assert (await house.press("reject", seen, person="bo")).answer is Answer.DONE
    top = await house.press("appeal", seen, person="own", reason=WHY)
    assert top.answer is Answer.REFUSED
    assert "more senior" in top.text


async def test_broken_glass_is_looked_at_afterwards(house: House, agent: Caller) -> None:
    """One asks, a second observes, the approval is short; then those it was for say whether it was right."""
    review = await agent.asked()
    first = await house.press("break_glass", review, person="di", reason="Production is down.")
    assert first.answer is Answer.DONE, first.text
    assert (await agent.review(review["id"]))["status"] == "pending"
    second = await house.press("break_glass", review, person="eve", reason="I see it too.")
    assert second.answer is Answer.DONE, second.text
    broken = await agent.review(review["id"])
    assert (broken["status"], broken["decision"]["cause"]) == ("approved", "break_glass")
    assert [seat["person"] for seat in broken["decision"]["by"]] == ["di", "eve"]
    after = (await _all(house))[-1]
    assert (after.about, after.relation, after.excluded) == (
        review["id"],
        Relation.AFTER_GLASS,
        frozenset({"di", "eve"}),
    )
    seen = {"id": after.id, "revision": 1}
    assert (await house.press("approve", seen, person="eve")).answer is Answer.FORBIDDEN
    assert (await house.press("reject", seen, person="cy")).answer is Answer.DONE


async def test_the_glass_is_for_those_whose_role_says_so(house: House, agent: Caller) -> None:
    """No name of a role gives the right; a token is not enough for it."""
    review = await agent.asked()
    assert (await house.press("break_glass", review, person="cy", reason="Now!")).answer is Answer.FORBIDDEN
    person = await house.person("di")
    vote = {"vote": "break_glass", "revision": 1, "reason": "Now!"}
    assert (await person.post(f"/v1/reviews/{review['id']}/votes", vote)).status == 403


async def test_what_follows_is_kept_with_what_it_follows_from_or_not_at_all(
    house: House, agent: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that cannot open the one does not keep the other."""
    review = await _rejected(house, agent)
    before = await house.counted()

    def broken(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(house.app.router, "linked", broken)
    with pytest.raises(StoreUnavailable):
        await house.press("appeal", review, person="own", reason=WHY)
    assert await house.counted() == before
    assert (await agent.review(review["id"]))["appeal"] is None


async def test_whatever_follows_is_announced(house: House, agent: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live pages hear of the new review as of any other."""
    review = await _rejected(house, agent)
    heard: list[str] = []
    notify = house.app.hub.notify

    def listening(notice: Notice) -> None:
        heard.append(notice.review)
        notify(notice)

    monkeypatch.setattr(house.app.hub, "notify", listening)
    await house.press("appeal", review, person="own", reason=WHY)
    assert {review["id"], (await _all(house))[-1].id} <= set(heard)


async def test_who_rejected_it_and_left_was_no_less_senior_for_that(house: House, agent: Caller) -> None:
    """Else another of their own level, or below it, would decide the appeal once they are out of placet.yml."""
    review = await _rejected(house, agent)
    left = CONFIG | {"people": [each for each in CONFIG["people"] if each["id"] != "cy"]}
    house.app.directory = Directory(parse(left))
    done = await house.press("appeal", review, person="own", reason=WHY)
    assert done.answer is Answer.DONE, done.text
    second = await agent.review((await agent.review(review["id"]))["appeal"])
    assert second["route"]["needs"] == [{"level": 2}]
