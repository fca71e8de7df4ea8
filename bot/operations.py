"""What an operator does by command: agents' keys, people's links and tokens, deliveries sent again.

One list of operations, JSON in and out, run by the serving process when there is one (`bot/control.py`), else by the
command itself on the store it has opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from bot import roster
from bot.callbacks import UNDONE
from bot.door import FrontDoor
from bot.keys import SANDBOX_ANSWERS, Keyring
from bot.people import Directory
from bot.stopping import Stopping
from bot.wire import stamp
from reviews.errors import NotFound, PlacetError
from reviews.events import Record
from reviews.keeping import Agent, Store, Tx
from reviews.model import Object
from reviews.status import DESK
from reviews.values import replace


class BadOperation(PlacetError):
    """The operation is not known, or what it was given does not fit."""


class Operations:
    """Operations by name; `run` is the one way in."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        stopping: Stopping,
        door: FrontDoor,
        directory: Callable[[], Directory],
        base: str,
    ) -> None:
        self._store, self._keyring, self._stopping, self._door = store, keyring, stopping, door
        self._directory, self._base = directory, base
        self._known: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "agent.add": self._agent_add,
            "agent.list": self._agent_list,
            "agent.revoke": self._agent_revoke,
            "agent.secret": self._agent_secret,
            "agent.stop": self._agent_stop,
            "agent.resume": self._agent_resume,
            "link": self._link,
            "token": self._token,
            "deliveries": self._deliveries,
            "resend": self._resend,
            "stats": self._stats,
            "oncall": self._oncall,
        }

    def also(self, more: Mapping[str, Callable[..., Awaitable[Any]]]) -> None:
        """Take up the operations of another room, by name."""
        self._known = {**self._known, **more}

    async def run(self, name: str, given: Object) -> Any:
        """Run an operation. Raises BadOperation, and what the operation raises (NotFound, AgentExists)."""
        operation = self._known.get(name)
        if operation is None:
            raise BadOperation(f"There is no operation {name!r}; this command and the server differ in version.")
        return await operation(**given)

    async def _agent_add(self, name: str, **given: Any) -> Object:
        if name == DESK:
            raise BadOperation(f"{DESK} is the name people's own asks go by. Choose another name.")
        answer = given.get("sandbox")
        if answer is not None and answer not in SANDBOX_ANSWERS:
            raise BadOperation(f"--sandbox is one of {', '.join(SANDBOX_ANSWERS)}.")
        unknown = [owner for owner in given.get("owners", ()) if self._directory().person(owner) is None]
        if unknown:
            raise NotFound(f"There is nobody {unknown[0]!r} in placet.yml to own this agent.")
        lists: Object = {key: tuple(given.pop(key, ())) for key in ("owners", "scopes", "hosts")}
        given = {key: value for key, value in given.items() if value is not None}
        key, signing = await self._keyring.add(Agent(name=name, key_hash="", secrets=(), **lists, **given))
        await self._log("agent.added", {"agent": name, "owners": list(lists["owners"]), "sandbox": answer})
        return {"agent": name, "key": key, "secret": signing}

    async def _agent_list(self) -> list[Object]:
        await self._keyring.load()
        return [
            {
                "name": agent.name,
                "owners": list(agent.owners),
                "sandbox": agent.sandbox,
                "revoked": agent.revoked,
                "stopped": _stopped(agent),
                "created_at": stamp(agent.created_at),
                "rate": agent.rate,
                "max_open": agent.max_open,
            }
            for agent in self._keyring.agents()
        ]

    async def _agent_revoke(self, name: str) -> Object:
        await self._keyring.revoke(name)
        await self._log("agent.revoked", {"agent": name})
        return {"agent": name, "revoked": True}

    async def _agent_secret(self, name: str) -> Object:
        fresh = await self._keyring.new_secret(name)
        await self._log("agent.secret_changed", {"agent": name})
        return {"agent": name, "secret": fresh}

    async def _agent_stop(self, name: str, reason: str, instruction: str | None = None) -> Object:
        done = await self._stopping.stop(name, None, reason, instruction)
        return {"agent": name, "new": done.new, "held": done.held, "text": done.text}

    async def _agent_resume(self, name: str) -> Object:
        done = await self._stopping.resume(name, None)
        return {"agent": name, "new": done.new, "held": done.held, "text": done.text}

    async def _link(self, person: str) -> Object:
        return {"person": person, "url": f"{self._base}/enter?link={await self._door.link(person)}"}

    async def _token(self, person: str) -> Object:
        return {"person": person, "token": await self._door.token(person)}

    async def _deliveries(self, state: str | None = None, limit: int = 50) -> list[Object]:
        found = await self._store.view(lambda tx: tx.deliveries(state=state, limit=limit))
        return [
            {
                "id": d.id,
                "review": d.review,
                "message": d.message,
                "state": d.state,
                "attempts": d.attempts,
                "due_at": stamp(d.due_at),
                "error": d.error,
            }
            for d in found
        ]

    async def _resend(self, delivery: str) -> Object:
        def again(tx: Tx) -> None:
            found = next((d for d in tx.deliveries(limit=10_000) if d.id == delivery), None)
            if found is None:
                raise NotFound(f"There is no delivery {delivery}; `placet deliveries` lists them.")
            if found.error == UNDONE:
                raise BadOperation("That approval was undone before it arrived: there is nothing to tell any more.")
            tx.keep_delivery(replace(found, state="due", attempts=0, due_at=tx.now(), error=None))
            tx.record(
                Record(
                    kind="delivery.resent", at=tx.now(), actor="operator", detail={"delivery": delivery}, public=False
                ),
                found.review,
            )

        await self._store.tx(again)
        return {"delivery": delivery, "state": "due"}

    async def _stats(self, days: float = 30.0) -> list[Object]:
        return await self._store.view(lambda tx: tx.stats(tx.now() - timedelta(days=days)))

    async def _oncall(self, days: float = 14.0) -> list[Object]:
        now = await self._store.view(lambda tx: tx.now())
        return roster.report(self._directory(), now, timedelta(days=days))

    async def _log(self, kind: str, detail: Object) -> None:
        await self._store.tx(
            lambda tx: tx.record(Record(kind=kind, at=tx.now(), actor="operator", detail=detail, public=False))
        )


def _stopped(agent: Agent) -> Object | None:
    stop = agent.stop
    if stop is None:
        return None
    return {"by": stop.by, "at": stamp(stop.at), "reason": stop.reason, "instruction": stop.instruction}
