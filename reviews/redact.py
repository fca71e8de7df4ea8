"""Hiding what is sensitive: by JSON Pointer, and wherever the same words appear again. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from reviews.model import Object, Request

#: What stands where something sensitive stood.
MASK = "••••"
#: A hidden value is also hidden inside other texts when it is at least this long; shorter ones would blank whole words.
_SCRUB_FROM = 4
_MOST_WORDS = 500
_ARGUMENTS = "/action/arguments"


def segments(pointer: str) -> list[str]:
    """The segments of a JSON Pointer (RFC 6901)."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def join(*parts: str | int) -> str:
    """A JSON Pointer from its segments."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def lookup(value: Any, pointer: str) -> Any:
    """The value a pointer names, inside JSON or one of the domain's values. Raises KeyError when there is none."""
    for part in segments(pointer):
        if is_dataclass(value) and any(field.name == part for field in fields(value)):
            value = getattr(value, part)
        elif isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(pointer)
    return value


def place(value: Object, pointer: str, new: Any) -> Object:
    """A copy of an object with the value at a pointer set; objects on the way are made where there are none."""
    head, *rest = segments(pointer)
    copy = dict(value)
    inner = copy.get(head)
    copy[head] = place(inner if isinstance(inner, dict) else {}, join(*rest), new) if rest else new
    return copy


def words_of(value: Any) -> Iterable[str]:
    """Every text and number inside a JSON value or one of the domain's, as text."""
    if is_dataclass(value) and not isinstance(value, type):
        yield from words_of(tuple(getattr(value, field.name) for field in fields(value)))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from words_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from words_of(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _hidden_words(value: Any, pointers: Iterable[str]) -> Iterable[str]:
    for pointer in pointers:
        try:
            named = lookup(value, pointer)
        except KeyError:
            continue  # a pointer to what this value does not have hides nothing
        yield from (word for word in words_of(named) if len(word) >= _SCRUB_FROM)


def scrubber(request: Request, pointers: Iterable[str], before: Object | None = None) -> Callable[[str], str]:
    """A function that hides, in any text, the values the pointers name in these requests' worth of words.

    `before` are arguments of earlier revisions, whose hidden values may still be spoken of. With more to hide than
    can be looked for, every text is hidden whole.
    """
    pointers = tuple(pointers)
    hidden = set(_hidden_words(request, pointers))
    if before is not None:
        inner = (p.removeprefix(_ARGUMENTS) for p in pointers if p.startswith(_ARGUMENTS + "/"))
        hidden |= set(_hidden_words(before, inner))
    if not hidden:
        return str
    if len(hidden) > _MOST_WORDS:
        return lambda text: MASK
    pattern = re.compile("|".join(re.escape(word) for word in sorted(hidden, key=len, reverse=True)), re.IGNORECASE)
    return lambda text: pattern.sub(MASK, text)


def covers(pointers: Iterable[str], pointer: str) -> bool:
    """Whether a pointer lies at or below one of the sensitive ones."""
    return any(pointer == hidden or pointer.startswith(hidden + "/") for hidden in pointers)


def masked(value: Any, pointers: Iterable[str], at: str = "") -> Any:
    """A copy of a JSON value, found at pointer `at`, with what the pointers name replaced by MASK."""
    hidden = frozenset(pointers)
    if not hidden:
        return value
    return MASK if covers(hidden, at) else _masked(value, hidden, at)


def _masked(value: Any, hidden: frozenset[str], at: str) -> Any:
    """As `masked`, for a value none of whose parents is hidden: a look-up a place, however many pointers there are."""
    if at in hidden:
        return MASK
    if isinstance(value, dict):
        return {key: _masked(inner, hidden, at + join(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner, hidden, at + join(n)) for n, inner in enumerate(value)]
    return value
