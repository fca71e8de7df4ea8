"""Foreign text is escaped, and nothing in it is invisible."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.visible import cut, plain, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("👩\u200d👩 ❤\ufe0f", "👩\u200d👩 ❤\ufe0f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_ordinary_text_is_only_escaped(text: str, shown: str) -> None:
    """Markup is escaped, line ends made one kind, joiners of emoji and of scripts that need them kept."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    "char",
    [*"\u202a\u202e\u2066\u2069\u200b\u200d\u2060\ufeff\u00ad\x00\x1b\x85\u061c\u200f\u3164\ud800", "\U000e0041"],
)
def test_what_hides_or_turns_is_named(char: str) -> None:
    """Behind a Latin letter every invisible, turning or control character is shown by its number."""
    html = visible(f"a{char}b")
    assert char not in html
    assert f">U+{ord(char):04X}</span>" in html
    assert plain(f"a{char}b") == f"a[U+{ord(char):04X}]b"


@given(st.text(st.characters()))
def test_no_text_leaves_a_tag_or_a_turning_character(text: str) -> None:
    """Whatever the text: no markup of its own, nothing of the bidirectional controls, and it can be sent as UTF-8."""
    html = str(visible(text)).replace('<span class="hidden-char" title="', "").replace("</span>", "")
    assert "<" not in html
    assert not any(
        unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI") for c in html
    )
    html.encode()


def test_highlights_are_words_and_not_patterns() -> None:
    """Words to mark are taken literally, case aside; empty ones and single letters are not marked."""
    assert visible("It was Lost <lost>", ("lost", ".*", "", "a")) == (
        "It was <mark>Lost</mark> &lt;<mark>lost</mark>&gt;"
    )


@given(st.text(max_size=3000), st.integers(20, 600))
def test_cut_loses_nothing(text: str, limit: int) -> None:
    """What is shown at once and the rest are the whole text."""
    head, rest = cut(text, limit)
    assert head + rest == text
    assert len(head) <= limit * 5 // 4
