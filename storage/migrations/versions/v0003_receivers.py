"""Deliveries are claimed by receiver: what waits for one that hangs is not looked through for the others."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_RECEIVER = re.compile(r"[^:/?#]+://(?:[^/?#@]*@)?([^/?#]*)")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("receiver", sa.Text(), nullable=False, server_default=""))
    _fill()
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index("ix_deliveries_due", "deliveries", ["state", "receiver", "due_at"])


def downgrade() -> None:
    raise NotImplementedError("put back the backup made before the upgrade")


def _fill() -> None:
    """Name the receivers of what may still go out."""
    names = ("seq", "url", "state", "receiver")
    deliveries = sa.table("deliveries", *(sa.column(name) for name in names))
    waiting = sa.select(deliveries.c.seq, deliveries.c.url).where(deliveries.c.state != "done")
    filled = sa.update(deliveries).where(deliveries.c.seq == sa.bindparam("key")).values(receiver=sa.bindparam("named"))
    for key, url in op.get_bind().execute(waiting).all():
        found = _RECEIVER.match(url)
        op.get_bind().execute(filled, {"key": key, "named": found[1].lower()[:255] if found else ""})
