"""Everything that can happen to a review, and everything that follows from it. No I/O.

An `Interaction` is what a surface hands in: whatever a person did, in one shape. The service turns it into one of
the events below, once it is known who the person is. An event carries its instant (`at`) and all that was
already worked out for it; `lifecycle.decide` answers with a `Transition` and its effects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

from reviews.model import (
    Identity,
    Object,
    Outcome,
    Person,
    Proposal,
    Reach,
    Relation,
    Review,
    Schedule,
    Target,
    Verb,
    Vote,
)
from reviews.values import whole

#: The rung of copies no rung called for: nobody is escalated to where one of them cannot be posted.
COURTESY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What a person did on a surface.

    `review` and `revision` name what they saw; `shown` is the digest of the card as it was shown (None where the
    surface cannot tell). `copy` is the posted copy pressed, if any. `arguments` come with `edit` (complete) and
    `answer` (what was done); `reason` and `notes` are the person's words (for `stop`, `notes` is the instruction for
    the agent's next plan); `to` is the person handed to; `agent` the one stopped or resumed, where no review is;
    `bulk` the action name shared by all of a selection approved at once; `ref` where the pressed copy lies, so that
    one posted without our knowing can be adopted. `once` is the surface's id of this delivery: the same one again
    changes nothing. `mark` names the posted copy: beside `ref` the one pressed, else the one replied to, where the
    surface knows no review id.
    """

    verb: Verb
    identity: Identity
    review: str = ""
    revision: int | None = None
    copy: str | None = None
    shown: str | None = None
    arguments: Object | None = None
    reason: str | None = None
    notes: str | None = None
    to: str | None = None
    about: str | None = None
    agent: str | None = None
    bulk: str | None = None
    ref: dict[str, str] | None = None
    once: str | None = None
    mark: str | None = None


# ---------------------------------------------------------------------------------------------- people's events


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEvent:
    """What every event of a person carries. `revision` is what they saw; None means the current one."""

    person: Person
    at: datetime
    surface: str
    revision: int | None = None
    reason: str | None = None
    notes: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(PersonEvent):
    """A person says yes to the revision they saw. `reach` is whom the chain reaches now, for who comes next."""

    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(PersonEvent):
    """A person changes the arguments. `proposal` is the new revision, classified again, with its own schedule.

    `reach` is whom its chain reaches first, `turn` whom it reaches once the editor has approved it, where slots are
    filled one after the other.
    """

    proposal: Proposal
    schedule: Schedule
    reach: tuple[Reach, ...] = ()
    turn: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(PersonEvent):
    """A person says no. One is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesRequested(PersonEvent):
    """A person wants another proposal. `about` names a marked snippet."""

    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(PersonEvent):
    """A person did the work in the agent's stead; `answer` is what they did."""

    answer: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented(PersonEvent):
    """A person remarks; `reason` is the remark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated(PersonEvent):
    """A person calls the next rung now."""

    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(PersonEvent):
    """A person takes the review: they own it and the ladder pauses until `until`."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed(PersonEvent):
    """A person hands the review to another, `to`, told at `targets`; the ladder pauses until `until`."""

    to: Person
    until: datetime
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed(PersonEvent):
    """A person looked at what is redacted; `reason` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(PersonEvent):
    """A voter takes back an approval not used yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(PersonEvent):
    """A senior takes back an approval not used yet. `senior_level` is the level that may."""

    senior_level: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGlass(PersonEvent):
    """An emergency approval: the first person who may asks for it, a second one who may observes it.

    `allowed` says whether this person may; the second must come within `window`, told at `targets` (every place and
    person it concerns); the approval is good for `valid_for` at most.
    """

    allowed: bool
    window: timedelta
    valid_for: timedelta
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Appealed(PersonEvent):
    """A person holds a rejection to be wrong: somebody of `level` or more, who did not reject it, looks again.

    `allowed` says whether this person may appeal; `level` is None where nobody of a level high enough is known.
    `follow` is the fresh id of the review that is opened, should it come to that.
    """

    allowed: bool
    level: int | None
    follow: str


# ---------------------------------------------------------------------------------------------- the agent's events


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """The agent proposes anew."""

    at: datetime
    proposal: Proposal
    schedule: Schedule
    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The agent no longer needs it."""

    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """The agent turns its approval into the act. `redemption_id` is fresh; `key` its idempotency key."""

    at: datetime
    digest: str
    redemption_id: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The agent says how it went."""

    at: datetime
    outcome: Outcome


# ---------------------------------------------------------------------------------------------- the house's events


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """Time has passed: whatever is due at `at` happens. `epoch` is the ladder's when the alarm was set."""

    at: datetime
    epoch: int | None = None
    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The agent was stopped: clocks stop and yes is not said. `instruction` is for its next plan."""

    at: datetime
    by: str
    reason: str | None = None
    instruction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The agent may go on: clocks go on from where they stopped.

    `schedule` and `reach` are as of now; a review that had not started sets out by them.
    """

    at: datetime
    by: str
    schedule: Schedule | None = None
    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A copy of the card reached its place."""

    at: datetime
    copy: str
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """Nobody could be reached by rung `rung` of run `epoch`: the next rung goes at once. `why` is a sentence.

    `instead` is another place of the same person, which is tried first.
    """

    at: datetime
    epoch: int
    rung: int
    why: str
    reach: tuple[Reach, ...] = ()
    instead: Target | None = None


Event: TypeAlias = (
    Approved
    | Edited
    | Rejected
    | ChangesRequested
    | Answered
    | Commented
    | Escalated
    | Taken
    | Handed
    | Revealed
    | Undone
    | Revoked
    | BrokenGlass
    | Appealed
    | Revised
    | Withdrawn
    | Redeemed
    | Reported
    | Ticked
    | Held
    | Released
    | Posted
    | Unreachable
)


# ---------------------------------------------------------------------------------------------- effects


class Message(StrEnum):
    """What an agent is told by a callback."""

    DECIDED = "review.decided"
    CHANGES_REQUESTED = "review.changes_requested"
    ESCALATED = "review.escalated"
    REVOKED = "review.revoked"
    APPEALED = "review.appealed"
    AGENT_STOPPED = "agent.stopped"
    AGENT_RESUMED = "agent.resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An entry for the log: what happened (`kind`, dotted), who did it, when, and the particulars.

    `public` entries are shown to the agent in the review's history; all are shown to reviewers.
    """

    kind: str
    at: datetime
    actor: str
    detail: Object = field(default_factory=dict)
    public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A vote to be kept, one per person and revision; `again` lets a rejection follow one's own approval."""

    vote: Vote
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang:
    """Rung `rung` of run `epoch` fired; unique for ever."""

    epoch: int
    rung: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A new copy is wanted at `target`, called for by rung `rung` of run `epoch`."""

    target: Target
    epoch: int
    rung: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Every copy must come to show the review's new version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """The agent must be told."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Another review follows from this one, opened in the same transaction, which `excluded` may not decide.

    `level` is what whoever decides it must have at least; None: who decided the first may be needed again.
    `id` is the new review's; empty: any fresh one.
    """

    relation: Relation
    id: str = ""
    excluded: frozenset[str] = frozenset()
    level: int | None = None


Effect: TypeAlias = Record | Cast | Rang | Post | Refresh | Deliver | Follow


class Answer(StrEnum):
    """How an event was taken. `missing`: there is no such review."""

    DONE = "done"
    SAME = "same"
    WHISPER = "whisper"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    GONE = "gone"
    LOCKED = "locked"
    MISSING = "missing"


@whole
@dataclass(frozen=True, kw_only=True)
class Transition:
    """What an event came to: the review after it, what must be done, and what is said to whoever caused it.

    `text` is a sentence for a person. For answers other than `done` the review is unchanged, apart from what
    time alone brought. `opened` are the reviews that follow from it, once they are kept.
    """

    review: Review
    answer: Answer = Answer.DONE
    text: str = ""
    effects: tuple[Effect, ...] = ()
    opened: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person is told after an interaction. `errors` maps a form field (JSON Pointer) to its fault."""

    answer: Answer
    text: str
    review: Review | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["good", "bad"]:
        """`good` when it was done or stands already; else `bad`."""
        return "good" if self.answer in (Answer.DONE, Answer.SAME) else "bad"
