"""The log's bytes are the canonical form, however they were made."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.digest import canonical
from reviews.errors import DigestImpossible
from reviews.events import Record
from storage import audit

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
# RFC 8785 has no lone surrogates, and no integers beyond 2^53.
TEXT = st.text(st.characters(exclude_categories=("Cs",)))
LEAF = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUE = st.recursive(LEAF | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=8)


@settings(max_examples=50)
@given(
    detail=st.dictionaries(TEXT.filter(lambda key: key != "salt"), VALUE, max_size=4),
    actor=TEXT,
    review=st.none() | TEXT,
)
def test_bytes_are_canonical(detail: dict[str, object], actor: str, review: str | None) -> None:
    """Particulars and entry are byte for byte what a canonicaliser writes."""
    made = audit.entry_columns(Record(kind="k", at=AT, actor=actor, detail=detail), review)
    salt = json.loads(made["detail"])["salt"]
    assert canonical({**detail, "salt": salt}).decode() == made["detail"]
    assert canonical(json.loads(made["body"])) == made["body"]


@pytest.mark.parametrize("value", [float("nan"), 2**53 + 1, "\ud800", ["\ud800"], {"\udfff": 1}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    """No entry is kept whose bytes could be disputed."""
    with pytest.raises(DigestImpossible):
        audit.entry_columns(Record(kind="k", at=AT, actor="a", detail={"v": value}), None)


@given(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - made aware
def test_instants_have_six_digits_of_a_second(at: datetime) -> None:
    """Also where they are noughts."""
    assert audit.stamp(at) == at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_instants_are_written_in_utc() -> None:
    """Whatever the zone an instant came in, with six digits of a second."""
    there = datetime(2026, 11, 21, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert audit.stamp(there) == "2026-11-21T09:00:00.000005Z"
    assert audit.stamp(AT) == "2026-11-21T09:00:00.000000Z"
