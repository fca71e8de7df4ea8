"""The whole way of a review: asked over HTTP, shown in Slack and on the web, pressed in Slack, told to the agent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.loop import IBAN, Loop, looped, until
from tests.fakes.slack_process import Emulator

pytestmark = pytest.mark.node
POLICY = """
policy: loop
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount, sensitive: [/iban]}
chains:
  desk:
    - {after: 0m, notify: channel:role}
    - {after: 2s, notify: person:bo, via: dm}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: desk, reasons: [wrong customer, too much]}
"""


@pytest.fixture
async def loop(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Loop]:
    """A running Placet with Slack and the web, an agent and its receiver."""
    async with looped(emulator, tmp_path, POLICY) as running:
        yield running


async def test_once_round(loop: Loop) -> None:
    """Asked, shown without its secrets, pressed in Slack, told signed, redeemed once; the buttons are gone."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    assert "Refund order A-4721" in json.dumps(card)
    assert IBAN not in json.dumps(card)
    assert await loop.press(card["ts"], "placet:approve") == 200
    told = await loop.told()
    decision = told["data"]["decision"]
    assert (told["type"], decision["verdict"], decision["by"][0]["person"]) == ("review.decided", "approved", "ana")
    assert decision["action"]["arguments"]["iban"] == IBAN
    path = f"/v1/reviews/{review['id']}/redeem"
    answers = [await loop.agent.post(path, json={"digest": decision["digest"]}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 409]

    async def over() -> bool:
        shown = json.dumps(await loop.slack.message(loop.channel, card["ts"]))
        return "Approved by Ana Ruiz" in shown and "placet:approve" not in shown

    await until(loop.slack, over)
    async with loop.agent.get("/inbox") as page:
        assert page.status == 200  # the web is there as well; who is not signed in is told how
    await _decided_on_the_web(loop, review["id"])


async def _decided_on_the_web(loop: Loop, review: str) -> None:
    made = await loop.app.operations.run("link", {"person": "ana"})
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(made["url"]) as page:
            text = await page.text()
        fields = {
            part.split('"')[0]: part.split('value="')[1].split('"')[0]
            for part in text.split('name="')[1:]
            if "value=" in part
        }
        wanted = {key: value for key, value in fields.items() if key in ("link", "csrf")}
        async with browser.post(f"{loop.app.url}/enter", data=wanted, headers={"Origin": loop.app.url}) as entered:
            assert entered.status == 200, await entered.text()
        async with browser.get(f"{loop.app.url}/reviews/{review}") as page:
            assert "Approved by Ana Ruiz" in await page.text()


async def test_who_may_not_is_told_so_alone(loop: Loop) -> None:
    """A channel member presses Approve before anybody called them: nothing is granted, and only they read why."""
    review = await loop.ask()
    card = await loop.card(review["id"])
    stranger = await loop.slack.user("bo")
    assert await loop.press(card["ts"], "placet:approve", stranger) == 200
    await until(loop.slack, lambda: _said(loop, stranger))
    async with loop.agent.get(f"/v1/reviews/{review['id']}") as answer:
        assert (await answer.json())["status"] == "pending"


async def _said(loop: Loop, user: str) -> bool:
    return any(said.user == user and "This needs manager" in said.text for said in loop.slack.ephemerals)


async def test_silence_calls_the_next_who_may_then_decide(loop: Loop) -> None:
    """After two seconds of silence Bo gets the card as a direct message, and by being called may approve."""
    review = await loop.ask()
    bo = await loop.slack.user("bo")

    async def called() -> bool:
        return bool(await loop.slack.direct(bo))

    assert (await loop.told())["type"] == "review.escalated"
    await until(loop.slack, called)
    card = await loop.card(review["id"])
    assert await loop.press(card["ts"], "placet:approve", bo) == 200
    told = await loop.told()
    assert told["data"]["id"] == review["id"]
    assert told["data"]["decision"]["by"][0]["person"] == "bo"
