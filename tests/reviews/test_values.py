"""`reviews/values.py`: changed copies are those the standard library would make."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest

from reviews import card, events, model, ports
from reviews.events import Transition
from reviews.model import Ladder, Need, Proposal, Review, Route
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
