"""The load on people, told to them: queues too deep or too old, the day's digest, gaps on call, dead deliveries.

Each is said once, whichever of the processes looks first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot import roster
from bot.bulletins import publish
from bot.entries import RoleEntry
from bot.oncall import Stretch
from bot.people import Directory
from policies import durations
from reviews.card import Tone
from reviews.keeping import Query, Store, Tx
from reviews.model import Review, Right, Status, Target
from reviews.ports import Backlog, Clock

#: How often it is looked, and how often one queue is told of.
EVERY, AGAIN = timedelta(minutes=1), timedelta(hours=1)
#: How late a digest is still sent: whoever starts a server in the evening gets none of the morning.
LATE = timedelta(hours=6)
#: How far ahead a gap is told of.
AHEAD = timedelta(hours=24)
#: Reviews looked through for a digest, and deliveries for those given up.
_LOOKED, _DEAD = 1000, 200
#: On the shelf of references: by agent, which messages given up were told of.
_SHELF = "load"
#: So many are named, and so many characters of a calendar's words are said.
_NAMED, _LONGEST = 5, 300
_ENDED = (Status.APPROVED, Status.REJECTED, Status.ANSWERED, Status.EXPIRED)


class _Gap(NamedTuple):
    """A gap to come in a layer, and who is told."""

    layer: str
    gap: Stretch
    targets: tuple[Target, ...]


class Workload:
    """Looks at what waits for whom, and says so where the role's people are."""

    def __init__(
        self, store: Store, directory: Callable[[], Directory], clock: Clock, told: Callable[[], None]
    ) -> None:
        self._store, self._directory, self._clock, self._told = store, directory, clock, told
        self._look_at: datetime | None = None

    async def look(self) -> None:
        """Say what is to be said, once a minute at most. Raises StoreUnavailable."""
        now = self._clock.now()
        if self._look_at is not None and now < self._look_at:
            return
        directory = self._directory()
        gaps = _gaps(directory, now)

        def say(tx: Tx) -> int:
            told = _alerts(tx, directory) + _digests(tx, directory) + _dead(tx, directory)
            return told + sum(_tell_gap(tx, gap) for gap in gaps)

        found = await self._store.tx(say)
        self._look_at = now + EVERY
        if found:
            self._told()


def _keepers(directory: Directory) -> list[str]:
    """Who looks after the house: whoever may stop agents, else whoever is most senior."""
    people = directory.with_right(Right.STOP)
    top = max((person.level for person in directory.people()), default=0)
    return [person.id for person in people or directory.people() if people or person.level == top]


# ---------------------------------------------------------------------------------------------- queues


def _alerts(tx: Tx, directory: Directory) -> int:
    """Queues that are too deep or too old, each once an hour."""
    roles = {name: entry for name, entry in directory.config.roles.items() if entry.alert is not None}
    backlog = tx.backlog() if roles else []
    return sum(_alert(tx, directory, name, entry, backlog) for name, entry in roles.items())


def _alert(tx: Tx, directory: Directory, role: str, entry: RoleEntry, backlog: Sequence[Backlog]) -> bool:
    waits = waiting(tx, role, entry, backlog)
    assert entry.alert is not None
    if waits is None or not (why := _why(waits, entry, tx.now())):
        return False
    text = f"{_many(waits.waiting, 'review')} wait{'s' if waits.waiting == 1 else ''} for {role}: {' and '.join(why)}."
    title = f"The queue of {role} needs people"
    whom = directory.places(role)
    return publish(tx, title, text, whom, tone=Tone.ATTENTION, once=f"alert:{role}", within=AGAIN)


def _why(waits: Backlog, entry: RoleEntry, now: datetime) -> list[str]:
    """In what a queue is too much; empty where it is not."""
    alert, age = entry.alert, now - waits.oldest
    found = []
    if alert is not None and alert.deep is not None and waits.waiting > alert.deep:
        found.append(f"more than {alert.deep}")
    if alert is not None and alert.old is not None and age > (durations.parse(alert.old) or timedelta.max):
        found.append(f"the oldest for {span(age)}, more than {alert.old}")
    return found


def waiting(tx: Tx, role: str, entry: RoleEntry, backlog: Sequence[Backlog]) -> Backlog | None:
    """What waits for a role: by its name, or by a level it has. None where nothing does."""
    levels = {f"level {level}" for level in range(entry.level + 1)}
    parts = [each for each in backlog if each.whom == role or each.whom in levels]
    if not parts:
        return None
    # A review may ask for a role and for a level: counted once.
    theirs = Query(roles=(role,), levels_up_to=entry.level, open_only=True, held=False)
    count = parts[0].waiting if len(parts) == 1 else tx.count(theirs, at_most=100_000)
    return Backlog(whom=role, waiting=count, oldest=min(part.oldest for part in parts))


# ---------------------------------------------------------------------------------------------- the day


def _digests(tx: Tx, directory: Directory) -> int:
    """The digest of each role whose time it is, once a day."""
    roles = directory.config.roles.items()
    due = [(role, entry, day) for role, entry in roles if (day := _day(entry, tx.now())) is not None]
    return sum(_digest(tx, directory, role, entry, day) for role, entry, day in due)


def _day(entry: RoleEntry, now: datetime) -> datetime | None:
    """Midnight of today in the role's zone, where its digest's time has come and is not long past."""
    if entry.digest is None:
        return None
    zone = ZoneInfo(entry.timezone)
    today = now.astimezone(zone).date()
    at = datetime.combine(today, time.fromisoformat(entry.digest), zone)
    return datetime.combine(today, time(), zone) if timedelta() <= now - at < LATE else None


def _digest(tx: Tx, directory: Directory, role: str, entry: RoleEntry, day: datetime) -> bool:
    once = f"digest:{role}:{day.date()}"
    targets = directory.places(role)
    if not targets or not tx.once(once):
        return False
    lines = [_standing(waiting(tx, role, entry, tx.backlog()), tx.now()), _yesterday(tx, role, entry, day)]
    return publish(tx, f"{role} on {day:%d %B %Y}", "\n".join(lines), targets)


def _standing(waits: Backlog | None, now: datetime) -> str:
    if waits is None:
        return "Nothing waits."
    one = waits.waiting == 1
    return f"{_many(waits.waiting, 'review')} wait{'s' if one else ''}, the oldest for {span(now - waits.oldest)}."


def _yesterday(tx: Tx, role: str, entry: RoleEntry, day: datetime) -> str:
    theirs = Query(roles=(role,), levels_up_to=entry.level, statuses=_ENDED, limit=_LOOKED)
    before = datetime.combine(day.date() - timedelta(days=1), time(), day.tzinfo)
    ended = [review for review in tx.find(theirs) if (at := _ended_at(review)) is not None and before <= at < day]
    decided = [review for review in ended if review.decision is not None and review.decision.by]
    expired = sum(1 for review in ended if review.status is Status.EXPIRED)
    said = f"Yesterday {len(decided)} {'was' if len(decided) == 1 else 'were'} decided"
    if decided:
        said += f", half of them within {span(_median(decided))}"
    return f"{said}, and {expired} expired undecided."


def _ended_at(review: Review) -> datetime | None:
    return None if review.decision is None else review.decision.decided_at


def _median(decided: Sequence[Review]) -> timedelta:
    took = [(at - review.created_at).total_seconds() for review in decided if (at := _ended_at(review)) is not None]
    return timedelta(seconds=median(took))


# ---------------------------------------------------------------------------------------------- what goes wrong


def _gaps(directory: Directory, now: datetime) -> list[_Gap]:
    """Times within a day in which nobody will be on call. One that has begun is readiness's to tell."""
    found = []
    for layer in directory.layers:
        ahead = directory.stretches(layer, now, now + roster.WARNED)
        people = dict.fromkeys(person for stretch in ahead for person in stretch.people)
        targets = directory.first_places(people or _keepers(directory))
        gaps = (gap for gap in roster.gaps(ahead, now + AHEAD) if gap.start > now)
        found += [_Gap(layer, gap, targets) for gap in gaps]
    return found


def _tell_gap(tx: Tx, found: _Gap) -> bool:
    """A gap to come, once, to whoever takes turns there."""
    gap, layer = found.gap, found.layer
    text = f"Nobody is on call in {layer} from {_minute(gap.start)} to {_minute(gap.end)}."
    why = f" {gap.why[:_LONGEST]}." if gap.why else ""
    once = f"gap:{layer}:{gap.start.isoformat()}"
    return publish(tx, f"A gap in {layer}", text + why, found.targets, tone=Tone.ATTENTION, once=once)


def _dead(tx: Tx, directory: Directory) -> int:
    """Messages to agents that were given up, each once, to the agent's owners and who looks after the house."""
    dead = tx.deliveries(state="dead", limit=_DEAD)
    found = 0
    for agent in dict.fromkeys(delivery.agent for delivery in dead):
        ids = [delivery.id for delivery in dead if delivery.agent == agent]
        found += _dead_of(tx, directory, agent, ids)
    return found


def _dead_of(tx: Tx, directory: Directory, agent: str, ids: list[str]) -> bool:
    before = (tx.reference(_SHELF, f"dead:{agent}", change=True) or {"ids": ""})["ids"].split()
    new = [each for each in ids if each not in set(before)]
    if sorted(before) != sorted(ids):
        tx.put_reference(_SHELF, f"dead:{agent}", {"ids": " ".join(ids)})
    if not new:
        return False
    kept = tx.agent(agent)
    people = dict.fromkeys([*(kept.owners if kept is not None else ()), *_keepers(directory)])
    named = ", ".join(new[:_NAMED]) + (f" and {len(new) - _NAMED} more" if len(new) > _NAMED else "")
    text = (
        f"{_many(len(new), 'message')} to {agent} could not be delivered and {'is' if len(new) == 1 else 'are'} given "
        f"up: {named}. `placet deliveries --state dead` says why, `placet resend ID` sends one again."
    )
    # What is kept tells one look from the next; two processes that look at once are told apart by this.
    once = f"dead:{agent}:{hashlib.sha256(' '.join(sorted(new)).encode()).hexdigest()}"
    whom = directory.first_places(people)
    return publish(tx, f"{agent} is not told", text, whom, tone=Tone.DANGER, once=once, within=EVERY)


def span(duration: timedelta) -> str:
    """A duration as people say it: its two largest units at most."""
    whole = duration - duration % (timedelta(minutes=1) if duration >= timedelta(hours=1) else timedelta(seconds=1))
    return durations.show(whole - whole % timedelta(hours=1) if duration >= timedelta(days=1) else whole)


def _minute(at: datetime) -> str:
    return f"{at:%d %b %H:%M} UTC"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
