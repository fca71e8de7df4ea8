"""The document is true: every route is in it, what it says of bodies is what is checked, its examples hold."""

from __future__ import annotations

import html
import re
from typing import Any

import jsonschema_rs
import pytest

from bot import bounds, wire
from bot.openapi.document import document
from bot.openapi.schemas import components
from bot.problems import TITLES
from reviews.events import Message
from reviews.model import Object
from tests.fakes.app import Caller, House

#: For people's eyes; the document is about calls.
PAGES = {"/docs", "/docs.css"}


def _validator(name: str) -> Any:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components()}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _operations() -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, calls in document()["paths"].items() for method in calls}


async def test_every_route_is_documented_and_the_other_way_round(house: House) -> None:
    """Routes of adapters belong to people's surfaces; all others are calls, and each is described."""
    surfaces = {
        route.path for adapter in house.app.adapters.values() for route in adapter.routes() if hasattr(route, "path")
    }
    served = {
        (route.method, route.resource.canonical)
        for runner in house.app.listening.runners
        for route in runner.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    calls = {(method, path) for method, path in served if path not in PAGES | surfaces and not _adapters(path)}
    assert calls == _operations()


def _adapters(path: str) -> bool:
    return not re.match(r"/(v1/|healthz|readyz|metrics)", path)


async def test_it_is_served_and_readable(house: House) -> None:
    """Machines get the document, people the page: no script, nothing from another host."""
    machine = await house.call("GET", "/v1/openapi.json")
    page = await house.call("GET", "/docs")
    style = await house.call("GET", "/docs.css")
    assert machine.body == document()
    assert page.headers["Content-Type"].startswith("text/html")
    assert style.headers["Content-Type"].startswith("text/css")
    text = page.raw.decode()
    assert "<script" not in text
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', text) == []
    assert re.findall(r"url\(|@import", style.raw.decode()) == []
    assert house.url in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_every_call_and_shape_is_on_the_page(house: House) -> None:
    """Each call has its place, and every link inside the page leads somewhere."""
    text = (await house.call("GET", "/docs")).raw.decode()
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert {call["operationId"] for calls in document()["paths"].values() for call in calls.values()} <= anchors
    assert {f"shape-{name}" for name in components()} <= anchors
    assert set(re.findall(r'href="#([^"]+)"', text)) <= anchors


def test_references_and_links_lead_somewhere() -> None:
    """No `$ref` and no link points at what is not there."""
    whole = document()
    named = {call["operationId"] for calls in whole["paths"].values() for call in calls.values()}
    for key, value in _walk(whole):
        if key == "$ref":
            found = whole
            for part in value.split("/")[1:]:
                found = found[part]
        if key == "links":
            assert {link["operationId"] for link in value.values()} <= named


def _walk(value: Any) -> Any:
    if isinstance(value, dict):
        # A property may be called `links` too: only a response's links hold operations.
        yield from ((key, inner) for key, inner in value.items() if key != "links" or "content" in value)
        for inner in value.values():
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def test_the_examples_hold() -> None:
    """Every example fits the schema beside it."""
    checked = 0
    for _, value in [(None, document()), *_walk(document())]:
        if isinstance(value, dict) and "example" in value and "$ref" in value.get("schema", {}):
            _validator(value["schema"]["$ref"].rpartition("/")[2]).validate(value["example"])
            checked += 1
    assert checked > 15


def test_callbacks_and_refusals_are_all_there() -> None:
    """Each message an agent may get, and each status a problem may have."""
    assert set(document()["webhooks"]) == set(Message)
    used = {status for calls in document()["paths"].values() for call in calls.values() for status in call["responses"]}
    assert {int(status) for status in document()["components"]["responses"]} == set(TITLES) - {405}
    assert used - {"200", "201"} == set(document()["components"]["responses"])


#: A number with bounds, by its place in the request: what is just inside is taken, what is just outside refused.
BOUNDS = (
    ("Request", "confidence", lambda value: {"confidence": value}),
    ("Request", "escalate_after_seconds", lambda value: {"escalate_after_seconds": value}),
    ("RiskClaim", "score", lambda value: {"risk": {"score": value}}),
    ("RiskClaim", "sentiment", lambda value: {"risk": {"sentiment": value}}),
    ("Evidence", "score", lambda value: {"evidence": [{"title": "t", "score": value}]}),
)


@pytest.mark.parametrize(("owner", "name", "made"), BOUNDS, ids=[name for _, name, _ in BOUNDS])
def test_bounds_in_the_document_are_those_checked(owner: str, name: str, made: Any) -> None:
    """The schema is written beside the code that checks, so both are held against each other."""
    shown = components()["ActionRequest" if owner == "Request" else owner]["properties"][name]
    low, high = shown["minimum"], shown["maximum"]
    for value, fits in ((low, True), (high, True), (low - 0.01, False), (high + 0.01, False)):
        assert _taken({"action": {"name": "x"}, **made(value)}) is fits, value


@pytest.mark.parametrize("name", bounds.NAMES)
def test_lengths_in_the_document_are_those_checked(name: str) -> None:
    """A reference may be as long as the document says, and not longer."""
    longest = components()["ActionRequest"]["properties"][name]["maxLength"]
    for length, fits in ((longest, True), (longest + 1, False)):
        assert _taken({"action": {"name": "x"}, name: "a" * length}) is fits


def _taken(body: Object) -> bool:
    try:
        wire.request_of(body)
    except wire.BadRequest:
        taken = False
    else:
        taken = True
    assert _validator("ReviewRequest").is_valid(body) is taken
    return taken


async def test_what_is_answered_fits_what_is_documented(house: House, agent: Caller) -> None:
    """A review through all its shapes: pending, edited and approved, redeemed, reported; history and list too."""
    asked = await agent.asked()
    _validator("Review").validate(asked)
    await house.press("edit", asked, arguments={"order": "A-4721", "amount": 90.0, "currency": "USD"})
    decided = await agent.review(asked["id"])
    _validator("Review").validate(decided)
    redeemed = await agent.post(f"/v1/reviews/{asked['id']}/redeem", {"digest": decided["digest"]})
    _validator("Redemption").validate(redeemed.body)
    reported = await agent.post(f"/v1/reviews/{asked['id']}/outcome", {"result": "succeeded"})
    _validator("Review").validate(reported.body)
    _validator("History").validate((await agent.get(f"/v1/reviews/{asked['id']}/events")).body)
    _validator("ReviewPage").validate((await agent.get("/v1/reviews")).body)
    _validator("Problem").validate((await agent.get("/v1/reviews/none")).body)
    _validator("Readiness").validate((await house.call("GET", "/readyz")).body)


async def test_the_command_to_copy_works(house: House, agent: Caller) -> None:
    """The body shown under "Ask" is taken as it stands on the page."""
    text = html.unescape((await house.call("GET", "/docs")).raw.decode())
    body = re.search(r"-d '(\{.*?\n\})'", text, re.DOTALL)
    assert body is not None
    answer = await agent.post("/v1/reviews", data=body[1].encode(), Idempotency_Key="run-17/step-3")
    assert (answer.status, answer.body["status"]) == (201, "pending")
