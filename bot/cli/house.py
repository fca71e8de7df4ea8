"""How a command reaches the house: through the server's control socket, else by opening the database itself."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.patience import LOOK, held, looks
from bot.places import control_path
from reviews.errors import StoreUnavailable

if TYPE_CHECKING:
    from bot.config import Config
    from reviews.model import Object

#: How long a command waits for a server that holds the database and does not listen yet (seconds).
STARTING = 10.0


def address(config: Config) -> str:
    """Where people and agents reach the service, without a trailing slash."""
    server = config.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    return (server.public_url or f"http://{host}:{server.port}").rstrip("/")


def folder_of(config_file: Path) -> Path:
    """Where relative paths of a configuration begin."""
    return config_file.absolute().parent


def run(config_file: Path, operation: str, **given: Any) -> Any:
    """Run an operation where it may write: in the serving process, else here under the database's lock.

    Raises PlacetError with the sentence of whatever refused it.
    """
    from bot.config import load  # noqa: PLC0415 - a quick start: `--help` needs no configuration

    config, folder = load(config_file), folder_of(config_file)
    for last in looks(STARTING, _say_waiting):
        try:
            return _once(config, folder, operation, given)
        except StoreUnavailable as fault:
            if last or not held(fault):
                raise
        time.sleep(LOOK)
    raise AssertionError("the last look returns or raises")


def _once(config: Config, folder: Path, operation: str, given: Object) -> Any:
    """Run it there, or here when nobody listens. Raises StoreUnavailable when somebody holds the database all the same.

    A socket that nobody listens on was left by a server that died, or belongs to one that is starting: the lock says.
    """
    from bot.control_client import ask  # noqa: PLC0415 - a quick start, as above

    socket = control_path(config.database, folder)
    if socket is not None:
        try:
            return ask(socket, operation, given)
        except ConnectionError:
            pass
    from bot.cli import alone  # noqa: PLC0415 - the whole engine, which a command that reaches a server does not need

    return alone.run(config, folder, operation, given)


def _say_waiting() -> None:
    sys.stderr.write("placet: waiting for the server to start\n")
