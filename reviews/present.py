"""From a review to the card people see: one place for the wording of every surface. No I/O, no clock.

Everything is plain text and already redacted. What an agent wrote carries `Voice.AGENT`; only what is written in
this file speaks as the house. Instants are absolute, so that a card's digest depends on the review alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from reviews import eligibility, redact
from reviews.card import (
    Actions,
    Block,
    Callout,
    Card,
    Control,
    Diff,
    Difference,
    Evidence,
    Fact,
    Facts,
    Form,
    Happening,
    Input,
    Kind,
    Snippet,
    Style,
    Table,
    Text,
    Timeline,
    Tone,
    Voice,
)
from reviews.forms import ARGUMENTS, edit_form
from reviews.lifecycle import Phase, phase, sentence
from reviews.model import Cause, GrantState, Review, ReviewType, RiskLevel, Status, Tier, Verb

_TITLE = 160
_VALUE = 600
_STRONGEST = 2
#: Arguments named in a title that has no summary, and those a card shows at most.
_FIRST = 3
_MOST_FACTS = 100
#: Characters that could make a text read otherwise than it is written: controls, bidi overrides, zero widths.
_TRICKS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)

_TONES = {
    Status.PENDING: Tone.ATTENTION,
    Status.CHANGES_REQUESTED: Tone.NEUTRAL,
    Status.APPROVED: Tone.SUCCESS,
    Status.REJECTED: Tone.DANGER,
    Status.ANSWERED: Tone.SUCCESS,
    Status.EXPIRED: Tone.MUTED,
    Status.WITHDRAWN: Tone.MUTED,
}
_RISK_TONE = {RiskLevel.HIGH: Tone.DANGER, RiskLevel.CRITICAL: Tone.DANGER}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier review of the same subject and action, in a line."""

    when: str
    what: str
    came_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a card shows besides its review.

    `link` is the full page. `revealed` shows what is redacted (the caller has checked and logged it). `names` maps
    person ids to names; `people` are those a review may be handed to.
    """

    link: str = ""
    timeline: tuple[Happening, ...] = ()
    history: tuple[Earlier, ...] = ()
    names: dict[str, str] | None = None
    people: tuple[str, ...] = ()
    revealed: bool = False


def clean(text: str) -> str:
    """A text with no character that hides, reverses or reorders others."""
    return _TRICKS.sub("\ufffd", text)


def present(review: Review, around: Surroundings) -> Card:
    """The card of a review as it stands."""
    draft = _Draft(review, around)
    blocks = draft.blocks()
    title = draft.title()
    return Card(
        review=review.id,
        revision=review.revision,
        version=review.version,
        title=title,
        tone=_tone(review),
        status=status_word(review),
        fallback=f"{status_word(review)}: {title} ({review.route.risk} risk, asked by {review.agent})",
        blocks=blocks,
        thread=draft.thread(),
        link=around.link,
        digest=_digest(review.revision, title, blocks),
        over=review.status.over,
    )


def title_of(review: Review) -> str:
    """What would happen, in a line: a card's title without the rest of the card."""
    return _Draft(review, Surroundings()).title()


def status_word(review: Review) -> str:
    """The status in a word or three, for pills and notifications."""
    if review.held:
        return "On hold"
    if review.status is Status.PENDING:
        return "Feedback wanted" if _afterwards(review) else "Review needed"
    if review.status is Status.APPROVED and review.decision is not None:
        state = review.grant.state if review.grant else None
        if review.decision.cause is Cause.BREAK_GLASS:
            return "Approved (glass broken)"
        return f"Approval {state}" if state in (GrantState.REVOKED, GrantState.LAPSED) else "Approved"
    return review.status.replace("_", " ").capitalize()


def _tone(review: Review) -> Tone:
    if review.held:
        return Tone.MUTED
    if review.status is Status.PENDING:
        return _RISK_TONE.get(review.route.risk, Tone.ATTENTION)
    if review.grant is not None and review.grant.state in (GrantState.REVOKED, GrantState.LAPSED):
        return Tone.MUTED
    return _TONES[review.status]


def _afterwards(review: Review) -> bool:
    return review.request.review_type is ReviewType.FEEDBACK or review.about is not None


def _digest(revision: int, title: str, blocks: Sequence[Block]) -> str:
    """What was shown, as a hex SHA-256: the repr of frozen values is the same for the same card."""
    return hashlib.sha256(repr((revision, title, blocks)).encode()).hexdigest()


class _Draft:
    """One card in the making: the review, what surrounds it, and the hiding of what is sensitive."""

    def __init__(self, review: Review, around: Surroundings) -> None:
        self.review, self.around = review, around
        self.request, self.route = review.request, review.route
        self.hidden = () if around.revealed else self.route.sensitive
        scrub = redact.scrubber(self.request, self.hidden, review.original)
        self.say: Callable[[str], str] = lambda text: clean(scrub(text))

    def title(self) -> str:
        """What would happen, in a line: the action, and the agent's summary of it."""
        action = self.request.action
        words = self.request.summary or self.request.subject or ", ".join(f.value for f in self._arguments(_FIRST))
        return f"{clean(action.name)}: {self._quoted(words)}" if words else clean(action.name)

    def _quoted(self, words: str) -> str:
        """An agent's words inside a line of the house: one line, short, in quotation marks that cannot be closed."""
        line = " ".join(self.say(words).split()).replace("“", '"').replace("”", '"')
        return f"“{line if len(line) <= _TITLE else line[: _TITLE - 1] + '…'}”"

    def blocks(self) -> tuple[Block, ...]:
        """The compact card, in the order a person reads it."""
        parts: list[Block | None] = [
            self._standing(),
            self._preview(),
            self._essentials(),
            self._difference(),
            Facts(items=self._arguments(), title="Arguments", voice=Voice.AGENT) if self._arguments() else None,
            self._steps(),
            *self._why(),
            self._evidence(_STRONGEST),
            Callout(text=clean(self.route.guide), title="Guide") if self.route.guide else None,
            self._controls(),
        ]
        return tuple(part for part in parts if part is not None)

    def thread(self) -> tuple[Block, ...]:
        """The long parts: conversation, all evidence, alternatives, history, comments, timeline."""
        context = self.request.context
        parts: list[Block | None] = [
            self._list("The agent's reasoning", context.reasoning[1:]),
            self._conversation(),
            self._list("Already attempted", context.attempted),
            self._quote("What failed", context.failure),
            self._context_facts(),
            self._list("Policy text the agent cites", context.policy),
            self._list("Alternatives considered", context.alternatives),
            self._validation(),
            self._evidence(None) if len(self.request.evidence) > _STRONGEST else None,
            self._changes(),
            self._comments(),
            self._history(),
            Timeline(items=self.around.timeline) if self.around.timeline else None,
        ]
        return tuple(part for part in parts if part is not None)

    # ---------------------------------------------------------------------------- compact parts

    def _standing(self) -> Block | None:
        review = self.review
        if review.held:
            return Callout(
                text=f"{review.agent} is stopped. Nothing can be granted until it is resumed.", tone=Tone.MUTED
            )
        if review.status is Status.CHANGES_REQUESTED:
            asked = review.changes[-1]
            text = f"{asked.name} asked: {self.say(asked.text)}"
            return Callout(text=text, title=sentence(review), voice=Voice.PERSON)
        if review.decision is None:
            return self._partly()
        reason = f" Reason: {self.say(review.decision.reason)}" if review.decision.reason else ""
        return Callout(text=f"{sentence(review)}{reason}", tone=_tone(review), title=status_word(review))

    def _partly(self) -> Block | None:
        votes = [v for v in self.review.votes_now() if v.verb is Verb.APPROVE]
        if self.review.owner:
            name = (self.around.names or {}).get(self.review.owner, self.review.owner)
            return Callout(text=f"{name} has this in hand.")
        if not votes:
            return None
        who = " and ".join(v.name for v in votes)
        return Callout(text=f"Approved so far by {who}. Still needed: {eligibility.needed(self.review)}.")

    def _preview(self) -> Block | None:
        preview = self.request.action.preview
        return Text(text=self.say(preview), style=Style.QUOTE, voice=Voice.AGENT) if preview else None

    def _essentials(self) -> Block:
        route, request, review = self.route, self.request, self.review
        back = "can be undone" if route.reversible else "cannot be undone"
        facts = [Fact(label="Risk", value=f"{route.risk.capitalize()}, {back}")]
        if request.confidence is not None:
            facts.append(Fact(label="Agent's confidence", value=f"{request.confidence:.0%}"))
        facts.append(Fact(label="Asked by", value=self._asker()))
        if request.subject:
            facts.append(Fact(label="About", value=self._quoted(request.subject)))
        if review.status is Status.PENDING and not review.held:
            facts += self._waiting()
        if route.explanation:
            facts.append(Fact(label="Why it came here", value=clean(route.explanation)))
        return Facts(items=tuple(facts))

    def _waiting(self) -> list[Fact]:
        deadline = self.review.ladder.schedule.deadline_at
        silence = "it expires and the agent is told that nobody decided"
        if _afterwards(self.review):
            silence = "nothing is undone; it expires without a verdict"
        return [
            Fact(label="Needed", value=eligibility.needed(self.review)),
            Fact(label="Until", value=f"{deadline:%d %b %H:%M} UTC; if nobody answers, {silence}", at=deadline),
        ]

    def _asker(self) -> str:
        agent = self.review.agent
        producer = self.request.producer
        if producer and producer.agent_id and producer.agent_id != agent:
            agent += f" (says it is for {self._quoted(producer.agent_id)})"
        if self.request.on_behalf_of:
            known = "" if self.review.named else ", whom nobody here knows"
            agent += f", by its word on behalf of {self._quoted(self.request.on_behalf_of)}{known}"
        return agent

    def _difference(self) -> Block | None:
        if not self.review.edited:
            return None
        before = redact.masked(self.review.original, self.hidden, ARGUMENTS)
        after = redact.masked(self.request.action.arguments, self.hidden, ARGUMENTS)
        names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
        items = tuple(
            Difference(pointer=redact.join(name), before=self._value(before, name), after=self._value(after, name))
            for name in names
        )
        return Diff(items=items, title=f"Changed since the agent's first proposal (revision {self.review.revision})")

    def _value(self, values: dict[str, Any], name: str) -> str | None:
        return self.say(_words(values[name])) if name in values else None

    def _arguments(self, most: int = _MOST_FACTS) -> tuple[Fact, ...]:
        every = self.request.action.arguments
        shown = {
            name: redact.masked(value, self.hidden, ARGUMENTS + redact.join(name))
            for name, value in islice(every.items(), most)
        }
        steps = self._plan()
        left = len(every) - len(shown)
        more = (
            (Fact(label="and", value=f"{left} more arguments that do not fit here"),) if left and most > _FIRST else ()
        )
        return more + tuple(
            Fact(
                label=self.say(name),
                value=self._short(value),
                redacted=redact.MASK in _words(value),
                pointer=redact.join(name),
            )
            for name, value in shown.items()
            if not (steps and name == "steps")
        )

    def _short(self, value: Any) -> str:
        text = self.say(_words(value))
        return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"

    def _plan(self) -> list[Any]:
        steps = self.request.action.arguments.get("steps")
        return steps if self.request.review_type is ReviewType.PLAN and isinstance(steps, list) else []

    def _steps(self) -> Block | None:
        steps = redact.masked(self._plan(), self.hidden, ARGUMENTS + "/steps")
        rows = tuple((str(n), self.say(_words(step))) for n, step in enumerate(steps, 1))
        return Table(columns=("Step", "What"), rows=rows, title="The plan", voice=Voice.AGENT) if rows else None

    def _why(self) -> list[Block | None]:
        context = self.request.context
        return [
            self._quote("Goal", context.goal),
            self._quote("The agent recommends", context.recommendation),
            self._quote("Because", context.reasoning[0] if context.reasoning else None),
        ]

    def _evidence(self, most: int | None) -> Block | None:
        every = sorted(self.request.evidence, key=lambda e: -(e.score or 0))
        chosen = every[:most] if most is not None else every
        if not chosen:
            return None
        hint = self.request.ui_hint
        items = tuple(
            Snippet(
                title=self.say(e.title),
                snippet=self.say(e.snippet or "") if hint.show_snippets else "",
                url=e.url if (host := self._host(e.url)) else None,
                host=host,
                score=e.score,
            )
            for e in chosen
        )
        return Evidence(items=items, highlight=hint.highlight_terms, more=len(every) - len(chosen))

    def _host(self, url: str | None) -> str | None:
        """The host of a web address that may be shown; None for what is no such address, or holds what is hidden."""
        if url is None or self.say(url) != url:
            return None
        try:
            parts = urlsplit(url)
            return parts.hostname if parts.scheme in ("http", "https") else None
        except ValueError:
            return None

    # ---------------------------------------------------------------------------- controls

    def _controls(self) -> Block | None:
        review = self.review
        match phase(review):
            case Phase.PENDING if not review.held:
                return Actions(
                    controls=self._pending(), overflow=self._rare(Verb.TAKE, Verb.HAND, Verb.COMMENT, Verb.REVEAL)
                )
            case Phase.PENDING | Phase.CHANGES_REQUESTED:
                return Actions(controls=(self._reject(),), overflow=self._rare(Verb.COMMENT, Verb.REVEAL))
            case Phase.GRANTED:
                return Actions(controls=(), overflow=self._rare(Verb.UNDO, Verb.REVOKE, Verb.COMMENT, Verb.REVEAL))
            case _:
                return Actions(controls=(), overflow=self._rare(Verb.COMMENT, Verb.REVEAL))

    def _pending(self) -> tuple[Control, ...]:
        allowed = eligibility.allowed(self.review)
        controls: list[Control] = []
        if Verb.APPROVE in allowed:
            controls.append(self._approve())
        if Verb.ANSWER in allowed:
            controls.append(self._answer())
        controls.append(self._reject())
        fits = len(self.request.action.arguments) <= _MOST_FACTS
        if Verb.EDIT in allowed and fits and not _afterwards(self.review):
            controls.append(Control(verb=Verb.EDIT, label="Edit", form=edit_form(self.review)))
        if Verb.REQUEST_CHANGES in allowed and not _afterwards(self.review):
            ask = Input(name="reason", label="What should be changed?", kind=Kind.MULTILINE, required=True)
            form = Form(fields=(ask,), submit="Ask for changes")
            controls.append(Control(verb=Verb.REQUEST_CHANGES, label="Request changes", form=form))
        controls.append(Control(verb=Verb.ESCALATE, label="Escalate", confirm="Call the next person on the chain now?"))
        return tuple(controls)

    def _approve(self) -> Control:
        grave = self.route.risk.rank >= RiskLevel.HIGH.rank
        question = f"Approve {self.request.action.name}? It {'can' if self.route.reversible else 'cannot'} be undone."
        label = "Confirm" if self.route.tier is Tier.CONFIRM else "Agree" if _afterwards(self.review) else "Approve"
        return Control(verb=Verb.APPROVE, label=label, style="primary", confirm=question if grave else "")

    def _reject(self) -> Control:
        reason = Input(name="reason", label="Why?", choices=self.route.reasons, kind=Kind.TEXT)
        label = "Disagree" if _afterwards(self.review) else "Reject"
        return Control(verb=Verb.REJECT, label=label, style="danger", form=Form(fields=(reason,), submit=label))

    def _answer(self) -> Control:
        done = Input(name="notes", label="What did you do?", kind=Kind.MULTILINE, required=True)
        return Control(
            verb=Verb.ANSWER, label="I did it", style="primary", form=Form(fields=(done,), submit="Hand back")
        )

    def _rare(self, *verbs: Verb) -> tuple[Control, ...]:
        unwanted = {Verb.REVEAL} if not self.hidden else set()
        unwanted |= {Verb.HAND} if not self.around.people else set()
        return tuple(self._rare_one(verb) for verb in verbs if verb not in unwanted)

    def _rare_one(self, verb: Verb) -> Control:
        label, style, confirm, asked = _RARE[verb]
        if verb is Verb.HAND:
            asked = Input(name="to", label="Whom?", kind=Kind.CHOICE, choices=self.around.people, required=True)
        form = Form(fields=(asked,), submit=label) if asked else None
        return Control(verb=verb, label=label, style=style, confirm=confirm, form=form)

    # ---------------------------------------------------------------------------- long parts

    def _quote(self, label: str, text: str | None) -> Block | None:
        if not text:
            return None
        return Callout(text=self.say(text), title=label, voice=Voice.AGENT)

    def _list(self, title: str, lines: Sequence[str]) -> Block | None:
        rows = tuple((self.say(line),) for line in lines)
        return Table(columns=(title,), rows=rows, title=title, voice=Voice.AGENT) if rows else None

    def _conversation(self) -> Block | None:
        rows = tuple((self.say(turn.role), self.say(turn.text)) for turn in self.request.context.conversation)
        return Table(columns=("Who", "What"), rows=rows, title="Conversation", voice=Voice.AGENT) if rows else None

    def _context_facts(self) -> Block | None:
        shown = redact.masked(self.request.context.facts, self.hidden, "/context/facts")
        items = tuple(
            Fact(label=self.say(name), value=self._short(value), redacted=redact.MASK in _words(value))
            for name, value in shown.items()
        )
        return Facts(items=items, title="Facts the agent gives", voice=Voice.AGENT) if items else None

    def _validation(self) -> Block | None:
        record = self.request.validation
        return self._quote("Validation of the result", json.dumps(record, ensure_ascii=False)) if record else None

    def _changes(self) -> Block | None:
        rows = tuple((change.name, str(change.revision), self.say(change.text)) for change in self.review.changes)
        columns = ("Who", "Revision", "What")
        return Table(columns=columns, rows=rows, title="Changes asked for", voice=Voice.PERSON) if rows else None

    def _comments(self) -> Block | None:
        rows = tuple((remark.name, self.say(remark.text)) for remark in self.review.comments)
        return Table(columns=("Who", "Comment"), rows=rows, title="Comments", voice=Voice.PERSON) if rows else None

    def _history(self) -> Block | None:
        rows = tuple((line.when, self.say(line.what), line.came_to) for line in self.around.history)
        columns = ("When", "What", "Came to")
        title = "Earlier reviews this agent asked of the same subject"
        return Table(columns=columns, rows=rows, title=title, voice=Voice.AGENT) if rows else None


def _words(value: Any) -> str:
    """A JSON value as a person reads it."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case int() | float():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
