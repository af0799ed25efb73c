"""The tables, as the migrations create them; the tests run `alembic check` to compare the two.

Constraints repeat the domain's rules. Every primary key starts with the user's id, except that of `database_identity`,
which belongs to the server and to no user.
"""

import sqlalchemy as sa

from todo_api.adapters.sqlalchemy.json_text import JsonText

metadata = sa.MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Text(collation="C"), primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    # The newest revision whose tombstone was purged: a client that has seen less must load everything again.
    sa.Column("floor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # The number of tasks outside the trash, for the quota: counting them would take longer than adding a task.
    sa.Column("live_tasks", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.CheckConstraint("char_length(id) BETWEEN 1 AND 255", name="id_length"),
    sa.CheckConstraint("revision > 0", name="revision_positive"),
    sa.CheckConstraint("floor BETWEEN 0 AND revision", name="floor_in_range"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("user_id", sa.Text(collation="C"), sa.ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("title_key", sa.Text(collation="C"), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("completed", sa.Boolean, nullable=False),
    sa.Column("completed_at", sa.DateTime(timezone=True)),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("due_kind", sa.Text(collation="C")),
    sa.Column("list_id", sa.Uuid),
    sa.Column("priority", sa.SmallInteger, nullable=False, server_default=sa.text("0")),  # the rank
    sa.Column("tags", JsonText),
    sa.Column("tag_keys", JsonText),
    sa.Column("checklist", JsonText),
    # NULL in rows of earlier versions, which are where they were created: see `manual_position`.
    sa.Column("position", sa.Text(collation="C")),
    sa.Column("recurrence", JsonText),
    sa.Column("series_id", sa.Uuid),
    sa.Column("previous_id", sa.Uuid),
    sa.Column("next_id", sa.Uuid),
    # What searches read, and the revision for which it was computed: an earlier version changes tasks without it.
    sa.Column("words", sa.Text(collation="C")),
    sa.Column("words_revision", sa.BigInteger),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("char_length(title) BETWEEN 1 AND 500", name="title_length"),
    sa.CheckConstraint("char_length(description) <= 10000", name="description_length"),
    sa.CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_at_iff_completed"),
    sa.CheckConstraint("(due_at IS NULL) = (due_kind IS NULL)", name="due_at_iff_due_kind"),
    sa.CheckConstraint("due_kind IN ('date', 'floating', 'instant')", name="due_kind_known"),
    sa.CheckConstraint("updated_at >= created_at", name="updated_at_after_created_at"),
    sa.CheckConstraint("revision > 0", name="revision_positive"),
)

# Tasks outside the trash; only the statements for the trash read the others.
live = tasks.c.deleted_at.is_(None)

# The place of a task in the manual order. That of a task without one is the time of its creation, in the form that
# `positions.position_at` gives to revisions, which are times too.
# In the form in which PostgreSQL shows the expression, which `alembic check` compares.
manual_position = sa.func.coalesce(
    tasks.c.position,
    sa.literal_column(
        "'m' || lpad(to_hex(greatest(0, (extract(epoch FROM tasks.created_at"
        " - '1970-01-01 00:00:00+00'::timestamptz) * 1000000)::bigint)), 13, '0')"
    ),
    type_=sa.Text(collation="C"),
)

tombstones = sa.Table(
    "tombstones",
    metadata,
    sa.Column("user_id", sa.Text(collation="C"), sa.ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
)

lists = sa.Table(
    "lists",
    metadata,
    sa.Column("user_id", sa.Text(collation="C"), sa.ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("color", sa.Text(collation="C")),
    sa.Column("position", sa.Text(collation="C"), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
    sa.CheckConstraint("revision > 0", name="revision_positive"),
)

live_list = lists.c.deleted_at.is_(None)

list_tombstones = sa.Table(
    "list_tombstones",
    metadata,
    sa.Column("user_id", sa.Text(collation="C"), sa.ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
)

# Results of requests with an idempotency key.
idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("user_id", sa.Text(collation="C"), sa.ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text(collation="C"), primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

# One row: the database as it was when this was recorded.
database_identity = sa.Table(
    "database_identity",
    metadata,
    sa.Column("single", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("identity", sa.Text, nullable=False),
    sa.CheckConstraint("single", name="single_row"),
)

sa.Index("ix_idempotency_keys_by_age", idempotency_keys.c.created_at)
sa.Index("ix_tombstones_by_revision", tombstones.c.user_id, tombstones.c.revision, tombstones.c.id)
sa.Index("ix_tombstones_by_age", tombstones.c.deleted_at)
sa.Index("ix_tasks_by_revision", tasks.c.user_id, tasks.c.revision, tasks.c.id, postgresql_where=live)
sa.Index("ix_trash_by_age", tasks.c.deleted_at, postgresql_where=~live)
sa.Index("ix_tasks_in_trash", tasks.c.user_id, tasks.c.deleted_at, tasks.c.id, postgresql_where=~live)

# Tasks without a due date come last in both orders, so each order has its own key; NULLS LAST would not use an index.
due_ascending = sa.func.coalesce(tasks.c.due_at, sa.literal_column("'infinity'::timestamptz"))
due_descending = sa.func.coalesce(tasks.c.due_at, sa.literal_column("'-infinity'::timestamptz"))

sa.Index("ix_tombstones_of_lists_by_age", list_tombstones.c.deleted_at)
sa.Index(
    "ix_tombstones_of_lists_by_revision",
    list_tombstones.c.user_id,
    list_tombstones.c.revision,
    list_tombstones.c.id,
)
sa.Index("ix_lists_by_revision", lists.c.user_id, lists.c.revision, lists.c.id, postgresql_where=live_list)
sa.Index("ix_lists_in_trash", lists.c.user_id, lists.c.deleted_at, lists.c.id, postgresql_where=~live_list)
sa.Index("ix_lists_in_trash_by_age", lists.c.deleted_at, postgresql_where=~live_list)
sa.Index(
    "ix_tasks_in_list", tasks.c.user_id, tasks.c.list_id, tasks.c.id, postgresql_where=tasks.c.list_id.is_not(None)
)
# An occurrence exists once outside the trash: it cannot come twice.
series_number = sa.literal_column("((tasks.recurrence ->> 'sequence')::integer)", sa.Integer)
OCCURRENCE_INDEX = "ix_tasks_of_series"
sa.Index(
    OCCURRENCE_INDEX,
    tasks.c.user_id,
    tasks.c.series_id,
    series_number,
    unique=True,
    postgresql_where=live & tasks.c.recurrence.is_not(None),
)
# Empty once the tasks of earlier versions are searchable.
stale_words = live & tasks.c.words_revision.is_distinct_from(tasks.c.revision)
sa.Index("ix_tasks_without_words", tasks.c.user_id, tasks.c.id, postgresql_where=stale_words)

# For each sort key, an index for all tasks and one for the tasks of a status.
for _name, _key in {
    "created": tasks.c.created_at,
    "title": tasks.c.title_key,
    "due_ascending": due_ascending,
    "due_descending": due_descending,
    "updated": tasks.c.updated_at,
    "priority": tasks.c.priority,
    "position": manual_position,
}.items():
    sa.Index(f"ix_tasks_by_{_name}", tasks.c.user_id, _key, tasks.c.id, postgresql_where=live)
    sa.Index(f"ix_tasks_by_status_{_name}", tasks.c.user_id, tasks.c.completed, _key, tasks.c.id, postgresql_where=live)

UNIQUE_INDEXES = {str(table.primary_key.name) for table in metadata.sorted_tables} | {OCCURRENCE_INDEX}
