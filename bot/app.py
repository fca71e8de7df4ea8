"""The composition root: the one place that knows who is who, starts everything, and stops it in order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path

import structlog

from adapters.port import Adapter, Setup
from bot import opening
from bot.absence import Absences
from bot.addresses import CannotServe, is_loopback
from bot.api import AgentApi
from bot.calendars import Calendars
from bot.clock import SystemClock
from bot.config import Config
from bot.control import Control
from bot.courier import Courier
from bot.desk import FrontDesk
from bot.door import FrontDoor
from bot.gate import Gate
from bot.gateways import Gateways
from bot.groups import Groups
from bot.guard import Guard
from bot.hub import Hub
from bot.keys import HouseKeys, Keyring
from bot.listening import Listening
from bot.metrics import Metrics
from bot.openapi import docs_routes
from bot.operations import Operations
from bot.outbox import Outbox
from bot.people import Directory
from bot.places import control_path, database_url, key_folder
from bot.probes import Probes
from bot.references import StoredReferences
from bot.reloading import Reloading
from bot.roster import Watch
from bot.routing import Router
from bot.rules import Rules
from bot.sandbox import Sandbox
from bot.service import Service
from bot.stopping import Stopping
from bot.timers import Timers
from bot.votes import VotesApi
from bot.whois import Whois
from bot.workers import Workers
from bot.workload import Workload
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
        file: Path | None = None,
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
        self.watch = Watch(lambda: self.calendars, self.people, self.clock)
        self.reloading = Reloading(file, config, self._take)
        self.groups = Groups(self.store, self.env, self.clock)
        self.adapters: dict[str, Adapter] = {}
        self.listening = Listening(config.server, self.clock)
        self.house_keys = HouseKeys(self.env, key_folder(config.database, folder), may_make=self.loopback)
        self.workers = Workers()
        self._forget_at = self.clock.now()

    @property
    def url(self) -> str:
        """Where people reach it; after `start`, with the port."""
        return self.listening.url

    def people(self) -> Directory:
        """Who people are as of now: every reload makes another directory."""
        return self.directory

    # ---------------------------------------------------------------------------- starting and stopping

    async def start(self) -> None:
        """Open the store, load the policy, start adapters and workers, then listen."""
        draw_key = self.house_keys.get("draw")
        self.listening.bind()
        try:
            self.directory = self._directory(("web",))
            guarded = self.config.policy_changes == "reviewed"
            self.rules = Rules(self.folder / self.config.policy, self.people, guarded=guarded)
            self.rules.load()
            await opening.start(self.store, self.control_path)
            await self._open(draw_key)
        except BaseException:
            await self.stop()
            raise

    async def _open(self, draw_key: bytes) -> None:
        policy = await self.rules.first(self.store)
        await self.keyring.load()
        await self.absences.load()
        await self.calendars.start()
        await self.groups.take(self.config)
        self._assemble(policy, draw_key)
        for adapter in self.adapters.values():
            await adapter.start()
        await self.courier.start()
        await self._listen()
        await self._start_control()
        self._begin()

    def _assemble(self, policy: Policy, draw_key: bytes) -> None:
        """Give everybody whom they work with. Nothing runs yet."""
        self.router = Router(policy, self.people, draw_key)
        observe = self.metrics.observe
        self.service = Service(self.store, self.router, self.people, self.gate, self.hub, self.clock, self.url, observe)
        self.stopping = Stopping(self.store, self.keyring, self.people, self.service)
        self.desk = FrontDesk(self.service, self.absences, self.stopping, self.keyring.agent)
        self.door = FrontDoor(self.store, self.people, self.clock, base=self.url, demo=self.demo)
        self.courier = Courier(self.store, self.hub, self.gate, self.clock, self.keyring.agent)
        self._load_adapters()
        self.directory = self._directory(self.adapters)
        self.hub.posting = any(not adapter.abilities.live for adapter in self.adapters.values())
        desk = self.desk
        self.outbox = Outbox(self.service, self.adapters, desk.card, self.hub, self.clock, desk.queue_card)
        self.timers = Timers(self.hub, self.service.fire, self._next_due)
        self._operate()
        self.workload = Workload(self.store, self.people, self.clock, self.hub.copies.set)

    def _operate(self) -> None:
        """What operators ask by command, whichever room it is of."""
        self.operations = Operations(self.store, self.keyring, self.stopping, self.door, self.people, self.url)
        self.guard = Guard(self.service, self.rules, self.keyring, self.people)
        self.operations.also({"policy.apply": self.guard.propose})
        self.operations.also(Whois(self.store, self.absences, self.people).operations())
        self.operations.also(Gateways(self.adapters, self.people).operations())

    def _begin(self) -> None:
        self.timers.start()
        begin = self.workers.begin
        begin("timers", self.timers.run)
        begin("outbox", self.outbox.run)
        begin("courier", self.courier.run)
        begin("store", self._follow_others)
        begin("sweep", self._sweep)
        begin("rotations", partial(self.watch.run, self.hub.closing))
        begin("groups", partial(self.groups.run, self.hub.closing, lambda: self.directory.config, self.regroup))

    def _directory(self, surfaces: Iterable[str], config: Config | None = None) -> Directory:
        """The people, as the surfaces that run know them; a surface that does not run lets nobody in."""
        config = config or self.reloading.config
        return Directory(
            config,
            surfaces,
            tenant=self._tenant,
            absent=self.absences.of,
            said=self.absences.said,
            copies=self.calendars.copies,
            members=self.groups.of(config),
            shared=(name for name, adapter in self.adapters.items() if adapter.abilities.shared),
        )

    async def _take(self, config: Config) -> None:
        """Put another configuration's people in force; what calendars and groups said of both stays."""
        calendars = Calendars(config, self.folder, self.env, self.clock, keep=True, tell=log.warning)
        await calendars.start(self.calendars)
        await self.groups.take(config)
        self.calendars = calendars
        self.directory = self._directory(self.adapters, config)

    def regroup(self) -> None:
        """Somebody came into a group, or left one."""
        self.directory = self._directory(self.adapters)

    def _tenant(self, surface: str) -> str | None:
        adapter = self.adapters.get(surface)
        return adapter.tenant if adapter is not None else ""

    async def stop(self) -> None:
        """Answer whoever waits, finish what was begun, close. Safe to call after a start that failed."""
        self.hub.close()
        await self.listening.stop()
        await self.workers.stop()
        if hasattr(self, "outbox"):
            await self.outbox.stop()
            await self.courier.stop()
        for adapter in self.adapters.values():
            await adapter.stop()
        if hasattr(self, "timers") and self.workers.any:
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
            made: Adapter | Sequence[Adapter] | None = entry.load()(setup)
            if isinstance(made, Sequence):
                self.adapters |= {adapter.name: adapter for adapter in made}
            elif made is not None:
                self.adapters[entry.name] = made
        previews = {entry.name: partial(_preview, entry) for entry in metadata.entry_points(group=PREVIEWS)}
        for adapter in self.adapters.values():
            getattr(adapter, "previews", {}).update(previews)

    async def _listen(self) -> None:
        people = [route for adapter in self.adapters.values() for route in adapter.routes()]
        said = {"policy": self.guard.said, "configuration": self.reloading.said}
        said |= {"rotations": self.watch.said, "groups": self.groups.said}
        probes = Probes(self.store, said, self.adapters, self.workers.failing, self.metrics)
        agents = [
            *AgentApi(self.service, self.keyring, Sandbox(self.service)).routes(),
            *VotesApi(self.service, self.desk, self.door, enabled=self.config.server.votes_by_token).routes(),
            *docs_routes(self.url),
        ]
        await self.listening.start(people, agents, probes.routes(), probes.inside())

    async def _start_control(self) -> None:
        if self.control_path is not None:
            self.control = Control(self.control_path, self.operations, self._poke)
            await self.control.start()

    def _poke(self) -> None:
        self.hub.deliveries.set()
        self.hub.copies.set()

    # ---------------------------------------------------------------------------- workers

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
                await self.stopping.look()
                await self.desk.look()
                await self.reload(force=False)
                await self.workload.look()
                await self._forget()
            except StoreUnavailable as fault:
                log.warning("sweep_waits", why=str(fault))

    async def _forget(self) -> None:
        """Forget, now and then, which presses came: no surface delivers one again after a day."""
        now = self.clock.now()
        if now >= self._forget_at:
            await self.store.tx(lambda tx: tx.forget_once(tx.now() - REPEATS))
            self._forget_at = now + FORGET

    async def reload(self, *, force: bool = True) -> None:
        """Take over what changed in placet.yml and in the policy; what does not load is said, and changes nothing."""
        self._swap(await self.reloading.look(self.store, self.rules, self.router.policy, force=force))
        changed = self.rules.changed(force=force)
        if changed is not None and await self.rules.keep(self.store, changed):
            self._swap(changed)
        self._swap(await self.guard.look())
        await self.guard.say()

    def _swap(self, policy: Policy | None) -> None:
        if policy is None:
            return
        if policy.sha256 != self.router.policy.sha256:
            log.info("policy_loaded", policy=policy.ref)
        self.router.swap(policy)


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


def agents_of(config: Config, folder: Path) -> int:
    """How many agents may ask. Changes nothing. Raises StoreUnavailable, ValueError."""
    return engine.agents(database_url(config.database, folder))


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
    "agents_of",
    "held_by",
    "migrate",
    "open_database",
    "revision_of",
]
