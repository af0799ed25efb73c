"""The statements of the task repository, built once.

Each is one round trip in autocommit. A write locks the user's row first and takes the next revision from it; the lock
is held until the commit, so the order of revisions is the order of commits.

Each names the user of every table that it reads or writes (docs/decisions/sharding.md).

No parameter has the name of a column: SQLAlchemy would set that column. `new_<column>` is a value to write.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.mapping import TASK_COLUMNS
from todo_api.adapters.sqlalchemy.revisions import CLOCK, ONE, end_position, next_revision
from todo_api.adapters.sqlalchemy.tables import lists, live, live_list, series_number, tasks, tombstones, users

_owner = sa.bindparam("owner", type_=sa.Text)
_task_id = sa.bindparam("task_id", type_=tasks.c.id.type)
_expected_revision = sa.bindparam("expected_revision", type_=sa.BigInteger)
_quota = sa.bindparam("quota", type_=sa.Integer)
_now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
_is_the_task = (tasks.c.user_id == _owner) & (tasks.c.id == _task_id)
# An INSERT of rows from a CTE reads them beside the user's row, and takes the id from there. Otherwise Citus sends the
# rows to all servers, and the statement fails if one of them is down.
_is_the_user = users.c.id == _owner


def _values(prefix: str, *, without: set[str]) -> dict[str, sa.ColumnElement[Any]]:
    """Return the columns of a task with their parameters, `<prefix><column>`; the user is the owner."""
    values: dict[str, sa.ColumnElement[Any]] = {
        column.name: sa.bindparam(prefix + column.name, type_=column.type)
        for column in tasks.c
        if column.name not in without
    }
    return values | ({"user_id": _owner} if "user_id" in values else {})


def _locked_user() -> sa.CTE:
    """Return the user's row with the next revision, locked against other writes but not against foreign keys."""
    return (
        sa.select(users.c.id, next_revision(users.c.revision).label("next_revision"), users.c.live_tasks)
        .where(users.c.id == _owner)
        .with_for_update(key_share=True)
        .cte("locked")
    )


def _listed(user: sa.CTE, list_id: sa.ColumnElement[Any]) -> sa.CTE:
    """Return the user's list, if it exists; it cannot be deleted before the statement ends.

    It is locked after the user, as in edits. A lock also reads the newest version of the row: the snapshot of the
    statement may be older than the lock of the user. The user is not joined: Citus 13 fails to read the rows of a CTE
    that joins another one and locks.
    """
    return (
        sa.select(lists.c.id)
        .where(
            lists.c.user_id == _owner,
            lists.c.id == list_id,
            live_list,
            sa.exists().select_from(user),
        )
        .with_for_update(read=True, of=lists)
        .cte("listed")
    )


_NOT_GIVEN = {"revision", "deleted_at", "position", "words_revision"}


def _add() -> sa.Insert:
    values = _values("new_", without=_NOT_GIVEN)
    upsert = insert(users).values(
        id=values["user_id"], revision=CLOCK, floor=CLOCK - ONE, live_tasks=ONE, created_at=values["created_at"]
    )
    user = (
        upsert.on_conflict_do_update(
            index_elements=[users.c.id],
            set_={
                "revision": next_revision(users.c.revision, upsert.excluded.revision),
                "live_tasks": users.c.live_tasks + ONE,
            },
            where=users.c.live_tasks < _quota,
        )
        .returning(users.c.revision)
        .cte("counted")
    )
    return _insert(values, user.c.revision).returning(tasks.c.revision)


def _add_to_list() -> sa.Update:
    """Add a task to a list, which exists only if its user does."""
    values = _values("new_", without=_NOT_GIVEN)
    user = _locked_user()
    is_listed = sa.exists().select_from(_listed(user, values["list_id"]))
    values["user_id"] = users.c.id
    conditions = _is_the_user, users.c.id == user.c.id, is_listed, user.c.live_tasks < _quota
    added = _insert(values, user.c.next_revision, *conditions)
    written = added.returning(tasks.c.user_id, tasks.c.revision).cte("written")
    return _count(written, live_tasks=users.c.live_tasks + ONE).returning(written.c.revision)


def _insert(
    values: Mapping[str, sa.ColumnElement[Any]],
    revision: sa.ColumnElement[int],
    *conditions: sa.ColumnElement[bool],
) -> Insert:
    """Insert a task at a revision and at the end of the manual order."""
    row = sa.select(*values.values(), revision, revision, end_position(revision)).where(*conditions)
    return insert(tasks).from_select([*values, "revision", "words_revision", "position"], row)


def _save(*, with_successor: bool) -> sa.Update:
    values = _values("new_", without=_NOT_GIVEN | {"user_id", "id", "created_at"})
    user = _locked_user()
    list_id = values["list_id"]
    is_listed = sa.or_(list_id.is_(None), tasks.c.list_id == list_id, sa.exists().select_from(_listed(user, list_id)))
    room = (user.c.live_tasks < _quota,) if with_successor else ()
    saved = (
        sa.update(tasks)
        .values(**values, revision=user.c.next_revision, words_revision=user.c.next_revision)
        .where(
            _is_the_task,
            live,
            tasks.c.user_id == user.c.id,
            tasks.c.revision == _expected_revision,
            is_listed,
            *room,
        )
        .returning(tasks.c.user_id, tasks.c.revision)
        .cte("written")
    )
    if not with_successor:
        return _count(saved).returning(saved.c.revision)
    counted = _count(saved, live_tasks=users.c.live_tasks + ONE).returning(saved.c.revision)
    return counted.add_cte(_insert_successor(saved).cte("spawned"))


def _insert_successor(saved: sa.CTE) -> Insert:
    """Insert the task that came of a saved one, from parameters `next_<column>`; it remembers the revision."""
    values = _values("next_", without=_NOT_GIVEN)
    path = sa.literal_column("'{spawned_at}'", sa.ARRAY(sa.Text))
    values["recurrence"] = sa.func.jsonb_set(values["recurrence"], path, sa.func.to_jsonb(saved.c.revision))
    values["user_id"] = users.c.id
    return _insert(values, saved.c.revision, _is_the_user, users.c.id == saved.c.user_id)


# A task stays searchable when it comes into the trash or out of it.
def _words_revision(user: sa.CTE) -> sa.ColumnElement[int]:
    is_current = tasks.c.words_revision == tasks.c.revision
    return sa.case((is_current, user.c.next_revision), else_=tasks.c.words_revision)


def _remove(*conditions: sa.ColumnElement[bool]) -> sa.Update:
    user = _locked_user()
    removed = (
        sa.update(tasks)
        .values(deleted_at=_now, revision=user.c.next_revision, words_revision=_words_revision(user))
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, *conditions)
        .returning(tasks.c.user_id, tasks.c.id, tasks.c.revision, tasks.c.deleted_at)
        .cte("written")
    )
    row = sa.select(users.c.id, removed.c.id, removed.c.revision, removed.c.deleted_at)
    rows = row.where(_is_the_user, users.c.id == removed.c.user_id)
    tombstone = insert(tombstones).from_select(["user_id", "id", "revision", "deleted_at"], rows)
    # There may be an old tombstone, of a purged task with the same id.
    tombstone = tombstone.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={"revision": tombstone.excluded.revision, "deleted_at": tombstone.excluded.deleted_at},
    )
    counted = _count(removed, live_tasks=users.c.live_tasks - ONE)
    return counted.returning(removed.c.revision).add_cte(tombstone.cte("buried"))


def _restore() -> sa.Update:
    user = _locked_user()
    former_list = sa.select(tasks.c.list_id).where(_is_the_task).scalar_subquery()
    restored = (
        sa.update(tasks)
        .values(
            deleted_at=sa.null(),
            revision=user.c.next_revision,
            words_revision=_words_revision(user),
            list_id=sa.select(_listed(user, former_list).c.id).scalar_subquery(),
        )
        .where(_is_the_task, ~live, tasks.c.user_id == user.c.id, user.c.live_tasks < _quota)
        .returning(*TASK_COLUMNS)
        .cte("written")
    )
    tombstone = (
        sa.delete(tombstones).where(tombstones.c.user_id == _owner, tombstones.c.id == restored.c.id).cte("risen")
    )
    return _count(restored, live_tasks=users.c.live_tasks + ONE).returning(*restored.c).add_cte(tombstone)


def _count(written: sa.CTE, **counts: sa.ColumnElement[int]) -> sa.Update:
    """Set the user's revision to that of the written task; without a task, change nothing."""
    is_written = users.c.id == written.c.user_id
    return sa.update(users).values(revision=written.c.revision, **counts).where(_is_the_user, is_written)


ADD = _add()
ADD_TO_LIST = _add_to_list()
SAVE = _save(with_successor=False)
SAVE_WITH_SUCCESSOR = _save(with_successor=True)
REMOVE = _remove()
REMOVE_AT_REVISION = _remove(tasks.c.revision == _expected_revision)
RESTORE = _restore()
STATE = sa.select(tasks.c.revision, (~live).label("in_trash")).where(_is_the_task)
GET = sa.select(*TASK_COLUMNS).where(_is_the_task, live)
_next_recurrence = sa.bindparam("next_recurrence", type_=tasks.c.recurrence.type)
OCCURRENCE = sa.select(tasks.c.id).where(
    tasks.c.user_id == sa.bindparam("next_user_id", type_=sa.Text),
    tasks.c.series_id == sa.bindparam("next_series_id", type_=tasks.c.id.type),
    series_number == sa.cast(_next_recurrence.op("->>")(sa.literal_column("'sequence'")), sa.Integer),
    live,
)
LIVE_TASKS = sa.select(users.c.live_tasks).where(users.c.id == _owner)
LIST_EXISTS = sa.select(lists.c.id).where(
    lists.c.user_id == _owner,
    lists.c.id == sa.bindparam("list_id", type_=lists.c.id.type),
    live_list,
)


def _purge(*conditions: sa.ColumnElement[bool]) -> Statement:
    """Remove tasks from the trash. The revision does not change, but edits that have read the task must end first."""
    user = _locked_user()
    mine = (tasks.c.user_id == _owner) & (tasks.c.user_id == user.c.id)
    return sa.delete(tasks).where(mine, ~live, *conditions).returning(tasks.c.id)


PURGE = _purge(tasks.c.id == _task_id)
PURGE_ALL = _purge()
