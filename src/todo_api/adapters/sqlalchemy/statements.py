"""The statements of the task repository, made once.

Each is one round trip in autocommit. A write locks the user's row first and takes the next revision from it; the lock
is held until the commit, so the order of revisions is the order of commits.

No parameter has the name of a column: SQLAlchemy would set that column. `new_<column>` is a value to write.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Insert,
    Integer,
    Select,
    Text,
    Update,
    all_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from todo_api.adapters.sqlalchemy.execution import Statement
from todo_api.adapters.sqlalchemy.mapping import TASK_COLUMNS
from todo_api.adapters.sqlalchemy.tables import due_ascending, due_descending, live, tasks, tombstones, users
from todo_api.domain.listing import Order, Sort, Status

_owner = bindparam("owner", type_=Text)
_task_id = bindparam("task_id", type_=tasks.c.id.type)
_expected_revision = bindparam("expected_revision", type_=BigInteger)
_quota = bindparam("quota", type_=Integer)
_now = bindparam("now", type_=DateTime(timezone=True))
_limit = bindparam("limit", type_=Integer)
_after_id = bindparam("after_id", type_=tasks.c.id.type)
_zero = literal_column("0", BigInteger)  # in the text: a constant needs no parameter
_one = literal_column("1", BigInteger)
_is_the_task = (tasks.c.user_id == _owner) & (tasks.c.id == _task_id)


def _new_values(*, without: set[str]) -> dict[str, ColumnElement[Any]]:
    return {
        column.name: bindparam(f"new_{column.name}", type_=column.type)
        for column in tasks.c
        if column.name not in without
    }


def _locked_user() -> CTE:
    """The user's row, locked against other writes but not against foreign keys that refer to it."""
    return (
        select(users.c.id, users.c.revision, users.c.live_tasks)
        .where(users.c.id == _owner)
        .with_for_update(key_share=True)
        .cte("locked")
    )


def _add() -> Insert:
    values = _new_values(without={"revision", "deleted_at"})
    start = bindparam("start", type_=BigInteger)
    upsert = insert(users).values(
        id=values["user_id"], revision=start + _one, floor=start, live_tasks=_one, created_at=values["created_at"]
    )
    user = (
        upsert.on_conflict_do_update(
            index_elements=[users.c.id],
            set_={"revision": users.c.revision + _one, "live_tasks": users.c.live_tasks + _one},
            where=users.c.live_tasks < _quota,
        )
        .returning(users.c.revision)
        .cte("counted")
    )
    row = select(*values.values(), user.c.revision)
    return insert(tasks).from_select([*values, "revision"], row).returning(tasks.c.revision)


def _save() -> Update:
    values = _new_values(without={"user_id", "id", "created_at", "revision", "deleted_at"})
    user = _locked_user()
    saved = (
        update(tasks)
        .values(**values, revision=user.c.revision + _one)
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, tasks.c.revision == _expected_revision)
        .returning(tasks.c.user_id, tasks.c.revision)
        .cte("written")
    )
    return _count(saved).returning(saved.c.revision)


def _remove(*conditions: ColumnElement[bool]) -> Update:
    user = _locked_user()
    removed = (
        update(tasks)
        .values(deleted_at=_now, revision=user.c.revision + _one)
        .where(_is_the_task, live, tasks.c.user_id == user.c.id, *conditions)
        .returning(tasks.c.user_id, tasks.c.id, tasks.c.revision, tasks.c.deleted_at)
        .cte("written")
    )
    tombstone = insert(tombstones).from_select(["user_id", "id", "revision", "deleted_at"], select(removed))
    # There may be an old one, of a task that was purged and created again with its id.
    tombstone = tombstone.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={"revision": tombstone.excluded.revision, "deleted_at": tombstone.excluded.deleted_at},
    )
    counted = _count(removed, live_tasks=users.c.live_tasks - _one)
    return counted.returning(removed.c.revision).add_cte(tombstone.cte("buried"))


def _restore() -> Update:
    user = _locked_user()
    restored = (
        update(tasks)
        .values(deleted_at=null(), revision=user.c.revision + _one)
        .where(_is_the_task, ~live, tasks.c.user_id == user.c.id, user.c.live_tasks < _quota)
        .returning(*TASK_COLUMNS)
        .cte("written")
    )
    tombstone = (
        delete(tombstones)
        .where(tombstones.c.user_id == restored.c.user_id, tombstones.c.id == restored.c.id)
        .cte("risen")
    )
    return _count(restored, live_tasks=users.c.live_tasks + _one).returning(*restored.c).add_cte(tombstone)


def _count(written: CTE, **counts: ColumnElement[int]) -> Update:
    """Give the user the revision that the task was written with; without a task, nothing changes."""
    return update(users).values(revision=written.c.revision, **counts).where(users.c.id == written.c.user_id)


ADD = _add()
SAVE = _save()
REMOVE = _remove()
REMOVE_AT_REVISION = _remove(tasks.c.revision == _expected_revision)
RESTORE = _restore()
STATE = select(tasks.c.revision, (~live).label("in_trash")).where(_is_the_task)
GET = select(*TASK_COLUMNS).where(_is_the_task, live)

_STATUSES: Mapping[Status, tuple[ColumnElement[bool], ...]] = {
    Status.ALL: (),
    Status.PENDING: (~tasks.c.completed,),
    Status.COMPLETED: (tasks.c.completed,),
}


def _sort_key(sort: Sort, order: Order) -> ColumnElement[Any]:
    """Return the key, which has an index in tables.py."""
    match sort:
        case Sort.CREATED:
            return tasks.c.created_at
        case Sort.TITLE:
            return tasks.c.title_key
        case Sort.DUE_DATE:
            return due_ascending if order is Order.ASC else due_descending


@cache
def page(sort: Sort, order: Order, status: Status, *, resumed: bool) -> Select[Any]:
    """Return the statement for a page: the user's revision in every row, beside the tasks, if any.

    Parameters: `owner`, `limit`, `known` (revisions that need no tasks), and for a resumed list `after_key` and
    `after_id`. The join has one row on its left, so the tasks keep the order of the index.
    """
    key = _sort_key(sort, order)
    place = tuple_(key, tasks.c.id)
    conditions = [tasks.c.user_id == _owner, live, *_STATUSES[status]]
    if resumed:
        # As a comparison of rows; with OR, PostgreSQL would read the list from its start.
        after = tuple_(bindparam("after_key", type_=key.type), _after_id)
        conditions.append(place > after if order is Order.ASC else place < after)
    revision = select(users.c.revision).where(users.c.id == _owner).scalar_subquery()
    user = select(func.coalesce(revision, _zero).label("current")).cte("account")
    known = bindparam("known", type_=ARRAY(BigInteger))
    rows = (
        select(*TASK_COLUMNS)
        .where(*conditions, user.c.current != all_(known))
        .order_by(*((key.asc(), tasks.c.id.asc()) if order is Order.ASC else (key.desc(), tasks.c.id.desc())))
        .limit(_limit)
        .lateral("page")
    )
    return select(user.c.current, *rows.c).select_from(user.outerjoin(rows, true()))


def _purge(*conditions: ColumnElement[bool]) -> Statement:
    """Remove tasks from the trash. The revision stays, but an edit that has read such a task must end first."""
    user = _locked_user()
    mine = (tasks.c.user_id == _owner) & (tasks.c.user_id == user.c.id)
    return delete(tasks).where(mine, ~live, *conditions).returning(tasks.c.id)


PURGE = _purge(tasks.c.id == _task_id)
PURGE_ALL = _purge()


@cache
def trash(*, resumed: bool) -> Select[Any]:
    """Return the statement for a page of the trash. Parameters: those of `page`, without `known`."""
    conditions = [tasks.c.user_id == _owner, ~live]
    if resumed:
        after = tuple_(bindparam("after_key", type_=tasks.c.deleted_at.type), _after_id)
        conditions.append(tuple_(tasks.c.deleted_at, tasks.c.id) < after)
    rows = select(*TASK_COLUMNS, tasks.c.deleted_at).where(*conditions)
    return rows.order_by(tasks.c.deleted_at.desc(), tasks.c.id.desc()).limit(_limit)


def _changes() -> Select[Any]:
    """The user's tasks and tombstones of later revisions, in their order, behind the user's own row.

    Parameters: `owner`, `limit`, the point `since` and `since_id`, and `whole`, up to which the client has everything.
    A tombstone is a row without a title.
    """
    since = tuple_(bindparam("since", type_=BigInteger), bindparam("since_id", type_=tasks.c.id.type))
    whole = bindparam("whole", type_=BigInteger)
    row = select(users.c.revision, users.c.floor).where(users.c.id == _owner).subquery()
    one_row = select(_one.label("one")).subquery()
    current = func.coalesce(row.c.revision, _zero).label("current")
    user = select(current, func.coalesce(row.c.floor, _zero).label("floor"))
    account = user.select_from(one_row.outerjoin(row, true())).cte("account")
    # The condition on the user's row keeps PostgreSQL from looking further if nothing has changed.
    changed = (
        select(*TASK_COLUMNS)
        .select_from(tasks.join(account, account.c.current > whole))
        .where(tasks.c.user_id == _owner, live, tuple_(tasks.c.revision, tasks.c.id) > since)
        .order_by(tasks.c.revision, tasks.c.id)
        .limit(_limit)
    )
    names = {"user_id", "id", "revision"}
    blanks = [
        tombstones.c[column.name] if column.name in names else cast(null(), column.type).label(column.name)
        for column in TASK_COLUMNS
    ]
    # A task that was purged and created again with its id has an old tombstone, which does not count. It is looked up
    # for each tombstone, as a scalar: NOT EXISTS lets PostgreSQL read all tasks instead.
    created_again = (
        select(tasks.c.revision)
        .where(tasks.c.user_id == tombstones.c.user_id, tasks.c.id == tombstones.c.id, live)
        .scalar_subquery()
    )
    deleted = (
        select(*blanks)
        .select_from(tombstones.join(account, account.c.current > whole))
        .where(
            created_again.is_(None),
            tombstones.c.user_id == _owner,
            tuple_(tombstones.c.revision, tombstones.c.id) > since,
        )
        .order_by(tombstones.c.revision, tombstones.c.id)
        .limit(_limit)
    )
    both = union_all(changed.subquery().select(), deleted.subquery().select()).subquery()
    rows = select(*both.c).order_by(both.c.revision, both.c.id).limit(_limit).subquery("changes")
    return select(account.c.current, account.c.floor, *rows.c).select_from(account.outerjoin(rows, true()))


CHANGES = _changes()
