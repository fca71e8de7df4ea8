"""A scripted agent: asks over HTTP, is told by callbacks on loopback, verifies, redeems, reports. Nothing is shared
with the server but its address and a key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bot.demo.case import Case, Script
from reviews.errors import BadSignature, PlacetError
from reviews.model import Object
from reviews.signing import verify

TIMEOUT = aiohttp.ClientTimeout(total=20)
_PATH = "/hooks/placet"

Tell = Callable[["Asked", str, str], None]


class NotAsked(PlacetError):
    """The server did not take an agent's request."""


@dataclass(slots=True, kw_only=True, eq=False)
class Asked:
    """What became of one request, as its agent saw it: what it received and read, never what it expected."""

    agent: str
    case: Case
    id: str
    seq: int
    tier: str
    needs: str
    revision: int = 1
    messages: list[str] = field(default_factory=list)
    decided: Object | None = None
    read: Object | None = None
    redeemed: bool = False
    faults: list[str] = field(default_factory=list)
    revoked: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def script(self) -> Script:
        """What is to be done with the proposal that stands now."""
        script = self.case.script
        return script.then if script.then is not None and self.revision > 1 else script

    @property
    def edited(self) -> bool:
        """Whether a person changed what was decided: it is a later revision than the agent's last."""
        return self.decided is not None and self.decided["revision"] > self.revision

    def was_told(self, message: str) -> bool:
        """Whether this callback arrived, signed."""
        return message in self.messages


class Agent:
    """One agent with its own callback receiver. `start` it inside the loop; `ask` it; `stop` it.

    `linger`: seconds it waits before it uses a person's approval.
    """

    def __init__(self, name: str, base: str, key: str, secret: str, tell: Tell, *, linger: float = 0.0) -> None:
        self.name, self._base, self._secret, self._tell = name, base, secret, tell
        self._linger = linger
        self._headers = {"Authorization": f"Bearer {key}"}
        self.asked: dict[str, Asked] = {}
        self._seen: set[str] = set()
        self._early: dict[str, list[Object]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the client and the receiver."""
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=TIMEOUT)
        application = web.Application()
        application.add_routes([web.post(_PATH, self._receive)])
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._callback = f"http://127.0.0.1:{self._runner.addresses[0][1]}{_PATH}"

    async def stop(self) -> None:
        """Close both."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()

    @property
    def waiting(self) -> int:
        """How many requests are not finished."""
        return sum(not asked.finished.is_set() for asked in self.asked.values())

    async def ask(self, case: Case) -> Asked:
        """Ask for a review. Raises NotAsked with what the server said."""
        body = case.body | {"callback_url": self._callback}
        key = f"{self.name}-{time.time_ns()}"
        status, review = await self._post("/v1/reviews", body, key)
        if status != 201:
            faults = "; ".join(f"{error['pointer']}: {error['message']}" for error in review.get("errors", ()))
            raise NotAsked(f"{self.name}'s request was answered {status}: {review.get('detail')} {faults}")
        needs = " and ".join(str(need.get("role") or f"level {need.get('level')}") for need in review["route"]["needs"])
        asked = Asked(
            agent=self.name, case=case, id=review["id"], seq=review["seq"], tier=review["route"]["tier"], needs=needs
        )
        self.asked[asked.id] = asked
        asks = asked.tier not in ("auto", "sample")
        self._tell(asked, "asked", f"{case.body['summary']}" + (f" → waiting for {needs}" if asks else ""))
        for early in self._early.pop(asked.id, ()):
            self._follow(asked, early)
        return asked

    # ---------------------------------------------------------------------------- being told

    async def _receive(self, request: web.Request) -> web.Response:
        """Take a callback: verify it, answer at once, act on it after. A repeat is answered and nothing more."""
        body = await request.read()
        message_id = request.headers.get("webhook-id", "")
        try:
            stamp = int(request.headers.get("webhook-timestamp", "0"))
            signature = request.headers.get("webhook-signature", "")
            verify(self._secret, message_id, stamp, body, signature, now=int(time.time()))
        except (BadSignature, ValueError) as fault:
            return web.Response(status=401, text=str(fault))
        if message_id not in self._seen:
            self._seen.add(message_id)
            self._hear(orjson.loads(body))
        return web.Response(status=204)

    def _hear(self, message: Object) -> None:
        asked = self.asked.get(message["data"]["id"])
        if asked is None:  # decided before the answer to our own request was read
            self._early.setdefault(message["data"]["id"], []).append(message)
        else:
            self._follow(asked, message)

    def _follow(self, asked: Asked, message: Object) -> None:
        asked.messages.append(message["type"])
        task = asyncio.create_task(self._act(asked, message["type"], message["data"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act(self, asked: Asked, kind: str, data: Object) -> None:
        try:
            match kind:
                case "review.decided":
                    await self._decided(asked, data)
                case "review.changes_requested":
                    await self._propose_again(asked, data)
                case "review.escalated":
                    self._tell(asked, "escalated", "nobody answered → the next on the chain is called")
                case "review.revoked":
                    asked.revoked.set()
                    self._tell(asked, "revoked", "the approval was taken back")
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            asked.faults.append(f"{kind}: {fault!r}")

    async def _propose_again(self, asked: Asked, data: Object) -> None:
        wish = data["changes_requested"][-1]["text"]
        again = asked.case.again
        if again is None or data["revision"] > 1:
            status, _ = await self._post(f"/v1/reviews/{asked.id}/withdraw", {"reason": "I have no other proposal."})
            self._tell(asked, "withdrawn", f"“{wish}” → it has no other proposal")
        else:
            body = {"action": {"arguments": again}, "supersedes": data["revision"]}
            status, review = await self._post(f"/v1/reviews/{asked.id}/revisions", body)
            asked.revision = review.get("revision", asked.revision)
            self._tell(asked, "changed", f"“{wish}” → proposes revision {asked.revision}")
        if status not in (200, 201):
            asked.faults.append(f"the second proposal was answered {status}")

    # ---------------------------------------------------------------------------- going on

    async def _decided(self, asked: Asked, data: Object) -> None:
        asked.decided = data
        asked.read = await self._get(f"/v1/reviews/{asked.id}")
        decision = data["decision"]
        self._tell(asked, decision["verdict"], _by(decision) + " → signature verified")
        if decision["verdict"] == "approved":
            await self._use(asked, decision)
        elif decision["verdict"] == "answered":
            self._tell(asked, "done", "a person did it")
        else:
            self._tell(asked, "stopped", _why(decision))
        asked.finished.set()

    async def _use(self, asked: Asked, decision: Object) -> None:
        """Redeem, after a moment in which the person who approved may think again."""
        if self._linger and decision["cause"] == "human":
            self._tell(asked, "waits", f"{self._linger:g} s, until then the approval can be undone")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._linger):
                    await asked.revoked.wait()
        if asked.revoked.is_set():
            self._tell(asked, "stopped", "it does nothing (the approval was taken back)")
        else:
            await self._redeem(asked, decision)

    async def _redeem(self, asked: Asked, decision: Object) -> None:
        """Turn the approval into the act, once, for the digest approved; then say how it went."""
        path = f"/v1/reviews/{asked.id}"
        status, answer = await self._post(f"{path}/redeem", {"digest": decision["digest"]}, f"redeem-{asked.id}")
        if status != 200 or not answer.get("redemption_id"):
            asked.faults.append(f"redeeming was answered {status}: {answer.get('detail')}")
            self._tell(asked, "stopped", f"the approval could not be used: {answer.get('detail')}")
            return
        asked.redeemed, done = True, _act(asked, decision)
        self._tell(asked, "redeemed", f"{answer['redemption_id'][:12]}… → done: {done}")
        status, answer = await self._post(f"{path}/outcome", {"result": "succeeded", "detail": done})
        if status != 200:
            asked.faults.append(f"the outcome was answered {status}: {answer.get('detail')}")

    async def _post(self, path: str, body: Object, key: str | None = None) -> tuple[int, Object]:
        headers = {"Idempotency-Key": key} if key else {}
        async with self._session.post(self._base + path, json=body, headers=headers) as answer:
            return answer.status, await _json(answer)

    async def _get(self, path: str) -> Object:
        async with self._session.get(self._base + path) as answer:
            return await _json(answer)


async def _json(answer: aiohttp.ClientResponse) -> Object:
    found: Any = orjson.loads(await answer.read())
    return found if isinstance(found, dict) else {"detail": str(found)}


def _by(decision: Object) -> str:
    match decision["cause"]:
        case "human":
            names = " and ".join(seat["name"] for seat in decision["by"])
            return f"by {names}" if names else "by a person"
        case "policy":
            return "by policy"
        case "timeout":
            return "nobody decided in time"
        case cause:
            return f"cause {cause}"


def _why(decision: Object) -> str:
    return f"it does nothing ({decision['reason']})" if decision["reason"] else "it does nothing"


def _act(asked: Asked, decision: Object) -> str:
    """What was done, with what a person changed: an agent acts on the decision's arguments, never on its own."""
    arguments = decision["action"]["arguments"]
    if asked.edited:
        changed = [step["path"].removeprefix("/") for step in decision["changes"] if step["op"] != "remove"]
        return "as edited, " + _values(arguments, changed)
    if asked.revision > 1:
        first = asked.case.body["action"]["arguments"]
        return "as proposed again, " + _values(
            arguments, [name for name in arguments if arguments[name] != first.get(name)]
        )
    return asked.case.done


def _values(arguments: Object, names: list[str]) -> str:
    return ", ".join(f"{name} = {arguments.get(name)}" for name in names)
