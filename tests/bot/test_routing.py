"""Requests routed to people: who is not called, what follows from a review, what a late start comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.config import parse
from bot.people import Directory
from bot.routing import SANDBOX, Routed, Router
from policies.load import load_text
from reviews.events import Follow
from reviews.keeping import Agent, Store, Tx
from reviews.model import (
    Need,
    Object,
    Order,
    Relation,
    Request,
    Review,
    ReviewType,
    RiskClaim,
    RiskLevel,
    Target,
    Tier,
    Verb,
)
from storage.engine import open_store
from tests.fakes.app import running
from tests.fakes.builders import a_proposal, a_request, a_review, a_route, a_vote
from tests.fakes.clock import FakeClock

T = TypeVar("T")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CONFIG: Object = {
    "roles": {
        "manager": {"level": 2, "channels": {"slack": "#managers"}},
        "clerk": {"level": 1, "channels": {"slack": "#clerks"}},
        "chief": {"level": 3},
    },
    "people": [
        {"id": "ana", "name": "Ana Ruiz", "email": "ana@example.com", "roles": ["manager"]},
        {"id": "bo", "name": "Bo Chen", "roles": ["manager"]},
        {"id": "cy", "name": "Cy Okafor", "roles": ["clerk"]},
        {"id": "di", "name": "Di Moreau", "roles": ["chief"]},
    ],
    "rotations": {"ops": {"primary": {"people": ["ana"]}}},
}
POLICY = """
policy: house
version: 1
actions:
  note.write: {risk: low, reversible: true}
  refund.issue: {risk: medium, reversible: false}
  volume.delete: {risk: critical, reversible: false}
chains:
  ladder:
    - {after: 0m, notify: oncall:ops.primary}
    - {after: 10m, notify: person:bo}
    - {after: 1h, then: expire}
  rooms:
    - {after: 0m, notify: channel:role}
    - {after: 2h, then: expire}
rules:
  - {name: confirmed, when: 'session_id == "confirm"', route: {tier: confirm, chain: rooms}}
  - name: in turn
    when: session_id == "turn"
    route: {tier: dual, needs: [{role: clerk}, {role: manager}], order: sequence, chain: rooms}
  - {name: spread, when: 'session_id == "spread"', route: {tier: approve, role: manager, chain: rooms, assign: one}}
default: {tier: approve, role: manager, chain: ladder}
"""


@pytest.fixture
def store() -> Store:
    """An empty one."""
    return open_store("memory://", FakeClock(NOW))


@pytest.fixture
def router() -> Router:
    """The house's policy and people."""
    directory = Directory(parse(CONFIG), ("web", "slack"))
    return Router(load_text(POLICY, known=directory.known), lambda: directory, b"key")


def an_agent(**more: Any) -> Agent:
    """An agent of nobody's."""
    return Agent(name="bot", key_hash="", secrets=(), **more)


async def first(store: Store, router: Router, request: Request, **agent: Any) -> Routed:
    """A request as it is routed at first."""
    return await store.tx(lambda tx: router.first(tx, "rev_1", an_agent(**agent), request, NOW))


def called(routed: Routed) -> list[list[str]]:
    """Whom each rung calls."""
    return [list(reach.persons) for reach in routed.reach]


# --- who is not called


@pytest.mark.parametrize(
    ("request_", "agent", "rungs"),
    [
        ({}, {}, [["ana"], ["bo"], []]),
        ({}, {"owners": ("ana",)}, [[], ["bo"], []]),
        ({"name": "note.write"}, {"owners": ("ana",)}, [["ana"], ["bo"], []]),
        ({}, {"acts_for": "ana"}, [[], ["bo"], []]),
        ({"on_behalf_of": "ana@example.com"}, {}, [[], ["bo"], []]),
        ({}, {"owners": ("ana", "bo")}, [[], [], []]),
    ],
)
async def test_who_may_not_decide_is_passed_over(
    store: Store, router: Router, request_: Object, agent: Object, rungs: list[list[str]]
) -> None:
    """The owner who is on call alone counts as nobody, so that somebody who may decide is called at once."""
    routed = await first(store, router, a_request(**request_), **agent)
    assert called(routed) == rungs
    assert [reach.unreachable is None for reach in routed.reach[:2]] == [bool(people) for people in rungs[:2]]


async def test_later_calls_pass_them_over_too(store: Store, router: Router) -> None:
    """Whoever rejected what a review is about, too; at every tick, and for another revision."""
    routed = await first(store, router, a_request())
    review = dataclasses.replace(a_review(proposal=routed.proposal), excluded=frozenset({"ana"}))
    assert [list(reach.persons) for reach in router.reach(review, NOW)] == [[], ["bo"], []]
    again = await store.tx(lambda tx: router.again(tx, review, a_request(summary="Other"), NOW, "agent"))
    assert called(again) == [[], ["bo"], []]


@pytest.mark.parametrize(
    ("name", "acts_for", "tier", "word"),
    [
        ("refund.issue", "ana", Tier.CONFIRM, ""),
        ("refund.issue", None, Tier.APPROVE, "acts for nobody known here"),
        ("volume.delete", "ana", Tier.APPROVE, "low and medium risk"),
    ],
)
async def test_confirm_is_for_what_is_not_grave(
    store: Store, router: Router, name: str, acts_for: str | None, tier: Tier, word: str
) -> None:
    """Above medium risk, and where nobody is acted for, the policy's people are asked."""
    routed = await first(store, router, a_request(name=name, session_id="confirm"), acts_for=acts_for)
    route = routed.proposal.route
    assert route.tier is tier
    assert word in route.explanation
    assert bool(route.needs) is (tier is Tier.APPROVE)


async def test_a_revision_that_grows_grave_is_not_confirmed(store: Store, router: Router) -> None:
    """The tier a revision began with is no way around it."""
    routed = await first(store, router, a_request(session_id="confirm"), acts_for="ana")
    review = a_review(proposal=routed.proposal, principal="ana")
    graver = a_request(session_id="confirm", risk=RiskClaim(level=RiskLevel.HIGH))
    again = await store.tx(lambda tx: router.again(tx, review, graver, NOW, "agent"))
    assert (routed.proposal.route.tier, again.proposal.route.tier) == (Tier.CONFIRM, Tier.APPROVE)


async def test_who_lacks_a_scope_is_not_called(store: Store, router: Router) -> None:
    """They may decide nothing of it, so the card would only look as if somebody had it."""
    routed = await first(store, router, a_request(scopes=("payments",)))
    assert [reach.unreachable for reach in routed.reach] == [
        "Ana Ruiz may not decide this.",
        "Bo Chen may not decide this.",
        None,
    ]


async def test_the_person_acted_for_is_told_of_what_they_confirm(store: Store, router: Router) -> None:
    """By a message of their own; nobody confirms in their stead."""
    routed = await first(store, router, a_request(session_id="confirm"), acts_for="cy")
    assert routed.reach[0].targets == (Target(surface="web", address="cy", person="cy"),)
    assert (routed.reach[0].persons, routed.reach[0].unreachable) == ({}, None)
    people = [person | {"deputy": "bo"} if person["id"] == "cy" else person for person in CONFIG["people"]]
    away = Directory(parse(CONFIG | {"people": people}), absent=lambda at: {"cy": NOW + timedelta(days=1)})
    other = Router(router.policy, lambda: away, b"key")
    routed = await first(store, other, a_request(session_id="confirm"), acts_for="cy")
    assert [target.person for target in routed.reach[0].targets] == ["cy"]
    assert routed.reach[0].unreachable == "Cy Okafor is away until 24 Nov 09:00 UTC."


# --- in turn, and one of many


async def test_in_sequence_the_next_slot_is_called(store: Store, router: Router) -> None:
    """The clerks' channel at first; the managers' when a clerk approves, and again when more is asked of them."""
    routed = await first(store, router, a_request(session_id="turn"))
    review = a_review(proposal=routed.proposal)
    assert review.route.order is Order.SEQUENCE
    clerk = router._directory().person("cy")
    clerks, managers = Target(surface="slack", address="#clerks"), Target(surface="slack", address="#managers")
    assert routed.reach[0].targets == router.reach(review, NOW)[0].targets == (clerks,)
    assert router.reach(review, NOW, approving=clerk)[0].targets == (managers,)
    half = dataclasses.replace(review, votes=(a_vote(review, "cy"),))
    assert router.reach(half, NOW)[0].targets == (managers,)


async def test_reviews_are_spread_over_a_role(store: Store, router: Router) -> None:
    """Each new one to whoever has fewer; a revision stays with whom it was given; a tick gives it to nobody anew."""

    def four(tx: Tx) -> list[tuple[str, ...]]:
        given = []
        for n in range(4):
            routed = router.first(tx, f"rev_{n}", an_agent(), a_request(session_id="spread"), NOW)
            given.append(routed.reach[0].assigned)
            tx.open(a_review(proposal=routed.proposal, assigned=given[-1]), (), key=None, fingerprint="")
        return given

    assert await store.tx(four) == [("ana",), ("bo",), ("ana",), ("bo",)]
    routed = await first(store, router, a_request(session_id="spread"))
    review = a_review(proposal=routed.proposal, assigned=("bo",))
    again = await store.tx(lambda tx: router.again(tx, review, a_request(session_id="spread"), NOW, "agent"))
    assert again.reach[0].assigned == ("bo",)
    assert router.reach(review, NOW)[0].assigned == ()
    late = dataclasses.replace(review, assigned=())
    assert (await store.tx(lambda tx: router.reach(late, NOW, tx=tx)))[0].assigned == ("bo",)


async def test_what_is_not_kept_is_given_to_nobody(store: Store, router: Router) -> None:
    """Where nothing may be written, as when somebody looks what asking would come to."""
    request = a_request(session_id="spread")
    routed = await store.view(lambda tx: router.first(tx, "", an_agent(), request, NOW))
    assert routed.reach[0].assigned == ()


# --- what follows


def follows(relation: Relation, **more: Any) -> Callable[[Store, Router, Review], Any]:
    """What follows from a review by this relation."""

    async def linked(store: Store, router: Router, review: Review) -> Routed:
        return await store.tx(lambda tx: router.linked(tx, review, Follow(relation=relation, **more), NOW))

    return linked


def rejected(**more: Any) -> Review:
    """A review of the third revision, with a callback and a deadline."""
    request = a_request(callback_url="http://127.0.0.1:9/hook", review_deadline=more.pop("deadline", None))
    route = a_route(needs=(Need(role="clerk"), Need(role="manager")), **more)
    return a_review(proposal=a_proposal(request=request, route=route, revision=3))


async def test_a_drawn_review_is_looked_at_by_one(store: Store, router: Router) -> None:
    """Nobody waits for it: no callback, no deadline; the first slot, by the chain it has."""
    review = rejected(tier=Tier.SAMPLE, p=0.5, deadline=NOW + timedelta(minutes=5))
    routed = await follows(Relation.FEEDBACK)(store, router, review)
    route, request = routed.proposal.route, routed.proposal.request
    assert (route.tier, route.needs, route.chain) == (Tier.APPROVE, (Need(role="clerk"),), review.route.chain)
    assert (request.review_type, request.callback_url, request.review_deadline) == (ReviewType.FEEDBACK, None, None)
    assert routed.proposal.revision == 1
    assert routed.proposal.digest == review.proposal.digest
    assert routed.proposal.request_digest != review.proposal.request_digest


@pytest.mark.parametrize(
    ("tier", "found", "needs"),
    [
        (Tier.CONFIRM, Tier.APPROVE, (Need(level=3),)),
        (Tier.APPROVE, Tier.APPROVE, (Need(level=3),)),
        (Tier.DUAL, Tier.DUAL, (Need(level=3), Need(role="clerk"), Need(role="manager"))),
        (Tier.HUMAN_ONLY, Tier.HUMAN_ONLY, (Need(level=3),)),
    ],
)
async def test_an_appeal_is_decided_higher_up(
    store: Store, router: Router, tier: Tier, found: Tier, needs: tuple[Need, ...]
) -> None:
    """The same request with its callback, at least as strictly; whoever rejected it is not called."""
    appeal = follows(Relation.APPEAL, excluded=frozenset({"bo"}), level=3)
    routed = await appeal(store, router, rejected(tier=tier))
    assert (routed.proposal.route.tier, routed.proposal.route.needs) == (found, needs)
    assert routed.proposal.request.review_type is ReviewType.APPROVAL
    assert routed.proposal.request.callback_url == "http://127.0.0.1:9/hook"
    assert routed.reach[1].unreachable == "Bo Chen may not decide this."
    assert Verb.REJECT in routed.proposal.route.allowed


@pytest.mark.parametrize(("minutes", "kept"), [(-5, False), (5, True)])
async def test_an_appeal_heeds_a_deadline_that_is_to_come(
    store: Store, router: Router, minutes: int, kept: bool
) -> None:
    """One that has passed would end it before anybody looked."""
    deadline = NOW + timedelta(minutes=minutes)
    routed = await follows(Relation.APPEAL, level=3)(store, router, rejected(deadline=deadline))
    assert (routed.proposal.request.review_deadline == deadline) is kept
    assert (routed.schedule.deadline_at == deadline) is kept
    assert routed.schedule.deadline_at > NOW


async def test_broken_glass_is_looked_at_by_all_who_were_needed(store: Store, router: Router) -> None:
    """Every slot, by the same chain, without the two who broke it."""
    after = follows(Relation.AFTER_GLASS, excluded=frozenset({"bo"}))
    routed = await after(store, router, rejected(tier=Tier.HUMAN_ONLY))
    route, request = routed.proposal.route, routed.proposal.request
    assert (route.tier, route.needs) == (Tier.DUAL, (Need(role="clerk"), Need(role="manager")))
    assert (request.review_type, request.callback_url) == (ReviewType.FEEDBACK, None)
    assert "bo" not in [person for reach in routed.reach for person in reach.persons]


async def test_what_has_no_chain_takes_the_policys(store: Store, router: Router) -> None:
    """So that what follows escalates by itself."""
    routed = await follows(Relation.AFTER_GLASS)(store, router, a_review(route=a_route(chain=(), needs=())))
    assert routed.proposal.route.chain_name == "ladder"
    assert routed.proposal.route.needs == (Need(role="manager"),)
    assert called(routed) == [["ana"], ["bo"], []]


async def test_a_sandboxs_review_stays_one(store: Store, router: Router) -> None:
    """Nobody is called for it, whatever follows."""
    review = a_review(sandbox=True)
    routed = await follows(Relation.APPEAL, level=3)(store, router, review)
    assert (routed.proposal.route.rule, routed.reach, router.reach(review, NOW)) == ("sandbox", (), ())
    assert router.schedule(review, NOW).deadline_at == NOW + SANDBOX


# --- what sets out late


async def test_what_was_held_starts_by_the_clock_of_now(store: Store, router: Router) -> None:
    """Its rungs and its deadline count from when its agent may go on."""
    routed = await first(store, router, a_request())
    later = NOW + timedelta(days=2)
    plan = router.schedule(a_review(proposal=routed.proposal), later)
    assert [due - later for due in plan.rungs] == [due - NOW for due in routed.schedule.rungs]
    assert plan.deadline_at == later + timedelta(hours=1)


async def test_whether_a_sample_is_drawn_is_known_later(store: Store, router: Router) -> None:
    """By the same number that would have been taken at once."""
    ids = [f"rev_{n}" for n in range(40)]
    route = a_route(tier=Tier.SAMPLE, p=0.5)
    drawn = [router.drawn(dataclasses.replace(a_review(route=route), id=name)) for name in ids]
    assert drawn == [router._draw(name) < 0.5 for name in ids]
    assert set(drawn) == {True, False}
    assert not router.drawn(a_review())


@pytest.mark.parametrize(
    ("more", "agent", "why"),
    [
        ({}, {"owners": ["ana"]}, "Ana Ruiz may not decide this."),
        (
            {"away": [{"from": "2026-11-23T00:00Z", "until": "2026-11-24T00:00Z"}]},
            {},
            "Ana Ruiz is away until 24 Nov 00:00 UTC, and nobody stands in.",
        ),
        ({"quiet": {"from": "00:00", "until": "00:00"}}, {}, None),
    ],
)
async def test_the_next_rung_goes_in_the_same_instant(
    tmp_path: Path, more: Object, agent: Object, why: str | None
) -> None:
    """Where the first one reaches nobody, and the log says why; who is on call is reached also in quiet hours."""
    people = [person | more if person["id"] == "ana" else person for person in CONFIG["people"]]
    config = CONFIG | {"people": people}
    async with running(tmp_path, policy=POLICY, config=config, clock=FakeClock(NOW)) as house:
        review = await (await house.agent(**agent)).asked()
        kept = await house.store.view(lambda tx: tx.read(review["id"]))
        log = await house.store.view(lambda tx: tx.log(review=review["id"]))
    assert kept is not None
    assert ("bo" in kept.called) is (why is not None)
    assert [entry.detail["why"] for entry in log if entry.kind == "rung.unreachable"] == ([why] if why else [])
