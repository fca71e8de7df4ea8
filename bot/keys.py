"""Who may ask and who may come in: agents' keys, people's links, sessions and tokens, the installation's own keys.

Secrets are shown once and kept as SHA-256; the callbacks' secrets, which must sign, are kept as they are.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from bot.ids import hash_of, secret
from reviews.errors import NotFound, PlacetError
from reviews.keeping import Agent, Store, Ticket, Tx
from reviews.status import DESK
from reviews.values import replace

SANDBOX_ANSWERS = ("approve", "reject", "edit", "changes", "silence")
LIFETIMES = {"link": timedelta(hours=1), "session": timedelta(hours=12), "token": timedelta(hours=8)}
_PREFIXES = {"link": "pll_", "session": "pls_", "token": "plr_"}
#: Old callback secrets kept beside the new one while receivers change over.
_SECRETS_KEPT = 2


class AgentExists(PlacetError):
    """There is an agent of this name. Choose another, or revoke that one first."""


class SecretMissing(PlacetError):
    """A secret this address needs is not set."""


def desk(asker: str | None = None) -> Agent:
    """The house's own agent, in whose name people ask; `asker` owns what is asked. It has no key."""
    return Agent(name=DESK, key_hash="", secrets=(), owners=() if asker is None else (asker,))


class Keyring:
    """Agents by key, in memory as long as nothing changed; the sweep re-reads them for other processes' changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_hash: dict[str, Agent] = {}
        self._by_name: dict[str, Agent] = {}

    async def load(self) -> None:
        """Read every agent anew."""
        agents = await self._store.view(lambda tx: tx.agents())
        self._by_hash = {agent.key_hash: agent for agent in agents}
        self._by_name = {agent.name: agent for agent in agents}

    def agent_of(self, authorization: str) -> Agent | None:
        """The agent behind an `Authorization: Bearer plk_…` header; None when there is none, or it was revoked."""
        scheme, _, key = authorization.partition(" ")
        if scheme.casefold() != "bearer":
            return None
        agent = self._by_hash.get(hash_of(key.strip()))
        return None if agent is None or agent.revoked else agent

    def agent(self, name: str) -> Agent | None:
        """An agent by name, revoked ones too."""
        return self._by_name.get(name)

    def agents(self) -> tuple[Agent, ...]:
        """Every agent, by name."""
        return tuple(sorted(self._by_name.values(), key=lambda agent: agent.name))

    async def add(self, agent: Agent) -> tuple[str, str]:
        """Make an agent with fresh secrets; `key_hash` and `secrets` of the one given are ignored.

        Returns its key (`plk_…`) and callback secret (`whsec_…`). Raises AgentExists.
        """
        key, signing = secret("plk_"), callback_secret()

        def keep(tx: Tx) -> None:
            present = tx.agent(agent.name, change=True)
            if present is not None and not present.revoked:
                raise AgentExists(f"There is an agent {agent.name} already. Choose another name, or revoke it first.")
            made = replace(agent, key_hash=hash_of(key), secrets=(signing,), created_at=tx.now())
            # A new key makes nobody forget that a person stopped it.
            tx.put_agent(replace(made, stop=present.stop, resuming=present.resuming) if present else made)

        await self._change(keep)
        return key, signing

    async def revoke(self, name: str) -> None:
        """Take an agent's key away at once. Raises NotFound."""
        await self._change(lambda tx: tx.put_agent(replace(named(tx, name), revoked=True)))

    async def new_secret(self, name: str) -> str:
        """A fresh callback secret; the one before signs too until the next change. Raises NotFound."""
        fresh = callback_secret()

        def keep(tx: Tx) -> None:
            agent = named(tx, name)
            tx.put_agent(replace(agent, secrets=(fresh, *agent.secrets)[:_SECRETS_KEPT]))

        await self._change(keep)
        return fresh

    async def _change(self, change: object) -> None:
        assert callable(change)
        await self._store.tx(change)
        await self.load()


def named(tx: Tx, name: str) -> Agent:
    """An agent as it stands, to be changed: nobody else changes it, or depends on it, meanwhile. Raises NotFound."""
    found = tx.agent(name, change=True)
    if found is None:
        raise NotFound(f"There is no agent {name}; `placet agent list` shows those there are.")
    return found


def callback_secret() -> str:
    """A `whsec_…` secret of 32 random bytes (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def make_ticket(tx: Tx, kind: str, person: str, *, via: str = "", scope: str | None = None) -> tuple[str, Ticket]:
    """Make a link, session or token for a person. Returns its secret, to be shown once, and the ticket kept."""
    made = secret(_PREFIXES[kind])
    now = tx.now()
    ticket = Ticket(
        hash=hash_of(made),
        kind=kind,
        person=person,
        created_at=now,
        expires_at=now + LIFETIMES[kind],
        via=via,
        scope=scope,
    )
    tx.put_ticket(ticket)
    return made, ticket


def valid_ticket(tx: Tx, kind: str, given: str, now: datetime) -> Ticket | None:
    """The ticket of this kind behind a secret, while it is good; a link is good once."""
    ticket = tx.ticket(hash_of(given))
    if ticket is None or ticket.kind != kind or now >= ticket.expires_at:
        return None
    return None if ticket.used_at is not None else ticket


class HouseKeys:
    """The installation's own secrets: from the environment, a file named there, or made in `keys/` on loopback."""

    def __init__(self, env: Mapping[str, str], folder: Path, *, may_make: bool) -> None:
        self._env, self._folder, self._may_make = env, folder, may_make
        self.made: list[Path] = []

    def get(self, name: str) -> bytes:
        """32 bytes or more for a purpose such as `draw`. Raises SecretMissing where none may be made."""
        variable = f"PLACET_{name.upper()}_KEY"
        if given := read_secret(self._env, variable):
            return given.encode()
        path = self._folder / f"{name}.key"
        if path.exists():
            return path.read_bytes().strip()
        if not self._may_make:
            raise SecretMissing(
                f"Set {variable} (or {variable}_FILE) to 32 random bytes or more: on an address that is not loopback, "
                "Placet makes no keys of its own. `openssl rand -base64 32` makes one."
            )
        return self._make(path)

    def _make(self, path: Path) -> bytes:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = secrets.token_urlsafe(32).encode()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
        self.made.append(path)
        return fresh


def read_secret(env: Mapping[str, str], variable: str) -> str | None:
    """A secret from the environment, or from the file `VARIABLE_FILE` names. Raises SecretMissing if unreadable."""
    if value := env.get(variable):
        return value
    if path := env.get(f"{variable}_FILE"):
        try:
            return Path(path).read_text("utf-8").strip()
        except OSError as fault:
            raise SecretMissing(f"{variable}_FILE names {path}, which cannot be read: {fault.strerror}.") from fault
    return None
