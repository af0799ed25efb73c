"""Count the tasks of each user, store responses, and page changes of one revision by id.

Revises: 0002
"""

from functools import partial

import sqlalchemy as sa
from alembic import op

from todo_api.adapters.sqlalchemy import online

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
IN_TRASH = sa.text("deleted_at IS NOT NULL")

# A few users at a time, because their rows are locked.
COUNT = sa.text("""
WITH few AS (SELECT id FROM users WHERE id > :after ORDER BY id LIMIT 200),
     counted AS (SELECT few.id, count(tasks.id) AS live FROM few
                   LEFT JOIN tasks ON tasks.user_id = few.id AND tasks.deleted_at IS NULL GROUP BY few.id),
     changed AS (UPDATE users SET live_tasks = counted.live FROM counted WHERE users.id = counted.id)
SELECT max(id) FROM few
""")


def upgrade() -> None:
    """Add the count, the table of keys and the indexes of the purges."""
    online.change(_add_count)
    online.change(_add_keys)
    online.replace_index("ix_trash_by_age", "tasks", ["deleted_at"], IN_TRASH)
    online.replace_index("ix_tasks_by_revision", "tasks", ["user_id", "revision", "id"], LIVE)
    online.replace_index("ix_tombstones_by_revision", "tombstones", ["user_id", "revision", "id"])
    _count_tasks()


def _add_count() -> None:
    count = sa.Column("live_tasks", sa.Integer, nullable=False, server_default=sa.text("0"))
    op.add_column("users", count, if_not_exists=True)


def _add_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotency_keys_user_id", ondelete="CASCADE"),
        if_not_exists=True,
    )
    op.create_index("ix_idempotency_keys_by_age", "idempotency_keys", ["created_at"], if_not_exists=True)


def _count_tasks() -> None:
    after: str | None = ""
    while after is not None:
        after = online.change(partial(_count_some, after))


def _count_some(after: str) -> str | None:
    last: str | None = op.get_bind().execute(COUNT, {"after": after}).scalar_one()
    return last


def downgrade() -> None:
    """Drop the count, the table of keys and the indexes."""
    _index_revisions(["user_id", "revision"])
    op.drop_index("ix_trash_by_age", "tasks")
    op.drop_table("idempotency_keys")
    op.drop_column("users", "live_tasks")


def _index_revisions(columns: list[str]) -> None:
    op.drop_index("ix_tasks_by_revision", "tasks")
    op.create_index("ix_tasks_by_revision", "tasks", columns, postgresql_where=LIVE)
    op.drop_index("ix_tombstones_by_revision", "tombstones")
    op.create_index("ix_tombstones_by_revision", "tombstones", columns)
