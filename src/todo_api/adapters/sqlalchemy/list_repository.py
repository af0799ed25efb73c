"""The lists in PostgreSQL: each call reads in one statement. Edits write them, with the tasks."""

from uuid import UUID

from sqlalchemy import Integer, Text, bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import reads
from todo_api.adapters.sqlalchemy.execution import fetch
from todo_api.adapters.sqlalchemy.mapping import LIST_COLUMNS, to_list, to_trashed_list
from todo_api.adapters.sqlalchemy.tables import lists, live_list, users
from todo_api.domain.errors import ListNotFoundError
from todo_api.domain.task_list import TaskList, TrashedList

_owner = bindparam("owner", type_=Text)
_mine = select(*LIST_COLUMNS).where(lists.c.user_id == _owner)

_GET = _mine.where(lists.c.id == bindparam("list_id", type_=lists.c.id.type), live_list)
LISTS = (
    select(users.c.revision.label("current"), *(found := _mine.where(live_list).lateral("found")).c)
    .select_from(users.outerjoin(found, true()))
    .where(users.c.id == _owner)
    .order_by(found.c.position, found.c.id)
)
TRASH = (
    _mine.add_columns(lists.c.deleted_at)
    .where(~live_list)
    .order_by(lists.c.deleted_at.desc(), lists.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)


class SqlAlchemyListRepository:
    """Reads the table `lists`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @reads
    async def lists(self, user_id: str) -> tuple[list[TaskList], int]:
        rows = await fetch(self.engine, LISTS, {"owner": user_id})
        return [to_list(row) for row in rows if row["id"] is not None], rows[0]["current"] if rows else 0

    @reads
    async def get_list(self, user_id: str, list_id: UUID) -> TaskList:
        rows = await fetch(self.engine, _GET, {"owner": user_id, "list_id": list_id})
        if not rows:
            raise ListNotFoundError
        return to_list(rows[0])

    @reads
    async def trashed_lists(self, user_id: str, limit: int) -> list[TrashedList]:
        rows = await fetch(self.engine, TRASH, {"owner": user_id, "limit": limit})
        return [to_trashed_list(row) for row in rows]
