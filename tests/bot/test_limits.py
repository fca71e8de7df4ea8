"""How often an agent may ask."""

from __future__ import annotations

from tests.fakes.app import House


async def test_too_often_is_told_when_to_come_back(house: House) -> None:
    """A burst of three and one a second: the fourth waits."""
    agent = await house.agent("eager", rate=1.0, burst=3)
    statuses = [(await agent.get("/v1/reviews")).status for _ in range(3)]
    refused = await agent.get("/v1/reviews")
    assert (statuses, refused.status) == ([200, 200, 200], 429)
    assert int(refused.headers["Retry-After"]) >= 1
