"""Would the tests notice? Mistakes in who somebody is and whom a rung reaches, each of which must be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.seeding import Bed, Mistake, bed

TESTS = ("people", "reach", "quiet")
BESIDE = ("reviews", "policies", "storage", "adapters")
LOADS = ("adapters.port", "policies.load", "storage")

pytestmark = pytest.mark.slow
MISTAKES = {
    "one human on two surfaces is two people": Mistake(
        "people.py",
        "return self._people[people.pop()] if people",
        "return Person(id=identity.id, name=identity.id) if people",
    ),
    "somebody of another workspace is let in by a number of ours": Mistake(
        "people.py", "if ours is not None and (not ours or identity.tenant != ours):", "if False:"
    ),
    "who may not decide is called": Mistake("reach.py", "if call.person not in self._besides:", "if call.person:"),
    "a deputy who may not decide stands in": Mistake(
        "reach.py",
        "return known and person not in self._absent and person not in self._besides",
        "return known and person not in self._absent",
    ),
    "a deputy who is away stands in": Mistake(
        "reach.py",
        "return known and person not in self._absent and person not in self._besides",
        "return known and person not in self._besides",
    ),
    "who is away is called all the same": Mistake("reach.py", "if until is None:", "if True:"),
    "an away person's silence is not said": Mistake(
        "reach.py",
        "return Call(person=person, source=source, missed=missed)",
        "return Call(person=person, source=source)",
    ),
    "a phone rings in quiet hours": Mistake("reach.py", "if quiet is None or not rings(way)", "if way"),
    "quiet hours hold for who is on call": Mistake(
        "reach.py", "quiet = None if on_duty else self._quiet(call.person)", "quiet = self._quiet(call.person)"
    ),
    "a way that is not set up is dropped": Mistake(
        "reach.py",
        'return f"{way} is not set up here."',
        "return places[0] if (places := self._house.direct(person)) else ''",
    ),
    "a second rung assigns another": Mistake(
        "reach.py", "if still or self._assign is None:", "if self._assign is None:"
    ),
    "who holds one role fills the other's slot": Mistake("reach.py", "if call.instead or not needed}", "if call}"),
}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """Where the copies are tried."""
    with bed(tmp_path_factory.mktemp("bed"), "bot", TESTS, beside=BESIDE, loads=LOADS) as made:
        yield made


def test_the_copy_without_a_mistake_passes(seeded: Bed, tmp_path: Path) -> None:
    """Else the others would prove nothing."""
    came = seeded.clean(tmp_path)
    assert came.code == 0, came.said


@pytest.mark.parametrize("mistake", list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_mistake_is_found(mistake: Mistake, seeded: Bed, tmp_path: Path) -> None:
    """A test fails by its assertion."""
    came = seeded.tried(tmp_path, mistake)
    assert came.found, came.said
