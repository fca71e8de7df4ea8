"""The controls of a card: which ones it has as the review stands, what each asks first. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from reviews import eligibility
from reviews.card import Actions, Control, Form, Go, Input, Kind, Way
from reviews.eligibility import Barred
from reviews.forms import ARGUMENTS, edit_form, in_one
from reviews.lifecycle import Phase, phase
from reviews.model import Cause, Request, Review, Right, RiskLevel, Status, Tier, Verb
from reviews.plan import steps_of
from reviews.redact import MASK, join
from reviews.status import DESK
from reviews.surroundings import Surroundings
from reviews.values import replace
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
    Verb.APPEAL: (
        "Appeal",
        "",
        "",
        Input(name="reason", label="Why is the rejection wrong?", kind=Kind.MULTILINE, required=True),
    ),
}
_STOPPING = "Everything {} asked for and will ask for is held, and no approval of it can be used."
_REASON = Input(name="reason", label="Why?", required=True)
_INSTRUCTION = Input(
    name="notes",
    label="Instruction for its next plan",
    kind=Kind.MULTILINE,
    hint="The agent is sent this with the news that it was stopped.",
)


def over_agents(going: Sequence[str], stopped: Sequence[str]) -> Actions | None:
    """What may be done to agents where no review of theirs is: each form asks to which. None where there is no agent.

    Where there are more than a menu holds, the others are named in the typed command.
    """
    made = (
        _over(Verb.STOP, "Stop an agent", "danger", going, _STOPPING.format("it"), (_REASON, _INSTRUCTION)),
        _over(Verb.RESUME, "Resume an agent", "", stopped, "It goes on, and so does everything it waits for.", ()),
    )
    controls = tuple(control for control in made if control is not None)
    return Actions(controls=controls) if controls else None


def _over(
    verb: Verb, label: str, style: str, agents: Sequence[str], intro: str, more: tuple[Input, ...]
) -> Control | None:
    names = tuple(agents[:MOST_FIELDS])
    only = names[0] if len(names) == 1 else ""
    which = Input(name="agent", label="Which one?", kind=Kind.CHOICE, choices=names, value=only, required=True)
    form = Form(fields=(which, *more), submit=label.replace("an agent", "it"), intro=intro)
    return Control(verb=verb, label=label, style=style, form=form) if names else None


_NOTHING = Surroundings()


def places(request: Request, say: Callable[[str], str]) -> dict[str, str]:
    """What a request for changes can point at, by JSON Pointer from the request's root, each with its name.

    The steps of a plan, the arguments, the evidence; what would tell something hidden by its name is left out.
    """
    named = {pointer: f"{kind} {quoted(say(name), _NAME)}" for pointer, kind, name in _places(request)}
    return dict(islice(((at, name) for at, name in named.items() if MASK not in name), MOST_FIELDS))


def _places(request: Request) -> Iterator[tuple[str, str, str]]:
    every = request.action.arguments
    for at, step in enumerate(steps_of(request)):
        yield f"{ARGUMENTS}/steps/{at}", f"Step {at + 1}", words(step)
    for name in every:
        yield ARGUMENTS + join(name), "Argument", name
    for at, source in enumerate(request.evidence):
        yield f"/evidence/{at}", "Evidence", source.title


class Controls:
    """The controls of one review. `people` (id to name) are those it may be handed to; `say` hides and cleans."""

    def __init__(
        self,
        review: Review,
        say: Callable[[str], str],
        people: Mapping[str, str],
        around: Surroundings = _NOTHING,
        *,
        hides: bool,
    ) -> None:
        self._review, self._say, self._people, self._around, self._hides = review, say, people, around, hides

    def block(self) -> Actions:
        """The buttons as the review stands."""
        controls, rare = self._now()
        return Actions(controls=controls, overflow=(*self._rare(*rare), *self._grave()), ways=tuple(self._ways()))

    def _ways(self) -> Iterator[Way]:
        yield Way(go=Go.HISTORY, label="History", value=self._review.id)
        if (origin := self._around.origin) is not None:
            yield Way(go=Go.OPEN, label=f"Open #{origin.review.seq}", value=origin.review.id)
        if self._review.appeal is not None:
            yield Way(go=Go.OPEN, label="Open the appeal", value=self._review.appeal)

    def _now(self) -> tuple[tuple[Control, ...], tuple[Verb, ...]]:
        match phase(self._review):
            case Phase.PENDING if not self._review.held:
                return self._pending(), (Verb.TAKE, Verb.HAND, Verb.COMMENT, Verb.REVEAL)
            case Phase.PENDING | Phase.CHANGES_REQUESTED:
                return (self._reject(),) if self._decides() else (), (Verb.COMMENT, Verb.REVEAL)
            case Phase.GRANTED:
                return (), (Verb.UNDO, Verb.REVOKE, Verb.COMMENT, Verb.REVEAL)
            case _ if self._appealable():
                return (), (Verb.APPEAL, Verb.COMMENT, Verb.REVEAL)
            case _:
                return (), (Verb.COMMENT, Verb.REVEAL)

    def _decides(self) -> bool:
        """Whether its reader may decide it; where many read it, somebody may."""
        reader = self._around.reader
        return reader is None or not isinstance(eligibility.standing(self._review, reader), Barred)

    def _pending(self) -> tuple[Control, ...]:
        controls = list(self._votes()) if self._decides() else []
        if self._around.acts:
            question = "Call the next person on the chain now?"
            controls.append(Control(verb=Verb.ESCALATE, label="Escalate", confirm=question))
        return tuple(controls)

    def _votes(self) -> list[Control]:
        allowed, beforehand = eligibility.allowed(self._review), not self._review.afterwards
        reader, controls = self._around.reader, list[Control]()
        if Verb.ANSWER in allowed:
            controls.append(self._answer())
        if Verb.APPROVE in allowed and (reader is None or eligibility.adds(self._review, reader)):
            controls.append(self._approve())
        controls.append(self._reject())
        if Verb.EDIT in allowed and beforehand:
            controls += self._edit()
        if Verb.REQUEST_CHANGES in allowed and beforehand:
            controls.append(self._request_changes())
        return controls

    def _approve(self) -> Control:
        route = self._review.route
        undone = "can" if route.reversible else "cannot"
        question = f"Approve {self._review.request.action.name}? It {undone} be undone."
        label = "Confirm" if route.tier is Tier.CONFIRM else "Agree" if self._review.afterwards else "Approve"
        grave = route.risk.rank >= RiskLevel.HIGH.rank
        return Control(verb=Verb.APPROVE, label=label, style="primary", confirm=question if grave else "")

    def _reject(self) -> Control:
        reason = Input(name="reason", label="Why?", choices=self._review.route.reasons, kind=Kind.TEXT)
        label = "Disagree" if self._review.afterwards else "Reject"
        return Control(verb=Verb.REJECT, label=label, style="danger", form=Form(fields=(reason,), submit=label))

    def _answer(self) -> Control:
        done = Input(name="notes", label="What did you do?", kind=Kind.MULTILINE, required=True)
        form = Form(fields=(done,), submit="Hand back")
        return Control(verb=Verb.ANSWER, label="I did it", style="primary", form=form)

    def _edit(self) -> Iterator[Control]:
        form = edit_form(self._review, self._say)
        if form.fields:
            fits = form if len(form.fields) <= MOST_FIELDS else in_one(form)
            yield Control(verb=Verb.EDIT, label="Choose steps" if form.whole is not None else "Edit", form=fits)

    def _request_changes(self) -> Control:
        ask = Input(name="reason", label="What should be changed?", kind=Kind.MULTILINE, required=True)
        at = places(self._review.request, self._say)
        mark = Input(name="about", label="Which part", kind=Kind.CHOICE, choices=tuple(at), labels=tuple(at.values()))
        form = Form(fields=(ask, mark) if at else (ask,), submit="Ask for changes")
        return Control(verb=Verb.REQUEST_CHANGES, label="Request changes", form=form)

    def _rare(self, *verbs: Verb) -> tuple[Control, ...]:
        reader = self._around.reader
        unwanted = set() if self._hides else {Verb.REVEAL}
        # Who alone may decide could hand it over to themselves only.
        unwanted |= set() if len(self._people) > 1 else {Verb.HAND}
        unwanted |= set() if self._voted() else {Verb.UNDO}
        unwanted |= set() if self._decides() else {Verb.TAKE, Verb.HAND}
        unwanted |= set() if self._around.acts else {Verb.COMMENT, Verb.REVEAL, Verb.REVOKE, Verb.TAKE}
        unwanted |= set() if reader is None or reader.level >= self._around.senior else {Verb.REVOKE}
        return tuple(self._rare_one(verb) for verb in verbs if verb not in unwanted)

    def _voted(self) -> bool:
        """Whether its reader may take an approval back as their own."""
        decision, reader = self._review.decision, self._around.reader
        return reader is None or decision is None or reader.id in {seat.person for seat in decision.by}

    def _rare_one(self, verb: Verb) -> Control:
        label, style, confirm, asked = _RARE[verb]
        if verb is Verb.HAND:
            ids, names = tuple(self._people), tuple(self._people.values())
            asked = Input(name="to", label="Whom?", kind=Kind.CHOICE, choices=ids, labels=names, required=True)
        form = Form(fields=(asked,), submit=label) if asked else None
        return Control(verb=verb, label=label, style=style, confirm=confirm, form=form)

    # ---------------------------------------------------------------------------- what only some may

    def _appealable(self) -> bool:
        """Whether a person rejected it, and its reader, or somebody, may have somebody more senior look again."""
        review, reader, decision = self._review, self._around.reader, self._review.decision
        if review.status is not Status.REJECTED or decision is None or decision.cause is not Cause.HUMAN:
            return False
        said = review.excluded | {seat.person for seat in decision.by}
        if review.afterwards or review.appeal is not None or (reader and reader.id in said):
            return False
        owns = reader.id in review.owners if reader else bool(review.owners)
        return owns or Right.APPEAL in self._around.rights

    def _grave(self) -> Iterator[Control]:
        """An emergency approval, and what is done to the agent as a whole."""
        if Right.BREAK_GLASS in self._around.rights and self._may_break():
            yield self._glass()
        if Right.STOP in self._around.rights and self._review.agent != DESK:
            if self._review.held:
                question = f"Let {self._review.agent} go on? Everything it waits for goes on with it."
                yield Control(verb=Verb.RESUME, label=f"Resume {self._review.agent}", confirm=question)
            elif phase(self._review) is not Phase.OVER:
                yield self._stop()

    def _may_break(self) -> bool:
        review, reader = self._review, self._around.reader
        if review.status.over or review.held or review.afterwards or Verb.APPROVE not in eligibility.allowed(review):
            return False
        asked = {review.glass.person} if review.glass else set()
        barred = {*review.owners, review.principal, *review.named, *review.excluded, *asked}
        return reader is None or reader.id not in barred

    def _glass(self) -> Control:
        glass = self._review.glass
        if glass is None:
            label, intro = "Break glass", "An emergency: a second person must observe it, and everybody is told."
        else:
            label = "Observe"
            intro = (
                f"{glass.name} asks to break the glass. Observing it before {glass.until:%H:%M} UTC approves this at "
                "once, in both your names; after that yours is the first request."
            )
        asked = replace(_REASON, required=glass is None)
        form = Form(fields=(asked,), submit=label, intro=intro)
        return Control(verb=Verb.BREAK_GLASS, label=label, style="danger", form=form)

    def _stop(self) -> Control:
        agent = self._review.agent
        form = Form(fields=(_REASON, _INSTRUCTION), submit="Stop it", intro=_STOPPING.format(agent))
        return Control(verb=Verb.STOP, label=f"Stop {agent}", style="danger", form=form)
