"""`reviews/values.py`: changed copies are those the standard library would make."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest

from reviews import card, events, model, ports
from reviews.events import Transition
from reviews.model import ALL_DECISIONS, Ladder, Need, Proposal, Reach, Review, Route, Tier
from reviews.values import replace
from tests.reviews.builders import opened

VALUES = {
    kind for module in (model, events, card, ports) for _, kind in inspect.getmembers(module, dataclasses.is_dataclass)
}


def test_a_copy_is_the_one_the_standard_library_makes() -> None:
    """Every field is carried over, the changed ones anew, and the original stays."""
    before = opened()
    after = replace(before, seq=7, owner="ana")
    assert after == dataclasses.replace(before, seq=7, owner="ana")
    assert (before.seq, before.owner) != (7, "ana")


def test_a_copy_shares_no_field_with_what_it_was_made_of() -> None:
    """A copy of a copy changes neither, whether its class has slots or not."""
    first = opened()
    second = replace(first, seq=1)
    assert (replace(second, seq=2).seq, second.seq, first.seq) == (2, 1, 0)
    need = Need(role="manager")
    assert (replace(need, role="lead"), need) == (Need(role="lead"), Need(role="manager"))


@pytest.mark.parametrize("value", [Need(role="manager"), opened()], ids=["slotted", "unslotted"])
def test_an_unknown_field_is_refused(value: Any) -> None:
    """A name that is no field is an error, as in the standard library."""
    with pytest.raises(TypeError, match="rank"):
        replace(value, rank=3)


@pytest.mark.parametrize("kind", sorted(VALUES, key=str), ids=lambda kind: kind.__name__)
def test_no_value_has_an_init_of_its_own_to_miss(kind: Any) -> None:
    """What `replace` leaves out, no value of the domain has: `__post_init__`."""
    assert not hasattr(kind, "__post_init__")


def test_what_is_copied_most_has_no_slots() -> None:
    """Those are copied as one dictionary; a class given slots again would be several times as slow."""
    assert {Review, Route, Proposal, Ladder, Transition} & {
        kind for kind in VALUES if "__slots__" in vars(kind)
    } == set()


def test_a_value_made_as_a_whole_is_what_a_dataclass_makes() -> None:
    """Defaults are filled in, those made anew are nobody else's, and the fields keep their order."""
    one, other = Route(tier=Tier.AUTO), Route(tier=Tier.AUTO)
    assert (one, one.rule, one.allowed) == (other, "default", ALL_DECISIONS)
    assert list(vars(one)) == [field.name for field in dataclasses.fields(Route)]
    first, second = Reach(unreachable="nobody"), Reach()
    assert first.persons == second.persons == {}
    assert first.persons is not second.persons
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.rule = "another"  # type: ignore[misc] - that is what is tried


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Ladder needs 'epoch', needs 'schedule'"),
        ({"epoch": 1}, "Ladder needs 'schedule'"),
        ({"epoch": 1, "schedule": None, "height": 3}, "Ladder has no field 'height'"),
        ({"epoch": 1, "height": 3}, "Ladder has no field 'height', needs 'schedule'"),
    ],
    ids=["nothing", "one missing", "one unknown", "one for another"],
)
def test_a_value_made_of_other_fields_is_refused(fields: dict[str, Any], said: str) -> None:
    """As many fields as there must be are not enough: they must be those."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        Ladder(**fields)
