"""A server for the benchmarks, in a process of its own: prints its URL, an agent's key and a person's token as JSON.

    python -m bench.serve FOLDER '{"database": …}'

A line on standard input ends it. `floor` instead of a configuration serves bare aiohttp, the machine's floor.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import psutil
from aiohttp import web

from bot.app import App
from bot.config import parse
from bot.runtime import settle

POLICY = """
policy: bench
version: 1
actions:
  refund.issue: {risk: medium, reversible: false, amount: /amount, sensitive: [/iban]}
rules:
  - name: a small refund by a sure agent
    when: action.name == "refund.issue" && amount < 10.0 && confidence > 0.95
    route: {tier: approve, role: reviewer, sla: 1h}
default: {tier: approve, role: reviewer, sla: 1h}
"""


async def _until_told() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def floor() -> None:
    """Bare aiohttp: read the JSON, answer a JSON of the size of ours."""

    async def answer(request: web.Request) -> web.Response:
        await request.json()
        return web.json_response({"id": "rev_0", "filler": "x" * 1500}, status=201)

    app = web.Application()
    app.add_routes([web.post("/v1/reviews", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}", "key": "plk_", "token": ""}), flush=True)
    await _until_told()
    await runner.cleanup()


async def placet(folder: Path, given: dict[str, object]) -> None:
    """The product as it ships, on loopback."""
    (folder / "policy.yml").write_text(POLICY)
    people = [{"id": "ana", "name": "Ana Ruiz", "roles": ["reviewer"]}]
    config = parse(
        {
            "server": {"port": 0, "votes_by_token": True},
            "roles": {"reviewer": {"level": 1}},
            "people": people,
            **given,
        }
    )
    began = time.perf_counter()
    # Only a configuration that says where a chat is gets its secrets: nothing here may leave loopback.
    chats = tuple(f"PLACET_{chat.upper()}_" for chat in ("slack", "teams") if chat in given)
    env = {key: value for key, value in os.environ.items() if key.startswith(chats)}
    app = App(config, folder=folder, env=env)
    await app.start()
    settle()
    ready = time.perf_counter() - began
    agent = {"name": f"bench-{int(began)}", "rate": 1e6, "burst": 1_000_000, "max_open": 10_000_000}
    made = await app.operations.run("agent.add", agent)
    token = await app.operations.run("token", {"person": "ana"})
    rss = psutil.Process().memory_info().rss / 2**20
    told = {"url": app.url, "key": made["key"], "secret": made["secret"], "token": token["token"]}
    print(json.dumps({**told, "ready_s": ready, "rss_mb": rss}), flush=True)
    await _until_told()
    await app.stop()


if __name__ == "__main__":
    if sys.argv[2] == "floor":
        asyncio.run(floor())
    else:
        asyncio.run(placet(Path(sys.argv[1]), json.loads(sys.argv[2])))
