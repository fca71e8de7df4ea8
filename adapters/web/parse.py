"""What a browser posts, made into an Interaction. Pure: no framework, no I/O.

Fields of a form are posted as `f.` + the Input's name, so that nothing an agent names can meet `verb` or `csrf`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, assert_never

from reviews.card import Actions, Card, Control, Input, Kind
from reviews.events import Interaction
from reviews.model import Identity, Object, Verb

PREFIX = "f."
MAX_DEPTH = 64
MAX_INTEGER = 2**53
MAX_PICKS = 50

_INTEGER = re.compile(r"[+-]?\d{1,400}")
_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?")
#: What decides, and so must name the revision it was decided on.
DECIDES = frozenset({Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.REQUEST_CHANGES, Verb.ANSWER, Verb.BREAK_GLASS})

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """A form that cannot be taken as it is: `errors` by field, `values` as typed, `text` for the whole."""

    errors: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    text: str = "Some fields need another look."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A line of the queue chosen for a bulk approval, as it was shown."""

    review: str
    revision: int
    digest: str
    action: str


class Misfit(ValueError):
    """A typed value is not what its field asks for; the text says what to write."""


def controls(card: Card) -> tuple[Control, ...]:
    """Every control of a card, the rarely used ones last."""
    found = [block for block in card.blocks if isinstance(block, Actions)]
    return tuple(c for block in found for c in (*block.controls, *block.overflow))


def control(card: Card, verb: Verb) -> Control | None:
    """The card's control for a verb, if it has one now."""
    return next((c for c in controls(card) if c.verb is verb), None)


def typed(data: Mapping[str, str]) -> dict[str, str]:
    """The form's own values by field name, as typed."""
    return {key.removeprefix(PREFIX): value for key, value in data.items() if key.startswith(PREFIX)}


def verb(data: Mapping[str, str]) -> Verb | None:
    """Which control was pressed; None when the page named none we know."""
    try:
        return Verb(data.get("verb", ""))
    except ValueError:
        return None


def interaction(data: Mapping[str, str], card: Card, identity: Identity) -> Interaction | Faults:
    """What the person did, with form values in the types the card's form asks for.

    `revision` and `shown` are those of the page that was posted, which may be older than `card`. A control the
    card no longer has is passed on without a form, so that the desk can say who was first.
    """
    pressed = verb(data)
    if pressed is None:
        return Faults(text="This page sent something Placet does not know. Reload it and try again.")
    values = typed(data)
    if pressed in DECIDES and _revision(data) is None:
        return Faults(text="This page did not say which revision you saw. Reload it, then decide.", values=values)
    fields = _fields(control(card, pressed))
    arguments, errors = _arguments(fields, values)
    words = _words(values)
    errors |= _missing(fields, values)
    if errors:
        return Faults(errors=errors, values=values)
    return Interaction(
        verb=pressed,
        identity=identity,
        review=card.review,
        revision=_revision(data),
        shown=data.get("shown") or None,
        arguments=_given(pressed, fields, arguments),
        reason=words.get("reason"),
        notes=words.get("notes"),
        to=words.get("to"),
        about=words.get("about"),
        agent=words.get("agent"),
    )


def picks(chosen: Sequence[str]) -> tuple[Pick, ...] | Faults:
    """The lines chosen for one bulk approval: at least one, of one action."""
    found = tuple(p for p in map(_pick, chosen) if p is not None)
    if not found or len(found) != len(chosen):
        return Faults(text="Choose at least one review of the list, then approve.")
    if len(found) > MAX_PICKS:
        return Faults(text=f"Choose at most {MAX_PICKS} at a time: each one should be read.")
    if len({p.action for p in found}) > 1:
        return Faults(text="Only reviews of the same action can be approved together.")
    return found


def pick_value(pick: Pick) -> str:
    """The form value of a chosen line; `picks` reads it back."""
    return json.dumps([pick.review, pick.revision, pick.digest, pick.action], separators=(",", ":"))


def destination(path: str) -> str:
    """Where to go after signing in: a page of ours, or the inbox. Anything else could lead off the site."""
    return path if re.fullmatch(r"/(inbox(\?view=[a-z]+)?|reviews/[A-Za-z0-9_-]{1,80})", path) else "/inbox"


# ---------------------------------------------------------------------------------------------- fields


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
            return _json(text)
        case _:
            assert_never(about.kind)


def nested(flat: Mapping[str, Any]) -> Object:
    """Values by JSON Pointer (RFC 6901) as one object: `{"/a/b": 1}` is `{"a": {"b": 1}}`."""
    root: Object = {}
    for pointer, item in flat.items():
        *path, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
        here = root
        for part in path:
            here = here.setdefault(part, {})
        here[last] = item
    return root


def _fields(pressed: Control | None) -> tuple[Input, ...]:
    return pressed.form.fields if pressed is not None and pressed.form is not None else ()


def _arguments(fields: Sequence[Input], values: Mapping[str, str]) -> tuple[Object, dict[str, str]]:
    """Arguments from the pointer fields. A blank field is left out: locked ones keep their value, others go."""
    flat: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for about in fields:
        text = values.get(about.name)
        if not about.name.startswith("/") or text is None or _left_out(text, about):
            continue
        try:
            flat[about.name] = value(text, about)
        except Misfit as fault:
            errors[about.name] = str(fault)
    return nested(flat), errors


def _left_out(text: str, about: Input) -> bool:
    if about.kind in (Kind.TEXT, Kind.MULTILINE):
        # A text emptied on purpose is an empty text; one that was empty before stays as it was.
        return not text and (about.locked or not about.value)
    return not text.strip()


def _missing(fields: Sequence[Input], values: Mapping[str, str]) -> dict[str, str]:
    """Faults of required and over-long fields."""
    return dict(_lacks(fields, values))


def _lacks(fields: Sequence[Input], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for about in fields:
        text = _lines(values.get(about.name, ""))
        if about.required and not about.locked and not text.strip():
            yield about.name, "This is needed."
        elif len(text) > max(about.max_length, len(about.value)):
            yield about.name, f"Too long: at most {about.max_length} characters, this has {len(text)}."


def _words(values: Mapping[str, str]) -> dict[str, str]:
    """The plain-word fields. `text` is the person's reason unless a reason was tapped; then it is a note."""
    words = {name: values[name].strip() for name in ("reason", "notes", "to", "about", "agent") if name in values}
    text = values.get("text", "").strip()
    if text:
        words["notes" if words.get("reason") else "reason"] = text
    return {name: _lines(word) for name, word in words.items() if word}


def _given(pressed: Verb, fields: Sequence[Input], arguments: Object) -> Object | None:
    if pressed is Verb.EDIT:
        return arguments if fields else None
    if pressed is Verb.ANSWER:
        return arguments or None
    return None


def _revision(data: Mapping[str, str]) -> int | None:
    text = data.get("revision", "")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None


def _pick(text: str) -> Pick | None:
    try:
        review, revision, digest, action = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(review, str) and _NAME.fullmatch(review) and type(revision) is int):
        return None
    if not (isinstance(digest, str) and isinstance(action, str)):
        return None
    return Pick(review=review, revision=revision, digest=digest, action=action)


# ---------------------------------------------------------------------------------------------- kinds


def _lines(text: str) -> str:
    """Line ends as agents write them: a browser posts every one as CR LF (HTML, "constructing the form data set")."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _same_text(text: str, about: Input) -> str:
    """The text; exactly the old one when the browser only changed how it writes it (line ends, NUL)."""
    text = _lines(text)
    return about.value if text == _lines(about.value).replace("\x00", "\ufffd") else text


def _number(text: str) -> int | float:
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if not _NUMBER.fullmatch(text):
        raise Misfit("Write a number such as 180 or 180.50, with a point and no unit.")
    number = float(text)
    if not math.isfinite(number):
        raise Misfit("This number is too large.")
    return number


def _integer(text: str) -> int:
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        raise Misfit("Write a whole number such as 3.")
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise Misfit("This number is too large: at most 9007199254740992.")
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
    raise Misfit(f"Choose one of: {', '.join(about.choices)}.")


def _date(text: str, about: Input) -> str:
    text = text.strip()
    if text == about.value:
        return text
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Misfit("Write a date such as 2026-11-26.") from None


def _json(text: str) -> Any:
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
        case float() if not math.isfinite(found):
            raise Misfit("A number is too large.")
        case int() if abs(found) > MAX_INTEGER:
            raise Misfit("A whole number beyond 9007199254740992 must be written as a text, in quotes.")
        case _:
            pass
