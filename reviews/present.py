"""From a review to the card people see: one place for the wording of every surface. No I/O, no clock.

Everything is plain text and already redacted. What an agent wrote carries `Voice.AGENT`; only what is written in
this file speaks as the house. Instants are absolute, so that a card's digest depends on the review alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from reviews import eligibility, redact
from reviews.amount import Amount
from reviews.card import (
    Block,
    Callout,
    Card,
    Diff,
    Difference,
    Evidence,
    Fact,
    Facts,
    Happening,
    Snippet,
    Style,
    Table,
    Text,
    Timeline,
    Tone,
    Voice,
)
from reviews.controls import MOST_FIELDS, Controls, places
from reviews.forms import ARGUMENTS
from reviews.lifecycle import sentence
from reviews.model import Change, Object, Review, ReviewType, Status, Verb
from reviews.status import DESK, afterwards, asker, by_people, status_word, tone_of
from reviews.unseen import clean
from reviews.words import host_of, quoted, words

_VALUE = 600
_STRONGEST = 2
#: Terms marked in snippets; each is looked for in every one.
_HIGHLIGHTED = 20
#: Arguments named in a title that has no summary.
_FIRST = 3


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
        tone=tone_of(review),
        status=status_word(review),
        fallback=f"{status_word(review)}: {title} ({review.route.risk} risk, asked by {asker(review, around.names)})",
        blocks=blocks,
        thread=draft.thread(),
        link=around.link,
        digest=_digest(review.revision, title, blocks),
        over=review.status.over,
    )


def title_of(review: Review) -> str:
    """What would happen, in a line: a card's title without the rest of the card."""
    return _Draft(review, Surroundings()).title()


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

    @cached_property
    def _shown(self) -> Object:
        """The arguments with what is sensitive masked."""
        return self._masked(self.request.action.arguments)

    def _masked(self, arguments: Object) -> Object:
        # One by one: their names are shown even where all of them are hidden.
        return {n: redact.masked(value, self.hidden, ARGUMENTS + redact.join(n)) for n, value in arguments.items()}

    @cached_property
    def _amount(self) -> Amount:
        return Amount(self.review, self._shown, self.hidden)

    def title(self) -> str:
        """What would happen, in a line: the action, and the agent's summary of it."""
        action = clean(self.request.action.name)
        said = self.request.summary or self.request.subject or ", ".join(f.value for f in self._arguments(_FIRST))
        # A summary that begins with the action would say it twice.
        again = re.match(rf"\s*{re.escape(action)}(?![\w.])[\s:–—-]*", said, re.IGNORECASE)
        said = said[again.end() :] if again else said
        return f"{action}: {self._quoted(said)}" if said else action

    def _quoted(self, text: str) -> str:
        return quoted(self.say(text))

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
            self._timeline(),
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
            about = self._about(asked)
            text = (
                f"{asked.name} asked{f' about {about[0].lower()}{about[1:]}' if about else ''}: {self.say(asked.text)}"
            )
            return Callout(text=text, title=sentence(review), voice=Voice.PERSON)
        if review.decision is None:
            return self._partly()
        reason = f" Reason: {self.say(review.decision.reason)}" if review.decision.reason else ""
        return Callout(text=f"{sentence(review)}{reason}", tone=tone_of(review), title=status_word(review))

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
        if (amount := self._amount.apart()) is not None:
            facts.append(Fact(label="Amount", value=self.say(amount)))
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
        if afterwards(self.review):
            silence = "nothing is undone; it expires without a verdict"
        return [
            Fact(label="Needed", value=eligibility.needed(self.review)),
            Fact(label="Until", value=f"{deadline:%d %b %H:%M} UTC; if nobody answers, {silence}", at=deadline),
        ]

    def _asker(self) -> str:
        agent = self.review.agent
        if by_people(self.review):
            return f"{asker(self.review, self.around.names)} (through {DESK})"
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
        before, after = self._masked(self.review.original), self._shown
        names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
        items = tuple(
            Difference(pointer=redact.join(name), before=self._value(before, name), after=self._value(after, name))
            for name in names
        )
        return Diff(items=items, title=f"Changed since the agent's first proposal (revision {self.review.revision})")

    def _value(self, arguments: Object, name: str) -> str | None:
        return self.say(self._amount.argument(arguments, name)) if name in arguments else None

    def _arguments(self, most: int = MOST_FIELDS) -> tuple[Fact, ...]:
        every, steps = self._shown, self._plan()
        left = len(every) - most
        more = Fact(label="and", value=f"{left} more arguments that do not fit here")
        return ((more,) if left > 0 and most > _FIRST else ()) + tuple(
            Fact(
                label=self.say(name),
                value=self._short(self._amount.argument(every, name)),
                redacted=redact.MASK in words(value),
                pointer=redact.join(name),
            )
            for name, value in islice(every.items(), most)
            if not (steps and name == "steps")
        )

    def _short(self, text: str) -> str:
        said = self.say(text)
        return said if len(said) <= _VALUE else said[: _VALUE - 1] + "…"

    def _plan(self) -> list[Any]:
        steps = self.request.action.arguments.get("steps")
        return steps if self.request.review_type is ReviewType.PLAN and isinstance(steps, list) else []

    def _steps(self) -> Block | None:
        steps = redact.masked(self._plan(), self.hidden, ARGUMENTS + "/steps")
        rows = tuple((str(n), self.say(words(step))) for n, step in enumerate(steps, 1))
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
        return Evidence(items=items, highlight=hint.highlight_terms[:_HIGHLIGHTED], more=len(every) - len(chosen))

    def _host(self, url: str | None) -> str | None:
        """The host of a web address that may be shown; None for what is no such address, or holds what is hidden."""
        return host_of(url) if url is not None and self.say(url) == url else None

    def _controls(self) -> Block:
        ids, names = self.around.people, self.around.names or {}
        called = [names.get(person, person) for person in ids]
        people = {
            person: f"{name} ({person})" if called.count(name) > 1 else name
            for person, name in zip(ids, called, strict=True)
        }
        return Controls(self.review, self.say, people, hides=bool(self.hidden)).block()

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
            Fact(label=self.say(name), value=self._short(words(value)), redacted=redact.MASK in words(value))
            for name, value in shown.items()
        )
        return Facts(items=items, title="Facts the agent gives", voice=Voice.AGENT) if items else None

    def _validation(self) -> Block | None:
        record = self.request.validation
        return self._quote("Validation of the result", json.dumps(record, ensure_ascii=False)) if record else None

    def _changes(self) -> Block | None:
        rows = tuple((c.name, str(c.revision), self._about(c), self.say(c.text)) for c in self.review.changes)
        columns = ("Who", "Revision", "About", "What")
        return Table(columns=columns, rows=rows, title="Changes asked for", voice=Voice.PERSON) if rows else None

    def _about(self, change: Change) -> str:
        """What a request for changes points at; by pointer for an earlier revision, whose evidence was another."""
        if change.about is None:
            return ""
        named = places(self.request, self.say) if change.revision == self.review.revision else {}
        return named.get(change.about, self.say(change.about))

    def _comments(self) -> Block | None:
        rows = tuple((remark.name, self.say(remark.text)) for remark in self.review.comments)
        return Table(columns=("Who", "Comment"), rows=rows, title="Comments", voice=Voice.PERSON) if rows else None

    def _history(self) -> Block | None:
        rows = tuple((line.when, self.say(line.what), line.came_to) for line in self.around.history)
        columns = ("When", "What", "Came to")
        title = "Earlier reviews this agent asked of the same subject"
        return Table(columns=columns, rows=rows, title=title, voice=Voice.AGENT) if rows else None

    def _timeline(self) -> Block | None:
        items = tuple(replace(line, text=self.say(line.text)) for line in self.around.timeline)
        return Timeline(items=items) if items else None
