"""Serving: start, say where, heed signals, stop within seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog

from bot.app import App, open_database
from bot.cli.house import folder_of
from bot.clock import SystemClock
from bot.config import load
from bot.runtime import settle

log = structlog.get_logger(__name__)


def serve(config_file: Path) -> None:
    """Serve a configuration until SIGINT or SIGTERM. Raises PlacetError when it cannot start."""
    config, folder, clock = load(config_file), folder_of(config_file), SystemClock()
    store = open_database(config, folder, clock)
    asyncio.run(_serve(App(config, folder=folder, clock=clock, store=store, file=config_file), config_file))


async def _serve(app: App, config_file: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(_reload(app))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await app.start()
    settle()
    loop.add_signal_handler(signal.SIGHUP, reload)
    _greet(app, config_file)
    await stop.wait()
    log.info("stopping", pid=os.getpid())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)  # whoever asks twice need not wait
    await app.stop()
    log.info("stopped")


async def _reload(app: App) -> None:
    await app.reload()
    refused = app.rules.fault or app.reloading.fault
    log.info("reload_refused" if refused else "reloaded", policy=app.router.policy.ref)


def _greet(app: App, config_file: Path) -> None:
    """Where it listens, how to come in, and what it made: to standard output, a line each."""
    told = "" if config_file == Path("placet.yml") else f" --config {config_file}"
    person = next((person.id for person in app.directory.people()), "PERSON")
    lines = [f"Placet listens on {app.url}", f"To sign in: placet link {person}{told}"]
    lines += [f"Made the key {path}, mode 0600. Keep it with the database." for path in app.house_keys.made]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
