"""Index lists and their tombstones as tasks are, so that deleted lists are not read with the others.

Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from todo_api.adapters.sqlalchemy import online

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
IN_TRASH = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """Add the indexes."""
    online.replace_index("ix_lists_by_revision", "lists", ["user_id", "revision", "id"], LIVE)
    online.replace_index("ix_lists_in_trash", "lists", ["user_id", "deleted_at", "id"], IN_TRASH)
    online.replace_index("ix_tombstones_of_lists_by_revision", "list_tombstones", ["user_id", "revision", "id"])


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("ix_lists_by_revision", "lists")
    op.drop_index("ix_lists_in_trash", "lists")
    op.drop_index("ix_tombstones_of_lists_by_revision", "list_tombstones")
