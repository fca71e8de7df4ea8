"""What a control of ours carries in its `data`, and what comes back of it with what was filled in. Pure.

Teams puts the values of the inputs beside it, by their ids, and leaves a blank one out: so `data` names the inputs
that were asked (`fields`). The same object comes back from a card, from a dialog that is opened, and from one sent.
https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, assert_never

from adapters.selection import Pick
from adapters.teams.seam import Json
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.model import Verb
from reviews.ports import QueueItem

#: What marks `data` as ours, and the version of its shape.
MARK, VERSION = "placet", 1
#: What begins the ids of inputs: `field:VERB:NAME`, for two forms of a card ask for a reason, and no id may stand twice
#: in a card with all it shows; `pick:` and the line of a selection.
FIELD, PICK = "field:", "pick:"
#: What Teams sends for a toggle that is set.
TICKED = "true"

_TEXTS = ("value", "action", "nonce")
_MOST = 2**53
_FIELD = re.compile(rf"{FIELD}[a-z_]+:")


class How(StrEnum):
    """How a control acts.

    `act`: at once. `form`: what its form holds is sent, or, from `task/fetch`, its form is to be opened as a dialog.
    `go`: a way, which decides nothing. `bulk`: a selection is approved. `ask`: a review is asked for. `refresh`: the
    card is to be drawn again as it stands.
    """

    ACT = "act"
    FORM = "form"
    GO = "go"
    BULK = "bulk"
    ASK = "ask"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What came back of a control.

    `verb` and `token` are those of an act or a form, `token` also that of a refresh; `go` and `value` of a way;
    `action` and `picks` of a selection; `nonce` of the form to ask with. `version` is the card's as it was drawn.
    `values` are the form's by field name, blank ones as "".
    """

    way: How
    verb: Verb | None = None
    token: Token | None = None
    go: Go | None = None
    value: str = ""
    action: str = ""
    version: int = 0
    nonce: str = ""
    values: dict[str, str] = field(default_factory=dict)
    picks: tuple[Pick, ...] = ()


def data(
    way: How,
    *,
    verb: Verb | None = None,
    token: Token | None = None,
    go: Go | None = None,
    value: str = "",
    action: str = "",
    version: int = 0,
    nonce: str = "",
    fields: Sequence[str] = (),
) -> Json:
    """The `data` of a control; `fields` are the names of the form fields it asks. `read` reads it back."""
    kept = {
        "verb": verb and str(verb),
        "token": token and str(token),
        "go": go and str(go),
        "value": value,
        "action": action,
        "version": version,
        "nonce": nonce,
        "fields": [field_id(verb, name) for name in fields],
    }
    return {MARK: VERSION, "way": str(way), **{name: item for name, item in kept.items() if item}}


def name_of(way: How, verb: Verb | None = None, go: Go | None = None) -> str:
    """The `verb` of an Action.Execute, without which Teams does not send it: `placet/reject`, `placet/open`."""
    return f"{MARK}/{verb or go or way}"


def field_id(verb: Verb | None, name: str) -> str:
    """The id of a form field's input, in the form of a verb or, without one, in the form to ask with."""
    return f"{FIELD}{verb or How.ASK}:{name}"


def pick_id(item: QueueItem) -> str:
    """The id of the toggle that chooses a line of the queue."""
    return f"{PICK}{item.id}|{item.revision}|{item.digest}"


def read(found: object) -> Pressed:
    """What was pressed, from `data` as Teams sends it back. Raises Malformed; what is not ours in it is ignored."""
    if not isinstance(found, dict) or found.get(MARK) != VERSION or isinstance(found.get(MARK), bool):
        raise Malformed(f"not the data of one of our controls: {found!r:.100}")
    way = _way(found.get("way"))
    pressed = Pressed(
        way=way,
        verb=_verb(found.get("verb")),
        token=Token.read(found["token"]) if "token" in found else None,
        go=_go(found.get("go")),
        version=_version(found.get("version", 0)),
        values=_values(found),
        picks=tuple(_picks(found)),
        **{name: _text(found.get(name, ""), name) for name in _TEXTS},
    )
    return _whole(pressed)


def _whole(pressed: Pressed) -> Pressed:
    """The same, where it holds what its way needs."""
    match pressed.way:
        case How.ACT | How.FORM:
            good = pressed.verb is not None and pressed.token is not None
        case How.GO:
            good = pressed.go is not None
        case How.REFRESH:
            good = pressed.token is not None
        case How.BULK:
            good = bool(pressed.action)
        case How.ASK:
            good = bool(pressed.nonce)
        case _:
            assert_never(pressed.way)
    if not good:
        raise Malformed(f"a control to {pressed.way} without all that it needs")
    return pressed


def _way(found: object) -> How:
    if not isinstance(found, str) or found not in tuple(How):
        raise Malformed(f"not a way of our controls: {found!r:.100}")
    return How(found)


def _verb(found: object) -> Verb | None:
    if found is None:
        return None
    if not isinstance(found, str) or found not in tuple(Verb):
        raise Malformed(f"not one of our verbs: {found!r:.100}")
    return Verb(found)


def _go(found: object) -> Go | None:
    if found is None:
        return None
    if not isinstance(found, str) or found not in tuple(Go):
        raise Malformed(f"not one of our ways: {found!r:.100}")
    return Go(found)


def _version(found: object) -> int:
    # Teams' own JSON may have made 7 of it, or 7.0.
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found // 1 or not 0 <= found < _MOST:
        raise Malformed(f"not a card's version: {found!r:.100}")
    return int(found)


def _text(found: object, name: str) -> str:
    if not isinstance(found, str):
        raise Malformed(f"{name} is no text: {found!r:.100}")
    return found


def _values(found: Mapping[Any, Any]) -> dict[str, str]:
    """The form's values by name: those sent, and a blank for each that was asked and was not sent."""
    asked = found.get("fields", [])
    if not isinstance(asked, list) or not all(isinstance(one, str) and _FIELD.match(one) for one in asked):
        raise Malformed(f"not the fields of a form of ours: {asked!r:.100}")
    return {one.split(":", 2)[-1]: _value(found.get(one), one) for one in asked}


def _value(found: object, name: str) -> str:
    """A value as text: a client may send a number or a truth for what its input holds."""
    match found:
        case None:
            return ""
        case str():
            return found
        case bool():
            return "true" if found else "false"
        case int() | float():
            return str(found)
        case _:
            raise Malformed(f"{name:.100} holds no text: {found!r:.100}")


def _picks(found: Mapping[Any, Any]) -> Iterator[Pick]:
    for name, item in found.items():
        if isinstance(name, str) and name.startswith(PICK) and _value(item, name) == TICKED:
            # A line is a token of no copy: review, revision and the digest it was shown with.
            token = Token.read("|" + name.removeprefix(PICK))
            action = _text(found.get("action", ""), "action")
            yield Pick(review=token.review, revision=token.revision, digest=token.shown, action=action)
