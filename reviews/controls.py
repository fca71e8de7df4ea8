"""The controls of a card: which ones it has as the review stands, what each asks first. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from reviews import eligibility
from reviews.card import Actions, Control, Form, Go, Input, Kind, Way
from reviews.forms import ARGUMENTS, edit_form, in_one
from reviews.lifecycle import Phase, phase
from reviews.model import Request, Review, ReviewType, RiskLevel, Tier, Verb
from reviews.redact import MASK, join
from reviews.status import afterwards
from reviews.words import quoted, words

#: An edit form has at most so many fields, else one for all; a menu so many lines: Slack's hold no more.
MOST_FIELDS = 100
_NAME = 60

_WHY_SEE = Input(name="reason", label="Why do you need to see it? This is logged.", required=True)
#: Controls used rarely: label, style, question asked first, what is filled in first.
_RARE: dict[Verb, tuple[str, str, str, Input | None]] = {
    Verb.TAKE: ("Take it", "", "", None),
    Verb.HAND: ("Hand over", "", "", None),
    Verb.COMMENT: ("Comment", "", "", Input(name="reason", label="Comment", kind=Kind.MULTILINE, required=True)),
    Verb.REVEAL: ("Show redacted", "", "", _WHY_SEE),
    Verb.UNDO: ("Undo my approval", "", "Take your approval back?", None),
    Verb.REVOKE: ("Revoke", "danger", "", Input(name="reason", label="Why?", required=True)),
}


def places(request: Request, say: Callable[[str], str]) -> dict[str, str]:
    """What a request for changes can point at, by JSON Pointer from the request's root, each with its name.

    The steps of a plan, the arguments, the evidence; what would tell something hidden by its name is left out.
    """
    named = {pointer: f"{kind} {quoted(say(name), _NAME)}" for pointer, kind, name in _places(request)}
    return dict(islice(((at, name) for at, name in named.items() if MASK not in name), MOST_FIELDS))


def _places(request: Request) -> Iterator[tuple[str, str, str]]:
    every = request.action.arguments
    steps = every.get("steps") if request.review_type is ReviewType.PLAN else None
    for at, step in enumerate(steps if isinstance(steps, list) else ()):
        yield f"{ARGUMENTS}/steps/{at}", f"Step {at + 1}", words(step)
    for name in every:
        yield ARGUMENTS + join(name), "Argument", name
    for at, source in enumerate(request.evidence):
        yield f"/evidence/{at}", "Evidence", source.title


class Controls:
    """The controls of one review. `people` (id to name) are those it may be handed to; `say` hides and cleans."""

    def __init__(self, review: Review, say: Callable[[str], str], people: Mapping[str, str], *, hides: bool) -> None:
        self._review, self._say, self._people, self._hides = review, say, people, hides

    def block(self) -> Actions:
        """The buttons as the review stands."""
        controls, rare = self._now()
        history = Way(go=Go.HISTORY, label="History", value=self._review.id)
        return Actions(controls=controls, overflow=self._rare(*rare), ways=(history,))

    def _now(self) -> tuple[tuple[Control, ...], tuple[Verb, ...]]:
        match phase(self._review):
            case Phase.PENDING if not self._review.held:
                return self._pending(), (Verb.TAKE, Verb.HAND, Verb.COMMENT, Verb.REVEAL)
            case Phase.PENDING | Phase.CHANGES_REQUESTED:
                return (self._reject(),), (Verb.COMMENT, Verb.REVEAL)
            case Phase.GRANTED:
                return (), (Verb.UNDO, Verb.REVOKE, Verb.COMMENT, Verb.REVEAL)
            case _:
                return (), (Verb.COMMENT, Verb.REVEAL)

    def _pending(self) -> tuple[Control, ...]:
        allowed, beforehand = eligibility.allowed(self._review), not afterwards(self._review)
        controls: list[Control] = []
        if Verb.APPROVE in allowed:
            controls.append(self._approve())
        if Verb.ANSWER in allowed:
            controls.append(self._answer())
        controls.append(self._reject())
        if Verb.EDIT in allowed and beforehand:
            controls += self._edit()
        if Verb.REQUEST_CHANGES in allowed and beforehand:
            controls.append(self._request_changes())
        controls.append(Control(verb=Verb.ESCALATE, label="Escalate", confirm="Call the next person on the chain now?"))
        return tuple(controls)

    def _approve(self) -> Control:
        route = self._review.route
        undone = "can" if route.reversible else "cannot"
        question = f"Approve {self._review.request.action.name}? It {undone} be undone."
        label = "Confirm" if route.tier is Tier.CONFIRM else "Agree" if afterwards(self._review) else "Approve"
        grave = route.risk.rank >= RiskLevel.HIGH.rank
        return Control(verb=Verb.APPROVE, label=label, style="primary", confirm=question if grave else "")

    def _reject(self) -> Control:
        reason = Input(name="reason", label="Why?", choices=self._review.route.reasons, kind=Kind.TEXT)
        label = "Disagree" if afterwards(self._review) else "Reject"
        return Control(verb=Verb.REJECT, label=label, style="danger", form=Form(fields=(reason,), submit=label))

    def _answer(self) -> Control:
        done = Input(name="notes", label="What did you do?", kind=Kind.MULTILINE, required=True)
        form = Form(fields=(done,), submit="Hand back")
        return Control(verb=Verb.ANSWER, label="I did it", style="primary", form=form)

    def _edit(self) -> Iterator[Control]:
        form = edit_form(self._review, self._say)
        if form.fields:
            fits = form if len(form.fields) <= MOST_FIELDS else in_one(form)
            yield Control(verb=Verb.EDIT, label="Edit", form=fits)

    def _request_changes(self) -> Control:
        ask = Input(name="reason", label="What should be changed?", kind=Kind.MULTILINE, required=True)
        at = places(self._review.request, self._say)
        mark = Input(name="about", label="Which part", kind=Kind.CHOICE, choices=tuple(at), labels=tuple(at.values()))
        form = Form(fields=(ask, mark) if at else (ask,), submit="Ask for changes")
        return Control(verb=Verb.REQUEST_CHANGES, label="Request changes", form=form)

    def _rare(self, *verbs: Verb) -> tuple[Control, ...]:
        unwanted = set() if self._hides else {Verb.REVEAL}
        # Who alone may decide could hand it over to themselves only.
        unwanted |= set() if len(self._people) > 1 else {Verb.HAND}
        return tuple(self._rare_one(verb) for verb in verbs if verb not in unwanted)

    def _rare_one(self, verb: Verb) -> Control:
        label, style, confirm, asked = _RARE[verb]
        if verb is Verb.HAND:
            ids, names = tuple(self._people), tuple(self._people.values())
            asked = Input(name="to", label="Whom?", kind=Kind.CHOICE, choices=ids, labels=names, required=True)
        form = Form(fields=(asked,), submit=label) if asked else None
        return Control(verb=verb, label=label, style=style, confirm=confirm, form=form)
