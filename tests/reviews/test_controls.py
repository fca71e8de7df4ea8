"""What can be pressed, and what it asks first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviews.card import Control, Go, Input, Kind, Way
from reviews.controls import MOST_FIELDS, Controls, over_agents, places
from reviews.model import (
    ALL_DECISIONS,
    Cause,
    Decision,
    Evidence,
    Glass,
    Grant,
    GrantState,
    Need,
    Order,
    Person,
    Review,
    ReviewType,
    Right,
    RiskLevel,
    Seat,
    Status,
    Tier,
    Verb,
    Vote,
)
from reviews.surroundings import Surroundings
from reviews.values import replace
from tests.fakes.builders import START, a_request, a_review, a_route

EVERY = (Verb.APPROVE, Verb.REJECT, Verb.EDIT, Verb.REQUEST_CHANGES, Verb.ESCALATE)


def controls(
    review: Review, *, hides: bool = False, people: dict[str, str] | None = None, **around: Any
) -> dict[Verb, Control]:
    """The controls of a review by verb."""
    block = Controls(review, str, people or {}, Surroundings(**around), hides=hides).block()
    return {control.verb: control for control in (*block.controls, *block.overflow)}


def field(control: Control, name: str) -> Input:
    """One field of what a control asks."""
    assert control.form is not None
    return next(field for field in control.form.fields if field.name == name)


def test_a_pending_review_has_every_control() -> None:
    """What is rarely used last; handing over and revealing only where there is somebody or something."""
    assert tuple(controls(a_review())) == (*EVERY, Verb.TAKE, Verb.COMMENT)
    assert Verb.HAND not in controls(a_review(), people={"bo": "Bo"})  # to oneself
    more = controls(a_review(), hides=True, people={"ana": "Ana Ruiz", "bo": "Bo"})
    assert tuple(more) == (*EVERY, Verb.TAKE, Verb.HAND, Verb.COMMENT, Verb.REVEAL)


@pytest.mark.parametrize("review", [a_review(), a_review(status=Status.EXPIRED)], ids=["pending", "over"])
def test_its_history_can_always_be_looked_at(review: Review) -> None:
    """Which decides nothing."""
    ways = Controls(review, str, {}, hides=False).block().ways
    assert ways == (Way(go=Go.HISTORY, label="History", value=review.id),)


def test_a_rejection_is_one_tap_or_ones_own_words() -> None:
    """From the rule's reasons; where it has none, words alone."""
    asked = field(controls(a_review(route=a_route(reasons=("in use", "freeze"))))[Verb.REJECT], "reason")
    assert (asked.kind, asked.choices, asked.required) == (Kind.TEXT, ("in use", "freeze"), False)
    assert field(controls(a_review())[Verb.REJECT], "reason").choices == ()


def test_an_edit_asks_what_there_is() -> None:
    """Nothing for an action without arguments; all in one text where the fields are too many for a form."""
    assert Verb.EDIT not in controls(a_review(request=a_request(arguments={})))
    every = {f"a{n}": n for n in range(MOST_FIELDS + 1)}
    form = controls(a_review(request=a_request(arguments=every)))[Verb.EDIT].form
    assert form is not None
    (whole,) = form.fields
    assert json.loads(whole.value) == every


def test_people_are_chosen_by_name() -> None:
    """The id is what is sent."""
    asked = field(controls(a_review(), people={"ana": "Ana Ruiz", "bo": "Bo"})[Verb.HAND], "to")
    assert (asked.options, asked.required) == ((("ana", "Ana Ruiz"), ("bo", "Bo")), True)


def test_a_grave_approval_is_asked_back() -> None:
    """High risk: a question that says whether it can be undone; low risk: one press."""
    grave = controls(a_review(route=a_route(risk=RiskLevel.HIGH)))[Verb.APPROVE]
    assert grave.confirm == "Approve refund.issue? It cannot be undone."
    assert controls(a_review(route=a_route(risk=RiskLevel.LOW)))[Verb.APPROVE].confirm == ""


def request(**over: Any) -> Any:
    """A request with two sources."""
    sources = (Evidence(title="Carrier status"), Evidence(title="Line\none “two”"))
    return a_request(arguments={"order": "A-1", "a/b": 1}, evidence=sources, **over)


def test_a_change_can_be_asked_about_something() -> None:
    """An argument or a source by its name, or nothing; sent as a pointer from the request's root."""
    asked = field(controls(a_review(request=request()))[Verb.REQUEST_CHANGES], "about")
    assert asked.options == (
        ("/action/arguments/order", "Argument “order”"),
        ("/action/arguments/a~1b", "Argument “a/b”"),
        ("/evidence/0", "Evidence “Carrier status”"),
        ("/evidence/1", 'Evidence “Line one "two"”'),
    )
    assert not asked.required


def test_with_nothing_to_point_at_only_words_are_asked() -> None:
    """An empty menu would be a question nobody can answer."""
    form = controls(a_review(request=a_request(arguments={})))[Verb.REQUEST_CHANGES].form
    assert form is not None
    assert [field.name for field in form.fields] == ["reason"]


def test_the_steps_of_a_plan_can_be_pointed_at() -> None:
    """Each by what it does, before the arguments."""
    plan = a_request(arguments={"steps": ["Stop web-7", {"do": "start"}]}, review_type=ReviewType.PLAN)
    assert list(places(plan, str).items()) == [
        ("/action/arguments/steps/0", "Step 1 “Stop web-7”"),
        ("/action/arguments/steps/1", 'Step 2 “{"do": "start"}”'),
        ("/action/arguments/steps", "Argument “steps”"),
    ]


def test_a_name_that_tells_something_hidden_is_not_offered() -> None:
    """Nor are more than a menu holds."""
    assert list(places(request(), lambda text: text.replace("order", "••••"))) == [
        "/action/arguments/a~1b",
        "/evidence/0",
        "/evidence/1",
    ]
    assert len(places(a_request(arguments={f"a{n}": n for n in range(500)}), str)) == MOST_FIELDS


# --- what only some may

STOPS, BREAKS, APPEALS = (frozenset({right}) for right in (Right.STOP, Right.BREAK_GLASS, Right.APPEAL))


def _decided(status: Status, cause: Cause = Cause.HUMAN, **over: Any) -> Review:
    seat = Seat(person="ana", name="Ana", role="manager", slot=0, surface="web", at=START)
    decision = Decision(verdict=status, cause=cause, decided_at=START, revision=1, digest="", by=(seat,))
    return a_review(status=status, decision=decision, **over)


def _reader(person: str, *rights: Right) -> Person:
    return Person(id=person, name=person.title(), may=frozenset(rights))


def test_an_agent_is_stopped_with_a_reason_and_an_instruction() -> None:
    """Only where somebody has the right; the instruction may be left out; the house's own agent has nobody to stop."""
    assert Verb.STOP not in controls(a_review())
    stop = controls(a_review(), rights=STOPS)[Verb.STOP]
    assert (stop.label, field(stop, "reason").required, field(stop, "notes").required) == (
        "Stop billing-bot",
        True,
        False,
    )
    assert field(stop, "notes").label == "Instruction for its next plan"
    assert Verb.STOP not in controls(a_review(agent="desk"), rights=STOPS)
    granted = Grant(state=GrantState.OPEN, valid_until=START)
    assert Verb.STOP in controls(_decided(Status.APPROVED, grant=granted), rights=STOPS)
    assert Verb.STOP not in controls(_decided(Status.REJECTED), rights=STOPS)


def test_a_stopped_agent_is_resumed_where_it_is_held() -> None:
    """Asked back first; on a held approval as well, and by nobody without the right."""
    held = a_review(held_since=START)
    assert controls(held, rights=STOPS)[Verb.RESUME].confirm.startswith("Let billing-bot go on?")
    assert not {Verb.RESUME, Verb.STOP} & controls(held).keys()
    assert Verb.STOP not in controls(held, rights=STOPS)
    granted = Grant(state=GrantState.OPEN, valid_until=START)
    assert Verb.RESUME in controls(_decided(Status.APPROVED, grant=granted, held_since=START), rights=STOPS)


def test_the_glass_is_broken_by_one_and_observed_by_another() -> None:
    """The first must say why; who asked does not observe, nor does anybody whose own request it is."""
    asked = controls(a_review(), rights=BREAKS)[Verb.BREAK_GLASS]
    assert (asked.label, field(asked, "reason").required) == ("Break glass", True)
    glass = Glass(person="ana", name="Ana", reason="Down", surface="web", at=START, until=START)
    review = a_review(glass=glass, owners=frozenset({"own"}), principal="pri")
    seen = controls(review, rights=BREAKS, reader=_reader("bo", Right.BREAK_GLASS))[Verb.BREAK_GLASS]
    assert (seen.label, field(seen, "reason").required) == ("Observe", False)
    for barred in ("ana", "own", "pri"):
        assert Verb.BREAK_GLASS not in controls(review, rights=BREAKS, reader=_reader(barred, Right.BREAK_GLASS))


@pytest.mark.parametrize(
    "review",
    [
        a_review(held_since=START),
        a_review(about="rev_1"),
        a_review(route=a_route(tier=Tier.HUMAN_ONLY)),
        a_review(status=Status.EXPIRED),
    ],
    ids=["held", "afterwards", "human_only", "over"],
)
def test_there_is_no_glass_where_nothing_could_be_approved(review: Review) -> None:
    """A control that can only be refused is none."""
    assert Verb.BREAK_GLASS not in controls(review, rights=BREAKS)


def test_a_rejection_can_be_appealed() -> None:
    """By an owner of the agent or with the right; not by who rejected it, not twice, not what nobody rejected."""
    rejected = _decided(Status.REJECTED, owners=frozenset({"own"}))
    assert field(controls(rejected)[Verb.APPEAL], "reason").required
    assert Verb.APPEAL in controls(rejected, reader=_reader("own"))
    assert Verb.APPEAL in controls(rejected, reader=_reader("bo"), rights=APPEALS)
    assert Verb.APPEAL not in controls(rejected, reader=_reader("bo"))
    assert Verb.APPEAL not in controls(rejected, reader=_reader("ana"), rights=APPEALS)
    assert Verb.APPEAL not in controls(replace(rejected, appeal="rev_2"), rights=APPEALS)
    assert Verb.APPEAL not in controls(_decided(Status.REJECTED, Cause.POLICY), rights=APPEALS)
    assert Verb.APPEAL not in controls(_decided(Status.APPROVED), rights=APPEALS)


def test_a_plan_is_edited_by_choosing_its_steps() -> None:
    """Which the button says."""
    plan = a_request(arguments={"steps": ["Stop web-7", "Start it"]}, review_type=ReviewType.PLAN)
    assert controls(a_review(request=plan))[Verb.EDIT].label == "Choose steps"
    assert controls(a_review())[Verb.EDIT].label == "Edit"


def test_a_handoff_offers_the_answer_first() -> None:
    """The task is theirs."""
    route = a_route(allowed=(*ALL_DECISIONS, Verb.ANSWER))
    handoff = a_review(request=a_request(review_type=ReviewType.HANDOFF), route=route)
    assert tuple(controls(handoff))[:2] == (Verb.ANSWER, Verb.APPROVE)


def test_only_who_approved_undoes_it() -> None:
    """On a card that many read it stays, for one of them may have."""
    granted = _decided(Status.APPROVED, grant=Grant(state=GrantState.OPEN, valid_until=START))
    assert Verb.UNDO in controls(granted)
    assert Verb.UNDO in controls(granted, reader=_reader("ana"))
    assert Verb.UNDO not in controls(granted, reader=_reader("bo"))


def test_agents_are_stopped_and_resumed_where_no_review_is() -> None:
    """Each form asks to which; the only one there is stands in it; a menu holds a hundred, and none is none."""
    assert over_agents((), ()) is None
    both = over_agents(("a", "b"), ("c",))
    assert both is not None
    stop, resume = both.controls
    assert stop.form is not None
    assert resume.form is not None
    names = [(each.name, each.required) for each in stop.form.fields]
    assert (stop.verb, names) == (Verb.STOP, [("agent", True), ("reason", True), ("notes", False)])
    which = resume.form.fields[0]
    assert (resume.verb, which.choices, which.value, stop.form.fields[0].value) == (Verb.RESUME, ("c",), "c", "")
    many = over_agents([f"a{n}" for n in range(200)], ())
    assert many is not None
    assert [len(c.form.fields[0].choices) for c in many.controls if c.form] == [MOST_FIELDS]


def test_who_may_not_decide_has_what_would_work() -> None:
    """Escalating, commenting and their own rights; no vote, and nothing to take or hand over."""
    people = {"ana": "Ana Ruiz", "bo": "Bo"}
    glass = replace(_reader("bo", Right.BREAK_GLASS), roles=frozenset())
    seen = controls(a_review(), people=people, reader=glass, rights=glass.may)
    assert set(seen) == {Verb.ESCALATE, Verb.COMMENT, Verb.BREAK_GLASS}
    asked = a_review(status=Status.CHANGES_REQUESTED)
    assert set(controls(asked, reader=glass)) == {Verb.COMMENT}
    assert set(controls(a_review(), hides=True, reader=glass, acts=False)) == set()


def test_who_gave_their_yes_is_not_asked_for_it_again() -> None:
    """Nor is who is not to come yet; both may still say no."""
    turns = a_route(tier=Tier.DUAL, needs=(Need(role="manager"), Need(role="security")), order=Order.SEQUENCE)
    ana, bo = _person("ana", "manager"), _person("bo", "security")
    review = a_review(route=turns)
    assert Verb.APPROVE in controls(review, reader=ana)
    assert not {Verb.APPROVE} & set(controls(review, reader=bo))
    voted = replace(review, votes=(_yes("ana", 0),))
    assert Verb.APPROVE in controls(voted, reader=bo)
    assert Verb.APPROVE not in controls(voted, reader=ana)
    assert Verb.REJECT in controls(voted, reader=ana)


def test_an_approval_is_revoked_by_who_is_senior_enough() -> None:
    """As far as the house knows the level it takes."""
    granted = _decided(Status.APPROVED, grant=Grant(state=GrantState.OPEN, valid_until=START))
    bo = replace(_person("bo", "manager"), level=2)
    assert Verb.REVOKE in controls(granted, reader=bo, senior=2)
    assert Verb.REVOKE not in controls(granted, reader=bo, senior=3)
    assert Verb.REVOKE in controls(granted, senior=3)


def _person(name: str, role: str) -> Person:
    return Person(id=name, name=name, roles=frozenset({role}))


def _yes(person: str, slot: int) -> Vote:
    return Vote(person=person, name=person, verb=Verb.APPROVE, revision=1, at=START, surface="web", slots=(slot,))
