"""The life of a review: one table, one function. No I/O, no clock.

`decide(review, event)` answers what an event comes to. The table on top says for every event and phase whether it
acts, is refused, or is only whispered about; the diagram in the docs is drawn from it. Time comes first: whatever
ended by the event's instant has ended before the event is looked at, so a vote at the deadline is late even when
the timer is later still. How each event acts is told in `opening`, `voting`,
`granting`, `holding`, `glass`, `appealing` and `ladder`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from reviews import appealing, glass, granting, holding, ladder, voting
from reviews.events import (
    Answer,
    Answered,
    Appealed,
    Approved,
    BrokenGlass,
    ChangesRequested,
    Commented,
    Edited,
    Escalated,
    Event,
    Handed,
    Held,
    PersonEvent,
    Posted,
    Record,
    Redeemed,
    Rejected,
    Released,
    Reported,
    Revealed,
    Revised,
    Revoked,
    Taken,
    Ticked,
    Transition,
    Undone,
    Unreachable,
    Withdrawn,
)
from reviews.ladder import next_alarm, priority
from reviews.model import Review, Route, Status, Verb
from reviews.opening import open_review, revise
from reviews.steps import noted, open_grant, refuse, same, sentence
from reviews.values import replace

__all__ = [
    "TABLE",
    "Cell",
    "Phase",
    "Ruling",
    "cell",
    "decide",
    "next_alarm",
    "open_review",
    "phase",
    "priority",
    "sentence",
]


class Phase(StrEnum):
    """The columns of the table."""

    PENDING = "pending"
    CHANGES_REQUESTED = "changes_requested"
    GRANTED = "approved, grant open"
    OVER = "other ends"


class Ruling(StrEnum):
    """What the table says of an event in a phase."""

    ACTS = "acts"
    WHISPERS = "whispers"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: the ruling, what it comes to (for the docs), and where an arrow leads, if somewhere else."""

    ruling: Ruling
    words: str = ""
    to: tuple[str, ...] = ()


def _acts(words: str, *to: str) -> Cell:
    return Cell(Ruling.ACTS, words, to)


_REFUSED = Cell(Ruling.REFUSED, "refused")
_SAME = Cell(Ruling.REFUSED, "same person and revision: same answer; else refused")
_WHISPERS = Cell(Ruling.WHISPERS, "whisper")
_NOTHING = Cell(Ruling.NOTHING, "–")
_KEPT = _acts("kept")

#: Every event in every phase: pending, changes_requested, approved with an open grant, other ends.
TABLE: Mapping[type, tuple[Cell, Cell, Cell, Cell]] = {
    Approved: (
        _acts("fills a slot; all filled → approved; in sequence the next is called", "approved"),
        _REFUSED,
        _SAME,
        _SAME,
    ),
    Edited: (_acts("new revision, earlier votes void", "pending", "approved", "rejected"), _REFUSED, _SAME, _SAME),
    Rejected: (
        _acts("rejected", "rejected"),
        _acts("rejected", "rejected"),
        Cell(Ruling.REFUSED, "refused: revoke instead"),
        _SAME,
    ),
    ChangesRequested: (_acts("changes_requested; clock stops", "changes_requested"), _REFUSED, _REFUSED, _REFUSED),
    Answered: (_acts("human_only and handoff → answered", "answered"), _REFUSED, _REFUSED, _SAME),
    Commented: (_KEPT, _KEPT, _KEPT, _KEPT),
    Escalated: (_acts("next rung now; at the last: whisper"), _REFUSED, _REFUSED, _REFUSED),
    Taken: (_acts("owner set, ladder paused"), _WHISPERS, _WHISPERS, _WHISPERS),
    Handed: (_acts("owner set and told, ladder paused"), _WHISPERS, _WHISPERS, _WHISPERS),
    Revealed: (_KEPT, _KEPT, _KEPT, _KEPT),
    Undone: (_REFUSED, _REFUSED, _acts("grant revoked, agent told", "revoked"), _REFUSED),
    Revoked: (_REFUSED, _REFUSED, _acts("grant revoked, agent told", "revoked"), _REFUSED),
    BrokenGlass: (
        _acts("asks for an observer; observed in time → approved, own cause", "approved"),
        _acts("asks for an observer; observed in time → approved, own cause", "approved"),
        _REFUSED,
        _REFUSED,
    ),
    Appealed: (
        _REFUSED,
        _REFUSED,
        _REFUSED,
        _acts("rejected by a person: a linked review to somebody more senior, once; else refused"),
    ),
    Revised: (
        _acts("new revision, epoch +1", "pending", "rejected"),
        _acts("pending, epoch +1", "pending", "rejected"),
        _REFUSED,
        _REFUSED,
    ),
    Withdrawn: (
        _acts("withdrawn", "withdrawn"),
        _acts("withdrawn", "withdrawn"),
        _acts("grant returned", "returned"),
        _acts("withdrawn: same answer; else refused"),
    ),
    Redeemed: (
        _REFUSED,
        _REFUSED,
        _acts("grant used; while it can be undone: 423", "used"),
        _acts("used by this call: same answer; lapsed, revoked, returned: gone (410); else refused"),
    ),
    Reported: (_REFUSED, _REFUSED, _acts("appended"), _acts("approved, answered: appended; else refused")),
    Ticked: (
        _acts("rungs due go out as one; human_only → by hand; deadline → expired", "expired"),
        _acts("reply clock → expired", "expired"),
        _acts("valid_until → grant lapsed", "lapsed"),
        _NOTHING,
    ),
    Held: (
        _acts("clocks stop, votes whisper, agent told"),
        _acts("clocks stop, agent told"),
        _acts("redeem 423, agent told"),
        _NOTHING,
    ),
    Released: (
        _acts("clocks go on, epoch +1, agent told; not started: it sets out", "approved", "rejected"),
        _acts("clocks go on, agent told"),
        _acts("redeem works again, agent told"),
        _NOTHING,
    ),
    Posted: (_KEPT, _KEPT, _KEPT, _KEPT),
    Unreachable: (_acts("next rung at once, timeline says why"), _KEPT, _KEPT, _KEPT),
}

_PHASES = tuple(Phase)
#: What a stopped agent's review still takes.
_WHILE_HELD = (
    Rejected,
    Revised,
    Withdrawn,
    Commented,
    Revealed,
    Undone,
    Revoked,
    Reported,
    Held,
    Released,
    Ticked,
    Posted,
    Unreachable,
)
#: The votes: they count only for the revision the person saw.
_VOTES: Mapping[type, Verb] = {
    Approved: Verb.APPROVE,
    Edited: Verb.EDIT,
    Rejected: Verb.REJECT,
    ChangesRequested: Verb.REQUEST_CHANGES,
    Answered: Verb.ANSWER,
}


def phase(review: Review) -> Phase:
    """The column of the table a review stands in."""
    if review.status is Status.PENDING:
        return Phase.PENDING
    if review.status is Status.CHANGES_REQUESTED:
        return Phase.CHANGES_REQUESTED
    return Phase.OVER if open_grant(review) is None else Phase.GRANTED


def cell(review: Review, event: Event) -> Cell:
    """What the table says of this event now."""
    return TABLE[type(event)][_PHASES.index(phase(review))]


def decide(review: Review, event: Event) -> Transition:
    """What an event comes to. Total: every event in every phase has an answer, and no event raises."""
    settled, passed = ladder.settle(review, event.at)
    after = _ruled(settled, event) or _barred(settled, event) or _act(settled, event)
    return replace(after, effects=passed + after.effects) if passed else after


def _ruled(review: Review, event: Event) -> Transition | None:
    """The table's word and the overlay's; None when the event may act."""
    ruling = cell(review, event).ruling
    if ruling is Ruling.NOTHING:
        return same(review, sentence(review))
    if review.held and not isinstance(event, _WHILE_HELD):
        text = f"{review.agent} is stopped: nothing it asked for can be granted until it is resumed."
        return refuse(review, event, text, Answer.WHISPER if isinstance(event, PersonEvent) else Answer.LOCKED)
    if ruling is Ruling.WHISPERS:
        return Transition(review=review, answer=Answer.WHISPER, text=sentence(review))
    if ruling is Ruling.REFUSED:
        return _again(review, event) or refuse(review, event, _why_refused(review, event))
    return None


def _barred(review: Review, event: Event) -> Transition | None:
    """A revision gone by, a decision that is not open, a route that would be laxer; None when nothing is against it."""
    if isinstance(event, Revised | Withdrawn) and review.about is not None and review.afterwards:
        return refuse(review, event, "People look at this of their own accord: its agent neither changes nor ends it.")
    if isinstance(event, Edited | Revised) and (laxer := _laxer(review.route, event.proposal.route)):
        return refuse(review, event, f"A new revision may only be routed more strictly, not {laxer}.")
    verb = _VOTES.get(type(event))
    if not isinstance(event, PersonEvent) or (verb is None and not isinstance(event, BrokenGlass)):
        return None
    if event.revision is not None and event.revision != review.revision:
        text = f"The proposal has changed since: it is now revision {review.revision}. Look at it again."
        return _again(review, event) or refuse(review, event, text)
    closed = voting.closed_to(review, verb) if verb is not None else None
    return refuse(review, event, closed) if closed else None


def _laxer(old: Route, new: Route) -> str | None:
    """In which respect a new route is laxer than the one that stands; None when in none."""
    if new.tier.strictness < old.tier.strictness:
        return f"{new.tier} after {old.tier}"
    return "in shadow mode" if new.shadow and not old.shadow else None


def _again(review: Review, event: Event) -> Transition | None:
    """The same person pressing the same again on the revision that stands gets the same answer."""
    verb = _VOTES.get(type(event))
    if verb is None or not isinstance(event, PersonEvent):
        return None
    seen = review.revision
    if isinstance(event, Edited) and event.proposal.digest == review.proposal.digest:
        # An edit is a vote on the revision it left behind; to the same digest it was an approval.
        edited = review.proposal.proposed_by == event.person.id
        seen, verb = (seen - 1, verb) if edited else (seen, Verb.APPROVE)
    if event.revision not in (None, seen):
        return None
    mine = {(v.revision, v.verb) for v in review.votes if v.person == event.person.id}
    return same(review, sentence(review)) if (seen, verb) in mine else None


def _why_refused(review: Review, event: Event) -> str:
    if isinstance(event, Rejected) and phase(review) is Phase.GRANTED:
        return f"{sentence(review)} It can still be revoked."
    if isinstance(event, Undone | Revoked):
        return granting.nothing_to_take_back(review)
    return sentence(review)


def _act(review: Review, event: Event) -> Transition:  # noqa: C901 - one flat match over a closed union
    match event:
        case Approved():
            return voting.approve(review, event)
        case Edited():
            return voting.edit(review, event)
        case Rejected():
            return voting.reject(review, event)
        case ChangesRequested():
            return voting.request_changes(review, event)
        case Answered():
            return voting.answer(review, event)
        case Commented():
            return voting.comment(review, event)
        case Escalated():
            return ladder.escalate(review, event)
        case Taken():
            return holding.take(review, event)
        case Handed():
            return holding.hand(review, event)
        case Revealed():
            return _revealed(review, event)
        case Undone():
            return granting.undo(review, event)
        case Revoked():
            return granting.revoke(review, event)
        case BrokenGlass():
            return glass.press(review, event)
        case Appealed():
            return appealing.appeal(review, event)
        case Revised():
            return revise(review, event)
        case Withdrawn():
            return granting.withdraw(review, event)
        case Redeemed():
            return granting.redeem(review, event)
        case Reported():
            return granting.report(review, event)
        case Ticked():
            return ladder.tick(review, event)
        case Held():
            return holding.hold(review, event)
        case Released():
            return holding.release(review, event)
        case Posted():
            return _posted(review, event)
        case Unreachable():
            return ladder.unreachable(review, event)
        case _:
            assert_never(event)


def _revealed(review: Review, event: Revealed) -> Transition:
    return Transition(review=review, text="Shown, and written down.", effects=(noted("review.revealed", event),))


def _posted(review: Review, event: Posted) -> Transition:
    place = {"copy": event.copy, "surface": event.target.surface, "address": event.target.address}
    entry = Record(kind="copy.posted", at=event.at, actor="placet", detail=place, public=False)
    return Transition(review=review, effects=(entry,))
