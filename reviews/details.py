"""The long parts of a card, for the first reply in a thread or the lower half of a page. No I/O, no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from reviews import redact
from reviews.card import Block, Callout, Evidence, Fact, Facts, Snippet, Table, Timeline, Voice
from reviews.model import Review
from reviews.situation import marked
from reviews.surroundings import Surroundings
from reviews.values import replace
from reviews.words import host_of, words

#: Characters of a value as a fact.
_VALUE = 600
STRONGEST = 2
#: Terms marked in snippets; each is looked for in every one.
_HIGHLIGHTED = 20


class Details:
    """What an agent, people and the log say at length. `say` hides and cleans, `hidden` are the pointers hidden."""

    def __init__(
        self, review: Review, around: Surroundings, say: Callable[[str], str], hidden: tuple[str, ...]
    ) -> None:
        self._review, self._around, self._say, self._hidden = review, around, say, hidden

    def blocks(self) -> tuple[Block, ...]:
        """Conversation, all evidence, alternatives, history, comments, timeline."""
        request = self._review.request
        context = request.context
        parts: list[Block | None] = [
            self._list("The agent's reasoning", context.reasoning[1:]),
            self._conversation(),
            self._list("Already attempted", context.attempted),
            self.quote("What failed", context.failure),
            self._context_facts(),
            self._list("Policy text the agent cites", context.policy),
            self._list("Alternatives considered", context.alternatives),
            self._validation(),
            self.evidence(None) if len(request.evidence) > STRONGEST else None,
            self._changes(),
            self._comments(),
            self._history(),
            self._timeline(),
        ]
        return tuple(part for part in parts if part is not None)

    def quote(self, label: str, text: str | None) -> Block | None:
        """The agent's words under a label; None where it said nothing."""
        return Callout(text=self._say(text), title=label, voice=Voice.AGENT) if text else None

    def short(self, text: str) -> str:
        """A value cut to what a fact holds."""
        said = self._say(text)
        return said if len(said) <= _VALUE else said[: _VALUE - 1] + "…"

    def evidence(self, most: int | None) -> Block | None:
        """The evidence, strongest first; no more than `most` of it, where that is said."""
        every = sorted(self._review.request.evidence, key=lambda e: -(e.score or 0))
        chosen = every[:most] if most is not None else every
        if not chosen:
            return None
        hint = self._review.request.ui_hint
        items = tuple(
            Snippet(
                title=self._say(e.title),
                snippet=self._say(e.snippet or "") if hint.show_snippets else "",
                url=e.url if (host := self._host(e.url)) else None,
                host=host,
                score=e.score,
            )
            for e in chosen
        )
        return Evidence(items=items, highlight=hint.highlight_terms[:_HIGHLIGHTED], more=len(every) - len(chosen))

    def _host(self, url: str | None) -> str | None:
        """The host of a web address that may be shown; None for what is no such address, or holds what is hidden."""
        return host_of(url) if url is not None and self._say(url) == url else None

    def _list(self, title: str, lines: Sequence[str]) -> Block | None:
        rows = tuple((self._say(line),) for line in lines)
        return Table(columns=(title,), rows=rows, title=title, voice=Voice.AGENT) if rows else None

    def _conversation(self) -> Block | None:
        turns = self._review.request.context.conversation
        rows = tuple((self._say(turn.role), self._say(turn.text)) for turn in turns)
        return Table(columns=("Who", "What"), rows=rows, title="Conversation", voice=Voice.AGENT) if rows else None

    def _context_facts(self) -> Block | None:
        shown = redact.masked(self._review.request.context.facts, self._hidden, "/context/facts")
        items = tuple(
            Fact(label=self._say(name), value=self.short(words(value)), redacted=redact.MASK in words(value))
            for name, value in shown.items()
        )
        return Facts(items=items, title="Facts the agent gives", voice=Voice.AGENT) if items else None

    def _validation(self) -> Block | None:
        record = self._review.request.validation
        return self.quote("Validation of the result", json.dumps(record, ensure_ascii=False)) if record else None

    def _changes(self) -> Block | None:
        review = self._review
        rows = tuple(
            (asked.name, str(asked.revision), marked(review, asked, self._say), self._say(asked.text))
            for asked in review.changes
        )
        columns = ("Who", "Revision", "About", "What")
        return Table(columns=columns, rows=rows, title="Changes asked for", voice=Voice.PERSON) if rows else None

    def _comments(self) -> Block | None:
        rows = tuple((remark.name, self._say(remark.text)) for remark in self._review.comments)
        return Table(columns=("Who", "Comment"), rows=rows, title="Comments", voice=Voice.PERSON) if rows else None

    def _history(self) -> Block | None:
        rows = tuple((line.when, self._say(line.what), line.came_to) for line in self._around.history)
        columns = ("When", "What", "Came to")
        title = "Earlier reviews this agent asked of the same subject"
        return Table(columns=columns, rows=rows, title=title, voice=Voice.AGENT) if rows else None

    def _timeline(self) -> Block | None:
        items = tuple(replace(line, text=self._say(line.text)) for line in self._around.timeline)
        return Timeline(items=items) if items else None
