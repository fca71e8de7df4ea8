"""An agent stopped where somebody reads its card, in a browser: held at once, and let go by the same page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reviews.model import Object
from tests.fakes.app import CONFIG, running
from tests.test_docs import Browser, Fields

pytestmark = pytest.mark.slow
WHY, NEXT = "It pays twice.", "Check the ledger first."
ROLES: Object = {"manager": {"level": 2, "may": ["stop"]}, "clerk": {"level": 1}}


class Reader(Browser):
    """Ana, who fills in the forms of a review's page."""

    def press(self, review: str, verb: str, **filled: str) -> str:
        """Send the form of a verb; the page that answers."""
        page = self._get(f"{self.base}/reviews/{review}")
        form = next(form for form in Fields(page).forms if form.get("verb") == verb)
        return self._send(f"/reviews/{review}", form | {f"f.{name}": text for name, text in filled.items()})


async def test_the_control_on_the_card_stops_and_resumes(tmp_path: Path) -> None:
    """The page says what came of it; what the agent reads and asks meanwhile is held, with the instruction."""
    async with running(tmp_path, config={"roles": CONFIG["roles"] | ROLES}) as house:
        agent = await house.agent()
        review = await agent.asked()
        link = (await house.app.operations.run("link", {"person": "ana"}))["url"]
        ana = await asyncio.to_thread(Reader, link)
        said = await asyncio.to_thread(ana.press, review["id"], "stop", reason=WHY, notes=NEXT)
        assert "refund-desk is stopped: 1 review is on hold" in said
        held = await agent.review(review["id"])
        assert (held["held"], held["instruction"]) == (True, NEXT)
        assert (await agent.asked("orders.list"))["held"] is True
        home = await asyncio.to_thread(ana._get, f"{ana.base}/home")
        assert WHY in home
        said = await asyncio.to_thread(ana.press, review["id"], "resume")
        assert "refund-desk may go on." in said
        assert (await agent.review(review["id"]))["held"] is False
