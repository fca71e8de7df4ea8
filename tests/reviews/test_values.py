"""`reviews/values.py`: changed copies are those the standard library would make."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from reviews import card, events, model, ports
from reviews.model import Need, Review
from reviews.values import replace
from tests.reviews.builders import opened


def test_a_copy_is_the_one_the_standard_library_makes() -> None:
    """Every field is carried over, the changed ones anew, and the original stays."""
    before = opened()
    after = replace(before, seq=7, owner="ana")
    assert after == dataclasses.replace(before, seq=7, owner="ana")
    assert (before.seq, before.owner) != (7, "ana")


def test_an_unknown_field_is_refused() -> None:
    """A name that is no field is an error, as in the standard library."""
    with pytest.raises(TypeError, match="Need has no field 'rank'"):
        replace(Need(role="manager"), rank=3)


def test_no_value_has_an_init_of_its_own_to_miss() -> None:
    """What `replace` leaves out, no value of the domain has: `__post_init__`, and fields outside its slots."""
    values = {
        kind
        for module in (model, events, card, ports)
        for _, kind in inspect.getmembers(module, dataclasses.is_dataclass)
    }
    assert Review in values
    for kind in values:
        assert not hasattr(kind, "__post_init__"), kind
        assert all(inspect.ismemberdescriptor(getattr(kind, field.name)) for field in dataclasses.fields(kind)), kind
