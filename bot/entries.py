"""People, roles and rotations, as placet.yml writes them, and what every section of it is made of."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from reviews.model import Right
from reviews.unseen import clean


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Madrid or UTC")
    return name


def _called(name: str) -> str:
    """A name as it stands in a line of ours: on that one line, with no character that hides or reorders others."""
    said = " ".join(clean(name).split())
    if not said or len(said) > _LONGEST:
        raise ValueError(f"a name has 1 to {_LONGEST} characters")
    return said


def _mailbox(email: str) -> str:
    """One address: a gateway would send to each of several, and the link in a message is for one person."""
    if re.fullmatch(r"[^\s,;|<>@]+@[^\s,;|<>@]+", email) is None or not email.isprintable():
        raise ValueError("write one e-mail address, such as ana@example.com")
    return email


def _number(phone: str) -> str:
    """One number, as `_mailbox`."""
    if re.fullmatch(r"\+?[0-9][0-9 ().-]*", phone) is None:
        raise ValueError("write one number, such as +34 600 111 222")
    return phone


Zone = Annotated[str, AfterValidator(_zone)]
#: Names longer than this (characters) fit no card.
_LONGEST = 200
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
#: The highest level a role may have.
MOST_SENIOR = 9
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Section(BaseModel):
    """A part of placet.yml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Quiet(Section):
    """Hours in which nothing rings for a person who is not on call."""

    begins: str = Field(alias="from", pattern=_CLOCK, description="From when, in their time zone.")
    until: str = Field(pattern=_CLOCK, description="Until when; earlier than `from` is the next morning.")
    days: str = Field(
        default="mon-sun",
        pattern=rf"^{_DAY}(-{_DAY})?(,{_DAY}(-{_DAY})?)*$",
        description="Days on which they begin, such as `mon-fri` or `sat,sun`.",
    )


class Away(Section):
    """A time a person is away, known beforehand."""

    begins: datetime = Field(alias="from", description="From when; in their time zone unless it says another.")
    until: datetime = Field(description="Until when.")

    @model_validator(mode="after")
    def _forward(self) -> Away:
        if self.begins.replace(tzinfo=None) >= self.until.replace(tzinfo=None):
            raise ValueError(f"a time away ends after it begins; {self.begins} to {self.until} does not")
        return self


class Alert(Section):
    """When a role's queue is too much, so that its people are told."""

    deep: int | None = Field(default=None, ge=1, description="More open reviews than this.")
    old: str | None = Field(
        default=None, pattern=r"^[1-9][0-9]{0,3}[mhd]$", description="The oldest has waited longer than this, as `4h`."
    )


class PersonEntry(Section):
    """One human, known on one or more surfaces."""

    id: Name = Field(description="Short name used in this file, in policies and in the log.")
    name: Annotated[str, AfterValidator(_called)] = Field(description="Name shown on cards.")
    email: Annotated[str, AfterValidator(_mailbox)] | None = Field(
        default=None, description="Matched with an agent's `on_behalf_of`; never trusted from a payload."
    )
    phone: Annotated[str, AfterValidator(_number)] | None = Field(default=None, description="For SMS and calls.")
    timezone: Zone = Field(default="UTC", description="Of quiet hours, and of the times away they type and are told.")
    roles: tuple[Name, ...] = Field(default=(), description="Roles held.")
    identities: dict[Name, str] = Field(
        default_factory=dict,
        description="Slack user id, Teams object id; `TENANT:ID` for somebody of another workspace (`T01AB:U02CD`).",
    )
    prefers: Name | None = Field(
        default=None,
        description="Where a direct message goes first: `slack`, `teams`, `web`. By default the first of `identities`.",
    )
    addresses: dict[Name, str] = Field(
        default_factory=dict,
        description="Where gateways reach this person, by the gateway's name, where it is neither `phone` nor `email`.",
    )
    deputy: Name | None = Field(
        default=None, description="Who is called instead while this person is away; without one, the next on call."
    )
    quiet: Quiet | None = Field(default=None, description="Hours in which nothing rings, unless they are on call.")
    away: tuple[Away, ...] = Field(default=(), description="Times away, known beforehand.")
    away_ical: str | None = Field(
        default=None, description="A calendar whose every event is a time away: a file or an `https` address."
    )
    away_ical_env: str | None = Field(
        default=None, description="Or the environment variable that holds its address, which is often a secret."
    )
    scopes: tuple[str, ...] = Field(default=(), description="Scopes of requests this person may decide.")
    auditor: bool = Field(default=False, description="May read every review and decide none by that.")

    @model_validator(mode="after")
    def _one_calendar(self) -> PersonEntry:
        if self.away_ical is not None and self.away_ical_env is not None:
            raise ValueError("write `away_ical` or `away_ical_env`, not both")
        if self.away_ical is not None and (fault := address_fault(self.away_ical)):
            raise ValueError(fault)
        return self

    @field_validator("identities")
    @classmethod
    def _spelled(cls, identities: dict[str, str]) -> dict[str, str]:
        """The directory's object ids are read in any case and sent in one: https://www.rfc-editor.org/rfc/rfc9562"""
        return {surface: text.lower() if surface == "teams" else text for surface, text in identities.items()}


class RoleEntry(Section):
    """A role people hold."""

    level: int = Field(
        default=1, ge=0, le=MOST_SENIOR, description="Seniority; policies may ask for a level instead of a role."
    )
    channels: dict[Name, str] = Field(default_factory=dict, description="The channel of the role on each surface.")
    members: dict[Name, str] = Field(
        default_factory=dict,
        description="Who else holds it: people above who are in this Slack user group (`S01AB`) or Teams conversation.",
    )
    may: tuple[Right, ...] = Field(
        default=(),
        description="Rights beyond deciding: `stop` agents, `break_glass`, `appeal` rejections, change the `policy`.",
    )
    alert: Alert | None = Field(default=None, description="When its queue is too deep or too old.")
    digest: str | None = Field(
        default=None,
        pattern=_CLOCK,
        description="When each day its people are told what waits and what was decided.",
    )
    timezone: Zone = Field(default="UTC", description="The zone of the digest's time.")


class Override(Section):
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


class Layer(Section):
    """A rotation layer: people who take turns (the short form), or a calendar."""

    people: tuple[Name, ...] = Field(default=(), description="The short form: who takes turns, in this order.")
    every: str = Field(default="1w", pattern=r"^[1-9][0-9]*[hdw]$", description="Length of a turn: `12h`, `1d`, `1w`.")
    handoff: str = Field(default="mon 09:00", pattern=rf"^({_DAY} )?\d\d:\d\d$", description="When turns change.")
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
