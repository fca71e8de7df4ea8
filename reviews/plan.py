"""The steps of a plan, ticked one by one: the fields they are asked with, and the plan that is left. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reviews.card import Input, Kind
from reviews.model import Object, Request, Review, ReviewType
from reviews.redact import covers, scrubber
from reviews.words import quoted, words

#: A form has at most so many fields, steps and other arguments together: Slack's hold no more. Else it is in one.
MOST = 95
_STEPS = "/action/arguments/steps"
_STEP = re.compile(r"/steps/(\d{1,6})")
_LABEL = 300
_NONE = "Tick at least one step, or reject the plan."


def steps_of(request: Request) -> list[Any]:
    """The steps of a plan; none for another request."""
    steps = request.action.arguments.get("steps")
    return steps if request.review_type is ReviewType.PLAN and isinstance(steps, list) else []


def fields(review: Review, say: Callable[[str], str]) -> tuple[Input, ...]:
    """A field for each step that may be left out, ticked. `say` hides and cleans."""
    first = _kept(review)
    return tuple(
        Input(
            name=f"/steps/{at}",
            label=f"Step {at + 1} {quoted(say(words(step)), _LABEL)}",
            kind=Kind.BOOLEAN,
            value="true",
            required=True,
        )
        for at, step in enumerate(steps_of(review.request))
        if at >= first
    )


def intro(review: Review) -> str:
    """What is said above the steps."""
    kept = _kept(review)
    hidden = f" The first {kept} are kept, for something in them is hidden." if kept else ""
    return f"What is left out makes a new revision, checked again; all of them approves the plan as it is.{hidden}"


def chosen(review: Review, given: Object) -> Object:
    """The arguments given, the steps that were ticked (`{"0": true, "1": false}`) in their place as a list again."""
    ticked = given.get("steps")
    if not isinstance(ticked, dict) or not steps_of(review.request):
        return given
    first = _kept(review)
    every = enumerate(steps_of(review.request))
    return {**given, "steps": [step for at, step in every if at < first or ticked.get(str(at)) is True]}


def none_ticked(asked: Iterable[Input], arguments: Mapping[str, Any]) -> dict[str, str]:
    """The fault of a form that leaves no step, by field. `arguments` are as they were given, not put together yet."""
    names = [field.name for field in asked if field.kind is Kind.BOOLEAN and _STEP.fullmatch(field.name)]
    ticked = arguments.get("steps")
    if not names or names[0] != "/steps/0" or not isinstance(ticked, dict):
        return {}
    return {} if any(ticked.values()) else {names[0]: _NONE}


def _kept(review: Review) -> int:
    """How many steps, from the first, are always kept: up to the last that holds something hidden.

    What is hidden is named by its place: were a step before it left out, another one would be hidden instead.
    """
    sensitive = review.route.sensitive
    if not sensitive:
        return 0
    hide = scrubber(review.request, sensitive, review.original)
    hidden = [
        at
        for at, step in enumerate(steps_of(review.request))
        if _sensitive(f"{_STEPS}/{at}", sensitive) or hide(words(step)) != words(step)
    ]
    return hidden[-1] + 1 if hidden else 0


def _sensitive(pointer: str, sensitive: tuple[str, ...]) -> bool:
    return covers(sensitive, pointer) or any(hidden.startswith(pointer + "/") for hidden in sensitive)
