"""The tables. Simple types only, the same on every engine: what is kept must outlive the code that kept it.

Instants are whole microseconds since 1970 (UTC), JSON is text, yes and no are 1 and 0. There are no foreign keys:
nothing but `store.py` writes here, rows are never deleted by a cascade, and SQLite would check them in the hot path.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

#: On SQLite only a column typed INTEGER numbers its rows by itself.
BIG_ID = BigInteger().with_variant(Integer(), "sqlite")


class Base(SQLModel):
    """What every table shares: metadata of our own, so that a host's SQLModel tables never mix with ours."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _numbered() -> Any:
    return Field(default=None, sa_column=Column(BIG_ID, Identity(), primary_key=True))


def _key() -> Any:
    return Field(sa_type=Text, primary_key=True)


def _text() -> Any:
    return Field(sa_type=Text)


def _big() -> Any:
    return Field(sa_type=BigInteger)


def _instant() -> Any:
    return _big()


def _maybe(kind: Any) -> Any:
    return Field(default=None, sa_type=kind, nullable=True)


def _where(name: str, condition: str, *columns: str) -> Index:
    """An index over the few rows that matter: the rest of the table never weighs on the question it answers."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


#: Its columns are in its index too, or SQLite would look each of them up in the row.
_WAITING = "open = 1 AND held = 0 AND sandbox = 0"


class ReviewRow(Base, table=True):
    """A review: what questions ask for as columns, the whole but its proposal as `state`.

    `rank` is minus the priority, so that the queue, most urgent and then oldest first, is one ascending index.
    `due_at` of one that is over is set exactly while its approval may be used. `linked`: it follows from another one.
    `needs` are the roles and levels needed, as in `audience`, a line each: what waits for whom is counted by it.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("id"),
        UniqueConstraint("agent", "idem_key"),
        Index("ix_reviews_agent_seq", "agent", "seq"),
        Index("ix_reviews_recent", "agent", "subject", "created_at"),
        Index("ix_reviews_created_at", "created_at"),
        Index("ix_reviews_status", "status"),
        _where("ix_reviews_subject_seq", "subject IS NOT NULL", "subject", "seq"),
        _where("ix_reviews_due", "due_at IS NOT NULL", "due_at"),
        _where("ix_reviews_queue", "open = 1", "rank", "seq"),
        _where("ix_reviews_open", "open = 1", "agent"),
        _where("ix_reviews_granted", "open = 0 AND due_at IS NOT NULL", "agent"),
        _where("ix_reviews_ended", "ended_at IS NOT NULL", "agent", "ended_at"),
        _where("ix_reviews_backlog", _WAITING, "needs", "created_at", "open", "held", "sandbox"),
    )

    seq: int | None = _numbered()
    id: str = _text()
    agent: str = _text()
    idem_key: str | None = _maybe(Text)
    fingerprint: str = _text()
    status: str = _text()
    open: int
    action: str = _text()
    subject: str | None = _maybe(Text)
    tier: str = _text()
    risk: str = _text()
    rule: str = _text()
    amount: float | None = _maybe(Double)
    rank: float = Field(sa_type=Double)
    created_at: int = _instant()
    deadline_at: int = _instant()
    due_at: int | None = _maybe(BigInteger)
    ended_at: int | None = _maybe(BigInteger)
    revision: int
    version: int
    held: int
    owner: str | None = _maybe(Text)
    sandbox: int
    linked: int
    needs: str = _text()
    state: str = _text()


class RevisionRow(Base, table=True):
    """A proposal, never changed: kept apart so that a vote does not write a large request anew."""

    __tablename__ = "revisions"

    review: str = _key()
    revision: int = Field(primary_key=True)
    proposal: str = _text()
    at: int = _instant()


class AudienceRow(Base, table=True):
    """Who a review is for: `role:NAME` and `level:N` that are needed, `person:ID` called or owning."""

    __tablename__ = "audience"
    __table_args__ = {"sqlite_with_rowid": False}

    who: str = _key()
    review: str = _key()


class VoteRow(Base, table=True):
    """One vote per person and revision: the database itself refuses a second."""

    __tablename__ = "votes"
    __table_args__ = {"sqlite_with_rowid": False}

    review: str = _key()
    revision: int = Field(primary_key=True)
    person: str = _key()
    verb: str = _text()
    at: int = _instant()
    body: str = _text()


class RungRow(Base, table=True):
    """A rung that fired: once per run of the ladder, for ever."""

    __tablename__ = "rungs"
    __table_args__ = {"sqlite_with_rowid": False}

    review: str = _key()
    epoch: int = Field(primary_key=True)
    rung: int = Field(primary_key=True)
    at: int = _instant()


class CopyRow(Base, table=True):
    """A posted card. `due_at` is set exactly while something is to be done; `leased` while a worker does it.

    `open` says whether what it is of is open. A queue card is of no review: its `review` is empty. A notice's is the
    id of its bulletin, which is never open: it takes no room at its place.
    """

    __tablename__ = "copies"
    __table_args__ = (
        Index("ix_copies_review", "review"),
        _where("ix_copies_due", "due_at IS NOT NULL", "due_at"),
        _where("ix_copies_place", "open = 1", "surface", "address", "state", "created_at", "id"),
        _where("ix_copies_mark", "mark IS NOT NULL", "surface", "mark"),
    )

    id: str = _key()
    review: str = _text()
    surface: str = _text()
    address: str = _text()
    person: str | None = _maybe(Text)
    epoch: int
    rung: int
    state: str = _text()
    wanted: int
    shown: int
    attempts: int
    ref: str | None = _maybe(Text)
    error: str | None = _maybe(Text)
    created_at: int = _instant()
    due_at: int | None = _maybe(BigInteger)
    leased: int | None = _maybe(BigInteger)
    kind: str = _text()
    told: int = _big()
    thread: str = _text()
    mark: str | None = _maybe(Text)
    muted: str = _text()
    open: int


class BulletinRow(Base, table=True):
    """A message of the house, of no one review."""

    __tablename__ = "bulletins"
    __table_args__ = (Index("ix_bulletins_at", "at", "id"),)

    id: str = _key()
    title: str = _text()
    text: str = _text()
    tone: str = _text()
    at: int = _instant()


class DeliveryRow(Base, table=True):
    """A message to an agent's callback; `body` are the bytes as they were signed for. A lease is kept as `due_at`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("id"),
        Index("ix_deliveries_review", "review"),
        Index("ix_deliveries_due", "state", "receiver", "due_at"),
    )

    seq: int | None = _numbered()
    id: str = _text()
    review: str = _text()
    agent: str = _text()
    message: str = _text()
    url: str = _text()
    receiver: str = _text()
    body: bytes = Field(sa_type=LargeBinary)
    state: str = _text()
    due_at: int = _instant()
    attempts: int
    error: str | None = _maybe(Text)
    created_at: int | None = _maybe(BigInteger)


class LogRow(Base, table=True):
    """The log. Triggers refuse every change; batch migrations drop triggers and must never touch this table."""

    __tablename__ = "log"
    __table_args__ = (Index("ix_log_review_seq", "review", "seq"),)

    seq: int | None = _numbered()
    at: int = _instant()
    review: str | None = _maybe(Text)
    kind: str = _text()
    actor: str = _text()
    public: int
    body: bytes = Field(sa_type=LargeBinary)
    detail: str = _text()


class AgentRow(Base, table=True):
    """An agent, as JSON."""

    __tablename__ = "agents"

    name: str = _key()
    body: str = _text()


class TicketRow(Base, table=True):
    """A secret handed to a person, by its hash."""

    __tablename__ = "tickets"

    hash: str = _key()
    kind: str = _text()
    person: str = _text()
    created_at: int = _instant()
    expires_at: int = _instant()
    used_at: int | None = _maybe(BigInteger)
    via: str = _text()
    scope: str | None = _maybe(Text)


class PolicyRow(Base, table=True):
    """A policy text ever loaded: one version, one text."""

    __tablename__ = "policies"
    __table_args__ = (Index("ix_policies_sha256", "sha256"),)

    name: str = _key()
    version: int = Field(primary_key=True)
    sha256: str = _text()
    text: str = _text()
    at: int = _instant()


class SeenRow(Base, table=True):
    """What came already, so that the same again changes nothing; `at` is when it came last."""

    __tablename__ = "seen"

    what: str = _key()
    at: int = _instant()


class AbsenceRow(Base, table=True):
    """Who is away, until when, and who said so."""

    __tablename__ = "absences"

    person: str = _key()
    until: int = _instant()
    by: str = _text()


class ReferenceRow(Base, table=True):
    """Where a surface reaches a person or a room, in its own words: `fields` is JSON."""

    __tablename__ = "surface_references"

    surface: str = _key()
    key: str = _key()
    fields: str = _text()


def _table(model: type[SQLModel]) -> Table:
    return cast("Table", vars(model)["__table__"])


metadata = Base.metadata
reviews = _table(ReviewRow)
revisions = _table(RevisionRow)
audience = _table(AudienceRow)
votes = _table(VoteRow)
rungs = _table(RungRow)
copies = _table(CopyRow)
bulletins = _table(BulletinRow)
deliveries = _table(DeliveryRow)
log = _table(LogRow)
agents = _table(AgentRow)
tickets = _table(TicketRow)
policies = _table(PolicyRow)
seen = _table(SeenRow)
absences = _table(AbsenceRow)
references = _table(ReferenceRow)
