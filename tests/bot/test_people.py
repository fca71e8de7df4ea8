"""Who people are and whom a rung reaches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config import parse
from bot.oncall import Copy, Shift
from bot.people import Directory
from reviews.model import Identity, Need, Person, Route, Rung, Target, Tier
from reviews.ports import Refusal

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
CONFIG: dict[str, Any] = {
    "roles": {
        "manager": {"level": 2, "channels": {"slack": "#managers"}},
        "security": {"level": 2},
        "junior": {"level": 0},
        "empty": {},
    },
    "people": [
        {
            "id": "ana",
            "name": "Ana Ruiz",
            "email": "Ana@example.com",
            "roles": ["manager", "junior"],
            "identities": {"slack": "U0ANA"},
            "prefers": "slack",
            "scopes": ["payments"],
        },
        {"id": "bo", "name": "Bo Chen", "email": "bo@example.com", "roles": ["security"], "prefers": "slack"},
        {"id": "twin", "name": "Twin", "email": "bo@example.com"},
    ],
    "rotations": {"ops": {"primary": {"people": ["ana", "bo"], "every": "1w", "handoff": "mon 09:00"}}},
}


def directory(*surfaces: str) -> Directory:
    """The directory with these surfaces running beside the web."""
    return Directory(parse(CONFIG), ("web", *surfaces))


def reached(notify: tuple[str, ...], *needs: Need, via: tuple[str, ...] = (), surfaces: tuple[str, ...] = ("slack",)):
    """Whom one rung reaches, on a route with these needs."""
    rung = Rung(after=timedelta(0), notify=notify, via=via)
    route = Route(tier=Tier.APPROVE, needs=needs, chain=(rung,))
    return directory(*surfaces).reach(route, NOW)[0]


def test_a_person_has_the_level_of_their_highest_role() -> None:
    """Roles carry levels; a person's is the highest."""
    assert directory().person("ana") == Person(
        id="ana",
        name="Ana Ruiz",
        roles=frozenset({"manager", "junior"}),
        level=2,
        scopes=frozenset({"payments"}),
    )


def test_identities_on_two_surfaces_are_one_person() -> None:
    """A Slack id and the web's own id lead to the same person."""
    here = directory("slack")
    assert here.who(Identity(surface="slack", id="U0ANA")) == here.who(Identity(surface="web", id="ana"))


def test_an_unknown_identity_is_refused_with_the_fix() -> None:
    """Nobody is guessed: a sentence says what an operator must do."""
    answer = directory("slack").who(Identity(surface="slack", id="U0EVE"))
    assert isinstance(answer, Refusal)
    assert "placet.yml" in answer.text


def test_a_web_id_is_no_slack_id() -> None:
    """Being called `ana` on Slack does not make anybody Ana."""
    assert isinstance(directory("slack").who(Identity(surface="slack", id="ana")), Refusal)


def of_tenant(tenant: str | None, slack: dict[str, str]) -> Directory:
    """A directory whose Slack is of a workspace, with one Slack identity for each person named."""
    people = [
        {"id": person, "name": person, "identities": {"slack": identity}, "prefers": "slack"}
        for person, identity in slack.items()
    ]
    return Directory(parse({"people": people}), ("web", "slack"), tenant=lambda surface: tenant)


@pytest.mark.parametrize(
    ("ours", "written", "tenant", "found"),
    [
        ("T1", "U1", "T1", True),
        ("T1", "T1:U1", "T1", True),
        ("T1", "T2:U1", "T2", True),
        ("", "T1:U1", "T1", True),
        (None, "U1", None, True),
        ("T1", "U1", "T2", False),
        ("T1", "U1", None, False),
        ("T1", "T2:U1", "T1", False),
        ("", "U1", "T1", False),
        ("", "U1", None, False),
    ],
)
def test_an_id_counts_in_its_own_workspace(ours: str | None, written: str, tenant: str | None, found: bool) -> None:
    """A bare id is one of ours, a whole one (`T2:U1`) of whom it says; unsure is nobody."""
    answer = of_tenant(ours, {"ana": written}).who(Identity(surface="slack", id="U1", tenant=tenant))
    assert isinstance(answer, Person) is found


def test_each_refusal_says_what_to_do() -> None:
    """Wait, or have the operator write the identity as it is; a stranger learns what to hand to the operator."""
    guest = Identity(surface="slack", id="U1", tenant="T2")
    answers = [
        of_tenant("T1", {"ana": "U1"}).who(guest),
        of_tenant("", {"ana": "U1"}).who(guest),
        of_tenant("T1", {}).who(guest),
        of_tenant("T1", {}).who(Identity(surface="slack", id="U9", tenant="T1")),
    ]
    words = ["`T2:U1`", "again in a moment", "slack user T2:U1", "slack user U9"]
    assert [
        isinstance(answer, Refusal) and word in answer.text for answer, word in zip(answers, words, strict=True)
    ] == [True] * 4


def test_an_identity_of_two_people_is_neither() -> None:
    """Written bare for one and whole for another, the same user could only be guessed at."""
    answer = of_tenant("T1", {"ana": "U1", "bo": "T1:U1"}).who(Identity(surface="slack", id="U1", tenant="T1"))
    assert isinstance(answer, Refusal)
    assert "ana and bo" in answer.text


def test_a_direct_message_goes_to_the_id_alone() -> None:
    """The workspace before an id is for telling people apart, not a part of the address."""
    here = of_tenant("T1", {"ana": "T2:U1"})
    assert here.direct("ana")[0] == Target(surface="slack", address="U1", person="ana")


def with_deputies(deputies: dict[str, str], away: Iterable[str]) -> Directory:
    """Ana, Bo and Cy with deputies, some of them away."""
    people = [
        {"id": person, "name": person} | ({"deputy": deputies[person]} if person in deputies else {})
        for person in ("ana", "bo", "cy")
    ]
    rotations = {"ops": {"primary": {"people": ["ana"]}}}
    absent = dict.fromkeys(away, NOW + timedelta(hours=1))
    return Directory(parse({"people": people, "rotations": rotations}), absent=lambda at: absent)


@pytest.mark.parametrize(
    ("deputies", "away", "called"),
    [
        ({"ana": "bo"}, (), {"ana": "oncall:ops.primary"}),
        ({"ana": "bo"}, ("ana",), {"bo": "oncall:ops.primary, ana away: deputy"}),
        ({}, ("ana",), {"ana": "oncall:ops.primary"}),
        ({"ana": "bo", "bo": "cy"}, ("ana", "bo"), {"ana": "oncall:ops.primary"}),
        ({"ana": "bo", "bo": "ana"}, ("ana", "bo"), {"ana": "oncall:ops.primary"}),
        ({"bo": "cy"}, ("bo",), {"ana": "oncall:ops.primary"}),
    ],
)
def test_who_is_away_is_stood_in_for(deputies: dict[str, str], away: tuple[str, ...], called: dict[str, str]) -> None:
    """The deputy is called instead; with none who is there, the call stays, so that nobody is left uncalled."""
    here = with_deputies(deputies, away)
    rung = Rung(after=timedelta(0), notify=("oncall:ops.primary",))
    (reach,) = here.reach(Route(tier=Tier.APPROVE, needs=(Need(role="manager"),), chain=(rung,)), NOW)
    assert reach.persons == called
    assert [target.person for target in reach.targets] == list(called)


@pytest.mark.parametrize(
    ("person", "reached", "missed"),
    [
        ("ana", {"ana": "oncall:ops.primary, calendar x.ics of 2026-11-18T09:00Z"}, None),
        (None, {}, "Nobody is on call in ops.primary now."),
    ],
)
def test_a_calendar_is_read_as_it_was_last_known(
    person: str | None, reached: dict[str, str], missed: str | None
) -> None:
    """The log will say as of when; words that mean nobody are a gap, so that the next rung goes at once."""
    shift = Shift(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1), person=person, why="who?")
    copy = Copy(shifts=(shift,), since=NOW, until=NOW, read_at=NOW - timedelta(hours=3), fault="it answered 500")
    config = {"people": [{"id": "ana", "name": "Ana"}], "rotations": {"ops": {"primary": {"ical": "x.ics"}}}}
    here = Directory(parse(config), copies={"ops.primary": copy})
    rung = Rung(after=timedelta(0), notify=("oncall:ops.primary",))
    (reach,) = here.reach(Route(tier=Tier.APPROVE, needs=(Need(role="manager"),), chain=(rung,)), NOW)
    assert (reach.persons, reach.unreachable) == (reached, missed)
    (turn,) = here.on_call(NOW)
    assert turn.note == "as its calendar was 3h ago; it could not be read since: it answered 500"


def test_a_deputy_called_as_well_is_called_once() -> None:
    """By the reason that came first."""
    here = with_deputies({"ana": "bo"}, ("ana",))
    rung = Rung(after=timedelta(0), notify=("person:bo", "person:ana"))
    (reach,) = here.reach(Route(tier=Tier.APPROVE, needs=(Need(role="manager"),), chain=(rung,)), NOW)
    assert (reach.persons, len(reach.targets)) == ({"bo": "person:bo"}, 1)


@pytest.mark.parametrize(
    ("name", "found"),
    [("ana", "ana"), ("ana@EXAMPLE.com", "ana"), ("bo@example.com", None), ("nobody", None), (None, None)],
)
def test_on_behalf_of_resolves_to_one_or_to_nobody(name: str | None, found: str | None) -> None:
    """An address two people share means neither."""
    assert directory().resolve(name) == found


def test_the_channel_of_the_needed_role() -> None:
    """`channel:role` posts to the channels of the roles needed and makes nobody an elector."""
    reach = reached(("channel:role",), Need(role="manager"))
    assert (reach.targets, reach.persons, reach.unreachable) == (
        (Target(surface="slack", address="#managers"),),
        {},
        None,
    )


def test_a_role_without_a_channel_is_reached_on_the_web() -> None:
    """The web's queue is live, so a role with people in it is reached without a post."""
    reach = reached(("channel:role",), Need(role="security"))
    assert (reach.targets, reach.unreachable) == ((), None)


def test_a_surface_that_does_not_run_gets_nothing() -> None:
    """The Slack channel counts only where Slack runs."""
    assert reached(("channel:role",), Need(role="manager"), surfaces=()).targets == ()


def test_holders_of_one_needed_role_are_no_electors_of_another() -> None:
    """Calling both roles of a dual review must not let two people of one role fill both slots."""
    reach = reached(("role:manager", "role:security"), Need(role="manager"), Need(role="security"))
    assert reach.persons == {}


def test_another_role_that_is_called_may_decide() -> None:
    """A role on the ladder that is not needed is an elector by being called."""
    assert reached(("role:security",), Need(role="manager")).persons == {"bo": "role security"}


def test_a_level_is_reached_through_the_roles_that_have_it() -> None:
    """`level: 2` goes to the channels of every role of that level."""
    assert reached(("channel:role",), Need(level=2)).targets == (Target(surface="slack", address="#managers"),)


def test_on_call_goes_by_preference_and_falls_back_to_the_web() -> None:
    """Ana is on call in odd weeks from 2024 on; her card goes to Slack where it runs, else to the web."""
    on_slack = reached(("oncall:ops.primary",), Need(role="security"))
    on_web = reached(("oncall:ops.primary",), Need(role="security"), surfaces=())
    assert list(on_slack.persons) == list(on_web.persons)
    person = next(iter(on_slack.persons))
    address = {"ana": Target(surface="slack", address="U0ANA", person="ana")}.get(
        person, Target(surface="web", address=person, person=person)
    )
    assert on_slack.targets == (address,)
    assert on_web.targets == (Target(surface="web", address=person, person=person),)


@pytest.mark.parametrize(
    ("notify", "words"),
    [
        (("role:empty",), "Nobody has the role empty."),
        (("oncall:ops.secondary",), "Nobody is on call in ops.secondary now."),
        (("person:ghost",), "person:ghost names nobody."),
    ],
)
def test_who_cannot_be_reached_is_said(notify: tuple[str, ...], words: str) -> None:
    """A rung that reaches nobody says why, so that the next goes at once."""
    assert reached(notify, Need(role="manager")).unreachable == words


def test_a_way_that_is_not_set_up_is_unreachable() -> None:
    """A rung that goes only by SMS reaches nobody here; one that also goes by direct message does."""
    assert reached(("person:ana",), via=("sms",)).unreachable == "sms is not set up here."
    assert reached(("person:ana",), via=("sms", "dm")).unreachable is None


def test_one_of_several_targets_is_enough() -> None:
    """A rung is reached when any of its targets is."""
    reach = reached(("role:empty", "person:bo"), Need(role="manager"))
    assert (list(reach.persons), reach.unreachable) == (["bo"], None)


@pytest.mark.parametrize(
    ("prefers", "surfaces", "places", "instead"),
    [
        ("slack", ("slack", "teams"), ["slack", "teams", "web"], "teams"),
        ("teams", ("slack", "teams"), ["teams", "slack", "web"], "slack"),
        (None, ("slack", "teams"), ["slack", "teams", "web"], "teams"),
        ("web", ("slack", "teams"), ["web", "slack", "teams"], "slack"),
        ("slack", ("slack",), ["slack", "web"], None),
    ],
)
def test_what_fails_on_one_surface_is_told_on_another(
    prefers: str | None, surfaces: tuple[str, ...], places: list[str], instead: str | None
) -> None:
    """Never on the web, where a card always arrives and nobody is called."""
    person = {"id": "ana", "name": "Ana", "identities": {"slack": "U1", "teams": "T2:a1"}}
    here = Directory(parse({"people": [person | ({"prefers": prefers} if prefers else {})]}), ("web", *surfaces))
    assert [place.surface for place in here.direct("ana")] == places
    found = here.instead("ana", {places[0]})
    assert (found and found.surface) == instead
    assert here.instead("nobody", ()) is None


def test_who_is_on_call_next() -> None:
    """Each person once, in the order of their turns, as far ahead as is asked."""
    layer = {"people": ["ana", "bo", "twin"], "handoff": "mon 09:00"}
    here = Directory(parse(CONFIG | {"rotations": {"ops": {"primary": layer}}}))
    (turn,) = here.on_call(NOW)
    first = [person.id for person in turn.people]
    following = here.turns("ops.primary", NOW, 3)
    order = ["ana", "bo", "twin"]
    begin = order.index(first[0])
    assert following == [order[(begin + n) % 3] for n in (1, 2)]
    assert here.turns("ops.primary", NOW, 1) == following[:1]
    assert here.turns("ops.nowhere", NOW, 3) == []


def test_an_address_of_a_gateway() -> None:
    """E-mail goes to the e-mail, everything else to the phone, unless placet.yml says another."""
    person = {"id": "ana", "name": "Ana", "email": "a@example.com", "phone": "+34", "addresses": {"pager": "ana-7"}}
    here = Directory(parse({"people": [person, {"id": "bo", "name": "Bo"}], "gateways": {"pager": "X", "sms": "Y"}}))
    assert [here.address("ana", way) for way in ("email", "sms", "pager")] == ["a@example.com", "+34", "ana-7"]
    assert [here.address(who, "sms") for who in ("bo", "nobody")] == [None, None]


def test_what_a_policy_may_name() -> None:
    """Roles with their levels, people, rotations, and the gateways there are."""
    known = Directory(parse(CONFIG | {"gateways": {"sms": "PLACET_GATEWAY_SMS"}})).known
    assert (known.ways, known.ranks["manager"], known.rotations) == ({"sms"}, 2, {"ops.primary"})


def test_a_role_is_told_in_its_channels_and_where_these_reach_nobody() -> None:
    """Who is not on any of their surfaces is told in person; without a channel that runs, everybody is."""
    roles = {"clerk": {"level": 1, "channels": {"slack": "C1"}}}
    people = [
        {"id": "ana", "name": "Ana", "roles": ["clerk"], "identities": {"slack": "U1"}},
        {"id": "bo", "name": "Bo", "roles": ["clerk"]},
    ]
    config = parse({"roles": roles, "people": people, "slack": {}})

    def told(*surfaces: str) -> list[tuple[str, str]]:
        return [(at.surface, at.address) for at in Directory(config, surfaces=surfaces).places("clerk")]

    assert told("web", "slack") == [("slack", "C1"), ("web", "bo")]
    assert told("web") == [("web", "ana"), ("web", "bo")]
