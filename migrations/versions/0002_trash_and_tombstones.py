"""Move deleted tasks to the trash, and keep tombstones for delta sync.

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from todo_api.adapters.sqlalchemy import online

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEYS = {
    "created": "created_at",
    "title": "title_key",
    "due_ascending": "coalesce(due_at, 'infinity'::timestamptz)",
    "due_descending": "coalesce(due_at, '-infinity'::timestamptz)",
}
LIVE = sa.text("deleted_at IS NULL")
IN_TRASH = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """Add the trash and the tombstones; lists do not contain the trash."""
    online.change(_add_trash)
    online.change(_add_floor)
    online.change(_add_tombstones)
    for name, key in KEYS.items():
        online.replace_index(f"ix_tasks_by_{name}", "tasks", ["user_id", sa.text(key), "id"], LIVE)
        by_status = ["user_id", "completed", sa.text(key), "id"]
        online.replace_index(f"ix_tasks_by_status_{name}", "tasks", by_status, LIVE)
    online.replace_index("ix_tasks_by_revision", "tasks", ["user_id", "revision"], LIVE)
    online.replace_index("ix_tasks_in_trash", "tasks", ["user_id", "deleted_at", "id"], IN_TRASH)


def _add_trash() -> None:
    op.add_column("tasks", sa.Column("deleted_at", sa.DateTime(timezone=True)), if_not_exists=True)


def _add_floor() -> None:
    """Add the floor in one statement, so that it is atomic."""
    op.execute(
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS floor bigint NOT NULL DEFAULT 0"
        " CONSTRAINT ck_users_floor_in_range CHECK (floor BETWEEN 0 AND revision)"
    )


def _add_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_tombstones"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tombstones_user_id", ondelete="CASCADE"),
        if_not_exists=True,
    )
    op.create_index("ix_tombstones_by_revision", "tombstones", ["user_id", "revision"], if_not_exists=True)
    op.create_index("ix_tombstones_by_age", "tombstones", ["deleted_at"], if_not_exists=True)


def downgrade() -> None:
    """Empty the trash, and drop its columns and tables; otherwise lists would show deleted tasks."""
    op.drop_index("ix_tasks_in_trash", "tasks")
    op.drop_index("ix_tasks_by_revision", "tasks")
    op.execute("DELETE FROM tasks WHERE deleted_at IS NOT NULL")
    _drop_list_indexes()
    _create_list_indexes()
    op.drop_table("tombstones")
    op.drop_constraint(op.f("ck_users_floor_in_range"), "users")
    op.drop_column("users", "floor")
    op.drop_column("tasks", "deleted_at")


def _create_list_indexes() -> None:
    for name, key in KEYS.items():
        op.create_index(f"ix_tasks_by_{name}", "tasks", ["user_id", sa.text(key), "id"])
        op.create_index(f"ix_tasks_by_status_{name}", "tasks", ["user_id", "completed", sa.text(key), "id"])


def _drop_list_indexes() -> None:
    for name in KEYS:
        op.drop_index(f"ix_tasks_by_{name}", "tasks")
        op.drop_index(f"ix_tasks_by_status_{name}", "tasks")
