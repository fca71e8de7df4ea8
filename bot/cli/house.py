"""How a command reaches the house: through the server's control socket, else by opening the database itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config import Config, load
from reviews.errors import PlacetError, StoreUnavailable
from reviews.model import Object

if TYPE_CHECKING:
    from bot.operations import Operations
    from reviews.ports import Store

#: How long a command waits for a server that holds the database and does not listen yet, and between two looks (s).
STARTING = 10.0
_LOOK = 0.2


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
    from bot.app import control_path  # noqa: PLC0415 - a quick start: `policy check` needs no server

    socket = control_path(config.database, folder)
    async for last in _looks():
        if socket is not None and socket.exists():
            try:
                return await _asked(socket, operation, given)
            except ConnectionError:
                pass  # left by a server that died, or not listened on yet: the lock says whether anybody serves
        store = opened(config, folder)
        try:
            await store.start()
        except StoreUnavailable as fault:
            if last or not isinstance(fault.__cause__, BlockingIOError):  # what a lock held by another raises
                raise
            continue
        try:
            return await _operations(config, store).run(operation, given)
        finally:
            await store.stop()
    raise AssertionError("the last look returns or raises")


async def _looks() -> AsyncIterator[bool]:
    """A turn every now and then while a server may be starting; whether it is the last."""
    loop = asyncio.get_running_loop()
    end = loop.time() + STARTING
    yield False
    sys.stderr.write("placet: waiting for the server to start\n")
    while loop.time() < end:
        await asyncio.sleep(_LOOK)
        yield False
    yield True


async def _asked(socket: Path, operation: str, given: Object) -> Any:
    """What the serving process answers. Raises ConnectionError when nobody listens: then it took nothing."""
    import aiohttp  # noqa: PLC0415 - a quick start: `policy check` needs no server

    from bot.control import ask  # noqa: PLC0415 - as above

    try:
        return await ask(socket, operation, given)
    except aiohttp.ClientConnectorError as fault:
        raise ConnectionError(str(fault)) from fault
    except (aiohttp.ClientError, OSError) as fault:
        # Past the connection it may have been done, so it is never tried again from here.
        why = str(fault) or type(fault).__name__
        raise Interrupted(f"The server broke off ({why}). Look at its log, then whether it was done.") from fault


def opened(config: Config, folder: Path) -> Store:
    """The database a configuration names, not started yet. Raises BadDatabase."""
    from bot.app import SystemClock, open_database  # noqa: PLC0415 - a quick start, as above

    if config.database.startswith("memory:"):
        raise BadDatabase("`database` is memory://, which only the serving process sees. Name a file to keep anything.")
    return open_database(config, folder, SystemClock())


def _operations(config: Config, store: Store) -> Operations:
    from bot.app import SystemClock  # noqa: PLC0415 - a quick start, as above
    from bot.door import FrontDoor  # noqa: PLC0415 - as above
    from bot.keys import Keyring  # noqa: PLC0415 - as above
    from bot.operations import Operations  # noqa: PLC0415 - as above
    from bot.people import Directory  # noqa: PLC0415 - as above

    directory = Directory(config)
    door = FrontDoor(store, lambda: directory, SystemClock())
    return Operations(store, Keyring(store), door, lambda: directory, address(config))
