"""What a control of ours carries beside its token, and where an answer to it goes. Pure.

Ids of controls: `placet:VERB[:because|:form]`, `placet:go:WAY[:N]`, and `placet:more` for the menu of rare ones, whose
options are `VERB|act`, `VERB|form` and `go|WAY|VALUE`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from adapters.slack import limits
from adapters.token import Malformed
from reviews.card import Go
from reviews.model import Verb

#: How a control acts: at once, with the reason chosen, or after its form.
ACT, BECAUSE, FORM = "act", "because", "form"
#: The `action_id` of the menu of rare controls, and what begins the options that are ways.
MORE, GO = "placet:more", "go"
#: `callback_id` of our modals: a control's form, a selection to approve, the form to ask with, what is only read.
CALLBACK, PICKING, ASKING, READING = "placet:form", "placet:bulk", "placet:ask", "placet:card"
#: Where a form field's name stands in a modal's `block_id`, and the `action_id` of each input.
FIELD, VALUE = "field:", "value"
#: What begins the `block_id` of a group of lines to choose from.
PICK = "pick:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """What a modal keeps of where it was opened: Slack names no channel when a form is sent.

    `verb` and `token` say what its form is for; `channel`, `thread`, `message` where it was pressed, as far as that
    was in a message; `response` is the message's `response_url`; `action` is that of a selection to approve.
    """

    verb: str = ""
    token: str = ""
    channel: str = ""
    thread: str = ""
    message: str = ""
    response: str = ""
    action: str = ""

    @classmethod
    def read(cls, text: object) -> Back:
        """Read what `str` made. Raises Malformed."""
        try:
            found = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise Malformed(f"not a modal of ours: {text!r:.100}")
        return cls(**{name: value for name, value in found.items() if name in cls.__slots__})

    def __str__(self) -> str:
        kept = {name: value for name, value in asdict(self).items() if value}
        if len(text := _compact(kept)) > limits.PRIVATE_METADATA:
            # Only an address that Slack made can be this long, and an answer finds another way without it.
            kept.pop("response", None)
            text = _compact(kept)
        return text


def _compact(value: dict[str, str]) -> str:
    return json.dumps(value, separators=(",", ":"))


def action_id(verb: Verb, way: str = ACT) -> str:
    """`placet:reject`, `placet:reject:because`, `placet:reject:form`."""
    return f"placet:{verb}" if way == ACT else f"placet:{verb}:{way}"


def verb_of(action: object) -> tuple[Verb, str]:
    """The verb and the way of an `action_id`. Raises Malformed."""
    parts = action.split(":") if isinstance(action, str) else []
    if len(parts) not in (2, 3) or parts[0] != "placet" or parts[1] not in tuple(Verb):
        raise Malformed(f"not one of our controls: {action!r:.100}")
    return Verb(parts[1]), parts[2] if len(parts) == 3 else ACT


def go_id(go: Go, nth: int = 0) -> str:
    """`placet:go:open`; the ids of one block differ by `nth`."""
    return f"placet:{GO}:{go}:{nth}" if nth else f"placet:{GO}:{go}"


def way_of(action: object) -> Go | None:
    """The way of an `action_id`; None for one that is no way."""
    parts = action.split(":") if isinstance(action, str) else []
    good = len(parts) in (3, 4) and parts[:2] == ["placet", GO] and parts[2] in tuple(Go)
    return Go(parts[2]) if good else None
