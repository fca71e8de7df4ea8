"""An agent stopped: whatever it has open and asks from then on waits for a person, however often the process dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import stopping
from bot.stopping import NotStopped
from reviews.errors import NotFound, StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.keeping import Query
from reviews.model import Identity, Object, Person, Review, Right, Verb
from tests.fakes.app import Caller, House, running
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import Receiver

POLICY = """
policy: stops
version: 1
actions:
  orders.list: {risk: low, reversible: true}
  mail.send: {risk: low, reversible: true}
chains:
  ladder:
    - {after: 0m, notify: channel:role}
    - {after: 10m, notify: person:bo}
    - {after: 1h, then: expire}
rules:
  - {name: reading, when: 'action.name == "orders.list"', route: {tier: auto}}
  - {name: looked at, when: 'action.name == "mail.send"', route: {tier: sample, rate: 1.0, role: manager, sla: 1h}}
  - {name: never, when: 'action.name == "database.drop"', route: {tier: deny}}
default: {tier: approve, role: manager, chain: ladder, valid_for: 15m}
"""
CONFIG: Object = {
    "roles": {
        "manager": {"level": 2},
        "duty": {"level": 1, "may": ["stop"], "channels": {"slack": "C-DUTY"}},
        "clerk": {"level": 1},
    },
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]},
        {"id": "bo", "name": "Bo Lindqvist", "roles": ["manager"]},
        {
            "id": "cy",
            "name": "Cy Okafor",
            "roles": ["clerk", "duty"],
            "identities": {"slack": "U-CY"},
            "prefers": "slack",
        },
        {"id": "di", "name": "Di Moreau", "roles": ["clerk"], "identities": {"slack": "U-DI"}, "prefers": "slack"},
    ],
}
START = datetime(2026, 11, 23, 9, tzinfo=UTC)
STORES = ["memory://", "sqlite:///placet.db"]
WHY, NEXT = "It pays twice.", "Check the ledger before each refund."


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands until a test moves it."""
    return FakeClock(START)


@pytest.fixture
def chat() -> FakeChat:
    """Where cards and bulletins are posted."""
    return FakeChat()


@pytest.fixture(params=STORES)
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver, chat: FakeChat, clock: FakeClock
) -> AsyncIterator[House]:
    """A running Placet with people who may stop an agent, on each store."""
    config = CONFIG | {"callbacks": {"allow": [receiver.address]}}
    adapters = {"slack": chat}
    async with running(
        tmp_path, policy=POLICY, store=request.param, clock=clock, config=config, adapters=adapters
    ) as made:
        yield made


async def order(house: House, verb: str, person: str = "cy", **more: Any) -> Reply:
    """Somebody stops an agent or lets it go on, on the web."""
    identity = Identity(surface="web", id=person, tenant="signin")
    given = {"agent": "refund-desk"} if "review" not in more else {}
    return await house.app.desk.interact(Interaction(verb=Verb(verb), identity=identity, **(given | more)))


async def stop(house: House, **more: Any) -> Reply:
    """Cy stops the agent, and says what its next plan should heed."""
    done = await order(house, "stop", **({"reason": WHY, "notes": NEXT} | more))
    assert done.answer is Answer.DONE, done.text
    return done


async def redeem(agent: Caller, review: Object) -> Any:
    """The agent would act."""
    return await agent.post(f"/v1/reviews/{review['id']}/redeem", {"digest": review["digest"]})


# ---------------------------------------------------------------------------------------------- what is held


async def test_whatever_is_open_is_held_and_goes_on_where_it_stood(
    house: House, agent: Caller, clock: FakeClock
) -> None:
    """Votes are whispered about, clocks stand; resumed, the deadline has moved by as long as it was held."""
    review = await agent.asked()
    await stop(house)
    held = await agent.review(review["id"])
    assert (held["status"], held["held"], held["instruction"]) == ("pending", True, NEXT)
    vote = await house.press("approve", review)
    assert vote.answer is Answer.WHISPER
    assert WHY in vote.text
    clock.forward(timedelta(hours=5))
    await house.app.service.fire()
    assert (await agent.review(review["id"]))["status"] == "pending"
    assert (await order(house, "resume")).answer is Answer.DONE
    free = await agent.review(review["id"])
    assert (free["held"], free["instruction"]) == (False, None)
    late = datetime.fromisoformat(free["deadline_at"]) - datetime.fromisoformat(held["deadline_at"])
    assert late == timedelta(hours=5)
    assert (await house.press("approve", free)).answer is Answer.DONE


async def test_an_approval_not_used_yet_cannot_be_used(house: House, agent: Caller) -> None:
    """423, with the reason and what the next plan should heed; resumed, it is good again while it lasts."""
    review = await agent.asked()
    await house.press("approve", review)
    await stop(house)
    refused = await redeem(agent, review)
    assert refused.status == 423
    assert WHY in refused.body["detail"]
    assert NEXT in refused.body["detail"]
    assert (refused.body["review"]["held"], refused.body["review"]["instruction"]) == (True, NEXT)
    await order(house, "resume")
    assert (await redeem(agent, review)).status == 200


@pytest.mark.parametrize("action", ["refund.issue", "orders.list", "mail.send", "database.drop"])
async def test_what_a_stopped_agent_asks_is_taken_and_held(house: House, agent: Caller, action: str) -> None:
    """Whatever the policy would say at once is said only when it may go on: auto and sample are not let through."""
    await stop(house)
    answer = await agent.ask(action)
    assert answer.status == 201
    assert (answer.body["status"], answer.body["held"], answer.body["decision"]) == ("pending", True, None)
    assert answer.body["instruction"] == NEXT
    assert (await redeem(agent, answer.body)).status in (409, 423)
    await order(house, "resume")
    after = await agent.review(answer.body["id"])
    expected = {"refund.issue": "pending", "database.drop": "rejected"}
    assert (after["status"], after["held"]) == (expected.get(action, "approved"), False)


async def _asked(house: House, agent: Caller) -> list[Review]:
    """Whatever there is of an agent, newest first."""
    return await house.store.view(lambda tx: tx.find(Query(agent=agent.name)))


async def test_a_sample_drawn_is_looked_at_once_it_is_let_through(house: House, agent: Caller) -> None:
    """Held, nobody looks at what did not happen; released, the look afterwards is opened as for any other."""
    await stop(house)
    review = await agent.asked("mail.send")
    assert len(await _asked(house, agent)) == 1
    await order(house, "resume")
    linked, _ = await _asked(house, agent)
    assert (linked.about, str(linked.relation)) == (review["id"], "feedback")


async def test_a_new_plan_is_taken_while_the_agent_is_stopped(house: House, agent: Caller) -> None:
    """The instruction asks for one: it is kept as the next revision, and held like the rest."""
    review = await agent.asked()
    await stop(house)
    answer = await agent.post(f"/v1/reviews/{review['id']}/revisions", {"action": {"arguments": {"amount": 1.0}}})
    assert answer.status == 201, answer.body
    assert (answer.body["revision"], answer.body["held"], answer.body["status"]) == (2, True, "pending")
    await order(house, "resume")
    free = await agent.review(review["id"])
    assert (await house.press("approve", free)).answer is Answer.DONE


async def test_only_what_still_can_be_is_held(house: House, agent: Caller) -> None:
    """What was rejected, used or withdrawn stays as it is; another agent goes on."""
    other = await house.agent("other-desk")
    theirs, rejected, used = await other.asked(), await agent.asked(), await agent.asked()
    await house.press("reject", rejected)
    await house.press("approve", used)
    assert (await redeem(agent, used)).status == 200
    open_ = await agent.asked()
    done = await stop(house)
    assert done.text == "refund-desk is stopped: 1 review is on hold, and so will be whatever it asks from now on."
    held = {r["id"]: r["held"] for r in [await agent.review(r["id"]) for r in (rejected, used, open_)]}
    assert held == {rejected["id"]: False, used["id"]: False, open_["id"]: True}
    assert (await other.review(theirs["id"]))["held"] is False


async def test_a_stopped_agent_may_withdraw_and_people_may_reject(house: House, agent: Caller) -> None:
    """Nothing is held against a no."""
    one, two = await agent.asked(), await agent.asked()
    await stop(house)
    assert (await agent.post(f"/v1/reviews/{one['id']}/withdraw", {})).body["status"] == "withdrawn"
    assert (await house.press("reject", two)).answer is Answer.DONE


# ---------------------------------------------------------------------------------------------- who is told


async def test_the_agent_is_told_of_each_review(house: House, agent: Caller, receiver: Receiver) -> None:
    """`agent.stopped` with reason and instruction, then `agent.resumed`; each is sent under an id of its own."""
    review = await agent.asked(callback_url=receiver.url())
    await stop(house)
    stopped = json.loads((await receiver.next()).body)
    assert (stopped["type"], stopped["data"]["id"]) == ("agent.stopped", review["id"])
    assert stopped["data"]["instruction"] == NEXT
    await order(house, "resume")
    assert json.loads((await receiver.next()).body)["type"] == "agent.resumed"
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 2


async def test_whoever_could_have_stopped_it_and_its_owners_are_told(house: House, chat: FakeChat) -> None:
    """One message to the place of the role, to each who holds it and to each owner; it says who, why and what next."""
    await house.agent(owners=["di"])
    await stop(house)
    await house.store.until(lambda tx: len(chat.posts) == 3)
    assert {target.address for target, _ in chat.posts.values()} == {"C-DUTY", "U-CY", "U-DI"}
    said = {card.fallback for _, (card, *_) in chat.posts.values()}
    told = f"Cy Okafor stopped refund-desk at 09:00 UTC.\nReason: {WHY}\nInstruction: {NEXT}"
    assert said == {f"refund-desk is stopped: {told}"}


async def test_both_are_in_the_log(house: House, agent: Caller) -> None:
    """Who, when, why; and that it was undone."""
    await stop(house)
    await order(house, "resume")
    log = await house.store.view(lambda tx: tx.log(limit=1000))
    entries = [(e.kind, e.actor, {**e.detail, "salt": ""}) for e in log if e.kind in ("agent.stopped", "agent.resumed")]
    said = {"agent": agent.name, "reason": WHY, "instruction": NEXT, "salt": ""}
    assert entries == [
        ("agent.stopped", "person:cy", said),
        ("agent.resumed", "person:cy", {"agent": agent.name, "salt": ""}),
    ]


# ---------------------------------------------------------------------------------------------- who may


async def test_only_whose_role_says_so_may(house: House, agent: Caller) -> None:
    """A senior without the right may not, neither stop nor resume; the sentence says where the right comes from."""
    review = await agent.asked()
    for verb in ("stop", "resume"):
        refused = await order(house, verb, person="ana", reason=WHY)
        assert refused.answer is Answer.FORBIDDEN
        assert "may: [stop]" in refused.text
    assert (await agent.review(review["id"]))["held"] is False


async def test_who_tried_what_they_may_not_is_written_down(house: House, agent: Caller) -> None:
    """On a card, at home, by a command or with a token: who, what, of which agent and why not; the agent reads none."""
    review = await agent.asked()
    await order(house, "stop", person="ana", reason=WHY, review=review["id"])
    await order(house, "resume", person="ana", agent="no such " + "agent" * 100)
    ana = house.app.directory.person("ana")
    assert ana is not None
    await house.app.desk.command(ana, "stop refund-desk now", surface="web")
    token = Interaction(verb=Verb.STOP, identity=Identity(surface="api", id="cy"), agent="refund-desk", reason=WHY)
    await house.app.desk.interact(token)
    log = await house.store.view(lambda tx: tx.log(limit=1000))
    tried = [entry for entry in log if entry.kind == "event.refused"]
    assert [(entry.actor, entry.detail["event"], entry.detail["agent"][:11]) for entry in tried] == [
        ("person:ana", "stop", "refund-desk"),
        ("person:ana", "resume", "no such age"),
        ("person:ana", "stop", "refund-desk"),
        ("person:cy", "stop", "refund-desk"),
    ]
    assert all(not entry.public and len(entry.detail["agent"]) <= 100 for entry in tried)
    assert "may: [stop]" in tried[0].detail["why"]
    assert "token" in tried[3].detail["why"]


@pytest.mark.parametrize(("surface", "tenant"), [("api", None), ("web", "link")])
@pytest.mark.parametrize("verb", ["stop", "resume"])
async def test_neither_a_token_nor_a_link_is_enough(
    house: House, agent: Caller, verb: str, surface: str, tenant: str | None
) -> None:
    """Whoever finds one can stop nothing, and above all let nothing go."""
    review = await agent.asked()
    identity = Identity(surface=surface, id="cy", tenant=tenant)
    refused = await house.app.desk.interact(
        Interaction(verb=Verb(verb), identity=identity, review=review["id"], reason=WHY)
    )
    assert refused.answer is Answer.FORBIDDEN


async def test_a_reason_is_needed_and_has_its_measure(house: House, agent: Caller) -> None:
    """Blank, nothing happens; too long, the field says how long it may be."""
    for given, field in (({"reason": " "}, "reason"), ({"reason": WHY, "notes": "x" * 2001}, "notes")):
        faulty = await order(house, "stop", **given)
        assert (faulty.answer, list(faulty.errors)) == (Answer.REFUSED, [field])
    assert (await agent.asked())["held"] is False


async def test_by_a_review_the_agent_is_meant_whose_it_is(house: House, agent: Caller) -> None:
    """The control stands on the card; what is answered shows the review as it stands then."""
    review = await agent.asked()
    done = await order(house, "stop", review=review["id"], reason=WHY)
    assert done.review is not None
    assert done.review.held
    missing = await order(house, "stop", review="rev_none", reason=WHY)
    assert missing.answer is Answer.MISSING


async def test_twice_is_once(house: House, agent: Caller) -> None:
    """A second stop says who was first; a press delivered again after a resume does not stop it again."""
    await stop(house, once="p1")
    again = await order(house, "stop", reason="Me too.")
    assert again.answer is Answer.SAME
    assert again.text == f"refund-desk is stopped already, by Cy Okafor at 09:00 UTC: {WHY}"
    await order(house, "resume", once="p2")
    assert (await order(house, "resume")).text == "refund-desk is not stopped."
    assert (await order(house, "stop", reason=WHY, once="p1")).answer is Answer.SAME
    assert (await agent.asked())["held"] is False


async def test_nobody_is_stopped_who_is_not_there(house: House) -> None:
    """By name, whoever types it wrong is told."""
    cy = house.app.directory.person("cy")
    with pytest.raises(NotFound, match="no agent nobody"):
        await house.app.stopping.stop("nobody", cy, WHY)
    with pytest.raises(NotStopped):
        await house.app.stopping.stop("nobody", Person(id="x", name="X"), WHY)
    assert cy is not None
    assert cy.may == {Right.STOP}


async def test_a_new_key_does_not_let_it_go(house: House, agent: Caller) -> None:
    """Revoked and made anew under the same name, it is still stopped."""
    await stop(house)
    await house.app.operations.run("agent.revoke", {"name": agent.name})
    anew = await house.agent()
    assert (await anew.asked())["held"] is True


# ---------------------------------------------------------------------------------------------- whatever happens


async def test_many_are_held_batch_by_batch(house: House, agent: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one transaction takes, all of them, and all are let go."""
    monkeypatch.setattr(stopping, "AT_ONCE", 3)
    for _ in range(10):
        await agent.asked()
    assert "10 reviews are on hold" in (await stop(house)).text
    assert (await order(house, "resume")).text == "refund-desk may go on."
    held = await house.store.view(lambda tx: tx.count(Query(agent=agent.name, held=True)))
    assert held == 0


async def test_a_stop_cut_short_is_carried_on_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """The process dies after the first batch: nothing of the rest slips out meanwhile, and a new one holds it."""
    monkeypatch.setattr(stopping, "AT_ONCE", 2)
    where: dict[str, Any] = {"policy": POLICY, "config": CONFIG, "store": "sqlite:///placet.db", "clock": clock}
    async with running(tmp_path, **where) as house:
        agent = await house.agent()
        asked = [await agent.asked() for _ in range(7)]
        batch, calls = house.app.stopping._batch, iter(range(1))

        def cut(*given: Any) -> Any:
            if next(calls, None) is None:
                raise StoreUnavailable("The disk is gone.")
            return batch(*given)

        monkeypatch.setattr(house.app.stopping, "_batch", cut)
        with pytest.raises(StoreUnavailable):
            await order(house, "stop", reason=WHY)
        held = await house.store.view(lambda tx: tx.count(Query(agent=agent.name, held=True)))
        assert held == 2
        vote = await house.press("approve", asked[-1])
        assert vote.answer is Answer.WHISPER, "not its turn yet, and held all the same"
    async with running(tmp_path, **where) as house:
        await house.store.until(lambda tx: tx.count(Query(agent=agent.name, held=True)) == 7)
        assert (await order(house, "resume")).text == "refund-desk may go on."


async def test_a_resume_cut_short_is_carried_on_by_the_sweep(
    house: House, agent: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was held stays so until it is its turn; then it is let go, by who said so, and that is noted as done."""
    review = await agent.asked()
    await stop(house)
    with monkeypatch.context() as broken:
        broken.setattr(house.app.stopping, "_batch", _broken)
        with pytest.raises(StoreUnavailable):
            await order(house, "resume")
    await house.app.stopping.look()
    assert (await agent.review(review["id"]))["held"] is False
    log = await house.store.view(lambda tx: tx.log(review=review["id"]))
    assert [e.actor for e in log if e.kind == "review.released"] == ["person:cy"]
    (kept,) = await house.store.view(lambda tx: tx.agents())
    assert (kept.stop, kept.resuming) == (None, None)


def _broken(*_: Any) -> Any:
    raise StoreUnavailable("The disk is gone.")


async def test_of_many_asked_at_once_none_slips_past(house: House, agent: Caller) -> None:
    """Forty are asked while the agent is stopped: each was let through before, or is held."""
    asking = [asyncio.create_task(agent.ask("orders.list")) for _ in range(40)]
    await stop(house)
    answers = await asyncio.gather(*asking)
    reviews = [await agent.review(answer.body["id"]) for answer in answers]
    assert all(review["held"] for review in reviews)
    assert {(await redeem(agent, review)).status for review in reviews} <= {409, 423}
