"""Count the tasks of each user, remember answers, and let changes of one revision be paged by their ids.

Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
IN_TRASH = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """Add the count, the table of keys and the indexes of the purges."""
    op.add_column("users", sa.Column("live_tasks", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.execute(
        "UPDATE users SET live_tasks = counted.live FROM"
        " (SELECT user_id, count(*) AS live FROM tasks WHERE deleted_at IS NULL GROUP BY user_id) AS counted"
        " WHERE counted.user_id = users.id"
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotency_keys_user_id", ondelete="CASCADE"),
    )
    op.create_index("ix_idempotency_keys_by_age", "idempotency_keys", ["created_at"])
    op.create_index("ix_trash_by_age", "tasks", ["deleted_at"], postgresql_where=IN_TRASH)
    _index_revisions(["user_id", "revision", "id"])


def downgrade() -> None:
    """Drop what was added."""
    _index_revisions(["user_id", "revision"])
    op.drop_index("ix_trash_by_age", "tasks")
    op.drop_table("idempotency_keys")
    op.drop_column("users", "live_tasks")


def _index_revisions(columns: list[str]) -> None:
    op.drop_index("ix_tasks_by_revision", "tasks")
    op.create_index("ix_tasks_by_revision", "tasks", columns, postgresql_where=LIVE)
    op.drop_index("ix_tombstones_by_revision", "tombstones")
    op.create_index("ix_tombstones_by_revision", "tombstones", columns)
