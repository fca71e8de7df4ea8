"""placet.yml changes while the server runs: its people are taken over, the rest waits, and a fault changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
import yaml

from bot.app import App
from bot.clock import SystemClock
from bot.config import load
from reviews.keeping import Entry
from reviews.model import Object
from tests.bot.test_calendars import Kalends, rota
from tests.fakes.app import CONFIG, POLICY
from tests.fakes.clock import FakeClock

PEOPLE: list[Object] = list(CONFIG["people"])
FAY: Object = {"id": "fay", "name": "Fay Osei", "roles": ["clerk"]}


class Operator:
    """A running server, and the hand that edits its files."""

    def __init__(self, folder: Path) -> None:
        self.file, self.policy = folder / "placet.yml", folder / "policy.yml"
        self.raw: Object = {**CONFIG, "database": "memory://"}
        self.policy.write_text(POLICY, "utf-8")
        self.write()
        self.app = App(load(self.file), folder=folder, env={}, clock=FakeClock(), file=self.file)

    def write(self, **sections: object) -> None:
        """Change sections of placet.yml."""
        self.raw |= sections
        self.file.write_text(yaml.safe_dump(self.raw), "utf-8")

    async def edits(self, **sections: object) -> None:
        """Change sections, and wait for the server to have looked."""
        self.write(**sections)
        await self.app.reload(force=False)

    async def logged(self, kind: str) -> list[Entry]:
        """Entries of a kind."""
        return await self.app.store.view(lambda tx: [e for e in tx.log(limit=1000) if e.kind == kind])

    def ids(self) -> list[str]:
        """Who is known."""
        return [person.id for person in self.app.directory.people()]


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    """A server with its files, looked at once."""
    made = Operator(tmp_path)
    await made.app.start()
    await made.app.reload(force=False)
    yield made
    await made.app.stop()


async def test_people_and_roles_are_taken_over(operator: Operator) -> None:
    """Whoever is added is known by the next look; the log names who came, went and changed."""
    changed = {**PEOPLE[0], "name": "Ana R."}
    await operator.edits(people=[changed, *PEOPLE[1:4], FAY], roles={**CONFIG["roles"], "lead": {"level": 3}})
    assert operator.ids() == ["ana", "bo", "cy", "di", "fay"]
    assert operator.app.directory.names()["ana"] == "Ana R."
    assert "lead" in operator.app.directory.known.roles
    _, entry = await operator.logged("config.loaded")
    assert entry.detail["changed"] == {
        "people": {"added": ["fay"], "removed": ["eve"], "changed": ["ana"]},
        "roles": {"added": ["lead"]},
    }
    assert len(entry.detail["sha256"]) == 64
    assert operator.app.reloading.said() == ""


async def test_the_same_file_again_is_not_recorded_again(operator: Operator) -> None:
    """Also when a signal has it read anew."""
    operator.file.touch()
    await operator.app.reload()
    assert len(await operator.logged("config.loaded")) == 1


async def test_other_sections_wait_for_a_restart(operator: Operator) -> None:
    """Readiness names them; what is in force of them is as it was, people are taken over all the same."""
    with structlog.testing.capture_logs() as logged:
        await operator.edits(server={"port": 1})
        await operator.edits(callbacks={"allow": ["127.0.0.1:8991"]}, people=[*PEOPLE, FAY])
    waits = [each["waits"] for each in logged if each["event"] == "config_loaded"]
    assert waits == [["server"], ["server", "callbacks"]]
    assert operator.app.reloading.said() == "Restart to take over server, callbacks of placet.yml."
    assert operator.app.directory.config.server.port == 0
    assert "fay" in operator.ids()
    await operator.edits(server=CONFIG["server"], callbacks={"allow": []})
    assert operator.app.reloading.said() == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("people: [", "is not YAML"),
        ("people: [{id: ana, name: Ana, roles: [king]}]", "roles: lacks"),
        ("poeple: []", "there is no such key"),
    ],
)
async def test_a_file_that_does_not_load_changes_nothing(operator: Operator, text: str, why: str) -> None:
    """Readiness and the log say why, once; what mends it is taken over."""
    operator.file.write_text(text, "utf-8")
    with structlog.testing.capture_logs() as logged:
        await operator.app.reload(force=False)
        await operator.app.reload(force=False)
    assert why in operator.app.reloading.said()
    assert [line["event"] for line in logged] == ["config_not_loaded"]
    assert operator.ids() == ["ana", "bo", "cy", "di", "eve"]
    await operator.edits(people=[*PEOPLE, FAY])
    assert operator.app.reloading.said() == ""
    assert "fay" in operator.ids()


async def test_a_file_that_is_gone_changes_nothing(operator: Operator) -> None:
    """The people stay."""
    operator.file.unlink()
    await operator.app.reload(force=False)
    assert "is not there" in operator.app.reloading.said()
    assert len(operator.ids()) == 5


async def test_a_file_the_policy_does_not_load_with_changes_nothing(operator: Operator) -> None:
    """A role a rule asks for cannot go; once the policy does without, both are taken over."""
    only = [{"id": "ana", "name": "Ana Ruiz", "roles": ["manager"]}]
    await operator.edits(people=only, roles={"manager": {"level": 2}})
    assert "the policy does not load with it" in operator.app.reloading.said()
    assert "clerk" in operator.app.directory.known.roles
    operator.policy.write_text(POLICY.replace("clerk", "manager").replace("version: 1", "version: 2"), "utf-8")
    await operator.app.reload(force=False)
    assert operator.app.reloading.said() == ""
    assert operator.ids() == ["ana"]
    assert operator.app.router.policy.version == 2


async def test_a_file_that_changed_while_nobody_served_is_recorded(tmp_path: Path) -> None:
    """The names are kept with the database."""
    entries = list[Entry]()
    for people in (PEOPLE, PEOPLE[:2]):
        operator = Operator(tmp_path)
        operator.write(database="sqlite:///placet.db", people=people)
        app = App(load(operator.file), folder=tmp_path, env={}, clock=SystemClock(), file=operator.file)
        operator.app = app
        await app.start()
        await app.reload(force=False)
        entries = await operator.logged("config.loaded")
        await app.stop()
    assert [entry.detail.get("changed") for entry in entries] == [
        None,
        {"people": {"removed": ["cy", "di", "eve"]}},
    ]


async def test_a_calendar_that_cannot_be_read_keeps_its_copy(tmp_path: Path) -> None:
    """Over a change of placet.yml; and its words mean whoever the new one says."""
    kalends = Kalends()
    await kalends.start()
    kalends.answer = kalends.says(rota("Roberta"))
    operator = Operator(tmp_path)
    operator.write(rotations={"ops": {"primary": {"ical": kalends.url}}})
    operator.app = App(load(operator.file), folder=tmp_path, env={}, clock=FakeClock(), file=operator.file)
    await operator.app.start()
    try:
        kalends.answer = kalends.says("", 503)
        await operator.edits(people=[*PEOPLE[:4], {"id": "eve", "name": "Roberta", "auditor": True}])
        (turn,) = operator.app.directory.on_call(operator.app.clock.now())
        assert [person.id for person in turn.people] == ["eve"]
    finally:
        await operator.app.stop()
        await kalends.stop()
