"""Chains of escalation, read from a policy file and written out as plain rungs.

What a ladder runs is a list of rungs and nothing else. Reminders, repeats and endings that go on for a while are
written out here, when a policy loads. Texts are kept and read again for as long as a review lives, so what a text
becomes must never change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise

from policies import durations
from policies.hours import HOLD_MAX, Calendar
from policies.model import Chain
from policies.nodes import Item
from policies.sections import TARGETS, Names
from reviews.model import Rung, Then
from reviews.values import replace

CLOCKS = ("always", "business")
CHAIN_KEYS = ("clock", "rungs", "repeat")
REPEAT_KEYS = ("times", "every")
RUNG_KEYS = ("after", "notify", "via", "notify_only", "remind", "then", "role", "clock", "hold_max")
#: Reminders between two rungs, further runs of a chain, and rungs of a chain with all of them, at most.
MOST_REMINDERS, MOST_REPEATS, MOST_RUNGS = 20, 10, 100
#: Endings that wait once more, and then expire.
_WAITING = (Then.HOLD, Then.FALLBACK_ROLE, Then.HUMAN_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A rung as it is written: how often it reminds, and how it ends where it waits once more."""

    item: Item
    rung: Rung
    remind: timedelta | None = None
    expires: timedelta | None = None


def chain(item: Item, names: Names, hours: Calendar) -> Chain:
    """One ladder of escalation: a list of rungs, or `{clock: business, repeat: {…}, rungs: […]}`."""
    item = item.named(item.field)
    keys = item.mapping(CHAIN_KEYS, required=("rungs",)) if item.is_mapping else {"rungs": item}
    clock = _clock(keys.get("clock"), hours) or "always"
    listed = keys["rungs"].items() if "rungs" in keys else []
    steps = [_step(member, names, hours, clock, last=member is listed[-1]) for member in listed]
    _check(item, steps)
    runs = _repeated(keys["repeat"], steps) if "repeat" in keys else steps
    rungs = tuple(_written_out(runs))
    if len(rungs) > max(MOST_RUNGS, len(steps) + 1):
        item.fault(f"comes to {len(rungs)} rungs with its reminders and repeats; at most {MOST_RUNGS}")
    return Chain(name=item.field, rungs=rungs, file=item.file, line=item.line)


# ---------------------------------------------------------------------------------------------- one rung


def _clock(item: Item | None, hours: Calendar) -> str | None:
    clock = None if item is None else item.one_of(CLOCKS)
    if item is not None and clock == "business" and not hours.hours:
        item.fault("needs `business_hours` in this policy; else leave it at always")
    return clock


def _step(item: Item, names: Names, hours: Calendar, clock: str, *, last: bool) -> _Step:
    keys = item.mapping(RUNG_KEYS, required=("after",))
    then = keys["then"].word(Then) if "then" in keys else None
    rung = Rung(
        after=(keys["after"].duration() if "after" in keys else None) or timedelta(0),
        notify=_targets(item, keys, then, names),
        via=tuple(way for member in keys["via"].many() if (way := names.way(member))) if "via" in keys else (),
        notify_only=bool(keys["notify_only"].boolean()) if "notify_only" in keys else False,
        then=then,
        clock=_clock(keys.get("clock"), hours) or clock,
    )
    if "then" in keys and not last:
        keys["then"].fault("only the last rung says what happens then")
    if "then" not in keys and "notify" not in keys:
        item.fault(f"a rung needs `notify` ({TARGETS}) or `then` ({', '.join(Then)})")
    if then is Then.EXPIRE and rung.notify:
        keys["notify"].fault("whom would it call when it is over? Put `notify` into a rung before")
    return _Step(item=item, rung=rung, remind=_reminder(keys.get("remind"), then), expires=_expiry(item, keys, rung))


def _targets(item: Item, keys: Mapping[str, Item], then: Then | None, names: Names) -> tuple[str, ...]:
    """Whom a rung calls; a fallback calls its role."""
    if then is Then.FALLBACK_ROLE:
        return _fallback(item, keys, names)
    if "role" in keys:
        keys["role"].fault("only goes with `then: fallback-role`; else write notify: role:NAME")
    targets = keys["notify"].texts() if "notify" in keys else ()
    for member, target in zip(keys["notify"].many() if "notify" in keys else (), targets, strict=False):
        names.target(member, target)
    return targets


def _fallback(item: Item, keys: Mapping[str, Item], names: Names) -> tuple[str, ...]:
    if "notify" in keys:
        keys["notify"].fault("a fallback calls its `role`; whom else to call goes into a rung before")
    if "notify_only" in keys:
        keys["notify_only"].fault("whoever a review falls back to may decide it")
    role = keys["role"].text() if "role" in keys else None
    if "role" not in keys:
        item.fault("`then: fallback-role` needs `role`, to whom it falls back")
    if role is None:
        return ()
    names.role(keys["role"], role)
    return (f"role:{role}",)


def _reminder(item: Item | None, then: Then | None) -> timedelta | None:
    span = None if item is None else item.duration()
    if item is not None and then is Then.EXPIRE:
        item.fault("nobody is reminded of what is over")
        return None
    if item is not None and span == timedelta(0):
        item.fault("must be longer than nothing")
        return None
    return span


def _expiry(item: Item, keys: Mapping[str, Item], rung: Rung) -> timedelta | None:
    """Every review ends: what waits once more expires in the end."""
    longest = keys["hold_max"].duration() if "hold_max" in keys else HOLD_MAX
    if rung.then not in _WAITING:
        if "hold_max" in keys:
            keys["hold_max"].fault(f"only goes with `then: {' | '.join(_WAITING)}`")
        return None
    if longest is None or longest <= rung.after:
        keys.get("hold_max", item).fault("hold_max counts from the opening and must be later than `after`")
        return None
    return longest


def _check(item: Item, steps: Sequence[_Step]) -> None:
    for before, after in pairwise(steps):
        if after.rung.clock == before.rung.clock and after.rung.after < before.rung.after:
            text = "comes earlier than the rung before it; `after` counts from the opening, in rising order"
            after.item.fault(text)
    if not any(step.rung.notify and not step.rung.notify_only for step in steps):
        item.fault("nobody this chain reaches may decide: every rung calls nobody or is notify_only")


# ---------------------------------------------------------------------------------------------- repeats, reminders


def _repeated(item: Item, steps: Sequence[_Step]) -> list[_Step]:
    """The rungs that call, again and again; the ending comes once, after them all."""
    keys = item.mapping(REPEAT_KEYS, required=REPEAT_KEYS)
    times = keys["times"].whole(1, MOST_REPEATS) if "times" in keys else None
    every = keys["every"].duration() if "every" in keys else None
    calls = [step for step in steps if step.rung.then is None]
    ends = [step for step in steps if step.rung.then is not None]
    if times is None or every is None or not calls:
        return list(steps)
    last = max(step.rung.after for step in calls)
    if every <= last:
        keys["every"].fault(
            f"must be longer than the chain's last call ({durations.show(last)}), so that runs do not mix"
        )
    for end in ends:
        if end.rung.after <= last + times * every:
            text = f"comes before the last repeat, which calls at {durations.show(last + times * every)}; put it later"
            end.item.fault(text)
    again = [
        replace(step, rung=replace(step.rung, after=step.rung.after + n * every))
        for n in range(times + 1)
        for step in calls
    ]
    return [*again, *ends]


def _written_out(steps: Sequence[_Step]) -> Iterator[Rung]:
    """The rungs with their reminders between them, and an expiry after an ending that waits."""
    groups = [list(group) for _, group in groupby(steps, key=lambda step: (step.rung.after, step.rung.clock))]
    for group, following in zip(groups, [*groups[1:], []], strict=True):
        yield from (step.rung for step in group)
        expires = next((step.expires for step in group if step.expires is not None), None)
        yield from _reminders(group, following[0].rung if following else None, expires)
        if expires is not None:
            yield Rung(after=expires, then=Then.EXPIRE)


def _reminders(group: Sequence[_Step], following: Rung | None, expires: timedelta | None) -> list[Rung]:
    """The reminders of rungs that go out together, up to the next rung or the expiry."""
    instants: set[timedelta] = set()
    after, clock = group[0].rung.after, group[0].rung.clock
    until = expires if following is None else following.after
    for step in group:
        if step.remind is None:
            continue
        if clock == "business" and until is not None and (following is None or following.clock != clock):
            step.item.fault("its reminders count business time and would put off what comes next; leave `remind` out")
            continue
        most = MOST_REMINDERS if until is None else -((after - until) // step.remind) - 1
        if most > MOST_REMINDERS:
            step.item.fault(f"remind comes {most} times before the next rung; at most {MOST_REMINDERS}")
        if most < 1:
            step.item.fault("remind comes no sooner than the next rung; make it shorter, or leave it out")
        instants |= {after + n * step.remind for n in range(1, min(most, MOST_REMINDERS) + 1)}
    return [Rung(after=instant, remind=True, clock=clock) for instant in sorted(instants)]
