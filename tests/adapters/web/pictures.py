"""Makes docs/pictures/ anew from tests/fakes/cards.py: `python -m tests.adapters.web.pictures [FOLDER]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize

from tests.adapters.web.browser import chromium, sign_in
from tests.adapters.web.inn import Inn, inn
from tests.fakes.desk import ANA

WIDTHS = {"desktop": (1280, 860), "phone": (390, 844)}
SCHEMES = {"desktop": "light", "phone": "dark"}
SHOTS = {
    "queue": "/inbox",
    "review": "/reviews/rev_refund4721",
    "edit": "/reviews/rev_refund4721?open=edit",
    "reject": "/reviews/rev_refund4721?open=reject",
    "dual": "/reviews/rev_stop77",
    "decided": "/reviews/rev_done12",
    "hostile": "/reviews/rev_evil66",
    "home": "/home",
    "ask": "/ask",
}
#: Shots taken in both schemes; the others light on the desktop, dark on the phone.
BOTH = ("queue", "review")


async def take(folder: Path) -> None:
    """Every shot at both widths into `folder`, as `NAME-WIDTH-SCHEME.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    async with inn() as house, chromium() as browser:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                await _round(browser, house, folder, width, scheme)


async def _round(browser: Browser, house: Inn, folder: Path, width: str, scheme: str) -> None:
    across, down = WIDTHS[width]
    size: ViewportSize = {"width": across, "height": down}
    context = await browser.new_context(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    await context.clock.set_fixed_time(house.clock.now())
    await sign_in(context, house, ANA)
    page = await context.new_page()
    for name, path in SHOTS.items():
        if name in BOTH or scheme == SCHEMES[width]:
            await _shot(page, house.url(path), folder / f"{name}-{width}-{scheme}.png")
    await context.close()


async def _shot(page: Page, url: str, file: Path) -> None:
    await page.goto(url)
    await page.wait_for_selector("body[data-connected]")
    await page.screenshot(path=file, animations="disabled")


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")))
