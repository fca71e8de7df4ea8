"""Votes over HTTP: only where the operator wants them, only for light routes, never by an agent's key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reviews.model import Object
from reviews.redact import MASK
from tests.fakes.app import Answer, Caller, House, running
from tests.fakes.clock import FakeClock

COUPON: Object = {"name": "coupon.send", "arguments": {"to": "maria", "value": 20, "pin": 4711}}


@pytest.fixture
async def cy(house: House) -> Caller:
    """A clerk with a token."""
    return await house.person("cy")


async def _vote(person: Caller, review: Object, vote: str = "approve", **more: Any) -> Answer:
    body = {"vote": vote, "revision": review["revision"], "digest": review["digest"], **more}
    return await person.post(f"/v1/reviews/{review['id']}/votes", body)


async def test_off_unless_the_operator_says_so(tmp_path: Path) -> None:
    """404, with the setting that turns it on; even with a good token."""
    async with running(tmp_path, config={"server": {"port": 0}}) as house:
        person = await house.person("cy")
        review = await (await house.agent()).asked(COUPON)
        for answer in (await person.get("/v1/inbox"), await _vote(person, review)):
            assert answer.status == 404
            assert "votes_by_token" in answer.body["detail"]


@pytest.mark.parametrize("verb", ["stop", "resume", "break_glass", "appeal"])
async def test_a_token_never_goes_past_a_review(house: House, agent: Caller, cy: Caller, verb: str) -> None:
    """Whatever rights its person has, and however light the route: who finds it can neither stop nor let go."""
    review = await agent.asked(COUPON)
    answer = await _vote(cy, review, verb, reason="Now.")
    assert (answer.status, "a token is not enough" in answer.body["detail"]) == (403, True)
    assert (await agent.review(review["id"]))["held"] is False


async def test_an_agents_key_never_votes(house: House, agent: Caller) -> None:
    """Nor reads a person's inbox; and a person's token is no agent."""
    review = await agent.asked(COUPON)
    for answer in (await _vote(agent, review), await agent.get("/v1/inbox"), await agent.get("/v1/inbox/x")):
        assert answer.status == 401
        assert "placet token" in answer.body["detail"]
    assert (await agent.review(review["id"]))["status"] == "pending"


async def test_a_token_ends(tmp_path: Path) -> None:
    """After eight hours it opens nothing."""
    clock = FakeClock(datetime.now(UTC))
    async with running(tmp_path, clock=clock) as house:
        person = await house.person("cy")
        assert (await person.get("/v1/inbox")).status == 200
        clock.forward(timedelta(hours=8))
        assert (await person.get("/v1/inbox")).status == 401


async def test_a_vote_counts_like_any_other(agent: Caller, cy: Caller) -> None:
    """It decides, and is recorded as pressed by API; the same again is 200; the opposite is too late."""
    review = await agent.asked(COUPON)
    first = await _vote(cy, review, reason="Fine.")
    assert (first.status, first.body["status"]) == (200, "approved")
    seat = (await agent.review(review["id"]))["decision"]["by"][0]
    assert (seat["person"], seat["surface"]) == ("cy", "api")
    again = await _vote(cy, review, reason="Fine.")
    assert (again.status, again.body["status"]) == (200, "approved")
    late = await _vote(cy, review, "reject")
    assert (late.status, late.body["review"]["status"]) == (409, "approved")


async def test_a_vote_is_for_what_was_seen(house: House, agent: Caller, cy: Caller) -> None:
    """Another digest or revision than stands: 409 with what stands, and nothing is decided."""
    review = await agent.asked(COUPON)
    wrong = await _vote(cy, {**review, "digest": "0" * 64})
    assert (wrong.status, wrong.body["review"]["digest"]) == (409, review["digest"])
    changed = (await agent.post(f"/v1/reviews/{review['id']}/revisions", {"action": {"arguments": {"value": 9}}})).body
    for seen in (review, {**changed, "revision": 1}):
        stale = await _vote(cy, seen)
        assert (stale.status, stale.body["review"]["revision"]) == (409, 2)
    assert (await agent.review(review["id"]))["status"] == "pending"
    assert (await _vote(cy, changed)).status == 200


@pytest.mark.parametrize("action", ["refund.issue", "volume.delete", "badge.print"])
async def test_grave_routes_refuse_a_token(house: House, agent: Caller, action: str) -> None:
    """Level 2, or two persons: 403, whoever holds it; the person votes in chat or on the web."""
    review = await agent.asked(action)
    for name in ("ana", "cy"):
        answer = await _vote(await house.person(name), review)
        assert answer.status == 403
        assert "token" in answer.body["detail"]
    assert (await agent.review(review["id"]))["decision"] is None


async def test_who_may_not_is_told_who_may(house: House, agent: Caller) -> None:
    """An auditor reads and does not decide; an agent's owner does not decide for it; a stranger sees nothing."""
    review = await agent.asked(COUPON)
    own = await (await house.agent("own", owners=["cy"])).asked(COUPON)
    assert (await _vote(await house.person("cy"), own)).status == 403
    auditor = await _vote(await house.person("eve"), review)
    assert auditor.status == 403
    assert "clerk" in auditor.body["detail"]
    stranger = await _vote(await house.person("bo"), review)
    assert stranger.status == 403
    assert "review" not in stranger.body
    assert (await _vote(await house.person("eve"), {**review, "id": "rev_0"})).status == 404


async def test_the_inbox_shows_what_waits(house: House, agent: Caller, cy: Caller) -> None:
    """Reviews of one's roles, a line each, and one by one; others' are 404."""
    review, other = await agent.asked(COUPON, summary="A coupon for Maria"), await agent.asked()
    items = (await cy.get("/v1/inbox")).body["items"]
    assert [(item["id"], item["waiting_for"], item["held"]) for item in items] == [(review["id"], "clerk", False)]
    assert "A coupon for Maria" in items[0]["title"]
    assert (await cy.get(f"/v1/inbox/{review['id']}")).body["digest"] == review["digest"]
    assert (await cy.get(f"/v1/inbox/{other['id']}")).status == 404
    await _vote(cy, review, "reject")
    assert (await cy.get("/v1/inbox")).body["items"] == []
    assert [item["id"] for item in (await cy.get("/v1/inbox?view=decided")).body["items"]] == [review["id"]]


@pytest.mark.parametrize("query", ["view=everything", "cursor=²", "cursor=-1", f"cursor={'9' * 5000}"])
async def test_the_inbox_says_what_it_does_not_know(cy: Caller, query: str) -> None:
    """422, with the values there are."""
    assert (await cy.get(f"/v1/inbox?{query}")).status == 422


async def test_what_is_sensitive_stays_hidden(agent: Caller, cy: Caller) -> None:
    """Wherever it stands, as text or number, in every answer a person gets; the agent reads its own in full."""
    review = await agent.asked(
        {
            "name": "coupon.send",
            "arguments": {"iban": "ES9121000418", "pin": 4711, "to": "maria", "status": "secretword"},
        },
        sensitive=["/action/arguments/iban", "/action/arguments/pin", "/action/arguments/status"],
        summary="Pay to ES9121000418",
        subject="es9121000418",
        metadata={"pin": 4711, "note": "pin 4711", "deep": [{"iban": "ES9121000418"}]},
        context={"reasoning": ["the secretword is secretword"]},
    )
    reads = [await cy.get(f"/v1/inbox/{review['id']}"), await _vote(cy, {**review, "digest": "0" * 64})]
    decided = await _vote(cy, review, notes="Sent to ES9121000418.")
    for answer in (*reads, decided):
        text = answer.raw.decode().casefold()
        assert "es9121000418" not in text
        assert "4711" not in text
        assert "secretword" not in text
    assert (decided.status, decided.body["decision"]["action"]["arguments"]["iban"]) == (200, MASK)
    assert (decided.body["status"], decided.body["id"]) == ("approved", review["id"])
    assert (await agent.review(review["id"]))["decision"]["action"]["arguments"]["pin"] == 4711


async def test_an_edit_that_breaks_the_schema_is_told_by_field(agent: Caller, cy: Caller) -> None:
    """422, nothing is decided; a good edit then approves with the changed arguments."""
    review = await agent.asked({"name": "note.write", "arguments": {"text": "hello"}})
    for arguments, pointer in (({"text": "x" * 21}, "/arguments/text"), ({}, "/arguments")):
        answer = await _vote(cy, review, "edit", arguments=arguments)
        assert (answer.status, answer.pointers) == (422, [pointer])
    assert (await agent.review(review["id"]))["revision"] == 1
    good = await _vote(cy, review, "edit", arguments={"text": "hi"})
    assert (good.status, good.body["decision"]["action"]["arguments"]) == (200, {"text": "hi"})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"vote": "aprove", "revision": 1}, "/vote"),
        ({"vote": "approve"}, "/revision"),
        ({"vote": "approve", "revision": "1"}, "/revision"),
        ({"vote": "approve", "revision": True}, "/revision"),
        ({"vote": "approve", "revision": 1, "person": "ana"}, "/person"),
        ({"vote": "approve", "revision": 1, "reason": "x" * 10_001}, "/reason"),
        ({"vote": "edit", "revision": 1, "arguments": []}, "/arguments"),
        ({"vote": "approve", "revision": 1, "a/b~c": 1}, "/a~1b~0c"),
        ({"vote": "edit", "revision": 1}, "/arguments"),
        ({"vote": "hand", "revision": 1, "to": "nobody"}, "/to"),
        ({"vote": "reveal", "revision": 1}, "/reason"),
    ],
)
async def test_a_vote_with_faults_names_them(agent: Caller, cy: Caller, body: Object, pointer: str) -> None:
    """A vote is never guessed from a body that is not one."""
    review = await agent.asked(COUPON)
    answer = await cy.post(f"/v1/reviews/{review['id']}/votes", body)
    assert (answer.status, answer.pointers) == (422, [pointer])
    assert (await agent.review(review["id"]))["status"] == "pending"


async def test_changes_are_asked_for_about_something(agent: Caller, cy: Caller) -> None:
    """A vote may point at what changes are asked for, as the form on every surface does."""
    review = await agent.asked(COUPON)
    changed = await _vote(cy, review, "request_changes", reason="Ten is enough.", about="/action/arguments/value")
    assert changed.status == 200
    assert [(c["by"], c["about"]) for c in changed.body["changes_requested"]] == [("cy", "/action/arguments/value")]
