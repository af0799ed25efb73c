"""Housekeeping in PostgreSQL: each call is one statement that locks what it removes, and waits for nobody."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
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
from sqlalchemy.sql.expression import ClauseElement

from todo_api.adapters.sqlalchemy.connections import Connections
from todo_api.adapters.sqlalchemy.statements import Statement
from todo_api.adapters.sqlalchemy.tables import idempotency_keys, live, tasks, tombstones, users

_before = bindparam("before", type_=DateTime(timezone=True))
_limit = bindparam("limit", type_=Integer)


def _places(table: Table, age: str) -> Select[Any]:
    """Where the table's oldest rows are."""
    return (
        select(literal_column(f"{table.name}.ctid", Text))
        .select_from(table)
        .where(table.c[age] < _before)
        .order_by(table.c[age])
        .limit(_limit)
    )


def _delete_at(table: Table, age: str, places: Select[Any]) -> Delete:
    """Delete the rows that are there, but for those that were written anew since they were looked for.

    By their places, not by their keys: so PostgreSQL goes straight to them, whatever it believes of their number.
    """
    place = literal_column(f"{table.name}.ctid", Text)
    return delete(table).where(place == func.any(func.array(places.scalar_subquery())), table.c[age] < _before)


def _purge_trash() -> ClauseElement:
    old = _places(tasks, "deleted_at").where(~live).with_for_update(skip_locked=True)
    gone = _delete_at(tasks, "deleted_at", old).returning(tasks.c.id).cte("gone")
    return select(func.count()).select_from(gone)


def _purge_keys() -> ClauseElement:
    old = _places(idempotency_keys, "created_at").with_for_update(skip_locked=True)
    gone = _delete_at(idempotency_keys, "created_at", old).returning(idempotency_keys.c.key).cte("gone")
    return select(func.count()).select_from(gone)


def _purge_tombstones() -> ClauseElement:
    """Remove tombstones of users whom nobody else is writing to, and raise the users' floors to them.

    The users are locked first, as every writer does it, so their tombstones are nobody else's.
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
    return select(func.count()).select_from(gone).add_cte(raised)


PURGE_TRASH = Statement(_purge_trash())
PURGE_TOMBSTONES = Statement(_purge_tombstones())
PURGE_KEYS = Statement(_purge_keys())


class SqlAlchemyHousekeeping:
    """Clears up what the repository that has the same database has kept."""

    def __init__(self, connections: Connections) -> None:
        """Take the connections to run statements on."""
        self._connections = connections

    async def purge_trash(self, deleted_before: datetime, limit: int) -> int:
        """Forget tasks in the trash."""
        return await self._purge(PURGE_TRASH, deleted_before, limit)

    async def purge_tombstones(self, deleted_before: datetime, limit: int) -> int:
        """Forget tombstones."""
        return await self._purge(PURGE_TOMBSTONES, deleted_before, limit)

    async def purge_idempotency_keys(self, created_before: datetime, limit: int) -> int:
        """Forget the answers to requests."""
        return await self._purge(PURGE_KEYS, created_before, limit)

    async def _purge(self, statement: Statement, before: datetime, limit: int) -> int:
        ((count,),) = await self._connections.write(statement, {"before": before, "limit": limit})
        return int(count)
