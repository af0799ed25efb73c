"""Add lists, and what tasks gain with them: priority, tags, checklist, manual order, recurrence and search.

Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from todo_api.adapters.sqlalchemy import online

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
POSITION = (
    "coalesce(position, 'm' || lpad(to_hex(greatest(0, (extract(epoch FROM"
    " (created_at - '1970-01-01 00:00:00+00'::timestamptz)) * 1000000)::bigint)), 13, '0'))"
)
KEYS = {"updated": "updated_at", "priority": "priority", "position": POSITION}

# Without a default, or with a constant one, so that no row is written.
COLUMNS = """
ALTER TABLE tasks
    ADD COLUMN IF NOT EXISTS list_id uuid,
    ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS tags jsonb,
    ADD COLUMN IF NOT EXISTS tag_keys jsonb,
    ADD COLUMN IF NOT EXISTS checklist jsonb,
    ADD COLUMN IF NOT EXISTS position text COLLATE "C",
    ADD COLUMN IF NOT EXISTS recurrence jsonb,
    ADD COLUMN IF NOT EXISTS series_id uuid,
    ADD COLUMN IF NOT EXISTS previous_id uuid,
    ADD COLUMN IF NOT EXISTS next_id uuid,
    ADD COLUMN IF NOT EXISTS words text COLLATE "C",
    ADD COLUMN IF NOT EXISTS words_revision bigint
"""


def upgrade() -> None:
    """Add the columns, the tables and the indexes. The service fills `words`, which needs the rules of the domain."""
    online.change(_add_columns)
    online.change(_add_lists)
    online.change(_add_list_tombstones)
    for name, key in KEYS.items():
        online.replace_index(f"ix_tasks_by_{name}", "tasks", ["user_id", sa.text(key), "id"], LIVE)
        by_status = ["user_id", "completed", sa.text(key), "id"]
        online.replace_index(f"ix_tasks_by_status_{name}", "tasks", by_status, LIVE)
    in_list = sa.text("list_id IS NOT NULL")
    online.replace_index("ix_tasks_in_list", "tasks", ["user_id", "list_id", "id"], in_list)
    stale = sa.text("deleted_at IS NULL AND words_revision IS DISTINCT FROM revision")
    online.replace_index("ix_tasks_without_words", "tasks", ["user_id", "id"], stale)
    series = ["user_id", "series_id", sa.text("((recurrence ->> 'sequence')::integer)")]
    repeats = sa.text("deleted_at IS NULL AND recurrence IS NOT NULL")
    online.replace_index("ix_tasks_of_series", "tasks", series, repeats, unique=True)


def _add_columns() -> None:
    op.execute(COLUMNS)


def _add_lists() -> None:
    op.create_table(
        "lists",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("color", sa.Text(collation="C")),
        sa.Column("position", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_lists"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_lists_user_id", ondelete="CASCADE"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_lists_name_length")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_lists_revision_positive")),
        if_not_exists=True,
    )
    in_trash = sa.text("deleted_at IS NOT NULL")
    op.create_index("ix_lists_in_trash_by_age", "lists", ["deleted_at"], postgresql_where=in_trash, if_not_exists=True)


def _add_list_tombstones() -> None:
    op.create_table(
        "list_tombstones",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_list_tombstones"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_list_tombstones_user_id", ondelete="CASCADE"),
        if_not_exists=True,
    )
    op.create_index("ix_tombstones_of_lists_by_age", "list_tombstones", ["deleted_at"], if_not_exists=True)


def downgrade() -> None:
    """Drop the tables and columns with their content."""
    for name in KEYS:
        op.drop_index(f"ix_tasks_by_{name}", "tasks")
        op.drop_index(f"ix_tasks_by_status_{name}", "tasks")
    for name in ("ix_tasks_in_list", "ix_tasks_without_words", "ix_tasks_of_series"):
        op.drop_index(name, "tasks")
    op.drop_table("list_tombstones")
    op.drop_table("lists")
    columns = "list_id priority tags tag_keys checklist position recurrence series_id previous_id next_id words"
    for column in (*columns.split(), "words_revision"):
        op.drop_column("tasks", column)
