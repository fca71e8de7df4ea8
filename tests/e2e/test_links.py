"""From the SMS in a hand to the end of its review, by the link alone, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp

from reviews.model import Object, Verb
from tests.bot.test_outbox_gateways import ANA, Paged, paging
from tests.fakes.app import PATIENCE
from tests.fakes.board import copies
from tests.fakes.gateways import Sent


class Phone:
    """A browser that keeps its cookies and shows forms."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self.page, self.status = "", 0

    async def open(self, address: str) -> str:
        """Open an address; the page it comes to."""
        async with self._session.get(address) as answer:
            self.page, self.status = await answer.text(), answer.status
        return self.page

    async def press(self, path: str, fields: Mapping[str, str] | None = None) -> str:
        """Send the page's form to a path; the page it comes to."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.page))
        headers = {"Origin": self._url, "Sec-Fetch-Site": "same-origin"}
        async with self._session.post(self._url + path, data={**hidden, **(fields or {})}, headers=headers) as answer:
            self.page, self.status = await answer.text(), answer.status
        return self.page


def phone() -> aiohttp.ClientSession:
    """A phone that knows nobody yet."""
    jar = aiohttp.CookieJar(unsafe=True)
    return aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=PATIENCE))


async def called(it: Paged) -> tuple[Object, Sent]:
    """A review, and the SMS that calls Ana to it."""
    review = await it.asked()
    await copies(it.house, review, "posted", many=2)
    return review, (await it.sms.until(1, ANA))[-1]


async def test_by_the_link_alone_she_reads_and_rejects_and_cannot_approve(tmp_path: Path) -> None:
    """Looking spends nothing; going on opens that one review; its end comes back by SMS."""
    async with paging(tmp_path) as it, phone() as session:
        review, sent = await called(it)
        hers = Phone(session, it.house.url)
        for _ in range(2):
            assert "Continue as Ana Ruiz" in await hers.open(sent.link)
        page = await hers.press("/enter")
        assert "A-4721" in page
        path = f"/reviews/{review['id']}"
        refused = await hers.press(path, {"verb": Verb.APPROVE, "sure": "yes"})
        assert "A link alone lets you read, take, escalate, comment or reject" in refused
        await hers.open(it.house.url + path)
        await hers.press(path, {"verb": Verb.REJECT, "f.reason": "Paid already"})
        told = (await it.sms.until(2, ANA))[1]
        assert "Rejected by Ana Ruiz" in told.text


async def test_a_link_that_ran_out_brings_another_to_her_phone(tmp_path: Path) -> None:
    """Not to whoever holds the old one: the new one is in the next SMS, and opens the same review."""
    async with paging(tmp_path) as it, phone() as session:
        review, sent = await called(it)
        hers = Phone(session, it.house.url)
        await hers.open(sent.link)
        await hers.press("/enter")
        page = await hers.open(sent.link)
        assert hers.status == HTTPStatus.FORBIDDEN
        assert "Send a new link" in page
        assert it.sms.tries == 1
        sent_page = await hers.press("/enter/again")
        assert "link=" not in sent_page
        _, fresh = await it.sms.until(2, ANA)
        assert fresh.link != sent.link
        assert "Continue as Ana Ruiz" in await hers.open(fresh.link)
        await hers.press("/enter")
        assert f"/reviews/{review['id']}" in hers.page
