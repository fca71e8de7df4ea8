"""The example of how to add a surface, held to the contract of every adapter."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.port import Setup
from bot.app import ADAPTERS
from examples import toy_surface
from examples.toy_surface import Console, create, draw
from reviews import filled
from reviews.card import Card
from reviews.model import Identity, Status, Target, Verb
from reviews.ports import MessageRef
from reviews.unseen import clean
from reviews.values import replace
from tests.contracts.adapter_contract import AdapterContract, FindsContract, NewsContract, PostedContract
from tests.contracts.harness import BLANK, Harness, Seen
from tests.fakes import cards
from tests.fakes.app import running
from tests.fakes.board import POLICY
from tests.fakes.desk import FakeDesk, FakeDoor, FixedClock, desk_of
from tests.fakes.references import FakeReferences

_SECRET = "a secret of this test"


@dataclass(kw_only=True)
class ConsoleHarness:
    """A client of the console that draws what it is shown and signs what it sends."""

    adapter: Console
    desk: FakeDesk
    client: TestClient[web.Request, web.Application]
    eyes: dict[tuple[str, str], Card] = field(default_factory=dict)
    sent: dict[tuple[str, Verb], dict[str, Any]] = field(default_factory=dict)
    target: Target = field(default_factory=lambda: Target(surface="console", address="room"))
    direct: Target = field(default_factory=lambda: Target(surface="console", address="ana", person="ana"))
    ana: Identity = field(default_factory=lambda: Identity(surface="console", id="ana"))
    bo: Identity = field(default_factory=lambda: Identity(surface="console", id="bo"))

    async def read_back(self, ref: MessageRef) -> str:
        """The text."""
        return draw(self.adapter.copies[ref.ref["copy"]])

    async def weight(self, ref: MessageRef) -> int:
        """Its bytes."""
        return len((await self.read_back(ref)).encode())

    async def markup(self, ref: MessageRef) -> list[str]:
        """Lines at the margin that are neither the first nor a button of ours, and what hides or turns text."""
        first, *lines = (await self.read_back(ref)).split("\n")
        ours = {f"[{c.verb}] {c.label}" for c in filled.controls(self.adapter.copies[ref.ref["copy"]])}
        foreign = [line for line in lines if not line.startswith("  ") and line not in ours]
        return foreign + [line for line in (first, *lines) if line != clean(line)]

    async def controls(self, ref: MessageRef) -> set[Verb]:
        """The buttons."""
        lines = (await self.read_back(ref)).split("\n")
        return {Verb(line[1:].partition("]")[0]) for line in lines if line.startswith("[")}

    async def whispers(self, identity: Identity) -> list[str]:
        """What was said to one person."""
        return self.adapter.said.get(identity.id, [])[::-1]

    async def beneath(self, ref: MessageRef) -> list[str]:
        """What was said beneath."""
        return self.adapter.said.get(ref.ref["copy"], [])[::-1]

    async def look(self, ref: MessageRef, who: Identity) -> None:
        """Keep what stands there."""
        self.eyes[who.id, ref.ref["copy"]] = self.adapter.copies[ref.ref["copy"]]

    async def press(
        self, ref: MessageRef, verb: Verb, who: Identity, values: Mapping[str, str] = BLANK, *, again: bool = False
    ) -> Seen:
        """Send a press, the form's values as they stood unless others were typed."""
        copy = ref.ref["copy"]
        if not again:
            card = self.eyes.pop((who.id, copy), None) or self.adapter.copies[copy]
            form = next(c.form for c in filled.controls(card) if c.verb is verb)
            drawn = {about.name: about.value for about in form.fields} if form else {}
            seen = {"copy": copy, "review": card.review, "revision": card.revision, "shown": card.digest}
            seen["once"] = f"{who.id} {len(self.sent)}"
            said = {"person": who.id, "verb": verb, "values": drawn | dict(values), "seen": seen}
            self.sent[who.id, verb] = said
        status, answer = await self.post(self.sent[who.id, verb], _SECRET)
        assert status == 200
        return Seen(text=answer["text"], errors=answer["errors"])

    async def post(self, said: dict[str, Any], secret: str) -> tuple[int, Any]:
        """Sign and send."""
        body = json.dumps(said).encode()
        signature = hmac.digest(secret.encode(), body, "sha256").hex()
        async with self.client.post("/console", data=body, headers={"X-Signature": signature}) as answer:
            return answer.status, await (answer.json() if answer.status == 200 else answer.text())


def _setup(desk: FakeDesk, **env: str) -> Setup:
    clock = FixedClock()
    door, references = FakeDoor(clock=clock), FakeReferences()
    return Setup(config={}, env=env, desk=desk, door=door, references=references, clock=clock, public_url="http://x")


@pytest.fixture
async def rig() -> AsyncIterator[Harness]:
    """The console as the service would mount it."""
    desk, app = desk_of(), web.Application()
    console = create(_setup(desk, CONSOLE_SECRET=_SECRET))
    assert isinstance(console, Console)
    app.add_routes(console.routes())
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield ConsoleHarness(adapter=console, desk=desk, client=client)


class TestConsole(AdapterContract, FindsContract, NewsContract, PostedContract):
    """Its copies stand where they were posted, and nobody else keeps them."""


async def test_what_is_not_signed_does_nothing(rig: ConsoleHarness) -> None:
    """Who may not sign is nobody."""
    said = {"person": "ana", "verb": "approve", "values": {}, "seen": {}}
    status, why = await rig.post(said, "another secret")
    assert (status, why, rig.desk.done) == (401, "The signature does not fit the body.", [])


def test_no_words_stand_where_buttons_do() -> None:
    """An agent that writes a line break and a button has written words."""
    card = replace(cards.refund(), title="Refund\n[approve] Approve")
    assert [line for line in draw(card).split("\n") if line.startswith("[approve]")] == ["[approve] Approve"]
    assert "  Refund [approve] Approve" in draw(card)


async def test_it_is_off_without_its_secret(rig: ConsoleHarness) -> None:
    """As every surface is that nobody configured."""
    assert create(_setup(rig.desk)) is None


def test_it_is_short_enough_to_be_read_at_once() -> None:
    """An example of a hundred lines is read; one of two hundred is copied."""
    assert len(Path(str(toy_surface.__file__)).read_text("utf-8").splitlines()) < 100


async def test_placet_finds_it_by_an_entry_point_and_a_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in Placet knows the console: its name, its section and a role's channel are all it takes."""
    mine = metadata.EntryPoint(name="console", value="examples.toy_surface:create", group=ADAPTERS)
    found = metadata.entry_points

    def entry_points(*, group: str) -> list[metadata.EntryPoint]:
        return [*found(group=group), *([mine] if group == ADAPTERS else [])]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    config = {
        "surfaces": {"console": {"look": "plain"}},
        "roles": {"manager": {"level": 2, "channels": {"console": "room"}}},
        "people": [{"id": "ana", "name": "Ana Ruiz", "roles": ["manager"], "identities": {"console": "ana"}}],
    }
    async with running(
        tmp_path, policy=POLICY.replace("person:bo", "person:ana"), config=config, env={"CONSOLE_SECRET": _SECRET}
    ) as house:
        console = house.app.adapters["console"]
        assert isinstance(console, Console)
        review = await (await house.agent()).asked()
        await house.store.until(lambda tx: [c for c in tx.copies(review["id"]) if c.state == "posted"])
        (copy,) = console.copies
        seen = {"copy": copy, "review": review["id"], "revision": 1}
        body = json.dumps({"person": "ana", "verb": "approve", "seen": seen, "values": {}}).encode()
        signed = {"X-Signature": hmac.digest(_SECRET.encode(), body, "sha256").hex()}
        assert (await house.call("POST", "/console", data=body, headers=signed)).status == 200
        decided = await house.store.until(
            lambda tx: [r for r in [tx.read(review["id"])] if r and r.status is Status.APPROVED]
        )
        assert [seat.person for seat in decided[0].decision.by if decided[0].decision] == ["ana"]
