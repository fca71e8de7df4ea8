"""Modals, Home and what one person alone sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.selection import Pick, Result
from adapters.slack import forms, parse, render, views
from adapters.slack.press import Back
from adapters.token import Token
from reviews import filled
from reviews.card import Block, Form, Go, Happening, Input, Kind, Line, Lines, Tone, Way
from reviews.model import Change, Comment
from reviews.present import present
from reviews.surroundings import Earlier, Surroundings
from reviews.values import replace
from tests.adapters.slack.checker import home_faults, message_faults, seen, view_faults
from tests.fakes import builders, cards
from tests.fakes.samples import BLOCKS, ROW, item, queue

TOKEN = Token(copy="", review="rev_refund4721", revision=1, shown="d" * 64)
BACK = str(Back(channel="C1", message="1.1"))


def _ids(view: dict[str, Any]) -> list[str]:
    return [e["action_id"] for block in view["blocks"] if block["type"] == "actions" for e in block["elements"]]


# ---------------------------------------------------------------------------------------------- a card


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_every_sample_fits_a_modal_its_history_and_a_private_message(name: str) -> None:
    """Hostile and huge ones too."""
    card = cards.ALL[name]
    assert view_faults(views.card_modal(card, TOKEN, BACK)) == []
    assert view_faults(views.history(card)) == []
    assert home_faults(views.home(card)) == []
    private = render.private(card, TOKEN)
    assert message_faults(private.blocks, private.text) == []


def test_a_card_in_a_modal_can_be_decided_and_has_its_long_parts() -> None:
    """The same controls as in the channel; tables as text, for Slack takes none there."""
    view = views.card_modal(cards.refund(), TOKEN, BACK)
    words = seen(view["blocks"])
    assert "placet:approve" in _ids(view)
    assert "customer | Where is my parcel?" in words
    assert "Posted to" not in words
    assert Back.read(view["private_metadata"]) == Back(channel="C1", message="1.1")


def test_history_shows_what_happened_and_nothing_of_the_proposal() -> None:
    """The timeline and earlier reviews; no control."""
    view = views.history(cards.refund())
    words = seen(view["blocks"])
    assert "refund-agent asked" in words
    assert "approved by Bo Lindqvist" in words
    assert "Where is my parcel?" not in words
    assert _ids(view) == []
    assert "Nothing has happened yet" in seen(views.history(replace(cards.held(), thread=()))["blocks"])


def test_history_of_a_real_review_has_all_four_parts() -> None:
    """Changes asked for, comments, earlier reviews and timeline are told apart from the agent's own words."""
    review = builders.a_review()
    at = builders.START
    change = Change(person="ana", name="Ana", text="Name the region", at=at, revision=1)
    remark = Comment(person="bo", name="Bo", text="Looks odd to me", at=at, surface="slack")
    around = Surroundings(
        timeline=(Happening(at=at, text="It was posted"),),
        history=(Earlier(when="2026-11-20", what="Refund A-1", came_to="approved by Cleo"),),
    )
    words = seen(views.history(present(replace(review, changes=(change,), comments=(remark,)), around))["blocks"])
    for said in ("Name the region", "Looks odd to me", "It was posted", "approved by Cleo"):
        assert said in words


def test_a_private_card_without_a_token_leads_on_and_decides_nothing() -> None:
    """What a command answers in front of others."""
    ids = [e["action_id"] for b in render.private(cards.refund(), None).blocks if b["type"] == "actions"
           for e in b["elements"]]  # fmt: skip
    assert ids == ["placet:go:history"]


# ---------------------------------------------------------------------------------------------- lists


def test_home_lists_reviews_each_with_its_way() -> None:
    """And the ways of the whole list stand as buttons."""
    view = views.home(queue(40))
    assert home_faults(view) == []
    beside = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    assert [button["value"] for button in beside] == [f"rev_{n}" for n in range(40)]
    assert _ids(view) == ["placet:go:bulk"]
    assert "revision" not in seen(view["blocks"])
    assert "context" not in [block["type"] for block in view["blocks"]], "an empty status is no line of its own"
    assert seen(views.home(queue(1, tone=Tone.ATTENTION))["blocks"]).startswith("⚠️ Placet: Ana Ruiz")


@pytest.mark.parametrize("many", [0, 1, 15, 200])
def test_a_list_in_a_message_counts_what_it_leaves_out(many: int) -> None:
    """Within the limits; nobody takes a part for the whole."""
    said = render.private(queue(many, more=7), None)
    assert message_faults(said.blocks, said.text) == []
    shown = sum("accessory" in block for block in said.blocks)
    assert shown <= 15
    assert f"and {7 + many - shown} more" in seen(said.blocks)


@settings(max_examples=60, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=6), row=ROW, thread=st.lists(BLOCKS, max_size=4), over=st.booleans())
def test_any_card_fits_a_modal_and_home(blocks: list[Block], row: Block, thread: list[Block], over: bool) -> None:
    """And any form of it a modal of its own."""
    card = replace(cards.refund(), blocks=(*blocks, row), thread=tuple(thread), over=over)
    assert view_faults(views.card_modal(card, TOKEN, BACK)) == []
    assert view_faults(views.history(card)) == []
    assert home_faults(views.home(card)) == []
    for control in filled.controls(card):
        assert view_faults(forms.form(control, BACK, card.link)) == []


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.tuples(st.text(max_size=700), st.text(max_size=700), st.text(max_size=200)), max_size=60),
    title=st.text(max_size=200),
)
def test_any_list_is_within_the_limits(texts: list[tuple[str, str, str]], title: str) -> None:
    """Whatever stands in it, as a message, a modal and Home."""
    items = tuple(
        Line(review=value, text=text, detail=detail, ways=(Way(go=Go.OPEN, label=text, value=value),) * (1 + n % 7))
        for n, (text, detail, value) in enumerate(texts)
    )
    card = queue(0, blocks=(Lines(items=items, title=title),), title=title)
    said = render.private(card, None)
    assert message_faults(said.blocks, said.text) == []
    assert home_faults(views.home(card)) == []
    assert view_faults(views.card_modal(card, TOKEN, BACK)) == []


def test_news_are_lines_with_their_instants() -> None:
    """As a reply beneath the card, escaped in the fallback."""
    lines = [Happening(at=cards.NOW, text="Called <Bo>"), Happening(at=cards.NOW, text="Expired")]
    said = render.news(lines)
    assert message_faults(said.blocks, said.text) == []
    assert said.text == "Called &lt;Bo&gt; · Expired"
    many = render.news(lines * 500)
    assert message_faults(many.blocks, many.text) == []
    assert "more on the full page" in seen(many.blocks)
    assert message_faults(render.news([]).blocks, render.news([]).text) == []


# ---------------------------------------------------------------------------------------------- a selection


@pytest.mark.parametrize("many", [1, 10, 11, 20, 35])
def test_a_selection_begins_empty_and_comes_back_as_picks(many: int) -> None:
    """Ten to a group, two groups; what is left is counted."""
    view = views.bulk_form("refund.issue", [item(n) for n in range(many)], BACK)
    assert view_faults(view) == []
    groups = [block for block in view["blocks"] if block["type"] == "input"]
    options = [option for group in groups for option in group["element"]["options"]]
    assert len(options) == min(many, 20)
    assert ("15 more come after these" in seen(view["blocks"])) is (many == 35)
    state = {g["block_id"]: {"value": {"selected_options": g["element"]["options"][:1]}} for g in groups}
    sent = {"private_metadata": view["private_metadata"], "state": {"values": state}}
    chosen = parse.picked({"view": sent})
    assert chosen[0] == Pick(review=f"rev_{0:032x}", revision=1, digest="d" * 64, action="refund.issue")
    assert len(chosen) == len(groups)
    assert parse.origin({"user": {"id": "U1"}, "view": sent}).channel == "C1"


def test_nothing_to_choose_from_says_so() -> None:
    """No empty form."""
    for view in (views.bulk_form("refund.issue", [], BACK), views.bulk_actions({}, BACK)):
        assert view_faults(view) == []
        assert "submit" not in view


@pytest.mark.parametrize("many", [1, 30, 4000])
def test_one_action_is_chosen_first(many: int) -> None:
    """Only reviews of one action are approved together."""
    view = views.bulk_actions({f"action.{n}": n for n in range(many)}, BACK)
    assert view_faults(view) == []
    assert len(_ids(view)) == min(many, 100)
    assert ("3900 more are on the full page" in seen(view["blocks"])) is (many == 4000)
    first = view["blocks"][1]["elements"][0]
    assert (first["value"], first["text"]["text"]) == ("action.0", "action.0 (0)")


@pytest.mark.parametrize("many", [0, 1, 50])
def test_results_say_what_came_of_each(many: int) -> None:
    """In words, not by a sign alone."""
    done = [Result(review=f"rev_{n}", title=f"Refund {n} " * 30, text="" if n % 2 else "Bo was first. " * 30,
                   good=bool(n % 2)) for n in range(many)]  # fmt: skip
    view = views.results(done)
    assert view_faults(view) == []
    assert len(seen(view["blocks"]).splitlines()) >= many
    assert ("done" if many != 1 else "Bo was first") in seen(view["blocks"])


# ---------------------------------------------------------------------------------------------- asking


def test_the_form_to_ask_with_begins_with_what_was_pointed_at() -> None:
    """Cut to what the field holds; its roles are named."""
    fields = (
        Input(name="summary", label="What should be looked at?", required=True),
        Input(name="text", label="What it is about", kind=Kind.MULTILINE, max_length=2000),
        Input(name="role", label="Who", kind=Kind.CHOICE, choices=("manager",), labels=("Managers",), required=True),
    )
    view = views.ask_form(Form(fields=fields, submit="Ask"), BACK, "Pay <this>\r\n" + "x" * 5000)
    assert view_faults(view) == []
    assert "Pay <this>\\nxxx" in json.dumps(view)
    huge = replace(fields[2], choices=tuple(map(str, range(200))), labels=())
    view = views.ask_form(Form(fields=(huge,), submit="Ask"), BACK)
    assert view_faults(view) == []
    assert "full page" in seen(view["blocks"])
