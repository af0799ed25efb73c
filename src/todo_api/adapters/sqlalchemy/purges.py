"""The statements that delete expired rows: one finds their users, and one deletes a user's, skipping locked rows."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from todo_api.adapters.sqlalchemy.tables import idempotency_keys, list_tombstones, lists, tasks, tombstones, users

_owner = sa.bindparam("owner", type_=sa.Text)
_before = sa.bindparam("before", type_=sa.DateTime(timezone=True))
_limit = sa.bindparam("limit", type_=sa.Integer)
_visited = sa.bindparam("visited", type_=sa.ARRAY(sa.Text))


@dataclass(frozen=True, slots=True)
class Purge:
    """How the expired rows of a table are deleted.

    Attributes:
        owners: Returns the `user_id` of up to `limit` rows from `before`, the oldest first, except of users `visited`.
        delete: Deletes up to `limit` rows of `owner` from `before`; returns their number as `removed`.
    """

    owners: sa.Select[Any]
    delete: sa.Select[Any]


def _expired(table: sa.Table, age: str) -> sa.ColumnElement[bool]:
    is_old = table.c[age] < _before
    # Only what is in the trash has a `deleted_at` in these tables; the indexes by age are for the trash.
    return is_old & table.c.deleted_at.is_not(None) if table in {tasks, lists} else is_old


def _owners(table: sa.Table, age: str) -> sa.Select[Any]:
    return (
        sa.select(table.c.user_id)
        .where(_expired(table, age), table.c.user_id != sa.all_(_visited))
        .order_by(table.c[age])
        .limit(_limit)
    )


def _ctids(table: sa.Table, age: str) -> sa.Select[Any]:
    """Return the physical locations (ctid) of the oldest expired rows of the owner."""
    return (
        sa.select(sa.literal_column(f"{table.name}.ctid", sa.Text))
        .select_from(table)
        .where(table.c.user_id == _owner, _expired(table, age))
        .order_by(table.c[age])
        .limit(_limit)
    )


def _delete_at(table: sa.Table, age: str, ctids: sa.Select[Any]) -> sa.Delete:
    """Delete the rows at these locations, unless they have been updated."""
    ctid = sa.literal_column(f"{table.name}.ctid", sa.Text)
    locations = sa.func.array(ctids.scalar_subquery())
    return sa.delete(table).where(table.c.user_id == _owner, ctid == sa.func.any(locations), _expired(table, age))


def _purge(table: sa.Table, age: str) -> Purge:
    old = _ctids(table, age).with_for_update(skip_locked=True)
    gone = _delete_at(table, age, old).returning(table.c.user_id).cte("gone")
    return Purge(_owners(table, age), _count(gone))


def _purge_tombstones(table: sa.Table) -> Purge:
    """Remove tombstones of users without a concurrent write, and raise the users' `floor` to them.

    The user is locked first, as in every write, so nobody else changes the tombstones.
    """
    old = _ctids(table, "deleted_at").join(users, users.c.id == _owner)
    old = old.with_for_update(key_share=True, of=users, skip_locked=True)
    gone = _delete_at(table, "deleted_at", old).returning(table.c.user_id, table.c.revision).cte("gone")
    newest = sa.select(gone.c.user_id, sa.func.max(gone.c.revision).label("revision")).group_by(gone.c.user_id)
    newest_gone = newest.cte("newest")
    raised = (
        sa.update(users)
        .values(floor=sa.func.greatest(users.c.floor, newest_gone.c.revision))
        .where(users.c.id == _owner, users.c.id == newest_gone.c.user_id)
        .cte("raised")
    )
    return Purge(_owners(table, "deleted_at"), _count(gone).add_cte(raised))


def _count(gone: sa.CTE) -> sa.Select[Any]:
    return sa.select(sa.func.count().label("removed")).select_from(gone)


# For tasks, and for lists.
TRASH = _purge(tasks, "deleted_at"), _purge(lists, "deleted_at")
TOMBSTONES = _purge_tombstones(tombstones), _purge_tombstones(list_tombstones)
KEYS = (_purge(idempotency_keys, "created_at"),)
