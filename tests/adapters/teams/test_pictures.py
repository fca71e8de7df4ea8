"""What we send, as Microsoft's own renderer shows it in Chromium: every word, every button, and what they send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from adapters.teams import press
from adapters.teams.press import How
from adapters.token import Token
from reviews.model import Verb
from tests.adapters.teams.checker import _INSTANT as INSTANT
from tests.adapters.teams.checker import inputs, seen, walk
from tests.adapters.teams.pictures import NARROW, SHOWN, WIDTH, scenes, show
from tests.adapters.teams.pictures import press as push
from tests.adapters.web.browser import chromium
from tests.fakes import cards

pytestmark = [pytest.mark.node, pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SCENES = scenes()
#: What is looked at in the dark and on a phone too: a picture of each kind.
FEW = sorted({scene for scene, _ in SHOWN.values()} | {"hostile", "largest"})
LOOKS = [(name, "light", WIDTH) for name in sorted(SCENES)]
LOOKS += [(name, "dark", WIDTH) for name in FEW] + [(name, "light", NARROW) for name in FEW]


@dataclass(slots=True, kw_only=True)
class Look:
    """A page in the browser, and what it complained of."""

    page: Page
    faults: list[str] = field(default_factory=list)

    async def at(self, name: str, theme: str = "light", width: int = WIDTH) -> None:
        """Show a scene."""
        self.faults.clear()
        await self.page.set_viewport_size({"width": width, "height": 400})
        self.faults += await show(self.page, SCENES[name], theme)

    async def fired(self) -> list[dict[str, Any]]:
        """What was sent by pressing."""
        sent: list[dict[str, Any]] = await self.page.evaluate("window.fired")
        return sent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all of them."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def look(browser: Browser) -> AsyncIterator[Look]:
    """An empty page."""
    page = await browser.new_page(timezone_id="UTC", locale="en-GB")
    looking = Look(page=page)
    page.on("console", lambda said: looking.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: looking.faults.append(str(fault)))
    page.on("request", lambda asked: looking.faults.append(asked.url) if "://" in asked.url else None)
    yield looking
    await page.close()


@pytest.mark.parametrize(("name", "theme", "width"), LOOKS)
async def test_every_word_and_every_button_is_seen(name: str, theme: str, width: int, look: Look) -> None:
    """Nothing is left out, nothing runs out of the frame, nothing is asked of the network."""
    await look.at(name, theme, width)
    shown = "".join((await look.page.inner_text("body")).split())
    for words in seen(SCENES[name]).splitlines():
        for part in INSTANT.sub("\0", words).replace("SHORT", "").split("\0"):
            assert "".join(part.split()) in shown
    for action in SCENES[name].get("actions", ()):
        assert await look.page.get_by_role("button", name=action["title"], exact=True).count() >= 1
    rows = [item["actions"] for item in walk(SCENES[name]["body"]) if item.get("type") == "ActionSet"]
    assert await look.page.locator(".ac-pushButton").count() >= sum(map(len, rows))
    assert await look.page.evaluate("document.documentElement.scrollWidth") <= width
    assert look.faults == []


async def test_an_instant_is_shown_in_the_readers_own_time(look: Look) -> None:
    """Not as the letters of the card's language."""
    await look.at("refund-history")
    words = await look.page.inner_text("body")
    assert "{{" not in words
    assert "Wed, 25 Nov 2026" in words or "Wed 25 Nov 2026" in words


async def test_an_agents_words_become_nothing_else(look: Look) -> None:
    """No link but those drawn as one, no image, no script, no mention, no date of the agent's."""
    await look.at("hostile")
    assert await look.page.locator("#card img, #card script, #card iframe").count() == 0
    links = await look.page.locator("#card a").all_inner_texts()
    assert links == [cards.HOSTILE[3], "Full page"]
    assert await look.page.get_by_role("button", name="Approve", exact=True).count() == 1


async def test_a_button_sends_its_verb_and_its_token(look: Look) -> None:
    """As the server reads it."""
    await look.at("card")
    await push(look.page, "Approve")
    (sent,) = await look.fired()
    assert sent["verb"] == "placet/approve"
    assert press.read(sent["data"]).token == Token.of(cards.refund(), "copy")


async def test_a_form_behind_a_button_sends_its_own_values(look: Look) -> None:
    """And none of another form's."""
    await look.at("card")
    await push(look.page, "Edit")
    await look.page.get_by_label("amount").fill("120.5")
    await look.page.get_by_label("message").fill("")
    await push(look.page, "Save and approve")
    (sent,) = await look.fired()
    pressed = press.read(sent["data"])
    assert (pressed.way, pressed.verb) == (How.FORM, Verb.EDIT)
    assert pressed.values == {
        "/order": "A-4721",
        "/amount": "120.5",
        "/currency": "USD",
        "/parcels": "1",
        "/notify_customer": "true",
        "/pay_on": "2026-11-26",
        "/message": "",
        "/iban": "",
        "/lines": '[{"sku": "LAMP-2", "qty": 1}]',
    }


async def test_what_is_required_is_asked_for_before_anything_is_sent(look: Look) -> None:
    """In words, at its field; behind the menu too."""
    await look.at("card")
    await push(look.page, "More…", "Comment", "Add the comment")
    assert await look.fired() == []
    assert "This is needed." in await look.page.inner_text("#card")
    await look.page.locator("#card textarea:visible").fill("Please wait for Bo.")
    await push(look.page, "Add the comment")
    (sent,) = await look.fired()
    assert press.read(sent["data"]).values == {"reason": "Please wait for Bo."}


async def test_a_question_is_asked_before_a_grave_step(look: Look) -> None:
    """The first press shows it, the second answers it."""
    await look.at("card")
    await push(look.page, "More…", "Escalate")
    assert await look.fired() == []
    await look.page.get_by_role("button", name="Escalate", exact=True).last.click()
    (sent,) = await look.fired()
    assert press.read(sent["data"]).verb is Verb.ESCALATE


async def test_cancel_sends_nothing_that_was_typed(look: Look) -> None:
    """It only asks for the card as it stands, also while a field is wrong."""
    await look.at("faulty")
    await push(look.page, "Cancel")
    (sent,) = await look.fired()
    assert press.read(sent["data"]).way is How.REFRESH
    assert not set(inputs(SCENES["faulty"])) & set(sent["data"])


async def test_lines_that_are_ticked_are_sent(look: Look) -> None:
    """Two of four."""
    await look.at("bulk")
    for nth in (0, 2):
        await look.page.get_by_role("checkbox").nth(nth).check()
    await push(look.page, "Approve chosen")
    (sent,) = await look.fired()
    assert len(press.read(sent["data"]).picks) == 2
