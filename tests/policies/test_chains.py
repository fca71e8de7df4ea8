"""Chains written out as plain rungs: reminders, repeats, endings that wait once more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.chains import MOST_REMINDERS, MOST_RUNGS
from policies.errors import PolicyFault
from policies.hours import schedule
from policies.load import load_text
from policies.model import Known
from reviews.events import Rang, Ticked
from reviews.lifecycle import decide, next_alarm, open_review
from reviews.model import Ladder, Reach, Rung, Status, Then
from reviews.values import replace
from tests.fakes.builders import START, a_review, a_route
from tests.policies.example import NOW, request, run

HEAD = "policy: p\nversion: 1\n"
HOURS = 'business_hours: {days: mon-fri, from: "09:00", to: "18:00"}\n'
TAIL = "default: {tier: approve, role: desk, chain: c}\n"


def text(rungs: str, *, repeat: str = "", more: str = "") -> str:
    """A policy with one chain of rungs set apart by bars."""
    listed = ", ".join(f"{{{rung}}}" for rung in rungs.split(" | "))
    made = f"{{repeat: {repeat}, rungs: [{listed}]}}" if repeat else f"[{listed}]"
    return f"{HEAD}{more}chains:\n  c: {made}\n{TAIL}"


def rungs(written: str, **more: str) -> tuple[Rung, ...]:
    """What a chain becomes."""
    return load_text(text(written, **more)).chains["c"].rungs


def told(found: tuple[Rung, ...]) -> str:
    """Rungs in short, in minutes: who is called, `~` for a reminder, else what then happens."""
    return " ".join(
        f"{rung.after / timedelta(minutes=1):g}{'~' if rung.remind else ''.join(rung.notify) or ''}{rung.then or ''}"
        for rung in found
    )


def faults(written: str, known: Known | None = None, **more: str) -> str:
    """Why a chain does not load."""
    with pytest.raises(PolicyFault) as caught:
        load_text(text(written, **more), name="p.yml", known=known)
    return "\n".join(str(fault) for fault in caught.value.faults)


# ------------------------------------------------------------------------------------------ as it was

CASE = """chains:
  c:
    - {after: 0m, notify: channel:role}
    - {after: 10m, notify: oncall:it.secondary, via: [dm, sms]}
    - {after: 30m, notify: role:boss, notify_only: true}
    - {after: 1h, then: hold, hold_max: 1d}
"""


def test_a_chain_without_the_new_keys_is_what_it_was() -> None:
    """Rung by rung: reviews that began before go on under it."""
    assert load_text(f"{HEAD}{CASE}{TAIL}").chains["c"].rungs == (
        Rung(after=timedelta(0), notify=("channel:role",)),
        Rung(after=timedelta(minutes=10), notify=("oncall:it.secondary",), via=("dm", "sms")),
        Rung(after=timedelta(minutes=30), notify=("role:boss",), notify_only=True),
        Rung(after=timedelta(hours=1), then=Then.HOLD),
        Rung(after=timedelta(days=1), then=Then.EXPIRE),
    )


# ------------------------------------------------------------------------------------------ reminders


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (
            "after: 0m, notify: role:a, remind: 4m | after: 10m, notify: role:b | after: 1h, then: expire",
            "0role:a 4~ 8~ 10role:b 60expire",
        ),
        (
            "after: 0m, notify: role:a, remind: 5m | after: 10m, notify: role:b | after: 1h, then: expire",
            "0role:a 5~ 10role:b 60expire",
        ),
        (
            "after: 0m, notify: role:a, remind: 5m | after: 0m, notify: role:b, remind: 3m | after: 10m, then: expire",
            "0role:a 0role:b 3~ 5~ 6~ 9~ 10expire",
        ),
        (
            "after: 0m, notify: role:a | after: 1h, then: hold, remind: 2h, hold_max: 6h",
            "0role:a 60hold 180~ 300~ 360expire",
        ),
    ],
)
def test_reminders_go_on_until_the_next_rung(written: str, found: str) -> None:
    """Not at its instant, for then somebody is called; together for rungs that go out together."""
    assert told(rungs(written)) == found


def test_reminders_without_an_end_are_so_many() -> None:
    """A chain that says no end has the one of the promise, which it does not know."""
    found = rungs("after: 0m, notify: role:a, remind: 1m")
    assert [rung.after / timedelta(minutes=1) for rung in found] == list(range(MOST_REMINDERS + 1))


def test_reminders_count_the_clock_of_their_rung() -> None:
    """And may not put off what counts another."""
    chain = "after: 0m, notify: role:a, remind: 4m, clock: business | after: 10m, notify: role:b, clock: business"
    found = rungs(chain, more=HOURS)
    assert [(rung.clock, rung.remind) for rung in found] == [
        ("business", False), ("business", True), ("business", True), ("business", False),
    ]  # fmt: skip
    mixed = "after: 0m, notify: role:a, remind: 4m, clock: business | after: 10m, notify: role:b"
    assert "would put off what comes next" in faults(mixed, more=HOURS)


def test_an_agents_earlier_escalation_is_not_put_off_by_a_reminder() -> None:
    """The rung it brings forward comes at its time; later reminders are left out."""
    made = load_text(
        text("after: 0m, notify: role:desk, remind: 2m | after: 10m, notify: role:b | after: 1h, then: expire")
    )
    route = run(made, request(escalate_after_seconds=180)).route
    assert told(route.chain) == "0role:desk 2~ 3role:b 60expire"
    assert schedule(route, NOW).rungs[2] == NOW + timedelta(minutes=3)


# ------------------------------------------------------------------------------------------ repeats


def test_a_repeat_calls_again_before_the_chain_ends() -> None:
    """So many further runs, each so long after the one before; reminders in each; one ending."""
    found = rungs(
        "after: 0m, notify: role:a, remind: 4m | after: 10m, notify: role:b | after: 2h, then: expire",
        repeat="{times: 2, every: 30m}",
    )
    assert told(found) == ("0role:a 4~ 8~ 10role:b 30role:a 34~ 38~ 40role:b 60role:a 64~ 68~ 70role:b 120expire")


@pytest.mark.parametrize(
    ("repeat", "says"),
    [
        ("{times: 2, every: 10m}", "every: must be longer than the chain's last call (10m)"),
        ("{times: 4, every: 30m}", "comes before the last repeat, which calls at 2h10m"),
        ("{times: 11, every: 30m}", "11 is out of bounds; allowed: 1 to 10"),
        ("{times: 2}", "every: is missing"),
        ("{times: 2, every: 30m, until: 1h}", "until: unknown key; allowed: times, every"),
        ("3", "must be a mapping"),
    ],
)
def test_a_repeat_that_cannot_work_is_a_fault(repeat: str, says: str) -> None:
    """With the line it is written on."""
    found = faults("after: 0m, notify: role:a | after: 10m, notify: role:b | after: 2h, then: expire", repeat=repeat)
    assert says in found
    assert 'p.yml:4: rule "c"' in found


def test_a_chain_has_so_many_rungs_at_most() -> None:
    """Reminders in each repeat add up."""
    found = faults(
        "after: 0m, notify: role:a, remind: 1m | after: 20m, notify: role:b | after: 1d, then: expire",
        repeat="{times: 6, every: 30m}",
    )
    assert f"at most {MOST_RUNGS}" in found


# ------------------------------------------------------------------------------------------ endings

KNOWN = Known(
    roles=frozenset({"desk", "boss", "intern"}),
    levels=frozenset({1, 2, 3}),
    ranks={"intern": 1, "desk": 2, "boss": 3},
    ways=frozenset({"pager"}),
)


def test_a_fallback_calls_its_role_and_expires_at_last() -> None:
    """From the opening to `hold_max`, seven days unless said."""
    chain = "after: 0m, notify: channel:role | after: 1h, then: fallback-role, role: boss, via: [dm, sms]"
    found = rungs(f"{chain}, hold_max: 4h")
    assert told(found) == "0channel:role 60role:bossfallback-role 240expire"
    assert found[1].via == ("dm", "sms")
    assert rungs(chain)[-1].after == timedelta(days=7)


def test_a_fallback_to_somebody_lower_is_a_fault() -> None:
    """Endings only tighten: whoever a review falls back to may decide it."""
    chain = "after: 0m, notify: channel:role | after: 1h, then: fallback-role, role: {}"
    assert "falls back to intern, of level 1, and this route needs desk, of level 2" in faults(
        chain.format("intern"), KNOWN
    )
    load_text(text(chain.format("boss")), known=KNOWN)
    load_text(text(chain.format("desk")), known=KNOWN)
    assert "unknown role 'nobody'" in faults(chain.format("nobody"), KNOWN)


def test_human_only_calls_whom_it_says_or_nobody_and_expires_at_last() -> None:
    """The rung is the instant from which on nobody approves."""
    assert told(rungs("after: 0m, notify: role:a | after: 1h, then: human_only, hold_max: 3h")) == (
        "0role:a 60human_only 180expire"
    )
    assert told(rungs("after: 0m, notify: role:a | after: 1h, notify: role:b, then: human_only, hold_max: 3h")) == (
        "0role:a 60role:bhuman_only 180expire"
    )


# ------------------------------------------------------------------------------------------ ways


def test_a_way_is_one_of_the_cards_or_a_gateway_there_is() -> None:
    """Your own gateways have the names of placet.yml; where that is not known, a name is a name."""
    chain = "after: 0m, notify: role:desk, via: {}"
    for way in ("channel", "dm", "web", "sms", "pager"):
        load_text(text(chain.format(way)), known=KNOWN)
    load_text(text(chain.format("pigeon")))
    assert "'pigeon' is not known; allowed: channel, dm, web, sms, email, call, pager" in faults(
        chain.format("pigeon"), KNOWN
    )


# ------------------------------------------------------------------------------------------ any chain


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """Any chain that may or may not load: rungs at rising minutes with reminders, a repeat, an end or none."""
    afters = sorted(draw(st.lists(st.integers(0, 300), min_size=1, max_size=5)))
    spans = st.none() | st.integers(1, 200)
    made = []
    for after in afters:
        remind = draw(spans)
        made.append(f"after: {after}m, notify: role:a" + (f", remind: {remind}m" if remind else ""))
    times, sound = draw(st.integers(1, 10)), draw(st.booleans())
    every = afters[-1] + draw(st.integers(1, 60)) if sound else draw(st.integers(1, 400))
    repeat = f"{{times: {times}, every: {every}m}}" if draw(st.booleans()) else ""
    if draw(st.booleans()):
        then = draw(st.sampled_from(["expire", "hold", "human_only", "fallback-role, role: b"]))
        last = afters[-1] + (times * every if repeat and sound else 0)
        made.append(f"after: {last + draw(st.integers(1, 500))}m, then: {then}")
    return " | ".join(made), repeat


@settings(deadline=None)
@given(written())
def test_whatever_loads_rises_and_ends(case: tuple[str, str]) -> None:
    """Rungs never decrease, there are not too many, and what has an end has it last, and once."""
    try:
        found = rungs(case[0], repeat=case[1])
    except PolicyFault:
        return
    afters = [rung.after for rung in found]
    assert afters == sorted(afters)
    assert len(found) <= MOST_RUNGS
    assert all(bool(rung.notify) + rung.remind + (rung.then is not None and not rung.notify) == 1 for rung in found)
    if "then:" in case[0]:
        assert [rung.then for rung in found].count(Then.EXPIRE) == 1
        assert found[-1].then is Then.EXPIRE
    calls = [rung for rung in found if rung.notify and rung.then is None]
    assert not calls or not found[0].remind


@settings(deadline=None)
@given(written())
def test_silence_comes_to_an_end_whatever_is_written(case: tuple[str, str]) -> None:
    """Run by the clock alone, every review expires; every call goes out once, and nobody is ever approved."""
    try:
        chain = rungs(case[0], repeat=case[1])
    except PolicyFault:
        return
    route = a_route(chain=chain)
    ladder = Ladder(epoch=0, schedule=schedule(route, START))
    reach = tuple(Reach() for _ in chain)
    came = open_review(replace(a_review(route=route), ladder=ladder), reach)
    rang = [effect.rung for effect in came.effects if isinstance(effect, Rang)]
    while (alarm := next_alarm(came.review)) is not None:
        came = decide(came.review, Ticked(at=alarm, epoch=0, reach=reach))
        rang += [effect.rung for effect in came.effects if isinstance(effect, Rang)]
    assert came.review.status is Status.EXPIRED
    assert len(rang) == len(set(rang))
    due = [n for n, rung in enumerate(chain) if rung.notify and ladder.schedule.rungs[n] < ladder.schedule.deadline_at]
    assert set(due) <= set(rang)
