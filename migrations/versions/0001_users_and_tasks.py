"""The tables users and tasks.

Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEYS = {
    "created": "created_at",
    "title": "title_key",
    "due_ascending": "coalesce(due_at, 'infinity'::timestamptz)",
    "due_descending": "coalesce(due_at, '-infinity'::timestamptz)",
}


def upgrade() -> None:
    """Create the tables, and an index for each order of each list."""
    op.create_table(
        "users",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.CheckConstraint("char_length(id) BETWEEN 1 AND 255", name=op.f("ck_users_id_length")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_users_revision_positive")),
    )
    op.create_table(
        "tasks",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_key", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("completed", sa.Boolean, nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("due_kind", sa.Text(collation="C")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_tasks"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tasks_user_id", ondelete="CASCADE"),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 500", name=op.f("ck_tasks_title_length")),
        sa.CheckConstraint("char_length(description) <= 10000", name=op.f("ck_tasks_description_length")),
        sa.CheckConstraint("completed = (completed_at IS NOT NULL)", name=op.f("ck_tasks_completed_at_iff_completed")),
        sa.CheckConstraint("(due_at IS NULL) = (due_kind IS NULL)", name=op.f("ck_tasks_due_at_iff_due_kind")),
        sa.CheckConstraint("due_kind IN ('date', 'floating', 'instant')", name=op.f("ck_tasks_due_kind_known")),
        sa.CheckConstraint("updated_at >= created_at", name=op.f("ck_tasks_updated_at_after_created_at")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_tasks_revision_positive")),
    )
    for name, key in KEYS.items():
        op.create_index(f"ix_tasks_by_{name}", "tasks", ["user_id", sa.text(key), "id"])
        op.create_index(f"ix_tasks_by_status_{name}", "tasks", ["user_id", "completed", sa.text(key), "id"])


def downgrade() -> None:
    """Drop the tables with their content."""
    op.drop_table("tasks")
    op.drop_table("users")
