"""Housekeeping in PostgreSQL: each call is one statement that locks what it removes, and waits for nobody."""

from datetime import datetime

from sqlalchemy import CTE, DateTime, Integer, Table, bindparam, delete, func, select, update
from sqlalchemy.sql.expression import ClauseElement

from todo_api.adapters.postgres.connections import Connections
from todo_api.adapters.postgres.statements import Statement
from todo_api.adapters.postgres.tables import idempotency_keys, live, tasks, tombstones, users

_before = bindparam("before", type_=DateTime(timezone=True))
_limit = bindparam("limit", type_=Integer)


def _gone(table: Table, old: CTE) -> CTE:
    """The rows of the table that `old` names by the table's key, removed."""
    conditions = [column == old.c[column.name] for column in table.primary_key]
    return delete(table).where(*conditions).returning(*table.primary_key).cte("gone")


def _purge_trash() -> ClauseElement:
    old = select(tasks.c.user_id, tasks.c.id).where(~live, tasks.c.deleted_at < _before).order_by(tasks.c.deleted_at)
    gone = _gone(tasks, old.limit(_limit).with_for_update(skip_locked=True).cte("old"))
    return select(func.count()).select_from(gone)


def _purge_keys() -> ClauseElement:
    age = idempotency_keys.c.created_at
    old = select(idempotency_keys.c.user_id, idempotency_keys.c.key).where(age < _before).order_by(age)
    gone = _gone(idempotency_keys, old.limit(_limit).with_for_update(skip_locked=True).cte("old"))
    return select(func.count()).select_from(gone)


def _purge_tombstones() -> ClauseElement:
    """Remove tombstones of users whom nobody else is writing to, and raise the users' floors to them.

    The users are locked first, as every writer does it, so their tombstones are nobody else's. One that a writer dug
    anew just before that is younger by now, and stays.
    """
    age = tombstones.c.deleted_at
    old = (
        select(tombstones.c.user_id, tombstones.c.id)
        .join_from(tombstones, users)
        .where(age < _before)
        .order_by(age)
        .limit(_limit)
        .with_for_update(key_share=True, of=users, skip_locked=True)
        .cte("old")
    )
    gone = (
        delete(tombstones)
        .where(tombstones.c.user_id == old.c.user_id, tombstones.c.id == old.c.id, age < _before)
        .returning(tombstones.c.user_id, tombstones.c.revision)
        .cte("gone")
    )
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


class PostgresHousekeeping:
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
