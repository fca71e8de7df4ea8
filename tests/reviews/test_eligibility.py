"""Who may decide, and which slots their votes fill."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from reviews.eligibility import (
    CALLED,
    PRINCIPAL,
    Barred,
    Standing,
    allowed,
    coming,
    needed,
    seats,
    slots_of,
    standing,
)
from reviews.events import Approved
from reviews.model import ALL_DECISIONS, Need, Order, Person, Review, ReviewType, RiskLevel, Tier, Verb
from tests.fakes.builders import a_request, a_vote
from tests.reviews.builders import ANA, BO, CAL, DEE, EVE, FAY, LEAD, MANAGER, PEOPLE, SECURITY, after, by, opened


def may(review: Review, person: Person) -> bool:
    """Whether this person may decide."""
    return isinstance(standing(review, person), Standing)


def who(review: Review) -> str:
    """The ids of those who may decide."""
    return " ".join(person.id for person in PEOPLE if may(review, person))


def called(review: Review, *persons: Person) -> Review:
    """The review after a rung reached these people."""
    return dataclasses.replace(review, called={person.id: "oncall:x" for person in persons})


def test_a_role_is_decided_by_its_people() -> None:
    """The slot's role counts; a high level alone does not."""
    assert who(opened(needs=(MANAGER,))) == "ana bo"
    assert who(opened(needs=(SECURITY, LEAD))) == "cal dee eve"
    assert standing(opened(needs=(SECURITY, LEAD)), DEE) == Standing(slots=(0, 1), source="role security; role lead")


def test_a_level_counts_only_where_the_route_asks_for_one() -> None:
    """`level: 2` takes anybody of level 2 or more, whatever their role."""
    assert who(opened(needs=(Need(level=2),))) == "ana bo dee eve"
    assert who(opened(needs=(Need(level=3),))) == "dee eve"


def test_a_role_held_by_a_group_says_by_which() -> None:
    """An auditor reads why somebody could decide: a role of placet.yml, or a group of a chat."""
    grouped = dataclasses.replace(ANA, groups={"manager": "Slack group S01AB"})
    found = standing(opened(needs=(MANAGER,)), grouped)
    assert isinstance(found, Standing)
    assert found.source == "role manager, Slack group S01AB"


def test_an_elector_fills_a_role_but_never_lifts_a_level() -> None:
    """Being called stands for the role; the level is still demanded of who was called."""
    assert may(called(opened(needs=(MANAGER,)), FAY), FAY)
    assert not may(called(opened(needs=(Need(level=2),)), FAY), FAY)
    assert may(called(opened(needs=(Need(level=2),)), EVE), EVE)


def test_an_elector_is_one_person_of_two() -> None:
    """Two are needed: somebody called counts for one of them, once."""
    review = called(opened(tier=Tier.DUAL, needs=(SECURITY, LEAD)), FAY)
    review = after(review, by(Approved, FAY, 1), by(Approved, FAY, 2))
    assert review.decision is None
    assert after(review, by(Approved, CAL, 3)).decision is not None


def test_a_route_without_slots_is_for_who_is_called() -> None:
    """No role, no level: the people of the chain decide, and nobody else."""
    review = called(opened(needs=()), FAY)
    assert (slots_of(review), who(review)) == ((CALLED,), "fay")
    assert needed(review) == "somebody on the escalation chain"


@pytest.mark.parametrize(("risk", "free"), [(risk, risk is RiskLevel.LOW) for risk in RiskLevel])
def test_owners_do_not_decide_above_low_risk(risk: RiskLevel, free: bool) -> None:
    """Nobody approves their own agent's doings, but small ones."""
    review = opened(risk=risk, owners=frozenset({"ana"}))
    assert may(review, ANA) is free
    assert may(review, BO)


def test_the_person_acted_for_does_not_decide() -> None:
    """At any risk, even by role or when called."""
    review = called(opened(risk=RiskLevel.LOW, principal="ana"), ANA)
    assert standing(review, ANA) == Barred(text="This is done on your behalf, so somebody else must decide it.")
    assert who(review) == "bo"


def test_whom_the_agent_named_does_not_decide() -> None:
    """An agent's word leaves people out; it lets nobody in, and takes nothing from who confirms."""
    review = opened(risk=RiskLevel.LOW, named=frozenset({"ana"}))
    assert standing(review, ANA) == Barred(text="This is done on your behalf, so somebody else must decide it.")
    confirming = opened(tier=Tier.CONFIRM, needs=(), principal="fay", named=frozenset({"ana", "fay"}))
    assert who(confirming) == "fay"


def test_confirm_is_for_the_person_acted_for_alone() -> None:
    """Nobody else confirms, whatever their role or level; nobody at all when it is not known for whom."""
    review = opened(tier=Tier.CONFIRM, needs=(), principal="fay")
    assert (slots_of(review), who(called(review, ANA, EVE))) == ((PRINCIPAL,), "fay")
    assert who(opened(tier=Tier.CONFIRM, needs=())) == ""
    assert standing(review, EVE) == Barred(text="Only the person this is done for may confirm it.")
    assert after(review, by(Approved, FAY)).decision.by[0].role == "the person acted for"


def test_a_role_beside_a_confirmation_is_a_slot_of_its_own() -> None:
    """What an agent adds makes it stricter: the person acted for cannot fill the role's slot too."""
    review = opened(tier=Tier.CONFIRM, needs=(MANAGER,), principal="fay")
    assert who(review) == "ana bo fay"
    review = after(review, by(Approved, FAY, 1))
    assert (review.decision, needed(review)) == (None, "manager")
    assert after(review, by(Approved, BO, 2)).decision is not None


def test_scopes_must_cover_the_requests() -> None:
    """Same or broader access than the request; the sentence names what is missing."""
    review = opened(scopes=frozenset({"payments", "pii"}))
    assert standing(review, ANA) == Barred(text="This needs the scope payments, pii, which you do not have.")
    assert not may(review, dataclasses.replace(ANA, scopes=frozenset({"payments"})))
    assert may(review, dataclasses.replace(ANA, scopes=frozenset({"payments", "pii", "more"})))


def test_nobody_is_barred_without_a_sentence() -> None:
    """It says who is needed and what one may do instead."""
    barred = standing(opened(needs=(SECURITY, LEAD), order=Order.SEQUENCE), FAY)
    assert barred == Barred(text="This needs security, then lead. You may comment, or escalate it to them.")


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_seats_are_a_largest_matching(order: tuple[str, ...]) -> None:
    """Whoever comes first, three people who can fill three slots between them do."""
    review = opened(needs=(MANAGER, SECURITY, LEAD))
    fits = {"a": (0,), "b": (0, 1), "c": (0, 1, 2)}
    taken = seats(review, [a_vote(review, person, slots=fits[person]) for person in order])
    assert {slot: vote.person for slot, vote in taken.items()} == {0: "a", 1: "b", 2: "c"}


def test_seats_are_kept_while_others_are_free() -> None:
    """Nobody is moved without need."""
    review = opened(needs=(MANAGER, MANAGER))
    votes = [a_vote(review, person, slots=(0, 1)) for person in ("ana", "bo")]
    assert {slot: vote.person for slot, vote in seats(review, votes).items()} == {0: "ana", 1: "bo"}


def test_only_approvals_take_seats() -> None:
    """A rejection or an edit is no yes."""
    review = opened(needs=(MANAGER,))
    for verb in set(Verb) - {Verb.APPROVE}:
        assert seats(review, [a_vote(review, "ana", verb=verb)]) == {}


def test_in_sequence_a_slot_waits_for_the_one_before() -> None:
    """A vote for a later slot takes no seat before its turn."""
    review = opened(needs=(SECURITY, LEAD), order=Order.SEQUENCE)
    early = [a_vote(review, "eve", slots=(1,)), a_vote(review, "cal", slots=(0,))]
    assert {slot: vote.person for slot, vote in seats(review, early).items()} == {0: "cal"}


@pytest.mark.parametrize(
    ("tier", "kind", "verbs"),
    [
        (Tier.APPROVE, ReviewType.APPROVAL, ALL_DECISIONS),
        (Tier.APPROVE, ReviewType.HANDOFF, (*ALL_DECISIONS, Verb.ANSWER)),
        (Tier.HUMAN_ONLY, ReviewType.APPROVAL, (Verb.EDIT, Verb.REJECT, Verb.REQUEST_CHANGES, Verb.ANSWER)),
    ],
)
def test_what_is_open(tier: Tier, kind: ReviewType, verbs: tuple[Verb, ...]) -> None:
    """Answering is for what a person does; what only a person does is never approved."""
    review = opened(tier=tier, request=a_request(review_type=kind), allowed=(*ALL_DECISIONS, Verb.ANSWER))
    assert allowed(review) == verbs


def test_rejecting_is_always_open() -> None:
    """Also where a route forgot it."""
    assert allowed(opened(allowed=(Verb.APPROVE,))) == (Verb.APPROVE, Verb.REJECT)


def test_by_hand_leaves_doing_it_and_rejecting() -> None:
    """Neither a yes nor an edit, which is one; asking for another proposal stays, and answering opens."""
    review = opened()
    by_hand = dataclasses.replace(review, ladder=dataclasses.replace(review.ladder, by_hand=True))
    assert set(allowed(by_hand)) == {Verb.REJECT, Verb.REQUEST_CHANGES, Verb.ANSWER}


def test_who_had_their_say_before_does_not_decide() -> None:
    """Whatever they hold, and however they were called: an appeal is for other eyes."""
    review = called(opened(risk=RiskLevel.LOW, excluded=frozenset({"ana", "fay"})), FAY)
    said = "You have had your say in the review this is about, so somebody else must decide it."
    assert standing(review, ANA) == standing(review, FAY) == Barred(text=said)
    assert who(review) == "bo"


def test_in_sequence_one_slot_is_called_for_at_a_time() -> None:
    """The next one open; as it will be when somebody who can fill it approves; nobody at the end."""
    review = opened(tier=Tier.DUAL, needs=(SECURITY, LEAD), order=Order.SEQUENCE)
    assert coming(review) == (SECURITY,)
    assert coming(review, CAL) == (LEAD,)
    assert coming(review, EVE) == coming(review, FAY) == (SECURITY,)
    half = after(review, by(Approved, CAL, 1))
    assert coming(half) == coming(half, CAL) == (LEAD,)
    assert coming(half, EVE) == ()


def test_in_any_order_everybody_is_called_for() -> None:
    """From the beginning, whoever has approved."""
    review = opened(tier=Tier.DUAL, needs=(SECURITY, LEAD))
    assert coming(review) == coming(review, CAL) == (SECURITY, LEAD)
