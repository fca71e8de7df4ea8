"""Checks of whom the policy calls: a call that only shows on the web is seen by who looks, and wakes nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.port import Finding, warn
from bot.cli.checks_gateways import called
from bot.config import Config
from bot.people import LIVE, Directory
from policies.errors import PolicyFault
from policies.load import load
from reviews.model import Route, Rung

_NAME, _CHANNEL = "calls", "channel"
_FIX = (
    "Give them identities in a chat or the role a channel, or have the chain call by a gateway (`via:`): on the web a "
    "call waits for who looks."
)


def calls(config: Config, folder: Path) -> list[Finding]:
    """Roles and rotations that a chain calls and whose people have the web alone.

    On call it is said wherever it is so. Of roles only where people are reached by something else at all: a house that
    has but the web has people who look at it.
    """
    directory = Directory(config, surfaces=("web", *config.chats))
    try:
        rules = load(folder / config.policy, directory.known)
    except PolicyFault:
        return []  # the check of the policy says so
    routes = [rule.route for rule in (*rules.rules, rules.default)]
    said = (text for route in routes for rung in route.chain for text in _unheard(directory, route, rung))
    return [warn(_NAME, text, _FIX) for text in dict.fromkeys(said)]


def _unheard(directory: Directory, route: Route, rung: Rung) -> Iterator[str]:
    """What one rung calls by web alone. By a gateway it rings; that `via: web` calls nobody the policy's check says."""
    config, ways = directory.config, set(rung.via)
    if rung.notify_only or ways & set(config.gateways) or ways == LIVE:
        return
    for notify in rung.notify:
        kind, _, name = notify.partition(":")
        if kind == "oncall":
            alone = [who for who in called(config, directory, notify) if _alone(directory, who)]
            if alone:
                yield f"{name} is called by web alone while {' or '.join(alone)} is on call"
        elif kind in ("channel", "role") and (config.chats or config.gateways):
            roles = [need.role for need in route.needs] if notify == "channel:role" else [name]
            posted = not ways or _CHANNEL in ways
            deaf = (role for role in roles if role is not None and _deaf(directory, role, posted=posted))
            yield from (f"the role {role} is called by web alone" for role in deaf)


def _alone(directory: Directory, person: str) -> bool:
    return all(place.surface in LIVE for place in directory.direct(person))


def _deaf(directory: Directory, role: str, *, posted: bool) -> bool:
    """Whether a role's people see a call on the web alone, in its channel too if it is `posted` there.

    Whom a group may bring has a chat.
    """
    entry, holders = directory.config.roles.get(role), directory.holders(role)
    if entry is None or entry.members or (posted and directory.channels(role)):
        return False
    return bool(holders) and all(_alone(directory, person.id) for person in holders)
