"""Reviews people ask for themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.operations import BadOperation
from reviews.card import Form
from reviews.errors import NotFound
from reviews.events import Reply
from reviews.keeping import Agent
from reviews.model import GrantState, Identity, Object, Person, Review, Status, Target, Verb
from reviews.ports import Asked, QueueFilter, Refusal
from tests.fakes.app import CONFIG, House, running
from tests.fakes.chat import FakeChat

THREAD = Target(surface="slack", address="C9", thread="1700.1")
POLICY = """
policy: asking
version: 1
actions:
  message.review: {risk: low, reversible: true}
rules:
  - {name: lenient, when: 'action.name == "message.review"', route: {tier: auto}}
default: {tier: approve, role: manager, sla: 1h}
"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running Placet with a chat; its policy would let messages through unseen."""
    async with running(tmp_path, policy=POLICY, adapters={"slack": FakeChat()}) as made:
        yield made


async def person(house: House, name: str = "cy") -> Person:
    """Somebody here."""
    found = await house.app.desk.who(Identity(surface="web", id=name))
    assert isinstance(found, Person)
    return found


async def ask(house: House, **given: Any) -> Reply:
    """Cy asks about a message."""
    whole: dict[str, Any] = {"text": "Can I send this?", "summary": "Send the letter to Maria"} | given
    return await house.app.desk.ask(Asked(person=await person(house), **whole))


async def asked(house: House, **given: Any) -> Review:
    """Cy asks, and it is taken."""
    reply = await ask(house, **given)
    assert (reply.answer, reply.errors) == ("done", {}), reply.text
    assert reply.review is not None
    return reply.review


def _seen(review: Review) -> Object:
    return {"id": review.id, "revision": review.revision}


async def test_somebody_else_decides(house: House) -> None:
    """Who asks wants a person, whatever the policy would let through; and never decides it themselves."""
    review = await asked(house, role="clerk", link="https://chat.example.com/p1")
    assert (review.status, review.route.tier, str(review.route.needs[0])) == (Status.PENDING, "approve", "clerk")
    assert review.request.action.arguments == {"text": "Can I send this?", "link": "https://chat.example.com/p1"}
    own = await house.press("approve", _seen(review), "cy")
    assert (own.answer, "somebody else" in own.text, "clerk" in own.text) == ("forbidden", True, True)
    assert (await house.press("approve", _seen(review), "di")).text.startswith("Approved by Di Moreau")


async def test_asking_is_no_fault_in_the_log(house: House) -> None:
    """What the house asks by itself breaks none of its own rules."""
    review = await asked(house)
    kinds = [entry.kind for entry in await house.store.view(lambda tx: tx.log(review=review.id))]
    assert kinds == ["review.opened", "review.called"]


async def test_who_asked_sees_what_comes_of_it(house: House) -> None:
    """The one who asked reads the card; another clerk, who is not needed, does not."""
    review = await asked(house, role="manager")
    assert (await house.app.desk.read(review.id, await person(house), surface="slack")).review == review.id
    with pytest.raises(NotFound):
        await house.app.desk.read(review.id, await person(house, "di"), surface="slack")


async def test_an_agents_owner_reads_and_takes_no_part(house: House) -> None:
    """What one's own agent asks may be read, to appeal it; nothing else can be done to it, and no queue holds it."""
    review = await (await house.agent("hers", owners=["cy"])).asked()
    cy = await person(house)
    assert (await house.app.desk.read(review["id"], cy, surface="slack")).review == review["id"]
    assert (await house.press("comment", review, "cy", reason="Mine.")).answer == "forbidden"
    assert (await house.press("reveal", review, "cy", reason="Mine.")).answer == "forbidden"
    assert (await house.app.desk.queue(cy, QueueFilter())).items == ()


async def test_the_card_goes_to_where_it_was_asked(house: House) -> None:
    """Beneath the message, as a copy that follows like every other: once decided it has no buttons."""
    review = await asked(house, place=THREAD, role="clerk")
    await house.store.until(lambda tx: [c for c in tx.copies(review.id) if c.state == "posted"])
    await house.press("approve", _seen(review), "di")
    (copy,) = await house.store.until(lambda tx: [c for c in tx.copies(review.id) if c.shown >= c.wanted > 2])
    assert (copy.target, copy.rung) == (THREAD, -1)
    chat = house.app.adapters["slack"]
    assert isinstance(chat, FakeChat)
    ((target, cards),) = chat.posts.values()
    assert (target, cards[0].over, cards[-1].over) == (THREAD, False, True)


async def test_the_same_asking_again_is_one_review(house: House) -> None:
    """A form delivered twice; another person's form of the same id is another asking."""
    first = await asked(house, once="v1")
    again = await ask(house, once="v1")
    assert (again.answer, again.review and again.review.id) == ("same", first.id)
    changed = await ask(house, once="v1", summary="Something else")
    assert (changed.answer, "already" in changed.text) == ("refused", True)
    other = Asked(person=await person(house, "di"), text="x", summary="y", once="v1")
    assert (await house.app.desk.ask(other)).answer == "done"


@pytest.mark.parametrize(("given", "field"), [({"summary": "  "}, "summary"), ({"role": "pope"}, "role")])
async def test_a_fault_names_its_field(house: House, given: Object, field: str) -> None:
    """As the form calls it, and nothing is kept."""
    before = await house.counted()
    reply = await ask(house, **given)
    assert (reply.answer, list(reply.errors)) == ("refused", [field])
    assert await house.counted() == before


async def test_any_text_can_be_asked_about(house: House) -> None:
    """Half a character, an empty message: what people point at is not of their making."""
    assert (await asked(house, text="x\ud800")).request.action.arguments == {"text": "x?"}
    assert (await asked(house, text="")).request.action.arguments == {}


async def test_an_approval_does_not_lapse_before_their_eyes(house: House) -> None:
    """No program acts on it: it is used by being given."""
    review = await asked(house, role="clerk")
    await house.press(Verb.APPROVE, _seen(review), "di")
    kept = await house.store.view(lambda tx: tx.read(review.id))
    assert kept is not None
    assert kept.grant is not None
    assert kept.grant.state is GrantState.USED


async def test_an_agents_approval_stays_its_own_to_use(house: House) -> None:
    """Nothing but the house's own asks is used by the house."""
    review = await (await house.agent()).asked()
    reply = await house.press("approve", review)
    kept = await house.store.view(lambda tx: tx.read(review["id"]))
    assert reply.answer == "done"
    assert kept is not None
    assert kept.grant is not None
    assert kept.grant.state is GrantState.OPEN


async def test_it_may_be_done_instead_of_allowed(house: House) -> None:
    """Who is asked may do it themselves; nobody is there to propose it anew."""
    review = await asked(house, role="clerk")
    assert set(review.route.allowed) == {Verb.APPROVE, Verb.REJECT, Verb.ANSWER}
    assert (await house.press(Verb.ANSWER, _seen(review), "di", notes="Sent.")).text.startswith("Answered by Di")


async def test_the_form_offers_roles_somebody_else_holds(house: House) -> None:
    """Asking oneself is no asking."""
    form = await house.app.desk.asking(await person(house))
    assert isinstance(form, Form)
    fields = {field.name: field for field in form.fields}
    assert (fields["summary"].required, fields["role"].choices) == (True, ("manager", "clerk"))


async def test_a_role_held_alone_is_not_offered(tmp_path: Path) -> None:
    """Ana is the only manager: she is offered the clerks alone."""
    people = [entry for entry in CONFIG["people"] if entry["id"] != "bo"]
    async with running(tmp_path, policy=POLICY, config={"people": people}) as house:
        form = await house.app.desk.asking(await person(house, "ana"))
        assert isinstance(form, Form)
        assert [field.choices for field in form.fields if field.name == "role"] == [("clerk",)]


@pytest.mark.parametrize(
    ("route", "role"),
    [
        ("tier: approve, role: manager", "manager"),
        ("tier: dual, needs: [{role: clerk}, {role: manager}]", "manager"),
        ("tier: dual, needs: [{role: clerk}, {role: clerk}, {role: clerk}]", "clerk"),
    ],
)
async def test_what_nobody_else_could_decide_is_not_opened(tmp_path: Path, route: str, role: str) -> None:
    """Ana is the only manager, and there are two clerks: a review that cannot be finished is not begun."""
    people = [entry for entry in CONFIG["people"] if entry["id"] != "bo"]
    policy = POLICY.replace("tier: approve, role: manager", route)
    async with running(tmp_path, policy=policy, config={"people": people}) as house:
        before = await house.counted()
        reply = await house.app.desk.ask(Asked(person=await person(house, "ana"), text="x", summary="y"))
        assert (reply.answer, reply.text.startswith(f"This needs {role}, and nobody is left")) == ("refused", True)
        assert await house.counted() == before


@pytest.mark.parametrize(("called", "answer"), [("ana", "refused"), ("di", "done")])
async def test_who_will_be_called_counts(tmp_path: Path, called: str, answer: str) -> None:
    """Whom the chain makes an elector can decide, whatever their roles; the asker on it is nobody."""
    people = [entry for entry in CONFIG["people"] if entry["id"] != "bo"]
    chain = f"[{{after: 20m, notify: 'person:{called}'}}, {{after: 1h, then: expire}}]"
    policy = POLICY.replace("default: {", f"chains: {{up: {chain}}}\ndefault: {{chain: up, ").replace(", sla: 1h", "")
    async with running(tmp_path, policy=policy, config={"people": people}) as house:
        reply = await house.app.desk.ask(Asked(person=await person(house, "ana"), text="x", summary="y"))
        assert reply.answer == answer, reply.text


async def test_asking_can_be_switched_off(tmp_path: Path) -> None:
    """The form and the asking are refused with the setting's name."""
    async with running(tmp_path, config={"asks": {"enabled": False}}) as house:
        refusal = await house.app.desk.asking(await person(house))
        reply = await ask(house)
        assert isinstance(refusal, Refusal)
        assert (reply.answer, reply.text) == ("refused", refusal.text)
        assert "asks: {enabled: true}" in refusal.text


async def test_no_agent_takes_the_houses_name(house: House) -> None:
    """An agent called desk could read and use what people ask; one made by an earlier version closes asking."""
    with pytest.raises(BadOperation, match="Choose another name"):
        await house.agent("desk")
    await house.app.keyring.add(Agent(name="desk", key_hash="", secrets=()))
    assert "placet agent revoke desk" in (await ask(house)).text
    await house.app.keyring.revoke("desk")
    assert (await ask(house)).answer == "done"
