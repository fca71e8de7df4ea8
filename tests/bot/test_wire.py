"""What is strange but allowed: kept exactly, shown as text, never taken for more than it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.guard import cookie_name
from bot.wire import BadRequest, request_of, stamp
from reviews.ports import Session
from tests.fakes.app import REFUND, Caller, House

MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> *bold* <!channel> <@U0ANA> [a](javascript:b) {{7*7}} ${x}"
)
STRANGE = {
    "markup": MARKUP,
    "right to left": "\u202egnp.exe\u202c",
    "zero width": "a\u200bb\ufeffc",
    "combining": "Z" + "\u0335" * 200,
    "NUL and friends": "a\x00b\x1b[31mred\x7f",
    "emoji": "👩‍👩‍👧 🏳️‍🌈 🇪🇸",
    "line ends": "one\r\ntwo\u2028three\u2029four",
    "astral": "𝕒𝕓𝕔 \U0010ffff",
    "our own words": "Approved by Ana Ruiz. ✅ Decided. [Approve]",
}


def _everywhere(text: str) -> dict[str, Any]:
    return {
        "action": {"name": "coupon.send", "arguments": {"to": text, text: [text]}, "preview": text},
        "subject": text,
        "summary": text,
        "task_id": text,
        "on_behalf_of": text,
        "risk": {"domain": text, "currency": text},
        "context": {"goal": text, "facts": {text: text}, "conversation": [{"role": text, "text": text}]},
        "evidence": [{"title": text, "snippet": text, "url": text, "score": 0.5}],
        "ui_hint": {"highlight_terms": [text]},
        "metadata": {text: text},
    }


async def _page(house: House, person: str, path: str) -> str:
    session = await house.app.door.enter(await house.app.door.link(person))
    assert isinstance(session, Session)
    cookies = {cookie_name(house.url): session.secret}
    async with house.session.get(house.url + path, cookies=cookies) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
async def test_text_is_kept_and_echoed_exactly(house: House, agent: Caller, text: str) -> None:
    """In every field, through the store and back; and a person can still read and decide it."""
    sent = _everywhere(text)
    review = await agent.asked(sent.pop("action"), **sent)
    shown = await agent.review(review["id"])
    assert shown["action"]["arguments"] == {"to": text, text: [text]}
    assert shown["metadata"] == {text: text}
    assert {key: shown["request"][key] for key in sent} == sent
    assert (await house.press("approve", review, person="cy", reason=text)).answer == "done"
    assert (await agent.review(review["id"]))["decision"]["reason"] == text


async def test_markup_is_text_on_the_page(house: House, agent: Caller) -> None:
    """No element of the review page or the queue comes from an agent's words."""
    sent = _everywhere(MARKUP)
    review = await agent.asked(sent.pop("action"), **sent)
    for path in (f"/reviews/{review['id']}", "/inbox"):
        page = await _page(house, "cy", path)
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
        assert 'href="javascript:' not in page


@pytest.mark.parametrize("name", ["оrders.list", "orders.list.", "Orders.list", "orders․list", "ⓞrders.list"])
async def test_a_name_that_only_looks_listed_is_not(agent: Caller, name: str) -> None:
    """A look-alike of a harmless action is unlisted, so a person is asked."""
    assert (await agent.asked(name))["status"] == "pending"


async def test_of_a_key_written_twice_the_last_counts_everywhere(agent: Caller) -> None:
    """Routed, shown, digested and decided on is one and the same: no reader here sees the other."""
    raw = b'{"action":{"name":"orders.list","name":"refund.issue","arguments":{"amount":1,"amount":900}}}'
    review = (await agent.post("/v1/reviews", data=raw)).body
    plain = await agent.asked({"name": "refund.issue", "arguments": {"amount": 900}})
    assert (review["status"], review["action"]["arguments"], review["digest"]) == (
        "pending",
        {"amount": 900},
        plain["digest"],
    )


async def test_huge_texts_are_taken_and_cut_on_cards(house: House, agent: Caller) -> None:
    """Nearly a megabyte is kept whole for the agent; the queue stays readable."""
    huge = "wörd " * 90_000
    review = await agent.asked(REFUND, summary=huge, context={"goal": huge[:100]})
    assert (await agent.review(review["id"]))["request"]["summary"] == huge
    assert len(await _page(house, "ana", "/inbox")) < 100_000


async def test_numbers_come_back_as_they_were(agent: Caller) -> None:
    """Whole, broken, the largest that are exact, and those written as strings."""
    numbers = {"a": 2**53 - 1, "b": -(2**53 - 1), "c": 0.1, "d": -0.5, "e": 1e-300, "f": "9007199254740993", "g": True}
    review = await agent.asked({"name": "x", "arguments": numbers})
    back = (await agent.review(review["id"]))["action"]["arguments"]
    assert json.dumps(back) == json.dumps(numbers)


async def test_a_body_as_deep_as_allowed_is_taken(agent: Caller) -> None:
    """64 levels from the body on; one more is refused (tests/bot/test_bad_input.py)."""
    value: Any = 1
    for _ in range(61):
        value = {"a": value}
    assert (await agent.ask({"name": "x", "arguments": {"a": value}})).status == 201


@given(st.datetimes(timezones=st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30))))))
def test_an_instant_is_written_in_utc_with_milliseconds(at: datetime) -> None:
    """Three digits of a second, also where they are noughts."""
    if datetime.min.replace(tzinfo=UTC) + timedelta(days=1) < at:
        assert stamp(at) == at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\x1c", "\x85", "\xa0", "\u2003", "\u2028", "\u3000"])
def test_an_actions_name_is_one_word(space: str) -> None:
    """No space of any alphabet stands in it."""
    with pytest.raises(BadRequest) as refused:
        request_of({"action": {"name": f"refund{space}issue"}})
    assert [fault.pointer for fault in refused.value.faults] == ["/action/name"]
