"""Whoever is called by SMS or e-mail hears of it as of every card: called once, reminded, told that it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reviews.keeping import Entry, Tx
from reviews.model import Object, Verb
from reviews.ports import Clock
from tests.fakes.app import House, running
from tests.fakes.board import copies
from tests.fakes.clock import FakeClock
from tests.fakes.gateways import Sink, sms_sink, smtp_sink

ANA, BO = "+34600111222", "+34600333444"
POLICY = """
policy: paged
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, sensitive: [/iban]}
chains:
  ladder:
    - {after: 0m, notify: person:ana, via: [sms, email]}
    - {after: 20m, notify: person:bo, via: [sms]}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: ladder}
"""
CONFIG: Object = {
    "roles": {"manager": {"level": 2}},
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "phone": ANA, "email": "ana@example.com"},
        {"id": "bo", "name": "Bo Chen", "roles": ["manager"], "phone": BO},
    ],
    "gateways": {"sms": "PLACET_GATEWAY_SMS", "email": "PLACET_GATEWAY_EMAIL"},
}


class Paged:
    """A house with two gateways, and what arrived."""

    def __init__(self, house: House, sms: Sink, mail: Sink) -> None:
        self.house, self.sms, self.mail = house, sms, mail

    async def asked(self) -> Object:
        """A new review."""
        return await (await self.house.agent()).asked()


@asynccontextmanager
async def paging(folder: Path, *, policy: str = POLICY, clock: Clock | None = None) -> AsyncIterator[Paged]:
    """Bring it up."""
    async with sms_sink() as sms, smtp_sink() as mail:
        env = {"PLACET_GATEWAY_SMS": sms.url, "PLACET_GATEWAY_EMAIL": mail.url}
        async with running(folder, policy=policy, config=CONFIG, env=env, clock=clock) as house:
            yield Paged(house, sms, mail)


async def test_a_rung_calls_by_sms_and_by_mail(tmp_path: Path) -> None:
    """Each by the address of placet.yml, each with a link of its own that opens the review as that person."""
    async with paging(tmp_path) as it:
        review = await it.asked()
        (text,), (letter,) = await it.sms.until(1, ANA), await it.mail.until(1, "ana@example.com")
        assert text.link != letter.link
        for sent in (text, letter):
            page = await it.house.session.get(sent.link)
            assert "Continue as Ana Ruiz" in await page.text()
        assert it.sms.sent_to(BO) == []
        posted = await copies(it.house, review, "posted", many=2)
        assert {copy.target.surface for copy in posted} == {"sms", "email"}


async def test_everyone_paged_is_told_the_end_once_by_the_same_way(tmp_path: Path) -> None:
    """Also who has two copies at one address; nothing else is sent meanwhile."""
    async with paging(tmp_path) as it:
        review = await it.asked()
        await it.sms.until(1, ANA)
        await it.mail.until(1)
        await copies(it.house, review, "posted", many=2)
        await it.house.press(Verb.COMMENT, review, "bo", reason="Looking")
        await it.house.press(Verb.TAKE, review, "bo")
        await it.house.press(Verb.APPROVE, review, "bo")
        (_, told), (_, letter) = await it.sms.until(2, ANA), await it.mail.until(2)
        assert "Approved by Bo Chen" in told.text
        assert "Approved by Bo Chen" in letter.subject
        await copies(it.house, review, "posted", many=2, shown=4)
        await it.house.app.outbox.stop()
        assert (it.sms.tries, it.mail.tries) == (2, 2)


async def test_a_second_message_to_one_address_is_not_told_twice(tmp_path: Path) -> None:
    """A link sent anew is a copy too; its address has heard of the end already."""
    async with paging(tmp_path) as it:
        review = await it.asked()
        (first,) = await it.sms.until(1, ANA)
        await it.mail.until(1)
        await copies(it.house, review, "posted", many=2)
        await it.house.app.door.again(first.link.partition("link=")[2])
        await copies(it.house, review, "posted", many=3)
        await it.house.press(Verb.REJECT, review, "bo", reason="no")
        await copies(it.house, review, "posted", many=3, shown=2)
        await it.house.app.outbox.stop()
        ends = [sent.text for sent in (*it.sms.messages, *it.mail.messages) if "Rejected by Bo Chen" in sent.text]
        assert len(ends) == 2


async def test_what_is_sensitive_leaves_by_no_gateway(tmp_path: Path) -> None:
    """As on every card."""
    async with paging(tmp_path) as it:
        agent = await it.house.agent()
        arguments = {"order": "A-4721", "amount": 180.0, "currency": "USD", "iban": "ES9121000418450200051332"}
        await agent.asked({"name": "refund.issue", "arguments": arguments}, summary="To ES9121000418450200051332")
        sent = [*await it.sms.until(1, ANA), *await it.mail.until(1)]
        assert not [each for each in sent if "ES91" in each.text + each.subject]


REMINDING = POLICY.replace("via: [sms, email]}", "via: [sms], remind: 5m}")


async def test_who_was_paged_is_reminded_by_a_message(tmp_path: Path) -> None:
    """With a fresh link; a surface that draws again says it beneath the card instead."""
    clock = FakeClock(datetime.now(UTC))
    async with paging(tmp_path, policy=REMINDING, clock=clock) as it:
        review = await it.asked()
        await it.sms.until(1, ANA)
        await copies(it.house, review, "posted")
        clock.forward(timedelta(minutes=5))
        await it.house.app.service.fire()
        first, again = await it.sms.until(2, ANA)
        assert first.link != again.link
        await copies(it.house, review, "posted")
        clock.forward(timedelta(seconds=2))  # a message a second to one address
        await it.house.press(Verb.APPROVE, review, "bo")
        *_, told = await it.sms.until(3, ANA)
        assert "Approved by Bo Chen" in told.text


async def test_a_number_that_is_refused_calls_the_next_at_once(tmp_path: Path) -> None:
    """Who has no other way is passed over, and the timeline says why, without the number."""
    policy = POLICY.replace("via: [sms, email]}", "via: [sms]}").replace(
        "person:bo, via: [sms]", "person:bo, via: [email]"
    )
    async with paging(tmp_path, policy=policy) as it:
        it.sms.status = 404
        review = await it.asked()

        def passed(tx: Tx) -> list[Entry]:
            kinds = ("rung.unreachable", "review.escalated")
            return [e for e in tx.log(review=review["id"]) if e.kind in kinds and e.detail.get("rungs") != [0]]

        log = await it.house.store.until(lambda tx: found if len(found := passed(tx)) >= 2 else None)
        assert "The gateway sms did not take it" in log[0].detail["why"]
        assert ANA not in repr(log)


async def test_an_sms_that_fails_calls_the_person_elsewhere(tmp_path: Path) -> None:
    """The gateway refuses the number for good: the mail arrived, so nobody else is called."""
    async with paging(tmp_path) as it:
        it.sms.status = 404
        review = await it.asked()
        await it.mail.until(1)
        failed, posted = await copies(it.house, review, "failed", "posted", many=2)
        assert {failed.state, posted.state} == {"failed", "posted"}
        log = await it.house.store.view(lambda tx: tx.log(review=review["id"]))
        assert not [entry for entry in log if entry.kind == "review.escalated"]
