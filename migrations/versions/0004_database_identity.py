"""Remember which database this is, to notice a restore or a failover.

Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from todo_api.adapters.sqlalchemy import online

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of one row, which the service fills."""
    online.change(_add_identity)


def _add_identity() -> None:
    op.create_table(
        "database_identity",
        sa.Column("single", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("identity", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("single", name="pk_database_identity"),
        sa.CheckConstraint("single", name="single_row"),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("database_identity")
