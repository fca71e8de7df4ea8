"""Somebody who does what a page says: types its commands, saves its files, presses in a browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import yaml

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the words after the fence, its text, and the line it begins at."""

    page: Path
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*pages: Path) -> Iterator[Block]:
    """The fenced blocks of pages."""
    for page in pages:
        text = page.read_text("utf-8")
        for found in re.finditer(r"(?ms)^```([^\n]*)\n(.*?)^```$", text):
            yield Block(page, text[: found.start()].count("\n") + 1, found[1], found[2])


def steps(page: str) -> list[Block]:
    """The blocks a reader of a page types or saves, in order."""
    found = [block for block in blocks(ROOT / page) if block.info.startswith("sh") or block.text.startswith("# ")]
    assert len(found) > 1, page
    return found


def save(folder: Path, text: str) -> None:
    """Save a file as a page shows it, its name in the first line.

    What it says of a configuration stands beside the sections there are, or in their place; of `server`, key by key.
    """
    name, _, content = text.removeprefix("# ").partition("\n")
    if name == "placet.yml":
        before, said = yaml.safe_load((folder / name).read_text("utf-8")), yaml.safe_load(content)
        if "server" in said:
            content = yaml.safe_dump(said | {"server": before["server"] | said["server"]})
        rest = {key: value for key, value in before.items() if key not in said}
        content = f"{yaml.safe_dump(rest)}{content}"
    (folder / name).write_text(content, "utf-8")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Walk:
    """A reader who types everything a page says, in a folder of their own; servers run beside, until `end`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.hook = folder, free_port(), free_port()
        shims = folder / "bin"
        shims.mkdir()
        for name, module in (("placet", "-m bot"), ("python", "")):
            (shims / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n', "utf-8")
            (shims / name).chmod(0o755)
        (folder / "env").touch()
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PLACET_")}
        self.env = clean | {
            "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(folder),
            "NO_PROXY": "*", "PYTHONUNBUFFERED": "1", "MEMORY": str(folder / "env"),
        }  # fmt: skip
        self.servers: list[subprocess.Popen[bytes]] = []

    def own(self, text: str) -> str:
        """What the page says, with ports of our own."""
        text = re.sub(r"(?m)^\. \.venv/bin/activate\n", "", text)
        text = re.sub(
            r"(?m)^placet init .*--dir (\S+)$",
            rf"\g<0> --port {self.port}\nsed -i s/899[1]/{self.hook}/ \1/placet.yml",
            text,
        )
        # `export A=$(…)` would hide that the inner command failed.
        text = re.sub(r"(?m)^export (\w+)=(\$\(.*\))$", r"\1=\2\nexport \1", text)
        return text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}").replace("8991", str(self.hook))

    def type(self, text: str) -> str:
        """Run commands in the shell as it was left (folder and exported variables); what they print."""
        script = f'set -euo pipefail; . "$MEMORY"\n{self.own(text)}\n{{ export -p; echo "cd \'$PWD\'"; }} > "$MEMORY"'
        run = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.env, capture_output=True, timeout=120, check=False
        )
        assert run.returncode == 0, f"{text}\n{run.stdout.decode()}\n{run.stderr.decode()}"
        return run.stdout.decode()

    def serve(self, text: str, url: str = "") -> Path:
        """Run the last line beside, until it listens; the file it prints to (a server's: its log).

        `url` is how Placet is reached by others, where the page gave it an address.
        """
        *before, last = text.strip().splitlines()
        if before:
            self.type("\n".join(before))
        out = self.folder / f"out-{len(self.servers)}"
        placet = last == "placet serve"
        script = f'. "$MEMORY"\nexec {self.own(last)} {"2" if placet else ""}> "{out}"'
        server = subprocess.Popen(["bash", "-c", script], cwd=self.folder, env=self.env, stdout=subprocess.PIPE)
        self.servers.append(server)
        if placet:
            assert server.stdout is not None
            said = server.stdout.readline().decode()
            listens = f"Placet listens on {url or f'http://127.0.0.1:{self.port}'}\n"
            assert said == listens, said + out.read_text("utf-8")
        else:
            self.type(f"curl --silent --retry 60 --retry-connrefused --retry-delay 1 127.0.0.1:{self.hook} > /dev/null")
        return out

    def end(self) -> None:
        """Stop what runs beside, one after another, as Ctrl-C does."""
        for server in self.servers:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=20)
        self.servers.clear()


class Beside:
    """What runs beside a reader in a loop of its own, until `end`; what is asked of it, is asked from here."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._runs = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runs.start()

    def do(self, asked: Coroutine[Any, Any, T]) -> T:
        """Run something there; its result."""
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(timeout=30)

    def end(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._runs.join(timeout=10)
        self._loop.close()


class Fields(HTMLParser):
    """The hidden fields of a page's forms, by form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A form begins, or a field of it."""
        about = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and about.get("type") == "hidden":
            self.forms[-1][about["name"]] = about["value"]


class Browser:
    """A person with a browser, signed in by a link."""

    def __init__(self, link: str) -> None:
        self.base = link.partition("/enter")[0]
        self._opener = build_opener(HTTPCookieProcessor())
        self.page = self._send("/enter", self._form(self.get(link), "link"))

    def approve(self, review: str) -> str:
        """Press Approve on a review's page; the page that answers."""
        fields = Fields(self.get(f"{self.base}/reviews/{review}")).forms
        return self._send(f"/reviews/{review}", next(form for form in fields if form.get("verb") == "approve"))

    def _form(self, html: str, field: str) -> dict[str, str]:
        return next(form for form in Fields(html).forms if field in form)

    def get(self, url: str) -> str:
        """A page."""
        with self._opener.open(url, timeout=20) as answer:
            return str(answer.read().decode())

    def _send(self, path: str, fields: dict[str, str]) -> str:
        with self._opener.open(self.base + path, data=urlencode(fields).encode(), timeout=20) as answer:
            return str(answer.read().decode())
