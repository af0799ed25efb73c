"""The accounts in PostgreSQL: each call is one statement and one round trip, except `erase`, which is a transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy import overview
from todo_api.adapters.sqlalchemy.errors import reads, writes
from todo_api.adapters.sqlalchemy.execution import execute, fetch, require_commit_of
from todo_api.adapters.sqlalchemy.mapping import LIST_COLUMNS, TASK_COLUMNS, to_stored_list, to_stored_task
from todo_api.adapters.sqlalchemy.tables import (
    idempotency_keys,
    list_tombstones,
    lists,
    live,
    tasks,
    tombstones,
    users,
)
from todo_api.domain.account import Account
from todo_api.domain.due_date import DueKind
from todo_api.domain.overview import Counts, DueViews, TagCount
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList

_owner = bindparam("owner", type_=Text)
_instant = DateTime(timezone=True)


def _account() -> Select[Any]:
    """Return the user's row and task counts. Parameters: `owner`, `now`, and `today`, the start of the day in UTC."""
    overdue_before = case(
        (tasks.c.due_kind == literal_column(f"'{DueKind.DATE}'"), bindparam("today", type_=_instant)),
        else_=bindparam("now", type_=_instant),
    )
    pending = live & ~tasks.c.completed
    kinds = {
        "pending": pending,
        "completed": live & tasks.c.completed,
        "overdue": pending & (tasks.c.due_at < overdue_before),
        "trash": ~live,
    }
    counts = [func.count().filter(condition).label(name) for name, condition in kinds.items()]
    counted = select(*counts).select_from(tasks).where(tasks.c.user_id == _owner).subquery("counted")
    row = select(users.c.created_at.label("first_seen_at"), users.c.revision, *counted.c)
    return row.select_from(users.join(counted, true())).where(users.c.id == _owner)


def _export(table: Table, columns: Sequence[ColumnElement[Any]], *, resumed: bool) -> Select[Any]:
    """Return the statement for a page. Parameters: `owner`, `limit`, and, to resume an export, `after_id`."""
    rows = select(*columns, table.c.deleted_at).where(table.c.user_id == _owner)
    if resumed:
        rows = rows.where(table.c.id > bindparam("after_id", type_=table.c.id.type))
    return rows.order_by(table.c.id).limit(bindparam("limit", type_=Integer))


_ACCOUNT = _account()
# By whether an export is resumed.
_EXPORT = {resumed: _export(tasks, TASK_COLUMNS, resumed=resumed) for resumed in (False, True)}
_EXPORT_LISTS = {resumed: _export(lists, LIST_COLUMNS, resumed=resumed) for resumed in (False, True)}
_ERASE = delete(users).where(users.c.id == _owner)
# Foreign keys delete these rows, except while `todo-api distribute` runs. This is a statement after _ERASE, which waits
# for the user's other writes, so that it sees what they wrote.
_ERASE_ROWS = (
    delete(tasks)
    .where(tasks.c.user_id == _owner)
    .add_cte(
        *(
            delete(table).where(table.c.user_id == _owner).cte(f"erased_{table.name}")
            for table in (tombstones, lists, list_tombstones, idempotency_keys)
        )
    )
)


class SqlAlchemyAccountRepository:
    """Reads and erases the accounts whose tasks a SqlAlchemyTaskRepository keeps."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @reads
    async def account(self, user_id: str, now: datetime) -> Account:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        rows = await fetch(self.engine, _ACCOUNT, {"owner": user_id, "now": now, "today": today})
        return Account(user_id=user_id, **rows[0]) if rows else Account(user_id=user_id)

    @reads
    async def export(self, user_id: str, limit: int, after: UUID | None = None) -> list[Task]:
        values = {"owner": user_id, "limit": limit, "after_id": after}
        rows = await fetch(self.engine, _EXPORT[after is not None], values)
        return [to_stored_task(row) for row in rows]

    @reads
    async def export_lists(self, user_id: str, limit: int, after: UUID | None = None) -> list[TaskList]:
        values = {"owner": user_id, "limit": limit, "after_id": after}
        rows = await fetch(self.engine, _EXPORT_LISTS[after is not None], values)
        return [to_stored_list(row) for row in rows]

    @reads
    async def counts(self, user_id: str, views: DueViews) -> Counts:
        rows = await fetch(self.engine, overview.COUNTS, {"owner": user_id, **overview.view_values(views)})
        return overview.to_counts(rows[0])

    @reads
    async def tags(self, user_id: str) -> list[TagCount]:
        return overview.to_tags(await fetch(self.engine, overview.TAGS, {"owner": user_id}))

    @writes
    async def erase(self, user_id: str) -> None:
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="READ COMMITTED")
            async with connection.begin():
                for statement in (_ERASE, _ERASE_ROWS):
                    await execute(connection, statement, {"owner": user_id})
            require_commit_of(connection)
