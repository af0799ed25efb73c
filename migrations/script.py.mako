"""${message.rstrip(".")}.

Revises: ${down_revision | comma,n}
"""

import sqlalchemy as sa
from alembic import op

from todo_api.adapters.sqlalchemy import online

revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The previous version still runs. Use steps that can be run again, each of which locks one table briefly:
    # online.change(lambda: op.add_column(...)) and online.replace_index(...).
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
