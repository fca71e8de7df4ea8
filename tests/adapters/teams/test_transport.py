"""The one address Teams calls: who is let in, what is answered, what is too much."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.teams.adapter import BotbuilderConnector
from adapters.teams.config import Secrets, TeamsConfig
from adapters.teams.seam import Answered, Json
from adapters.teams.tokens import Tokens
from adapters.teams.transport import MOST, PATH, Transport
from reviews.errors import StoreUnavailable
from tests.adapters.teams.service import APP, TENANT, Service, service
from tests.adapters.teams.test_tokens import BAD, CALL, TWO, Publisher, published, publishing, signed
from tests.fakes.loopwatch import loop_watched

TOAST: Json = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Done."}


@dataclass(slots=True)
class Bot:
    """The way in over HTTP, and what came through it."""

    root: str = ""
    seen: list[Json] = field(default_factory=list)
    answer: Answered = field(default_factory=Answered)
    fails: Exception | None = None
    teams: Service = field(default_factory=Service)
    microsoft: Publisher = field(default_factory=Publisher)
    session: aiohttp.ClientSession = field(init=False)

    async def handle(self, payload: Json) -> Answered:
        """What the surface would do."""
        self.seen.append(payload)
        if self.fails is not None:
            raise self.fails
        return self.answer

    async def post(self, body: Any = CALL, header: str | None = "", **more: Any) -> tuple[int, bytes]:
        """A call with a good token, unless another header is given; None: without one."""
        headers = {"Content-Type": "application/json"}
        if header is not None:
            headers["Authorization"] = header or signed()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(f"{self.root}{PATH}", data=data, headers=headers, **more) as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """Served on loopback, with the tokens and the turn of the real thing."""
    async with publishing(Publisher()) as microsoft, service() as teams, aiohttp.ClientSession() as session:
        found = Bot(teams=teams, microsoft=microsoft)
        found.session = session
        config = TeamsConfig(
            app_id=APP, tenant_id=TENANT, openid_url=microsoft.openid, service_url=teams.root, login_url=teams.root
        )
        connector = BotbuilderConnector(config, Secrets(app_password="pass-1"))
        await connector.start()
        app = web.Application()
        app.add_routes(Transport(Tokens(config, cooldown=0.0), connector, found.handle).routes())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.root = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield found
        await runner.cleanup()
        await connector.stop()


async def test_a_message_is_taken(bot: Bot) -> None:
    """With everything in it, and answered without a body."""
    call = CALL | {"text": "hé", "unknown": {"a": [1, None]}}
    assert await bot.post(call) == (200, b"")
    assert bot.seen == [call]


async def test_half_a_character_is_a_question_mark(bot: Bot) -> None:
    """No database takes one, so that Teams would send it for ever; whole ones stay."""
    body = json.dumps(CALL | {"text": "a\ud800b \U0001f600 é", "value": {"\udfff": ["\\ud800"]}}).encode()
    assert await bot.post(body) == (200, b"")
    assert bot.seen == [CALL | {"text": "a?b \U0001f600 é", "value": {"?": ["\\ud800"]}}]


async def test_an_invoke_is_answered_with_a_body(bot: Bot) -> None:
    """As it is: once through JSON."""
    bot.answer = Answered(body=TOAST)
    status, body = await bot.post(CALL | {"type": "invoke", "name": "adaptiveCard/action"})
    assert (status, json.loads(body)) == (200, TOAST)


SENDABLE = [header for header, _ in BAD.values() if header and header.isascii() and len(header) < 8000]


@pytest.mark.parametrize("header", [None, *SENDABLE])
async def test_without_a_good_token_nothing_is_done(
    bot: Bot, header: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """401 and no reason for who called; the reason for the log, without the token."""
    with caplog.at_level(logging.WARNING):
        assert await bot.post(header=header) == (401, b"")
    assert bot.seen == []
    assert "was refused" in caplog.text
    assert header is None or header.removeprefix("Bearer ") not in caplog.text


@pytest.mark.parametrize(
    "said", [{"serviceUrl": "https://evil.example.com/"}, {"channelId": "webchat"}, {"channelId": None}]
)
async def test_a_good_token_with_another_call_is_none(bot: Bot, said: Json) -> None:
    """What the token is for must be what is called for."""
    assert await bot.post(CALL | said) == (401, b"")
    assert bot.seen == []


async def test_bytes_that_are_no_text_are_no_token_either(bot: Bot) -> None:
    """As no client of HTTP sends them."""
    host, _, port = bot.root.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"POST {PATH} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(json.dumps(CALL))}"]
    head = "\r\n".join(lines).encode() + b"\r\nAuthorization: Bearer \xff.\xfe.\xfd\r\n\r\n"
    writer.write(head + json.dumps(CALL).encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 401")
    writer.close()


async def test_unendorsed_and_unreachable_keys_let_nobody_in(bot: Bot) -> None:
    """401 as well, until the keys are good."""
    bot.microsoft.down = 503
    assert await bot.post() == (401, b"")
    bot.microsoft.down = 0
    bot.microsoft.keys[0]["endorsements"] = []
    assert await bot.post() == (401, b"")
    bot.microsoft.keys = [published(TWO, "two")]
    assert await bot.post(header=signed(TWO, "two")) == (200, b"")
    assert len(bot.seen) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b"a=b"])
async def test_what_is_no_json_object_is_no_activity(bot: Bot, body: bytes) -> None:
    """400, whatever the token."""
    status, _ = await bot.post(body)
    assert status == 400
    assert bot.seen == []


async def test_a_body_too_long_is_not_read_to_its_end(bot: Bot) -> None:
    """Whether or not it says how long it is."""

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"text": "'
        for _ in range(20):
            yield b"x" * (MOST // 10)

    async with bot.session.post(f"{bot.root}{PATH}", data=endless()) as answer:
        assert answer.status == 413
    assert (await bot.post(CALL | {"text": "x" * MOST}))[0] == 413
    assert (await bot.post(CALL | {"text": "x" * (MOST - 1000)}))[0] == 200


async def test_a_message_that_broke_is_sent_again_by_teams(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    """500 is how to ask for that."""
    bot.fails = LookupError("inside")
    assert await bot.post() == (500, b"")
    assert "inside" in caplog.text


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (LookupError("inside"), "Something broke here"),
        (StoreUnavailable("The database is away."), "The database is away."),
    ],
)
async def test_somebody_whose_click_broke_is_told(bot: Bot, fault: Exception, said: str) -> None:
    """Teams shows nothing but "unable to reach app" for anything but a 200. Nothing of the inside comes out."""
    bot.fails = fault
    status, body = await bot.post(CALL | {"type": "invoke", "name": "adaptiveCard/action"})
    answer = json.loads(body)
    assert status == 200
    assert answer["type"] == TOAST["type"]
    assert answer["value"].startswith(said)
    assert "inside" not in answer["value"]


async def test_a_dialog_that_broke_says_so_in_the_dialog(bot: Bot) -> None:
    """It knows no answer of a card's."""
    bot.fails = LookupError("inside")
    for name in ("task/fetch", "task/submit", "composeExtension/fetchTask", "composeExtension/submitAction"):
        status, body = await bot.post(CALL | {"type": "invoke", "name": name})
        task = json.loads(body)["task"]
        assert (status, task["type"]) == (200, "message")
        assert task["value"].startswith("Something broke here")


async def test_fifty_at_once_do_not_hold_up_the_loop(bot: Bot) -> None:
    """No waiting call between a request and its answer, and no long callback."""
    bot.answer = Answered(body=TOAST)
    await bot.post()
    header = signed()
    with loop_watched() as seen:
        answers = await asyncio.gather(*(bot.post(CALL | {"type": "invoke"}, header) for _ in range(50)))
    assert {status for status, _ in answers} == {200}
    assert seen.waited == []
    assert seen.longest < 20_000, seen.where
