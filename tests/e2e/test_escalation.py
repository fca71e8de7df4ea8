"""The case study of IT operations, once round: who is called when, by which way, and who is told how it ended.

The policy is the library's own; the chat is in memory, SMS go out through a real gateway to a receiver on loopback.
Time stands until a test moves it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from reviews.keeping import Tx
from reviews.model import Object, Verb
from tests.e2e.watch import Watch
from tests.fakes.app import running
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock
from tests.fakes.gateways import Sink, sms_sink

POLICY = files("policies").joinpath("library/it-operations.yml").read_text("utf-8")
#: A Wednesday at noon in Berlin.
NOON = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
VOLUME: Object = {"name": "delete_volume", "arguments": {"id": "v-1"}}
PRODUCTION: Object = {"name": "stop_instance", "arguments": {"env": "production", "id": "i-3"}}
SAM, MAYA = "+4915200000002", "+4915200000003"
CONFIG: dict[str, Any] = {
    "people": [
        {"id": "nora", "name": "Nora Adler", "roles": ["on-call-engineer"], "identities": {"slack": "U-NORA"}},
        {"id": "sam", "name": "Sam Brandt", "identities": {"slack": "U-SAM"}, "phone": SAM},
        {"id": "maya", "name": "Maya Kern", "roles": ["engineering-manager"], "phone": MAYA},
        {"id": "lee", "name": "Lee Voss", "roles": ["lead-engineer"]},
        {"id": "sue", "name": "Sue Haas", "roles": ["security"]},
        {"id": "ned", "name": "Ned Funk", "roles": ["network-engineer"]},
    ],
    "roles": {
        "on-call-engineer": {"level": 1},
        "network-engineer": {"level": 1},
        "lead-engineer": {"level": 2, "channels": {"slack": "C-LEADS"}},
        "security": {"level": 2, "channels": {"slack": "C-SECURITY"}},
        "engineering-manager": {"level": 3, "channels": {"slack": "C-MANAGERS"}},
    },
    "rotations": {"it-ops": {"primary": {"people": ["nora"]}, "secondary": {"people": ["sam"]}}},
    "gateways": {"sms": "SMS_URL"},
    "slack": {},
}


@dataclass(slots=True, kw_only=True)
class Case(Watch):
    """The case study, with phones."""

    phones: Sink

    async def called(self, review: Object, *places: str) -> None:
        """Once a card lies at each of these addresses."""

        def look(tx: Tx) -> bool:
            return {copy.target.address for copy in tx.copies(review["id"]) if copy.ref is not None} >= set(places)

        await self.house.store.until(look)

    async def shown(self, review: Object) -> None:
        """Once every copy shows the review as it stands; gateways, which send one thing a second, are waited for."""

        def look(tx: Tx) -> bool:
            return all(copy.shown >= copy.wanted for copy in tx.copies(review["id"]))

        await self.house.store.until(look)

    async def kinds(self, review: Object) -> list[str]:
        """What has happened, as the log tells it."""
        return await self.house.store.view(lambda tx: [entry.kind for entry in tx.log(review=review["id"])])


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Case]:
    """A running installation of the case study."""
    async with sms_sink() as phones:
        chat, clock, env = FakeChat(), FakeClock(NOON), {"SMS_URL": phones.url}
        adapters = {"slack": chat}
        async with running(tmp_path, policy=POLICY, clock=clock, config=CONFIG, adapters=adapters, env=env) as house:
            agent = await house.agent("it-operations", owners=["ned"])
            yield Case(house=house, agent=agent, chat=chat, phones=phones, clock=clock)


async def test_silence_calls_one_after_the_other_and_expires(watch: Case) -> None:
    """Primary at once, secondary after 10 minutes, the manager by SMS after 20, the end after an hour; all are told."""
    review = await watch.agent.asked(VOLUME)
    await watch.called(review, "C-LEADS", "C-SECURITY", "U-NORA")
    assert set(watch.places()) == {"C-LEADS", "C-SECURITY", "U-NORA"}
    assert watch.phones.messages == []

    watch.after(minutes=10)
    await watch.called(review, "U-SAM", SAM)
    (first,) = await watch.phones.until(1)
    assert first.to == SAM
    assert set(watch.places()) == {"C-LEADS", "C-SECURITY", "U-NORA", "U-SAM"}

    watch.after(minutes=10)
    await watch.called(review, MAYA)
    assert [sent.to for sent in watch.phones.messages] == [SAM, MAYA]

    watch.after(minutes=40)
    ended = await watch.house.store.until(lambda tx: _over(tx, review))
    assert ended == "expired"
    watch.after(seconds=2)
    assert [sent.to for sent in (await watch.phones.until(4))[2:]] in ([SAM, MAYA], [MAYA, SAM])
    assert all("xpired" in sent.text for sent in watch.phones.messages[2:])
    await watch.shown(review)
    assert {cards[-1].over for _, cards in watch.chat.posts.values()} == {True}
    body = await watch.agent.review(review["id"])
    assert (body["status"], body["decision"]["cause"]) == ("expired", "timeout")


async def test_a_promise_broken_calls_the_next_at_once(watch: Case) -> None:
    """Production promises a minute: after it the secondary is called, nine minutes before their rung."""
    review = await watch.agent.asked(PRODUCTION)
    await watch.called(review, "C-MANAGERS", "U-NORA")
    watch.after(minutes=1)
    await watch.called(review, "U-SAM", SAM)
    assert "review.sla_missed" in await watch.kinds(review)


async def test_who_was_called_by_sms_rejects_by_its_link(watch: Case) -> None:
    """A preview of the link spends nothing; by it alone one rejects and does not approve."""
    review = await watch.agent.asked(VOLUME)
    await watch.called(review, "U-NORA")
    watch.after(minutes=10)
    await watch.called(review, SAM)
    (sent,) = await watch.phones.until(1)
    path = sent.link.removeprefix(watch.house.url)
    for _ in range(3):
        seen = await watch.house.call("GET", path)
        assert (seen.status, b"Sam Brandt" in seen.raw) == (200, True)
    door = watch.house.app.door
    session = await door.enter(path.partition("link=")[2])
    assert (session.person.id, session.scope, session.via) == ("sam", review["id"], "link")
    refused = await watch.house.press(Verb.APPROVE, review, "sam", tenant="link")
    assert (refused.kind, "link alone" in refused.text) == ("bad", True)
    assert (await watch.house.press(Verb.REJECT, review, "sam", tenant="link", reason="no snapshot")).kind == "good"
    assert (await watch.agent.review(review["id"]))["decision"]["reason"] == "no snapshot"


def _over(tx: Tx, review: Object) -> str:
    found = tx.read(review["id"])
    return found.status.value if found is not None and found.status.over else ""
