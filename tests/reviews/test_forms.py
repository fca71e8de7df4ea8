"""The edit form: typed by the schema, and with nothing in it that is hidden."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviews.card import Form, Input, Kind
from reviews.forms import edit_form, in_one, merged
from reviews.model import Object, Review
from reviews.redact import MASK, scrubber
from reviews.values import replace
from tests.fakes.builders import a_request, a_review, a_route

IBAN = "ES9121000418450200051332"


def review(arguments: Object, *sensitive: str, schema: Object | None = None) -> Review:
    """A review of these arguments; `sensitive` are pointers into them."""
    route = a_route(schema=schema, sensitive=tuple(f"/action/arguments{pointer}" for pointer in sensitive))
    return a_review(request=a_request(arguments=arguments), route=route)


def fields(of: Review) -> dict[str, Input]:
    """Its form's fields by name."""
    scrub = scrubber(of.request, of.route.sensitive)
    return {field.name: field for field in edit_form(of, scrub).fields}


def schema(**properties: Object) -> Object:
    """A schema of these properties, all of them required."""
    return {"type": "object", "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    ("spec", "value", "kind"),
    [
        ({}, "a", Kind.TEXT),
        ({}, "a\nb", Kind.MULTILINE),
        ({}, 1.5, Kind.NUMBER),
        ({}, 1, Kind.NUMBER),
        ({"type": "integer"}, 1, Kind.INTEGER),
        ({}, True, Kind.BOOLEAN),
        ({}, [1], Kind.JSON),
        ({"type": "string", "format": "date"}, "2026-01-01", Kind.DATE),
        ({"enum": ["a", "b"]}, "a", Kind.CHOICE),
        ({"enum": ["a", 1]}, "a", Kind.TEXT),
    ],
)
def test_a_field_is_typed(spec: Object, value: Any, kind: Kind) -> None:
    """By the schema, else by the value."""
    assert fields(review({"x": value}, schema=schema(x=spec)))["/x"].kind is kind


def test_what_is_blank_may_stay_blank() -> None:
    """A text that is needed and empty is there; one that is not there is needed."""
    found = fields(review({"a": "", "b": " ", "c": None, "d": "x"}, schema=schema(a={}, b={}, c={}, d={}, e={})))
    assert [name for name, field in found.items() if field.required] == ["/d", "/e"]


def test_a_sensitive_field_is_locked_and_empty() -> None:
    """It need not be filled in, and a list to choose from does not give it away."""
    field = fields(review({"iban": IBAN}, "/iban", schema=schema(iban={"enum": [IBAN]})))["/iban"]
    assert (field.locked, field.value, field.required, field.kind, field.choices) == (True, "", False, Kind.TEXT, ())


def test_what_mentions_something_hidden_is_locked_too() -> None:
    """Shown it would tell; masked in part it would be sent back as the argument."""
    found = fields(review({"iban": IBAN, "message": f"Paid to {IBAN[:4]} {IBAN[4:]}", "order": "A-1"}, "/iban"))
    assert [(name, field.locked, field.value) for name, field in found.items()] == [
        ("/iban", True, ""),
        ("/message", True, ""),
        ("/order", False, "A-1"),
    ]


def test_an_agents_schema_tells_nothing_hidden() -> None:
    """Neither by a title, a description, nor by what may be chosen."""
    told = {"title": f"not {IBAN}", "description": f"was ES91-{IBAN[4:]}", "enum": ["a", f"to {IBAN}"]}
    field = fields(review({"iban": IBAN, "x": "a"}, "/iban", schema=schema(x=told)))["/x"]
    assert (field.label, field.hint, field.choices) == (f"not {MASK}", f"was {MASK}", ("a",))


@pytest.mark.parametrize(
    ("sensitive", "given", "complete"),
    [
        (("/iban",), {"order": "B", "message": "m"}, {"iban": IBAN, "order": "B", "message": "m"}),
        (("/iban",), {"order": "B", "message": ""}, {"iban": IBAN, "order": "B", "message": f"to {IBAN}"}),
        (("/iban",), {"order": "B", "iban": "new"}, {"iban": "new", "order": "B", "message": f"to {IBAN}"}),
        (("",), {"order": "B"}, {"iban": IBAN, "order": "B", "message": f"to {IBAN}"}),
        ((), {"order": "B"}, {"order": "B"}),
    ],
)
def test_blank_keeps_what_is_locked(sensitive: tuple[str, ...], given: Object, complete: Object) -> None:
    """Hidden values and those that mention them stay; others that were taken out are gone."""
    of = review({"iban": IBAN, "order": "A-1", "message": f"to {IBAN}"}, *sensitive)
    assert merged(of, given) == complete


def test_a_hidden_part_is_put_back_where_it_was() -> None:
    """Into objects; never into lists, where it could be given to the next line."""
    of = review(
        {"to": {"iban": IBAN, "name": "Ana"}, "lines": [{"iban": "a-11111"}, {"n": 2}]}, "/to/iban", "/lines/0/iban"
    )
    assert merged(of, {"to": {"name": "Bo"}, "lines": [{"n": 2}]}) == {
        "to": {"name": "Bo", "iban": IBAN},
        "lines": [{"n": 2}],
    }
    assert merged(of, {}) == of.request.action.arguments


def test_a_list_taken_out_does_not_come_back_in_pieces() -> None:
    """Its hidden lines are gone with it; an object may be keyed by numbers all the same."""
    of = review(
        {"to": {"lines": [{"iban": IBAN}], "by": {"7": {"iban": IBAN}}, "n": 1}}, "/to/lines/0", "/to/by/7/iban"
    )
    assert merged(of, {"to": {"n": 2}}) == {"to": {"n": 2, "by": {"7": {"iban": IBAN}}}}


def test_what_was_written_instead_of_a_hidden_part_stays() -> None:
    """An object whose part is hidden was replaced by something that has no such part."""
    of = review({"to": {"iban": IBAN, "name": "Ana"}}, "/to/iban")
    assert merged(of, {"to": "Bo"}) == {"to": "Bo"}
    assert merged(of, {"to": ["Bo"]}) == {"to": ["Bo"]}


def test_all_arguments_in_one_text() -> None:
    """Typed as each field was; hidden ones are named and left out; what is no argument stays a field."""
    form = edit_form(review({"iban": IBAN, "n": 1.0, "note": "a\r\nb", "empty": "", "x": None}, "/iban"), str)
    words = Input(name="notes", label="Notes")
    whole, other = in_one(replace(form, fields=(*form.fields, words))).fields
    assert (whole.name, whole.kind, whole.required, other) == ("", Kind.JSON, True, words)
    assert json.loads(whole.value) == {"n": 1.0, "note": "a\r\nb"}
    assert whole.hint == "Hidden and kept, unless you write them in: iban."
    assert in_one(in_one(form)).fields[0].value == whole.value


def test_a_value_its_field_cannot_read_stays_a_text() -> None:
    """Nothing is lost for a schema that does not fit."""
    form = Form(fields=(Input(name="/n", label="n", kind=Kind.INTEGER, value="many"),), submit="Go")
    assert json.loads(in_one(form).fields[0].value) == {"n": "many"}
