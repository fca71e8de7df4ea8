"""Bad input: each kind gets a problem that names the field and the way out, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot import wire
from reviews.model import Object
from tests.fakes.app import REFUND, Answer, Caller, House

DEEP = '{"action":{"name":"x","arguments":' + '{"a":' * 70 + "1" + "}" * 70 + "}}"
HUGE = json.dumps({"action": {"name": "x"}, "summary": "x" * wire.MAX_BODY})


def _action(**given: Any) -> Object:
    return {"action": {"name": "x", **given}}


@pytest.fixture(autouse=True)
async def kept(house: House, agent: Caller) -> AsyncIterator[None]:
    """Whatever a test here sends, no review, delivery or log entry comes of it, and no worker stumbles."""
    before = await house.counted()
    yield
    assert await house.counted() == before
    assert (await agent.get("/v1/reviews")).body["items"] == []
    assert house.app.workers.failing == {}


def _is_problem(answer: Answer, status: int) -> None:
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.raw
    assert answer.body["status"] == status
    assert answer.body["title"]
    assert answer.body["detail"]
    assert answer.headers["X-Request-ID"]


# ---------------------------------------------------------------------------------------------- what is no JSON

NO_JSON = {
    "nothing": b"",
    "a word": b"refund",
    "cut off": b'{"action":',
    "two values": b"{}{}",
    "NaN": b'{"action":{"name":"x"},"confidence":NaN}',
    "Infinity": b'{"action":{"name":"x"},"confidence":Infinity}',
    "a number without end": b'{"action":{"name":"x"},"confidence":1e999}',
    "a trailing comma": b'{"action":{"name":"x"},}',
    "single quotes": b"{'action':{'name':'x'}}",
    "a comment": b'{"action":{"name":"x"}}// please',
    "no UTF-8": b'{"action":{"name":"\xff\xfe"}}',
    "overlong UTF-8": b'{"action":{"name":"\xc0\xaf"}}',
    "a surrogate in UTF-8": b'{"action":{"name":"\xed\xa0\x80"}}',
    "a lone surrogate": b'{"action":{"name":"\\ud800"}}',
    "a lone low surrogate": b'{"action":{"name":"x"},"summary":"\\udc00 tail"}',
    "UTF-16": '{"action":{"name":"x"}}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"action":{"name":"x"}}',
    "a raw control character": b'{"action":{"name":"x"},"summary":"a\x00b"}',
    "an array": b"[]",
    "null": b"null",
    "too deep": DEEP.encode(),
    "far too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("raw", NO_JSON.values(), ids=NO_JSON.keys())
async def test_what_is_no_json_object_is_400(agent: Caller, raw: bytes) -> None:
    """On every call that takes a body."""
    for path in ("/v1/reviews", "/v1/policies/explain"):
        _is_problem(await agent.post(path, data=raw), 400)


async def test_a_body_too_large_is_413(agent: Caller) -> None:
    """Told how much is taken; and what is just small enough is judged as JSON."""
    answer = await agent.post("/v1/reviews", data=HUGE.encode())
    _is_problem(answer, 413)
    assert str(wire.MAX_BODY) in answer.body["detail"]
    _is_problem(await agent.post("/v1/reviews", data=b" " * wire.MAX_BODY), 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_another_content_type_is_415(agent: Caller, kind: str) -> None:
    """JSON only, and said so: a form posted by a browser is no request."""
    answer = await agent.post("/v1/reviews", data=json.dumps({"action": REFUND}).encode(), Content_Type=kind)
    _is_problem(answer, 415)
    assert "application/json" in answer.body["detail"]


async def test_other_methods_are_405_and_other_paths_404(agent: Caller) -> None:
    """With what the address does take; never a stack or a page."""
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await agent.call(method, "/v1/reviews")
        _is_problem(answer, 405)
        assert set(answer.headers["Allow"].split(",")) == {"GET", "POST"}
    assert (await agent.call("HEAD", "/v1/reviews")).status == 405
    for path in ("/v1/", "/v1/review", "/v1/reviews/", "/v1/reviews/a/b", "/v1/reviews/%00", "/v1/reviews/%ff/events"):
        _is_problem(await agent.get(path), 404)


# ---------------------------------------------------------------------------------------------- faults in fields

FIELDS: dict[str, tuple[Object, str]] = {
    "an unknown field": ({**_action(), "urgency": 1}, "/urgency"),
    "an unknown field further in": ({**_action(), "risk": {"lvl": "low"}}, "/risk/lvl"),
    "a field with a slash": ({**_action(), "a/b~c": 1}, "/a~1b~0c"),
    "nothing to review": ({"summary": "hello"}, "/action"),
    "action and result": ({**_action(), "result": 1}, "/result"),
    "an action of words": ({"action": "refund"}, "/action"),
    "no name": ({"action": {"arguments": {}}}, "/action/name"),
    "an empty name": ({"action": {"name": ""}}, "/action/name"),
    "a name with spaces": ({"action": {"name": "refund issue"}}, "/action/name"),
    "a name too long": ({"action": {"name": "x" * 129}}, "/action/name"),
    "a name with a zero-width space": ({"action": {"name": "refund\u200b.issue"}}, "/action/name"),
    "a name read from right to left": ({"action": {"name": "\u202eeussi.dnufer"}}, "/action/name"),
    "a name with a line end": ({"action": {"name": "refund\u2028issue"}}, "/action/name"),
    "a name with NUL": ({"action": {"name": "refund\x00"}}, "/action/name"),
    "a name that is a number": ({"action": {"name": 7}}, "/action/name"),
    "arguments in a list": (_action(arguments=[1]), "/action/arguments"),
    "reversible as a word": (_action(reversible="yes"), "/action/reversible"),
    "confidence above one": ({**_action(), "confidence": 1.01}, "/confidence"),
    "confidence as a word": ({**_action(), "confidence": "0.9"}, "/confidence"),
    "confidence as yes": ({**_action(), "confidence": True}, "/confidence"),
    "a negative amount": ({**_action(), "risk": {"amount": -1}}, "/risk/amount"),
    "an unknown level": ({**_action(), "risk": {"level": "extreme"}}, "/risk/level"),
    "an unknown type": ({**_action(), "review_type": "vote"}, "/review_type"),
    "an unknown role": ({**_action(), "reviewer_role": "boss"}, "/reviewer_role"),
    "evidence without title": ({**_action(), "evidence": [{"title": "a"}, {"score": 1}]}, "/evidence/1/title"),
    "a score above one": ({**_action(), "evidence": [{"title": "a", "score": 2}]}, "/evidence/0/score"),
    "a pointer that is none": ({**_action(), "sensitive": ["iban"]}, "/sensitive/0"),
    "more terms than are marked": (
        {**_action(), "ui_hint": {"highlight_terms": ["lost"] * 51}},
        "/ui_hint/highlight_terms",
    ),
    "no approve": ({**_action(), "allowed_decisions": ["reject"]}, "/allowed_decisions"),
    "an unknown decision": ({**_action(), "allowed_decisions": ["approve", "reject", "skip"]}, "/allowed_decisions/2"),
    "a decision people alone have": (
        {**_action(), "allowed_decisions": ["approve", "reject", "revoke"]},
        "/allowed_decisions",
    ),
    "a deadline without offset": ({**_action(), "review_deadline": "2030-01-01T00:00:00"}, "/review_deadline"),
    "a deadline that is a number": ({**_action(), "review_deadline": 1900000000}, "/review_deadline"),
    "a deadline at the end of time": (
        {**_action(), "review_deadline": "9999-12-31T23:59:59-14:00"},
        "/review_deadline",
    ),
    "a deadline before time": ({**_action(), "review_deadline": "0001-01-01T00:00:00+14:00"}, "/review_deadline"),
    "escalation at once": ({**_action(), "escalate_after_seconds": 0}, "/escalate_after_seconds"),
    "a subject without end": ({**_action(), "subject": "s" * 501}, "/subject"),
    "a key that is a number": ({**_action(), "idempotency_key": 7}, "/idempotency_key"),
    "null where an object is": ({**_action(), "risk": None}, "/risk"),
    "a list where an object is": ({**_action(), "context": []}, "/context"),
}


@pytest.mark.parametrize(("body", "pointer"), FIELDS.values(), ids=FIELDS.keys())
async def test_a_field_at_fault_is_named(agent: Caller, body: Object, pointer: str) -> None:
    """422 with a JSON Pointer to the field and what it may be."""
    answer = await agent.post("/v1/reviews", body)
    _is_problem(answer, 422)
    assert pointer in answer.pointers
    assert all(fault["message"] for fault in answer.body["errors"])


async def test_all_faults_are_told_at_once_but_not_endlessly(agent: Caller) -> None:
    """One round trip to mend a request; and a body of nothing but faults gets a short answer."""
    answer = await agent.post("/v1/reviews", {**_action(), "confidence": 2, "risk": {"score": 2}, "sensitive": ["x"]})
    assert set(answer.pointers) == {"/confidence", "/risk/score", "/sensitive/0"}
    endless = await agent.post("/v1/reviews", {**_action(), "scopes": [1] * 100_000})
    _is_problem(endless, 422)
    assert len(endless.raw) < 20_000


@pytest.mark.parametrize(
    "number",
    ["9007199254740993", "-9007199254740993", "1" + "0" * 30, "1e300", "9007199254740993.0", "123456789012345678.5"],
)
async def test_a_number_that_would_not_survive_is_refused(agent: Caller, number: str) -> None:
    """Beyond 2^53 two readers may read two numbers; written as a string it is kept exactly."""
    raw = '{"action":{"name":"x","arguments":{"deep":[{"account":%s}]}}}'
    answer = await agent.post("/v1/reviews", data=(raw % number).encode())
    _is_problem(answer, 422)
    assert "string" in answer.body["detail"]
    asked = await agent.post("/v1/policies/explain", data=(raw % f'"{number}"').encode())
    assert asked.status == 200


# ---------------------------------------------------------------------------------------------- an agent's schema

SCHEMAS: dict[str, Object] = {
    "a remote reference": {"$ref": "http://127.0.0.1:1/schema.json"},
    "a file": {"$ref": "file:///etc/passwd"},
    "a remote reference further in": {"properties": {"a": {"items": {"$ref": "https://example.com/s"}}}},
    "a remote dynamic reference": {"$dynamicRef": "https://example.com/s"},
    "a foreign dialect": {"$schema": "https://example.com/dialect"},
    "a pattern that explodes elsewhere, with a back-reference": {"properties": {"a": {"pattern": r"^(a+)\1+$"}}},
    "look-ahead": {"properties": {"a": {"pattern": r"^(?=.*x).*$"}}},
    "a pattern too large": {"properties": {"a": {"pattern": "(a{1000}){1000}"}}},
    "a broken pattern": {"properties": {"a": {"pattern": "("}}},
    "no schema": {"type": "refund"},
    "a minimum of words": {"properties": {"a": {"minimum": "1"}}},
    "too deep": json.loads('{"items":' * 25 + "{}" + "}" * 25),
    "too large": {"description": "x" * 70_000},
    "an explosion of alternatives": {
        "$defs": {str(n): {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * 8} for n in range(10)} | {"10": {}},
        "$ref": "#/$defs/0",
    },
    "a reference to nothing": {"$ref": "#/$defs/none"},
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
async def test_a_schema_is_input_not_trust(agent: Caller, schema: Object, tried: list[Any]) -> None:
    """422 naming it, within the moment, and nothing is fetched."""
    async with asyncio.timeout(10):
        answer = await agent.post("/v1/reviews", _action(schema=schema, arguments={"a": "aaaa"}))
    _is_problem(answer, 422)
    assert answer.pointers == ["/action/schema"]
    assert tried == []


async def test_an_exponential_pattern_costs_nothing(agent: Caller) -> None:
    """`(a+)+$` against many a's: linear here, so it is a plain mismatch."""
    schema = {"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    async with asyncio.timeout(10):
        answer = await agent.post("/v1/reviews", _action(schema=schema, arguments={"a": "a" * 50_000 + "!"}))
    _is_problem(answer, 422)
    assert answer.pointers == ["/action/arguments/a"]


async def test_arguments_that_break_their_schema_are_named(agent: Caller) -> None:
    """The agent's schema, and the catalogue's, which wins; values are not repeated in what is said."""
    schema = {"type": "object", "properties": {"a/b": {"type": "integer"}}, "required": ["c"]}
    own = await agent.post("/v1/reviews", _action(schema=schema, arguments={"a/b": "secret-value"}))
    _is_problem(own, 422)
    assert set(own.pointers) == {"/action/arguments/a~1b", "/action/arguments"}
    assert b"secret-value" not in own.raw
    loose = {"name": "note.write", "arguments": {"text": 7}, "schema": {}}
    catalogue = await agent.post("/v1/reviews", {"action": loose})
    _is_problem(catalogue, 422)
    assert catalogue.pointers == ["/action/arguments/text"]


# ---------------------------------------------------------------------------------------------- callback addresses

CALLBACKS = (
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//example.com/hook",
    "https://",
    "https:///path",
    "https://user:secret@example.com/",
    "https://:secret@example.com/",
    "https://@example.com/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com/\r\nX-Evil: 1",
    "https://[::1/",
    "https://" + "a" * 2000 + ".example.com/",
    "http://example.com/",
    "http://8.8.8.8/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://[::ffff:169.254.169.254]/",
    "https://10.0.0.1/",
    "https://192.168.0.1:8443/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
)


@pytest.mark.parametrize("url", CALLBACKS)
async def test_a_callback_that_may_not_be_is_refused_when_asked(agent: Caller, url: str, tried: list[Any]) -> None:
    """422 at the field; no lookup, no connection. Names are judged when connecting (tests/bot/test_gate.py)."""
    answer = await agent.post("/v1/reviews", {"action": {"name": "orders.list"}, "callback_url": url})
    _is_problem(answer, 422)
    assert answer.pointers == ["/callback_url"]
    assert tried == []


@pytest.fixture
async def tried(house: House, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every lookup and connection the server tries from here on; the test's own connection is open already."""
    await house.call("GET", "/healthz")
    loop, seen = asyncio.get_running_loop(), []

    async def never(*given: Any, **more: Any) -> Any:
        seen.append((given, more))
        raise OSError("not from here")

    connect = loop.sock_connect

    async def local(sock: Any, address: Any) -> None:
        if address[1] != int(house.url.rpartition(":")[2]):
            await never(address)
        await connect(sock, address)

    monkeypatch.setattr(loop, "getaddrinfo", never)
    monkeypatch.setattr(loop, "sock_connect", local)
    return seen
