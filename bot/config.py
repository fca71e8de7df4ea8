"""placet.yml: what the operator says. Every key has its default here; unknown keys are refused; no secrets.

The reference page is generated from these models (`tools/reference.py`), so each field's description is written for
operators.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reviews.errors import PlacetError


class ConfigFault(PlacetError):
    """placet.yml cannot be used as it is; each line says where and what is allowed."""


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Madrid or UTC")
    return name


Zone = Annotated[str, AfterValidator(_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listener(_Section):
    """Where a listener binds."""

    host: str = Field(default="127.0.0.1", description="Address to bind.")
    port: int = Field(default=8081, ge=0, le=65535, description="Port to bind; 0 picks a free one.")


class Server(_Section):
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


class Callbacks(_Section):
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


class PersonEntry(_Section):
    """One human, known on one or more surfaces."""

    id: Name = Field(description="Short name used in this file, in policies and in the log.")
    name: str = Field(description="Name shown on cards.")
    email: str | None = Field(
        default=None, description="Matched with an agent's `on_behalf_of`; never trusted from a payload."
    )
    phone: str | None = Field(default=None, description="For SMS and calls.")
    timezone: Zone = Field(default="UTC", description="For quiet hours and handovers.")
    roles: tuple[Name, ...] = Field(default=(), description="Roles held.")
    identities: dict[Literal["slack", "teams"], str] = Field(
        default_factory=dict,
        description="Slack user id, Teams object id; `TENANT:ID` for somebody of another workspace (`T01AB:U02CD`).",
    )
    prefers: Literal["slack", "teams", "web"] = Field(default="web", description="Where a direct message goes first.")
    deputy: Name | None = Field(default=None, description="Who is called instead while this person is away.")
    scopes: tuple[str, ...] = Field(default=(), description="Scopes of requests this person may decide.")
    auditor: bool = Field(default=False, description="May read every review and decide none by that.")

    @field_validator("identities")
    @classmethod
    def _spelled(cls, identities: dict[str, str]) -> dict[str, str]:
        """The directory's object ids are read in any case and sent in one: https://www.rfc-editor.org/rfc/rfc9562"""
        return {surface: text.lower() if surface == "teams" else text for surface, text in identities.items()}


class RoleEntry(_Section):
    """A role people hold."""

    level: int = Field(default=1, ge=0, le=9, description="Seniority; policies may ask for a level instead of a role.")
    channels: dict[Literal["slack", "teams"], str] = Field(
        default_factory=dict, description="The channel of the role on each surface."
    )


class Layer(_Section):
    """A rotation layer in the short form."""

    people: tuple[Name, ...] = Field(min_length=1, description="Who takes turns, in this order.")
    every: str = Field(default="1w", pattern=r"^[1-9][0-9]*[hdw]$", description="Length of a turn: `12h`, `1d`, `1w`.")
    handoff: str = Field(
        default="mon 09:00", pattern=r"^((mon|tue|wed|thu|fri|sat|sun) )?\d\d:\d\d$", description="When turns change."
    )
    timezone: Zone = Field(default="UTC", description="The zone the handoff is in.")

    @property
    def at(self) -> time:
        """The time of day of the handoff."""
        return time.fromisoformat(self.handoff.rpartition(" ")[2])


class Cards(_Section):
    """Posted cards."""

    open_per_channel: int = Field(
        default=20,
        ge=0,
        description="Open cards a channel holds; further low-risk reviews share one queue card. 0: never.",
    )


class Asks(_Section):
    """Reviews people ask for themselves."""

    enabled: bool = Field(default=True, description="Whether people may ask for a review from chat.")
    action: str = Field(
        default="message.review", min_length=1, max_length=200, description="The action's name, for the policy's rules."
    )


class Audit(_Section):
    """The log."""

    checkpoint_channel: str | None = Field(default=None, description="Where the daily checkpoint is posted.")
    retention_days: int = Field(
        default=400, ge=183, description="How long entries are kept; the law asks for 183 at least."
    )


class Config(_Section):
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
    gateways: dict[Literal["sms", "email", "call"], str] = Field(
        default_factory=dict, description="Environment variables that hold Apprise URLs."
    )
    slack: dict[str, Any] | None = Field(default=None, description="The Slack adapter's section.")
    teams: dict[str, Any] | None = Field(default=None, description="The Teams adapter's section.")
    web: dict[str, Any] = Field(default_factory=dict, description="The web inbox's section.")
    cards: Cards = Field(default=Cards(), description="Posted cards.")
    asks: Asks = Field(default=Asks(), description="Reviews people ask for themselves.")
    audit: Audit = Field(default=Audit(), description="The log.")

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
        for rotation, layers in self.rotations.items():
            for layer, turn in layers.items():
                faults += [
                    f"rotations: {rotation}.{layer} names {p!r}, who is nobody here"
                    for p in turn.people
                    if p not in people
                ]
        faults += _shared_identities(self.people)
        if faults:
            raise ValueError("; ".join(faults))
        return self


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
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigFault(f"{path} is not there. `placet init` writes one; `--config FILE` names another.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigFault(f"{path} is not YAML: {fault}") from fault
    return parse(raw or {}, str(path))


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
