"""Hiding what is sensitive: by JSON Pointer, and wherever the same words appear again. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cached_property
from itertools import compress, groupby, takewhile
from typing import Any
from urllib.parse import quote, quote_plus

from reviews.model import Object, Request

#: What stands where something sensitive stood.
MASK = "••••"
#: A hidden value is also hidden inside other texts when it is at least this long; shorter ones would blank whole words.
SCRUB_FROM = 4
#: From so many letters and digits on, a value is found however they are grouped.
REGROUPED_FROM = 6
_MOST_WORDS = 500
#: Longer values (characters) stand in no web address.
_LINKED = 2000
#: So few values are each looked for in a text before all are at once.
_FEW = 16
#: A long value is looked for by its beginning, so that the pattern stays small and a step in the text costs little.
_HEAD = 32
_ARGUMENTS = "/action/arguments"
_BETWEEN = re.compile(r"[\W_]+")
_ASCII_BETWEEN = dict.fromkeys(n for n in range(128) if not chr(n).isalnum())
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MASKED = _written(MASK)


def segments(pointer: str) -> list[str]:
    """The segments of a JSON Pointer (RFC 6901)."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def join(*parts: str | int) -> str:
    """A JSON Pointer from its segments."""
    return "".join(["/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts])


def lookup(value: Any, pointer: str) -> Any:
    """The value a pointer names, inside JSON or one of the domain's values. Raises KeyError when there is none."""
    for part in segments(pointer):
        if part in getattr(value, "__dataclass_fields__", ()):
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
        if isinstance(value, float) and value.is_integer():
            yield str(int(value))


def _hidden_words(value: Any, pointers: Iterable[str]) -> Iterable[str]:
    for pointer in pointers:
        try:
            named = lookup(value, pointer)
        except KeyError:
            continue  # a pointer to what this value does not have hides nothing
        yield from (word for word in words_of(named) if len(word) >= SCRUB_FROM)


def scrubber(request: Request, pointers: Iterable[str], before: Object | None = None) -> Scrubber:
    """What hides, in any text, the values the pointers name in these requests' worth of words.

    Case aside, and from REGROUPED_FROM letters and digits on however they are grouped: `ES91 2100 0418` is also found
    as `ES91-2100-0418` and `es9121000418`; so is what is written for JSON or for a web address. Values shorter than
    SCRUB_FROM are not looked for: three digits or letters stand in half of all numbers and words, and a card full of
    holes tells people less than it keeps from them. They are hidden where a pointer names them.

    `before` are arguments of earlier revisions, whose hidden values may still be spoken of. With more to hide than
    can be looked for, every text is hidden whole. The time is linear in the text.
    """
    pointers = tuple(pointers)
    hidden = set(_hidden_words(request, pointers))
    if before is not None:
        inner = (p.removeprefix(_ARGUMENTS) for p in pointers if p.startswith(_ARGUMENTS + "/"))
        hidden |= set(_hidden_words(before, inner))
    if len(hidden) > _MOST_WORDS:
        return Scrubber((), everything=True)
    return Scrubber([form for word in hidden for form in _forms(word)])


def _forms(word: str) -> Iterator[str]:
    """A value as it is, within a JSON text, and within a web address (RFC 3986; a form's `+` for a space)."""
    yield word
    if word.isascii() and word.isalnum():
        return  # spelt alike everywhere
    yield _written(word)[1:-1]
    if len(word) <= _LINKED:
        yield quote(word, safe="", errors="replace")
        yield quote_plus(word, errors="replace")


class Scrubber:
    """Hides these words: the long ones by their letters and digits alone, the others as they are written.

    With `everything`, whatever is said.
    """

    def __init__(self, words: Sequence[str], *, everything: bool = False) -> None:
        self._everything, self._nothing = everything, not words and not everything
        bare = {word: _bare(word) for word in map(str.casefold, words)}
        self._bare = _Finder({inner for inner in bare.values() if len(inner) >= REGROUPED_FROM})
        self._exact = _Finder({word for word, inner in bare.items() if len(inner) < REGROUPED_FROM})

    def __call__(self, text: str) -> str:
        """The text with a mask for each of the words."""
        if not self._maybe_in(text):
            return text
        return MASK if self._everything else _exactly(_regrouped(text, self._bare), self._exact)

    def inside(self, value: Any) -> Any:
        """A JSON value in which no text or number says a word; keys stay, or nobody could read it."""
        # Without an escape every text and number stands there as it is, and words that are not there are in none. What
        # is masked already stays so; it would only make a plain text one that is slow to read.
        written = _written(value).replace(_MASKED, '""')
        return self._inside(value) if "\\" in written or self._maybe_in(written) else value

    def _inside(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._inside(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._inside(inner) for inner in value]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return value
        said = self(str(value))
        return value if said == str(value) else said

    def _maybe_in(self, text: str) -> bool:
        """Whether a word may stand in a text; sure to be yes where one does."""
        if self._nothing or self._everything:
            return self._everything
        folded = text.casefold()
        return self._exact.maybe_in(folded) or self._bare.maybe_in(_bare(folded))


def _exactly(text: str, words: _Finder) -> str:
    folded, places = _folded(text)
    return _masking(text, ((places[start], places[end - 1] + 1) for start, end in words.spans(folded)))


def _regrouped(text: str, words: _Finder) -> str:
    folded, places = _folded(text)
    bare = _bare(folded)
    spans = list(words.spans(bare))
    if not spans:
        return text
    inner = list(compress(range(len(folded)), map(str.isalnum, folded)))
    found = ((inner[start], inner[end - 1] + 1, bare[start:end]) for start, end in spans)
    return _masking(text, ((places[a], places[b - 1] + 1) for a, b, word in found if _stands(folded, a, b, word)))


def _stands(folded: str, start: int, end: int, word: str) -> bool:
    """Whether a word is there, rather than made up of two others: `hire Landlord` does not speak of Ireland."""
    if end - start == len(word) or any(char.isdigit() for char in word):
        return True
    return not (folded[start - 1 : start].isalnum() or folded[end : end + 1].isalnum())


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text with case aside, and for each of its characters where it stood: `ß` becomes two."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded, range(len(text))
    return folded, [at for at, char in enumerate(text) for _ in char.casefold()]


def _bare(text: str) -> str:
    """The letters and digits of a text, by the way that is a hundred times as fast where it serves."""
    return text.translate(_ASCII_BETWEEN) if text.isascii() else _BETWEEN.sub("", text)


def _masking(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], MASK]
        done = end
    return "".join((*parts, text[done:]))


class _Finder:
    """Finds words in a text, in one pass: a tree of their beginnings as a pattern, which never looks back."""

    def __init__(self, words: set[str]) -> None:
        self._long: dict[str, list[str]] = {}
        for word in sorted((w for w in words if len(w) > _HEAD), key=len, reverse=True):
            self._long.setdefault(word[:_HEAD], []).append(word)
        self._beginnings = sorted({word[:_HEAD] for word in words})

    def maybe_in(self, text: str) -> bool:
        """Whether one of the words may stand in a text: no for nearly all, before a pattern need be made."""
        return len(self._beginnings) > _FEW or any(map(text.__contains__, self._beginnings))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where words stand, from left to right; of a long one that breaks off, its beginning."""
        at = 0
        while self._heads is not None and (found := self._heads.search(text, at)):
            at = self._end(text, found)
            yield found.start(), at

    @cached_property
    def _heads(self) -> re.Pattern[str] | None:
        return re.compile(_tree(self._beginnings)) if self._beginnings else None

    def _end(self, text: str, found: re.Match[str]) -> int:
        for word in self._long.get(found[0], ()):
            if text.startswith(word, found.start()):
                return found.start() + len(word)
        return found.end()


def _tree(words: Sequence[str]) -> str:
    """A pattern for the longest of these sorted words; it decides by one character at a time."""
    stem = _stem(words[0], words[-1])
    rests = [word[len(stem) :] for word in words if word != stem]
    if not rests:
        return re.escape(stem)
    branches = "|".join(_tree(list(group)) for _, group in groupby(rests, key=lambda rest: rest[0]))
    return f"{re.escape(stem)}(?:{branches}){'?' if words[0] == stem else ''}"


def _stem(first: str, last: str) -> str:
    """What all words between these two, sorted, begin with."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(char for char, _ in same)


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
