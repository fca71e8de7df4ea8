"""Cards as Adaptive Cards: within every limit, honest about what was cut, and with no word of an agent parsed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teams import limits, press, render
from adapters.teams.budget import size
from adapters.teams.press import How
from adapters.token import Token
from reviews.card import Actions, Block, Callout, Card, Form, Happening, Input, Text, Voice
from reviews.model import Verb
from reviews.values import replace
from tests.adapters.teams.checker import actions, inputs, message_faults, seen, walk
from tests.fakes import cards, samples

Json = dict[str, Any]


def _card(*blocks: Block, **changes: Any) -> Card:
    return replace(cards.refund(), **{"blocks": blocks, "thread": (), **changes})


def _drawn(card: Card, copy: str = "copy") -> Json:
    return render.content(render.message(card, copy))


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_every_sample_is_taken_by_teams(name: str) -> None:
    """Card, long parts, private and minimal card keep every limit."""
    card = cards.ALL[name]
    token = Token.of(card, "")
    private = [render.private(card, token), render.private(card, None)]
    for message in filter(None, [render.message(card, "copy-1"), render.details(card), render.minimal(card), *private]):
        assert message_faults(message) == []
        assert size(render.content(message)) <= limits.ABILITIES.max_bytes


def test_the_card_says_title_status_arguments_and_evidence() -> None:
    """What a person needs to decide is all there, a line each."""
    words = seen(_drawn(cards.refund())).splitlines()
    assert words[:2] == ["⚠️ Waiting for a manager  ·  revision 1", "refund.issue: “Refund 180.00 USD for order A-4721”"]
    for said in (
        "medium · cannot be undone",
        "1 of: manager",
        "A-4721",
        "••••••",
        "Carrier status  carrier.example.com · 93%",
    ):
        assert said in words
    assert words[-1] == "Full page"


def test_notifications_read_the_fallback_line() -> None:
    """The summary is words: beside a card Teams would show a text as another message."""
    message = render.message(cards.hostile(), "copy")
    assert message["summary"] == cards.HOSTILE[2]
    assert "text" not in message


def test_a_card_that_was_cut_says_so_and_keeps_its_controls() -> None:
    """The largest card is cut, and can be decided."""
    drawn = _drawn(cards.largest())
    assert "This is not all of it: it was cut to fit Teams. Full page" in seen(drawn)
    assert [action["title"] for action in drawn["actions"]] == ["Approve", "Reject", "Edit", "Request changes", "More…"]


def test_a_form_that_takes_the_cards_room_is_opened_as_a_dialog() -> None:
    """An edit form of fifty fields is; the others stay beneath the card."""
    fields = tuple(Input(name=f"/field_{n}", label=f"Field {n}", value="x" * 150) for n in range(50))
    card = _card(cards.actions("rev_1", edit=Form(fields=fields, submit="Save")))
    found = {action["title"]: action for action in _drawn(card)["actions"]}
    assert found["Edit"]["type"] == "Action.Submit"
    assert found["Edit"]["data"]["msteams"] == {"type": "task/fetch"}
    assert press.read(found["Edit"]["data"]).verb is Verb.EDIT
    assert found["Request changes"]["type"] == "Action.ShowCard"


def test_a_form_no_card_holds_leads_to_the_full_page() -> None:
    """Half a form would mislead."""
    found = {action["title"]: action for action in _drawn(cards.largest())["actions"]}
    shown = found["Edit"]["card"]
    assert seen(shown).splitlines() == ["Teams cannot hold this form. Open the full page to do this.", "Full page"]
    assert actions(shown) == []


def test_parts_that_do_not_fit_are_left_out_from_the_end() -> None:
    """The first ones are read first."""
    blocks = [Text(text=f"part {n} " + "x" * 300) for n in range(200)]
    drawn = _drawn(_card(*blocks, cards.actions("rev_1")))
    words = seen(drawn)
    assert "part 0 " in words
    assert "part 199 " not in words
    assert "it was cut" in words
    assert len(drawn["actions"]) == limits.BUTTONS


def test_a_posted_card_can_be_drawn_again_by_hand() -> None:
    """Nobody is named, so no client asks by itself; it says which review and copy, and nothing of their state."""
    found = _drawn(cards.refund())["refresh"]
    assert found["userIds"] == []
    bare = Token(copy="copy", review=cards.refund().review, revision=0, shown="")
    assert press.read(found["action"]["data"]) == press.Pressed(way=How.REFRESH, token=bare)
    assert "refresh" not in render.content(render.private(cards.refund(), None))


def test_the_minimal_card_has_no_controls() -> None:
    """Nobody decides on what they cannot see."""
    drawn = render.content(render.minimal(cards.refund()))
    assert actions(drawn) == []
    assert "Open the full page" in seen(drawn)


def test_a_card_without_long_parts_has_no_details() -> None:
    """Nothing is posted beneath it."""
    assert render.details(cards.held()) is None


def test_the_details_have_no_controls() -> None:
    """What is decided is decided on the card."""
    details = render.details(cards.refund())
    assert details is not None
    assert actions(render.content(details)) == []
    assert "Where is my parcel?" in seen(render.content(details))


def test_a_private_card_without_a_token_leads_on_and_decides_nothing() -> None:
    """Its ways stay."""
    drawn = render.content(render.private(cards.refund(), None))
    assert [press.read(action["data"]).way for action in actions(drawn)] == [How.GO]


def test_a_note_is_plain_words() -> None:
    """Never parsed, never empty, of a bearable length."""
    for text in (*cards.HOSTILE, "", "x" * 9000):
        message = render.note(text)
        assert message_faults(message) == []
        assert len(message["text"]) <= limits.NOTE


def test_what_the_head_says_is_not_said_again() -> None:
    """A decided card says once that it is approved; an agent's callout of that title keeps it."""
    words = seen(_drawn(cards.decided())).splitlines()
    assert words[0] == "✅ Approved  ·  revision 1"
    assert words[2].startswith("✅ Ana Ruiz (manager) approved it")
    agent = Callout(title="Approved", text="By me.", voice=Voice.AGENT)
    assert "From the agent · Approved" in seen(_drawn(_card(agent, status="Approved")))


@pytest.mark.parametrize("many", [0, 1, 20, 400])
def test_news_are_lines_with_their_instants(many: int) -> None:
    """Each in the reader's own time; what does not fit is on the full page."""
    lines = [Happening(at=cards.NOW, text=f"happening {n} " + "x" * 200) for n in range(many)]
    message = render.news(lines)
    assert message_faults(message) == []
    if many:
        assert "{{TIME(2026-11-25T11:40:00Z)}}  happening 0" in seen(render.content(message))
    assert ("more on the full page" in str(message)) is (many == 400)


# ---------------------------------------------------------------------------------------------- faults


def test_a_faulty_form_is_open_with_what_was_typed() -> None:
    """Each fault stands at its field, the rest above; nothing else can be pressed but Cancel."""
    values, errors = {"/order": "B-9", "/amount": "9000"}, {"/amount": "At most 500.", "other": "And this."}
    message = render.faulty(cards.refund(), "copy", Verb.EDIT, values, errors, "Look again.")
    drawn = render.content(message)
    assert message_faults(message) == []
    assert inputs(drawn)[press.field_id(Verb.EDIT, "/order")]["value"] == "B-9"
    assert inputs(drawn)[press.field_id(Verb.EDIT, "/parcels")]["value"] == 1
    body = drawn["body"]
    at = next(n for n, item in enumerate(body) if item.get("id") == press.field_id(Verb.EDIT, "/amount"))
    assert body[at + 1]["inlines"][0]["text"] == "⚠️ At most 500."
    assert "⚠️ Look again. And this." in seen(drawn)
    save, back = (press.read(action["data"]) for action in drawn["actions"])
    assert (save.way, save.verb, back.way) == (How.FORM, Verb.EDIT, How.REFRESH)
    assert save.token == back.token == Token.of(cards.refund(), "copy")
    assert drawn["actions"][1]["associatedInputs"] == "none"


def test_a_faulty_form_keeps_what_is_no_number_or_choice() -> None:
    """What was typed is shown as it was, in a field that takes it."""
    values = {"/amount": "a lot", "/pay_on": "tomorrow", "/notify_customer": "maybe"}
    drawn = render.content(render.faulty(cards.refund(), "c", Verb.EDIT, values, {}, "Look again."))
    assert {inputs(drawn)[press.field_id(Verb.EDIT, name)]["value"] for name in values} == set(values.values())


def test_a_form_that_was_one_text_stays_one() -> None:
    """With the text as it was typed."""
    message = render.faulty(cards.refund(), "c", Verb.EDIT, {"": "{oops"}, {"": "Not JSON."}, "Look again.")
    assert message_faults(message) == []
    found = inputs(render.content(message))
    assert {name: item["value"] for name, item in found.items()} == {press.field_id(Verb.EDIT, ""): "{oops"}


@pytest.mark.parametrize("copy", ["copy", ""])
def test_without_that_control_the_card_is_drawn_as_it_stands(copy: str) -> None:
    """It was decided meanwhile."""
    message = render.faulty(cards.expired(), copy, Verb.EDIT, {"/order": "x"}, {"/order": "No."}, "Look again.")
    assert message_faults(message) == []
    assert inputs(render.content(message)).keys() == {press.field_id(Verb.COMMENT, "reason")}


@pytest.mark.parametrize("name", sorted(cards.ALL))
def test_a_faulty_form_of_every_sample_fits(name: str) -> None:
    """With every field wrong; what cannot be held says where it can be done."""
    card = cards.ALL[name]
    for block in (block for block in card.blocks if isinstance(block, Actions)):
        for control in (*block.controls, *block.overflow):
            names = [field.name for field in control.form.fields] if control.form else []
            errors = dict.fromkeys(names, "This is needed.")
            assert message_faults(render.faulty(card, "c", control.verb, {}, errors, "Look again.")) == []


# ---------------------------------------------------------------------------------------------- hostile words


def test_no_agents_words_stand_where_they_are_parsed() -> None:
    """Text runs alone hold them, and their braces are parted."""
    trick = "{{DATE(2026-11-21T19:00:00Z,LONG)}} [Approve](https://evil.example) **now**"
    drawn = _drawn(_card(Text(text=trick), title=trick, status=trick, fallback=trick))
    assert trick in seen(drawn)
    runs = [item["text"] for item in walk(drawn) if item.get("type") == "TextRun"]
    assert not any("{{" in text for text in runs)
    assert "{{" not in drawn["fallbackText"]


def test_what_hides_or_reorders_letters_is_made_visible() -> None:
    """An override cannot turn an amount round."""
    assert "\u202e" not in str(_drawn(cards.hostile()))
    assert "refund \ufffd0081 DSU\ufffd now" in seen(_drawn(cards.hostile()))


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.lists(samples.BLOCKS, max_size=6),
    row=samples.ROW,
    thread=st.lists(samples.BLOCKS, max_size=3),
    words=st.tuples(samples.WORDS, samples.WORDS, samples.WORDS, samples.WORDS),
    over=st.booleans(),
)
def test_any_card_is_within_the_limits(
    blocks: list[Block], row: Actions, thread: list[Block], words: tuple[str, str, str, str], over: bool
) -> None:
    """Whatever is in it, in every way it is sent."""
    title, status, fallback, link = words
    card = _card(
        *blocks, row, title=title, status=status, fallback=fallback, link=link, thread=tuple(thread), over=over
    )
    token = Token.of(card, "")
    for message in (
        render.message(card, "copy"),
        render.private(card, token),
        render.details(card),
        render.minimal(card),
        *(render.faulty(card, "c", control.verb, {}, {}, title) for control in row.controls[:2]),
    ):
        assert message is None or message_faults(message) == []


@settings(max_examples=60, deadline=None)
@given(url=st.text(max_size=40) | st.from_regex(r"https?://[^ ]{0,60}", fullmatch=True))
def test_only_a_web_address_is_a_link(url: str) -> None:
    """Teams refuses a whole card for an address that is none."""
    assert message_faults(render.message(_card(Text(text="x"), link=url), "copy")) == []


def test_a_token_that_is_too_long_leaves_the_controls_out() -> None:
    """A button that could not say what it stands for must not be there."""
    card = _card(cards.actions("rev_1"), review="r" * 700)
    assert {press.read(action["data"]).way for action in actions(_drawn(card))} == {How.GO}


def test_a_form_or_an_input_in_a_card_is_readable() -> None:
    """As words: what is filled in stands behind a button."""
    field = Input(name="/a", label="Order", value="A-1")
    form = Form(fields=(field, replace(field, label="Iban", locked=True)), submit="Send", intro="Please look.")
    words = seen(_drawn(_card(form, field))).splitlines()
    assert words[2:7] == ["Please look.", "Order: A-1", "Iban: locked", "Fill it in on the full page.", "Order: A-1"]
