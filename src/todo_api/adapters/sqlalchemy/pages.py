"""The statements that read pages of tasks, built once for each kind of list."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from todo_api.adapters.sqlalchemy.filters import CONDITIONS
from todo_api.adapters.sqlalchemy.mapping import TASK_COLUMNS
from todo_api.adapters.sqlalchemy.tables import due_ascending, due_descending, live, manual_position, tasks, users
from todo_api.domain.listing import Order, Sort, Status

_owner = sa.bindparam("owner", type_=sa.Text)
_limit = sa.bindparam("limit", type_=sa.Integer)
_after_id = sa.bindparam("after_id", type_=tasks.c.id.type)
_zero = sa.literal_column("0", sa.BigInteger)  # in the text: a constant needs no parameter

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
        case Sort.UPDATED:
            return tasks.c.updated_at
        case Sort.PRIORITY:
            return tasks.c.priority
        case Sort.POSITION:
            return manual_position


@cache
def page(
    sort: Sort, order: Order, status: Status, filters: frozenset[str] = frozenset(), *, resumed: bool
) -> sa.Select[Any]:
    """Return the statement for a page: rows with the user's revision and a task, if there is one.

    Parameters: `owner`, `limit`, `known` (revisions that need no tasks), those of the filters (`filters.CONDITIONS`),
    and, to resume a list, `after_key` and `after_id`. The join has one row on its left, so the tasks keep the order of
    the index.
    """
    key = _sort_key(sort, order)
    place = sa.tuple_(key, tasks.c.id)
    conditions = [tasks.c.user_id == _owner, live, *_STATUSES[status], *(CONDITIONS[name] for name in sorted(filters))]
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
    return sa.select(*rows.c, user.c.current).select_from(user.outerjoin(rows, sa.true()))


@cache
def trash(*, resumed: bool) -> sa.Select[Any]:
    """Return the statement for a page of the trash. Parameters: those of `page`, without `known`."""
    conditions = [tasks.c.user_id == _owner, ~live]
    if resumed:
        after = sa.tuple_(sa.bindparam("after_key", type_=tasks.c.deleted_at.type), _after_id)
        conditions.append(sa.tuple_(tasks.c.deleted_at, tasks.c.id) < after)
    rows = sa.select(*TASK_COLUMNS, tasks.c.deleted_at).where(*conditions)
    return rows.order_by(tasks.c.deleted_at.desc(), tasks.c.id.desc()).limit(_limit)
