"""The tables, as the migrations create them; the tests run `alembic check` to compare the two.

Constraints repeat the domain's rules. Every primary key starts with the user's id.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
    text,
)

metadata = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # The newest revision whose tombstone was purged: a client that has seen less must load everything again.
    Column("floor", BigInteger, nullable=False, server_default=text("0")),
    # The number of tasks outside the trash, for the quota: counting them would take longer than adding one.
    Column("live_tasks", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("char_length(id) BETWEEN 1 AND 255", name="id_length"),
    CheckConstraint("revision > 0", name="revision_positive"),
    CheckConstraint("floor BETWEEN 0 AND revision", name="floor_in_range"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("user_id", Text(collation="C"), ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("title_key", Text(collation="C"), nullable=False),
    Column("description", Text),
    Column("completed", Boolean, nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Column("due_kind", Text(collation="C")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    CheckConstraint("char_length(title) BETWEEN 1 AND 500", name="title_length"),
    CheckConstraint("char_length(description) <= 10000", name="description_length"),
    CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_at_iff_completed"),
    CheckConstraint("(due_at IS NULL) = (due_kind IS NULL)", name="due_at_iff_due_kind"),
    CheckConstraint("due_kind IN ('date', 'floating', 'instant')", name="due_kind_known"),
    CheckConstraint("updated_at >= created_at", name="updated_at_after_created_at"),
    CheckConstraint("revision > 0", name="revision_positive"),
)

# Tasks outside the trash; only the statements about the trash read others.
live = tasks.c.deleted_at.is_(None)

tombstones = Table(
    "tombstones",
    metadata,
    Column("user_id", Text(collation="C"), ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("deleted_at", DateTime(timezone=True), nullable=False),
)

# Results of requests that a client may retry.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Text(collation="C"), ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

Index("ix_idempotency_keys_by_age", idempotency_keys.c.created_at)
Index("ix_tombstones_by_revision", tombstones.c.user_id, tombstones.c.revision, tombstones.c.id)
Index("ix_tombstones_by_age", tombstones.c.deleted_at)
Index("ix_tasks_by_revision", tasks.c.user_id, tasks.c.revision, tasks.c.id, postgresql_where=live)
Index("ix_trash_by_age", tasks.c.deleted_at, postgresql_where=~live)
Index("ix_tasks_in_trash", tasks.c.user_id, tasks.c.deleted_at, tasks.c.id, postgresql_where=~live)

# Tasks without a due date come last in both orders, so each order has its own key; NULLS LAST would not use an index.
due_ascending = func.coalesce(tasks.c.due_at, literal_column("'infinity'::timestamptz"))
due_descending = func.coalesce(tasks.c.due_at, literal_column("'-infinity'::timestamptz"))

# For each sort key, an index for all tasks and one for the tasks of a status.
for _name, _key in {
    "created": tasks.c.created_at,
    "title": tasks.c.title_key,
    "due_ascending": due_ascending,
    "due_descending": due_descending,
}.items():
    Index(f"ix_tasks_by_{_name}", tasks.c.user_id, _key, tasks.c.id, postgresql_where=live)
    Index(f"ix_tasks_by_status_{_name}", tasks.c.user_id, tasks.c.completed, _key, tasks.c.id, postgresql_where=live)
