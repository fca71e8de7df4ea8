"""The values of the domain: what an agent asks, what the policy answered, what people did. No I/O.

All instants are timezone-aware UTC datetimes, all durations timedeltas; `Object` is a JSON object as parsed.
Every value is frozen: a change makes a new one (`dataclasses.replace`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from reviews.values import whole

Object: TypeAlias = dict[str, Any]


class Status(StrEnum):
    """Where a review stands; the last five are ends."""

    PENDING = "pending"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"

    @property
    def over(self) -> bool:
        """Whether the review has come to its end."""
        return self not in (Status.PENDING, Status.CHANGES_REQUESTED)


class Cause(StrEnum):
    """What brought a review to its end. A timeout is never a person's rejection, nor the other way round."""

    HUMAN = "human"
    POLICY = "policy"
    TIMEOUT = "timeout"
    AGENT = "agent"
    BREAK_GLASS = "break_glass"


class Tier(StrEnum):
    """How much of a person an action needs, by strictness."""

    AUTO = "auto"
    SAMPLE = "sample"
    CONFIRM = "confirm"
    APPROVE = "approve"
    DUAL = "dual"
    HUMAN_ONLY = "human_only"
    DENY = "deny"

    @property
    def strictness(self) -> int:
        """0 for `auto` up to 6 for `deny`."""
        return _TIERS.index(self)

    @property
    def asks(self) -> bool:
        """Whether a person must speak before the agent acts."""
        return self in (Tier.CONFIRM, Tier.APPROVE, Tier.DUAL, Tier.HUMAN_ONLY)


_TIERS = tuple(Tier)


class RiskLevel(StrEnum):
    """How bad a mistake would be."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for critical."""
        return _RISKS.index(self)


_RISKS = tuple(RiskLevel)


class ReviewType(StrEnum):
    """What kind of look is asked for."""

    APPROVAL = "approval"
    FEEDBACK = "feedback"
    HANDOFF = "handoff"
    PLAN = "plan"


class GrantState(StrEnum):
    """What became of the right to act."""

    OPEN = "open"
    USED = "used"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    RETURNED = "returned"


class Order(StrEnum):
    """Whether slots are filled in any order or one after the other."""

    ANY = "any"
    SEQUENCE = "sequence"


class Then(StrEnum):
    """What the end of a chain does. Silence is never an approval."""

    EXPIRE = "expire"
    HOLD = "hold"
    FALLBACK_ROLE = "fallback-role"
    HUMAN_ONLY = "human_only"


class Verb(StrEnum):
    """Every way a person may touch a review, on every surface."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    ANSWER = "answer"
    COMMENT = "comment"
    ESCALATE = "escalate"
    TAKE = "take"
    HAND = "hand"
    REVEAL = "reveal"
    UNDO = "undo"
    REVOKE = "revoke"
    BREAK_GLASS = "break_glass"
    STOP = "stop"
    RESUME = "resume"
    APPEAL = "appeal"


class Right(StrEnum):
    """What a role lets people do beyond deciding (`roles: X: {may: [...]}`)."""

    STOP = "stop"
    BREAK_GLASS = "break_glass"
    APPEAL = "appeal"
    POLICY = "policy"


class Relation(StrEnum):
    """Why the house opened a review about another one."""

    FEEDBACK = "feedback"
    APPEAL = "appeal"
    AFTER_GLASS = "after_glass"


#: What an agent may ask to be left out; approving and rejecting always stay.
OPTIONAL_DECISIONS = frozenset({Verb.EDIT, Verb.REQUEST_CHANGES})
#: The decisions a reviewer has when nothing was left out.
ALL_DECISIONS = (Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.REQUEST_CHANGES)


# ---------------------------------------------------------------------------------------------- the request


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the agent proposes to do. `schema` is JSON Schema 2020-12 for `arguments`; `preview` a dry run's words."""

    name: str
    arguments: Object = field(default_factory=dict)
    schema: Object | None = None
    reversible: bool | None = None
    preview: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskClaim:
    """What the agent says about risk; it can only raise what the catalogue says. `score` 0..1, `sentiment` -1..1."""

    level: RiskLevel | None = None
    score: float | None = None
    amount: float | None = None
    currency: str | None = None
    domain: str | None = None
    sentiment: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One source a claim rests on. `score` 0..1."""

    title: str
    snippet: str | None = None
    url: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the conversation that led here."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a person needs to judge the action."""

    goal: str | None = None
    reasoning: tuple[str, ...] = ()
    conversation: tuple[Turn, ...] = ()
    attempted: tuple[str, ...] = ()
    failure: str | None = None
    facts: Object = field(default_factory=dict)
    policy: tuple[str, ...] = ()
    recommendation: str | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """Which agent made the result under review, by its own account."""

    agent_id: str | None = None
    result_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UiHint:
    """How the agent would like the card to look; wishes, not orders."""

    show_snippets: bool = True
    highlight_terms: tuple[str, ...] = ()


@whole
@dataclass(frozen=True, kw_only=True)
class Request:
    """A review request, checked and normalised. Field names are the wire's (the task envelope of the field).

    `result` requests arrive with `action` already made from the result (`name="result"`), so that the domain
    knows one shape only. `confidence` is 0..1; `sensitive` are JSON Pointers from the request's root.
    """

    action: Action
    subject: str | None = None
    summary: str | None = None
    confidence: float | None = None
    risk: RiskClaim = field(default_factory=RiskClaim)
    task_id: str | None = None
    correlation_id: str | None = None
    session_id: str | None = None
    trigger_id: str | None = None
    producer: Producer | None = None
    validation_id: str | None = None
    validation: Object | None = None
    on_behalf_of: str | None = None
    scopes: tuple[str, ...] = ()
    review_type: ReviewType = ReviewType.APPROVAL
    reviewer_role: str | None = None
    review_deadline: datetime | None = None
    escalate_after_seconds: float | None = None
    allowed_decisions: tuple[Verb, ...] | None = None
    callback_url: str | None = None
    context: Context = field(default_factory=Context)
    evidence: tuple[Evidence, ...] = ()
    sensitive: tuple[str, ...] = ()
    ui_hint: UiHint = field(default_factory=UiHint)
    metadata: Object = field(default_factory=dict)


# ---------------------------------------------------------------------------------------------- the route


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One slot to be filled by one person: somebody of `role`, or, where no role is said, of at least `level`.

    Exactly one of the two is set.
    """

    role: str | None = None
    level: int | None = None

    def __str__(self) -> str:
        return self.role if self.role is not None else f"level {self.level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of escalation: after how long, whom, by which way.

    `notify` holds targets as the policy names them: `channel:role` (the channels of the roles needed),
    `role:NAME`, `person:ID`, `oncall:ROTATION.LAYER`. `via` holds ways: `channel dm sms email call web`;
    empty means by preference. Who is reached may decide unless `notify_only`. The last rung of a chain may
    notify nobody and say only what happens `then`. A `remind` rung notifies nobody: who was called is told again.
    `clock` is what `after` counts: `always`, or `business` for business hours only.
    """

    after: timedelta
    notify: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    notify_only: bool = False
    then: Then | None = None
    clock: str = "always"
    remind: bool = False


@whole
@dataclass(frozen=True, kw_only=True)
class Route:
    """What the policy answered, frozen into a revision.

    `risk` and `reversible` are the effective ones (catalogue and claim, the stricter). `sensitive` are JSON
    Pointers from the request's root, the catalogue's and the agent's together. `schema` is the one arguments are
    checked against (the catalogue's where there is one). `p` is the probability 0..1 that a sampled review is
    drawn. `shadow` means: recorded, let through. `rule` is the name of the rule, or `default`. `undo` is how long
    an approval rests before the agent may use it; `assign_one`: one holder of each role needed is called, not all.
    `explanation` is the sentence shown to people and agents for why this route was taken.
    """

    tier: Tier
    needs: tuple[Need, ...] = ()
    order: Order = Order.ANY
    sla: timedelta | None = None
    chain: tuple[Rung, ...] = ()
    chain_name: str = ""
    allowed: tuple[Verb, ...] = ALL_DECISIONS
    valid_for: timedelta = timedelta(hours=1)
    reply_within: timedelta = timedelta(hours=24)
    reasons: tuple[str, ...] = ()
    guide: str | None = None
    risk: RiskLevel = RiskLevel.MEDIUM
    reversible: bool = False
    amount: float | None = None
    sensitive: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()
    schema: Object | None = None
    listed: bool = False
    rule: str = "default"
    explanation: str = ""
    p: float | None = None
    shadow: bool = False
    undo: timedelta = timedelta(0)
    assign_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The chain's instants, already worked out through business hours and holidays.

    `rungs` is aligned with `Route.chain` and never decreases. `sla_at` is when the promise is broken,
    `deadline_at` when the review expires.
    """

    rungs: tuple[datetime, ...]
    deadline_at: datetime
    sla_at: datetime | None = None


@whole
@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One revision of a review: what is proposed, how it was routed, and its digests (hex SHA-256).

    `proposed_by` is `agent` or the person whose edit made this revision. `policy` is
    `name@version#sha256:…`. `trace` is the policy's explanation as JSON.
    """

    revision: int
    request: Request
    route: Route
    digest: str
    request_digest: str
    policy: str
    proposed_by: str = "agent"
    trace: tuple[Object, ...] = ()


# ---------------------------------------------------------------------------------------------- people


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human known to the operator. `level` is the highest of their roles'; `scopes` what they may decide.

    `may` are the rights their roles give; `groups` are the roles they hold by being in a group of a surface, and in
    which (`Slack group S01AB`).
    """

    id: str
    name: str
    roles: frozenset[str] = frozenset()
    level: int = 0
    scopes: frozenset[str] = frozenset()
    auditor: bool = False
    may: frozenset[Right] = frozenset()
    groups: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def reads_all(self) -> bool:
        """Whether they may read every review: auditors, and who must know what to break the glass for."""
        return self.auditor or Right.BREAK_GLASS in self.may

    def fills(self, need: Need) -> bool:
        """Whether they could fill a slot by role or level, as far as who they are goes."""
        return need.role in self.roles if need.role is not None else self.level >= (need.level or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A verified id on a surface; names and e-mails never count.

    `tenant` is the Slack team, the Entra tenant, or on the web how the session was opened (`Session.via`).
    """

    surface: str
    id: str
    tenant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place a card goes to. `address` is the surface's own (channel, user id); `person` whose it is, if one's.

    `thread` names the message there beneath which it goes, in the surface's own words; empty for none.
    """

    surface: str
    address: str
    person: str | None = None
    thread: str = ""


@whole
@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whom a rung reaches at this instant.

    `persons` maps person id to the source of their call (`oncall:it-ops.primary (short form)`); `targets` are
    the places a card is posted to, possibly none where a live queue shows it anyway; `unreachable` says in a
    sentence why the rung reaches nobody, and is None when it reaches somebody. Both targets and `unreachable`: the
    card is posted, yet nobody is likely to notice it, so the next rung goes at once. `assigned` are the persons the
    review is theirs to look at first. `missed` says, of a rung that does reach somebody, whom and what it does not
    (`sms is not set up here.`).
    """

    persons: dict[str, str] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    unreachable: str | None = None
    assigned: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one person pressed on one revision.

    `slots` are the indices of needs this person can fill, in order of preference; `eligibility` says why
    (`role manager`, `oncall:it-ops.secondary`). `shown` is the digest of the card as it was shown.
    """

    person: str
    name: str
    verb: Verb
    revision: int
    at: datetime
    surface: str
    slots: tuple[int, ...] = ()
    eligibility: str = ""
    reason: str | None = None
    notes: str | None = None
    digest: str = ""
    shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A remark that goes to the agent with the decision."""

    person: str
    name: str
    text: str
    at: datetime
    surface: str


# ---------------------------------------------------------------------------------------------- the review


@whole
@dataclass(frozen=True, kw_only=True)
class Ladder:
    """One run of the chain. Rungs `0 … fired-1` have fired; `paused_until` is set by taking the review.

    `by_hand`: nobody may approve any more, only do it themselves (`then: human_only` has come).
    """

    epoch: int
    schedule: Schedule
    fired: int = 0
    sla_passed: bool = False
    paused_until: datetime | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The right to act an approval gives, once, for the approved digest, from `usable_from` on, before `valid_until`.

    `usable_from` None: at once.
    """

    state: GrantState
    valid_until: datetime
    usable_from: datetime | None = None
    redemption_id: str | None = None
    redeem_key: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A filled slot in a decision: who, for which need, on which surface."""

    person: str
    name: str
    role: str
    slot: int
    surface: str
    at: datetime
    eligibility: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the review came to. `answer` is what a person did in the agent's stead (handoff, human_only)."""

    verdict: Status
    cause: Cause
    decided_at: datetime
    revision: int
    digest: str
    by: tuple[Seat, ...] = ()
    reason: str | None = None
    notes: str | None = None
    answer: Object | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went, by the agent's report: `succeeded`, `failed` or `reverted`."""

    result: str
    at: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a reviewer asked to be changed. `about` names a marked snippet, if one was marked."""

    person: str
    name: str
    text: str
    at: datetime
    revision: int
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """Somebody has begun to break the glass; a second person who may must observe it before `until`."""

    person: str
    name: str
    reason: str
    surface: str
    at: datetime
    until: datetime


@whole
@dataclass(frozen=True, kw_only=True)
class Review:
    """One thing a person must look at.

    `version` counts every change of what a card shows. `called` maps the people a rung reached (electors)
    to the source of their call. `original` is the arguments of revision 1, for the changes shown.
    `owners` are the persons who own the agent; `principal` the person its key acts for, who alone may `confirm`;
    `named` those the agent said it acts for, in any revision: by its word people are left out, never let in.
    `about` is the review this one follows from and `relation` why; both mean nothing where `about` is None.
    `excluded` are persons who may not decide it, for they decided what it is about. `assigned` are those it was given
    to, of many who could. `instruction` is what the agent's next plan is to heed, said when it was stopped. What was
    asked by a stopped agent has not `started`: nobody was called and policy has decided nothing. `appeal` is the
    review in which a rejection is looked at again.
    """

    id: str
    agent: str
    created_at: datetime
    proposal: Proposal
    ladder: Ladder
    status: Status = Status.PENDING
    version: int = 1
    votes: tuple[Vote, ...] = ()
    comments: tuple[Comment, ...] = ()
    changes: tuple[Change, ...] = ()
    called: dict[str, str] = field(default_factory=dict)
    original: Object = field(default_factory=dict)
    owners: frozenset[str] = frozenset()
    principal: str | None = None
    named: frozenset[str] = frozenset()
    owner: str | None = None
    reply_by: datetime | None = None
    held_since: datetime | None = None
    decision: Decision | None = None
    grant: Grant | None = None
    outcomes: tuple[Outcome, ...] = ()
    about: str | None = None
    relation: Relation = Relation.FEEDBACK
    excluded: frozenset[str] = frozenset()
    assigned: tuple[str, ...] = ()
    glass: Glass | None = None
    appeal: str | None = None
    instruction: str | None = None
    started: bool = True
    sandbox: bool = False
    seq: int = 0

    @property
    def revision(self) -> int:
        """The current revision, from 1."""
        return self.proposal.revision

    @property
    def request(self) -> Request:
        """The request of the current revision."""
        return self.proposal.request

    @property
    def route(self) -> Route:
        """The route of the current revision."""
        return self.proposal.route

    @property
    def held(self) -> bool:
        """Whether the agent is stopped, which stops this review's clocks."""
        return self.held_since is not None

    @property
    def afterwards(self) -> bool:
        """Whether it looks at what was done already, so that its approval gives no right to act."""
        if self.request.review_type is ReviewType.FEEDBACK:
            return True
        return self.about is not None and self.relation is not Relation.APPEAL

    @property
    def edited(self) -> bool:
        """Whether the arguments are no longer the agent's first ones."""
        # By type too: to Python, 1 and True are equal.
        return repr(self.request.action.arguments) != repr(self.original)

    def votes_now(self) -> tuple[Vote, ...]:
        """The votes that count: those of the current revision, never of an earlier one."""
        return tuple(v for v in self.votes if v.revision == self.revision)
