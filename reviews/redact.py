"""Hiding what is sensitive: by JSON Pointer, and wherever the same words appear again. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from reviews.model import Object, Request

#: What stands where something sensitive stood.
MASK = "••••"
#: A hidden value is also hidden inside other texts when it is at least this long; shorter ones would blank whole words.
_SCRUB_FROM = 4


def segments(pointer: str) -> list[str]:
    """The segments of a JSON Pointer (RFC 6901)."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def join(*parts: str | int) -> str:
    """A JSON Pointer from its segments."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def lookup(value: Any, pointer: str) -> Any:
    """The value a pointer names. Raises KeyError when there is none."""
    for part in segments(pointer):
        if isinstance(value, dict) and part in value:
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
    """Every text and number inside a JSON value, as text."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from words_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from words_of(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def scrubber(request: Request, pointers: Iterable[str]) -> Callable[[str], str]:
    """A function that hides, in any text, the values the pointers name in this request."""
    whole = asdict(request)
    hidden: set[str] = set()
    for pointer in pointers:
        try:
            hidden |= {word for word in words_of(lookup(whole, pointer)) if len(word) >= _SCRUB_FROM}
        except KeyError:
            continue  # a pointer to what this request does not have hides nothing
    if not hidden:
        return str
    pattern = re.compile("|".join(re.escape(word) for word in sorted(hidden, key=len, reverse=True)), re.IGNORECASE)
    return lambda text: pattern.sub(MASK, text)


def covers(pointers: Iterable[str], pointer: str) -> bool:
    """Whether a pointer lies at or below one of the sensitive ones."""
    return any(pointer == hidden or pointer.startswith(hidden + "/") for hidden in pointers)


def masked(value: Any, pointers: Iterable[str], at: str = "") -> Any:
    """A copy of a JSON value, found at pointer `at`, with what the pointers name replaced by MASK."""
    pointers = tuple(pointers)
    if covers(pointers, at):
        return MASK
    if isinstance(value, dict):
        return {key: masked(inner, pointers, at + join(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, pointers, at + join(n)) for n, inner in enumerate(value)]
    return value
