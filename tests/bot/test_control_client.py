"""The commands' end of the control socket, against the serving end and against sockets that misbehave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.control_client import Interrupted, OperationFailed, ask, listened
from tests.fakes.app import running


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A control socket's path, short: it may have 107 bytes at most."""
    monkeypatch.chdir(tmp_path)
    return Path("placet.db.sock")


async def test_the_server_runs_what_it_is_asked(path: Path) -> None:
    """The result is JSON; a refusal is the server's own sentence; the socket is the owner's alone."""
    async with running(Path(), store="sqlite:///placet.db"):
        made = await asyncio.to_thread(ask, path, "agent.add", {"name": "refunds"})
        assert made["key"].startswith("plk_")
        with pytest.raises(OperationFailed, match="There is an agent refunds already"):
            await asyncio.to_thread(ask, path, "agent.add", {"name": "refunds"})
        with pytest.raises(OperationFailed, match="no operation 'dance'"):
            await asyncio.to_thread(ask, path, "dance", {})
        assert listened(path)
        assert path.stat().st_mode & 0o777 == 0o600
    assert not listened(path)


def test_nobody_listens(path: Path) -> None:
    """No socket, or one a dead server left: nothing was taken, and that can be told."""
    assert not listened(path)
    with pytest.raises(ConnectionError):
        ask(path, "stats", {})
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert not listened(path)
    with pytest.raises(ConnectionError):
        ask(path, "stats", {})


@asynccontextmanager
async def answering(path: Path, raw: bytes) -> AsyncIterator[None]:
    """A socket that answers everybody so, and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}}")
        writer.write(raw)
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, path):
        yield


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"what?\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nOops",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{",
    ],
    ids=["nothing", "no HTTP", "no JSON", "cut short"],
)
async def test_an_answer_that_is_none_may_have_been_done(path: Path, raw: bytes) -> None:
    """It is neither a refusal nor nobody: the sentence says to look."""
    async with answering(path, raw):
        with pytest.raises(Interrupted, match=r"broke off .* then whether it was done"):
            await asyncio.to_thread(ask, path, "agent.add", {"name": "refunds"})
