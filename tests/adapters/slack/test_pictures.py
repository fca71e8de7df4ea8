"""What we send, as a browser shows it: drawn by slack-blocks-to-jsx, looked at in Chromium.

The package leaves out blocks it does not know and says nothing of it, so every word and every button is counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.adapters.slack.checker import seen
from tests.adapters.slack.pictures import SHOWN, WIDTH, Blocks, pages, scenes
from tests.adapters.web.browser import chromium

pytestmark = [pytest.mark.node, pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SCENES = scenes()
#: What is looked at in the dark too: a picture of each kind.
DARK = [(name, "dark") for name in SHOWN]


@dataclass(slots=True, kw_only=True)
class Look:
    """A page in the browser, and what it complained of."""

    page: Page
    faults: list[str] = field(default_factory=list)

    async def at(self, html: str) -> None:
        """Show a page."""
        self.faults.clear()
        await self.page.set_content(html)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def drawn() -> dict[tuple[str, str], str]:
    """Every scene in every theme, drawn in one run of Node."""
    return await pages(SCENES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all of them."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def look(browser: Browser) -> AsyncIterator[Look]:
    """An empty page."""
    page = await browser.new_page(viewport={"width": WIDTH, "height": 400})
    looking = Look(page=page)
    page.on("console", lambda said: looking.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: looking.faults.append(str(fault)))
    page.on("request", lambda asked: looking.faults.append(asked.url) if "://" in asked.url else None)
    yield looking
    await page.close()


@pytest.mark.parametrize(("name", "theme"), [*((name, "light") for name in sorted(SCENES)), *DARK])
async def test_every_word_and_every_button_is_seen(
    name: str, theme: str, drawn: dict[tuple[str, str], str], look: Look
) -> None:
    """Nothing is left out, nothing runs out of the frame, nothing is asked of the network."""
    await look.at(drawn[name, theme])
    shown = "".join((await look.page.inner_text("body")).split())
    for words in _seen(SCENES[name]):
        assert "".join(words.split()) in shown
    assert await look.page.locator("body button").count() >= _count(SCENES[name], "button")
    assert await look.page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert look.faults == []


def _seen(blocks: Blocks) -> Iterator[str]:
    """The words a picture shows: not those behind a click, nor the values in fields."""
    for block in blocks:
        match block["type"]:
            case "actions":
                yield from (seen([e["text"]]) for e in block["elements"] if e["type"] == "button")
            case "input":
                yield seen([block["label"]])
                yield from _choices(block["element"])
            case "section":
                yield seen([block["text"]])
                yield from (seen([e["text"]]) for e in [block.get("accessory", {})] if e.get("type") == "button")
            case "header" if "<" in seen([block["text"]]):
                pass  # the package takes this for HTML in headers alone, and drops it
            case _:
                yield from seen([dict(block)]).splitlines()


def _choices(element: dict[str, Any]) -> Iterator[str]:
    if element["type"] in ("radio_buttons", "checkboxes"):
        yield from (seen([option["text"]]) for option in element["options"])


def _count(blocks: Blocks, kind: str) -> int:
    elements = [e for block in blocks for e in block.get("elements", ())]
    elements += [block["accessory"] for block in blocks if "accessory" in block]
    return sum(element.get("type") == kind for element in elements)
