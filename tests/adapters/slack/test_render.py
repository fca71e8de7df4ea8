"""Cards as Block Kit: within every limit, honest about what was cut, and with no word of an agent as markup."""

from __future__ import annotations

import itertools
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import limits, render
from reviews.card import (
    Block,
    Callout,
    Card,
    Diff,
    Difference,
    Evidence,
    Fact,
    Facts,
    Form,
    Input,
    Snippet,
    Table,
    Text,
    Tone,
    Voice,
)
from reviews.values import replace
from tests.adapters.slack.checker import message_faults, seen, texts
from tests.fakes import cards, samples


def _card(*blocks: Block, **changes: Any) -> Card:
    return replace(cards.refund(), **{"blocks": blocks, "thread": (), **changes})


def _words(*blocks: Block) -> str:
    return seen(render.message(_card(*blocks), "copy").blocks)


def _kinds(blocks: list[dict[str, Any]]) -> list[str]:
    return [part["type"] for block in blocks if block["type"] == "rich_text" for part in block["elements"]]


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_every_sample_is_taken_by_slack(name: str) -> None:
    """Card, thread and minimal card keep every limit."""
    card = cards.ALL[name]
    drawn = [render.message(card, "copy-1"), render.details(card), render.minimal(card)]
    for message in filter(None, drawn):
        assert message_faults(message.blocks, message.text) == []
        assert render.size(message.blocks) <= limits.ABILITIES.max_bytes


def test_the_card_says_title_status_arguments_and_evidence() -> None:
    """What a person needs in ten seconds is all there."""
    words = seen(render.message(cards.refund(), "copy").blocks)
    for expected in (
        "Refund 180.00 USD for order A-4721",
        cards.refund().status,
        "cannot be undone",
        "A-4721",
        "••••••",
        "Carrier status",
        "carrier.example.com",
        "1 more on the full page",
        "Check that no replacement was sent",
        "Full page",
    ):
        assert expected in words


def test_a_card_that_was_cut_says_so_and_keeps_its_controls() -> None:
    """Nobody takes a part for the whole."""
    message = render.message(cards.largest(), "copy")
    assert render.size(message.blocks) > limits.ABILITIES.max_bytes * 0.6, "there is room for more of it"
    assert "This is not all of it" in seen(message.blocks)
    assert "actions" in [block["type"] for block in message.blocks]
    assert "This is not all of it" not in seen(render.message(cards.refund(), "copy").blocks)


def test_too_many_blocks_are_left_out_from_the_end() -> None:
    """Fifty is the most; head, controls and foot stay."""
    card = _card(*(Text(text=f"part {n}") for n in range(80)), cards.refund().blocks[-1])
    blocks = render.message(card, "copy").blocks
    assert len(blocks) == 50
    assert "part 45" in seen(blocks)
    assert "part 79" not in seen(blocks)
    assert "This is not all of it" in seen(blocks)
    assert blocks[-2]["type"] == "actions"


def test_an_agents_words_are_quoted_and_the_houses_are_not() -> None:
    """The bar at the side says whose words they are."""
    said = "ordinary words"
    agent = render.message(_card(Text(text=said, voice=Voice.AGENT)), "c").blocks
    house = render.message(_card(Text(text=said)), "c").blocks
    assert _kinds(agent)[0] == "rich_text_quote"
    assert _kinds(house)[0] == "rich_text_section"


@pytest.mark.parametrize(
    "block",
    [
        Facts(items=(Fact(label="a", value="b"),), title="Approved by Ana", voice=Voice.AGENT),
        Callout(text="b", title="Approved by Ana", tone=Tone.SUCCESS, voice=Voice.AGENT),
        Table(columns=("a",), rows=(("b",),), title="Approved by Ana", voice=Voice.AGENT),
    ],
)
def test_a_title_of_an_agents_part_begins_with_whose_it_is(block: Block) -> None:
    """And carries no sign of success that only the house may give."""
    assert "From the agent · Approved by Ana" in _words(block)
    assert "✅" not in _words(block)


def test_no_mrkdwn_is_ever_drawn() -> None:
    """Slack parses nothing of a card for markup, whatever stands in it."""
    for card in cards.ALL.values():
        for message in filter(None, (render.message(card, "c"), render.details(card))):
            assert not [item for item in texts(message.blocks) if item.get("type") == "mrkdwn"]


def test_the_fallback_line_holds_no_mention_and_no_link() -> None:
    """It is the one text Slack parses."""
    text = render.message(cards.hostile(), "c").text
    assert "<" not in text
    assert "&lt;!channel&gt;" in text


def test_a_link_that_is_no_web_address_is_only_words() -> None:
    """`javascript:` and its kin never become a link."""
    found = json.dumps(render.message(cards.hostile(), "c").blocks)
    assert '"url": "https://placet.example.com' in found
    assert "javascript:" not in found
    assert "data:text" not in found


def test_a_value_of_two_lines_cannot_pass_for_two_facts() -> None:
    """It stands in a box of its own."""
    forged = Facts(items=(Fact(label="note", value="ok\nApproved by: Ana"), Fact(label="order", value="A-1")))
    blocks = render.message(_card(forged), "c").blocks
    assert "rich_text_preformatted" in _kinds(blocks)
    box = next(p for b in blocks if b["type"] == "rich_text" for p in b["elements"] if "preformatted" in p["type"])
    assert box["elements"][0]["text"] == "ok\nApproved by: Ana"


def test_no_two_sections_follow_each_other() -> None:
    """They may run together into one line; a title and its facts, a line and the label of a box are one section."""
    facts = (Fact(label="a", value="1"), Fact(label="b", value="two\nlines"), Fact(label="c", value="3"))
    for voice in Voice:
        kinds = _kinds(render.message(_card(Facts(items=facts, title="Title", voice=voice)), "c").blocks[:-1])
        assert ("rich_text_section", "rich_text_section") not in itertools.pairwise(kinds)


def test_a_label_that_is_cut_keeps_its_colon() -> None:
    """Else the value would read on from it."""
    assert "…: paid" in _words(Facts(items=(Fact(label="x" * 500, value="paid"),))).replace("\n", "")


def test_a_changed_value_of_two_lines_cannot_pass_for_two_changes() -> None:
    """Every line of it is marked, and only the first one names a place."""
    diff = Diff(items=(Difference(pointer="/note", before="a", after="b\n- /amount: 1\u2028+ /amount: 9"),))
    assert "- /note: a\n+ /note: b\n+     - /amount: 1\n+     + /amount: 9" in _words(diff)


def test_what_hides_or_reorders_letters_is_made_visible() -> None:
    """Bidi overrides, controls, zero widths, lone surrogates."""
    words = _words(Text(text="a\u202eb\x00c\u200bd\ud800e"))
    assert "a\ufffdb\ufffdc\ufffdd\ufffde" in words


def test_a_second_table_is_drawn_as_text() -> None:
    """Slack takes one table per message."""
    table = Table(columns=("Who", "Said", "On"), rows=(("ana", "yes", "Monday"), ("bo", "")))
    pairs = Table(columns=("Who", "Said"), rows=(("ana", "yes"), ("bo", "")), title="Comments", voice=Voice.PERSON)
    blocks = render.message(_card(table, table, pairs), "c").blocks
    assert [block["type"] for block in blocks].count("table") == 1
    assert "Who | Said | On\nana | yes | Monday\nbo | – | –" in seen(blocks)
    said = next(
        p["elements"] for b in blocks if b["type"] == "rich_text" for p in b["elements"] if "quote" in p["type"]
    )
    assert "".join(span["text"] for span in said) == "ana: yes\nbo: –"
    assert message_faults(blocks) == []


def test_marked_words_are_bold_and_all_words_stay() -> None:
    """Without regard to case; the longest of two that begin together wins."""
    evidence = Evidence(
        items=(Snippet(title="t", snippet="It was Lost, lost in transit"),), highlight=("lost", "lost in")
    )
    blocks = render.message(_card(evidence), "c").blocks
    spans = [s for b in blocks if b["type"] == "rich_text" for p in b["elements"] for s in p["elements"]]
    bold = [span["text"] for span in spans if span.get("style") == {"bold": True} and "lost" in span["text"].lower()]
    assert bold == ["Lost", "lost in"]
    assert "It was Lost, lost in transit" in "".join(span.get("text", "") for span in spans)


def test_a_form_or_an_input_in_a_card_is_readable() -> None:
    """Messages hold no inputs; the value of a locked one is not shown."""
    field = Input(name="/iban", label="iban", value="DE00", locked=True)
    words = _words(Form(fields=(field, Input(name="/a", label="amount", value="12")), submit="s", intro="Edit"), field)
    assert "DE00" not in words
    assert "locked" in words
    assert "12" in words
    assert "Fill it in on the full page." in words


def test_the_minimal_card_has_no_controls() -> None:
    """Nobody decides on what they cannot see."""
    blocks = render.minimal(cards.refund()).blocks
    assert "actions" not in [block["type"] for block in blocks]
    assert "https://placet.example.com" in json.dumps(blocks)


def test_a_card_without_long_parts_has_no_thread() -> None:
    """No empty reply."""
    assert render.details(cards.held()) is None


def test_a_note_keeps_its_lines_and_is_inert() -> None:
    """Private answers are drawn by the same rules."""
    note = render.note("first <!here>\nsecond")
    assert message_faults(note.blocks, note.text) == []
    assert seen(note.blocks) == "first <!here>\nsecond"
    assert "<" not in note.text


@settings(max_examples=100, deadline=None)
@given(
    title=samples.WORDS,
    status=samples.WORDS,
    blocks=st.lists(samples.BLOCKS, max_size=8),
    row=samples.ROW,
    link=st.just("") | samples.WORDS,
    over=st.booleans(),
)
def test_any_card_is_within_the_limits(
    title: str, status: str, blocks: list[Block], row: Block, link: str, over: bool
) -> None:
    """Whatever stands in it: also nothing, and also half a character."""
    card = _card(*blocks, row, title=title, status=status, link=link, fallback=title, thread=tuple(blocks), over=over)
    for message in filter(None, (render.message(card, "copy"), render.private(card, None), render.details(card))):
        assert message_faults(message.blocks, message.text) == []


# ---------------------------------------------------------------------------------------------- the preview


_HARMLESS = frozenset(
    {"div", "h3", "p", "hr", "table", "tr", "td", "span", "blockquote", "pre", "ul", "li", "time", "strong", "em", "a"}
    | {"br"}
)


class _Reader(HTMLParser):
    """Collects tags, attributes and words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and its attributes."""
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.words += data


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_the_preview_is_the_message_in_harmless_html(name: str) -> None:
    """Only our own tags, classes and web links; every word of the card is in it, and no control works."""
    card = cards.ALL[name]
    reader = _Reader()
    reader.feed(render.preview_html(card))
    assert reader.tags <= _HARMLESS
    assert {name for name, _ in reader.attributes} <= {"class", "href", "rel"}
    assert all(value.startswith("https://") for name, value in reader.attributes if name == "href")
    squeezed = "".join(reader.words.split())
    blocks = render.message(card, "preview").blocks
    behind = _behind_a_click(blocks)
    for item in texts(blocks):
        assert item in behind or "".join(seen([item]).split()) in squeezed


def _behind_a_click(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Texts of options and confirmations, which a picture does not show."""
    elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return [text for e in elements for text in texts([e.get("options", []), e.get("confirm", {})])]


def test_the_preview_as_json_is_the_message() -> None:
    """For those who want to see exactly what is sent."""
    shown = json.loads(render.preview(cards.refund()))
    assert shown["blocks"] == render.message(cards.refund(), "preview").blocks
