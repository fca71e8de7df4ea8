"""The fields of a form as a chat asks them: the reasons, the choices and the value there is room for. Pure.

A form that a surface does not hold field by field is asked for as one text (`reviews.forms.in_one`): what is chosen or
written now must come back as it was, whoever only looked at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from adapters.text import clean, spelled
from reviews.card import Input, Kind

#: The field for a reason that is none of the rule's.
_OWN = Input(name="text", label="In your own words", kind=Kind.MULTILINE)


def with_own_words(fields: Sequence[Input], reasons: Callable[[Input], Sequence[str]]) -> list[Input]:
    """The fields, and one for own words after that which has `reasons` to choose from."""
    own = [] if any(field.name == _OWN.name for field in fields) else [_OWN]
    return [each for field in fields for each in (field, *(own if reasons(field) else ()))]


def reasons(field: Input, words: Callable[[str], str], most: int) -> list[str]:
    """The first `most` reasons of a rule; none for another field.

    A reason is words, so one that is too long may be cut by `words`; those alike after that are one.
    """
    if field.name != "reason":
        return []
    return [reason for reason in dict.fromkeys(map(words, field.choices)) if reason][:most]


def choices(field: Input, *, value: int, most: int) -> list[tuple[str, str]]:
    """The first `most` choices with their labels, without those whose value is longer than `value` characters."""
    unique = dict(field.options)
    return [(each, label) for each, label in unique.items() if each and len(each) <= value][:most]


def fits(field: Input, kept: Sequence[tuple[str, str]], text: int) -> bool:
    """Whether a field can be asked with the choices `kept`, or with a value of at most `text` characters."""
    if field.kind is Kind.CHOICE and field.name != "reason":
        # What is chosen now must be there; others may be left out only where nothing need be chosen.
        values = {value for value, _ in kept}
        now = not field.value or field.value in values
        return now and bool(values) and (not field.required or len(values) == len(set(field.choices)))
    value = shown(field)
    # What would not be sent back as it was must not be changed by who only looked at it: JSON spells it out.
    return field.locked or (len(value) <= text and value == clean(value))


def shown(field: Input) -> str:
    """The value as it is put into its input: what is sent back unchanged is the same."""
    return "" if field.locked else spelled(field.value) if field.kind is Kind.JSON else field.value


def is_tick(field: Input) -> bool:
    """Whether it is asked by a box to tick: yes or no, and never left open."""
    return field.kind is Kind.BOOLEAN and field.required and field.value in ("true", "false")


def is_date(text: str) -> bool:
    """Whether it is a day as date inputs take it: 2026-05-01."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
