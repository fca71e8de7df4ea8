"""What is kept comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.model import Review
from storage import rows
from tests.fakes.builders import a_request, a_review, a_route, a_vote, revised

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner),
    max_leaves=10,
)  # fmt: skip


def again(review: Review, first: Review | None = None) -> Review:
    """A review after it was kept and read."""
    state = rows.review_columns(review)["state"]
    proposal = rows.revision_columns(review, review.created_at)["proposal"]
    original = None if first is None else rows.revision_columns(first, review.created_at)["proposal"]
    return rows.review_from(review.seq, state, proposal, original)


@given(at=INSTANTS)
def test_instants_keep_their_microseconds(at: datetime) -> None:
    """No float on the way, whatever the zone."""
    assert rows.instant(rows.micros(at)) == at
    there = at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert rows.micros(there) == rows.micros(at)
    assert rows.instant(rows.micros(there)).tzinfo is UTC


@settings(max_examples=50)
@given(arguments=st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), JSON), at=INSTANTS)
def test_a_review_comes_back_equal(arguments: dict[str, object], at: datetime) -> None:
    """Whatever JSON an agent proposed, to the type of each number."""
    review = a_review(request=a_request(arguments=arguments), created_at=at, seq=7)
    back = again(review)
    assert back == review
    assert repr(back.request.action.arguments) == repr(arguments)


def test_a_later_revision_comes_back_with_the_first_arguments() -> None:
    """Votes, changes and what was first proposed."""
    first = a_review(route=a_route(scopes=frozenset({"a", "b"})), owners=frozenset({"zoe"}))
    second = revised(first, amount=1.0, votes=2)
    assert again(second, first) == second
    assert again(second, first).original == first.request.action.arguments


def test_a_vote_writes_nothing_of_the_request() -> None:
    """However large a request is, a vote's row is small."""
    review = a_review(request=a_request(arguments={"text": "x" * 500_000}))
    assert len(rows.review_columns(review)["state"]) < 2_000
    assert len(rows.vote_columns(review, a_vote(review, "ana"))["body"]) < 2_000


@given(st.text(max_size=400), st.text(max_size=400))
def test_words_to_look_up_by_stay_apart(one: str, other: str) -> None:
    """Two texts become one word only when they are one text, and every word fits every index."""
    words = rows.term(one), rows.term(other)
    assert (words[0] == words[1]) == (one == other)
    assert all(len(word) <= 200 and "\0" not in word for word in words)
