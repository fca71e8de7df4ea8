"""What `placet init` writes: placet.yml, a policy, a .gitignore. Every name the policy uses exists in placet.yml."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import typer
import yaml

from bot.cli.setup import STARTER
from bot.config import Config, parse
from bot.people import Directory
from policies import load as policies
from policies.model import Policy
from reviews.errors import PlacetError

#: The name of who holds a place that a policy needs filled; `placet doctor` asks who it is to be.
PLACEHOLDER = "Nobody yet"
_PLACES = ("second", "third", "fourth", "fifth")
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_IGNORED = "# Secrets and data do not belong into a repository.\nkeys/\n*.db\n*.db-*\n*.db.*\n.env\n"


class CannotInit(PlacetError):
    """What `init` was given does not fit, or something is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the operator chose; None is not chosen yet."""

    person: str | None = None
    name: str | None = None
    port: int | None = None
    policy: str | None = None
    second: str | None = None

    def complete(self) -> Choices:
        """The choices with the defaults for what was not chosen."""
        person = self.person or "me"
        port = 8080 if self.port is None else self.port
        return replace(self, person=person, name=self.name or person.title(), port=port, policy=self.policy or STARTER)


def ask(chosen: Choices) -> Choices:
    """Ask a person for what was not given."""
    known = ", ".join((STARTER, *policies.library_names()))
    person = chosen.person or typer.prompt("Your id, short and lower case", default="me")
    given = Choices(
        person=person,
        name=chosen.name or typer.prompt("Your name, as cards show it", default=str(person).title()),
        port=chosen.port if chosen.port is not None else typer.prompt("Port", default=8080, type=int),
        policy=chosen.policy or typer.prompt(f"Policy to begin with ({known})", default=STARTER),
    )
    if chosen.second or _wanted(_policy(given.policy or STARTER)[1]) < 2:
        return replace(given, second=chosen.second)
    asked = "The policy asks for two people. The other one's id; empty to fill it in later"
    return replace(given, second=typer.prompt(asked, default="", show_default=False) or None)


def write(folder: Path, chosen: Choices) -> list[Path]:
    """Write the files; the paths written. Raises CannotInit before anything is written."""
    text, policy = _policy(chosen.policy or STARTER)
    person = chosen.person or ""
    for who in (person, *([] if chosen.second is None else [chosen.second])):
        if not _ID.fullmatch(who):
            raise CannotInit(f"{who!r} is no id: write lower-case letters, digits, dots and hyphens, such as ana.")
    if chosen.second == person:
        raise CannotInit(f"{person!r} is you already: a second person has another id.")
    files = {"placet.yml": _config_text(chosen, policy), "policy.yml": text, ".gitignore": _IGNORED}
    _proved(files["placet.yml"], text)
    present = [name for name in files if name != ".gitignore" and (folder / name).exists()]
    if present:
        raise CannotInit(
            f"{' and '.join(present)} {'is' if len(present) == 1 else 'are'} in {folder.absolute()} already. "
            "Nothing was written; name another folder with --dir, or move them away."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_put(folder / name, content) for name, content in files.items() if not (folder / name).exists()]
    except OSError as fault:
        raise CannotInit(f"{folder.absolute()} cannot be written: {fault.strerror}.") from fault


def _put(path: Path, content: str) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    return path


def _policy(name: str) -> tuple[str, Policy]:
    if name == STARTER:
        text = (Path(__file__).parent / "starter.yml").read_text("utf-8")
        return text, policies.load_text(text, name="policy.yml")
    if name not in policies.library_names():
        known = ", ".join((STARTER, *policies.library_names()))
        raise CannotInit(f"There is no policy {name!r} to begin with; there are {known}.")
    found = policies.library(name)
    return found.text, found


def _proved(config: str, policy: str) -> None:
    """What is about to be written must load, names and all: a new installation begins without a fault."""
    made: Config = parse(yaml.safe_load(config))
    policies.load_text(policy, name="policy.yml", known=Directory(made).known)


# ---------------------------------------------------------------------------------------------- placet.yml


def _config_text(chosen: Choices, policy: Policy) -> str:
    roles, others, rotations = _names(policy)
    person = chosen.person or ""
    people = "\n".join(
        f"  - {{id: {_word(who)}, name: {_word(name)}, roles: [{', '.join(roles)}]}}"
        for who, name in _people(chosen, others, _wanted(policy))
    )
    levels = "\n".join(f"  {role}: {{level: {_level(role, policy)}}}" for role in roles)
    return _CONFIG.format(
        port=chosen.port, people=people, roles=levels, rotations=_rotations(rotations, person), person=person
    )


def _wanted(policy: Policy) -> int:
    """How many people a policy asks for at once."""
    return max(len(rule.route.needs) for rule in (*policy.rules, policy.default))


def _people(chosen: Choices, called: Iterable[str], wanted: int) -> list[tuple[str, str]]:
    """Ids and names: who begins, the second one, whom the policy calls by name, and placeholders up to `wanted`."""
    person, second = chosen.person or "", chosen.second
    known = {person: chosen.name or person} | ({second: second.title()} if second else {})
    known |= {other: other for other in called if other not in known}
    free = (place for place in _PLACES if place not in known)
    return [*known.items(), *((place, PLACEHOLDER) for place, _ in zip(free, range(wanted - len(known)), strict=False))]


def _word(text: str) -> str:
    """A text as YAML that reads as this text."""
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1_000).strip()


def _names(policy: Policy) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """The roles, people and rotation layers a policy names."""
    routes = [rule.route for rule in (*policy.rules, policy.default)]
    called = [target for chain in policy.chains.values() for rung in chain.rungs for target in rung.notify]
    roles = [need.role for route in routes for need in route.needs if need.role is not None]
    roles += _of(called, "role") + [name for name in _of(called, "channel") if name != "role"]
    people = list(dict.fromkeys(_of(called, "person")))
    layers = [(r, layer) for r, _, layer in (name.partition(".") for name in dict.fromkeys(_of(called, "oncall")))]
    return list(dict.fromkeys(roles)), people, layers


def _of(called: Iterable[str], kind: str) -> list[str]:
    return [target.partition(":")[2] for target in called if target.startswith(f"{kind}:")]


def _level(role: str, policy: Policy) -> int:
    """1, but 2 for roles that only the last rungs call: they are the seniors."""
    called = {n for chain in policy.chains.values() for rung in chain.rungs for n in _of(rung.notify, "role")}
    return 2 if role in called else 1


def _rotations(layers: list[tuple[str, str]], person: str) -> str:
    if not layers:
        return ""
    lines = ["", "# Who is on call. Add people: they take turns.", "rotations:"]
    for rotation in dict.fromkeys(rotation for rotation, _ in layers):
        lines.append(f"  {rotation}:")
        lines += [
            f'    {layer}: {{people: [{person}], every: 1w, handoff: "mon 09:00", timezone: UTC}}'
            for name, layer in layers
            if name == rotation
        ]
    return "\n".join(lines) + "\n"


_CONFIG = """\
# Placet's configuration. Every key is in the reference; `placet doctor` looks whether all of it works.
server:
  host: 127.0.0.1        # on any other address, set PLACET_DRAW_KEY and public_url, and put TLS in front
  port: {port}
  votes_by_token: true   # `placet approve ID` and the like, with a personal token (`placet token {person}`)
database: sqlite:///placet.db
policy: policy.yml

# Where decisions may be sent, beyond public https: here, agents on this machine at this port.
callbacks: {{allow: ["127.0.0.1:8991"]}}

# The humans. Who owns an agent may not decide what it does above low risk, so have at least two.
people:
{people}

# A higher level is more senior.
roles:
{roles}
{rotations}"""
