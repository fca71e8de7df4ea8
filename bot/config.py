"""placet.yml: what the operator says. Every key has its default here; unknown keys are refused; no secrets.

The reference page is generated from these models (`tools/reference.py`), so each field's description is written for
operators.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from bot.entries import Layer, Name, PersonEntry, RoleEntry, Section
from reviews.errors import PlacetError
from reviews.ways import CARDS


class ConfigFault(PlacetError):
    """placet.yml cannot be used as it is; each line says where and what is allowed."""


#: The surfaces that come with Placet and know people by ids of their own.
CHATS = ("slack", "teams")


class Listener(Section):
    """Where a listener binds."""

    host: str = Field(default="127.0.0.1", description="Address to bind.")
    port: int = Field(default=8081, ge=0, le=65535, description="Port to bind; 0 picks a free one.")


class Server(Section):
    """How the service is reached."""

    host: str = Field(default="127.0.0.1", description="Address to bind; loopback unless you say otherwise.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to bind; 0 picks a free one.")
    public_url: str | None = Field(
        default=None, description="The address people and agents use; default `http://HOST:PORT`."
    )
    votes_by_token: bool = Field(
        default=False, description="Whether people may vote over HTTP with a token (`placet token`)."
    )
    internal: Listener | None = Field(default=None, description="A second listener for `/v1` and `/metrics` alone.")


class Callbacks(Section):
    """Where decisions may be sent."""

    allow: tuple[str, ...] = Field(
        default=(), description="Beyond public https: `HOST:PORT`, `ADDRESS:PORT` or a network such as `10.2.0.0/16`."
    )

    @model_validator(mode="after")
    def _readable(self) -> Callbacks:
        for entry in self.allow:
            if "/" in entry:
                ipaddress.ip_network(entry)
            elif not entry.rpartition(":")[2].isdigit():
                raise ValueError(f"{entry!r}: write HOST:PORT, ADDRESS:PORT or a network such as 10.2.0.0/16")
        return self


class Cards(Section):
    """Posted cards."""

    open_per_channel: int = Field(
        default=20,
        ge=0,
        description="Open cards a channel holds; further low-risk reviews share one queue card. 0: never.",
    )


class Asks(Section):
    """Reviews people ask for themselves."""

    enabled: bool = Field(default=True, description="Whether people may ask for a review from chat.")
    action: str = Field(
        default="message.review", min_length=1, max_length=200, description="The action's name, for the policy's rules."
    )


class GlassRules(Section):
    """Breaking the glass: an emergency approval by two people who may."""

    window: str = Field(
        default="15m", pattern=r"^[1-9][0-9]{0,3}[smh]$", description="How long the second person has to observe it."
    )
    valid_for: str = Field(
        default="15m", pattern=r"^[1-9][0-9]{0,3}[smh]$", description="How long the approval is good at most."
    )


class Audit(Section):
    """The log. Reserved: both keys are taken and checked, and nothing acts on them yet; `placet doctor` says so."""

    checkpoint_channel: str | None = Field(default=None, description="Where the daily checkpoint is posted.")
    retention_days: int = Field(
        default=400, ge=183, description="How long entries are kept; the law asks for 183 at least."
    )


class Config(Section):
    """All of placet.yml."""

    server: Server = Field(default=Server(), description="How the service is reached.")
    database: str = Field(
        default="sqlite:///placet.db", description="`sqlite:///FILE`, `postgresql://user@host/name` or `memory://`."
    )
    policy: str = Field(default="policy.yml", description="A policy file, or a folder with main.yml.")
    callbacks: Callbacks = Field(default=Callbacks(), description="Where decisions may be sent.")
    people: tuple[PersonEntry, ...] = Field(default=(), description="The humans.")
    roles: dict[Name, RoleEntry] = Field(default_factory=dict, description="The roles.")
    rotations: dict[Name, dict[Name, Layer]] = Field(default_factory=dict, description="Who is on call, by layer.")
    gateways: dict[Name, str] = Field(
        default_factory=dict,
        description="Ways that reach people beyond chat (`sms`, `email`, `call`, your own), each with the environment "
        "variable that holds its Apprise URL; `{to}` in it stands for the person's address.",
    )
    slack: dict[str, Any] | None = Field(default=None, description="The Slack adapter's section.")
    teams: dict[str, Any] | None = Field(default=None, description="The Teams adapter's section.")
    surfaces: dict[Name, dict[str, Any]] = Field(
        default_factory=dict, description="Sections of adapters that do not come with Placet, by the adapter's name."
    )
    web: dict[str, Any] = Field(default_factory=dict, description="The web inbox's section.")
    cards: Cards = Field(default=Cards(), description="Posted cards.")
    asks: Asks = Field(default=Asks(), description="Reviews people ask for themselves.")
    glass: GlassRules = Field(default=GlassRules(), description="Breaking the glass.")
    policy_changes: Literal["free", "reviewed"] = Field(
        default="free",
        description="Whether a changed policy file is taken over at once, or after two people approved the change "
        "(`placet policy apply`).",
    )
    audit: Audit = Field(default=Audit(), description="The log. Reserved: without effect yet.")

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        people = [person.id for person in self.people]
        faults = [f"people: {twice!r} is there twice" for twice in {p for p in people if people.count(p) > 1}]
        for person in self.people:
            faults += [
                f"people: {person.id} has the role {r!r}, which roles: lacks"
                for r in person.roles
                if r not in self.roles
            ]
            if person.deputy is not None and person.deputy not in people:
                faults.append(f"people: {person.id}'s deputy {person.deputy!r} is nobody here")
            if person.deputy == person.id:
                faults.append(f"people: {person.id} cannot be their own deputy")
        if "away" in self.rotations:
            faults.append("rotations: `away` is where calendars of times away are kept; choose another name")
        for rotation, layers in self.rotations.items():
            for layer, turn in layers.items():
                faults += [
                    f"rotations: {rotation}.{layer} names {p!r}, who is nobody here"
                    for p in (*turn.people, *turn.names.values(), *(each.person for each in turn.overrides))
                    if p not in people
                ]
        faults += _shared_identities(self.people) + self._unknown_surfaces() + self._unknown_gateways()
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _unknown_surfaces(self) -> list[str]:
        known = (*CHATS, *self.surfaces)
        named = [(f"people: {person.id}", name) for person in self.people for name in person.identities]
        named += [(f"roles: {role}", name) for role, entry in self.roles.items() for name in entry.channels]
        named += [(f"roles: {role}", name) for role, entry in self.roles.items() for name in entry.members]
        named += [
            (f"people: {person.id}", person.prefers) for person in self.people if person.prefers not in (None, "web")
        ]
        allowed = f"there are web, {', '.join(known)}; an adapter of your own has a section in surfaces:"
        return [f"{where} names the surface {name!r}; {allowed}" for where, name in named if name not in known]

    def _unknown_gateways(self) -> list[str]:
        taken = (*CARDS, *CHATS, *self.surfaces)
        faults = [
            f"gateways: {name!r} is a way of its own already; choose another name"
            for name in self.gateways
            if name in taken
        ]
        for person in self.people:
            faults += [
                f"people: {person.id} has an address for the gateway {name!r}, which gateways: lacks"
                for name in person.addresses
                if name not in self.gateways
            ]
        return faults

    @property
    def chats(self) -> tuple[str, ...]:
        """The surfaces beside the web that have a section here."""
        return tuple(name for name in (*CHATS, *self.surfaces) if self.section(name) is not None)

    def section(self, surface: str) -> Mapping[str, Any] | None:
        """What is said of a surface; None where nothing is."""
        ours = {"slack": self.slack, "teams": self.teams, "web": self.web, "gateways": self.gateways}
        return ours[surface] if surface in ours else self.surfaces.get(surface)


def _shared_identities(people: tuple[PersonEntry, ...]) -> list[str]:
    owners: dict[tuple[str, str], str] = {}
    faults = []
    for person in people:
        for surface, identity in person.identities.items():
            first = owners.setdefault((surface, identity), person.id)
            if first != person.id:
                faults.append(f"people: {first} and {person.id} share the {surface} identity {identity!r}")
    return faults


def load(path: Path) -> Config:
    """Read placet.yml. Raises ConfigFault with every fault in it."""
    return read(path)[0]


def read(path: Path) -> tuple[Config, bytes]:
    """The same, and the bytes it was read from."""
    try:
        text = path.read_bytes()
        raw = yaml.safe_load(text.decode("utf-8"))
    except FileNotFoundError:
        raise ConfigFault(f"{path} is not there. `placet init` writes one; `--config FILE` names another.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigFault(f"{path} is not YAML: {fault}") from fault
    return parse(raw or {}, str(path)), text


def parse(raw: Any, name: str = "placet.yml") -> Config:
    """Check a configuration. Raises ConfigFault with every fault in it."""
    try:
        return Config.model_validate(raw)
    except ValidationError as fault:
        lines = [f"{name}: {'.'.join(map(str, e['loc'])) or 'whole file'}: {_plain(e)}" for e in fault.errors()]
        raise ConfigFault("\n".join(lines)) from None


def _plain(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such key; see the configuration reference for those there are"
    return str(error["msg"]).removeprefix("Value error, ")
