"""The steps of a plan: which may be left out, and the plan that is left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reviews import plan
from reviews.events import Answer, Edited, Interaction, Transition
from reviews.filled import Faults, interaction
from reviews.forms import edit_form, merged
from reviews.lifecycle import decide
from reviews.model import Identity, Object, Review, ReviewType, Schedule, Status, Verb
from reviews.present import present
from reviews.surroundings import Surroundings
from reviews.values import replace
from tests.fakes.builders import START, a_proposal, a_request, a_review, a_route
from tests.reviews.builders import ANA, by

STEPS = ["Drain web-7", {"do": "stop", "host": "web-7"}, "Delete its disk"]


def a_plan(steps: list[Any] | None = None, sensitive: tuple[str, ...] = (), **arguments: Any) -> Review:
    """A plan of three steps."""
    request = a_request(
        name="plan.run",
        review_type=ReviewType.PLAN,
        arguments={"steps": steps or STEPS, **arguments},
        sensitive=sensitive,
    )
    return a_review(request=request, route=a_route(sensitive=sensitive))


def fill(review: Review, *left_out: int, **values: str) -> Object | dict[str, str]:
    """The complete arguments after a form with some steps left out; else its faults."""
    card = present(review, Surroundings())
    form = edit_form(review, str)
    typed = {field.name: field.value for field in form.fields}
    typed |= {f"/steps/{at}": "false" for at in left_out} | values
    bare = Interaction(verb=Verb.EDIT, identity=Identity(surface="web", id="ana"), review=review.id, revision=1)
    made = interaction(bare, card, typed)
    if isinstance(made, Faults):
        return made.errors
    return merged(review, made.arguments or {})


def test_each_step_is_a_box_ticked_beforehand() -> None:
    """By what it does, in the agent's words; other arguments are asked as ever."""
    form = edit_form(a_plan(budget=3), str)
    assert [(field.name, field.label, field.value) for field in form.fields] == [
        ("/steps/0", "Step 1 “Drain web-7”", "true"),
        ("/steps/1", 'Step 2 “{"do": "stop", "host": "web-7"}”', "true"),
        ("/steps/2", "Step 3 “Delete its disk”", "true"),
        ("/budget", "budget", "3"),
    ]
    assert form.whole is not None
    assert form.whole.name == ""


def test_what_is_left_out_is_dropped() -> None:
    """The others stay as they were, in their order; so do other arguments, unless they were changed."""
    assert fill(a_plan(budget=3), 2) == {"steps": STEPS[:2], "budget": 3}
    assert fill(a_plan(budget=3), 0, **{"/budget": "2"}) == {"steps": STEPS[1:], "budget": 2}


def test_no_step_at_all_is_a_fault() -> None:
    """Said at the first."""
    assert fill(a_plan(), 0, 1, 2) == {"/steps/0": "Tick at least one step, or reject the plan."}


def test_a_step_that_was_not_answered_is_a_fault() -> None:
    """Whether it is to be done is not guessed."""
    assert fill(a_plan(), **{"/steps/1": ""}) == {"/steps/1": "This is needed."}


def _edited(review: Review, arguments: Object) -> Edited:
    request = replace(review.request, action=replace(review.request.action, arguments=arguments))
    proposal = a_proposal(request=request, route=review.route, revision=2)
    schedule = Schedule(rungs=(START, START), deadline_at=START + timedelta(hours=1))
    return by(Edited, ANA, proposal=proposal, schedule=schedule)


def test_all_of_them_approve_the_plan_as_it_is() -> None:
    """The same digest: no new revision; with one left out it is an edit and its approval."""
    whole, less = a_plan(), a_plan()
    done: Transition = decide(whole, _edited(whole, dict(fill(whole))))
    assert (done.answer, done.review.revision, done.review.status) == (Answer.DONE, 1, Status.APPROVED)
    done = decide(less, _edited(less, dict(fill(less, 2))))
    assert (done.review.revision, done.review.status) == (2, Status.APPROVED)
    assert done.review.request.action.arguments["steps"] == STEPS[:2]


@pytest.mark.parametrize("pointer", ["/action/arguments/steps/1", "/action/arguments/steps/1/host"])
def test_a_hidden_step_and_those_before_it_are_kept(pointer: str) -> None:
    """They are named by their place: a step before them left out, another one would be hidden, and this one shown."""
    review = a_plan(sensitive=(pointer,))
    form = edit_form(review, str)
    assert [field.name for field in form.fields] == ["/steps/2"]
    assert "The first 2 are kept" in form.intro
    assert fill(review, 2) == {"steps": STEPS[:2]}
    assert merged(review, {"steps": {"0": False, "1": False, "2": True}}) == {"steps": STEPS}


def test_a_plan_hidden_as_a_whole_is_edited_as_ever() -> None:
    """There is nothing to choose from."""
    form = edit_form(a_plan(sensitive=("/action/arguments/steps",)), str)
    assert [(field.name, field.locked) for field in form.fields] == [("/steps", True)]


def test_a_plan_of_many_steps_is_one_text() -> None:
    """A surface holds no more fields; the text is a list as ever."""
    review = a_plan(steps=[f"Step {n}" for n in range(plan.MOST + 1)])
    assert [field.name for field in edit_form(review, str).fields] == ["/steps"]
    assert merged(review, {"steps": ["Step 3"]}) == {"steps": ["Step 3"]}


def test_other_requests_have_no_steps() -> None:
    """An argument of that name is none."""
    review = a_review(request=a_request(arguments={"steps": STEPS}))
    assert [field.name for field in edit_form(review, str).fields] == ["/steps"]
    assert merged(review, {"steps": {"0": False}}) == {"steps": {"0": False}}
