"""Deleted tasks go to the trash, and leave a tombstone for those who sync.

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

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


def upgrade() -> None:
    """Add the trash and the tombstones; lists leave out what is in the trash."""
    op.add_column("tasks", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    op.add_column("users", sa.Column("floor", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_check_constraint(op.f("ck_users_floor_in_range"), "users", "floor BETWEEN 0 AND revision")
    op.create_table(
        "tombstones",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_tombstones"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tombstones_user_id", ondelete="CASCADE"),
    )
    op.create_index("ix_tombstones_by_revision", "tombstones", ["user_id", "revision"])
    op.create_index("ix_tombstones_by_age", "tombstones", ["deleted_at"])
    _drop_list_indexes()
    _create_list_indexes(LIVE)
    op.create_index("ix_tasks_by_revision", "tasks", ["user_id", "revision"], postgresql_where=LIVE)
    op.create_index(
        "ix_tasks_in_trash",
        "tasks",
        ["user_id", "deleted_at", "id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Empty the trash, and drop what remembers it: without it, lists would show what is deleted."""
    op.drop_index("ix_tasks_in_trash", "tasks")
    op.drop_index("ix_tasks_by_revision", "tasks")
    op.execute("DELETE FROM tasks WHERE deleted_at IS NOT NULL")
    _drop_list_indexes()
    _create_list_indexes(None)
    op.drop_table("tombstones")
    op.drop_constraint(op.f("ck_users_floor_in_range"), "users")
    op.drop_column("users", "floor")
    op.drop_column("tasks", "deleted_at")


def _create_list_indexes(where: sa.TextClause | None) -> None:
    for name, key in KEYS.items():
        op.create_index(f"ix_tasks_by_{name}", "tasks", ["user_id", sa.text(key), "id"], postgresql_where=where)
        op.create_index(
            f"ix_tasks_by_status_{name}", "tasks", ["user_id", "completed", sa.text(key), "id"], postgresql_where=where
        )


def _drop_list_indexes() -> None:
    for name in KEYS:
        op.drop_index(f"ix_tasks_by_{name}", "tasks")
        op.drop_index(f"ix_tasks_by_status_{name}", "tasks")
