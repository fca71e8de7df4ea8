"""The scripted reviewers of a headless run: each in a browser of their own, doing what the case's script says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from bot.demo.agent import Asked
from bot.demo.browser import Browser

PEOPLE = ("ana", "bo", "dara", "emil", "faye", "gus")
#: Looks at samples afterwards; no case of the script is his.
SAMPLER = "gus"
#: Between two looks at the queue (seconds).
PAUSE = 0.25

Find = Callable[[str], Asked | None]


class Reviewer:
    """One person at their queue. `find` answers with the request behind a review, if an agent asked it."""

    def __init__(self, person: str, browser: Browser, find: Find) -> None:
        self._person, self._browser, self._find = person, browser, find
        self._pressed: set[tuple[str, int]] = set()

    async def work(self) -> None:
        """Work through the queue until cancelled."""
        while True:
            for review in await self._browser.queue():
                await self._look(review)
            await asyncio.sleep(PAUSE)

    async def _look(self, review: str) -> None:
        asked = self._find(review)
        if asked is None:
            if self._person == SAMPLER:
                await self._browser.press(review, "approve", {})
            return
        script, mark = asked.script, (review, asked.revision)
        ready = asked.was_told("review.escalated") or not script.called
        if script.verb is None or self._person not in script.by or mark in self._pressed or not ready:
            return
        if await self._browser.press(review, script.verb, script.fields):
            self._pressed.add(mark)


async def review(base: str, find: Find, people: Iterable[str] = PEOPLE) -> None:
    """Have these people work until cancelled."""

    async def one(person: str) -> None:
        async with Browser(base, person) as browser:
            await Reviewer(person, browser, find).work()

    await asyncio.gather(*(one(person) for person in people))
