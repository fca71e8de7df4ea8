"""What a command does by itself where nobody serves: it opens the database, under its lock."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from bot.absence import Absences
from bot.app import open_database
from bot.calendars import Calendars
from bot.cli.house import address
from bot.clock import SystemClock
from bot.config import Config
from bot.door import FrontDoor
from bot.groups import Groups
from bot.keys import Keyring
from bot.operations import Operations
from bot.people import Directory
from bot.stopping import Stopping
from bot.whois import Whois
from reviews.errors import PlacetError
from reviews.keeping import Store
from reviews.model import Object


class BadDatabase(PlacetError):
    """`database` in placet.yml cannot be opened by this command; the sentence says why."""


class NoServer(PlacetError):
    """Nobody serves this database, so nobody could be asked or told. Start `placet serve`, then try again."""


def opened(config: Config, folder: Path) -> Store:
    """The database a configuration names, not started yet. Raises PlacetError when it is none a command can open."""
    if config.database.startswith("memory:"):
        raise BadDatabase("`database` is memory://, which only the serving process sees. Name a file to keep anything.")
    return open_database(config, folder, SystemClock())


def run(config: Config, folder: Path, operation: str, given: Object) -> Any:
    """Run an operation on the database itself. Raises StoreUnavailable, and what the operation raises."""
    return asyncio.run(_run(config, opened(config, folder), folder, operation, given))


async def _run(config: Config, store: Store, folder: Path, operation: str, given: Object) -> Any:
    calendars, absences = Calendars(config, folder, os.environ, SystemClock()), Absences(store)
    if operation in ("oncall", "people.whois"):  # who is on call is asked, and the answer may wait for an address
        await calendars.start()
        await calendars.refresh()
    await store.start()
    try:
        await absences.load()
        groups = Groups(store, os.environ, SystemClock())
        await groups.take(config)
        directory = Directory(
            config,
            ("web", *config.chats),
            absent=absences.of,
            said=absences.said,
            copies=calendars.copies,
            members=groups.of(config),
        )
        door = FrontDoor(store, lambda: directory, SystemClock())
        keyring = Keyring(store)
        stopping = Stopping(store, keyring, lambda: directory, None)
        operations = Operations(store, keyring, stopping, door, lambda: directory, address(config))
        operations.also(Whois(store, absences, lambda: directory).operations())
        operations.also({"policy.apply": _needs_server, "gateways.test": _needs_server})
        return await operations.run(operation, given)
    finally:
        await store.stop()


async def _needs_server(**_: object) -> Object:
    raise NoServer(NoServer.__doc__)
