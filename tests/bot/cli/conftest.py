"""The command line as people run it: its exit code, and what it says on which stream."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.__main__ import main

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


Placet = Callable[..., Ran]


@pytest.fixture
def placet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Placet:
    """Run a command in this process, through `main()`. `given` is its standard input."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PLACET_TOKEN", raising=False)
    monkeypatch.delenv("PLACET_DRAW_KEY", raising=False)

    def run(*args: object, given: str = "") -> Ran:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["placet", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Ran(code, told.out, told.err)

    return run


@pytest.fixture
def house(placet: Placet, tmp_path: Path) -> Path:
    """A fresh installation's placet.yml, as `init` writes it, on any free port."""
    folder = tmp_path / "house"
    assert placet("init", "--yes", "--dir", folder, "--port", 0).code == 0
    return folder / "placet.yml"


def change(config: Path, **sections: Any) -> None:
    """Replace sections of a placet.yml."""
    raw = yaml.safe_load(config.read_text("utf-8"))
    config.write_text(yaml.safe_dump(raw | sections), "utf-8")


class Serving:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str, greeting: str) -> None:
        self.process, self.url, self.greeting = process, url, greeting

    def heard(self, word: str) -> str:
        """The next line of its log with this word."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if word in line)


@contextmanager
def serving(config: Path) -> Iterator[Serving]:
    """`python -m bot serve` until the block ends."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        cwd=config.parent,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        if "listens on" not in first:
            raise AssertionError(process.communicate(timeout=10))
        yield Serving(process, first.split()[-1], first + process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)
