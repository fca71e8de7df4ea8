"""Who is answered where: one listener for all, or one for people and one inside."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession, web

from bot.addresses import CannotServe
from bot.config import Server
from bot.listening import Listening
from tests.fakes.clock import FakeClock


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="here")


ROUTES = {name: web.get(f"/{name}", _answer) for name in ("people", "agents", "probes", "numbers")}


async def _answered(listening: Listening) -> list[set[str]]:
    """What each listener answers, the outer one first."""
    found = []
    async with ClientSession() as session:
        for runner in listening.runners:
            host, port = runner.addresses[0][:2]
            asked = {name: await session.get(f"http://{host}:{port}/{name}") for name in ROUTES}
            found.append({name for name, answer in asked.items() if answer.status == 200})
    return found


@pytest.mark.parametrize(
    ("server", "answered"),
    [
        (Server(port=0), [{"people", "agents", "probes", "numbers"}]),
        (
            Server.model_validate({"port": 0, "internal": {"port": 0}}),
            [{"people", "probes"}, {"agents", "probes", "numbers"}],
        ),
    ],
)
async def test_what_is_answered_where(server: Server, answered: list[set[str]]) -> None:
    """Agents and numbers are inside alone, where there is an inside."""
    listening = Listening(server, FakeClock())
    listening.bind()
    await listening.start(*([route] for route in ROUTES.values()))
    assert await _answered(listening) == answered
    await listening.stop()


async def test_the_address_has_the_port_that_was_free() -> None:
    """A public one is as the operator says; a port in use is said before anything starts."""
    first = Listening(Server(port=0), FakeClock())
    first.bind()
    await first.start([], [], [], [])
    port = int(first.url.rpartition(":")[2])
    assert port > 0
    public = Listening(Server(port=0, public_url="https://placet.example.com"), FakeClock())
    assert public.url == "https://placet.example.com"
    with pytest.raises(CannotServe):
        Listening(Server(port=port), FakeClock()).bind()
    await first.stop()
