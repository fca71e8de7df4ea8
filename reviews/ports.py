"""What the domain needs of the world, in a few methods each. No I/O here: others implement these.

Outward: `Surface` (an adapter), `Clock`, and `Store` in `reviews/keeping.py`. Inward: `Desk`, implemented by the
service and handed to every adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from reviews.card import Card, Form, Happening
from reviews.events import Interaction, Reply
from reviews.model import Identity, Person, RiskLevel, Status, Target

# ---------------------------------------------------------------------------------------------- surfaces


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Where a posted copy lies, in the surface's own words (`{"channel": …, "ts": …}`).

    `mark` is how a reply to it names it (`C1:1700.1`), unique on its surface; empty where replies name nothing.
    `muted` says in a sentence why whom it was posted to does not notice (`Ana has paused notifications`); else empty.
    """

    surface: str
    ref: dict[str, str]
    mark: str = ""
    muted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a surface can do.

    `live` surfaces draw from the database whenever looked at, so a role's queue needs no posted copy.
    `finds` says whether `find` can look for an earlier post. `per_second` paces posts to one address. Where nothing
    can be `redrawn` (an SMS), what was posted is never updated and only its review's end is noted. A `shared`
    surface is one address for everybody called (a pager).
    """

    threads: bool
    live: bool
    finds: bool
    max_bytes: int
    per_second: float
    redrawn: bool = True
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a surface works, and in a sentence what is wrong and how to mend it."""

    ok: bool
    text: str = ""


class References(Protocol):
    """Where one surface reaches people and rooms, kept over restarts in its own words. Raises StoreUnavailable."""

    async def get(self, key: str) -> Mapping[str, str] | None:
        """What was kept under a key."""
        ...

    async def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Keep it, over what was there."""
        ...


class Surface(Protocol):
    """A place where people see cards and press buttons. One adapter each.

    `post`, `update` and `whisper` raise SurfaceUnavailable (try later), SurfaceRefused (never) or
    SurfaceAmbiguous (a post whose answer was lost).
    """

    name: str
    abilities: Abilities
    #: Whose workspace it is. None: this surface has none; empty: not known yet, and nobody is let in.
    tenant: str | None

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        """Put a new copy of the card at the target, marked with `copy_id` where the vendor allows it."""
        ...

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Make a posted copy show this card."""
        ...

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        """Say beneath a posted copy what happened. Said at most once; raises as `update`. Live surfaces do nothing."""
        ...

    async def whisper(self, identity: Identity, text: str) -> None:
        """Tell one person something nobody else sees."""
        ...

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        """Look for a copy that may have been posted. None: surely not there.

        Raises as `post` when unsure, SurfaceBlind where looking is not permitted.
        """
        ...

    async def health(self) -> Health:
        """Whether cards can be posted now."""
        ...


# ---------------------------------------------------------------------------------------------- the desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why somebody may not, in a sentence for them alone."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which reviews: `mine` (called to me, owned by me), `roles` (my roles'), `decided` (over), `all` (who may
    read all: auditors, and who may break the glass).
    """

    view: str = "roles"
    action: str | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A line of the queue. `priority` is higher for what should be looked at first."""

    id: str
    seq: int
    title: str
    action: str
    agent: str
    status: Status
    risk: RiskLevel
    tier: str
    priority: float
    created_at: datetime
    deadline_at: datetime
    owner: str | None
    waiting_for: str
    held: bool
    bulk: bool
    revision: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for a role (`manager`) or a level (`level 2`): how many reviews, and since when the oldest."""

    whom: str
    waiting: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """A page of the queue, most urgent first (newest first for `decided`). `counts` by view.

    `backlog` is what waits for each of the person's roles; for an auditor, for every role.
    """

    items: tuple[QueueItem, ...]
    cursor: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    backlog: tuple[Backlog, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something changed: the review `review` now stands at `version`; `person` was called, if one was."""

    review: str
    version: int
    status: Status
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks people to look at.

    `text` is what was pointed at (untrusted), `link` where it stands, `place` where they asked, `once` the surface's
    id of the asking.
    """

    person: Person
    text: str
    summary: str
    role: str | None = None
    link: str = ""
    place: Target | None = None
    once: str | None = None


class Desk(Protocol):
    """What a surface may ask of the house."""

    async def who(self, identity: Identity) -> Person | Refusal:
        """The person behind a verified identity. Nobody or two: a refusal, never a guess."""
        ...

    async def interact(self, interaction: Interaction) -> Reply:
        """Take what a person did. The reply is committed before it is given."""
        ...

    async def queue(self, person: Person, filter: QueueFilter) -> QueuePage:
        """The reviews this person may see, most urgent first."""
        ...

    async def read(self, review: str, person: Person, *, surface: str, reveal: bool = False) -> Card:
        """The full card as this person may see it. Raises NotFound when they may not."""
        ...

    async def command(self, person: Person, text: str, *, surface: str) -> Card:
        """Answer a typed command (`list`, `mine`, `show ID`, `oncall`, `explain ID`, `away`, `help`)."""
        ...

    async def home(self, person: Person) -> Card:
        """What waits for this person, most urgent first; what they decided; who is on call; whether they are away."""
        ...

    async def asking(self, person: Person) -> Form | Refusal:
        """The form to ask for a review with (`summary`, `text`, `role`); a refusal where asking is switched off."""
        ...

    async def ask(self, asked: Asked) -> Reply:
        """Open a review in a person's name, who never decides it themselves. `Reply.review` is the review."""
        ...

    def watch(self) -> AsyncIterator[Notice]:
        """Every change of every review from now on, as it is committed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person signed in on the web.

    `secret` goes into the cookie (only its hash is kept). `via`: `signin` (a link the operator made), `link` (a link
    sent with one review, `scope`; it may read, take, escalate, reject), `demo`.
    """

    secret: str
    person: Person
    expires_at: datetime
    via: str
    scope: str | None = None


class Door(Protocol):
    """How people come in on the web."""

    async def peek(self, link: str) -> Person | Refusal:
        """Whose link this is. Spends nothing: this is all a GET may do."""
        ...

    async def enter(self, link: str) -> Session | Refusal:
        """Spend a link and open a session."""
        ...

    async def invite(self, person: str, review: str) -> str:
        """A link by which a person may look at one review, take, escalate or reject it, for an hour. Its address."""
        ...

    async def again(self, link: str) -> str:
        """Send a link that ran out anew, to the address known of whose it was. The same sentence whoever asks."""
        ...

    async def session(self, secret: str) -> Session | None:
        """The session behind a cookie, while it lasts."""
        ...

    async def leave(self, secret: str) -> None:
        """End a session."""
        ...

    async def demo_people(self) -> tuple[Person, ...]:
        """People to pick from in demo mode on loopback; empty everywhere else."""
        ...

    async def enter_demo(self, person: str) -> Session | Refusal:
        """Open a session as a person picked, in demo mode on loopback only."""
        ...


# ---------------------------------------------------------------------------------------------- time and keys


class Clock(Protocol):
    """Tells the time, UTC."""

    def now(self) -> datetime:
        """The present instant, timezone-aware."""
        ...


class Signer(Protocol):
    """Signs bytes with a key that never leaves it (Ed25519). Raises nothing."""

    def sign(self, data: bytes) -> bytes:
        """The signature over the bytes."""
        ...
