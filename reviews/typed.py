"""What is typed into a form, in the type each field asks for. No I/O."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, assert_never

from reviews.card import Input, Kind
from reviews.model import Object
from reviews.redact import segments

MAX_DEPTH = 64
#: Beyond, numbers of JSON are not the same everywhere, and have no canonical form (RFC 8785 §3.2.2.3).
MAX_INTEGER = 2**53 - 1

_INTEGER = re.compile(r"[+-]?\d{1,400}")
_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?")


class Misfit(ValueError):
    """A typed value is not what its field asks for; the text says what to write."""


def is_argument(about: Input) -> bool:
    """Whether a field is one of the arguments, or all of them; else it is a person's words about them."""
    return about.name == "" or about.name.startswith("/")


def left_out(text: str, about: Input) -> bool:
    """Whether nothing is sent for a field: it was left blank."""
    if about.kind in (Kind.TEXT, Kind.MULTILINE):
        # A text emptied on purpose is an empty text; one that was empty before stays as it was.
        return not text and (about.locked or not about.value)
    return not text.strip()


def value(text: str, about: Input) -> Any:
    """One typed value in the type its kind asks for. Raises Misfit with a sentence for beside the field."""
    match about.kind:
        case Kind.TEXT | Kind.MULTILINE:
            return _same_text(text, about)
        case Kind.NUMBER:
            return _number(text)
        case Kind.INTEGER:
            return _integer(text)
        case Kind.BOOLEAN:
            return _boolean(text)
        case Kind.CHOICE:
            return _choice(text, about)
        case Kind.DATE:
            return _date(text, about)
        case Kind.JSON:
            return _json(text, about)
        case _:
            assert_never(about.kind)


def nested(flat: Mapping[str, Any]) -> Object:
    """Values by JSON Pointer (RFC 6901) as one object: `{"/a/b": 1}` is `{"a": {"b": 1}}`.

    The empty pointer is all of it: its value, an object, is what the others are put into.
    """
    root: Object = dict(flat.get("", {}))
    for pointer, item in flat.items():
        if not pointer:
            continue
        *path, last = segments(pointer)
        here = root
        for part in path:
            here = here.setdefault(part, {})
        here[last] = item
    return root


def lines(text: str) -> str:
    """Line ends as agents write them: a browser posts every one as CR LF (HTML, "constructing the form data set")."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _same_text(text: str, about: Input) -> str:
    """The text; exactly the old one when the surface only changed how it writes it (line ends, NUL)."""
    if text == about.value:
        return text
    text = lines(text)
    return about.value if text == lines(about.value).replace("\x00", "\ufffd") else text


def _number(text: str) -> int | float:
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if not _NUMBER.fullmatch(text):
        raise Misfit("Write a number such as 180 or 180.50, with a point and no unit.")
    number = float(text)
    if not _exact(number):
        raise Misfit("This number is too large.")
    return number


def _exact(number: float) -> bool:
    """Whether it is the same number for every reader of JSON."""
    return math.isfinite(number) and (abs(number) <= MAX_INTEGER or not number.is_integer())


def _integer(text: str) -> int:
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        raise Misfit("Write a whole number such as 3.")
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise Misfit("This number is too large: at most 9007199254740991.")
    return number


def _boolean(text: str) -> bool:
    match text.strip():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise Misfit("Choose yes or no.")


def _choice(text: str, about: Input) -> str:
    if text in about.choices or text == about.value:
        return text
    raise Misfit(f"Choose one of: {', '.join(label for _, label in about.options)}.")


def _date(text: str, about: Input) -> str:
    text = text.strip()
    if text == about.value:
        return text
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Misfit("Write a date such as 2026-11-26.") from None


def _json(text: str, about: Input) -> Any:
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as fault:
        raise Misfit(f"Not JSON: {fault.msg.lower()} at line {fault.lineno}, column {fault.colno}.") from None
    except Misfit:
        raise
    except RecursionError:
        raise Misfit(f"Too deep: at most {MAX_DEPTH} levels.") from None
    except ValueError:
        raise Misfit("Not JSON: a number is out of range.") from None
    if not about.name and not isinstance(found, dict):
        raise Misfit('Write the arguments as one object, such as {"order": "A-1"}.')
    _check(found, 1)
    return found


def _no_constant(name: str) -> Any:
    raise Misfit(f"{name} is not a number JSON knows.")


def _once(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Misfit("A key stands twice in one object.")
    return found


def _check(found: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Misfit(f"Too deep: at most {MAX_DEPTH} levels.")
    match found:
        case dict():
            for item in found.values():
                _check(item, depth + 1)
        case list():
            for item in found:
                _check(item, depth + 1)
        case float() if not _exact(found):
            raise Misfit("A number is too large.")
        case int() if abs(found) > MAX_INTEGER:
            raise Misfit("A whole number beyond 9007199254740991 must be written as a text, in quotes.")
        case _:
            pass
