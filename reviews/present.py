"""From a review to the card people see: one place for the wording of every surface. No I/O, no clock.

Everything is plain text and already redacted. What an agent wrote carries `Voice.AGENT`; only what is written in
this file, `situation` and `controls` speaks as the house. Instants are absolute, so that a card's digest depends on
what it was made of, not on when.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice

from reviews import redact
from reviews.amount import Amount
from reviews.card import Block, Callout, Card, Diff, Difference, Fact, Facts, Style, Table, Text, Voice
from reviews.controls import MOST_FIELDS, Controls
from reviews.details import STRONGEST, Details
from reviews.forms import ARGUMENTS
from reviews.model import Object, Relation, Review
from reviews.plan import steps_of
from reviews.situation import Situation
from reviews.status import DESK, asker, by_people, status_word, tone_of
from reviews.surroundings import Surroundings
from reviews.unseen import clean
from reviews.words import quoted, words

#: Arguments named in a title that has no summary.
_FIRST = 3
#: What sets a review that follows from another apart from it in every list.
_FOLLOWS = {Relation.APPEAL: "Appeal: ", Relation.AFTER_GLASS: "After broken glass: "}


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
        self.situation = Situation(review, around, self.say)
        self.details = Details(review, around, self.say, self.hidden)

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
        before = _FOLLOWS.get(self.review.relation, "") if self.review.about else ""
        return f"{before}{action}: {self._quoted(said)}" if said else before + action

    def _quoted(self, text: str) -> str:
        return quoted(self.say(text))

    def blocks(self) -> tuple[Block, ...]:
        """The compact card, in the order a person reads it."""
        parts: list[Block | None] = [
            *self.situation.callouts(),
            self._preview(),
            self._essentials(),
            self._difference(),
            Facts(items=self._arguments(), title="Arguments", voice=Voice.AGENT) if self._arguments() else None,
            self._steps(),
            *self._why(),
            self.details.evidence(STRONGEST),
            Callout(text=clean(self.route.guide), title="Guide") if self.route.guide else None,
            self._controls(),
        ]
        return tuple(part for part in parts if part is not None)

    def thread(self) -> tuple[Block, ...]:
        """The long parts: conversation, all evidence, alternatives, history, comments, timeline."""
        return self.details.blocks()

    # ---------------------------------------------------------------------------- compact parts

    def _preview(self) -> Block | None:
        preview = self.request.action.preview
        return Text(text=self.say(preview), style=Style.QUOTE, voice=Voice.AGENT) if preview else None

    def _essentials(self) -> Block:
        route, request = self.route, self.request
        back = "can be undone" if route.reversible else "cannot be undone"
        facts = [Fact(label="Risk", value=f"{route.risk.capitalize()}, {back}")]
        if request.confidence is not None:
            facts.append(Fact(label="Agent's confidence", value=f"{request.confidence:.0%}"))
        facts.append(Fact(label="Asked by", value=self._asker()))
        if (amount := self._amount.apart()) is not None:
            facts.append(Fact(label="Amount", value=self.say(amount)))
        if request.subject:
            facts.append(Fact(label="About", value=self._quoted(request.subject)))
        facts += self.situation.facts()
        if route.explanation:
            facts.append(Fact(label="Why it came here", value=clean(route.explanation)))
        return Facts(items=tuple(facts))

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
        every, steps = self._shown, steps_of(self.request)
        left = len(every) - most
        more = Fact(label="and", value=f"{left} more arguments that do not fit here")
        return ((more,) if left > 0 and most > _FIRST else ()) + tuple(
            Fact(
                label=self.say(name),
                value=self.details.short(self._amount.argument(every, name)),
                redacted=redact.MASK in words(value),
                pointer=redact.join(name),
            )
            for name, value in islice(every.items(), most)
            if not (steps and name == "steps")
        )

    def _steps(self) -> Block | None:
        steps = redact.masked(steps_of(self.request), self.hidden, ARGUMENTS + "/steps")
        rows = tuple((str(n), self.say(words(step))) for n, step in enumerate(steps, 1))
        return Table(columns=("Step", "What"), rows=rows, title="The plan", voice=Voice.AGENT) if rows else None

    def _why(self) -> list[Block | None]:
        context = self.request.context
        return [
            self.details.quote("Goal", context.goal),
            self.details.quote("The agent recommends", context.recommendation),
            self.details.quote("Because", context.reasoning[0] if context.reasoning else None),
        ]

    def _controls(self) -> Block:
        ids, names = self.around.people, self.around.names or {}
        called = [names.get(person, person) for person in ids]
        people = {
            person: f"{name} ({person})" if called.count(name) > 1 else name
            for person, name in zip(ids, called, strict=True)
        }
        return Controls(self.review, self.say, people, self.around, hides=bool(self.hidden)).block()
