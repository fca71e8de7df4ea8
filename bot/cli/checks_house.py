"""Checks of the house: policy, callbacks, people, rotations, surfaces."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from adapters.port import CONFIGURATION, Finding, bad, ok, warn
from bot import roster
from bot.addresses import is_loopback
from bot.app import ADAPTERS, agents_of
from bot.calendars import Calendars
from bot.change_route import ACTION, guarded, missing
from bot.cli.checks_machine import Served
from bot.cli.starting import PLACEHOLDER
from bot.clock import SystemClock
from bot.config import Config
from bot.groups import Unread, members_of, spelled
from bot.people import Directory
from bot.tools import tools_of
from policies.classify import classify
from policies.errors import PolicyFault
from policies.explain import run_tests
from policies.load import load
from policies.model import Fixed, Policy
from reviews.errors import PlacetError, StoreUnavailable
from reviews.model import Action, Object, Request, Right, RiskLevel, Tier
from reviews.status import DESK
from reviews.values import replace

#: A network as wide as this opens callbacks to nearly everything.
_WIDE = 8
#: So many people are named.
_NAMED = 5
_NOBODY_FIX = "Write who it is to be: a policy that asks for two people waits for the second one until it expires."
_STOP_FIX = "Write `may: [stop]` at a role somebody holds; until then an operator can: `placet agent stop NAME`."


def policy(config: Config, folder: Path) -> list[Finding]:
    """Whether the policy loads, what it warns of, and whether its own tests pass."""
    try:
        rules = _policy(config, folder)
    except PolicyFault as fault:
        return [bad("policy", str(each), "`placet policy check` shows them all.") for each in fault.faults]
    found = [warn("policy", text, "Change the rule, or leave it if you mean it so.") for text in rules.warnings]
    failed = [result for result in run_tests(rules) if not result.passed]
    found += [
        bad("policy", f"its test fails, {result.file}:{result.line}: {'; '.join(result.wrong)}", "placet policy test")
        for result in failed
    ]
    if config.policy_changes == "reviewed" and (said := _unchangeable(config, rules)):
        found.append(bad("policy", said, "Or write policy_changes: free, and restart."))
    if not rules.tests:
        found.append(warn("policy", "has no tests", "Write some under `tests:`; they say what must stay as it is."))
    return [ok("policy", f"{rules.ref} loads"), *found]


def _unchangeable(config: Config, rules: Policy) -> str:
    """Why no change of the policy could be approved; empty where one could, or where groups may bring people."""
    if any(entry.members for entry in config.roles.values()):
        return ""
    asked = classify(
        rules, Request(action=Action(name=ACTION)), agent=DESK, now=datetime.now(UTC), draw=0.0, counters=Fixed()
    )
    route = guarded(asked.route, rules, config)
    return "" if route.tier is Tier.DENY else missing(route, Directory(config))


def _policy(config: Config, folder: Path) -> Policy:
    return load(folder / config.policy, Directory(config).known)


def callbacks(config: Config) -> list[Finding]:
    """Whether the allow-list lets decisions out, and no more than it should."""
    found = []
    for entry in config.callbacks.allow:
        if "/" in entry and ipaddress.ip_network(entry).prefixlen < _WIDE:
            text = f"{entry} opens nearly every address to whoever has an agent's key"
            found.append(bad("callbacks", text, "Name the hosts and ports of your agents."))
    if not config.callbacks.allow and is_loopback(config.server.host):
        text = "only public https; agents on this machine cannot be told"
        found.append(warn("callbacks", text, 'Add theirs, such as callbacks: {allow: ["127.0.0.1:8991"]}.'))
    beyond = ", ".join(config.callbacks.allow) or "nothing"
    return found or [ok("callbacks", f"public https, and beyond it {beyond}")]


def audit(config: Config) -> list[Finding]:
    """Whether somebody relies on what nothing does yet."""
    if not config.audit.model_fields_set:
        return []
    text = f"{' and '.join(sorted(config.audit.model_fields_set))} has no effect yet: nothing is erased, nothing posted"
    return [warn("audit", text, "Take `audit:` out, or know that it waits for a later version.")]


# ---------------------------------------------------------------------------------------------- people


def people(config: Config, folder: Path) -> list[Finding]:
    """Whether everybody a rule asks for exists, in sufficient number."""
    if not config.people:
        return [bad("people", "there is nobody, so nobody can decide", "List them under `people:` with their roles.")]
    holders = Counter(role for person in config.people for role in person.roles)
    found = [
        warn("people", f"the role {role} has nobody", f"Give it to somebody, or take it out of `roles:` ({role}).")
        for role, entry in config.roles.items()
        if not holders[role] and not entry.members
    ]
    grouped = any(entry.members for entry in config.roles.values())
    idle = [p.id for p in config.people if not p.roles and not p.auditor and not grouped]
    found += [warn("people", f"{who} has no role, and sees nothing", "Give them a role, or auditor.") for who in idle]
    found += [warn("people", f"{p.id} is nobody yet", _NOBODY_FIX) for p in config.people if p.name == PLACEHOLDER]
    found += _slots(config, folder, holders)
    return found or [ok("people", f"{len(config.people)} people in {len(config.roles)} roles")]


def stop(config: Config, folder: Path) -> list[Finding]:
    """Whether somebody may stop an agent from chat or the web, where there is one to stop."""
    able = [name for name, entry in config.roles.items() if Right.STOP in entry.may]
    if any(config.roles[name].members for name in able) or Directory(config).with_right(Right.STOP):
        return []
    try:
        there = agents_of(config, folder)
    except (StoreUnavailable, ValueError):
        return []  # the check of the database says so
    why = f"nobody holds {' or '.join(able)}" if able else "no role has the right"
    return [warn("stop", f"{why}, so nobody can stop an agent in chat or on the web", _STOP_FIX)] if there else []


def _slots(config: Config, folder: Path, holders: Counter[str]) -> list[Finding]:
    """Rules that ask for more people than there are: their reviews could only expire."""
    try:
        rules = _policy(config, folder)
    except PolicyFault:
        return []  # the check of the policy says so
    found = []
    for rule in (*rules.rules, rules.default):
        roles = (need.role for need in rule.route.needs)
        wanted = Counter(role for role in roles if role is not None and not _grouped(config, role))
        short = [
            f"{count} of {role} (there are {holders[role]})" for role, count in wanted.items() if count > holders[role]
        ]
        if short:
            fix = "Give the role to more people: until then its reviews wait for whom the chain calls, and expire."
            found.append(bad("people", f'the rule "{rule.name}" asks for {", ".join(short)}', fix))
        elif len(rule.route.needs) > len(config.people):
            text = f'the rule "{rule.name}" asks for {len(rule.route.needs)} persons; there are {len(config.people)}'
            found.append(bad("people", text, "Add people: nobody fills two slots."))
    if len(config.people) == 1 and any(entry.risk is not RiskLevel.LOW for entry in rules.actions.values()):
        text = "there is one person; whoever owns an agent may not decide what it does above low risk"
        found.append(warn("people", text, "Add a second person, or let agents have no owner."))
    return found


def _grouped(config: Config, role: str) -> bool:
    """Whether a role has more holders than placet.yml lists."""
    return role in config.roles and bool(config.roles[role].members)


def groups(config: Config, env: Mapping[str, str]) -> list[Finding]:
    """Whether the groups roles are held through can be read now, and who in them is nobody of placet.yml."""
    return [
        finding
        for role, entry in config.roles.items()
        for surface, group in entry.members.items()
        for finding in _group(config, env, role, surface, group)
    ]


def _group(config: Config, env: Mapping[str, str], role: str, surface: str, group: str) -> list[Finding]:
    where = f"{surface.capitalize()} group {group}"
    try:
        members = asyncio.run(members_of(tools_of(surface), config, env, surface, group))
    except Unread as fault:
        text = f"{role}: {where} cannot be read: {fault}"
        return [bad("groups", text, "Until it can, its members are as they were read last; at first, nobody.")]
    known = {person.identities.get(surface): person.id for person in config.people}
    here = [each for each in members if each.active]
    strangers = [each.name or each.id for each in here if spelled(surface, each.id) not in known]
    found = [ok("groups", f"{role}: {len(here) - len(strangers)} of {where} hold it")]
    if strangers:
        more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
        text = f"{role}: in {where} and not in placet.yml: {', '.join(strangers[:_NAMED])}{more}"
        found.append(
            warn("groups", text, f"They hold nothing until they are: placet people import --{surface} {group}")
        )
    return found


def rotations(config: Config, folder: Path, env: Mapping[str, str]) -> list[Finding]:
    """Whether calendars can be read, and somebody is on call now and in the days ahead in every layer."""
    clock = SystemClock()
    calendars = Calendars(config, folder, env, clock)
    asyncio.run(_read(calendars))
    now, directory = clock.now(), Directory(config, copies=calendars.copies)
    fix = "Look at `away_ical` or `away_ical_env` in placet.yml, and whether the address still answers."
    unread = [warn("rotations", f"{name}: {note}", fix) for name, note in directory.unread(now).items()]
    return [*(finding for layer in roster.report(directory, now, roster.WARNED) for finding in _layer(layer)), *unread]


async def _read(calendars: Calendars) -> None:
    await calendars.start()
    await calendars.refresh()


def _layer(layer: Object) -> list[Finding]:
    name, now = layer["layer"], layer["now"]
    called = ", ".join(person["id"] for person in now["people"]) if now is not None else ""
    found = [ok("rotations", f"{name}: {called} now")] if called else []
    if layer["note"]:
        fix = "Look at `ical` or `ical_env` in placet.yml, and whether the address still answers."
        found.append(warn("rotations", f"{name}: {layer['note']}", fix))
    fix = "Give the person that name or e-mail in placet.yml, or say who is meant under `names` of the layer."
    found += [warn("rotations", f"{name}: {said}", fix) for said in layer["unclear"]]
    fix = "Rungs that call it pass on at once; fill the gap. `placet oncall gaps` lists them."
    if not called:
        found.append(warn("rotations", f"{name}: nobody is on call now", fix))
    ahead = [gap for gap in layer["gaps"] if called or gap is not layer["gaps"][0]]
    if ahead:
        more = f", and {len(ahead) - 1} more in {roster.WARNED.days} days" if len(ahead) > 1 else ""
        text = f"{name}: nobody is on call from {_minute(ahead[0]['from'])}{_to(ahead[0])}{more}"
        found.append(warn("rotations", text, fix))
    return found


def _to(gap: Object) -> str:
    return f" to {_minute(gap['until'])}" if gap["until"] else " on"


def _minute(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%d %b %H:%M} UTC"


# ---------------------------------------------------------------------------------------------- surfaces


_INSTALL = "Install the adapter into Placet's environment, or take its section out."


def surfaces(config: Config, env: Mapping[str, str], served: Served | None) -> list[Finding]:
    """Whether each surface that is configured has an adapter, and what its own examination finds."""
    installed = {entry.name for entry in metadata.entry_points(group=ADAPTERS)}
    if not installed:
        fix = "Install Placet with its metadata: pip install . (or -e .), not by copying files."
        return [bad("surfaces", "no adapter is installed at all, so nobody sees a card", fix)]
    enabled = config.web.get("enabled", True) and "web" in installed
    found = [
        bad("surfaces", f"{name} is configured, and no adapter of this name is installed", _INSTALL)
        for name in config.chats
        if name not in installed
    ]
    if not enabled and not config.chats:
        found.append(bad("surfaces", "none is on, so nobody sees a card", "Set web: {enabled: true}."))
    found += _preferred(config)
    health = "" if served is None else " (their health is the server's, above)"
    well = ok("surfaces", ", ".join([*(["web"] if enabled else []), *config.chats]) + health)
    return [*(found or [well]), *(finding for name in config.chats for finding in _examined(name, config, env))]


def _preferred(config: Config) -> list[Finding]:
    """People who prefer a surface where nobody knows them."""
    return [
        warn(
            "surfaces",
            f"{person.id} prefers {person.prefers} and has no identity there",
            f"Add identities: {{{person.prefers}: …}}, or prefers: web.",
        )
        for person in config.people
        if person.prefers not in (None, "web") and person.prefers not in person.identities
    ]


def _examined(name: str, config: Config, env: Mapping[str, str]) -> list[Finding]:
    """What a surface's own examination finds, and whether the vendor can reach us where it must."""
    if (tools := tools_of(name)) is None:
        return []
    section = config.section(name) or {}
    channels = [role.channels[name] for role in config.roles.values() if name in role.channels]
    people = [person.identities[name] for person in config.people if name in person.identities]
    looked = tools.examine(section, env, channels=channels, people=people, now=datetime.now(UTC))
    found = [replace(finding, name=_titled(name, finding.name)) for finding in asyncio.run(looked)]
    if any(finding.name == CONFIGURATION for finding in found):
        return found  # the address is in the same section, and would be told wrong for the same reason
    try:
        tools.manifest(section, url=config.server.public_url or "", socket=False)
    except PlacetError as fault:
        found.append(bad(f"{name} address", str(fault)))
    return found


def _titled(surface: str, name: str) -> str:
    """What a surface finds in its section of placet.yml is told where the file's other faults are."""
    return CONFIGURATION if name == CONFIGURATION else f"{surface} {name}"
