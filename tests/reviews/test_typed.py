"""Texts of form fields become values of the type asked for, or a sentence beside the field."""

from __future__ import annotations

import pytest

from reviews.card import Input, Kind
from reviews.typed import Misfit, nested, value


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
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
        (Kind.JSON, '{"a": [1, null, 9007199254740991]}', {"a": [1, None, 9007199254740991]}),
    ],
)
def test_typed_values(kind: Kind, text: str, wanted: object) -> None:
    """What is typed is read in the type its kind asks for."""
    got = value(text, Input(name="/x", label="x", kind=kind, choices=("a", "b")))
    assert got == wanted
    assert type(got) is type(wanted)


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (Kind.NUMBER, "12,50", "with a point"),
        (Kind.NUMBER, "nan", "with a point"),
        (Kind.NUMBER, "1e999", "too large"),
        (Kind.NUMBER, "1e20", "too large"),
        (Kind.NUMBER, "9007199254740992", "too large"),
        (Kind.INTEGER, "1.0", "whole number"),
        (Kind.INTEGER, "9" * 5000, "whole number"),
        (Kind.BOOLEAN, "maybe", "yes or no"),
        (Kind.CHOICE, "z", "a, b"),
        (Kind.DATE, "2026-02-30", "2026-11-26"),
        (Kind.JSON, '{"a": }', "line 1, column 7"),
        (Kind.JSON, "[NaN]", "NaN"),
        (Kind.JSON, "[1e999]", "too large"),
        (Kind.JSON, "[1e20]", "too large"),
        (Kind.JSON, "[9007199254740992]", "in quotes"),
        (Kind.JSON, "[" * 65 + "]" * 65, "64 levels"),
        (Kind.JSON, "[" * 100_000, "64 levels"),
        (Kind.JSON, '{"a": 1, "a": 2}', "twice"),
    ],
)
def test_misfits_say_what_to_write(kind: Kind, text: str, says: str) -> None:
    """A value of the wrong type is a sentence beside its field, never a guess."""
    with pytest.raises(Misfit, match=says):
        value(text, Input(name="/x", label="x", kind=kind, choices=("a", "b")))


def test_pointers_nest() -> None:
    """RFC 6901: slashes make levels, `~1` and `~0` stand for themselves."""
    assert nested({"/a/b": 1, "/a/c~1d": 2, "/e~0": 3}) == {"a": {"b": 1, "c/d": 2}, "e~": 3}


def test_all_the_arguments_at_once() -> None:
    """The empty pointer is the whole object, into which other fields go; nothing else than an object is one."""
    whole = Input(name="", label="all", kind=Kind.JSON)
    assert nested({"/b/c": 3, "": value('{"a": 1, "b": {"d": 4}}', whole)}) == {"a": 1, "b": {"d": 4, "c": 3}}
    with pytest.raises(Misfit, match="one object"):
        value("[1]", whole)


def test_a_choice_is_told_by_what_people_read() -> None:
    """Ids are nobody's words."""
    with pytest.raises(Misfit, match="Choose one of: Ana Ruiz, Bo"):
        value("x", Input(name="to", label="to", kind=Kind.CHOICE, choices=("ana", "bo"), labels=("Ana Ruiz", "Bo")))
