"""Roles held through a group of a chat: who counts, what of a group that cannot be read, what outlives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.port import Member
from bot.config import Config, parse
from bot.groups import EVERY, Groups
from bot.people import Directory
from reviews.errors import SurfaceRefused, SurfaceUnavailable
from reviews.keeping import Store
from reviews.model import Object, Verb
from storage.memory import MemoryStore
from tests.fakes.app import CONFIG, PATIENCE, running
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RAW: Object = {
    "slack": {},
    "roles": {"manager": {"level": 2, "members": {"slack": "S1"}}, "clerk": {}},
    "people": [
        {"id": "ana", "name": "Ana", "identities": {"slack": "U1"}},
        {"id": "bo", "name": "Bo", "roles": ["clerk"], "identities": {"slack": "U2"}},
        {"id": "cy", "name": "Cy", "roles": ["manager"], "identities": {"slack": "T9:U4"}},
    ],
}


@dataclass
class FakeTools:
    """The tools of a surface whose groups a test fills; what is asked is kept."""

    members_of: dict[str, list[Member] | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def members(self, config: Mapping[str, Any], env: Mapping[str, str], *, group: str) -> Sequence[Member]:
        """Who is in a group."""
        self.asked.append(group)
        found = self.members_of[group]
        if isinstance(found, Exception):
            raise found
        return found


class Reader:
    """Groups over a store, a clock and the tools of a surface."""

    def __init__(self, raw: Object = RAW, store: Store | None = None) -> None:
        self.clock, self.tools, self.config = FakeClock(NOW), FakeTools(), parse(raw)
        self.store = store or MemoryStore(self.clock)
        self.groups = Groups(self.store, {}, self.clock, lambda name: self.tools)  # type: ignore[arg-type,return-value] # the rest of Tools is not asked

    async def start(self, config: Config | None = None) -> Reader:
        """Follow the configuration's groups."""
        self.config = config or self.config
        await self.groups.take(self.config)
        return self

    async def look(self) -> bool:
        """Read what is due five minutes later."""
        self.clock.forward(EVERY)
        return await self.groups.look(self.config)

    def roles(self, person: str) -> dict[str, str]:
        """The roles somebody holds, each with its source."""
        members = self.groups.of(self.config)
        return Directory(self.config, ("slack", "web"), members=members).sources(person)


async def test_who_is_known_and_in_the_group_holds_the_role() -> None:
    """By the identity written; the level comes with it. Strangers, deactivated ones, ids of elsewhere hold nothing."""
    reader = await Reader().start()
    reader.tools.members_of["S1"] = [
        Member(id="U1", name="Ana"),
        Member(id="U2", name="Bo", active=False),
        Member(id="U3", name="Stranger", email="bo@example.com"),
        Member(id="U4", name="Somebody of our workspace"),
    ]
    assert await reader.look()
    assert reader.roles("ana") == {"manager": "Slack group S1"}
    assert reader.roles("bo") == {"clerk": "placet.yml"}
    assert reader.roles("cy") == {"manager": "placet.yml"}
    assert reader.groups.of(reader.config) == {"manager": {"ana": "Slack group S1"}}
    assert reader.groups.said() == ""


async def test_nobody_holds_anything_by_a_group_never_read() -> None:
    """Fail closed; readiness says so."""
    reader = await Reader().start()
    reader.tools.members_of["S1"] = SurfaceUnavailable("Slack gave no answer.")
    assert not await reader.look()
    assert reader.groups.of(reader.config) == {}
    assert reader.groups.said() == "manager: nobody of Slack group S1 is known; Slack gave no answer."


async def test_the_last_good_copy_holds_and_shows_its_age() -> None:
    """Over a restart too."""
    reader = await Reader().start()
    reader.tools.members_of["S1"] = [Member(id="U1", name="Ana")]
    await reader.look()
    reader.tools.members_of["S1"] = SurfaceRefused("usergroups:read is missing")
    for _ in range(25):
        assert not await reader.look()
    assert reader.roles("ana") == {"manager": "Slack group S1"}
    said = "manager: Slack group S1 is as it was 2h5m ago; usergroups:read is missing."
    assert reader.groups.said() == said
    again = await Reader(store=reader.store).start()
    assert again.roles("ana") == {"manager": "Slack group S1"}


async def test_another_group_begins_with_nobody() -> None:
    """The copy of one group is not another's."""
    reader = await Reader().start()
    reader.tools.members_of["S1"] = [Member(id="U1", name="Ana")]
    await reader.look()
    roles = {"manager": {"level": 2, "members": {"slack": "S2"}}, "clerk": {}}
    await reader.start(parse(RAW | {"roles": roles}))
    assert reader.groups.of(reader.config) == {}


async def test_a_group_is_read_every_five_minutes() -> None:
    """And by a change of placet.yml that leaves the group as it is not at once."""
    reader = await Reader().start()
    reader.tools.members_of["S1"] = []
    await reader.look()
    await reader.groups.look(reader.config)
    await reader.start(parse(RAW | {"asks": {"enabled": False}}))
    await reader.groups.look(reader.config)
    assert reader.tools.asked == ["S1"]
    reader.clock.forward(EVERY - timedelta(seconds=1))
    await reader.groups.look(reader.config)
    assert reader.tools.asked == ["S1"]
    await reader.look()
    assert reader.tools.asked == ["S1", "S1"]


async def test_teams_ids_come_in_any_case() -> None:
    """A directory writes them so or so."""
    raw = {
        "teams": {},
        "roles": {"manager": {"members": {"teams": "19:abc"}}},
        "people": [{"id": "ana", "name": "Ana", "identities": {"teams": "0A-B"}}],
    }
    reader = await Reader(raw).start()
    reader.tools.members_of["19:abc"] = [Member(id="0a-B", name="Ana")]
    await reader.look()
    assert reader.roles("ana") == {"manager": "Teams group 19:abc"}


async def test_a_surface_without_groups_or_section_is_said() -> None:
    """Nothing is asked of it."""
    roles = {"manager": {"members": {"teams": "19:abc"}}}
    reader = await Reader({"roles": roles, "people": []}).start()
    await reader.look()
    assert reader.groups.said() == "manager: nobody of Teams group 19:abc is known; placet.yml has no `teams:` section."
    without = Groups(reader.store, {}, reader.clock, lambda name: None)
    await without.take(reader.config)
    await without.look(reader.config)
    assert "Teams has no groups that can be read" in without.said()


@pytest.mark.parametrize("fault", [False, True])
async def test_the_worker_tells_who_came_and_ends_when_closing(fault: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told where nothing changed."""
    reader = await Reader().start()
    reader.tools.members_of["S1"] = SurfaceUnavailable("no") if fault else [Member(id="U1", name="Ana")]
    closing, changes = asyncio.Event(), list[str]()
    looked, look = asyncio.Event(), reader.groups.look

    async def looking(config: Config) -> bool:
        try:
            return await look(config)
        finally:
            looked.set()

    monkeypatch.setattr(reader.groups, "look", looking)
    run = asyncio.create_task(reader.groups.run(closing, lambda: reader.config, lambda: changes.append("changed")))
    async with asyncio.timeout(PATIENCE):
        await looked.wait()
        closing.set()
        await run
    assert changes == ([] if fault else ["changed"])


async def test_who_holds_a_role_by_a_group_decides_and_no_longer_when_gone(tmp_path: Path) -> None:
    """In a running server, by the worker's next look; the level comes with the role, and goes with it."""
    roles = {"manager": {"level": 2, "members": {"slack": "S1"}}, "clerk": {"level": 1}}
    people = [*CONFIG["people"][2:4], {"id": "gil", "name": "Gil", "identities": {"slack": "U7"}}]
    clock, tools = FakeClock(), FakeTools({"S1": [Member(id="U7", name="Gil")]})
    config = {"roles": roles, "people": people, "slack": {}}
    async with running(tmp_path, config=config, clock=clock, adapters={"slack": FakeChat()}) as house:
        app = house.app
        app.groups = Groups(app.store, {}, clock, lambda name: tools)  # type: ignore[arg-type,return-value] # as above
        await app.groups.take(app.directory.config)
        review = await (await house.agent()).asked()
        refused = await house.press(Verb.APPROVE, review, "gil")
        assert refused.answer != "done"
        assert await app.groups.look(app.directory.config)
        app.regroup()
        gil = app.directory.person("gil")
        assert gil is not None
        assert (gil.roles, gil.level) == (frozenset({"manager"}), 2)
        assert (await house.press(Verb.APPROVE, review, "gil")).answer == "done"
        tools.members_of["S1"] = []
        clock.forward(EVERY)
        await app.groups.look(app.directory.config)
        app.regroup()
        assert app.directory.holders("manager") == ()
