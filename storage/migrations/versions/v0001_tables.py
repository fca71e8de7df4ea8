"""Every table as it was at the beginning."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _number() -> sa.Column[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("seq", kind, sa.Identity(always=False), nullable=False)


def _text(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _int(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _big(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _real(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=null)


def _bytes(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _reviews()
    _revisions()
    _audience()
    _votes()
    _rungs()
    _copies()
    _deliveries()
    _log()
    _agents()
    _tickets()
    _policies()


def downgrade() -> None:
    raise NotImplementedError("put back the backup made before the upgrade")


def _reviews() -> None:
    op.create_table(
        "reviews",
        _number(),
        _text("id"),
        _text("agent"),
        _text("idem_key", True),
        _text("fingerprint"),
        _text("status"),
        _int("open"),
        _text("action"),
        _text("subject", True),
        _text("tier"),
        _text("risk"),
        _text("rule"),
        _real("amount", True),
        _real("rank"),
        _big("created_at"),
        _big("deadline_at"),
        _big("due_at", True),
        _big("ended_at", True),
        _int("revision"),
        _int("version"),
        _int("held"),
        _text("owner", True),
        _int("sandbox"),
        _text("state"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_reviews")),
        sa.UniqueConstraint("agent", "idem_key", name=op.f("uq_reviews_agent_idem_key")),
        sa.UniqueConstraint("id", name=op.f("uq_reviews_id")),
    )
    op.create_index("ix_reviews_agent_seq", "reviews", ["agent", "seq"])
    op.create_index("ix_reviews_created_at", "reviews", ["created_at"])
    op.create_index("ix_reviews_due", "reviews", ["due_at"], **_where("due_at IS NOT NULL"))
    op.create_index("ix_reviews_open", "reviews", ["agent"], **_where("open = 1"))
    op.create_index("ix_reviews_queue", "reviews", ["rank", "seq"], **_where("open = 1"))
    op.create_index("ix_reviews_recent", "reviews", ["agent", "subject", "created_at"])
    op.create_index("ix_reviews_status", "reviews", ["status"])
    op.create_index("ix_reviews_subject_seq", "reviews", ["subject", "seq"], **_where("subject IS NOT NULL"))


def _revisions() -> None:
    op.create_table(
        "revisions",
        _text("review"),
        _int("revision"),
        _text("proposal"),
        _big("at"),
        sa.PrimaryKeyConstraint("review", "revision", name=op.f("pk_revisions")),
    )


def _audience() -> None:
    op.create_table(
        "audience",
        _text("who"),
        _text("review"),
        sa.PrimaryKeyConstraint("who", "review", name=op.f("pk_audience")),
        sqlite_with_rowid=False,
    )


def _votes() -> None:
    op.create_table(
        "votes",
        _text("review"),
        _int("revision"),
        _text("person"),
        _text("verb"),
        _big("at"),
        _text("body"),
        sa.PrimaryKeyConstraint("review", "revision", "person", name=op.f("pk_votes")),
        sqlite_with_rowid=False,
    )


def _rungs() -> None:
    op.create_table(
        "rungs",
        _text("review"),
        _int("epoch"),
        _int("rung"),
        _big("at"),
        sa.PrimaryKeyConstraint("review", "epoch", "rung", name=op.f("pk_rungs")),
        sqlite_with_rowid=False,
    )


def _copies() -> None:
    op.create_table(
        "copies",
        _text("id"),
        _text("review"),
        _text("surface"),
        _text("address"),
        _text("person", True),
        _int("epoch"),
        _int("rung"),
        _text("state"),
        _int("wanted"),
        _int("shown"),
        _int("attempts"),
        _text("ref", True),
        _text("error", True),
        _big("created_at"),
        _big("due_at", True),
        _big("leased", True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
    )
    op.create_index("ix_copies_due", "copies", ["due_at"], **_where("due_at IS NOT NULL"))
    op.create_index("ix_copies_review", "copies", ["review"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _number(),
        _text("id"),
        _text("review"),
        _text("agent"),
        _text("message"),
        _text("url"),
        _bytes("body"),
        _text("state"),
        _big("due_at"),
        _int("attempts"),
        _text("error", True),
        _big("created_at", True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["state", "due_at"])
    op.create_index("ix_deliveries_review", "deliveries", ["review"])


def _log() -> None:
    op.create_table(
        "log",
        _number(),
        _big("at"),
        _text("review", True),
        _text("kind"),
        _text("actor"),
        _int("public"),
        _bytes("body"),
        _text("detail"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log")),
    )
    op.create_index("ix_log_review_seq", "log", ["review", "seq"])


def _agents() -> None:
    op.create_table(
        "agents",
        _text("name"),
        _text("body"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_agents")),
    )


def _tickets() -> None:
    op.create_table(
        "tickets",
        _text("hash"),
        _text("kind"),
        _text("person"),
        _big("created_at"),
        _big("expires_at"),
        _big("used_at", True),
        _text("via"),
        _text("scope", True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tickets")),
    )


def _policies() -> None:
    op.create_table(
        "policies",
        _text("name"),
        _int("version"),
        _text("sha256"),
        _text("text"),
        _big("at"),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_policies")),
    )
    op.create_index("ix_policies_sha256", "policies", ["sha256"])
