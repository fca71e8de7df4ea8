"""placet.yml: what the operator says. Every key has its default here; unknown keys are refused; no secrets.

The reference page is generated from these models (`tools/reference.py`), so each field's description is written for
operators.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
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
#: The surfaces that come with Placet and know people by ids of their own.
CHATS = ("slack", "teams")
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
    identities: dict[Name, str] = Field(
        default_factory=dict,
        description="Slack user id, Teams object id; `TENANT:ID` for somebody of another workspace (`T01AB:U02CD`).",
    )
    prefers: Name = Field(default="web", description="Where a direct message goes first: `slack`, `teams`, `web`.")
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
    channels: dict[Name, str] = Field(default_factory=dict, description="The channel of the role on each surface.")


class Override(_Section):
    """Who is on call for a while instead of whom the rotation says."""

    person: Name = Field(description="Who is on call.")
    begins: datetime = Field(
        alias="from", description="From when, such as `2026-12-24 18:00`; in the layer's zone unless it says another."
    )
    until: datetime = Field(description="Until when; a later override in the list wins over an earlier.")

    @model_validator(mode="after")
    def _forward(self) -> Override:
        if self.begins.replace(tzinfo=None) >= self.until.replace(tzinfo=None):
            raise ValueError(f"an override ends after it begins; {self.begins} to {self.until} does not")
        return self


class Layer(_Section):
    """A rotation layer: people who take turns (the short form), or a calendar."""

    people: tuple[Name, ...] = Field(default=(), description="The short form: who takes turns, in this order.")
    every: str = Field(default="1w", pattern=r"^[1-9][0-9]*[hdw]$", description="Length of a turn: `12h`, `1d`, `1w`.")
    handoff: str = Field(
        default="mon 09:00", pattern=r"^((mon|tue|wed|thu|fri|sat|sun) )?\d\d:\d\d$", description="When turns change."
    )
    timezone: Zone = Field(
        default="UTC", description="The zone of the handoff, of overrides, and of a calendar's times that name none."
    )
    ical: str | None = Field(
        default=None,
        description="Or a calendar: a file, or an `https` or `webcal` address (`http` on this machine alone).",
    )
    ical_env: str | None = Field(
        default=None, description="Or the environment variable that holds its address, which is often a secret."
    )
    refresh: str = Field(default="5m", pattern=r"^[1-9][0-9]{0,3}[mh]$", description="How often an address is read.")
    names: dict[str, Name] = Field(
        default_factory=dict,
        description="What the calendar calls somebody, and who that is; ids, names and e-mails are known without.",
    )
    overrides: tuple[Override, ...] = Field(default=(), description="Who is on call for a while instead.")

    @property
    def at(self) -> time:
        """The time of day of the handoff."""
        return time.fromisoformat(self.handoff.rpartition(" ")[2])

    @property
    def dated(self) -> bool:
        """Whether this is a calendar."""
        return self.ical is not None or self.ical_env is not None

    @model_validator(mode="after")
    def _one_source(self) -> Layer:
        if sum((bool(self.people), self.ical is not None, self.ical_env is not None)) != 1:
            raise ValueError("write `people` for the short form, or `ical` or `ical_env` for a calendar; one of them")
        if self.ical is not None and (fault := address_fault(self.ical)):
            raise ValueError(fault)
        return self


def address_fault(ical: str) -> str | None:
    """Why a calendar cannot be read from there; None for a file's path and for an address that may be.

    The address itself is not repeated: whoever has it can read the calendar.
    """
    if "://" not in ical:
        return None
    try:
        parts = urlsplit(ical)
        host = parts.hostname or ""
    except ValueError:
        return "the calendar's address cannot be read"
    if parts.scheme in ("https", "webcal", "webcals") and host:
        return None
    if parts.scheme == "http" and host in ("127.0.0.1", "localhost", "::1"):
        return None
    return "a calendar's address begins with https:// or webcal:// (http:// is for this machine alone)"


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
    surfaces: dict[Name, dict[str, Any]] = Field(
        default_factory=dict, description="Sections of adapters that do not come with Placet, by the adapter's name."
    )
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
                    for p in (*turn.people, *turn.names.values(), *(each.person for each in turn.overrides))
                    if p not in people
                ]
        faults += _shared_identities(self.people) + self._unknown_surfaces()
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _unknown_surfaces(self) -> list[str]:
        known = (*CHATS, *self.surfaces)
        named = [(f"people: {person.id}", name) for person in self.people for name in person.identities]
        named += [(f"roles: {role}", name) for role, entry in self.roles.items() for name in entry.channels]
        named += [(f"people: {person.id}", person.prefers) for person in self.people if person.prefers != "web"]
        allowed = f"there are web, {', '.join(known)}; an adapter of your own has a section in surfaces:"
        return [f"{where} names the surface {name!r}; {allowed}" for where, name in named if name not in known]

    def section(self, surface: str) -> Mapping[str, Any] | None:
        """What is said of a surface; None where nothing is."""
        ours = {"slack": self.slack, "teams": self.teams, "web": self.web}
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
