"""What Slack sends, as an Interaction or as a wish to see something. Pure, no SDK.

The payloads were verified by their signature before they come here; who pressed is the verified user id and team,
never a name. https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.selection import Pick
from adapters.slack.press import BECAUSE, FIELD, GO, MORE, PICK, VALUE, Back, verb_of, way_of
from adapters.slack.text import Json, unescape
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.events import Interaction
from reviews.model import Identity, Verb

SURFACE = "slack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who did something, and where an answer for them alone goes.

    `channel` is empty where there is none (Home); a modal has that of the message it was opened from. `thread` is the
    message replied to, never the message itself: an answer beneath a card is not seen by who looks at the card.
    `message` is the `ts` of the posted message it began at, never of an ephemeral one. `view` is the modal it was done
    in, `response` the `response_url` of the message.
    """

    identity: Identity
    channel: str = ""
    thread: str = ""
    trigger: str = ""
    view: str = ""
    message: str = ""
    response: str = ""

    def back(self, verb: Verb | None = None, token: Token | None = None) -> str:
        """The `private_metadata` of a modal opened from here; of a form, also what the form is for."""
        kept = Back(
            verb=verb or "",
            token=str(token) if token else "",
            channel=self.channel,
            thread=self.thread,
            message=self.message,
            response=self.response,
        )
        return str(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A control that was pressed: at once, with a reason, or to open its form (`way`)."""

    origin: Origin
    interaction: Interaction
    token: Token
    way: str

    @property
    def back(self) -> str:
        """The `private_metadata` of this control's form."""
        return self.origin.back(self.interaction.verb, self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A way to look further that was pressed: it decides nothing. `value` is as `card.Way` says."""

    origin: Origin
    go: Go
    value: str

    @property
    def back(self) -> str:
        """The `private_metadata` of the modal that shows it."""
        return self.origin.back()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A control's form that was sent.

    `interaction` is bare: `values` are what was typed, by field name, and become part of it once they were checked.
    A field left blank is an empty text. `fields` maps a field's name to its `block_id`.
    """

    origin: Origin
    interaction: Interaction
    values: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The form to ask for a review with, as sent. `origin.message` is what was pointed at, `once` names the sending."""

    origin: Origin
    values: dict[str, str]
    fields: dict[str, str]
    once: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A typed command, without its name."""

    origin: Origin
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A message somebody pointed at: its words (untrusted); `origin.message` and `origin.thread` say where it is."""

    origin: Origin
    text: str

    @property
    def back(self) -> str:
        """The `private_metadata` of the form to ask with."""
        return self.origin.back()


# ---------------------------------------------------------------------------------------------- where from


def origin(payload: Json) -> Origin:
    """Who did it and where, of a click or a form. Raises Malformed where Slack names no user."""
    user, container, view = _dict(payload, "user"), _dict(payload, "container"), _dict(payload, "view")
    modal = _text(view, "type") == "modal" or bool(_text(view, "private_metadata"))
    kept = _kept(view)
    at = _text(container, "message_ts")
    shown = "" if container.get("is_ephemeral") is True else at
    thread = _text(_dict(payload, "message"), "thread_ts") or _text(container, "thread_ts") or kept.thread
    tenant = _text(user, "team_id") or _text(_dict(payload, "team"), "id") or _text(_dict(payload, "enterprise"), "id")
    return Origin(
        identity=_identity(_text(user, "id"), tenant),
        channel=_text(_dict(payload, "channel"), "id") or _text(container, "channel_id") or kept.channel,
        thread="" if thread == at else thread,
        trigger=_text(payload, "trigger_id"),
        view=_text(view, "id") if modal else "",
        message=shown or kept.message,
        response=_text(payload, "response_url") or kept.response,
    )


def _identity(user: str, tenant: str) -> Identity:
    if not user:
        raise Malformed("the payload names no user")
    return Identity(surface=SURFACE, id=user, tenant=tenant or None)


def _kept(view: Json) -> Back:
    """What a modal kept; nothing for what is none of ours, which is found out where it matters."""
    try:
        return Back.read(view.get("private_metadata"))
    except Malformed:
        return Back()


# ---------------------------------------------------------------------------------------------- clicks


def press(payload: Json) -> Press | Step:
    """Read a `block_actions` payload. Raises Malformed."""
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise Malformed("the payload holds no single action")
    who, action = origin(payload), actions[0]
    if (go := way_of(action.get("action_id"))) is not None:
        return Step(origin=who, go=go, value=_text(action, "value"))
    if action.get("action_id") == MORE:
        return _rare(who, action)
    verb, way = verb_of(action.get("action_id"))
    if way != BECAUSE:
        return _press(who, action, verb, way, Token.read(action.get("value")))
    return _press(who, action, verb, way, _beneath(action), reason=_chosen(action))


def _rare(who: Origin, action: Json) -> Press | Step:
    """A line of the menu: a way, or a control whose token is in the block's id."""
    first, way, *rest = *_chosen(action).split("|", 2), ""
    if first == GO:
        if way not in tuple(Go):
            raise Malformed(f"not one of our ways: {way!r:.100}")
        return Step(origin=who, go=Go(way), value=rest[0])
    verb, _ = verb_of(f"placet:{first}")
    return _press(who, action, verb, way, _beneath(action))


def _chosen(action: Json) -> str:
    value = _text(_dict(action, "selected_option"), "value")
    if not value:
        raise Malformed("nothing was chosen")
    return value


def _beneath(action: Json) -> Token:
    """The token of a menu: it is in its block's id, for its value is what was chosen."""
    return Token.read(_text(action, "block_id").partition("|")[2])


def _press(who: Origin, action: Json, verb: Verb, way: str, token: Token, reason: str | None = None) -> Press:
    once = f"{_text(action, 'action_ts')}:{who.identity.id}:{_text(action, 'action_id')}"
    made = _interaction(who, verb, token, once=once if _text(action, "action_ts") else None, reason=reason)
    return Press(origin=who, interaction=made, token=token, way=way)


def _interaction(who: Origin, verb: Verb, token: Token, *, once: str | None, reason: str | None = None) -> Interaction:
    """`ref` and `mark` let a copy be adopted that was posted without our knowing: its answer was lost."""
    lies = token.copy and who.channel and who.message
    ref = lying(who.channel, who.message, who.thread) | {"copy": token.copy} if lies else None
    return Interaction(
        verb=verb,
        identity=who.identity,
        review=token.review,
        revision=token.revision,
        copy=token.copy or None,
        shown=token.shown or None,
        reason=reason,
        ref=ref,
        mark=mark_of(ref) or None if ref else None,
        once=once,
    )


def lying(channel: str, ts: str, thread: str = "") -> dict[str, str]:
    """Where a message lies; `parent` is the message it is a reply to."""
    return {"channel": channel, "ts": ts, **({"parent": thread} if thread else {})}


def mark_of(ref: Mapping[str, str]) -> str:
    """How a reply names a message of ours. One in somebody's thread has none: what is said there need not be for us."""
    return "" if "parent" in ref else f"{ref['channel']}:{ref['ts']}"


# ---------------------------------------------------------------------------------------------- forms


def submission(payload: Json) -> Submission:
    """Read a `view_submission` payload of a control's form. Raises Malformed."""
    who, view = origin(payload), _dict(payload, "view")
    kept = Back.read(view.get("private_metadata"))
    if kept.verb not in tuple(Verb):
        raise Malformed("the form is not one of ours")
    made = _interaction(who, Verb(kept.verb), Token.read(kept.token), once=_sent(payload))
    values, fields = _values(view)
    return Submission(origin=who, interaction=made, values=values, fields=fields)


def asking(payload: Json) -> Asking:
    """Read a `view_submission` payload of the form to ask with. Raises Malformed."""
    values, fields = _values(_dict(payload, "view"))
    return Asking(origin=origin(payload), values=values, fields=fields, once=_sent(payload) or "")


def picked(payload: Json) -> tuple[Pick, ...]:
    """The lines chosen in a bulk form, possibly none. Raises Malformed."""
    view = _dict(payload, "view")
    action = Back.read(view.get("private_metadata")).action
    tokens = [Token.read(f"|{value}") for value in _ticked(view)]
    return tuple(Pick(review=t.review, revision=t.revision, digest=t.shown, action=action) for t in tokens)


def _ticked(view: Json) -> Iterator[str]:
    blocks = _dict(_dict(view, "state"), "values")
    for name in blocks:
        chosen = _dict(_dict(blocks, name), VALUE).get("selected_options")
        if name.startswith(PICK) and isinstance(chosen, list):
            yield from (_text(option, "value") for option in chosen if isinstance(option, dict))


def _sent(payload: Json) -> str | None:
    """The id of one sending. Not the view's alone: a form with a fault in it is sent again."""
    view, trigger = _text(_dict(payload, "view"), "id"), _text(payload, "trigger_id")
    return f"{view}:{trigger}" if view else None


def _values(view: Json) -> tuple[dict[str, str], dict[str, str]]:
    """The form's values by field name (blank ones empty), and the block ids by field name."""
    blocks = _dict(_dict(view, "state"), "values")
    fields = {block.removeprefix(FIELD): block for block in blocks if block.startswith(FIELD)}
    return {name: _value(_dict(_dict(blocks, block), VALUE)) for name, block in fields.items()}, fields


def _value(state: Json) -> str:
    if state.get("type") == "checkboxes":
        return "true" if state.get("selected_options") else "false"
    chosen = _text(_dict(state, "selected_option"), "value")
    return chosen or _text(state, "selected_date") or _text(state, "value")


# ---------------------------------------------------------------------------------------------- words


def command(payload: Json) -> Command:
    """Read a slash command. Raises Malformed."""
    who = Origin(
        identity=_identity(_text(payload, "user_id"), _text(payload, "team_id") or _text(payload, "enterprise_id")),
        channel=_text(payload, "channel_id"),
        trigger=_text(payload, "trigger_id"),
        response=_text(payload, "response_url"),
    )
    return Command(origin=who, text=unescape(_text(payload, "text")).strip())


def shortcut(payload: Json) -> Shortcut:
    """Read a message shortcut. Raises Malformed where it points at no message."""
    message = _dict(payload, "message")
    who, at = origin(payload), _text(message, "ts") or _text(payload, "message_ts")
    if not at or not who.channel:
        raise Malformed("the shortcut points at no message")
    where = Origin(
        identity=who.identity,
        channel=who.channel,
        thread=_text(message, "thread_ts") or at,
        trigger=who.trigger,
        message=at,
        response=who.response,
    )
    return Shortcut(origin=where, text=unescape(_text(message, "text")))


#: Kinds of message that are somebody's words: plain ones, those also sent to the channel, those with a file.
_SAID = ("", "thread_broadcast", "file_share")


def reply(payload: Json) -> Interaction | None:
    """A comment, from an `event_callback` with a person's reply in a thread; None for every other message."""
    event = _dict(payload, "event")
    channel, thread, user = _text(event, "channel"), _text(event, "thread_ts"), _text(event, "user")
    said = unescape(_text(event, "text")).strip()
    others = _text(event, "subtype") not in _SAID or "bot_id" in event or "bot_profile" in event
    if others or not (channel and thread and user and said) or thread == _text(event, "ts"):
        return None
    return Interaction(
        verb=Verb.COMMENT,
        identity=_identity(user, _author(payload, event)),
        reason=said,
        mark=f"{channel}:{thread}",
        once=_text(payload, "event_id") or None,
    )


def above(payload: Json) -> str:
    """Who wrote the message that was replied to, of the same `event_callback`; empty where Slack does not say."""
    return _text(_dict(payload, "event"), "parent_user_id")


def _author(payload: Json, event: Json) -> str:
    """The workspace of who wrote: in a channel shared with others, the envelope's may be another's."""
    own = _text(event, "user_team") or _text(event, "team")
    return own or ("" if payload.get("is_ext_shared_channel") is True else _text(payload, "team_id"))


def opened(payload: Json) -> Origin | None:
    """Who opened our Home, from an `event_callback`; None for the other tabs."""
    event = _dict(payload, "event")
    if _text(event, "type") != "app_home_opened" or _text(event, "tab") != "home" or not _text(event, "user"):
        return None
    return Origin(identity=_identity(_text(event, "user"), _text(payload, "team_id")))


# ---------------------------------------------------------------------------------------------- shapes


def _dict(holder: Json, key: str) -> dict[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _text(holder: Json, key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""
