"""What the ladder would do with a request nobody answers: who is called when, by which way, and what comes next.

The table is not worked out beside the domain but by it: a review is opened and time passes, as in the service, and
what happens is written down.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from bot.calendars import Calendars
from bot.cli import show
from bot.clock import SystemClock
from bot.config import Config
from bot.gateways import shared
from bot.people import LIVE, Directory
from policies import explain as words
from policies.classify import classify
from policies.hours import Calendar, schedule
from policies.model import Classification, Counters, Policy
from reviews import eligibility
from reviews.events import Effect, Rang, Record, Ticked
from reviews.lifecycle import decide, next_alarm, open_review
from reviews.model import Ladder, Object, Proposal, Reach, Request, Review, Route, Rung, Target, Tier
from reviews.values import replace

COLUMNS = ("When", "Whom", "Who exactly", "By", "If silent")
#: What is told of people where nothing says who they are.
UNKNOWN = "not known without placet.yml"
_NOTHING, _INBOX = "–", "web inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the table. `next` says what comes when nobody answers; `brief` is this line in such words."""

    at: datetime
    whom: str
    who: str
    by: str
    brief: str
    next: str = ""

    def row(self, zone: ZoneInfo) -> tuple[str, ...]:
        """The line as people read it, in the policy's zone."""
        return (_day(self.at, zone), self.whom, self.who, self.by, self.next)


def people_of(config: Config, folder: Path) -> Directory:
    """Who people are by what is written: the configuration and its calendars, not what they said in chat since."""
    calendars = Calendars(config, folder, os.environ, SystemClock())

    async def read() -> None:
        await calendars.start()
        await calendars.refresh()

    asyncio.run(read())
    surfaces = ("web", *config.chats, *config.gateways)
    return Directory(config, surfaces, copies=calendars.copies, shared=shared(config, os.environ))


def steps(directory: Directory | None, request: Request, route: Route, calendar: Calendar, at: datetime) -> list[Step]:
    """What happens from the asking to the end while nobody answers; nothing where nobody is asked."""
    if not route.tier.asks or route.shadow:
        return []
    plan = schedule(route, at, calendar=calendar, review_deadline=request.review_deadline)
    proposal = Proposal(revision=1, request=request, route=route, digest="", request_digest="", policy="")
    bare = Review(id="", agent="", created_at=at, proposal=proposal, ladder=Ladder(epoch=0, schedule=plan))
    whom = _Whom(directory, bare)
    came = open_review(bare, whom.reach(at))
    found = whom.lines(came.effects, at)
    while (alarm := next_alarm(came.review)) is not None:
        ticked = Ticked(at=alarm, epoch=came.review.ladder.epoch, reach=whom.reach(alarm))
        came = decide(came.review, ticked)
        found += whom.lines(came.effects, alarm)
    return list(_followed(found, calendar.zone))


def _followed(found: Sequence[Step], zone: ZoneInfo) -> Iterator[Step]:
    """Each line with what comes after it."""
    for step in found:
        later = [other for other in found if other.at > step.at]
        together = [other.brief for other in later if other.at == later[0].at]
        text = f"{_clock(later[0].at, zone)}: {', '.join(together)}" if later else _NOTHING
        yield step if step.next else replace(step, next=text)


@dataclass(frozen=True, slots=True)
class _Whom:
    """Whom the rungs of a review reach, and how that reads."""

    directory: Directory | None
    review: Review

    def reach(self, at: datetime) -> tuple[Reach, ...]:
        """Whom each rung reaches at an instant."""
        route = self.review.route
        if self.directory is None:
            return tuple(Reach() for _ in route.chain)
        found = self.directory.reach(route, at, needs=eligibility.coming(self.review))
        return tuple(Reach() if self._is_theirs(r) else who for r, who in zip(route.chain, found, strict=True))

    def _is_theirs(self, rung: Rung) -> bool:
        """Whether a rung calls the person acted for alone, whom only an agent's key names."""
        route = self.review.route
        return route.tier is Tier.CONFIRM and not route.needs and rung.notify == ("channel:role",)

    def lines(self, effects: Iterable[Effect], at: datetime) -> list[Step]:
        """What happened at an instant."""
        reach = self.reach(at)
        return [line for effect in effects if (line := self._line(effect, at, reach)) is not None]

    def _line(self, effect: Effect, at: datetime, reach: Sequence[Reach]) -> Step | None:
        match effect:
            case Rang(rung=rung) if self.review.route.chain[rung].notify:
                return self._call(self.review.route.chain[rung], reach[rung], at)
            case Record(kind="review.reminded"):
                return Step(at=at, whom="reminder", who="whoever was called", by="as before", brief="a reminder")
            case Record(kind="review.sla_missed"):
                return Step(at=at, whom="sla", who="the promise is missed", by=_NOTHING, brief="the promise is missed")
            case Record(kind="review.by_hand"):
                who = "nobody can approve it any more; a person does it"
                return Step(at=at, whom="human_only", who=who, by=_NOTHING, brief="it can only be done by hand")
            case Record(kind="review.expired"):
                who = "nobody decided, and the agent is told"
                return Step(at=at, whom="expire", who=who, by="callback", brief="it expires")
            case _:
                return None

    def _call(self, rung: Rung, reach: Reach, at: datetime) -> Step:
        whom = ", ".join(rung.notify)
        if self.directory is None or self._is_theirs(rung):
            who = UNKNOWN if self.directory is None else eligibility.needed(self.review)
            by = ", ".join(rung.via) or "what each prefers"
            return Step(at=at, whom=whom, who=who, by=by, brief=f"{whom} is called")
        gone = reach.unreachable
        who = "; ".join((*self._people(rung, reach), *([gone] if gone else ())))
        ways = ", ".join(_ways(reach.targets)) or (_NOTHING if gone else _INBOX)
        by = f"{ways} ({' '.join(reach.missed).rstrip('.')})" if reach.missed else ways
        return Step(
            at=at, whom=whom, who=who, by=by, brief=f"{whom} is called", next="the next at once" if gone else ""
        )

    def _people(self, rung: Rung, reach: Reach) -> list[str]:
        """Those called by name, and those who find it in their role's queue."""
        assert self.directory is not None
        named = {person: source.removeprefix("role ") for person, source in reach.persons.items()}
        for role in self._roles(rung):
            named = {person.id: role for person in self.directory.holders(role)} | named
        names = self.directory.names()
        return [f"{names.get(person, person)} ({source})" for person, source in named.items()]

    def _roles(self, rung: Rung) -> Iterator[str]:
        assert self.directory is not None
        for target in rung.notify:
            kind, _, name = target.partition(":")
            if target == "channel:role":
                yield from (r for need in eligibility.coming(self.review) for r in self.directory.holding(need))
            elif kind == "role":
                yield name


def _ways(targets: Iterable[Target]) -> list[str]:
    """By which ways, each once: `slack #ops` for a channel, `slack` and `sms` for a person, `web inbox`."""
    said = (
        _INBOX if target.surface in LIVE else target.surface if target.person else f"{target.surface} {target.address}"
        for target in targets
    )
    return list(dict.fromkeys(said))


def _clock(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b} {_clock(at, zone)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A request at one instant: how it is routed, and what happens then while nobody answers."""

    policy: Policy
    found: Classification
    steps: Sequence[Step]
    at: datetime

    def as_json(self) -> Object:
        """All of it for programs: the explanation, and `escalation`, its steps."""
        keys = ("at", "whom", "who", "by", "next")
        lines = [{key: getattr(step, key) for key in keys} | {"at": step.at.isoformat()} for step in self.steps]
        return words.as_json(self.found, self.policy) | {"escalation": lines}

    def show(self, *, with_rules: bool) -> None:
        """Print it, times in the policy's zone."""
        zone = self.policy.calendar.zone
        if not with_rules:
            typer.echo(f"--- asked {_day(self.at, zone)} ({zone.key})")
        typer.echo(words.explain(self.found, self.policy, with_rules=with_rules, with_schedule=False), nl=False)
        nobody = "Nobody is asked beforehand."
        show.table(COLUMNS, [step.row(zone) for step in self.steps], nobody)


def told(
    policy: Policy,
    request: Request,
    at: datetime,
    *,
    agent: str,
    counters: Counters,
    people: Directory | None,
) -> Told:
    """What a policy makes of a request at an instant."""
    found = classify(policy, request, agent=agent, now=at, draw=0.0, counters=counters)
    lines = steps(people, request, found.route, policy.calendar, at.astimezone(UTC))
    return Told(policy=policy, found=found, steps=lines, at=at)
