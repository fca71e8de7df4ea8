"""The agents' API, call by call: what it does, and each way it refuses."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reviews.model import Object
from tests.fakes.app import REFUND, Answer, Caller, House, running
from tests.fakes.receiver import Receiver

DEADLINE = datetime(2099, 11, 25, 12, tzinfo=UTC)
#: The published task envelope of the field, with a result to look at and nothing else.
ENVELOPE: Object = {
    "task_id": "t-789",
    "correlation_id": "c-999",
    "producer": {"agent_id": "knowledge-agent", "result_id": "r-34"},
    "validation_id": "val-123",
    "trigger_id": "low_confidence",
    "review_type": "approval",
    "review_deadline": DEADLINE.isoformat().replace("+00:00", "Z"),
    "reviewer_role": "manager",
    "ui_hint": {"show_snippets": False, "highlight_terms": ["refund"]},
    "result": {"answer": "The refund takes five days.", "citations": ["kb-1"]},
}


async def _approved(house: House, agent: Caller, **fields: Any) -> Object:
    review = await agent.asked(**fields)
    assert (await house.press("approve", review)).answer == "done"
    return await agent.review(review["id"])


async def _redeem(agent: Caller, review: Object, digest: str | None = None, **headers: str) -> Answer:
    body = {"digest": digest or review["digest"]}
    return await agent.post(f"/v1/reviews/{review['id']}/redeem", body, **headers)


# ---------------------------------------------------------------------------------------------- who asks


async def test_only_a_key_in_force_is_let_in(house: House, agent: Caller) -> None:
    """No key, a wrong one, a person's token, a revoked one: 401, with how to get one."""
    token = await house.person("cy")
    for key in ("", "plk_wrong", token.key):
        answer = await Caller(house, "nobody", key).get("/v1/reviews")
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "placet agent add" in answer.body["detail"]
    await house.app.operations.run("agent.revoke", {"name": agent.name})
    assert (await agent.get("/v1/reviews")).status == 401


async def test_other_agents_reviews_are_not_there(house: House, agent: Caller) -> None:
    """Every call on another agent's review is the 404 of one that does not exist."""
    review = await agent.asked()
    other = await house.agent("other")
    for one in (review["id"], "rev_0"):
        path = f"/v1/reviews/{one}"
        answers = [
            await other.get(path),
            await other.get(f"{path}/events"),
            await other.post(f"{path}/withdraw"),
            await other.post(f"{path}/revisions", {"summary": "mine"}),
            await other.post(f"{path}/redeem", {"digest": review["digest"]}),
            await other.post(f"{path}/outcome", {"result": "failed"}),
        ]
        assert {answer.status for answer in answers} == {404}
        assert len({answer.body["detail"] for answer in answers}) == 1
    assert (await other.get("/v1/reviews")).body["items"] == []
    assert (await agent.review(review["id"]))["status"] == "pending"


async def test_every_answer_carries_the_calls_name(agent: Caller) -> None:
    """The caller's own where it is plain, else one made here."""
    assert (await agent.get("/v1/reviews", X_Request_ID="run-17")).headers["X-Request-ID"] == "run-17"
    refused = await agent.get("/v1/reviews/none", X_Request_ID="x" * 129)
    assert len(refused.headers["X-Request-ID"]) == 32
    assert (await agent.get("/v1/nothing", X_Request_ID="mine")).headers["X-Request-ID"] == "mine"


async def test_too_many_open_are_refused_until_one_is_decided(house: House) -> None:
    """What was asked before is still answered by its key; a decision makes room."""
    agent = await house.agent("many", max_open=2)
    first = await agent.ask(key="one")
    await agent.asked()
    refused = await agent.ask(key="three")
    assert refused.status == 429
    assert "Retry-After" in refused.headers
    assert "2" in refused.body["detail"]
    again = await agent.ask(key="one")
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    await house.press("reject", first.body)
    assert (await agent.ask(key="three")).status == 201


# ---------------------------------------------------------------------------------------------- asking


async def test_a_review_says_what_was_asked_and_how_it_goes_on(house: House, agent: Caller) -> None:
    """Everything an agent needs to wait, and its own words echoed untouched."""
    review = await agent.asked(summary="Refund it", subject="order:A-4721", metadata={"b": [1, None, "é"], "a": {}})
    assert review["status"] == "pending"
    assert review["agent"] == agent.name
    assert review["action"] == {"name": REFUND["name"], "arguments": REFUND["arguments"]}
    assert review["route"]["needs"] == [{"role": "manager"}]
    assert review["metadata"] == {"b": [1, None, "é"], "a": {}}
    assert review["policy"].startswith("house@1#sha256:")
    assert review["links"]["self"] == f"{house.url}/v1/reviews/{review['id']}"
    assert (review["decision"], review["grant"]) == (None, None)
    assert review["deadline_at"] > review["created_at"]


async def test_the_policy_may_answer_at_once(agent: Caller) -> None:
    """What needs nobody is approved, with a grant to redeem; what is never allowed is rejected."""
    auto, denied = await agent.asked("orders.list"), await agent.asked("database.drop")
    assert (auto["status"], auto["decision"]["cause"], auto["grant"]["state"]) == ("approved", "policy", "open")
    assert (denied["status"], denied["decision"]["cause"], denied["grant"]) == ("rejected", "policy", None)
    assert denied["decision"]["reason"]


async def test_the_envelope_of_the_field_is_taken_as_it_is(house: House, agent: Caller, receiver: Receiver) -> None:
    """No field renamed, none missing, none too many; the result is what people see and decide on."""
    answer = await agent.post("/v1/reviews", {**ENVELOPE, "callback_url": receiver.url()})
    assert answer.status == 201, answer.body
    review = answer.body
    assert review["action"] == {"name": "review.result", "arguments": {"result": ENVELOPE["result"]}}
    assert {key: review[key] for key in ("task_id", "correlation_id")} == {
        "task_id": "t-789",
        "correlation_id": "c-999",
    }
    assert review["review_type"] == ENVELOPE["review_type"]
    # What is the default anyway is not said again.
    kept = {key: value for key, value in ENVELOPE.items() if key not in ("result", "review_deadline", "review_type")}
    assert {key: review["request"][key] for key in kept} == kept
    assert datetime.fromisoformat(review["request"]["review_deadline"]) == DEADLINE
    await house.press("approve", review)
    assert json.loads((await receiver.next()).body)["data"]["task_id"] == "t-789"


async def test_the_same_key_and_body_is_the_same_review(agent: Caller) -> None:
    """By header, by field, by both: 200, the review as it stands now, and nothing new."""
    first = await agent.ask(key="run-1")
    field = await agent.post("/v1/reviews", {"action": REFUND, "idempotency_key": "run-1"})
    both = await agent.post("/v1/reviews", {"action": REFUND, "idempotency_key": "run-1"}, Idempotency_Key="run-1")
    await agent.post(f"/v1/reviews/{first.body['id']}/withdraw")
    later = await agent.ask(key="run-1")
    assert [answer.status for answer in (first, field, both, later)] == [201, 200, 200, 200]
    assert {answer.body["id"] for answer in (first, field, both, later)} == {first.body["id"]}
    assert later.body["status"] == "withdrawn"
    assert len((await agent.get("/v1/reviews")).body["items"]) == 1


async def test_a_key_is_for_one_body_and_one_agent(house: House, agent: Caller) -> None:
    """Another body is 422, two keys in one call too; another agent's key of the same name is its own."""
    first = await agent.ask(key="run-1")
    assert (await agent.ask("orders.list", key="run-1")).status == 422
    two = await agent.post("/v1/reviews", {"action": REFUND, "idempotency_key": "a"}, Idempotency_Key="b")
    assert (two.status, two.pointers) == (422, ["/idempotency_key"])
    other = await (await house.agent("other")).ask(key="run-1")
    assert other.status == 201
    assert other.body["id"] != first.body["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\tb"])
async def test_a_key_is_plain(agent: Caller, key: str) -> None:
    """1 to 255 printable ASCII characters, in the header and in the body alike."""
    answer = await agent.post("/v1/reviews", {"action": REFUND, "idempotency_key": key})
    assert (answer.status, answer.pointers) == (422, ["/idempotency_key"])


@pytest.mark.parametrize("store", ["memory://", "sqlite:///placet.db"])
async def test_twenty_at_once_with_one_key_make_one_review(tmp_path: Path, store: str) -> None:
    """However they race, one is new and nineteen are told of it."""
    async with running(tmp_path, store=store) as house:
        agent = await house.agent()
        answers = await asyncio.gather(*(agent.ask(key="race") for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
        assert len({answer.body["id"] for answer in answers}) == 1


# ---------------------------------------------------------------------------------------------- waiting


async def _waiting(house: House, agent: Caller, review: Object, seconds: int = 15) -> asyncio.Task[Answer]:
    """A long poll that has reached the server."""
    entered = house.next_waiter()
    waiting = asyncio.create_task(agent.get(f"/v1/reviews/{review['id']}?wait={seconds}"))
    await entered.wait()
    return waiting


@pytest.mark.parametrize(
    ("verb", "status"), [("approve", "approved"), ("reject", "rejected"), ("request_changes", "changes_requested")]
)
async def test_waiting_ends_when_it_is_the_agents_turn(house: House, agent: Caller, verb: str, status: str) -> None:
    """A decision, or a request for changes, answers at once; a comment meanwhile does not."""
    review = await agent.asked()
    waiting = await _waiting(house, agent, review)
    await house.press("comment", review, reason="Looking into it.")
    await house.press(verb, review, reason="Because.")
    answer = await waiting
    assert (answer.status, answer.body["status"]) == (200, status)


async def test_waiting_ends_with_the_time(house: House, agent: Caller) -> None:
    """Then the review as it is; on one that is over nobody waits at all."""
    review = await agent.asked()
    assert (await agent.get(f"/v1/reviews/{review['id']}?wait=0.01")).body["status"] == "pending"
    decided = await agent.asked("orders.list")
    assert (await agent.get(f"/v1/reviews/{decided['id']}?wait=60")).body["status"] == "approved"


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
async def test_how_long_to_wait_is_a_number(agent: Caller, wait: str) -> None:
    """From 0 to 60 seconds."""
    review = await agent.asked()
    answer = await agent.get(f"/v1/reviews/{review['id']}?wait={wait}")
    assert (answer.status, "`wait`" in answer.body["detail"]) == (422, True)


async def test_a_stopping_server_answers_who_waits(tmp_path: Path) -> None:
    """Both the long poll and the stream end properly, instead of being cut off."""
    async with running(tmp_path) as house:
        agent = await house.agent()
        review = await agent.asked()
        waiting = await _waiting(house, agent, review)
        headers = {"Authorization": f"Bearer {agent.key}", "Accept": "text/event-stream"}
        stream = await house.session.get(f"{house.url}/v1/reviews/{review['id']}/events", headers=headers)
        await house.app.stop()
        answer = await waiting
        assert (answer.status, answer.body["status"]) == (200, "pending")
        assert b"review.opened" in await stream.read()


# ---------------------------------------------------------------------------------------------- the history


async def _next_event(stream: Any) -> Object:
    lines = [line async for line in _lines(stream)]
    return dict(line.split(": ", 1) for line in lines if not line.startswith(":"))


async def _lines(stream: Any) -> Any:
    while (line := (await stream.content.readline()).decode().rstrip("\n")) != "":
        yield line


async def test_the_history_is_read_in_order(house: House, agent: Caller) -> None:
    """Oldest first; `after` goes on from an entry; nothing that is for people only."""
    review = await _approved(house, agent)
    items = (await agent.get(f"/v1/reviews/{review['id']}/events")).body["items"]
    assert [item["type"] for item in items] == ["review.opened", "review.called", "vote.approve", "review.approved"]
    rest = (await agent.get(f"/v1/reviews/{review['id']}/events?after={items[1]['seq']}")).body["items"]
    assert rest == items[2:]


async def test_the_history_can_be_followed_live(house: House, agent: Caller) -> None:
    """What is past, then each step as it happens; a reconnect goes on after the last one seen."""
    review = await agent.asked()
    url = f"{house.url}/v1/reviews/{review['id']}/events"
    headers = {"Authorization": f"Bearer {agent.key}", "Accept": "text/event-stream", "X-Request-ID": "mine"}
    async with house.session.get(url, headers=headers) as stream:
        assert stream.content_type == "text/event-stream"
        assert stream.headers["X-Request-ID"] == "mine"
        opened = await _next_event(stream)
        assert (opened["event"], json.loads(opened["data"])["type"]) == ("review.opened", "review.opened")
        called = await _next_event(stream)
        await house.press("approve", review)
        assert (await _next_event(stream))["event"] == "vote.approve"
    async with house.session.get(url, headers={**headers, "Last-Event-ID": called["id"]}) as again:
        assert (await _next_event(again))["event"] == "vote.approve"
        assert (await _next_event(again))["event"] == "review.approved"


@pytest.mark.parametrize("last", ["9" * 5000, "-1", "soon"])
async def test_a_last_event_that_was_none_starts_from_the_beginning(house: House, agent: Caller, last: str) -> None:
    """Nothing is lost to a reader who cannot say where they were."""
    review = await agent.asked()
    headers = {"Authorization": f"Bearer {agent.key}", "Accept": "text/event-stream", "Last-Event-ID": last}
    async with house.session.get(f"{house.url}/v1/reviews/{review['id']}/events", headers=headers) as stream:
        assert (await _next_event(stream))["event"] == "review.opened"


# ---------------------------------------------------------------------------------------------- revisions


async def test_a_revision_carries_over_what_it_leaves_out(house: House, agent: Caller) -> None:
    """After changes were asked for, new arguments make revision 2, and people are asked again."""
    review = await agent.asked(summary="Refund it", metadata={"run": 1})
    await house.press("request_changes", review, reason="Half of it.")
    half = {**REFUND["arguments"], "amount": 90.0}
    answer = await agent.post(f"/v1/reviews/{review['id']}/revisions", {"action": {"arguments": half}, "supersedes": 1})
    assert (answer.status, answer.body["revision"], answer.body["status"]) == (201, 2, "pending")
    assert answer.body["action"] == {"name": REFUND["name"], "arguments": half}
    assert answer.body["request"]["summary"] == "Refund it"
    assert answer.body["digest"] != review["digest"]
    same = await agent.post(f"/v1/reviews/{review['id']}/revisions", {"action": {"arguments": half}})
    assert (same.status, same.body["revision"]) == (200, 2)


async def test_a_revision_keeps_name_schema_and_order(agent: Caller) -> None:
    """Another action is another review; a revision that meant an older one than stands is refused."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    review = await agent.asked({"name": "x", "arguments": {"n": 1}, "schema": schema})
    path = f"/v1/reviews/{review['id']}/revisions"
    name = await agent.post(path, {"action": {"name": "y"}})
    other = await agent.post(path, {"action": {"schema": {}}})
    broken = await agent.post(path, {"action": {"arguments": {"n": "one"}}})
    stale = await agent.post(path, {"summary": "later", "supersedes": 3})
    kind = await agent.post(path, {"supersedes": "1"})
    repeated = await agent.post(path, {"action": {"name": "x", "schema": schema, "arguments": {"n": 2}}})
    assert [(a.status, a.pointers) for a in (name, other, broken, stale, kind)] == [
        (422, ["/action/name"]),
        (422, ["/action/schema"]),
        (422, ["/action/arguments/n"]),
        (409, ["/supersedes"]),
        (422, ["/supersedes"]),
    ]
    assert (repeated.status, repeated.body["revision"]) == (201, 2)


async def test_a_revision_is_only_ever_stricter(agent: Caller) -> None:
    """The role asked for once stays, though a later revision asks for none."""
    review = await agent.asked("coupon.send", reviewer_role="manager")
    assert review["route"]["needs"] == [{"role": "clerk"}, {"role": "manager"}]
    answer = await agent.post(f"/v1/reviews/{review['id']}/revisions", {"reviewer_role": None, "summary": "less"})
    assert answer.status == 201
    assert answer.body["route"]["tier"] == "dual"
    assert {"role": "manager"} in answer.body["route"]["needs"]


async def test_what_is_over_is_not_revised_nor_withdrawn(house: House, agent: Caller) -> None:
    """409 with what stands."""
    review = await agent.asked()
    await house.press("reject", review, reason="No.")
    for call, body in (("revisions", {"summary": "please"}), ("withdraw", {}), ("outcome", {"result": "failed"})):
        answer = await agent.post(f"/v1/reviews/{review['id']}/{call}", body)
        assert (answer.status, answer.body["review"]["decision"]["reason"]) == (409, "No.")


async def test_withdrawing(house: House, agent: Caller) -> None:
    """Pending: withdrawn, and again the same; an unused approval is given back and cannot be used."""
    review = await agent.asked()
    for reason in ("Solved.", "Again."):
        answer = await agent.post(f"/v1/reviews/{review['id']}/withdraw", {"reason": reason})
        assert (answer.status, answer.body["status"]) == (200, "withdrawn")
    assert answer.body["decision"]["reason"] == "Solved."
    approved = await _approved(house, agent)
    returned = await agent.post(f"/v1/reviews/{approved['id']}/withdraw")
    assert returned.body["grant"]["state"] == "returned"
    assert (await _redeem(agent, approved)).status == 410


# ---------------------------------------------------------------------------------------------- lists, dry runs


async def test_listing_goes_page_by_page(agent: Caller) -> None:
    """Newest first; the cursor leads through all of them once; status and action narrow it down."""
    asked = [await agent.asked("orders.list" if n % 2 else REFUND) for n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = (await agent.get(f"/v1/reviews?limit=2{cursor and f'&cursor={cursor}'}")).body
        seen += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
    assert seen == [review["id"] for review in reversed(asked)]
    pending = (await agent.get("/v1/reviews?status=pending,changes_requested")).body["items"]
    assert {item["action"]["name"] for item in pending} == {REFUND["name"]}
    assert len((await agent.get("/v1/reviews?action=orders.list")).body["items"]) == 2


@pytest.mark.parametrize("query", ["status=open", "limit=0", "limit=201", "cursor=x", "cursor=0", "order=newest"])
async def test_listing_says_what_it_does_not_know(agent: Caller, query: str) -> None:
    """A filter misspelt must not silently list everything."""
    answer = await agent.get(f"/v1/reviews?{query}")
    assert answer.status == 422
    assert query.partition("=")[0] in answer.body["detail"]


async def test_explaining_keeps_nothing(house: House, agent: Caller) -> None:
    """The route and its trace, and not a row more than before."""
    before = await house.counted()
    answer = await agent.post("/v1/policies/explain", {"action": {"name": "orders.list"}})
    assert (answer.status, answer.body["route"]["tier"]) == (200, "auto")
    assert answer.body["rules"][0]["result"] == "matched"
    broken = await agent.post("/v1/policies/explain", {"action": {"name": "x"}, "confidence": 2})
    assert (broken.status, broken.pointers) == (422, ["/confidence"])
    assert await house.counted() == before
    assert (await agent.get("/v1/reviews")).body["items"] == []
