"""An agent stopped where somebody reads its card, in a browser: held at once, and let go by the same page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reviews.model import Object
from tests.fakes.app import CONFIG, running
from tests.walk import Browser, Fields

pytestmark = pytest.mark.slow
WHY, NEXT = "It pays twice.", "Check the ledger first."
ROLES: Object = {"manager": {"level": 2, "may": ["stop"]}, "clerk": {"level": 1}}


class Reader(Browser):
    """Ana, who fills in the forms of a review's page and of her home."""

    def press(self, review: str, verb: str, **filled: str) -> str:
        """Send the form of a verb of a review; the page that answers."""
        return self.order(f"/reviews/{review}", verb, **filled)

    def order(self, path: str, verb: str, **filled: str) -> str:
        """Send the form of a verb of a page; the page that answers."""
        page = self.get(self.base + path)
        form = next(form for form in Fields(page).forms if form.get("verb") == verb)
        return self._send(path, form | {f"f.{name}": text for name, text in filled.items()})


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
        home = await asyncio.to_thread(ana.get, f"{ana.base}/home")
        assert WHY in home
        said = await asyncio.to_thread(ana.press, review["id"], "resume")
        assert "refund-desk may go on." in said
        assert (await agent.review(review["id"]))["held"] is False


async def test_an_agent_without_a_review_is_stopped_from_home(tmp_path: Path) -> None:
    """The answer stands above the home, which says what was done; by it the agent is let go again."""
    async with running(tmp_path, config={"roles": CONFIG["roles"] | ROLES}) as house:
        agent = await house.agent()
        link = (await house.app.operations.run("link", {"person": "ana"}))["url"]
        ana = await asyncio.to_thread(Reader, link)
        said = await asyncio.to_thread(ana.order, "/home", "stop", agent="refund-desk", reason=WHY, notes=NEXT)
        assert "refund-desk is stopped: 0 reviews are on hold" in said
        assert "refund-desk is stopped</bdi></dt>" in said, "what was said lately tells it too"
        assert (await agent.asked())["instruction"] == NEXT
        said = await asyncio.to_thread(ana.order, "/home", "resume", agent="refund-desk")
        assert "refund-desk may go on." in said
        assert (await agent.asked())["held"] is False
