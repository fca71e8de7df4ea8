"""What can be pressed, and what it asks first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviews.card import Control, Go, Input, Kind, Way
from reviews.controls import MOST_FIELDS, Controls, places
from reviews.model import Evidence, Review, ReviewType, RiskLevel, Status, Verb
from tests.fakes.builders import a_request, a_review, a_route

EVERY = (Verb.APPROVE, Verb.REJECT, Verb.EDIT, Verb.REQUEST_CHANGES, Verb.ESCALATE)


def controls(review: Review, *, hides: bool = False, people: dict[str, str] | None = None) -> dict[Verb, Control]:
    """The controls of a review by verb."""
    block = Controls(review, str, people or {}, hides=hides).block()
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
