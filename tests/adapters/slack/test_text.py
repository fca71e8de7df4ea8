"""Text for Slack."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.text import escape, escaped, plain, unescape
from adapters.text import clean, cut, line, spelled


@given(st.text(max_size=200), st.integers(min_value=24, max_value=150))
def test_escaped_text_is_never_longer_than_it_may_be(text: str, most: int) -> None:
    """And no entity is cut in two: what is left reads back."""
    short = escaped(text, most)
    assert len(short) <= most
    assert escape(unescape(short)) == short


@given(st.text())
def test_escaping_is_undone_by_unescaping(text: str) -> None:
    """Slack sends escaped what it was sent."""
    assert unescape(escape(text)) == text


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_a_cut_shows(text: str, most: int) -> None:
    """Short texts stay; others end in an ellipsis."""
    short = cut(text, most)
    assert len(short) <= most
    assert short == text or short.endswith("…")


def test_lines_are_one_kind_and_may_be_joined() -> None:
    """Every line break there is."""
    assert clean("a\r\nb\rc\u2028d\x0be") == "a\nb\nc\nd\ne"
    assert line(" a\n\tb ") == "a b"


def test_plain_text_is_never_empty() -> None:
    """Slack refuses an empty one."""
    assert plain(" \n", 10)["text"] == "–"
    assert plain("\u202e", 10)["text"] == "\ufffd"


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_json_spelled_out_is_the_same_json(value: dict[str, Any]) -> None:
    """And holds nothing that hides or reorders: it can be shown in a field and sent back."""
    text = spelled(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert clean(text) == text
    assert spelled('"a\u200b\u2028b"') == '"a\\u200b\\u2028b"'
