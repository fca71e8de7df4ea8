"""A case: what an agent asks, what it says when it was done, and what a headless run's script has people do."""

from __future__ import annotations

from dataclasses import dataclass, field

from reviews.model import Object, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What people do in a headless run, and the end that must come of it.

    `verb` is the control pressed (None: nobody presses anything); `by` who presses it, each in their own browser;
    `fields` what they fill in, by the form's field names; `called` waits until escalation called them; `then` is
    what is done with the agent's next proposal after changes were asked for.
    """

    ends: Status
    verb: str | None = None
    by: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    edited: bool = False
    called: bool = False
    then: Script | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request (`body` as sent, without `callback_url`). `again` are the arguments of a second proposal."""

    body: Object
    script: Script
    done: str
    again: Object | None = None
