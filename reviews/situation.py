"""The words at a card's head: how it stands, why it came to its reader, what silence does. No I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import assert_never

from reviews import eligibility
from reviews.card import Block, Callout, Fact, Tone, Voice
from reviews.controls import places
from reviews.eligibility import Standing
from reviews.lifecycle import sentence
from reviews.model import Change, GrantState, Relation, Review, Right, Rung, Status, Then, Verb
from reviews.status import status_word, tone_of
from reviews.surroundings import Origin, Surroundings
from reviews.words import quoted

_REASON = 400
#: When a calendar was read last, which stands in the log.
_READ = re.compile(r", calendar .+? of \S+Z| \(short form\)")
_AWAY = re.compile(r", (\S+) away")
#: How the source of a call begins, and how it reads.
_SOURCES = {"oncall": "on call: ", "role": "role ", "person": "named in the escalation chain"}


def marked(review: Review, asked: Change, say: Callable[[str], str]) -> str:
    """What a request for changes points at; by pointer for an earlier revision, whose evidence was another."""
    if asked.about is None:
        return ""
    named = places(review.request, say) if asked.revision == review.revision else {}
    return named.get(asked.about, say(asked.about))


class Situation:
    """The words for one review. `say` hides what is sensitive and cleans."""

    def __init__(self, review: Review, around: Surroundings, say: Callable[[str], str]) -> None:
        self._review, self._around, self._say = review, around, say

    # ---------------------------------------------------------------------------- callouts

    def callouts(self) -> Iterator[Block]:
        """What stands above everything else: what it follows from, what came of it, what is going on."""
        if self._around.origin is not None:
            yield self._follows(self._around.origin)
        if self._review.held:
            yield from self._held()
        elif self._review.status is Status.CHANGES_REQUESTED:
            yield self._changes_asked()
        elif self._review.decision is not None:
            yield from self._decided()
        elif (partly := self._partly()) is not None:
            yield partly
        if not (self._review.status.over or self._review.held):
            yield from self._pressing()

    def _follows(self, origin: Origin) -> Block:
        first, decision = origin.review, origin.review.decision
        number, reason = f"Review #{first.seq}", self._quoted(decision.reason if decision else None)
        who = [seat.name for seat in decision.by] if decision else []
        when = f" at {_instant(decision.decided_at)}" if decision else ""
        match self._review.relation:
            case Relation.APPEAL:
                title, text = "Appeal", f"{number} was rejected by {_and(who)}{when}{reason}."
                text += f" {origin.by} appeals{self._quoted(origin.reason)}." if origin.by else ""
                text += " Who rejected it does not decide this one, and that verdict stays as it is."
            case Relation.AFTER_GLASS:
                seen = f", observed by {_and(who[1:])}" if who[1:] else ""
                title = "The glass was broken"
                text = f"{number} was approved by {_and(who[:1])}, who broke the glass{when}{seen}{reason}."
                text += " Say whether that was right; nothing is undone by it."
            case Relation.FEEDBACK:
                title, text = "Afterwards", f"{number} was let through without a person{when}."
                text += " Say whether that was right; nothing is undone by it."
            case _:
                assert_never(self._review.relation)
        return Callout(title=title, text=text)

    def _held(self) -> Iterator[Block]:
        stop, agent = self._around.stop, self._review.agent
        by = f"was stopped by {self._around.name(stop.by)} at {_instant(stop.at)}" if stop else "is stopped"
        why = self._quoted(stop.reason) if stop else ""
        text = f"{agent} {by}{why}. Nothing can be granted until it is resumed."
        yield Callout(text=text, tone=Tone.MUTED)
        instruction = self._review.instruction or (stop.instruction if stop else None)
        if instruction:
            yield Callout(text=self._say(instruction), title="Instruction for its next plan", voice=Voice.PERSON)

    def _changes_asked(self) -> Block:
        asked = self._review.changes[-1]
        about = marked(self._review, asked, self._say)
        pointed = f" about {about[0].lower()}{about[1:]}" if about else ""
        text = f"{asked.name} asked{pointed}: {self._say(asked.text)}"
        return Callout(text=text, title=sentence(self._review), voice=Voice.PERSON)

    def _decided(self) -> Iterator[Block]:
        review, decision = self._review, self._review.decision
        reason = f" Reason: {self._say(decision.reason)}" if decision and decision.reason else ""
        yield Callout(text=f"{sentence(review)}{reason}", tone=tone_of(review), title=status_word(review))
        grant = review.grant
        if grant is not None and grant.state is GrantState.OPEN and grant.usable_from is not None:
            text = f"Usable from {_instant(grant.usable_from, seconds=True)}; undo until then, or until it is used."
            yield Callout(text=text, title="Undo")
        if review.appeal is not None:
            yield Callout(text="This was appealed: somebody more senior looks at it in a review of its own.")

    def _partly(self) -> Block | None:
        votes = [vote for vote in self._review.votes_now() if vote.verb is Verb.APPROVE]
        if self._review.owner:
            return Callout(text=f"{self._around.name(self._review.owner)} has this in hand.")
        if not votes:
            return None
        who = " and ".join(vote.name for vote in votes)
        return Callout(text=f"Approved so far by {who}. Still needed: {eligibility.needed(self._review)}.")

    def _pressing(self) -> Iterator[Block]:
        glass = self._review.glass
        if glass is not None:
            text = (
                f"{glass.name} asks to break the glass{self._quoted(glass.reason)}. "
                f"A second person must observe until {_instant(glass.until)}."
            )
            yield Callout(text=text, tone=Tone.DANGER, title="Emergency")
        if self._review.ladder.by_hand:
            text = "Nobody may approve this any more: a person does it and says what they did, or rejects it."
            yield Callout(text=text, tone=Tone.ATTENTION, title="Only a person does this now")

    def _quoted(self, words: str | None) -> str:
        return f": {quoted(self._say(words).rstrip(' .'), _REASON)}" if words else ""

    # ---------------------------------------------------------------------------- facts

    def facts(self) -> Iterator[Fact]:
        """Whom it waits for, why its reader, until when, and what happens if nobody answers."""
        review = self._review
        if review.status is Status.CHANGES_REQUESTED and review.reply_by is not None and not review.held:
            silence = f"{_day(review.reply_by)}; if no other proposal comes, it expires"
            yield Fact(label="Until", value=silence, at=review.reply_by)
        if review.status is not Status.PENDING:
            return
        if not self._review.held:
            yield Fact(label="Needed", value=eligibility.needed(self._review))
        if self._review.assigned:
            yield Fact(label="Assigned to", value=_and([self._around.name(p) for p in self._review.assigned]))
        if why := self._why_you():
            yield Fact(label="Why you", value=why)
        if not self._review.held:
            deadline = self._review.ladder.schedule.deadline_at
            yield Fact(label="Until", value=_day(deadline), at=deadline)
            yield self._silence(deadline)

    def _why_you(self) -> str:
        reader, review = self._around.reader, self._review
        if reader is None:
            return ""
        parts = ["assigned to you"] if reader.id in review.assigned else []
        source = review.called.get(reader.id)
        standing = eligibility.standing(review, reader)
        if source is not None:
            parts.append(self._source(source))
        elif isinstance(standing, Standing):
            parts.append(standing.source)
        if review.glass is not None and Right.BREAK_GLASS in reader.may and reader.id != review.glass.person:
            parts.append("you may observe breaking the glass")
        return "; ".join(parts)

    def _source(self, source: str) -> str:
        """`oncall:it-ops.secondary, bo away: deputy` as people read it, with names for ids."""
        kind, _, rest = source.partition(":")
        if kind in ("person", "role"):
            named, *away = rest.partition(",")
            rest = ("" if kind == "person" else named) + "".join(away)
        rest = _READ.sub("", rest)
        words = f"{_SOURCES[kind]}{rest}" if kind in _SOURCES else source
        return _AWAY.sub(lambda found: f", {self._around.name(found[1])} away", words)

    def _silence(self, deadline: datetime) -> Fact:
        end = "it expires, nobody decided, and the agent is told so"
        if self._review.afterwards:
            end = "it expires without a verdict; nothing is undone"
        following = self._following(deadline)
        if following is None:
            return Fact(label="If nobody answers", value=f"{_instant(deadline)}: {end}")
        at, step = following
        value = f"{_beside(at, deadline)}: {step}; {_instant(deadline)}: {end}"
        return Fact(label="If nobody answers", value=value)

    def _following(self, deadline: datetime) -> tuple[datetime, str] | None:
        """The next rung that calls or closes something, and when; None where there is none before the end."""
        ladder = self._review.ladder
        rungs = zip(self._review.route.chain, ladder.schedule.rungs, strict=False)
        for rung, instant in list(rungs)[ladder.fired :]:
            at = max(instant, ladder.paused_until) if ladder.paused_until is not None else instant
            if at < deadline and (step := self._step(rung)):
                return at, step
        return None

    def _step(self, rung: Rung) -> str:
        if rung.notify:
            whom = [self._target(target) for target in rung.notify]
            return f"{_and(whom)} {'is' if len(whom) == 1 else 'are'} {'told' if rung.notify_only else 'called'}"
        if rung.then is Then.HUMAN_ONLY:
            return "nobody may approve any more, a person must do it"
        return ""

    def _target(self, target: str) -> str:
        kind, _, name = target.partition(":")
        match kind:
            case "oncall":
                rotation, _, layer = name.rpartition(".")
                return f"the {layer} of {rotation}" if rotation else f"who is on call in {name}"
            case "person":
                return self._around.name(name)
            case "channel":
                return f"the channel of {eligibility.needed(self._review) if name == 'role' else name}"
            case _:
                return name


def _and(names: list[str]) -> str:
    return " and ".join(names) or "nobody"


def _instant(at: datetime, *, seconds: bool = False) -> str:
    return f"{at:%H:%M:%S} UTC" if seconds else f"{at:%H:%M} UTC"


def _day(at: datetime) -> str:
    return f"{at:%d %b %H:%M} UTC"


def _beside(at: datetime, other: datetime) -> str:
    """A time of day; with its day, where that is not the other's."""
    return _instant(at) if at.date() == other.date() else _day(at)
