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
from bot.keys import Keyring
from bot.operations import Operations
from bot.people import Directory
from reviews.errors import PlacetError
from reviews.keeping import Store
from reviews.model import Object


class BadDatabase(PlacetError):
    """`database` in placet.yml cannot be opened by this command; the sentence says why."""


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
    if operation == "oncall":  # the only one that asks who is on call, and whose answer may wait for an address
        await calendars.start()
        await calendars.refresh()
    await store.start()
    try:
        await absences.load()
        directory = Directory(config, absent=absences.of, copies=calendars.copies)
        door = FrontDoor(store, lambda: directory, SystemClock())
        operations = Operations(store, Keyring(store), door, lambda: directory, address(config))
        return await operations.run(operation, given)
    finally:
        await store.stop()
