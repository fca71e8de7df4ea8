"""What a press is: who is told of it, and by which ways it may come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.pressing import weak_way
from reviews.errors import NotFound
from reviews.events import COURTESY, Answer, Interaction
from reviews.filled import controls
from reviews.model import Identity, Object, Verb
from reviews.ports import QueueFilter
from tests.fakes.app import Caller, House, running
from tests.fakes.chat import FakeChat

CONFIG: Object = {
    "roles": {
        "manager": {"level": 2, "channels": {"slack": "C-MANAGERS"}},
        "fire": {"level": 1, "may": ["break_glass"]},
    },
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"slack": "U-ANA"}, "prefers": "slack"},
        {"id": "bo", "name": "Bo Chen", "roles": ["manager"], "identities": {"slack": "U-BO"}, "prefers": "slack"},
        {"id": "cy", "name": "Cy Okafor", "roles": ["fire"], "identities": {"slack": "U-CY"}, "prefers": "slack"},
        {"id": "di", "name": "Di Moreau", "roles": ["fire"], "identities": {"slack": "U-DI"}, "prefers": "slack"},
        {"id": "eve", "name": "Eve Petrov"},
    ],
    "glass": {"window": "5m", "valid_for": "2m"},
}
POLICY = """
policy: presses
version: 1
actions:
  refund.issue: {risk: high, reversible: false, sensitive: [/iban]}
default: {tier: approve, role: manager, sla: 1h, valid_for: 1h}
"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running Placet with a chat."""
    async with running(tmp_path, policy=POLICY, config=CONFIG, adapters={"slack": FakeChat()}) as made:
        yield made


async def _told(house: House, review: Object) -> set[str]:
    """Where a card went that no rung called for."""
    found = await house.store.view(lambda tx: tx.copies(review["id"]))
    return {copy.target.address for copy in found if copy.rung == COURTESY}


async def test_who_is_handed_a_review_is_told(house: House, agent: Caller) -> None:
    """By the way they prefer; the log says from whom to whom."""
    review = await agent.asked()
    done = await house.press("hand", review, to="bo")
    assert done.answer is Answer.DONE, done.text
    assert await _told(house, review) == {"U-BO"}
    log = await house.store.view(lambda tx: tx.log(review=review["id"]))
    (entry,) = [entry for entry in log if entry.kind == "review.handed"]
    assert (entry.detail["from"], entry.detail["to"]) == ("ana", "bo")


@pytest.mark.parametrize("to", ["nobody", ""])
async def test_nobody_is_handed_nothing(house: House, agent: Caller, to: str) -> None:
    """The field says what to do."""
    review = await agent.asked()
    assert (await house.press("hand", review, to=to)).errors == {"to": "Choose a person."}


async def test_who_may_not_decide_is_not_handed_it(house: House, agent: Caller) -> None:
    """And nobody is told."""
    review = await agent.asked()
    assert (await house.press("hand", review, to="eve")).answer is Answer.REFUSED
    assert await _told(house, review) == set()


async def test_breaking_the_glass_is_loud(house: House, agent: Caller) -> None:
    """The place of the role that was needed and everybody who may observe it; window and measure are placet.yml's."""
    review = await agent.asked()
    first = await house.press("break_glass", review, person="cy", reason="Production is down.")
    assert first.answer is Answer.DONE, first.text
    assert await _told(house, review) >= {"U-DI"}
    placed = {copy.target.address for copy in await house.store.view(lambda tx: tx.copies(review["id"]))}
    assert {"C-MANAGERS", "U-DI"} <= placed
    assert "U-CY" not in placed
    assert first.review is not None
    assert first.review.glass is not None
    assert (first.review.glass.until - first.review.glass.at).total_seconds() == 300
    await house.press("break_glass", review, person="di", reason="Yes.")
    broken = await house.store.view(lambda tx: tx.read(review["id"]))
    assert broken is not None
    assert broken.grant is not None
    assert broken.decision is not None
    assert (broken.grant.valid_until - broken.decision.decided_at).total_seconds() == 120


@pytest.mark.parametrize("verb", ["stop", "resume", "break_glass", "appeal"])
def test_no_token_is_enough_for_what_goes_past_a_review(verb: str) -> None:
    """A token lies in files and logs; a person signed in, or in chat, may."""
    for surface, weak in (("api", True), ("web", False), ("slack", False)):
        pressed = Interaction(verb=Verb(verb), identity=Identity(surface=surface, id="ana"))
        assert (weak_way(pressed) is not None) is weak


@pytest.mark.parametrize("verb", ["break_glass", "appeal"])
async def test_who_tried_to_go_past_a_review_is_written_down(house: House, agent: Caller, verb: str) -> None:
    """Also who does not even see it; what else somebody presses on a review of others leaves no line."""
    review = await agent.asked()
    assert (await house.press(verb, review, person="eve", reason="Let me.")).answer is Answer.FORBIDDEN
    assert (await house.press("comment", review, person="eve", reason="Let me.")).answer is Answer.FORBIDDEN
    log = await house.store.view(lambda tx: tx.log(review=review["id"], limit=1000))
    tried = [(entry.actor, entry.detail["event"], entry.public) for entry in log if entry.kind == "event.refused"]
    assert tried == [("person:eve", verb, False)]


async def test_an_owner_reads_and_may_only_appeal(house: House) -> None:
    """The card as anybody sees it, redacted; in no list of theirs, with nothing to reveal, take or vote on."""
    agent = await house.agent(owners=["eve"])
    review = await agent.asked({"name": "refund.issue", "arguments": {"iban": "DE44", "amount": 5.0}})
    eve = house.app.directory.person("eve")
    assert eve is not None
    desk = house.app.desk
    for revealing in (False, True):
        card = await desk.read(review["id"], eve, surface="web", reveal=revealing)
        assert "DE44" not in str(card)
    for verb in ("reveal", "take", "comment", "escalate", "hand"):
        refused = await house.press(verb, review, person="eve", reason="Mine.", to="bo")
        assert (refused.answer, "not yours to act on" in refused.text) == (Answer.FORBIDDEN, True), verb
    for verb in ("approve", "reject"):
        assert (await house.press(verb, review, person="eve", reason="Mine.")).answer is Answer.FORBIDDEN
    for view in ("mine", "roles", "decided"):
        page = await desk.queue(eve, QueueFilter(view=view))
        assert (page.items, set(page.counts.values()), page.backlog) == ((), {0}, ())
    await house.press("reject", review, person="ana", reason="No.")
    assert Verb.APPEAL in {c.verb for c in controls(await desk.read(review["id"], eve, surface="slack"))}
    others = await house.agent("other-desk")
    theirs = await others.asked()
    with pytest.raises(NotFound):
        await desk.read(theirs["id"], eve, surface="web")
