"""`placet demo`: headless it counts and checks itself; looked at, a press in the browser lets the agent go on."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo.browser import Browser
from bot.demo.tally import NAMES, WANTED

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def _env(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "TERM": "dumb", "PYTHONUNBUFFERED": "1"}


def test_a_headless_run_prints_its_numbers_and_nothing_else(tmp_path: Path) -> None:
    """Every name once with its number, each of the wanted ones at least once, exit code 0, nothing left behind."""
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--headless", "1"],
        capture_output=True,
        text=True,
        env=_env(tmp_path),
        cwd=tmp_path,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert all(re.fullmatch(r"[a-z_]+: \d+", line) for line in lines)
    numbers = {name: int(number) for name, number in (line.split(": ") for line in lines)}
    assert tuple(numbers) == NAMES
    assert all(numbers[name] >= 1 for name in (*WANTED, "changes_requested", "auto", "sampled", "redeemed"))
    # Every request came to one end, and every end was delivered.
    ends = ("auto", "sampled", "approved", "rejected", "expired")
    assert numbers["asked"] == numbers["delivered"] == sum(numbers[end] for end in ends)
    assert numbers["redeemed"] == numbers["auto"] + numbers["sampled"] + numbers["approved"]
    assert list(tmp_path.iterdir()) == []


@asynccontextmanager
async def _demo(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_env(tmp_path),
        cwd=tmp_path,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until(process: asyncio.subprocess.Process, *words: str) -> str:
    """The next line of the terminal with all these words."""
    assert process.stdout is not None
    async for raw in process.stdout:
        line = raw.decode()
        if all(word in line for word in words):
            return line
    raise AssertionError(f"the demo ended and never said {words}")


async def test_a_press_in_the_browser_lets_the_agent_go_on_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """Approve a production stop as Ana: its agent verifies, redeems and is done. Then Ctrl-C: nothing is left."""
    async with _demo(tmp_path) as process, asyncio.timeout(120):
        opened = await _until(process, "Open ")
        url = opened.split()[1]
        line = await _until(process, "it-operations", "Stop production")
        number = re.search(r"#\d+", line)
        assert number is not None
        async with Browser(url, "ana") as browser:
            pressed = False
            while not pressed:
                for review in await browser.queue():
                    pressed = await browser.press(review, "approve", {}) or pressed
            await _until(process, "approved", "by Ana Ruiz", "signature verified")
            await _until(process, "redeemed", "done: ")
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "Traceback" not in err.decode()
    assert out.decode().rstrip().endswith("its folder is removed.")
    assert list(tmp_path.iterdir()) == []


async def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    """Not a traceback."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", str(port)),
        stderr=asyncio.subprocess.PIPE,
        env=_env(tmp_path),
        cwd=tmp_path,
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    server.close()
    assert process.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in err.decode()
    assert "Traceback" not in err.decode()
