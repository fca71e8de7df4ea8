"""The Microsoft 365 Agents Playground on loopback, and the window in which Ana sits at it.

It keeps a team, a group chat and a chat with the bot, draws cards with Microsoft's own renderer, and is a Bot
Connector. It knows no dialogs, no refresh, no tokens and no limits: those are the strict fake's
(`tests/fakes/teams.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.fakes import node_process
from tests.fakes.node_process import NodeProcess

#: The ids of `playground.yml`.
APP_ID = "3c9a1d2e-0000-4000-8000-0000000000b0"
TENANT = "7d2f1a60-0000-4000-8000-0000000000aa"
ANA = "7d2f1a60-0000-4000-8000-000000000001"
BO = "7d2f1a60-0000-4000-8000-000000000002"
CHANNEL = "19:reviews@thread.tacv2"
GROUP = "19:desk@thread.v2"
#: Who sends, as activities say it.
ANA_SENDS = {"id": "29:ana", "name": "Ana Ruiz", "aadObjectId": ANA}
BO_SENDS = {"id": "29:bo", "name": "Bo Chen", "aadObjectId": BO}
#: The rooms, as the window calls them.
REVIEWS, ALONE, DESK = "Payments - Reviews", "Personal Chat", "The desk"

_CONFIG = Path(__file__).with_suffix(".yml")
_CLI = "@microsoft/m365agentsplayground/cli.js"
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
#: Milliseconds; what has not come to be seen by then never will.
_PATIENCE = 15_000


def start_playground(endpoint: str) -> NodeProcess:
    """Start it for the bot at `endpoint`, which must answer already; return once it listens."""
    env = {"TEAMSAPPTESTER_BROWSER": "none", "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(_CONFIG)}
    options = ("-e", endpoint, "-c", "msteams", "-p", "0", "--dt")
    return node_process.start(node_process.installed(_CLI), "start", *options, env=env)


def service_of(playground: NodeProcess) -> str:
    """Where it is called as the Bot Connector: what its activities say."""
    return f"{playground.url.replace('127.0.0.1', 'localhost')}/_connector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The page, in one room at a time. Locators wait by themselves; a text asked for must be there once."""

    page: Page

    async def open(self, room: str) -> None:
        """Go to a room."""
        await _room(self.page, room).click()
        await self._editor.wait_for()

    @property
    def _editor(self) -> Locator:
        return self.page.locator("[data-lexical-editor=true]").first

    async def say(self, text: str, *, mention: bool = False) -> None:
        """Write a new message into the room, beginning with the bot's name where it is a room of several."""
        await self._type(self._editor, text, mention=mention)
        post = self.page.get_by_role("button", name="Post", exact=True)
        await (post.click() if await post.count() else self.page.keyboard.press("Enter"))

    async def reply(self, thread: Locator, text: str) -> None:
        """Write to the bot beneath a message of a channel."""
        await self._type(thread.locator("[data-lexical-editor=true]"), text, mention=True)
        await self.page.keyboard.press("Enter")

    async def _type(self, editor: Locator, text: str, *, mention: bool) -> None:
        await editor.click()
        if mention:
            await self.page.keyboard.type("@")
            await self.page.locator("#typeahead-menu").get_by_role("menuitem").filter(has_text="Placet").click()
        await self.page.keyboard.type(text)

    def message(self, text: str) -> Locator:
        """The message with this text: in a channel the whole thread."""
        return self.page.locator(".fui-Card[role=group], .fai-OutputCard").filter(has_text=text)

    def card(self, text: str) -> Locator:
        """The card with this text."""
        return self.page.locator(".ac-preview-panel > .ac-adaptiveCard").filter(has_text=text)

    def toast(self, text: str) -> Locator:
        """The sentence beneath the card with this text, which only who pressed is shown."""
        return self.message(text).get_by_label("Display Invoked Message")

    async def press(self, card: Locator, *labels: str) -> None:
        """Press a button of a card, then one of what that unfolds, and so on."""
        where = card
        for label in labels:
            await where.get_by_role("button", name=label, exact=True).first.click()
            where = self.form(card)

    def form(self, card: Locator) -> Locator:
        """What is unfolded beneath a card's buttons, the innermost."""
        return card.locator(".ac-adaptiveCard").filter(visible=True).last

    async def send(self, form: Locator, label: str, values: Mapping[str, str]) -> None:
        """Fill a form in by its labels, and send it."""
        for name, value in values.items():
            await form.get_by_label(name).fill(value)
            await form.get_by_label(name).blur()  # a number is taken over only then
        await form.get_by_role("button", name=label, exact=True).click()

    async def shows(self, found: Locator, *words: str) -> None:
        """Wait until all these words are to be read there."""
        for word in words:
            await expect(found).to_contain_text(word)

    async def has_no(self, found: Locator, label: str) -> None:
        """Wait until no button is called so."""
        await expect(found.get_by_role("button", name=label, exact=True)).to_have_count(0)


@asynccontextmanager
async def window(browser: Browser, playground: NodeProcess) -> AsyncIterator[Window]:
    """A window on it; whatever in it would leave loopback (Microsoft's fonts) comes to nothing."""
    expect.set_options(timeout=_PATIENCE)
    context = await browser.new_context(viewport={"width": 1400, "height": 1400})
    try:
        await context.route("**/*", _stay)
        page = await context.new_page()
        page.set_default_timeout(_PATIENCE)
        await page.goto(playground.url)
        await _room(page, REVIEWS).wait_for()
        yield Window(page=page)
    finally:
        await context.close()


def _room(page: Page, room: str) -> Locator:
    return page.locator(f'button[aria-label="{room}"]')  # its role is another than a button's


async def _stay(route: Route) -> None:
    here = urlsplit(route.request.url).hostname in _LOOPBACK
    await (route.continue_() if here else route.abort())
