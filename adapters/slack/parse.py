"""What Slack sends, as an Interaction. Pure, no SDK.

The payloads were verified by their signature before they come here; who pressed is the verified user id and team,
never a name. https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.slack.controls import FIELD, VALUE
from adapters.slack.press import BECAUSE, Malformed, Token, verb_of
from adapters.slack.text import Json
from reviews.events import Interaction
from reviews.model import Identity, Verb

SURFACE = "slack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who pressed, and where a private answer to them goes. `channel` is empty where there is none (a modal)."""

    identity: Identity
    channel: str = ""
    thread: str = ""
    trigger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A control of a message that was pressed: at once, with a reason, or to open its form (`way`)."""

    origin: Origin
    interaction: Interaction
    token: Token
    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A form that was sent. `fields` maps a field's name to its `block_id`."""

    origin: Origin
    interaction: Interaction
    view: str
    fields: dict[str, str] = field(default_factory=dict)


def origin(payload: Json) -> Origin:
    """Who did it and where. Raises Malformed where Slack names no user."""
    user = _dict(payload, "user")
    identity = _text(user, "id")
    if not identity:
        raise Malformed("the payload names no user")
    tenant = _text(user, "team_id") or _text(_dict(payload, "team"), "id") or _text(_dict(payload, "enterprise"), "id")
    return Origin(
        identity=Identity(surface=SURFACE, id=identity, tenant=tenant or None),
        channel=_text(_dict(payload, "channel"), "id") or _text(_dict(payload, "container"), "channel_id"),
        thread=_text(_dict(payload, "message"), "thread_ts"),
        trigger=_text(payload, "trigger_id"),
    )


def press(payload: Json) -> Press:
    """Read a `block_actions` payload. Raises Malformed."""
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise Malformed("the payload holds no single action")
    who = origin(payload)
    verb, way = verb_of(actions[0].get("action_id"))
    token, reason = _carried(actions[0], way)
    return Press(origin=who, interaction=_interaction(who, verb, token, reason=reason), token=token, way=way)


def submission(payload: Json) -> Submission:
    """Read a `view_submission` payload of our form. Raises Malformed."""
    who = origin(payload)
    view = _dict(payload, "view")
    verb, _, rest = _text(view, "private_metadata").partition("|")
    if verb not in tuple(Verb):
        raise Malformed("the form is not one of ours")
    values, fields = _values(view)
    reason, notes = values.get("reason"), values.get("notes") or values.get("text")
    return Submission(
        origin=who,
        interaction=_interaction(who, Verb(verb), Token.read(rest), reason=reason, notes=notes),
        view=_text(view, "id"),
        fields=fields,
    )


def _carried(action: Json, way: str) -> tuple[Token, str | None]:
    """The token of a control, and the reason chosen. A menu's token is in its block's id: its value is the reason."""
    if way != BECAUSE:
        return Token.read(action.get("value")), None
    reason = _text(_dict(action, "selected_option"), "value")
    _, _, token = _text(action, "block_id").partition("|")
    if not reason:
        raise Malformed("no reason was chosen")
    return Token.read(token), reason


def _interaction(
    who: Origin, verb: Verb, token: Token, *, reason: str | None = None, notes: str | None = None
) -> Interaction:
    return Interaction(
        verb=verb,
        identity=who.identity,
        review=token.review,
        revision=token.revision,
        copy=token.copy or None,
        shown=token.shown or None,
        reason=reason,
        notes=notes,
    )


def _values(view: Json) -> tuple[dict[str, str], dict[str, str]]:
    """The form's values by field name (blank ones left out), and the block ids by field name."""
    blocks = _dict(_dict(view, "state"), "values")
    fields = {block.removeprefix(FIELD): block for block in blocks if block.startswith(FIELD)}
    values = {name: _value(_dict(_dict(blocks, block), VALUE)) for name, block in fields.items()}
    return {name: value for name, value in values.items() if value}, fields


def _value(state: Json) -> str:
    chosen = _text(_dict(state, "selected_option"), "value")
    return (chosen or _text(state, "selected_date") or _text(state, "value")).strip()


def _dict(holder: Json, key: str) -> dict[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _text(holder: Json, key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""
