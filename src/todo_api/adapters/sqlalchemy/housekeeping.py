"""Housekeeping in PostgreSQL: each call is one statement, which skips rows that others have locked."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    DateTime,
    Delete,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import writes
from todo_api.adapters.sqlalchemy.execution import fetch
from todo_api.adapters.sqlalchemy.tables import idempotency_keys, live, tasks, tombstones, users

_before = bindparam("before", type_=DateTime(timezone=True))
_limit = bindparam("limit", type_=Integer)


def _places(table: Table, age: str) -> Select[Any]:
    """The physical places of the table's oldest rows."""
    return (
        select(literal_column(f"{table.name}.ctid", Text))
        .select_from(table)
        .where(table.c[age] < _before)
        .order_by(table.c[age])
        .limit(_limit)
    )


def _delete_at(table: Table, age: str, places: Select[Any]) -> Delete:
    """Delete the rows at these places, unless they were updated since.

    By place and not by key, PostgreSQL goes straight to the rows, whatever number of them it estimates.
    """
    place = literal_column(f"{table.name}.ctid", Text)
    return delete(table).where(place == func.any(func.array(places.scalar_subquery())), table.c[age] < _before)


def _purge_trash() -> Select[Any]:
    old = _places(tasks, "deleted_at").where(~live).with_for_update(skip_locked=True)
    gone = _delete_at(tasks, "deleted_at", old).returning(tasks.c.id).cte("gone")
    return _count(gone)


def _purge_keys() -> Select[Any]:
    old = _places(idempotency_keys, "created_at").with_for_update(skip_locked=True)
    gone = _delete_at(idempotency_keys, "created_at", old).returning(idempotency_keys.c.key).cte("gone")
    return _count(gone)


def _purge_tombstones() -> Select[Any]:
    """Remove tombstones of users without a concurrent write, and raise the users' floors to them.

    The users are locked first, as in every write, so nobody else changes their tombstones.
    """
    old = _places(tombstones, "deleted_at").join(users)
    old = old.with_for_update(key_share=True, of=users, skip_locked=True)
    gone = _delete_at(tombstones, "deleted_at", old).returning(tombstones.c.user_id, tombstones.c.revision).cte("gone")
    newest = select(gone.c.user_id, func.max(gone.c.revision).label("revision")).group_by(gone.c.user_id).cte("newest")
    raised = (
        update(users)
        .values(floor=func.greatest(users.c.floor, newest.c.revision))
        .where(users.c.id == newest.c.user_id)
        .cte("raised")
    )
    return _count(gone).add_cte(raised)


def _count(gone: CTE) -> Select[Any]:
    return select(func.count().label("removed")).select_from(gone)


PURGE_TRASH = _purge_trash()
PURGE_TOMBSTONES = _purge_tombstones()
PURGE_KEYS = _purge_keys()


class SqlAlchemyHousekeeping:
    """Removes expired rows."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge(PURGE_TRASH, deleted_before, limit)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        return await self._purge(PURGE_TOMBSTONES, deleted_before, limit)

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        return await self._purge(PURGE_KEYS, created_before, limit)

    @writes
    async def _purge(self, statement: Select[Any], before: datetime, limit: int) -> int:
        rows = await fetch(self.engine, statement, {"before": before, "limit": limit})
        return int(rows[0]["removed"])
