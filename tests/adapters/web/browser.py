"""Debian's Chromium under Playwright, kept from talking to anybody but loopback."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, async_playwright

from adapters.web import guard
from reviews.model import Person
from tests.adapters.web.inn import Inn

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str | None:
    """Where the browser is, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser for as long as the block runs."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path(), args=list(QUIET))
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(context: BrowserContext, house: Inn, person: Person) -> None:
    """Give the browser the cookie of a fresh session."""
    session = house.door.sign_in(person)
    name = guard.cookie_name(house.adapter._pages.setup.public_url)
    await context.add_cookies([{"name": name, "value": session.secret, "url": house.url("/")}])
