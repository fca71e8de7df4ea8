"""Surfaces keep where they reach people and rooms."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "surface_references",
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("surface", "key", name="pk_surface_references"),
    )


def downgrade() -> None:
    raise NotImplementedError("put back the backup made before the upgrade")
