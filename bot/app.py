"""The composition root: the one place that knows who is who, starts everything, and stops it in order."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from adapters.port import Adapter, Setup
from bot import opening, wire
from bot.absence import Absences
from bot.addresses import CannotServe, bound, bracketed, is_loopback
from bot.api import AgentApi
from bot.calendars import Calendars
from bot.clock import SystemClock
from bot.config import Config
from bot.control import Control
from bot.courier import Courier
from bot.desk import FrontDesk
from bot.door import FrontDoor
from bot.gate import Gate
from bot.hub import Hub
from bot.keys import HouseKeys, Keyring
from bot.metrics import Metrics
from bot.openapi import docs_routes
from bot.operations import Operations
from bot.outbox import Outbox
from bot.people import Directory
from bot.places import control_path, database_url, key_folder
from bot.probes import Probes
from bot.problems import middleware
from bot.references import StoredReferences
from bot.roster import Watch
from bot.routing import Router
from bot.rules import Rules
from bot.sandbox import Sandbox
from bot.service import Service
from bot.timers import Timers
from bot.votes import VotesApi
from policies.model import Policy
from reviews.card import Card
from reviews.errors import StoreUnavailable
from reviews.keeping import Store
from reviews.ports import Clock
from storage import engine
from storage.engine import open_store
from storage.lock import FileLock
from storage.upgrade import HEAD as NEWEST_REVISION

log = structlog.get_logger(__name__)

#: How often what other processes and editors may have changed is looked at again (seconds).
SWEEP = 2.0
#: How long a press is known as one that came, and how often the older ones are forgotten.
REPEATS, FORGET = timedelta(days=1), timedelta(hours=1)
#: A worker that failed starts again after this long (seconds).
RESTART = 1.0
ADAPTERS = "placet.adapters"
#: How a card looks on another surface, for the web page to show.
PREVIEWS = "placet.previews"


def _preview(entry: metadata.EntryPoint, card: Card) -> str:
    """How a surface draws a card: loaded when somebody first looks, for most servers never draw for all of them."""
    drawn: str = entry.load()(card)
    return drawn


class App:
    """One running Placet: build it, `start()` it inside a loop, `stop()` it.

    `folder` is where relative paths of the configuration begin. `demo` lets people be picked from a list, on
    loopback only. After `start`, `url` is where it listens.
    """

    def __init__(
        self,
        config: Config,
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        demo: bool = False,
        store: Store | None = None,
    ) -> None:
        self.config, self.folder, self.demo = config, folder, demo
        self.env = os.environ if env is None else env
        self.clock: Clock = clock or SystemClock()
        self.loopback = is_loopback(config.server.host) and (
            config.server.internal is None or is_loopback(config.server.internal.host)
        )
        if demo and not self.loopback:
            raise CannotServe("The demo lets anybody be anybody, so it serves on loopback only.")
        self.store = store or open_store(database_url(config.database, folder), self.clock)
        self.control_path = control_path(config.database, folder)
        self.hub, self.metrics, self.gate = Hub(), Metrics(), Gate(config.callbacks.allow)
        self.keyring, self.absences = Keyring(self.store), Absences(self.store)
        self.calendars = Calendars(config, folder, self.env, self.clock, keep=True, tell=log.warning)
        self.watch = Watch(self.calendars, lambda: self.directory, self.clock)
        self.adapters: dict[str, Adapter] = {}
        self.url = config.server.public_url or ""
        self.house_keys = HouseKeys(self.env, key_folder(config.database, folder), may_make=self.loopback)
        self._tasks: list[asyncio.Task[None]] = []
        self._runners: list[web.AppRunner] = []
        self._sockets: list[socket.socket] = []
        self.failing: dict[str, str] = {}
        self._forget_at = self.clock.now()

    # ---------------------------------------------------------------------------- starting and stopping

    async def start(self) -> None:
        """Open the store, load the policy, start adapters and workers, then listen."""
        draw_key = self.house_keys.get("draw")
        self._bind()
        try:
            self.directory = self._directory(("web",))
            self.rules = Rules(self.folder / self.config.policy, lambda: self.directory)
            policy = self.rules.load()
            await opening.start(self.store, self.control_path)
            await self._open(policy, draw_key)
        except BaseException:
            await self.stop()
            raise

    async def _open(self, policy: Policy, draw_key: bytes) -> None:
        await self.rules.keep(self.store, policy)
        await self.keyring.load()
        await self.absences.load()
        await self.calendars.start()
        self.router = Router(policy, lambda: self.directory, draw_key)
        self.service = Service(
            self.store,
            self.router,
            lambda: self.directory,
            self.gate,
            self.hub,
            self.clock,
            self.url,
            self.metrics.observe,
        )
        self.desk = FrontDesk(self.service, self.absences, self.keyring.agent)
        self.door = FrontDoor(self.store, lambda: self.directory, self.clock, demo=self.demo)
        self.courier = Courier(self.store, self.hub, self.gate, self.clock, self.keyring.agent)
        self._load_adapters()
        self.directory = self._directory(self.adapters)
        self.hub.posting = any(not adapter.abilities.live for adapter in self.adapters.values())
        desk = self.desk
        self.outbox = Outbox(self.service, self.adapters, desk.card, self.hub, self.clock, desk.queue_card)
        self.timers = Timers(self.hub, self.service.fire, self._next_due)
        self.operations = Operations(self.store, self.keyring, self.door, lambda: self.directory, self.url)
        for adapter in self.adapters.values():
            await adapter.start()
        await self.courier.start()
        await self._listen()
        await self._start_control()
        self.timers.start()
        self._begin("timers", self.timers.run)
        self._begin("outbox", self.outbox.run)
        self._begin("courier", self.courier.run)
        self._begin("store", self._follow_others)
        self._begin("sweep", self._sweep)
        self._begin("rotations", partial(self.watch.run, self.hub.closing))

    def _directory(self, surfaces: Iterable[str]) -> Directory:
        """The people, as the surfaces that run know them; a surface that does not run lets nobody in."""
        return Directory(
            self.config, surfaces, tenant=self._tenant, absent=self.absences.of, copies=self.calendars.copies
        )

    def _tenant(self, surface: str) -> str | None:
        adapter = self.adapters.get(surface)
        return adapter.tenant if adapter is not None else ""

    async def stop(self) -> None:
        """Answer whoever waits, finish what was begun, close. Safe to call after a start that failed."""
        self.hub.close()
        for runner in self._runners:
            await runner.cleanup()
        for taken in self._sockets:
            taken.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self, "outbox"):
            await self.outbox.stop()
            await self.courier.stop()
        for adapter in self.adapters.values():
            await adapter.stop()
        if hasattr(self, "timers") and self._tasks:
            self.timers.stop()
        if hasattr(self, "control"):
            await self.control.stop()
        await self.store.stop()

    def _load_adapters(self) -> None:
        """Find adapters by their entry points, so that a stranger's is found like our own."""
        for entry in metadata.entry_points(group=ADAPTERS):
            setup = Setup(
                config=self.config.section(entry.name) or {},
                env=self.env,
                desk=self.desk,
                door=self.door,
                references=StoredReferences(store=self.store, surface=entry.name),
                clock=self.clock,
                public_url=self.url,
                demo=self.demo,
            )
            if (adapter := entry.load()(setup)) is not None:
                self.adapters[entry.name] = adapter
        previews = {entry.name: partial(_preview, entry) for entry in metadata.entry_points(group=PREVIEWS)}
        for adapter in self.adapters.values():
            getattr(adapter, "previews", {}).update(previews)

    async def _listen(self) -> None:
        server, internal = self.config.server, self.config.server.internal
        people = [route for adapter in self.adapters.values() for route in adapter.routes()]
        probes = Probes(self.store, self.rules, self.adapters, self.failing, self.metrics, self.watch.said)
        api = [
            *AgentApi(self.service, self.keyring, Sandbox(self.service)).routes(),
            *VotesApi(self.service, self.desk, self.door, enabled=server.votes_by_token).routes(),
            *docs_routes(self.url),
        ]
        outside, *inside = self._sockets
        if internal is None:
            await self._serve(outside, [*people, *api, *probes.routes(), *probes.inside()])
            return
        await self._serve(outside, [*people, *probes.routes()])
        await self._serve(inside[0], [*api, *probes.routes(), *probes.inside()])

    def _bind(self) -> None:
        """Take the addresses before anything else: links need the port, and a port in use is better said first."""
        server, internal = self.config.server, self.config.server.internal
        self._sockets = [bound(where.host, where.port) for where in (server, internal) if where is not None]
        host, port = self._sockets[0].getsockname()[:2]
        self.url = server.public_url or f"http://{bracketed(host)}:{port}"

    async def _serve(self, bound: socket.socket, routes: list[Any]) -> None:
        application = web.Application(middlewares=[middleware(self.url, self.clock)], client_max_size=wire.MAX_BODY + 1)
        application.add_routes(routes)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=3.0)
        await runner.setup()
        self._runners.append(runner)
        await web.SockSite(runner, bound, backlog=128).start()

    async def _start_control(self) -> None:
        if self.control_path is not None:
            self.control = Control(self.control_path, self.operations, self._poke)
            await self.control.start()

    def _poke(self) -> None:
        self.hub.deliveries.set()
        self.hub.copies.set()

    # ---------------------------------------------------------------------------- workers

    def _begin(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._keep_going(name, work), name=name))

    async def _keep_going(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a worker for ever; one that fails is started again, and readiness says so meanwhile."""
        while True:
            try:
                await work()
                return
            except asyncio.CancelledError:
                raise
            except Exception as fault:
                self.failing[name] = repr(fault)
                log.exception("worker_failed", worker=name)
                await asyncio.sleep(RESTART)
            self.failing.pop(name, None)

    async def _next_due(self) -> datetime | None:
        return await self.store.view(lambda tx: tx.next_due())

    async def _follow_others(self) -> None:
        """Pass on what other processes on the same database changed."""
        async for name in self.store.listen():
            kind, _, review_id = name.partition(":")
            if kind == "review":
                await self._announce(review_id)
            if kind in ("agents", "resync"):
                await self.keyring.load()
            if kind in ("absences", "resync"):
                await self.absences.load()
            self._poke()

    async def _announce(self, review_id: str) -> None:
        review = await self.store.view(lambda tx: tx.read(review_id))
        if review is not None:
            self.hub.announce(review, ())

    async def _sweep(self) -> None:
        """Look again at what may have changed outside: the policy's files, agents and absences of other processes."""
        while not self.hub.closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP):
                    await self.hub.closing.wait()
            try:
                await self.keyring.load()
                await self.absences.load()
                await self.reload_policy(force=False)
                await self._forget()
            except StoreUnavailable as fault:
                log.warning("sweep_waits", why=str(fault))

    async def _forget(self) -> None:
        """Forget, now and then, which presses came: no surface delivers one again after a day."""
        now = self.clock.now()
        if now >= self._forget_at:
            await self.store.tx(lambda tx: tx.forget_once(tx.now() - REPEATS))
            self._forget_at = now + FORGET

    async def reload_policy(self, *, force: bool = True) -> None:
        """Swap in the policy if its files changed and load; else keep the one in force and say why."""
        policy = self.rules.changed(force=force)
        if policy is not None and await self.rules.keep(self.store, policy):
            self.router.swap(policy)
            log.info("policy_loaded", policy=policy.ref)


# ---------------------------------------------------------------------------------------------- without a server


def open_database(config: Config, folder: Path, clock: Clock) -> Store:
    """The store a configuration names, not started yet, for a command that runs by itself. Raises CannotServe."""
    try:
        return open_store(database_url(config.database, folder), clock)
    except ValueError as fault:
        raise CannotServe(str(fault)) from fault


def revision_of(config: Config, folder: Path) -> str | None:
    """The revision a database's tables are at; None for one that is not there yet. Raises StoreUnavailable."""
    return engine.current(database_url(config.database, folder))


def migrate(config: Config, folder: Path) -> str | None:
    """Bring a database's tables up to date while nobody serves it. The revision reached. Raises StoreUnavailable."""
    return engine.migrate(database_url(config.database, folder))


def held_by(database: Path) -> str | None:
    """Who has an embedded database open, in a sentence; None when nobody has."""
    lock = FileLock(database)
    if not lock.path.exists():
        return None
    try:
        lock.take()
    except StoreUnavailable as fault:
        return str(fault)
    lock.release()
    return None


__all__ = [
    "ADAPTERS",
    "NEWEST_REVISION",
    "App",
    "held_by",
    "migrate",
    "open_database",
    "revision_of",
]
