"""What Teams sends us, made from what it shows: presses, forms, dialogs, messages, installations. Pure.

Inputs are gathered as Teams gathers them: those of the card a button lies on and of the cards around it, blank ones
left out, and nothing is sent while a required one is blank.
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

TENANT = "7f0c2a34-1b6d-4c55-9a3e-2f5d8e6b1c01"
APP_ID = "0b8f6f52-6f0e-4a56-8a43-5b0f7c1d2e02"
#: Teams' id of the bot.
BOT = f"28:{APP_ID}"
TEAMS_ANA = "a1a1a1a1-0000-4000-8000-00000000a001"
TEAMS_BO = "b2b2b2b2-0000-4000-8000-00000000b002"
TEAMS_CLEO = "c3c3c3c3-0000-4000-8000-00000000c003"
#: Somebody of the tenant whom nobody entered in placet.yml.
TEAMS_EVE = "e5e5e5e5-0000-4000-8000-00000000e005"
NAMES = {TEAMS_ANA: "Ana Ruiz", TEAMS_BO: "Bo Lindqvist", TEAMS_CLEO: "Cleo Marsh", TEAMS_EVE: "Eve Stranger"}

#: A channel, its team, and a group chat.
CHANNEL = "19:reviews0000000000000000000000001@thread.tacv2"
TEAM = "19:team000000000000000000000000001@thread.tacv2"
GROUP = "19:group00000000000000000000000001@thread.v2"

CARD = "application/vnd.microsoft.card.adaptive"
TOAST = "application/vnd.microsoft.activity.message"
#: What begins the ids of our forms' inputs: the verb follows, and the field's name, by which `values` are given.
FIELD = "field:"

_stamps = itertools.count(1_760_000_000_000)


def new_id() -> str:
    """An activity's id: Teams counts milliseconds."""
    return str(next(_stamps))


def teams_id(aad: str) -> str:
    """Teams' own id of a person, which differs for every bot."""
    return f"29:1{aad.replace('-', '')}"


def chat_of(aad: str) -> str:
    """The 1:1 conversation of the bot with a person."""
    return f"a:1{aad.replace('-', '')[::-1]}"


def root_of(conversation: str) -> str:
    """The channel of a thread; every other conversation as it is."""
    return conversation.partition(";messageid=")[0]


# ---------------------------------------------------------------------------------------------- what is sent


def activity(kind: str, who: str, conversation: str, *, service: str, tenant: str = TENANT, **more: Any) -> Json:
    """What every activity carries. `who` is the directory's object id; empty for a guest Teams names no id of."""
    place = _place(conversation, tenant)
    sender = {"id": teams_id(who or "nobody"), "name": NAMES.get(who, "Somebody")}
    return {
        "type": kind,
        "id": new_id(),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "channelId": "msteams",
        "serviceUrl": service,
        "from": sender | ({"aadObjectId": who} if who else {}),
        "recipient": {"id": BOT, "name": "Placet"},
        "conversation": place,
        "channelData": _channel_data(conversation, tenant),
        "entities": [{"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web"}],
        "locale": "en-US",
        **more,
    }


def _place(conversation: str, tenant: str) -> Json:
    root = root_of(conversation)
    kind = "personal" if root.startswith("a:") else "groupChat" if root.endswith("@thread.v2") else "channel"
    group = {} if kind == "personal" else {"isGroup": True}
    return {"conversationType": kind, "tenantId": tenant, "id": conversation, **group}


def _channel_data(conversation: str, tenant: str) -> Json:
    root = root_of(conversation)
    if not root.endswith("@thread.tacv2"):
        return {"tenant": {"id": tenant}}
    named = {"teamsChannelId": root, "teamsTeamId": TEAM, "channel": {"id": root}, "team": {"id": TEAM}}
    return {**named, "tenant": {"id": tenant}}


def message(text: str, who: str, conversation: str, *, mention: bool, **more: Any) -> Json:
    """A message a person wrote. In channels and group chats Teams hands over only those that mention the bot."""
    said = activity("message", who, conversation, textFormat="plain", text=text, **more)
    if mention:
        said["text"] = f"<at>Placet</at> {escape(text, quote=False)}"
        named = {"type": "mention", "mentioned": {"id": BOT, "name": "Placet"}, "text": "<at>Placet</at>"}
        said["entities"] = [named, *said["entities"]]
    said["attachments"] = [{"contentType": "text/html", "content": f"<p>{said['text']}</p>"}]
    return said


def pressed(action: Json, data: Json, who: str, conversation: str, under: str, **more: Any) -> Json:
    """An Action.Execute that was pressed on the message `under`."""
    kept = {name: action[name] for name in ("type", "id", "title", "verb") if name in action}
    value = {"action": kept | {"data": data}, "trigger": more.pop("trigger", "manual")}
    return activity("invoke", who, conversation, name="adaptiveCard/action", value=value, replyToId=under, **more)


def dialog(name: str, data: Json, who: str, conversation: str, under: str, **more: Any) -> Json:
    """A dialog that is asked for (`task/fetch`) or whose button was pressed (`task/submit`)."""
    value = {"data": data, "context": {"theme": "default"}, "tabContext": None}
    return activity("invoke", who, conversation, name=name, value=value, replyToId=under, **more)


def pointed(name: str, text: str, who: str, conversation: str, **more: Any) -> Json:
    """A message somebody pointed at (`composeExtension/fetchTask`), or the dialog of it sent (`…/submitAction`)."""
    shown = {
        "id": new_id(),
        "messageType": "message",
        "from": {"user": {"id": TEAMS_BO, "displayName": "Bo Lindqvist", "userIdentityType": "aadUser"}},
        "body": {"contentType": "html", "content": f"<div>{escape(text, quote=False)}</div>"},
        "linkToMessage": f"https://teams.microsoft.com/l/message/{root_of(conversation)}/1",
    }
    value = {"commandId": "ask", "commandContext": "message", "messagePayload": shown, "context": {"theme": "default"}}
    data = more.pop("data", None)
    value |= {"data": data} if data is not None else {}
    return activity("invoke", who, conversation, name=name, value=value, **more)


def installed(who: str, conversation: str, action: str = "add", **more: Any) -> Json:
    """The app was added by a person, or taken away."""
    return activity("installationUpdate", who, conversation, action=action, **more)


def joined(who: str, conversation: str, **more: Any) -> Json:
    """The bot is in a conversation now."""
    return activity("conversationUpdate", who, conversation, membersAdded=[{"id": BOT}], **more)


# ---------------------------------------------------------------------------------------------- what lies on a card


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """An action that lies on a card, and the inputs whose values go with it."""

    action: Json
    inputs: tuple[Json, ...]


def buttons(card: Json, around: tuple[Json, ...] = ()) -> Iterator[Button]:
    """Every action of a card that sends something, those of the cards it unfolds too."""
    inputs = (*around, *_inputs(card))
    for action in _actions(card):
        if action.get("type") == "Action.ShowCard":
            yield from buttons(action["card"], inputs)
        else:
            yield Button(action=action, inputs=inputs)


def _actions(value: Any, top: bool = True) -> Iterator[Json]:
    """The actions within, not those of the cards they unfold."""
    if isinstance(value, list):
        for one in value:
            yield from _actions(one, False)
    elif isinstance(value, dict) and str(value.get("type", "")).startswith("Action."):
        yield value
    elif isinstance(value, dict) and (top or value.get("type") != "AdaptiveCard"):
        for inner in value.values():
            yield from _actions(inner, False)


def _inputs(value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for one in value:
            yield from _inputs(one)
    elif isinstance(value, dict) and str(value.get("type", "")).startswith("Input."):
        yield value
    elif isinstance(value, dict) and not str(value.get("type", "")).startswith("Action."):
        for inner in value.values():
            yield from _inputs(inner)


def inputs(card: Json) -> list[Json]:
    """Every input of a card, those of the cards it unfolds too, each once."""
    found = {id(field): field for one in buttons(card) for field in one.inputs}
    return list(found.values())


def button(card: Json, what: str, values: Mapping[str, str]) -> Button:
    """The control called so: by its title, its `verb`, or the verb in its data. Of several the one that has these
    inputs; failing that the first."""
    found = [one for one in buttons(card) if what in _names(one.action)]
    if not found:
        drawn = sorted({name for one in buttons(card) for name in _names(one.action)})
        raise AssertionError(f"no control {what!r} on this card; there are {drawn}")
    fits = [one for one in found if values.keys() <= {name_of(field) for field in one.inputs}]
    return next(iter(fits), found[0])


def _names(action: Json) -> set[str]:
    data = action.get("data") if isinstance(action.get("data"), dict) else {}
    return {str(name) for name in (action.get("title"), action.get("verb"), (data or {}).get("verb")) if name}


def name_of(field: Json) -> str:
    """What a person knows an input by: the form field's name; for other inputs their id."""
    name = str(field["id"])
    return name.removeprefix(FIELD).partition(":")[2] if name.startswith(FIELD) else name


# ---------------------------------------------------------------------------------------------- what is typed


def gathered(found: Button, values: Mapping[str, str]) -> tuple[Json, dict[str, str]]:
    """The `data` a button sends with its inputs, and what the client would complain of, by name."""
    if unknown := values.keys() - {name_of(field) for field in found.inputs}:
        raise AssertionError(f"no such inputs: {sorted(unknown)}; there are {[f['id'] for f in found.inputs]}")
    data, errors = dict(found.action.get("data") or {}), {}
    for field in found.inputs:
        value = values.get(name_of(field), _drawn(field.get("value", "")))
        if fault := _fault(field, value):
            errors[name_of(field)] = fault
        if field["type"] == "Input.Toggle":
            ticked = value not in ("", field.get("valueOff", "false"))
            data[field["id"]] = field.get("valueOn", "true") if ticked else field.get("valueOff", "false")
        elif value:
            data[field["id"]] = value
    return data, errors


def _drawn(value: object) -> str:
    """What stands in a field before anybody typed, as a client in JavaScript writes numbers."""
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)


def _fault(field: Json, value: str) -> str:
    """What the client says of a value before anything is sent; empty where it lets it pass."""
    said = str(field.get("errorMessage") or "This field is not right")
    if not value:
        return said if field.get("isRequired") else ""
    match field["type"]:
        case "Input.Number":
            good = re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
        case "Input.Date":
            good = re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
        case "Input.ChoiceSet":
            good = value in [choice["value"] for choice in field["choices"]]
        case _:
            good = (
                len(value) <= field.get("maxLength", len(value))
                and re.search(field.get("regex", ""), value) is not None
            )
    return "" if good else said


def words(card: Json) -> str:
    """What a person reads on a card without unfolding anything: its texts, labels, values and button titles."""
    return "\n".join(_words(card))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, dict) and "inlines" in value:
        yield "".join(run if isinstance(run, str) else run["text"] for run in value["inlines"])
    elif isinstance(value, dict):
        yield from (str(value[name]) for name in ("title", "text", "label", "value") if _shown(value, name))
        inner = (v for name, v in value.items() if isinstance(v, list | dict) and name not in _UNSEEN)
        yield from (text for one in inner for text in _words(one))


#: Parts of a card that nobody reads.
_UNSEEN = frozenset({"data", "card", "fallback", "refresh", "msteams", "selectAction"})


def _shown(value: Json, name: str) -> bool:
    """Whether a person reads this of an element; a value where it is a fact's, or stands in a field."""
    return isinstance(value.get(name), str) and (name != "value" or value.get("type") in (None, "Input.Text"))
