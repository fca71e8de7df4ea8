"""Whom a rung reaches: ways, who is away, quiet hours, who is barred, and one of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import parse
from bot.people import Directory
from reviews.model import Need, Reach, Right, Route, Rung, Target, Tier

NOW = datetime(2026, 11, 18, 23, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
PEOPLE: dict[str, dict[str, Any]] = {
    "ana": {"name": "Ana Ruiz", "phone": "+34600", "email": "ana@example.com", "roles": ["manager"]},
    "bo": {"name": "Bo Chen", "roles": ["manager"], "identities": {"slack": "U0BO"}, "prefers": "slack"},
    "cy": {"name": "Cy Okafor", "phone": "+34602", "roles": ["security"]},
    "di": {"name": "Di Moreau", "phone": "+34603", "addresses": {"pager": "di-7"}},
}
GATEWAYS = {"sms": "PLACET_GATEWAY_SMS", "email": "PLACET_GATEWAY_EMAIL", "pager": "PLACET_GATEWAY_PAGER"}
QUIET = {"from": "22:00", "until": "07:00"}
ALL = ("web", "slack", "sms", "email", "pager")


def house(
    people: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    away: Sequence[str] = (),
    surfaces: Sequence[str] = ALL,
    turns: Sequence[str] = ("ana", "bo", "cy"),
    **more: Any,
) -> Directory:
    """The four, with what is said more of each; who is in `turns` takes turns in ops.primary, the first one now."""
    told = people or {}
    entries = [{"id": person, **PEOPLE[person], **told.get(person, {})} for person in PEOPLE]
    begun = NOW - timedelta(hours=1)
    shift = {"person": turns[0], "from": begun.isoformat(), "until": (begun + timedelta(days=7)).isoformat()}
    config = {
        "people": entries,
        "roles": {"manager": {"level": 2, "channels": {"slack": "#managers"}}, "security": {"level": 2}},
        "rotations": {"ops": {"primary": {"people": [*turns], "overrides": [shift]}}},
        "gateways": GATEWAYS,
    }
    absent = dict.fromkeys(away, LATER)
    return Directory(parse(config), surfaces, absent=lambda at: absent, **more)


def reached(here: Directory, *notify: str, via: str = "", needs: tuple[Need, ...] = (), **more: Any) -> Reach:
    """Whom one rung reaches; `via` are ways with spaces between."""
    rung = Rung(after=timedelta(0), notify=notify, via=tuple(via.split()), notify_only=more.pop("notify_only", False))
    route = Route(tier=Tier.APPROVE, needs=needs, chain=(rung,), assign_one=more.pop("assign_one", False))
    return here.reach(route, NOW, **more)[0]


def to(surface: str, address: str, person: str) -> Target:
    """A place of somebody's own."""
    return Target(surface=surface, address=address, person=person)


# --- ways


@pytest.mark.parametrize(
    ("person", "via", "targets"),
    [
        ("ana", "", [("web", "ana")]),
        ("bo", "dm", [("slack", "U0BO")]),
        ("bo", "web", [("web", "bo")]),
        ("ana", "sms", [("sms", "+34600")]),
        ("ana", "email", [("email", "ana@example.com")]),
        ("di", "pager", [("pager", "di-7")]),
        ("ana", "pager", [("pager", "+34600")]),
        ("ana", "dm sms", [("web", "ana"), ("sms", "+34600")]),
    ],
)
def test_each_way_has_its_address(person: str, via: str, targets: list[tuple[str, str]]) -> None:
    """The preferred surface, an identity, or what placet.yml says for the gateway."""
    reach = reached(house(), f"person:{person}", via=via)
    assert reach.targets == tuple(to(surface, address, person) for surface, address in targets)
    assert (reach.unreachable, reach.missed) == (None, ())


@pytest.mark.parametrize(
    ("person", "via", "surfaces", "why"),
    [
        ("bo", "sms", ALL, "Bo Chen has no phone in placet.yml."),
        ("bo", "email", ALL, "Bo Chen has no e-mail address in placet.yml."),
        ("ana", "sms", ("web",), "sms is not set up here."),
        ("ana", "call", ALL, "call is not set up here."),
        ("bo", "sms call", ("web",), "sms is not set up here. call is not set up here."),
    ],
)
def test_a_way_that_leads_nowhere_is_said(person: str, via: str, surfaces: tuple[str, ...], why: str) -> None:
    """Alone it makes the rung unreachable; beside another way it is told and holds nothing up."""
    here = house(surfaces=surfaces)
    alone, beside = (reached(here, f"person:{person}", via=ways) for ways in (via, f"dm {via}"))
    assert (alone.targets, alone.unreachable, alone.missed) == ((), why, ())
    assert (len(beside.targets), beside.unreachable, " ".join(beside.missed)) == (1, None, why)


def test_a_gateway_for_all_needs_no_address() -> None:
    """One pager is reached for whoever is called."""
    reach = reached(house(shared=("pager",)), "person:bo", via="pager")
    assert reach.targets == (to("pager", "pager", "bo"),)


def test_the_holders_of_a_role_by_their_own_way() -> None:
    """Each by SMS; who has no phone is told of, and the channel is left alone."""
    reach = reached(house(), "role:manager", via="sms", needs=(Need(role="security"),))
    assert reach.targets == (to("sms", "+34600", "ana"),)
    assert reach.persons == {"ana": "role manager", "bo": "role manager"}
    assert (reach.unreachable, reach.missed) == (None, ("Bo Chen has no phone in placet.yml.",))


def test_the_channel_and_the_holders() -> None:
    """`via: [channel, sms]` is both; that nobody has a phone is told, and the channel counts."""
    both = reached(house(), "role:manager", via="channel sms", needs=(Need(role="manager"),))
    assert both.targets == (Target(surface="slack", address="#managers"), to("sms", "+34600", "ana"))
    assert both.persons == {}
    lone = reached(house({"ana": {"phone": None}}), "role:manager", via="channel sms")
    assert (len(lone.targets), lone.unreachable) == (1, None)
    assert len(lone.missed) == 1


# --- who is barred


@pytest.mark.parametrize(
    ("notify", "besides", "why"),
    [
        ("person:ana", {"ana"}, "Ana Ruiz may not decide this."),
        ("oncall:ops.primary", {"ana"}, "Ana Ruiz may not decide this."),
        ("role:manager", {"ana", "bo"}, "Nobody with the role manager may decide this."),
        ("channel:role", {"cy"}, "Nobody with the role security may decide this."),
    ],
)
def test_who_may_not_decide_is_not_called(notify: str, besides: set[str], why: str) -> None:
    """An owner who is the only one on call would be nobody called at all: the next rung goes at once."""
    reach = reached(house(), notify, needs=(Need(role="security"),), besides=frozenset(besides))
    assert (reach.persons, reach.targets, reach.unreachable) == ({}, (), why)


def test_who_is_only_told_need_not_be_let_decide() -> None:
    """A rung that notifies only may tell the agent's owner."""
    reach = reached(house(), "person:ana", besides=frozenset({"ana"}), notify_only=True)
    assert (reach.targets, reach.unreachable) == ((to("web", "ana", "ana"),), None)


# --- who is away


@pytest.mark.parametrize(
    ("deputies", "away", "besides", "called"),
    [
        ({"ana": "di"}, ("ana",), (), ("di", "ana away: deputy")),
        ({}, ("ana",), (), ("bo", "ana away: next on call")),
        ({"ana": "di"}, ("ana", "di"), (), ("bo", "ana away: next on call")),
        ({"ana": "di"}, ("ana",), ("di",), ("bo", "ana away: next on call")),
        ({}, ("ana", "bo"), (), ("cy", "ana away: next on call")),
        ({}, ("ana",), ("bo",), ("cy", "ana away: next on call")),
    ],
)
def test_the_next_on_call_answers_where_no_deputy_does(
    deputies: dict[str, str], away: tuple[str, ...], besides: tuple[str, ...], called: tuple[str, str]
) -> None:
    """A deputy who is away or barred is passed over; the call says by what way it came to whom."""
    here = house({who: {"deputy": deputy} for who, deputy in deputies.items()}, away=away)
    reach = reached(here, "oncall:ops.primary", besides=frozenset(besides))
    assert reach.persons == {called[0]: f"oncall:ops.primary, {called[1]}"}
    assert reach.unreachable is None


def test_with_nobody_else_the_call_stays_and_passes_on() -> None:
    """The card is posted all the same, and the next rung goes at once."""
    for here, notify in (
        (house(away=["ana"], turns=["ana"]), "oncall:ops.primary"),
        (house(away=["ana"]), "person:ana"),
    ):
        reach = reached(here, notify)
        assert (list(reach.persons), reach.targets) == (["ana"], (to("web", "ana", "ana"),))
        assert reach.unreachable == "Ana Ruiz is away until 21 Nov 23:00 UTC, and nobody stands in."


def test_a_role_is_those_who_are_there() -> None:
    """Who is away is left out; a deputy is called where all are."""
    one, none = house(away=["ana"]), house({"ana": {"deputy": "di"}}, away=["ana", "bo"])
    assert list(reached(one, "role:manager").persons) == ["bo"]
    assert reached(none, "role:manager").persons == {"di": "role manager, ana away: deputy"}
    assert reached(none, "channel:role", needs=(Need(role="manager"),)).targets == (
        Target(surface="slack", address="#managers"),
        to("web", "di", "di"),
    )


def test_of_two_roles_needed_no_deputy_fills_both() -> None:
    """A call makes an elector of any slot, so a deputy of one role is not called where another is needed too."""
    here = house({"ana": {"deputy": "di"}}, away=["ana", "bo"])
    reach = reached(here, "role:manager", needs=(Need(role="manager"), Need(role="security")))
    assert (reach.persons, reach.unreachable) == ({}, "Everybody with the role manager is away.")
    assert reach.targets == (Target(surface="slack", address="#managers"),)


# --- quiet hours


def test_nothing_rings_in_quiet_hours() -> None:
    """A message waits silently and counts as not seen; a way that rings is left out."""
    here = house({"cy": {"quiet": QUIET, "timezone": "Europe/Madrid"}}, turns=["ana"])
    reach = reached(here, "person:cy", via="dm sms")
    assert reach.targets == (to("web", "cy", "cy"),)
    assert reach.unreachable == "Cy Okafor has quiet hours until 07:00 Europe/Madrid."


@pytest.mark.parametrize("notify", ["oncall:ops.primary", "person:ana", "role:manager"])
def test_quiet_hours_are_not_for_who_is_on_call(notify: str) -> None:
    """Also where they are called by name or by role: being on call is being woken."""
    reach = reached(house({"ana": {"quiet": QUIET}}), notify, via="sms")
    assert to("sms", "+34600", "ana") in reach.targets
    assert reach.unreachable is None


def test_who_answers_for_who_is_on_call_is_woken() -> None:
    """The deputy of somebody on call is on call."""
    reach = reached(
        house({"ana": {"deputy": "di"}, "di": {"quiet": QUIET}}, away=["ana"]), "oncall:ops.primary", via="sms"
    )
    assert (reach.targets, reach.unreachable) == ((to("sms", "+34603", "di"),), None)


# --- one of many


def test_one_of_each_role_needed_is_given_it() -> None:
    """They are told by name beside the channel; nobody else of the role is."""
    asked: list[tuple[str, list[str]]] = []

    def last(role: str, people: Sequence[str]) -> str:
        asked.append((role, list(people)))
        return people[-1]

    reach = reached(house(), "channel:role", needs=(Need(role="manager"),), assign_one=True, assign=last)
    assert asked == [("manager", ["ana", "bo"])]
    assert reach.assigned == ("bo",)
    assert reach.targets == (Target(surface="slack", address="#managers"), to("slack", "U0BO", "bo"))
    by_sms = reached(house(), "role:manager", via="dm sms", needs=(Need(role="manager"),), assign_one=True, assign=last)
    assert [target.person for target in by_sms.targets] == ["bo"]


def test_two_slots_are_given_to_two() -> None:
    """Whoever has one slot does not get the other."""
    needs = (Need(role="manager"), Need(level=2))
    reach = reached(house(), "channel:role", needs=needs, assign_one=True, assign=lambda role, people: people[0])
    assert reach.assigned == ("ana", "bo")


def test_whoever_cannot_look_now_is_given_nothing() -> None:
    """Away, barred and in quiet hours are passed over; with nobody left the rung is as written."""
    people = {"bo": {"quiet": QUIET}}
    given = {"needs": (Need(role="manager"),), "assign_one": True, "assign": lambda role, people: people[0]}
    assert reached(house(people, turns=["cy"]), "channel:role", **given).assigned == ("ana",)
    assert reached(house(people, away=["ana"], turns=["cy"]), "channel:role", **given).assigned == ()
    besides = frozenset({"ana"})
    nobody = reached(house(people, turns=["cy"]), "role:manager", via="dm", besides=besides, **given)
    assert (nobody.assigned, nobody.targets) == ((), (to("slack", "U0BO", "bo"),))


def test_a_new_revision_goes_to_whom_the_last_one_was_given() -> None:
    """Unless they are no longer there."""
    given = {"needs": (Need(role="manager"),), "assign_one": True, "assign": lambda role, people: people[0]}
    assert reached(house(), "channel:role", assigned=("bo",), **given).assigned == ("bo",)
    assert reached(house(away=["bo"]), "channel:role", assigned=("bo",), **given).assigned == ("ana",)


def test_only_the_slot_that_comes_is_called() -> None:
    """In sequence the second role's channel is called when the first has approved."""
    needs = (Need(role="manager"), Need(role="security"))
    reach = reached(house(), "channel:role", via="dm", needs=needs)
    assert {target.person for target in reach.targets} == {"ana", "bo", "cy"}
    rung = Rung(after=timedelta(0), notify=("channel:role",), via=("dm",))
    route = Route(tier=Tier.DUAL, needs=needs, chain=(rung,))
    (second,) = house().reach(route, NOW, needs=needs[1:])
    assert {target.person for target in second.targets} == {"cy"}


# --- whatever the circumstances

NAMES = tuple(PEOPLE)
SOME = st.sets(st.sampled_from(NAMES))
NOTIFY = ("channel:role", "role:manager", "role:security", "oncall:ops.primary", *(f"person:{name}" for name in NAMES))


Found: TypeAlias = tuple[Directory, Reach, frozenset[str], set[str], dict[str, str]]


@st.composite
def circumstances(draw: st.DrawFn, slots: int = 2) -> Found:
    """A house, what a rung reaches in it, who is barred, who is away, and the deputies; with at most so many slots."""
    deputies = {
        who: deputy
        for who, deputy in draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES))).items()
        if who != deputy
    }
    quiet = draw(SOME)
    people = {
        who: ({"deputy": deputies[who]} if who in deputies else {}) | ({"quiet": QUIET} if who in quiet else {})
        for who in NAMES
    }
    away, besides = draw(SOME), frozenset(draw(SOME))
    turns = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    here = house(people, away=sorted(away), turns=turns)
    needs = draw(
        st.lists(st.sampled_from([Need(role="manager"), Need(role="security"), Need(level=1)]), max_size=slots)
    )
    notify = draw(st.lists(st.sampled_from(NOTIFY), min_size=1, max_size=3))
    ways = draw(st.lists(st.sampled_from(["dm", "channel", "web", "sms", "email", "call"]), max_size=3, unique=True))
    shared = {"assign_one": draw(st.booleans()), "assign": lambda role, people: people[0]}
    reach = reached(here, *notify, via=" ".join(ways), needs=tuple(needs), besides=besides, **shared)
    return here, reach, besides, away, deputies


def called(reach: Reach) -> set[str]:
    """Everybody a reach calls in whatever way."""
    return {*reach.persons, *reach.assigned, *(target.person for target in reach.targets if target.person is not None)}


@given(circumstances())
def test_nobody_barred_is_ever_called(found: Found) -> None:
    """Neither as an elector, nor by a card of their own, nor by being given it."""
    _, reach, besides, _, _ = found
    assert not called(reach) & besides


@given(circumstances(slots=1))
def test_who_is_away_and_stood_in_for_is_never_called(
    found: Found,
) -> None:
    """While a deputy is there and may decide; of two roles needed no deputy may."""
    _, reach, besides, away, deputies = found
    stood_in = {who for who in away if deputies.get(who) not in {None, *away, *besides}}
    assert not called(reach) & stood_in


@given(circumstances())
def test_quiet_hours_never_keep_a_call_from_who_is_on_call(
    found: Found,
) -> None:
    """No sentence of theirs is about whoever is on call."""
    here, reach, _, _, _ = found
    said = " ".join((reach.unreachable or "", *reach.missed))
    assert not [who for who in here.anywhere_on_call(NOW) if f"{PEOPLE[who]['name']} has quiet hours" in said]


@given(circumstances())
def test_a_rung_that_reaches_nobody_says_why(
    found: Found,
) -> None:
    """In a sentence, so that the timeline has it; what reaches somebody is not called unreachable by silence."""
    _, reach, _, _, _ = found
    assert reach.unreachable is None or reach.unreachable.endswith(".")
    assert all(sentence.endswith(".") for sentence in reach.missed)


# --- roles by groups


def test_a_group_gives_a_role_to_people_there_are() -> None:
    """With its level and rights; where it comes from is kept, and a group makes no person and no role."""
    roles = {"manager": {"level": 2, "may": ["stop"]}, "clerk": {"level": 1}}
    people = [
        {"id": "ana", "name": "Ana", "roles": ["clerk", "manager"]},
        {"id": "bo", "name": "Bo", "roles": ["clerk"]},
    ]
    members = {"manager": {"bo": "Slack group S01AB", "eve": "Slack group S01AB", "ana": "x"}, "ghost": {"bo": "y"}}
    here = Directory(parse({"roles": roles, "people": people}), members=members)
    assert here.sources("bo") == {"clerk": "placet.yml", "manager": "Slack group S01AB"}
    assert here.sources("ana") == {"clerk": "placet.yml", "manager": "placet.yml"}
    bo = here.person("bo")
    assert bo is not None
    assert (bo.level, bo.may) == (2, {Right.STOP})
    assert [person.id for person in here.with_right(Right.STOP)] == ["ana", "bo"]
    assert [person.id for person in here.holders("manager")] == ["ana", "bo"]
    assert here.person("eve") is None
