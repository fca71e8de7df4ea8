"""A call that reaches nobody goes on at once: to the same person elsewhere, or to the next rung."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.passing import DOWN_AFTER, STALE, Down
from reviews.errors import SurfaceUnavailable
from reviews.keeping import Copy, Tx
from reviews.model import Object
from tests.fakes.app import House
from tests.fakes.board import Board, copies, working
from tests.fakes.clock import FakeClock

#: Ana is called, then Bo; both have two chats.
POLICY = """
policy: passing
version: 1
actions: {refund.issue: {risk: medium, reversible: false}}
chains:
  ladder:
    - {after: 0m, notify: person:ana}
    - {after: 20m, notify: person:bo}
    - {after: 1h, then: expire}
rules: []
default: {tier: approve, role: manager, chain: ladder}
"""
PEOPLE: list[Object] = [
    {
        "id": "ana",
        "name": "Ana Ruiz",
        "roles": ["manager"],
        "identities": {"slack": "U1", "teams": "t1"},
        "prefers": "slack",
    },
    {"id": "bo", "name": "Bo Chen", "roles": ["manager"], "identities": {"slack": "U2"}, "prefers": "slack"},
]


async def why(house: House, review: Object) -> list[str]:
    """What the timeline says of who could not be reached."""
    log = await house.store.view(lambda tx: tx.log(review=review["id"]))
    return [entry.detail["why"] for entry in log if entry.kind == "rung.unreachable"]


def places(found: list[Copy]) -> list[tuple[str, str, str]]:
    """Where copies are and how they stand."""
    return [(copy.target.surface, copy.target.address, copy.state) for copy in found]


async def test_who_cannot_be_reached_here_is_tried_there(tmp_path: Path) -> None:
    """The same person's other chat, before anybody else is called; the timeline says why."""
    slack, teams = Board(closed={"U1"}), Board(name="teams")
    async with working(tmp_path, slack, policy=POLICY, people=PEOPLE, others=(teams,)) as house:
        review = await (await house.agent()).asked()
        found = await copies(house, review, "failed", "posted", many=2)
        assert places(found) == [("slack", "U1", "failed"), ("teams", "t1", "posted")]
        assert (slack.posted, teams.posted) == ([], ["t1"])
        assert await why(house, review) == ["The bot may not post in U1."]


async def test_when_no_place_of_theirs_is_left_the_next_is_called(tmp_path: Path) -> None:
    """Both chats refuse: Bo, in the same instant, and each reason is in the timeline."""
    slack, teams = Board(closed={"U1"}), Board(name="teams", closed={"t1"})
    async with working(tmp_path, slack, policy=POLICY, people=PEOPLE, others=(teams,)) as house:
        review = await (await house.agent()).asked()
        found = await copies(house, review, "failed", "posted", many=3)
        assert places(found)[-1] == ("slack", "U2", "posted")
        assert await why(house, review) == ["The bot may not post in U1.", "The bot may not post in t1."]


async def test_who_is_not_to_be_disturbed_has_the_card_and_the_next_is_called(tmp_path: Path) -> None:
    """It was posted, so they may see it; nobody waits for that."""
    slack = Board(muted={"U1": "Ana has paused notifications until 07:00."})
    async with working(tmp_path, slack, policy=POLICY, people=PEOPLE) as house:
        review = await (await house.agent()).asked()
        found = await copies(house, review, "posted", many=2)
        assert slack.posted == ["U1", "U2"]
        assert [copy.muted for copy in found] == ["Ana has paused notifications until 07:00.", ""]
        assert await why(house, review) == ["Ana has paused notifications until 07:00."]


async def test_a_surface_known_to_be_down_passes_the_next_call_on_at_once(tmp_path: Path) -> None:
    """Nobody waits half a minute for each review anew; when it is back, what waits is posted all the same."""
    down = SurfaceUnavailable("503")
    slack, teams, clock = Board(faults=[down]), Board(name="teams"), FakeClock(datetime.now(UTC))
    slack.abilities = teams.abilities = replace(slack.abilities, per_second=float("inf"))  # time stands still
    people = [
        {**PEOPLE[0], "identities": {"slack": "U1"}},
        {**PEOPLE[1], "identities": {"teams": "t2"}, "prefers": "teams"},
    ]
    async with working(tmp_path, slack, clock, policy=POLICY, people=people, others=(teams,)) as house:
        agent = await house.agent()
        first = await agent.asked()
        await house.store.until(lambda tx: [c for c in tx.copies(first["id"]) if c.attempts and c.lease is None])
        slack.faults = [down] * 3
        clock.forward(DOWN_AFTER)
        house.app.hub.copies.set()
        await teams_called(house, first)
        second = await agent.asked()
        await teams_called(house, second)
        assert slack.posted == []
        assert await why(house, second) == [f"slack has not answered since {first['created_at'][11:16]} UTC."]
        slack.faults = []
        clock.forward(timedelta(minutes=1))
        house.app.hub.copies.set()
        for review in (first, second):
            assert len(await copies(house, review, "posted", many=2)) == 2
        assert slack.posted == ["U1", "U1"]
        assert len(await why(house, second)) == 1


async def teams_called(house: House, review: Object) -> None:
    """Bo has the card on Teams, while Slack's waits."""

    def look(tx: Tx) -> bool | None:
        found = tx.copies(review["id"])
        posted = [copy for copy in found if copy.target.surface == "teams" and copy.state == "posted"]
        return (bool(posted) and all(copy.lease is None for copy in found)) or None

    await house.store.until(look)


def test_an_old_failure_says_nothing_of_now() -> None:
    """A surface nobody tried for a while may be well: it is tried before anybody else is called."""
    clock = FakeClock(datetime.now(UTC))
    down = Down(clock)
    down.failed("slack")
    assert down.since("slack") is None
    clock.forward(DOWN_AFTER)
    assert down.since("slack") is not None
    clock.forward(STALE)
    assert down.since("slack") is None
    down.failed("slack")
    assert down.since("slack") is None
    clock.forward(DOWN_AFTER)
    down.works("slack")
    assert down.since("slack") is None
