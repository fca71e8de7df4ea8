"""Copies know what they are of, what was said beneath them and how replies name them; what came once; who is away."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind, default in (
        ("kind", sa.Text(), "card"),
        ("told", sa.BigInteger(), "0"),
        ("thread", sa.Text(), ""),
        ("open", sa.Integer(), "1"),
    ):
        op.add_column("copies", sa.Column(name, kind, nullable=False, server_default=default))
    op.add_column("copies", sa.Column("mark", sa.Text()))
    op.execute("UPDATE copies SET open = 0 WHERE review IN (SELECT id FROM reviews WHERE open = 0)")
    op.create_index(
        "ix_copies_place", "copies", ["surface", "address", "state", "created_at", "id"], **_where("open = 1")
    )
    op.create_index("ix_copies_mark", "copies", ["surface", "mark"], **_where("mark IS NOT NULL"))
    op.create_table(
        "seen",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_seen"),
    )
    op.create_table(
        "absences",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_absences"),
    )


def downgrade() -> None:
    raise NotImplementedError("put back the backup made before the upgrade")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
