"""What Slack sends us, made from what it shows: clicks, forms, commands, shortcuts, events. Pure.

Each is checked against the published shapes where there are any, and signed as Slack signs.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import urlencode

from slack_events.validation import validate_payload
from slack_sdk.signature import SignatureVerifier

from tests.fakes.slack_process import SECRET, TEAM

Json = dict[str, Any]

_stamps = itertools.count(1)
#: Where the state of an input keeps what was chosen or typed; `value` for the rest.
_KEYS = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "checkboxes": "selected_options",
    "datepicker": "selected_date",
}


def sender(kind: str, user: str, team: str = TEAM) -> Json:
    """What every interaction carries of who did it."""
    return {
        "type": kind,
        "user": {"id": user, "username": "somebody", "name": "somebody", "team_id": team},
        "api_app_id": "A0PLACET",
        "token": "unused",
        "team": {"id": team, "domain": "placet-tests"},
    }


def action(blocks: list[Json], action_id: str, option: int | str = 0) -> Json:
    """The pressed control of these blocks. `option` is which line of a menu, or how its value begins; of several
    buttons of one id, how the value begins."""
    block, element = next(
        (block, element)
        for block in blocks
        for element in (*block.get("elements", ()), *filter(None, [block.get("accessory")]))
        if element.get("action_id") == action_id and _is(element, option)
    )
    made = {
        "type": element["type"],
        "action_id": action_id,
        "block_id": block.get("block_id", "made-by-slack"),
        "action_ts": f"{time.time():.3f}{next(_stamps):03}",
    }
    if element["type"] == "button":
        return {**made, "value": element.get("value", "")}
    return {**made, "selected_option": _option(element["options"], option)}


def _is(element: Json, option: int | str) -> bool:
    return element["type"] != "button" or isinstance(option, int) or element.get("value", "").startswith(option)


def _option(options: list[Json], option: int | str) -> Json:
    if isinstance(option, int):
        return options[option]
    return next(one for one in options if one["value"].startswith(option))


def click(user: str, pressed: Json, trigger: str, **where: Any) -> Json:
    """A click: `where` is its container, channel, message, view, response_url."""
    payload = {**sender("block_actions", user), "trigger_id": trigger, "actions": [pressed], **where}
    validate_payload("block_actions", None, payload)
    return payload


def submission(view: Json, user: str, values: Json) -> Json:
    """A form sent with these values, by field name (checkboxes: by `block_id`, a list of how the values begin)."""
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    payload = {
        **sender("view_submission", user),
        "trigger_id": f"{next(_stamps)}.2.3",
        "view": {**view, "state": {"values": {block["block_id"]: _filled(block, values) for block in inputs}}},
        "response_urls": [],
    }
    validate_payload("view_submission", None, payload)
    return payload


def _filled(block: Json, values: Json) -> Json:
    """What Slack sends of one input: the choice, the date or the text, or null where it was left blank."""
    element, key = block["element"], _KEYS.get(block["element"]["type"], "value")
    value = values.get(block["block_id"].removeprefix("field:"))
    match key:
        case "selected_option" if value is not None:
            value = next(option for option in element["options"] if option["value"] == value)
        case "selected_options":
            starts = [value] if isinstance(value, str) else value or ()
            value = [o for o in element["options"] if any(o["value"].startswith(start) for start in starts)]
    return {element["action_id"]: {"type": element["type"], key: value}}


def command(text: str, user: str, channel: str, response_url: str, trigger: str) -> Json:
    """`/placet` with this text."""
    payload = {
        "command": "/placet",
        "text": text,
        "user_id": user,
        "user_name": "somebody",
        "team_id": TEAM,
        "team_domain": "placet-tests",
        "channel_id": channel,
        "channel_name": "reviews",
        "api_app_id": "A0PLACET",
        "token": "unused",
        "response_url": response_url,
        "trigger_id": trigger,
    }
    validate_payload("slash_command", None, payload)
    return payload


def shortcut(message: Json, user: str, channel: str, trigger: str) -> Json:
    """The shortcut "Ask for a review" on a message."""
    return {
        **sender("message_action", user),
        "callback_id": "placet_ask",
        "trigger_id": trigger,
        "message_ts": message["ts"],
        "channel": {"id": channel, "name": "reviews"},
        "message": message,
        "response_url": "",
        "action_ts": "1.2",
    }


def event(inner: Json, event_id: str = "", team: str = TEAM) -> Json:
    """An event of the Events API."""
    validate_payload(inner["type"], inner.get("subtype"), inner)
    return {
        "type": "event_callback",
        "token": "unused",
        "team_id": team,
        "api_app_id": "A0PLACET",
        "event": inner,
        "event_id": event_id or f"Ev{next(_stamps):08}",
        "event_time": int(time.time()),
        "authorizations": [{"team_id": team, "user_id": "U0PLACETBOT", "is_bot": True}],
        "is_ext_shared_channel": False,
    }


def opened(user: str, tab: str = "home") -> Json:
    """The event that somebody opened our Home."""
    return event({"type": "app_home_opened", "user": user, "channel": "D0HOME", "tab": tab, "event_ts": "1.2"})


def reply(text: str, user: str, channel: str, thread: str, **more: Any) -> Json:
    """The message that somebody wrote beneath another."""
    said = {"type": "message", "user": user, "team": TEAM, "text": text, "channel": channel, "channel_type": "channel"}
    return {**said, "ts": f"{time.time():.6f}", "event_ts": "1.2", "thread_ts": thread, **more}


def signed(payload: Json | str, *, stamp: str = "", signature: str = "") -> tuple[str, dict[str, str]]:
    """Body and headers of a payload, signed as Slack signs."""
    body, kind = _encoded(payload)
    stamp = stamp or str(int(time.time()))
    made = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    return body, {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature or str(made),
    }


def _encoded(payload: Json | str) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    if isinstance(payload, str):
        return payload, form
    if payload.get("type") == "event_callback":
        return json.dumps(payload), "application/json"
    return urlencode(payload if "command" in payload else {"payload": json.dumps(payload)}), form
