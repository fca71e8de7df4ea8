"""What a browser posts becomes an Interaction, typed by the card's form, or faults beside its fields."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web import parse
from reviews.card import Actions, Card, Control, Form, Input, Kind
from reviews.events import Interaction
from reviews.model import Identity, Verb
from tests.fakes import cards

ANA = Identity(surface="web", id="ana", tenant="signin")


def post(card: Card, verb: Verb, **fields: str) -> dict[str, str]:
    """What the browser sends for a form left as it is, but for `fields`."""
    control = parse.control(card, verb)
    given = control.form.fields if control and control.form else ()
    typed = {f"f.{f.name}": "" if f.locked else f.value for f in given} | {f"f.{k}": v for k, v in fields.items()}
    return {"verb": verb, "revision": str(card.revision), "shown": card.digest, **typed}


def taken(data: dict[str, str], card: Card) -> Interaction:
    """The interaction, which there must be."""
    made = parse.interaction(data, card, ANA)
    assert isinstance(made, Interaction), made
    return made


def refused(data: dict[str, str], card: Card) -> dict[str, str]:
    """The faults, which there must be."""
    made = parse.interaction(data, card, ANA)
    assert isinstance(made, parse.Faults), made
    return made.errors


def card_with(*fields: Input, verb: Verb = Verb.EDIT) -> Card:
    """A card whose one control has this form."""
    form = Form(fields=fields, submit="Go")
    return replace(cards.refund(), blocks=(Actions(controls=(Control(verb=verb, label="Go", form=form),)),))


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_is_taken(verb: Verb) -> None:
    """Each of the ways to touch a review is one press of a control, with what the person saw."""
    card = replace(cards.refund(), blocks=(Actions(controls=(Control(verb=verb, label="Go"),)),))
    made = taken(post(card, verb), card)
    assert (made.verb, made.review, made.revision, made.shown) == (verb, card.review, 1, card.digest)
    assert made.identity == ANA


def test_an_unknown_verb_is_refused() -> None:
    """A page from another time cannot make something up."""
    made = parse.interaction({"verb": "delete"}, cards.refund(), ANA)
    assert isinstance(made, parse.Faults)
    assert "Reload" in made.text


def test_an_edit_left_alone_gives_the_arguments_in_their_types() -> None:
    """Every kind of input comes back typed; the locked one is left out, which keeps it."""
    card = cards.refund()
    assert taken(post(card, Verb.EDIT), card).arguments == {
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
    made = taken(post(card, Verb.EDIT, **{"/iban": "ES00"}), card)
    assert made.arguments is not None
    assert made.arguments["iban"] == "ES00"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TEXT, " as typed ", " as typed "),
        (Kind.MULTILINE, "one\r\ntwo", "one\ntwo"),
        (Kind.NUMBER, "12.50", 12.5),
        (Kind.NUMBER, " -3 ", -3),
        (Kind.NUMBER, "1e3", 1000.0),
        (Kind.INTEGER, "+7", 7),
        (Kind.BOOLEAN, "false", False),
        (Kind.CHOICE, "b", "b"),
        (Kind.DATE, "2026-02-28", "2026-02-28"),
        (Kind.JSON, '{"a": [1, null, 9007199254740992]}', {"a": [1, None, 9007199254740992]}),
    ],
)
def test_typed_values(kind: Kind, text: str, value: object) -> None:
    """What is typed is read in the type its kind asks for."""
    got = parse.value(text, Input(name="/x", label="x", kind=kind, choices=("a", "b")))
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (Kind.NUMBER, "12,50", "with a point"),
        (Kind.NUMBER, "nan", "with a point"),
        (Kind.NUMBER, "1e999", "too large"),
        (Kind.NUMBER, "9007199254740993", "too large"),
        (Kind.INTEGER, "1.0", "whole number"),
        (Kind.INTEGER, "9" * 5000, "whole number"),
        (Kind.BOOLEAN, "maybe", "yes or no"),
        (Kind.CHOICE, "z", "a, b"),
        (Kind.DATE, "2026-02-30", "2026-11-26"),
        (Kind.JSON, '{"a": }', "line 1, column 7"),
        (Kind.JSON, "[NaN]", "NaN"),
        (Kind.JSON, "[1e999]", "too large"),
        (Kind.JSON, "[9007199254740993]", "in quotes"),
        (Kind.JSON, "[" * 65 + "]" * 65, "64 levels"),
        (Kind.JSON, "[" * 100_000, "64 levels"),
        (Kind.JSON, '{"a": 1, "a": 2}', "twice"),
    ],
)
def test_misfits_say_what_to_write(kind: Kind, text: str, says: str) -> None:
    """A value of the wrong type is a sentence beside its field, never a guess."""
    with pytest.raises(parse.Misfit, match=says):
        parse.value(text, Input(name="/x", label="x", kind=kind, choices=("a", "b")))


def test_faults_keep_what_was_typed() -> None:
    """All wrong fields are told at once, and nothing typed is lost."""
    card = cards.refund()
    data = post(card, Verb.EDIT, **{"/amount": "lots", "/lines": "[", "/order": "  ", "/message": "Kept"})
    made = parse.interaction(data, card, ANA)
    assert isinstance(made, parse.Faults)
    assert set(made.errors) == {"/amount", "/lines", "/order"}
    assert made.values["/message"] == "Kept"


def test_a_text_the_browser_rewrote_stays_as_it_was() -> None:
    """Line ends are CR LF on the wire and NUL is replaced; the digest must not change for it."""
    field = Input(name="/note", label="note", kind=Kind.MULTILINE, value="a\r\nb\nc\x00")
    card = card_with(field)
    assert taken(post(card, Verb.EDIT, **{"/note": "a\r\nb\r\nc\ufffd"}), card).arguments == {"note": "a\r\nb\nc\x00"}


def test_blank_fields() -> None:
    """A text emptied on purpose is empty; what was blank before, and an emptied number, are left out."""
    card = card_with(
        Input(name="/was", label="was", value="x"),
        Input(name="/never", label="never"),
        Input(name="/n", label="n", kind=Kind.NUMBER, value="3"),
    )
    assert taken(post(card, Verb.EDIT, **{"/was": "", "/n": " "}), card).arguments == {"was": ""}


def test_a_field_too_long_is_told() -> None:
    """Longer than the field allows; a value that was longer already may stay."""
    card = card_with(Input(name="/a", label="a", max_length=3), Input(name="/b", label="b", value="long", max_length=3))
    assert list(refused(post(card, Verb.EDIT, **{"/a": "abcd"}), card)) == ["/a"]


def test_an_edit_of_a_card_that_is_over_goes_on_to_the_desk() -> None:
    """The desk says who was first; the page does not guess."""
    data = post(cards.refund(), Verb.EDIT) | {"revision": "7"}
    made = taken(data, cards.decided())
    assert (made.arguments, made.revision) == (None, 7)


@pytest.mark.parametrize(
    ("typed", "reason", "notes"),
    [
        ({"reason": "freeze"}, "freeze", None),
        ({"reason": "freeze", "notes": "until Monday"}, "freeze", "until Monday"),
        ({"text": "no good"}, "no good", None),
        ({"reason": "freeze", "text": "until Monday"}, "freeze", "until Monday"),
        ({"reason": " ", "notes": "a\r\nb"}, None, "a\nb"),
    ],
)
def test_a_persons_words(typed: dict[str, str], reason: str | None, notes: str | None) -> None:
    """A tapped reason is the reason, words beside it are notes; words alone may be the reason."""
    card = cards.refund()
    made = taken({"verb": "reject", "revision": "1"} | {f"f.{k}": v for k, v in typed.items()}, card)
    assert (made.reason, made.notes, made.revision) == (reason, notes, 1)


def test_needed_words_are_asked_for() -> None:
    """A request for changes says what should change."""
    card = cards.refund()
    assert refused(post(card, Verb.REQUEST_CHANGES, reason="  "), card) == {"reason": "This is needed."}


def test_handing_over_names_the_person() -> None:
    """`to` is a person's id."""
    card = cards.refund()
    assert taken(post(card, Verb.HAND, to="bo"), card).to == "bo"


def test_an_answer_is_arguments_or_words() -> None:
    """What a person did in the agent's stead, by fields where there are some, else in their words."""
    fields = card_with(Input(name="/ticket", label="ticket"), Input(name="notes", label="notes"), verb=Verb.ANSWER)
    words = card_with(Input(name="text", label="text"), verb=Verb.ANSWER)
    assert taken(post(fields, Verb.ANSWER, **{"/ticket": "T-1"}), fields).arguments == {"ticket": "T-1"}
    made = taken(post(words, Verb.ANSWER, text="Called them"), words)
    assert (made.arguments, made.reason) == (None, "Called them")


def test_pointers_nest() -> None:
    """RFC 6901: slashes make levels, `~1` and `~0` stand for themselves."""
    assert parse.nested({"/a/b": 1, "/a/c~1d": 2, "/e~0": 3}) == {"a": {"b": 1, "c/d": 2}, "e~": 3}


def test_a_bulk_choice_comes_back_as_it_was_shown() -> None:
    """Review, revision, digest and action of each line, of one action only."""
    one = parse.Pick(review="rev_1", revision=2, digest="ab", action='odd "name"')
    two = replace(one, review="rev_2")
    assert parse.picks([parse.pick_value(one), parse.pick_value(two)]) == (one, two)
    mixed = parse.picks([parse.pick_value(one), parse.pick_value(replace(two, action="other"))])
    assert isinstance(mixed, parse.Faults)
    assert "same action" in mixed.text


@given(
    st.lists(st.one_of(st.text(max_size=40), st.builds(json.dumps, st.lists(st.text() | st.integers(), max_size=5))))
)
def test_no_bulk_choice_breaks_it(chosen: list[str]) -> None:
    """Whatever is posted: lines we could have made, or a sentence."""
    made = parse.picks(chosen)
    assert isinstance(made, parse.Faults) or len(made) == len(chosen)


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/reviews/../x", "", "/inbox\r\nX: y"]
)
def test_after_signing_in_one_stays_here(path: str) -> None:
    """A way on that is not one of our pages leads to the inbox."""
    assert parse.destination(path) == "/inbox"


def test_after_signing_in_one_goes_where_one_wanted() -> None:
    """Our own pages are gone on to."""
    assert parse.destination("/reviews/rev_1-a") == "/reviews/rev_1-a"


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=8), st.sampled_from(list(Verb)))
def test_nothing_posted_breaks_it(data: dict[str, str], verb: Verb) -> None:
    """Any fields at all: an interaction or faults, never an exception."""
    fields = {f"f.{name}": text for name, text in data.items()} | {f"f./{n}": t for n, t in data.items()}
    made = parse.interaction(data | fields | {"verb": verb}, cards.refund(), ANA)
    assert isinstance(made, (Interaction, parse.Faults))


@pytest.mark.parametrize("verb", sorted(parse.DECIDES))
@pytest.mark.parametrize("revision", [None, "", "x", "-1"])
def test_nothing_is_decided_on_what_was_not_seen(verb: Verb, revision: str | None) -> None:
    """A vote that names no revision is a sentence, and keeps what was typed."""
    data = {"verb": verb, "f.reason": "typed"} | ({} if revision is None else {"revision": revision})
    made = parse.interaction(data, cards.refund(), ANA)
    assert isinstance(made, parse.Faults)
    assert "which revision you saw" in made.text
    assert made.values == {"reason": "typed"}
