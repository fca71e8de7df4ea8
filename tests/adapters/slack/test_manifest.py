"""The app manifest: Slack takes it, and it asks for what the code uses and nothing else."""

from __future__ import annotations

import ast
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import manifest
from adapters.slack.checks import TOOLS
from adapters.slack.config import SlackMisconfigured
from bot import commands

ROOT = Path(__file__).resolve().parents[3]
ADAPTER = ROOT / "adapters" / "slack"
#: Slack's published schemas of manifests, which are not ours to ship: in a folder named here, or beside the project.
SCHEMAS = Path(os.environ.get("PLACET_SLACK_SCHEMAS") or ROOT.parent / "shared" / "schemas" / "slack")
URL = "https://placet.example.com"

VARIANTS = {
    "http": manifest.document(url=URL, socket=False),
    "socket": manifest.document(url="", socket=True),
    "replies": manifest.document(url=URL, socket=False, comments=True),
}
#: What bots may ask for that this app could come to need: the schema knows no names, so a slip would pass it.
#: https://docs.slack.dev/reference/scopes
KNOWN_SCOPES = {
    "channels:history", "channels:read", "chat:write", "chat:write.public", "commands", "dnd:read",
    "groups:history", "groups:read", "im:history", "im:read", "im:write", "reactions:read", "usergroups:read",
    "users:read", "users:read.email",
}  # fmt: skip
#: https://docs.slack.dev/reference/events
KNOWN_EVENTS = {
    "app_home_opened", "app_mention", "app_uninstalled", "message.channels", "message.groups", "message.im",
    "tokens_revoked",
}  # fmt: skip


# --- what Slack takes


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="Slack's schemas are not here: name their folder PLACET_SLACK_SCHEMAS")
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
@pytest.mark.parametrize("version", [1, 2])
def test_slacks_own_schema_takes_it(variant: dict[str, Any], version: int) -> None:
    """Both versions that are published; and each of them can refuse."""
    schema = json.loads((SCHEMAS / f"manifest.schema.{version}.0.0.json").read_text("utf-8"))
    check = jsonschema_rs.Draft7Validator(schema)
    assert [fault.message for fault in check.iter_errors(variant)] == []
    assert list(check.iter_errors(variant | {"display_information": {"long_description": "short"}}))


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_name_is_one_slack_has(variant: dict[str, Any]) -> None:
    """Scopes and events, none of them twice."""
    scopes, events = variant["oauth_config"]["scopes"]["bot"], variant["settings"]["event_subscriptions"]["bot_events"]
    assert set(scopes) <= KNOWN_SCOPES
    assert set(events) <= KNOWN_EVENTS
    assert (len(scopes), len(events)) == (len(set(scopes)), len(set(events)))


def test_each_way_to_be_reached() -> None:
    """Every address is the one the adapter serves; a socket has none at all; replies are heard only where wanted."""
    assert json.dumps(VARIANTS["http"]).count(URL + manifest.PATH) == 3
    assert "http" not in json.dumps(VARIANTS["socket"])
    assert VARIANTS["socket"]["settings"]["socket_mode_enabled"] is True
    assert VARIANTS["http"]["settings"]["socket_mode_enabled"] is False
    heard = {name: set(found["settings"]["event_subscriptions"]["bot_events"]) for name, found in VARIANTS.items()}
    assert heard["replies"] - heard["http"] == {"message.channels", "message.groups", "message.im"}
    silent = {name: found["features"]["app_home"]["messages_tab_read_only_enabled"] for name, found in VARIANTS.items()}
    assert silent == {"http": True, "socket": True, "replies": False}


@pytest.mark.parametrize("url", ["", "http://placet.example.com", "placet.example.com", f"{URL}/slack", f"{URL}?a=b"])
def test_an_address_slack_cannot_call(url: str) -> None:
    """The sentence says what to write, and the way that needs no address."""
    with pytest.raises(SlackMisconfigured, match=r"https.*--socket"):
        manifest.document(url=url, socket=False)


def test_the_operators_manifest_follows_the_configuration() -> None:
    """The mode and the comments of placet.yml; what is printed reads as what was made."""
    assert yaml.safe_load(TOOLS.manifest({}, url=f"{URL}/", socket=False)) == VARIANTS["http"]
    assert yaml.safe_load(TOOLS.manifest({"mode": "socket"}, url="", socket=False)) == VARIANTS["socket"]
    assert yaml.safe_load(TOOLS.manifest({}, url=URL, socket=True)) == VARIANTS["socket"]
    assert yaml.safe_load(TOOLS.manifest({"comments": "thread"}, url=URL, socket=False)) == VARIANTS["replies"]


def test_the_hint_beside_the_command_names_the_commands() -> None:
    """As `help` does, in its order."""
    (command,) = VARIANTS["http"]["features"]["slash_commands"]
    assert command["usage_hint"] == " | ".join(usage for usage, _ in commands._COMMANDS)


# --- what the code uses


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    """The adapter's modules and their trees."""
    for path in sorted(ADAPTER.glob("*.py")):
        yield importlib.import_module(f"adapters.slack.{path.stem}"), ast.parse(path.read_text("utf-8"))


#: The methods of Slack's client, as the SDK spells them.
CLIENT = {name for name in dir(AsyncWebClient) if "_" in name and not name.startswith("_")} - {"api_call"}


def methods_called(tree: ast.AST) -> set[str]:
    """The methods of Slack's client a tree calls or hands on, by their names in Slack's documentation."""
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & CLIENT
    generic = {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "api_call"
        and isinstance(node.args[0], ast.Constant)
    }
    documented = {method.replace(".", "_"): method for method in manifest.USES}
    return {documented.get(name, name) for name in named} | generic


def listened(module: ModuleType, tree: ast.AST, kind: str) -> set[str]:
    """What a module registers with Bolt: `bolt.event(…)`, `bolt.command(…)`, `bolt.shortcut(…)`."""
    return {
        name_of(eval(ast.unparse(node.args[0]), vars(module)))  # noqa: S307 - our own code
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == kind
        and ast.unparse(node.func.value).endswith("bolt")
    }


def name_of(wanted: Any) -> str:
    """The name in one of Bolt's matchers."""
    return str(wanted.get("type") or wanted.get("callback_id")) if isinstance(wanted, dict) else str(wanted)


def test_every_method_that_is_called_is_listed_and_every_listed_one_is_called() -> None:
    """USES is what the adapter does, no more and no less."""
    called = set().union(*(methods_called(tree) for _, tree in modules()))
    assert called == set(manifest.USES)


def test_a_method_that_is_not_listed_would_be_found() -> None:
    """The check above can fail, in either spelling."""
    source = "async def f(c):\n await c.reactions_add(name='x')\n await c.api_call('pins.add')\n await c.chat_update()"
    assert methods_called(ast.parse(source)) == {"reactions_add", "pins.add", "chat.update"}


def test_what_is_heard_is_what_the_manifest_subscribes_to() -> None:
    """Events, the command and the shortcut: each has a listener, and each listener hears something."""
    heard: dict[str, set[str]] = {"event": set(), "command": set(), "shortcut": set()}
    for module, tree in modules():
        for kind, names in heard.items():
            names |= listened(module, tree, kind)
    subscribed = {name.partition(".")[0] for name in (*manifest.EVENTS, *manifest.REPLIES)}
    assert heard == {"event": subscribed, "command": {manifest.COMMAND}, "shortcut": {manifest.SHORTCUT}}


def test_the_scopes_are_those_of_what_is_used() -> None:
    """Of the methods, the events and the command; replies need no more than looking for a lost card does."""
    needed = {scope for uses in (manifest.USES, manifest.EVENTS) for scopes in uses.values() for scope in scopes}
    assert set(manifest.SCOPES) == needed | {"commands"}
    assert {scope for scopes in manifest.REPLIES.values() for scope in scopes} <= needed
    assert {tuple(found["oauth_config"]["scopes"]["bot"]) for found in VARIANTS.values()} == {manifest.SCOPES}
