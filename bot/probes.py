"""Liveness, readiness with its reasons, and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web

from bot.metrics import Metrics
from reviews.errors import StoreUnavailable
from reviews.keeping import Store
from reviews.ports import Surface

#: An alarm this late means that nobody fires alarms.
LATE = timedelta(seconds=30)


class Probes:
    """`/healthz`, `/readyz`, and inside `/metrics`. `failing` are workers that fail, by name, and why.

    `said` says of a part of the house, by its name, what people should look at; nothing when all is well.
    """

    def __init__(
        self,
        store: Store,
        said: Mapping[str, Callable[[], str]],
        surfaces: Mapping[str, Surface],
        failing: Mapping[str, str],
        metrics: Metrics,
    ) -> None:
        self._store, self._said, self._surfaces = store, said, surfaces
        self._failing, self._numbers = failing, metrics

    def routes(self) -> list[web.RouteDef]:
        """What every listener answers."""
        return [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]

    def inside(self) -> list[web.RouteDef]:
        """What only the internal listener answers, where there is one."""
        return [web.get("/metrics", self._metrics)]

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, _: web.Request) -> web.Response:
        checks = await self.checks()
        ready = all(check["ok"] or not check["vital"] for check in checks.values())
        body = {"status": "ready" if ready else "not ready", "checks": checks, "store": self._store.facts()}
        return web.Response(
            status=200 if ready else 503, body=orjson.dumps(body, default=str), content_type="application/json"
        )

    async def checks(self) -> dict[str, dict[str, Any]]:
        """Each check: whether it is well, whether readiness rests on it, and in a sentence what is wrong."""
        checks = {"store": await self._written(), "alarms": await self._alarms()}
        told = {name: say() for name, say in self._said.items()}
        checks |= {name: _check(not text, text, vital=False) for name, text in told.items() if text or name == "policy"}
        failing = "; ".join(f"{name}: {why}" for name, why in self._failing.items())
        checks["workers"] = _check(not failing, failing)
        for name, adapter in self._surfaces.items():
            health = await adapter.health()
            checks[name] = _check(health.ok, health.text, vital=False)
        return checks

    async def _written(self) -> dict[str, Any]:
        try:
            await self._store.tx(lambda tx: tx.now())
        except StoreUnavailable as away:
            return _check(False, str(away))
        # An empty transaction writes nothing, so a full disk shows only in what the last real one came to.
        fault = str(self._store.facts().get("fault", ""))
        return _check(not fault, f"The last write failed: {fault}." if fault else "")

    async def _alarms(self) -> dict[str, Any]:
        try:
            late = await self._store.view(lambda tx: (tx.now(), tx.next_due()))
        except StoreUnavailable as fault:
            return _check(False, str(fault))
        now, due = late
        if due is None or now - due < LATE:
            return _check(True)
        return _check(False, f"The earliest alarm was due {(now - due).total_seconds():.0f} s ago.")

    async def _metrics(self, _: web.Request) -> web.Response:
        text = await self._store.view(self._numbers.gather)
        return web.Response(body=text, content_type="text/plain", charset="utf-8")


def _check(ok: bool, text: str = "", *, vital: bool = True) -> dict[str, Any]:
    return {"ok": ok, "vital": vital, "text": text}
