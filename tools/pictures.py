"""Makes the pictures in docs/pictures/: `make pictures`.

`card.png` comes from a running Placet and a real review; the others from sample cards, which
show every block and control (tests/adapters/web/pictures.py). `slack-*.png` are what Slack is sent, drawn with Slack's
own look (tests/adapters/slack/pictures.py; needs Node and `npm ci`), and `teams-*.png` what Teams is sent, drawn with
Microsoft's renderer (tests/adapters/teams/pictures.py; needs `npm ci`).
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Page

from tests.adapters.slack import pictures as slack
from tests.adapters.teams import pictures as teams
from tests.adapters.web.browser import chromium
from tests.adapters.web.pictures import take
from tests.fakes.app import House, running

FOLDER = Path("docs/pictures")
ASKED = {
    "action": {
        "name": "refund.issue",
        "arguments": {"order": "A-4721", "amount": 180.0, "currency": "USD", "iban": "ES9121000418450200051332"},
        "preview": "Would pay 180.00 USD back to the account ending 1332.",
    },
    "subject": "order:A-4721",
    "summary": "Refund order A-4721, parcel lost",
    "confidence": 0.62,
    "context": {
        "goal": "Make the customer whole",
        "reasoning": ["The carrier declared the parcel lost on 18 November.", "Refunds below 200 are goodwill."],
        "conversation": [
            {"role": "customer", "text": "Where is my parcel? It should have been here last week."},
            {"role": "agent", "text": "I am looking into it with the carrier."},
            {"role": "customer", "text": "Please just give me my money back."},
        ],
        "facts": {"Customer since": "2019", "Phone": "+34 600 000 000"},
        "recommendation": "Refund in full",
        "alternatives": ["Send it again"],
    },
    "evidence": [
        {
            "title": "Carrier status",
            "snippet": "Declared lost in transit",
            "url": "https://carrier.example.com/1Z88",
            "score": 0.93,
        },
        {"title": "Refund policy §4", "snippet": "Lost parcels are refunded in full", "score": 0.81},
    ],
    "sensitive": ["/context/facts/Phone"],
    "ui_hint": {"highlight_terms": ["lost"]},
}


async def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as house, chromium() as browser:
            page = await browser.new_page(viewport={"width": 1280, "height": 900})
            await _real(house, page)
    await take(FOLDER)
    await slack.take(FOLDER)
    await teams.take(FOLDER)


async def _real(house: House, page: Page) -> None:
    review = (await (await house.agent()).post("/v1/reviews", ASKED)).body
    made = await house.app.operations.run("link", {"person": "ana"})
    await page.goto(made["url"])
    await page.click("main button")
    await page.goto(f"{house.url}/reviews/{review['id']}")
    await page.wait_for_selector("body[data-connected]")
    await page.screenshot(path=FOLDER / "card.png", animations="disabled", full_page=True)


if __name__ == "__main__":
    asyncio.run(main())
