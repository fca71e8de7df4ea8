"""The app as Slack is told of it: what it may do, what it hears of, where it is reached. Pure, no SDK.

`manifest.yml` at the project's root is made from this; an operator's own comes from `placet slack manifest`.
https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import yaml

from adapters.slack.config import SlackMisconfigured
from adapters.slack.text import Json

#: Slack's one address of ours, for clicks, events and commands alike.
PATH = "/slack/events"
COMMAND = "/placet"
#: `callback_id` of the shortcut on messages.
SHORTCUT = "placet_ask"

#: Every method of the Web API this adapter calls, and the scopes it needs of a bot. A test holds it to the code.
USES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "apps.connections.open": (),  # with the app-level token, whose scope is connections:write
        "auth.test": (),
        "chat.getPermalink": (),
        "chat.postEphemeral": ("chat:write",),
        "chat.postMessage": ("chat:write", "chat:write.public"),
        "chat.update": ("chat:write",),
        "conversations.history": ("channels:history", "groups:history", "im:history"),
        "conversations.info": ("channels:read", "groups:read"),
        "conversations.list": ("channels:read", "groups:read"),
        "conversations.open": ("im:write",),
        "conversations.replies": ("channels:history", "groups:history", "im:history"),
        "dnd.info": ("dnd:read",),
        "usergroups.users.list": ("usergroups:read",),
        "users.info": ("users:read", "users:read.email"),
        "views.open": (),
        "views.publish": (),
        "views.push": (),
        "views.update": (),
    }
)
#: The events it hears of, and the scopes they need.
EVENTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"app_home_opened": ()})
#: Those it hears of beside where replies in threads are comments (`slack: {comments: thread}`).
REPLIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "message.channels": ("channels:history",),
        "message.groups": ("groups:history",),
        "message.im": ("im:history",),
    }
)
#: Of a slash command and a shortcut.
_COMMANDS = "commands"

#: The scopes of the bot. Looking for a card whose posting was never answered reads history, so replies need no more.
SCOPES: tuple[str, ...] = tuple(sorted({_COMMANDS, *(scope for needed in USES.values() for scope in needed)}))

#: Scopes the app does without, and what it cannot do then.
SPARE: Mapping[str, str] = MappingProxyType(
    {
        "dnd:read": "tell who has paused notifications, so an escalation waits for them",
        "usergroups:read": "read the members of user groups",
        "users:read": "read the members of user groups",
        "users:read.email": "match members of user groups by their e-mail address",
    }
)

#: The typed commands, as `help` has them.
_HINT = (
    "list [action] | mine | show ID | oncall | explain ID | away 2h | agents | "
    "stop AGENT why | what its next plan should heed | resume AGENT | help"
)
_ABOUT = (
    "Agents ask for a review before they act; people approve, reject, edit, ask for changes or escalate right here. "
    "Nothing is approved by silence. Every decision is kept with who, when and why, and goes back to the agent that "
    "asked, signed. The Home tab shows what waits for you."
)


def document(*, url: str, socket: bool, comments: bool = False) -> Json:
    """The manifest for a server reached at `url` (https, no path), or, with `socket`, at none.

    `comments`: replies in a card's thread are heard. Raises SlackMisconfigured where Slack cannot use the address.
    """
    where = "" if socket else _address(url) + PATH
    events = sorted({**EVENTS, **(REPLIES if comments else {})})
    request = {"request_url": where} if where else {}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Placet",
            "description": "A person in the loop of AI agents",
            "long_description": _ABOUT,
            "background_color": "#1f2937",
        },
        "features": _features(where, comments=comments),
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": events, **request},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }


def _features(where: str, *, comments: bool) -> Json:
    """What people see of the app. Where nobody reads what they write to it, they cannot write."""
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": not comments,
        },
        "bot_user": {"display_name": "placet", "always_online": True},
        "shortcuts": [
            {
                "name": "Ask for a review",
                "type": "message",
                "callback_id": SHORTCUT,
                "description": "Let somebody decide about this message",
            }
        ],
        "slash_commands": [
            {
                "command": COMMAND,
                "description": "What waits for you, a review, who is on call",
                "usage_hint": _HINT,
                "should_escape": False,
                **({"url": where} if where else {}),
            }
        ],
    }


def text(found: Json) -> str:
    """A manifest as YAML, in the order it is read in."""
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=100)


def _address(url: str) -> str:
    """The address Slack calls, without a trailing slash."""
    parts = urlsplit(url)
    if not url:
        raise SlackMisconfigured(
            "Slack must reach this server by https, and no address is known. Set server.public_url in placet.yml or "
            "give --url https://placet.example.com; or use --socket, which needs no address."
        )
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise SlackMisconfigured(
            f"Slack cannot call {url}: write an https address without a path, such as https://placet.example.com; "
            "or use --socket, which needs no address."
        )
    return url.rstrip("/")
