"""The emulated Slack (one process for all tests), and our adapter served in front of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import Secrets, SlackConfig
from adapters.slack.transport import Pause
from reviews.model import Identity, Target
from reviews.ports import MessageRef
from tests.adapters.slack.checker import texts
from tests.fakes.desk import ANA, FakeDesk, FixedClock, desk_of
from tests.fakes.serving import serving
from tests.fakes.slack import Json, Slack, signed, slack_server
from tests.fakes.slack_process import APP_TOKEN, SECRET, TEAM, TOKEN, Emulator, start_emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The emulator process, ended at the end."""
    running = start_emulator()
    yield running
    running.stop()


@pytest.fixture
async def slack(emulator: Emulator) -> AsyncIterator[Slack]:
    """This test's Slack."""
    async with slack_server(emulator) as server:
        yield server


@dataclass(slots=True, kw_only=True)
class House:
    """Our side: the adapter, its desk, and the address it is served at."""

    adapter: SlackAdapter
    desk: FakeDesk
    clock: FixedClock
    slack: Slack
    url: str
    target: Target
    ana: Identity
    bo: Identity

    async def send(self, payload: Any, **headers: str) -> tuple[int, str]:
        """Send a payload as Slack does: signed."""
        body, signature = signed(payload)
        async with self.slack.session.post(self.url, data=body, headers=signature | headers) as answer:
            return answer.status, await answer.text()

    async def press(self, ref: MessageRef, action: str, who: Identity | None = None, option: int | str = 0) -> int:
        """Press a control of a posted copy."""
        user = (who or self.ana).id
        payload = await self.slack.press(ref.ref["channel"], ref.ref["ts"], user, action, option)
        return (await self.send(payload))[0]

    async def submit(self, view: Json, values: Json, who: Identity | None = None) -> Json:
        """Send a form; what Slack is answered, {} when the modal closes."""
        status, body = await self.send(self.slack.submit(view, (who or self.ana).id, values))
        assert status == 200, body
        answer: Json = json.loads(body) if body else {}
        return answer

    async def within(self, view: Json, action: str, option: int | str = 0, who: Identity | None = None) -> int:
        """Press a control of a modal or of Home."""
        payload = await self.slack.press_view(view, (who or self.ana).id, action, option)
        return (await self.send(payload))[0]

    async def modal(self) -> Json:
        """The modal opened last, as it stands once all is done."""
        await self.settled()
        return next(view for view in reversed(self.slack.views.values()) if view["type"] == "modal")

    async def known(self) -> None:
        """Return once Slack has said which workspace this is."""
        await asyncio.wait(self.adapter._transport._tasks[:1], timeout=10)

    async def settled(self) -> None:
        """Return once everything that follows acknowledgements is done."""
        await self.adapter._chores.drain(10.0)

    async def read_back(self, ref: MessageRef) -> str:
        """The words of the copy, fallback included in none."""
        blocks = (await self.slack.message(ref.ref["channel"], ref.ref["ts"]))["blocks"]
        return "\n".join(_words(item) for item in texts(blocks))


def _words(item: dict[str, Any]) -> str:
    text: str = item["text"]
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


Build = Callable[..., Any]


@pytest.fixture
async def build(slack: Slack) -> AsyncIterator[Build]:
    """Makes a House; settings of the adapter may be given."""
    async with AsyncExitStack() as stack:

        async def make(
            *,
            desk: FakeDesk | None = None,
            patience: float = 1.5,
            pause: Pause = asyncio.sleep,
            before: Callable[[Slack], object] = lambda _: None,
            **config: Any,
        ) -> House:
            before(slack)
            section = SlackConfig(**{"api_url": slack.api_url, **config})
            secrets = Secrets(bot_token=TOKEN, signing_secret=SECRET, app_token=APP_TOKEN)
            desk, clock = desk or desk_of(), FixedClock()
            adapter = SlackAdapter(section, secrets, desk=desk, clock=clock, patience=patience, pause=pause)
            await adapter.start()
            stack.push_async_callback(adapter.stop)
            url = await stack.enter_async_context(serving(adapter.routes())) + "/slack/events"
            ana, bo = await slack.user("ana"), await slack.user("bo")
            desk.people = {ana: ANA}
            target = Target(surface="slack", address=await slack.channel("reviews"))
            return House(
                adapter=adapter,
                desk=desk,
                clock=clock,
                slack=slack,
                url=url,
                target=target,
                ana=Identity(surface="slack", id=ana, tenant=TEAM),
                bo=Identity(surface="slack", id=bo, tenant=TEAM),
            )

        yield make


@pytest.fixture
async def house(build: Build) -> House:
    """The usual House."""
    made: House = await build()
    return made
