"""What a control carries: written by one process, read by another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import limits
from adapters.slack.press import Back, action_id, go_id, verb_of, way_of
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.model import Verb


@given(
    copy=st.text(st.characters(blacklist_characters="|")),
    review=st.text(st.characters(blacklist_characters="|"), min_size=1),
    revision=st.integers(min_value=0, max_value=10**18),
    shown=st.text("0123456789abcdef"),
)
def test_a_token_reads_back_as_it_was_written(copy: str, review: str, revision: int, shown: str) -> None:
    """Buttons outlive the process that drew them."""
    token = Token(copy=copy, review=review, revision=revision, shown=shown)
    assert Token.read(str(token)) == token


@given(st.builds(Back, **{name: st.text(max_size=80) for name in Back.__slots__}))
def test_where_a_modal_was_opened_reads_back_as_it_was_written(back: Back) -> None:
    """And is not longer than Slack keeps."""
    assert Back.read(str(back)) == back
    assert len(str(back)) <= limits.PRIVATE_METADATA


def test_an_address_too_long_to_keep_is_forgotten() -> None:
    """What the form is for is not: an answer finds another way."""
    kept = Back.read(str(Back(verb="edit", token="c|r|1|d", response="https://hooks.slack.com/" + "x" * 3000)))
    assert kept == Back(verb="edit", token="c|r|1|d")


@pytest.mark.parametrize("text", [None, "", "edit|c|r|1|d", "[]", '{"verb": 1}', "[" * 10_000, 7])
def test_what_is_no_modal_of_ours_is_malformed(text: object) -> None:
    """No guess where a form belongs."""
    with pytest.raises(Malformed):
        Back.read(text)


def test_a_later_version_may_keep_more() -> None:
    """Modals stay open over an upgrade."""
    assert Back.read('{"verb":"edit","later":"x"}') == Back(verb="edit")


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("way", ["act", "because", "form"])
def test_an_action_id_reads_back_as_it_was_written(verb: Verb, way: str) -> None:
    """Every verb, in every way; none of them is a way to look further."""
    assert verb_of(action_id(verb, way)) == (verb, way)
    assert way_of(action_id(verb, way)) is None


@pytest.mark.parametrize("go", list(Go))
@pytest.mark.parametrize("nth", [0, 3])
def test_a_way_reads_back_as_it_was_written(go: Go, nth: int) -> None:
    """Every way, and none of them is a verb."""
    assert way_of(go_id(go, nth)) is go
    with pytest.raises(Malformed):
        verb_of(go_id(go, nth) + ":x")


@pytest.mark.parametrize("action", [None, 7, "", "placet:go", "placet:go:away", "other:go:open"])
def test_what_is_no_way_is_none(action: object) -> None:
    """No error: it may be a verb."""
    assert way_of(action) is None
