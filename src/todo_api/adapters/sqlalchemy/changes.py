"""The statement of delta sync: tasks, lists and tombstones of later revisions, in their order."""

from typing import Any

import sqlalchemy as sa

from todo_api.adapters.sqlalchemy.mapping import LIST_COLUMNS, TASK_COLUMNS
from todo_api.adapters.sqlalchemy.revisions import ONE
from todo_api.adapters.sqlalchemy.tables import list_tombstones, lists, live, live_list, tasks, tombstones, users

_owner = sa.bindparam("owner", type_=sa.Text)
_limit = sa.bindparam("limit", type_=sa.Integer)
_zero = sa.literal_column("0", sa.BigInteger)  # in the text: a constant needs no parameter
_since = sa.tuple_(sa.bindparam("since", type_=sa.BigInteger), sa.bindparam("since_id", type_=tasks.c.id.type))
_whole = sa.bindparam("whole", type_=sa.BigInteger)

# The columns of a row: those of a task, and those of a list that a task does not have. Other kinds leave them empty.
_COLUMNS = {column.name: column.type for column in (*TASK_COLUMNS, *LIST_COLUMNS)}


def _account() -> sa.CTE:
    """Return one row with the user's revision and floor, 0 for a user who has never written."""
    row = sa.select(users.c.revision, users.c.floor).where(users.c.id == _owner).subquery()
    one_row = sa.select(ONE.label("one")).subquery()
    current = sa.func.coalesce(row.c.revision, _zero).label("current")
    user = sa.select(current, sa.func.coalesce(row.c.floor, _zero).label("floor"))
    return user.select_from(one_row.outerjoin(row, sa.true())).cte("account")


def _of_kind(
    kind: str, account: sa.CTE, table: sa.Table, columns: list[Any], *conditions: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    """Return the rows of a table after the point `since`, in order, in the form of all kinds."""
    own = {column.name: column for column in columns}
    row = [own[name] if name in own else sa.cast(sa.null(), type_).label(name) for name, type_ in _COLUMNS.items()]
    # The condition on the user's row keeps PostgreSQL from looking further if nothing has changed.
    rows = (
        sa.select(*row, sa.literal_column(f"'{kind}'", sa.Text).label("kind"))
        .select_from(table.join(account, account.c.current > _whole))
        .where(table.c.user_id == _owner, sa.tuple_(table.c.revision, table.c.id) > _since, *conditions)
        .order_by(table.c.revision, table.c.id)
        .limit(_limit)
    )
    return rows.subquery().select()


def _tombstones(kind: str, account: sa.CTE, table: sa.Table, living: sa.Table) -> sa.Select[Any]:
    """Return the tombstones. One of a task that was purged and created again with the same id is ignored.

    The task is looked up for each tombstone, as a scalar: with NOT EXISTS, PostgreSQL would read all tasks.
    """
    created_again = (
        sa.select(living.c.revision)
        .where(living.c.user_id == _owner, living.c.id == table.c.id, living.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    columns = [table.c.user_id, table.c.id, table.c.revision]
    return _of_kind(kind, account, table, columns, created_again.is_(None))


def _changes() -> sa.Select[Any]:
    """Return the statement; each row has the user's revision and floor, and a change, if there is one.

    Parameters: `owner`, `limit`, the point `since` and `since_id`, and `whole`, up to which the client has everything.
    """
    account = _account()
    every = sa.union_all(
        _of_kind("task", account, tasks, TASK_COLUMNS, live),
        _tombstones("tombstone", account, tombstones, tasks),
        _of_kind("list", account, lists, LIST_COLUMNS, live_list),
        _tombstones("list tombstone", account, list_tombstones, lists),
    ).subquery()
    rows = sa.select(*every.c).order_by(every.c.revision, every.c.id).limit(_limit).subquery("changes")
    return sa.select(*rows.c, account.c.current, account.c.floor).select_from(account.outerjoin(rows, sa.true()))


CHANGES = _changes()
