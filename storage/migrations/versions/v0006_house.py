"""The house's own messages; which reviews follow from others, what waits for whom, who has muted us."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITING = "open = 1 AND held = 0 AND sandbox = 0"


def upgrade() -> None:
    op.add_column("copies", sa.Column("muted", sa.Text(), nullable=False, server_default=""))
    op.add_column("reviews", sa.Column("linked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("reviews", sa.Column("needs", sa.Text(), nullable=False, server_default=""))
    _link()
    _aim()
    for name, columns, condition in (
        ("ix_reviews_granted", ["agent"], "open = 0 AND due_at IS NOT NULL"),
        ("ix_reviews_ended", ["agent", "ended_at"], "ended_at IS NOT NULL"),
        ("ix_reviews_backlog", ["needs", "created_at", "open", "held", "sandbox"], _WAITING),
    ):
        where = sa.text(condition)
        op.create_index(name, "reviews", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "bulletins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tone", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bulletins"),
    )
    op.create_index("ix_bulletins_at", "bulletins", ["at", "id"])


def downgrade() -> None:
    raise NotImplementedError("put back the backup made before the upgrade")


def _reviews() -> sa.TableClause:
    return sa.table("reviews", *(sa.column(name) for name in ("id", "open", "state", "linked", "needs")))


def _link() -> None:
    """A review's JSON ends with what it is about and whether it is of a sandbox: a quote before that is an id's."""
    reviews = _reviews()
    about = sa.or_(*(reviews.c.state.like(f'%","sandbox":{sandbox}}}') for sandbox in ("true", "false")))
    op.execute(sa.update(reviews).where(about).values(linked=1))


def _aim() -> None:
    """Name what those that are open need. What is over waits for nobody."""
    reviews, audience = _reviews(), sa.table("audience", sa.column("who"), sa.column("review"))
    aimed = sa.select(audience.c.review, audience.c.who).where(
        audience.c.review.in_(sa.select(reviews.c.id).where(reviews.c.open == 1)),
        sa.or_(audience.c.who.like("role:%"), audience.c.who.like("level:%")),
    )
    needs: dict[str, list[str]] = {}
    for review, who in op.get_bind().execute(aimed):
        needs.setdefault(review, []).append(who)
    filled = sa.update(reviews).where(reviews.c.id == sa.bindparam("key")).values(needs=sa.bindparam("words"))
    if needs:
        op.get_bind().execute(filled, [{"key": key, "words": "\n".join(sorted(who))} for key, who in needs.items()])
