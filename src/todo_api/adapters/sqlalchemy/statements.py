"""The statements of the task repository, built once.

Each is one round trip in autocommit. A write locks the user's row first and takes the next revision from it; the lock
is held until the commit, so the order of revisions is the order of commits.

No parameter has the name of a column: SQLAlchemy would set that column. `new_<column>` is a value to write.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.mapping import TASK_COLUMNS
from todo_api.adapters.sqlalchemy.revisions import CLOCK, ONE, next_revision
from todo_api.adapters.sqlalchemy.tables import due_ascending, due_descending, live, tasks, tombstones, users
from todo_api.domain.listing import Order, Sort, Status

_owner = sa.bindparam("owner", type_=sa.Text)
_task_id = sa.bindparam("task_id", type_=tasks.c.id.type)
_expected_revision = sa.bindparam("expected_revision", type_=sa.BigInteger)
_quota = sa.bindparam("quota", type_=sa.Integer)
_now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
_limit = sa.bindparam("limit", type_=sa.Integer)
_after_id = sa.bindparam("after_id", type_=tasks.c.id.type)
_zero = sa.literal_column("0", sa.BigInteger)  # in the text: a constant needs no parameter
_is_the_task = (tasks.c.user_id == _owner) & (tasks.c.id == _task_id)


def _new_values(*, without: set[str]) -> dict[str, sa.ColumnElement[Any]]:
    return {
        column.name: sa.bindparam(f"new_{column.name}", type_=column.type)
        for column in tasks.c
        if column.name not in without
    }


def _locked_user() -> sa.CTE:
    """Return the user's row with the next revision, locked against other writes but not against foreign keys."""
    return (
        sa.select(users.c.id, next_revision(users.c.revision).label("next_revision"), users.c.live_tasks)
        .where(users.c.id == _owner)
        .with_for_update(key_share=True)
        .cte("locked")
    )


def _add() -> sa.Insert:
    values = _new_values(without={"revision", "deleted_at"})
    upsert = insert(users).values(
        id=values["user_id"], revision=CLOCK, floor=CLOCK - ONE, live_tasks=ONE, created_at=values["created_at"]
    )
    user = (
        upsert.on_conflict_do_update(
            index_elements=[users.c.id],
            set_={"revision": next_revision(users.c.revision), "live_tasks": users.c.live_tasks + ONE},
            where=users.c.live_tasks < _quota,
        )
        .returning(users.c.revision)
        .cte("counted")
    )
    row = sa.select(*values.values(), user.c.revision)
    return insert(tasks).from_select([*values, "revision"], row).returning(tasks.c.revision)


def _save() -> sa.Update:
    values = _new_values(without={"user_id", "id", "created_at", "revision", "deleted_at"})
    user = _locked_user()
    saved = (
        sa.update(tasks)
        .values(**values, revision=user.c.next_revision)
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, tasks.c.revision == _expected_revision)
        .returning(tasks.c.user_id, tasks.c.revision)
        .cte("written")
    )
    return _count(saved).returning(saved.c.revision)


def _remove(*conditions: sa.ColumnElement[bool]) -> sa.Update:
    user = _locked_user()
    removed = (
        sa.update(tasks)
        .values(deleted_at=_now, revision=user.c.next_revision)
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, *conditions)
        .returning(tasks.c.user_id, tasks.c.id, tasks.c.revision, tasks.c.deleted_at)
        .cte("written")
    )
    tombstone = insert(tombstones).from_select(["user_id", "id", "revision", "deleted_at"], sa.select(removed))
    # There may be an old tombstone, of a purged task with the same id.
    tombstone = tombstone.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={"revision": tombstone.excluded.revision, "deleted_at": tombstone.excluded.deleted_at},
    )
    counted = _count(removed, live_tasks=users.c.live_tasks - ONE)
    return counted.returning(removed.c.revision).add_cte(tombstone.cte("buried"))


def _restore() -> sa.Update:
    user = _locked_user()
    restored = (
        sa.update(tasks)
        .values(deleted_at=sa.null(), revision=user.c.next_revision)
        .where(_is_the_task, ~live, tasks.c.user_id == user.c.id, user.c.live_tasks < _quota)
        .returning(*TASK_COLUMNS)
        .cte("written")
    )
    tombstone = (
        sa.delete(tombstones)
        .where(tombstones.c.user_id == restored.c.user_id, tombstones.c.id == restored.c.id)
        .cte("risen")
    )
    return _count(restored, live_tasks=users.c.live_tasks + ONE).returning(*restored.c).add_cte(tombstone)


def _count(written: sa.CTE, **counts: sa.ColumnElement[int]) -> sa.Update:
    """Set the user's revision to that of the written task; without a task, change nothing."""
    return sa.update(users).values(revision=written.c.revision, **counts).where(users.c.id == written.c.user_id)


ADD = _add()
SAVE = _save()
REMOVE = _remove()
REMOVE_AT_REVISION = _remove(tasks.c.revision == _expected_revision)
RESTORE = _restore()
STATE = sa.select(tasks.c.revision, (~live).label("in_trash")).where(_is_the_task)
GET = sa.select(*TASK_COLUMNS).where(_is_the_task, live)

_STATUSES: Mapping[Status, tuple[sa.ColumnElement[bool], ...]] = {
    Status.ALL: (),
    Status.PENDING: (~tasks.c.completed,),
    Status.COMPLETED: (tasks.c.completed,),
}


def _sort_key(sort: Sort, order: Order) -> sa.ColumnElement[Any]:
    """Return the sort key, which has an index in tables.py."""
    match sort:
        case Sort.CREATED:
            return tasks.c.created_at
        case Sort.TITLE:
            return tasks.c.title_key
        case Sort.DUE_DATE:
            return due_ascending if order is Order.ASC else due_descending


@cache
def page(sort: Sort, order: Order, status: Status, *, resumed: bool) -> sa.Select[Any]:
    """Return the statement for a page: rows with the user's revision and a task, if there is one.

    Parameters: `owner`, `limit`, `known` (revisions that need no tasks), and, to resume a list, `after_key` and
    `after_id`. The join has one row on its left, so the tasks keep the order of the index.
    """
    key = _sort_key(sort, order)
    place = sa.tuple_(key, tasks.c.id)
    conditions = [tasks.c.user_id == _owner, live, *_STATUSES[status]]
    if resumed:
        # A comparison of rows: with OR, PostgreSQL would read the list from its start.
        after = sa.tuple_(sa.bindparam("after_key", type_=key.type), _after_id)
        conditions.append(place > after if order is Order.ASC else place < after)
    revision = sa.select(users.c.revision).where(users.c.id == _owner).scalar_subquery()
    user = sa.select(sa.func.coalesce(revision, _zero).label("current")).cte("account")
    known = sa.bindparam("known", type_=sa.ARRAY(sa.BigInteger))
    rows = (
        sa.select(*TASK_COLUMNS)
        .where(*conditions, user.c.current != sa.all_(known))
        .order_by(*((key.asc(), tasks.c.id.asc()) if order is Order.ASC else (key.desc(), tasks.c.id.desc())))
        .limit(_limit)
        .lateral("page")
    )
    return sa.select(user.c.current, *rows.c).select_from(user.outerjoin(rows, sa.true()))


def _purge(*conditions: sa.ColumnElement[bool]) -> Statement:
    """Remove tasks from the trash. The revision does not change, but edits that have read the task must end first."""
    user = _locked_user()
    mine = (tasks.c.user_id == _owner) & (tasks.c.user_id == user.c.id)
    return sa.delete(tasks).where(mine, ~live, *conditions).returning(tasks.c.id)


PURGE = _purge(tasks.c.id == _task_id)
PURGE_ALL = _purge()


@cache
def trash(*, resumed: bool) -> sa.Select[Any]:
    """Return the statement for a page of the trash. Parameters: those of `page`, without `known`."""
    conditions = [tasks.c.user_id == _owner, ~live]
    if resumed:
        after = sa.tuple_(sa.bindparam("after_key", type_=tasks.c.deleted_at.type), _after_id)
        conditions.append(sa.tuple_(tasks.c.deleted_at, tasks.c.id) < after)
    rows = sa.select(*TASK_COLUMNS, tasks.c.deleted_at).where(*conditions)
    return rows.order_by(tasks.c.deleted_at.desc(), tasks.c.id.desc()).limit(_limit)


def _changes() -> sa.Select[Any]:
    """Return the statement for the user's tasks and tombstones of later revisions, in order, with the user's row.

    Parameters: `owner`, `limit`, the point `since` and `since_id`, and `whole`, up to which the client has everything.
    A tombstone is a row without a title.
    """
    since = sa.tuple_(sa.bindparam("since", type_=sa.BigInteger), sa.bindparam("since_id", type_=tasks.c.id.type))
    whole = sa.bindparam("whole", type_=sa.BigInteger)
    row = sa.select(users.c.revision, users.c.floor).where(users.c.id == _owner).subquery()
    one_row = sa.select(ONE.label("one")).subquery()
    current = sa.func.coalesce(row.c.revision, _zero).label("current")
    user = sa.select(current, sa.func.coalesce(row.c.floor, _zero).label("floor"))
    account = user.select_from(one_row.outerjoin(row, sa.true())).cte("account")
    # The condition on the user's row keeps PostgreSQL from looking further if nothing has changed.
    changed = (
        sa.select(*TASK_COLUMNS)
        .select_from(tasks.join(account, account.c.current > whole))
        .where(tasks.c.user_id == _owner, live, sa.tuple_(tasks.c.revision, tasks.c.id) > since)
        .order_by(tasks.c.revision, tasks.c.id)
        .limit(_limit)
    )
    names = {"user_id", "id", "revision"}
    blanks = [
        tombstones.c[column.name] if column.name in names else sa.cast(sa.null(), column.type).label(column.name)
        for column in TASK_COLUMNS
    ]
    # If a task was purged and created again with the same id, its old tombstone is ignored. The task is looked up for
    # each tombstone, as a scalar: with NOT EXISTS, PostgreSQL would read all tasks.
    created_again = (
        sa.select(tasks.c.revision)
        .where(tasks.c.user_id == tombstones.c.user_id, tasks.c.id == tombstones.c.id, live)
        .scalar_subquery()
    )
    deleted = (
        sa.select(*blanks)
        .select_from(tombstones.join(account, account.c.current > whole))
        .where(
            created_again.is_(None),
            tombstones.c.user_id == _owner,
            sa.tuple_(tombstones.c.revision, tombstones.c.id) > since,
        )
        .order_by(tombstones.c.revision, tombstones.c.id)
        .limit(_limit)
    )
    both = sa.union_all(changed.subquery().select(), deleted.subquery().select()).subquery()
    rows = sa.select(*both.c).order_by(both.c.revision, both.c.id).limit(_limit).subquery("changes")
    return sa.select(account.c.current, account.c.floor, *rows.c).select_from(account.outerjoin(rows, sa.true()))


CHANGES = _changes()
