"""Each block as elements: whose words they are is always said, and no value passes for another."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teams import render
from reviews.card import (
    Block,
    Callout,
    Diff,
    Difference,
    Evidence,
    Fact,
    Facts,
    Line,
    Lines,
    Snippet,
    Style,
    Table,
    Text,
    Tone,
    Voice,
)
from reviews.values import replace
from tests.adapters.teams.checker import card_faults, seen, walk
from tests.fakes import cards

Json = dict[str, Any]

#: An instant as clients read it.
INSTANT = "{{DATE(2026-11-25T11:40:00Z, SHORT)}} {{TIME(2026-11-25T11:40:00Z)}}"


def _body(*blocks: Block) -> list[Json]:
    """What is drawn between head and foot."""
    card = replace(cards.refund(), blocks=blocks, thread=())
    drawn = render.content(render.message(card, "copy"))
    assert card_faults(drawn) == []
    body: list[Json] = drawn["body"][1:-1]
    return body


def _words(*blocks: Block) -> list[str]:
    return seen({"body": _body(*blocks)}).splitlines()


@pytest.mark.parametrize(
    "block",
    [
        Text(text="Do it", voice=Voice.AGENT),
        Text(text="Do it", voice=Voice.AGENT, style=Style.CODE),
        Text(text="Do it", voice=Voice.AGENT, style=Style.HEADING),
        Facts(items=(Fact(label="a", value="Do it"),), title="Arguments", voice=Voice.AGENT),
        Callout(text="Do it", title="Approved", tone=Tone.SUCCESS, voice=Voice.AGENT),
        Evidence(items=(Snippet(title="Do it"),)),
        Table(columns=("a", "b", "c"), rows=(("Do it", "", ""),), voice=Voice.AGENT),
    ],
)
def test_an_agents_words_are_in_a_grey_box_that_says_so(block: Block) -> None:
    """Its first words are the house's, whatever title the agent's part has."""
    (box,) = _body(block)
    assert (box["type"], box["style"]) == ("Container", "emphasis")
    assert box["items"][0]["inlines"][0]["text"] == "From the agent"
    assert "Do it" in seen({"body": [box]})


@pytest.mark.parametrize("tone", list(Tone))
def test_a_tone_of_the_house_is_said_in_words_and_in_colour(tone: Tone) -> None:
    """An agent's callout has neither the mark nor the colour."""
    (house, *_) = _body(Callout(text="Look", title="Guide", tone=tone))
    (agent,) = _body(Callout(text="Look", title="Guide", tone=tone, voice=Voice.AGENT))
    assert agent["style"] == "emphasis"
    assert seen({"body": [agent]}) == "From the agent · Guide\nLook"
    if tone in (Tone.ATTENTION, Tone.DANGER, Tone.SUCCESS):
        assert house["style"] == {"attention": "warning", "danger": "attention", "success": "good"}[tone]
        assert seen({"body": [house]})[0] in "⚠⛔✅"


def test_a_value_of_two_lines_cannot_pass_for_two_facts() -> None:
    """Labels have their own column."""
    (box,) = _body(Facts(items=(Fact(label="a", value="1\nb: 2"),), title="x", voice=Voice.AGENT))
    label, value = box["items"][1]["columns"]
    assert seen({"body": label["items"]}) == "a"
    assert seen({"body": value["items"]}) == "1\nb: 2"


def test_a_fact_with_an_instant_says_it_in_the_readers_time() -> None:
    """Beside the words of the house."""
    words = _words(Facts(items=(Fact(label="Until", value="11:40 UTC", at=cards.NOW),)))
    assert words == [
        "Until",
        "11:40 UTC",
        "For you: {{DATE(2026-11-25T11:40:00Z, SHORT)}} {{TIME(2026-11-25T11:40:00Z)}}",
    ]


def test_what_is_redacted_is_set_apart() -> None:
    """In italics, as words."""
    runs = [item for item in walk(_body(Facts(items=(Fact(label="a", value="••", redacted=True),)))) if "text" in item]
    assert [run.get("italic") for run in runs] == [None, True]


def test_every_line_of_a_changed_value_is_marked() -> None:
    """None can pass for another change; what was not there has no line."""
    items = (Difference(pointer="/a", before="1\n+ /b: 3", after="2"), Difference(pointer="/c", before=None, after="x"))
    assert _words(Diff(items=items, title="Changed")) == [
        "Changed",
        "− /a: 1",
        "−     + /b: 3",
        "+ /a: 2",
        "+ /c: x",
    ]


def test_marked_words_are_bold_and_all_words_stay() -> None:
    """Terms are words, not patterns; case does not matter."""
    body = _body(Evidence(items=(Snippet(title="t", snippet="Lost, not lost*"),), highlight=("lost", ".*", "")))
    bold = [run["text"] for item in walk(body) if item.get("type") == "RichTextBlock" for run in item["inlines"]
            if run.get("weight") == "Bolder"]  # fmt: skip
    assert bold == ["Evidence", "t", "Lost", "lost"]
    assert "Lost, not lost*" in seen({"body": body})


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://", "/x", "https://a b", None])
def test_what_is_no_web_address_is_only_words(url: str | None) -> None:
    """Nothing opens."""
    body = _body(Evidence(items=(Snippet(title="Carrier", url=url),)))
    assert not any("selectAction" in item for item in walk(body))
    assert "Carrier" in seen({"body": body})


def test_an_address_is_written_as_browsers_send_it() -> None:
    """Quotes and letters beyond ASCII are encoded: Teams refuses a card for an address that is no URI."""
    body = _body(Evidence(items=(Snippet(title="x", url='https://a.example/"ü?q=1&r=%20#f'),)))
    urls = [item["selectAction"]["url"] for item in walk(body) if "selectAction" in item]
    assert urls == ["https://a.example/%22%C3%BC?q=1&r=%20#f"]


def test_who_said_what_is_a_line_each() -> None:
    """A table of two columns."""
    table = Table(
        columns=("Who", "Said"), rows=(("ana", "Hello\nthere"), ("bo",)), title="Comments", voice=Voice.PERSON
    )
    assert _words(table) == ["Comments", "ana: Hello", "there", "bo: "]


def test_a_table_has_rows_of_one_length() -> None:
    """Short rows are filled up; too wide a table is lines."""
    (table,) = _body(Table(columns=("a", "b", "c"), rows=(("1",), ("1", "2", "3"))))
    assert [len(row["cells"]) for row in table["rows"]] == [3, 3, 3]
    wide = _words(Table(columns=tuple("abcdef"), rows=(tuple("123456"),)))
    assert wide == ["a | b | c | d | e | f", "1 | 2 | 3 | 4 | 5 | 6"]


def test_a_list_counts_what_it_leaves_out() -> None:
    """Those that are not shown, and those that were not handed over."""
    items = tuple(Line(review=f"rev_{n}", text=f"line {n}", at=cards.NOW, detail="low") for n in range(20))
    words = _words(Lines(items=items, title="Waiting", more=2))
    assert words[:3] == [
        "Waiting",
        "line 0",
        "{{DATE(2026-11-25T11:40:00Z, SHORT)}} {{TIME(2026-11-25T11:40:00Z)}} · low",
    ]
    assert words[-1] == "and 7 more"


def test_blank_lines_are_gaps() -> None:
    """A paragraph each, no empty elements."""
    first, second, third = _body(Text(text="one\ntwo\n\nthree\n\n"))
    assert [item["spacing"] for item in (first, second, third)] == ["Small", "None", "Small"]
