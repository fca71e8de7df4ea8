"""Reviews in the Microsoft 365 Agents Playground: Microsoft's own cards in a real browser, tokens checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.adapters.web.browser import chromium
from tests.e2e.loop import IBAN
from tests.e2e.teams_loop import Json, TeamsLoop, person, teams_loop, teams_section
from tests.fakes import playground as pg
from tests.fakes.playground import Window, service_of, start_playground, window
from tests.fakes.signing import PATH, Front, Issuer, signing

pytestmark = [pytest.mark.node, pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
POLICY = """
policy: playground
version: 1
actions:
  refund.issue:
    risk: medium
    reversible: false
    amount: /amount
    sensitive: [/iban]
    schema:
      type: object
      properties: {order: {type: string}, amount: {type: number}, iban: {type: string}}
      required: [order, amount]
chains:
  desk:
    - {after: 0m, notify: channel:role}
    - {after: 1h, notify: person:bo, via: dm}
    - {after: 2h, then: expire}
  alone:
    - {after: 0m, notify: person:ana, via: dm}
    - {after: 1h, then: expire}
rules:
  - {name: alone, when: 'action.name == "bonus.pay"', route: {tier: approve, role: manager, chain: alone}}
  - {name: a badge, when: 'action.name == "badge.print"', route: {tier: approve, role: clerk, chain: desk}}
default: {tier: approve, role: manager, chain: desk}
"""
PEOPLE: Json = {
    "roles": {
        "manager": {"level": 2, "channels": {"teams": pg.CHANNEL}},
        "clerk": {"level": 1, "channels": {"teams": pg.GROUP}},
    },
    "people": [person("Ana Ruiz", ["manager", "clerk"], teams=pg.ANA), person("Bo Chen", teams=pg.BO)],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Ana at the window, Placet behind it, and what signs between them."""

    loop: TeamsLoop
    window: Window
    front: Front

    async def asked(self, summary: str, room: str = pg.REVIEWS, **more: Any) -> tuple[Json, Locator]:
        """A new review, and its card once it is to be seen in the room."""
        await self.window.open(room)
        review = await self.loop.ask(summary=summary, **more)
        card = self.window.card(summary)
        await card.wait_for()
        await self.loop.copies(review["id"], "posted")  # Teams has it a moment before our row says where
        return review, card

    async def escalate(self, card: Locator) -> None:
        """Ana has Bo called."""
        await self.window.press(card, "More…", "Escalate", "Escalate")
        assert (await self.loop.told())["type"] == "review.escalated"

    @contextmanager
    def pressed_by(self, *people: Json) -> Iterator[None]:
        """Who really presses what is pressed at the window."""
        self.front.pressers = people
        try:
            yield
        finally:
            self.front.pressers = ()

    async def over(self, card: Locator, *words: str) -> None:
        """Wait until the card says so, and that it is over: nothing can be decided any more."""
        await self.window.shows(card, *words)
        for label in ("Approve", "Reject", "Edit", "Request changes"):
            await self.window.has_no(card, label)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seat]:
    """Everything, once for all tests: each has a review of its own, by its summary."""
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(signing(pg.APP_ID))
        playground = await asyncio.to_thread(start_playground, front.url + PATH)
        stack.callback(playground.stop)
        folder = tmp_path_factory.mktemp("playground")
        section = teams_section(pg.APP_ID, pg.TENANT, front.openid_url, service_of(playground))
        loop = await stack.enter_async_context(teams_loop(folder, POLICY, PEOPLE | {"teams": section}))
        front.bot = loop.endpoint
        browser = await stack.enter_async_context(chromium())
        yield Seat(loop=loop, window=await stack.enter_async_context(window(browser, playground)), front=front)


async def test_approved_in_the_channel(seat: Seat) -> None:
    """A card nobody asked Teams for is in the channel, without its secrets; a press decides, and the card says so."""
    review, card = await seat.asked("Refund of a lost parcel")
    assert IBAN not in await card.inner_text()
    await seat.window.press(card, "Approve")
    decision = await seat.loop.decided()
    assert (decision["verdict"], decision["by"][0]["person"]) == ("approved", "ana")
    assert decision["action"]["arguments"]["iban"] == IBAN
    await seat.over(card, "Approved by Ana Ruiz")
    assert "review.approved" in await seat.loop.events(review["id"])


async def test_rejected_with_a_reason(seat: Seat) -> None:
    """The form beneath the card takes the reason; agent and card have it."""
    _, card = await seat.asked("Refund of a second parcel")
    await seat.window.press(card, "Reject")
    await seat.window.send(seat.window.form(card), "Reject", {"Why?": "The parcel arrived."})
    decision = await seat.loop.decided()
    assert (decision["verdict"], decision["reason"]) == ("rejected", "The parcel arrived.")
    await seat.over(card, "Rejected by Ana Ruiz", "The parcel arrived.")


async def test_an_edit_with_a_field_that_must_be_filled(seat: Seat) -> None:
    """A blank field that is required sends nothing; filled in, the edit is the decision; the locked one stays."""
    review, card = await seat.asked("Refund of half a parcel")
    await seat.window.press(card, "Edit")
    form = seat.window.form(card)
    assert IBAN not in await card.inner_html()
    before = len(seat.front.passed)
    await seat.window.send(form, "Save and approve", {"order": ""})
    await expect(form).to_contain_text("This is needed.")
    assert len(seat.front.passed) == before
    await seat.window.send(form, "Save and approve", {"order": "A-4721", "amount": "90"})
    decision = await seat.loop.decided()
    assert (decision["verdict"], decision["edited"]) == ("approved", True)
    assert decision["action"]["arguments"] == {"order": "A-4721", "amount": 90, "iban": IBAN}
    await seat.over(card, "Approved by Ana Ruiz")
    assert (await seat.loop.read(review["id"]))["status"] == "approved"


async def test_changes_asked_for_bring_another_proposal(seat: Seat) -> None:
    """The agent is told what to change; what it proposes then is on the same card and on a new one, and both ask."""
    review, card = await seat.asked("Refund of a damaged parcel")
    await seat.window.press(card, "Request changes")
    await seat.window.send(seat.window.form(card), "Ask for changes", {"What should be changed?": "Refund half of it."})
    told = await seat.loop.told()
    assert told["type"] == "review.changes_requested"
    assert told["data"]["changes_requested"][0]["text"] == "Refund half of it."
    await seat.window.shows(card, "Refund half of it.")
    await seat.window.has_no(card, "Approve")
    half = {"order": "A-4721", "amount": 45.0, "iban": IBAN}
    await seat.loop.post(f"/v1/reviews/{review['id']}/revisions", {"action": {"arguments": half}})
    both = (card.first, card.last)
    for each in both:
        await seat.window.shows(each, "revision 2", "45")
    await seat.window.press(card.last, "Approve")
    told = await seat.loop.told()
    assert (told["data"]["revision"], told["data"]["decision"]["verdict"]) == (2, "approved")
    for each in both:
        await seat.over(each, "Approved by Ana Ruiz")


async def test_two_people_press_at_once(seat: Seat) -> None:
    """Bo, who was called too, presses with Ana: one decision, and the other one is told who was first."""
    review, card = await seat.asked("Refund of two minds")
    await seat.escalate(card)
    with seat.pressed_by(pg.ANA_SENDS, pg.BO_SENDS):
        await seat.window.press(card, "Approve")
        decision = await seat.loop.decided()
        first = {"ana": "Ana Ruiz", "bo": "Bo Chen"}[decision["by"][0]["person"]]
        await seat.over(card, f"Approved by {first}")
    answers = {done.activity["from"]["name"]: str(done.body) for done in seat.front.passed[-2:]}
    (loser,) = {"Ana Ruiz", "Bo Chen"} - {first}
    assert first in answers[loser]
    assert (await seat.loop.events(review["id"])).count("review.approved") == 1


async def test_who_may_not_is_told_so_beneath_the_card(seat: Seat) -> None:
    """Bo presses before anybody called him: nothing is granted, and the card stays as it is."""
    review, card = await seat.asked("Refund Bo has no say in")
    with seat.pressed_by(pg.BO_SENDS):
        await seat.window.press(card, "Approve")
        await expect(seat.window.toast("Refund Bo has no say in")).to_contain_text("This needs manager")
    assert (await seat.loop.read(review["id"]))["status"] == "pending"
    await expect(card.get_by_role("button", name="Approve", exact=True)).to_be_visible()


async def test_a_press_that_is_not_signed_is_nothing(seat: Seat) -> None:
    """For another bot, outdated, of another service, by a key nobody published, unsigned: 401. Signed, it counts."""
    review, card = await seat.asked("Refund somebody forges")
    with seat.pressed_by(pg.BO_SENDS):
        await seat.window.press(card, "Approve")
        await expect(seat.window.toast("Refund somebody forges")).to_be_visible()
    forged = seat.front.passed[-1].activity | {"from": pg.ANA_SENDS}
    for claims in (
        {"aud": "another"},
        {"exp": 1},
        {"iss": "https://example.com"},
        {"serviceurl": "http://127.0.0.1:9/"},
    ):
        assert (await seat.front.send(forged, **claims)).status == 401
    stranger = Issuer(pg.APP_ID).token(forged["serviceUrl"])
    for header in ({}, {"Authorization": f"Bearer {stranger}"}):
        async with seat.front.session.post(seat.front.bot, json=forged, headers=header) as answer:
            assert answer.status == 401
    assert (await seat.loop.read(review["id"]))["status"] == "pending"
    assert (await seat.front.send(forged)).status == 200
    assert (await seat.loop.decided())["by"][0]["person"] == "ana"
    await seat.over(card, "Approved by Ana Ruiz")


async def test_a_card_in_the_chat_with_one_person(seat: Seat) -> None:
    """Who is called alone gets the card in their own chat with the bot, and decides there."""
    _, card = await seat.asked("A bonus for the year", pg.ALONE, action={"name": "bonus.pay", "arguments": {"sum": 1}})
    await seat.window.press(card, "Approve")
    assert (await seat.loop.decided())["verdict"] == "approved"
    await seat.over(card, "Approved by Ana Ruiz")


async def test_a_card_in_a_group_chat(seat: Seat) -> None:
    """A group chat can be where a role is asked; its card is redrawn as one in a channel is."""
    action = {"name": "badge.print", "arguments": {"for": "Di"}}
    _, card = await seat.asked("A badge for Di", pg.DESK, action=action)
    await seat.window.press(card, "Approve")
    assert (await seat.loop.decided())["verdict"] == "approved"
    await seat.over(card, "Approved by Ana Ruiz")


async def test_what_the_agent_withdraws_is_redrawn(seat: Seat) -> None:
    """Nobody pressed anything: the posted card is updated all the same."""
    review, card = await seat.asked("Refund nobody wants any more")
    await seat.loop.post(f"/v1/reviews/{review['id']}/withdraw", {"reason": "Solved otherwise."})
    await seat.over(card, "Withdrawn")
    assert (await seat.loop.decided())["verdict"] == "withdrawn"


async def test_commands(seat: Seat) -> None:
    """What is typed is answered to who typed it: in the chat with them, and from a channel or a group there too."""
    await seat.asked("Refund that waits in the list")
    await seat.window.say(" list", mention=True)
    await expect(seat.window.message("It is in your chat with Placet.").first).to_be_visible()
    await seat.window.open(pg.ALONE)
    listed = seat.window.card("Your queue").last
    await seat.window.shows(listed, "Refund that waits in the list")
    assert IBAN not in await listed.inner_text()
    await seat.window.say("help")
    await expect(seat.window.card("Commands").last).to_contain_text("oncall")
    await seat.window.open(pg.DESK)
    await seat.window.say(" home", mention=True)
    await expect(seat.window.message("It is in your chat with Placet.").first).to_be_visible()


async def test_a_comment_beneath_the_card(seat: Seat) -> None:
    """`@Placet comment` in the thread of a card goes to the agent with the decision."""
    _, card = await seat.asked("Refund with a word about it")
    thread = seat.window.message("Refund with a word about it")
    await seat.window.reply(thread, " comment She called this morning.")
    await seat.window.shows(thread, "Your comment goes to the agent", "Ana Ruiz: She called this morning.")
    await seat.window.press(card, "Approve")
    decision = await seat.loop.decided()
    assert [(c["by"], c["text"]) for c in decision["comments"]] == [("ana", "She called this morning.")]
