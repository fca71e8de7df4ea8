"""A filled-in form becomes an Interaction, typed by the card's form, or faults beside its fields."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews import filled
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.digest import action_digest
from reviews.events import Interaction
from reviews.filled import Faults
from reviews.forms import edit_form, in_one, merged
from reviews.model import Identity, Object, Review, Verb
from reviews.present import present
from reviews.surroundings import Surroundings
from reviews.values import replace
from tests.fakes import cards
from tests.fakes.builders import a_request, a_review, a_route

ANA = Identity(surface="slack", id="U1", tenant="T1")


def bare(card: Card, verb: Verb, **over: object) -> Interaction:
    """Who pressed what on which card."""
    made = Interaction(
        verb=verb,
        identity=ANA,
        review=card.review,
        revision=card.revision,
        shown=card.digest,
        copy="cpy_1",
        ref={"ts": "1"},
        once="e1",
    )
    return replace(made, **over)  # type: ignore[arg-type]  # fields by name


def as_it_was(form: Form | None, **fields: str) -> dict[str, str]:
    """The values of a form nobody touched, but for `fields`."""
    return {f.name: "" if f.locked else f.value for f in (form.fields if form else ())} | fields


def form_of(card: Card, verb: Verb) -> Form | None:
    """The form of a card's control."""
    control = filled.control(card, verb)
    return control.form if control else None


def made(card: Card, verb: Verb, **fields: str) -> Interaction | Faults:
    """What comes of a form left as it is, but for `fields`."""
    return filled.interaction(bare(card, verb), card, as_it_was(form_of(card, verb), **fields))


def taken(card: Card, verb: Verb, **fields: str) -> Interaction:
    """The interaction, which there must be."""
    came = made(card, verb, **fields)
    assert isinstance(came, Interaction), came
    return came


def refused(card: Card, verb: Verb, **fields: str) -> dict[str, str]:
    """The faults, which there must be."""
    came = made(card, verb, **fields)
    assert isinstance(came, Faults), came
    return came.errors


def card_with(*fields: Input, verb: Verb = Verb.EDIT) -> Card:
    """A card whose one control has this form."""
    form = Form(fields=fields, submit="Go")
    return replace(cards.refund(), blocks=(Actions(controls=(Control(verb=verb, label="Go", form=form),)),))


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_is_taken(verb: Verb) -> None:
    """Each of the ways to touch a review is one press of a control; all that was pressed goes on as it is."""
    card = replace(cards.refund(), blocks=(Actions(controls=(Control(verb=verb, label="Go"),)),))
    assert filled.interaction(bare(card, verb), card, {}) == bare(card, verb)


@pytest.mark.parametrize("verb", sorted(filled.DECIDES))
def test_nothing_is_decided_on_what_was_not_seen(verb: Verb) -> None:
    """A vote that names no revision is a sentence, and keeps what was typed."""
    card = cards.refund()
    came = filled.interaction(bare(card, verb, revision=None), card, {"reason": "typed"})
    assert isinstance(came, Faults)
    assert "which revision you saw" in came.text
    assert came.values == {"reason": "typed"}


def test_an_edit_left_alone_gives_the_arguments_in_their_types() -> None:
    """Every kind of input comes back typed; the locked one is left out, which keeps it."""
    card = cards.refund()
    assert taken(card, Verb.EDIT).arguments == {
        "order": "A-4721",
        "amount": 180.0,
        "currency": "USD",
        "parcels": 1,
        "notify_customer": True,
        "pay_on": "2026-11-26",
        "message": "Sorry your parcel was lost.",
        "lines": [{"sku": "LAMP-2", "qty": 1}],
    }


def test_a_locked_field_filled_in_replaces_its_value() -> None:
    """Blank keeps; anything else is the new value."""
    card = cards.refund()
    made = taken(card, Verb.EDIT, **{"/iban": "ES00"})
    assert made.arguments is not None
    assert made.arguments["iban"] == "ES00"


def test_faults_keep_what_was_typed() -> None:
    """All wrong fields are told at once, and nothing typed is lost."""
    came = made(cards.refund(), Verb.EDIT, **{"/amount": "lots", "/lines": "[", "/order": "  ", "/message": "Kept"})
    assert isinstance(came, Faults)
    assert set(came.errors) == {"/amount", "/lines", "/order"}
    assert came.values["/message"] == "Kept"


def test_a_text_the_browser_rewrote_stays_as_it_was() -> None:
    """Line ends are CR LF on the wire and NUL is replaced; the digest must not change for it."""
    field = Input(name="/note", label="note", kind=Kind.MULTILINE, value="a\r\nb\nc\x00")
    card = card_with(field)
    assert taken(card, Verb.EDIT, **{"/note": "a\r\nb\r\nc\ufffd"}).arguments == {"note": "a\r\nb\nc\x00"}


def test_blank_fields() -> None:
    """A text emptied on purpose is empty; what was blank before, and an emptied number, are left out."""
    card = card_with(
        Input(name="/was", label="was", value="x"),
        Input(name="/never", label="never"),
        Input(name="/n", label="n", kind=Kind.NUMBER, value="3"),
    )
    assert taken(card, Verb.EDIT, **{"/was": "", "/n": " "}).arguments == {"was": ""}


def test_a_field_too_long_is_told() -> None:
    """Longer than the field allows; a value that was longer already may stay."""
    card = card_with(Input(name="/a", label="a", max_length=3), Input(name="/b", label="b", value="long", max_length=3))
    assert list(refused(card, Verb.EDIT, **{"/a": "abcd"})) == ["/a"]


def test_an_edit_of_a_card_that_is_over_goes_on_to_the_desk() -> None:
    """The desk says who was first; nobody guesses."""
    card = cards.decided()
    came = filled.interaction(bare(card, Verb.EDIT, revision=7), card, as_it_was(form_of(cards.refund(), Verb.EDIT)))
    assert isinstance(came, Interaction)
    assert (came.arguments, came.revision) == (None, 7)


@pytest.mark.parametrize(
    ("chosen", "typed", "reason", "notes"),
    [
        (None, {"reason": "freeze"}, "freeze", None),
        (None, {"reason": "freeze", "notes": "until Monday"}, "freeze", "until Monday"),
        (None, {"text": "no good"}, "no good", None),
        (None, {"reason": "freeze", "text": "until Monday"}, "freeze", "until Monday"),
        (None, {"reason": " ", "notes": "a\r\nb"}, None, "a\nb"),
        ("freeze", {}, "freeze", None),
        ("freeze", {"text": "until Monday"}, "freeze", "until Monday"),
    ],
)
def test_a_persons_words(chosen: str | None, typed: dict[str, str], reason: str | None, notes: str | None) -> None:
    """A chosen reason is the reason, words beside it are notes; words alone may be the reason."""
    card = cards.refund()
    came = filled.interaction(bare(card, Verb.REJECT, reason=chosen), card, typed)
    assert isinstance(came, Interaction)
    assert (came.reason, came.notes) == (reason, notes)


def test_own_words_are_as_long_as_a_reason_may_be() -> None:
    """They stand in for one, also where one is needed."""
    card = card_with(Input(name="reason", label="Why?", required=True, max_length=5), verb=Verb.REJECT)
    assert list(refused(card, Verb.REJECT, text="longer")) == ["text"]
    assert taken(card, Verb.REJECT, text="short").reason == "short"
    assert list(refused(card, Verb.REJECT, text=" ")) == ["reason"]


def test_needed_words_are_asked_for() -> None:
    """A request for changes says what should change."""
    card = cards.refund()
    assert refused(card, Verb.REQUEST_CHANGES, reason="  ") == {"reason": "This is needed."}


def test_handing_over_names_the_person() -> None:
    """`to` is a person's id."""
    card = cards.refund()
    assert taken(card, Verb.HAND, to="bo").to == "bo"


def test_an_answer_is_arguments_or_words() -> None:
    """What a person did in the agent's stead, by fields where there are some, else in their words."""
    fields = card_with(Input(name="/ticket", label="ticket"), Input(name="notes", label="notes"), verb=Verb.ANSWER)
    words = card_with(Input(name="text", label="text"), verb=Verb.ANSWER)
    assert taken(fields, Verb.ANSWER, **{"/ticket": "T-1"}).arguments == {"ticket": "T-1"}
    made = taken(words, Verb.ANSWER, text="Called them")
    assert (made.arguments, made.reason) == (None, "Called them")


# ---------------------------------------------------------------------------------------------- any arguments

_NUMBERS = st.integers(1 - 2**53, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
_LEAVES = st.none() | st.booleans() | _NUMBERS | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_NAMES = st.text("ab/~ \r\n01", max_size=4)
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3))


def a_review_of(arguments: Object, hidden: list[str], typed: bool) -> Review:
    """A pending review of these arguments, some hidden, with or without a schema that fits them."""
    of = {str: "string", bool: "boolean", int: "integer", float: "number"}
    specs = {name: {"type": of[type(v)]} for name, v in arguments.items() if type(v) in of}
    sensitive = tuple("/action/arguments" + pointer for pointer in hidden)
    schema: Object = {"type": "object", "properties": specs, "required": list(specs)}
    route = a_route(sensitive=sensitive, schema=schema if typed else None)
    return a_review(request=a_request(arguments=arguments, subject=None, summary="x"), route=route)


@st.composite
def reviews(draw: st.DrawFn) -> Review:
    """Any arguments, any of them hidden, in whole or in part."""
    arguments = draw(st.dictionaries(_NAMES, _VALUES, max_size=5))
    every = sorted(_pointers(arguments))
    hidden = draw(st.lists(st.sampled_from(every), max_size=2)) if every else []
    return a_review_of(arguments, hidden, draw(st.booleans()))


def _pointers(value: object, at: str = "") -> set[str]:
    match value:
        case dict():
            steps = {at + "/" + key.replace("~", "~0").replace("/", "~1"): inner for key, inner in value.items()}
        case list():
            steps = {f"{at}/{n}": inner for n, inner in enumerate(value)}
        case _:
            steps = {}
    return set(steps).union(*(_pointers(inner, pointer) for pointer, inner in steps.items()))


def digest_of(review: Review, form: Form, values: dict[str, str]) -> str:
    """The digest of what an edit with these values would propose."""
    card = card_with(*form.fields)
    came = filled.interaction(bare(card, Verb.EDIT), card, values)
    assert isinstance(came, Interaction), came
    assert came.arguments is not None
    return action_digest(review.request.action.name, merged(review, came.arguments))


@given(reviews())
def test_nothing_edited_changes_nothing(review: Review) -> None:
    """By field or all in one text: whatever the arguments are and whatever of them is hidden, the digest stays."""
    form = edit_form(review, str)
    assert digest_of(review, form, as_it_was(form)) == review.proposal.digest
    one = in_one(form)
    assert [field.name for field in one.fields] == [""]
    assert digest_of(review, form, as_it_was(one)) == review.proposal.digest


@given(reviews(), _VALUES)
def test_a_name_written_into_the_one_text_is_taken(review: Review, new: object) -> None:
    """What is written in is what stands, hidden before or not."""
    form = edit_form(review, str)
    (whole,) = in_one(form).fields
    text = json.dumps(json.loads(whole.value) | {"new": new, **dict.fromkeys(review.request.action.arguments, "x")})
    arguments = {"new": new, **dict.fromkeys(review.request.action.arguments, "x")}
    assert digest_of(review, form, {"": text}) == action_digest(review.request.action.name, arguments)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=8), st.sampled_from(list(Verb)))
def test_nothing_filled_in_breaks_it(data: dict[str, str], verb: Verb) -> None:
    """Any fields at all: an interaction or faults, never an exception."""
    card = cards.refund()
    came = filled.interaction(bare(card, verb), card, data | {f"/{name}": text for name, text in data.items()})
    assert isinstance(came, Interaction | Faults)


def test_real_cards_work_the_same() -> None:
    """A card as the house makes it, edited in one text."""
    review = a_review()
    card = present(review, Surroundings())
    form = form_of(card, Verb.EDIT)
    assert form is not None
    came = filled.interaction(bare(card, Verb.EDIT), card, {"": '{"amount": 99.5}'})
    assert isinstance(came, Interaction)
    assert came.arguments == {"amount": 99.5}
    for text in ("", "[]", "{"):
        fault = filled.interaction(bare(card, Verb.EDIT), card, {"": text})
        assert isinstance(fault, Faults)
        assert list(fault.errors) == [""]
