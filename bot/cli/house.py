"""How a command reaches the house: through the server's control socket, else by opening the database itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import SystemClock, control_path, open_database
from bot.config import Config, load
from bot.control import ask
from bot.door import FrontDoor
from bot.keys import Keyring
from bot.operations import Operations
from bot.people import Directory
from reviews.errors import PlacetError
from reviews.model import Object
from reviews.ports import Store


class BadDatabase(PlacetError):
    """`database` in placet.yml cannot be opened by this command; the sentence says why."""


class Interrupted(PlacetError):
    """The serving process took an operation and gave no answer."""


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
    return asyncio.run(_run(load(config_file), folder_of(config_file), operation, given))


async def _run(config: Config, folder: Path, operation: str, given: Object) -> Any:
    socket = control_path(config.database, folder)
    if socket is not None and socket.exists():
        try:
            return await ask(socket, operation, given)
        except OSError:
            pass  # left by a server that died: the lock says whether anybody serves
        except aiohttp.ClientError as fault:
            raise Interrupted(f"The server broke off ({fault}). Look at its log, then whether it was done.") from fault
    store = opened(config, folder)
    await store.start()
    try:
        return await _operations(config, store).run(operation, given)
    finally:
        await store.stop()


def opened(config: Config, folder: Path) -> Store:
    """The database a configuration names, not started yet. Raises BadDatabase."""
    if config.database.startswith("memory:"):
        raise BadDatabase("`database` is memory://, which only the serving process sees. Name a file to keep anything.")
    return open_database(config, folder, SystemClock())


def _operations(config: Config, store: Store) -> Operations:
    directory = Directory(config)
    door = FrontDoor(store, lambda: directory, SystemClock())
    return Operations(store, Keyring(store), door, lambda: directory, address(config))
