"""What the house keeps, and the port it keeps it through. No I/O here: `storage/` implements it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from reviews.card import Tone
from reviews.events import Effect, Record
from reviews.model import Object, Review, Status, Target
from reviews.ports import Backlog, MessageRef
from reviews.values import whole

T = TypeVar("T")

_RECEIVER = re.compile(r"[^:/?#]+://(?:[^/?#@]*@)?([^/?#]*)")


class CopyKind(StrEnum):
    """What a copy is of: one review's card, a place's queue card of reviews folded there, or a bulletin."""

    CARD = "card"
    QUEUE = "queue"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One posted message of a card. `shown` < `wanted` means it must be drawn again.

    `state`: `new` (never posted), `posting` (a post is under way, or its answer was lost), `posted`, `unknown`
    (posted perhaps, cannot be found), `folded` (shown in its place's queue card instead), `over` (an emptied queue
    card, or a folded copy that a later run replaced), `failed`. `due_at` is when the worker may try next. `told` is
    the log's number up to which news was said beneath it. `lease` is until when whoever claimed it last works on it:
    kept under another lease than the row's, it is late. `review` is empty for a queue card and a bulletin's id for a
    notice. `muted` says why it was posted and calls nobody (`Ana has paused notifications`); empty where it calls.
    """

    id: str
    review: str
    target: Target
    epoch: int
    rung: int
    state: str
    wanted: int
    shown: int
    created_at: datetime
    attempts: int = 0
    ref: MessageRef | None = None
    error: str | None = None
    kind: CopyKind = CopyKind.CARD
    told: int = 0
    lease: datetime | None = None
    muted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """A message of the house to people, of no one review: a queue too deep, a gap on call, glass broken, a digest.

    `id` begins with `bul_`. Its copies are posted like a card's and never redrawn.
    """

    id: str
    title: str
    text: str
    at: datetime
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A person stopped an agent; `instruction` is what its next plan is to heed. A string each, ids for people."""

    by: str
    at: datetime
    reason: str
    instruction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A person is away until an instant; `by` is who said so."""

    person: str
    until: datetime
    by: str


@whole
@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message to an agent's callback. `body` was frozen when it was decided.

    `state`: `due`, `done`, `gone` (410), `dead` (given up; people are told), `id` is the `webhook-id`. `lease` is
    until when it is claimed; None for who holds no claim and changes it all the same.
    """

    id: str
    review: str
    agent: str
    message: str
    url: str
    body: bytes
    state: str
    due_at: datetime
    attempts: int = 0
    error: str | None = None
    created_at: datetime | None = None
    lease: datetime | None = None

    @property
    def receiver(self) -> str:
        """Host and port the URL names: what waits for one receiver delays no other. Total, at most 255 characters."""
        named = _RECEIVER.match(self.url)
        return named[1].lower()[:255] if named else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A program that may ask: its key's digest (hex SHA-256), callback secrets and limits.

    `secrets` are `whsec_…`, newest first (an older one stays while receivers change over). `hosts` are the
    callback hosts allowed, empty meaning any the operator allows. `sandbox` is the scripted answer of a
    sandbox key, None for a real one. `rate` and `burst` are requests per second and at once. `resuming` is who
    ended its last stop, while some of what was held by it may still have to be let go.
    """

    name: str
    key_hash: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    owners: tuple[str, ...] = ()
    acts_for: str | None = None
    scopes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    rate: float = 100.0
    burst: int = 500
    max_open: int = 1000
    sandbox: str | None = None
    revoked: bool = False
    stop: Stop | None = None
    resuming: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A secret handed to a person: a `link` (opens a session), a `session` (web) or a `token` (votes over HTTP).

    `hash` is hex SHA-256 of the secret. `via` says what opened a session: `link`, `demo` or `oidc`; `scope` is
    the review a link was made for, None for all.
    """

    hash: str
    kind: str
    person: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    via: str = ""
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log, as kept: `body` is the canonical bytes that will be proved, `detail` the particulars."""

    seq: int
    at: datetime
    review: str | None
    kind: str
    actor: str
    body: bytes
    detail: Object
    public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which reviews to list. Empty tuples and None mean no restriction. `after` is a `seq` for paging.

    `order`: `newest`, `oldest`, `priority`. `roles` are roles needed; `called` a person called; any of the two
    lets a review in. `live`: open, or approved with a right to act that is not used up. `held`: only those held, or
    only those not. `asked`: only what agents asked for, not what follows from it (`Review.about`).
    """

    agent: str | None = None
    statuses: tuple[Status, ...] = ()
    action: str | None = None
    subject: str | None = None
    roles: tuple[str, ...] = ()
    called: str | None = None
    levels_up_to: int | None = None
    open_only: bool = False
    live: bool = False
    held: bool | None = None
    asked: bool = False
    order: str = "newest"
    limit: int = 50
    offset: int = 0
    before_seq: int | None = None


class Tx(Protocol):
    """One transaction. Domain values in and out; called inside `Store.tx(fn)`, where `fn` may be run again."""

    def now(self) -> datetime:
        """The transaction's instant: the database's clock on PostgreSQL, else the store's Clock."""
        ...

    # reviews
    def open(self, review: Review, effects: Sequence[Effect], *, key: str | None, fingerprint: str) -> Review:
        """Keep a new review with its effects' rows. Returns it with its `seq`. Raises Duplicate for a key in use."""
        ...

    def by_key(self, agent: str, key: str) -> tuple[Review, str] | None:
        """The review this agent asked for under this idempotency key, and the fingerprint it had then."""
        ...

    def lock(self, review_id: str) -> Review | None:
        """Read a review and lock its row: every transition begins here."""
        ...

    def read(self, review_id: str) -> Review | None:
        """Read a review without locking it."""
        ...

    def save(self, before: Review, after: Review, effects: Sequence[Effect]) -> None:
        """Keep a transition: review, revision if new, votes, rungs, copies wanted, log entries."""
        ...

    def find(self, query: Query) -> list[Review]:
        """List reviews."""
        ...

    def count(self, query: Query, *, at_most: int | None = None) -> int:
        """How many a query would list without its limit; counting ends at `at_most`."""
        ...

    def revisions(self, review_id: str) -> list[Object]:
        """Every revision kept, oldest first: `{revision, action, arguments, digest, proposed_by, at}`."""
        ...

    def recent(self, agent: str, subject: str | None, since: datetime) -> list[tuple[datetime, float | None]]:
        """Instants and amounts of this agent's reviews of this subject since then, for the policy's counters.

        What follows from a review (`Review.about`) is not counted: the agent asked once.
        """
        ...

    def due(self, now: datetime, limit: int) -> list[Review]:
        """Lock and return reviews whose alarm is due, the longest overdue first, skipping those others hold."""
        ...

    def next_due(self) -> datetime | None:
        """When the earliest alarm rings."""
        ...

    def set_aside(self, review_id: str, why: str, until: datetime) -> None:
        """Keep a review whose alarm could not be handled from ringing again before `until`."""
        ...

    # copies
    def claim_copies(self, now: datetime, lease_until: datetime, limit: int) -> list[Copy]:
        """Claim copies that are due and not as wanted, until the lease ends. A new one becomes `posting`."""
        ...

    def keep_copy(self, copy: Copy, due_at: datetime | None) -> bool:
        """Keep what came of a copy. `due_at` is when to try again; None when nothing is to be done.

        Whether it counted: of what comes after the lease only a message nobody else knows of is kept.
        """
        ...

    def copy(self, copy_id: str) -> Copy | None:
        """Read one copy."""
        ...

    def copies(self, review_id: str) -> list[Copy]:
        """All copies of a review."""
        ...

    def copy_by_mark(self, surface: str, mark: str) -> Copy | None:
        """The copy whose `ref.mark` this is."""
        ...

    def adopt_copy(self, copy: Copy) -> None:
        """Keep a copy found in the world: its row made or changed, `shown=0`, due now."""
        ...

    def standing(self, surface: str, address: str, state: str, limit: int) -> list[Copy]:
        """Copies (of cards) of open reviews in a state at an address, oldest first."""
        ...

    def want_queue(self, surface: str, address: str) -> None:
        """The queue card there must be drawn again, a second from now; it is made if there is none."""
        ...

    # what came once, who is away, where surfaces reach whom
    def once(self, key: str, *, within: timedelta | None = None) -> bool:
        """Whether this is the first time, or the first within so long. Kept with the transaction."""
        ...

    def forget_once(self, before: datetime) -> None:
        """Forget keys older than this."""
        ...

    def put_absence(self, absence: Absence) -> None:
        """Keep that a person is away; an `until` that has passed ends it."""
        ...

    def absences(self) -> list[Absence]:
        """Who is away now."""
        ...

    def put_reference(self, surface: str, key: str, fields: Mapping[str, str]) -> None:
        """Keep where a surface reaches somebody or some place, in its own words."""
        ...

    def reference(self, surface: str, key: str, *, change: bool = False) -> dict[str, str] | None:
        """What was kept so; None when nothing was. To `change` it is read so that nobody else reads it so meanwhile."""
        ...

    # the house's own messages, and the load on people
    def put_bulletin(self, bulletin: Bulletin, targets: Sequence[Target]) -> None:
        """Keep a bulletin and a new copy of it for each target, due now. The same id again changes nothing."""
        ...

    def bulletin(self, bulletin_id: str) -> Bulletin | None:
        """Read a bulletin."""
        ...

    def notices(self, person: str, places: Sequence[Target], since: datetime, limit: int) -> list[Bulletin]:
        """The bulletins since then that went to a person, on any surface, or to one of these places; newest first."""
        ...

    def backlog(self) -> list[Backlog]:
        """What waits for each role and level, of open reviews; none held, none of a sandbox."""
        ...

    def pace(self, agent: str, since: datetime) -> int:
        """How many of an agent's reviews have ended since then."""
        ...

    # deliveries
    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a message to an agent. Raises Duplicate for an id in use."""
        ...

    def claim_deliveries(
        self, now: datetime, lease_until: datetime, limit: int, *, each: int, busy: Mapping[str, int]
    ) -> list[Delivery]:
        """Claim deliveries that are due until the lease ends: `each` to one receiver, less those it is `busy` with."""
        ...

    def keep_delivery(self, delivery: Delivery) -> bool:
        """Keep what came of a delivery (state, due_at, attempts, error).

        Whether it counted: of what comes after the lease only what the receiver said for good is kept.
        """
        ...

    def deliveries(self, *, review: str | None = None, state: str | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        ...

    def next_outbound(self) -> datetime | None:
        """When the next copy or delivery is due."""
        ...

    # the log
    def record(self, entry: Record, review: str | None = None) -> None:
        """Append an entry to the log."""
        ...

    def log(self, *, review: str | None = None, after: int = 0, limit: int = 200, public: bool = False) -> list[Entry]:
        """Read the log, oldest first, from after a sequence number."""
        ...

    # keys, people's secrets, policies
    def put_agent(self, agent: Agent) -> None:
        """Keep an agent, new or changed."""
        ...

    def agents(self) -> list[Agent]:
        """Every agent."""
        ...

    def agent(self, name: str, *, change: bool = False) -> Agent | None:
        """One agent as it stands now, and so to the end of this transaction; a transition that depends on it reads it
        here. To `change` it is read so that nobody else reads it here meanwhile.
        """
        ...

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket, new or changed."""
        ...

    def ticket(self, hash: str) -> Ticket | None:
        """Read a ticket by the hash of its secret."""
        ...

    def put_policy(self, name: str, version: int, sha256: str, text: str, at: datetime) -> None:
        """Keep a loaded text. Raises PolicyConflict when this name and version had another text."""
        ...

    def policy_text(self, sha256: str) -> str | None:
        """A kept policy text by its hash."""
        ...

    def stats(self, since: datetime) -> list[Object]:
        """Per rule: `{rule, asked, approved, rejected, expired, p50, p95}`; times in seconds from ask to decision."""
        ...


class Store(Protocol):
    """Where everything is kept. The row is the truth."""

    async def tx(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction. `fn` is synchronous, has no side effects, and may be run again.

        Raises whatever `fn` raises (nothing is kept then), or StoreUnavailable.
        """
        ...

    async def view(self, fn: Callable[[Tx], T]) -> T:
        """Run a read-only `fn`. Raises StoreUnavailable."""
        ...

    async def start(self) -> None:
        """Open, migrate, take what locks there are."""
        ...

    async def stop(self) -> None:
        """Finish what was begun and close."""
        ...

    def listen(self) -> AsyncIterator[str]:
        """Names of what other processes changed (`review:ID`), where the engine can tell."""
        ...

    def facts(self) -> dict[str, Any]:
        """What to show an operator: engine, version, journal, warnings."""
        ...
