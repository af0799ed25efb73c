"""The task repository in PostgreSQL: each call but an edit is one statement, one round trip and one commit."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from asyncpg import UniqueViolationError

from todo_api.adapters.sqlalchemy import schema, statements
from todo_api.adapters.sqlalchemy.connections import Connections
from todo_api.adapters.sqlalchemy.edits import Edit
from todo_api.adapters.sqlalchemy.rows import to_change, to_parameters, to_task, to_trashed_task
from todo_api.domain.changes import Changes, SyncPoint, starting_revision
from todo_api.domain.errors import (
    ForgottenRevisionError,
    QuotaExceededError,
    RepositoryUnavailableError,
    TaskExistsError,
    TaskNotFoundError,
)
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.task import Task
from todo_api.domain.workspace import Workspace

T = TypeVar("T")

NO_QUOTA = 2**31 - 1  # more than there is room for


class SqlAlchemyTaskRepository:
    """Keeps tasks in the tables `users` and `tasks`."""

    def __init__(self, connections: Connections) -> None:
        """Take the connections to run statements on."""
        self._connections = connections

    async def add(self, task: Task, quota: int | None = None) -> Task:
        """Keep a new task."""
        values = {**to_parameters(task), "start": starting_revision(task.created_at), "quota": quota or NO_QUOTA}
        try:
            rows = await self._connections.write(statements.ADD, values)
        except UniqueViolationError:
            rows = None
        if rows:
            return replace(task, revision=rows[0][0])
        if taken := await self._connections.read(statements.STATE, {"user_id": task.user_id, "id": task.id}):
            raise TaskExistsError(taken[0]["revision"])
        if rows is None:  # it was there, and was purged in between
            return await self.add(task, quota)
        raise QuotaExceededError(quota or NO_QUOTA)

    async def get(self, user_id: str, task_id: UUID) -> Task:
        """Return the task."""
        rows = await self._connections.read(statements.GET, {"user_id": user_id, "id": task_id})
        if not rows:
            raise TaskNotFoundError
        return to_task(rows[0])

    async def save(self, task: Task) -> Task | None:
        """Replace the task where nobody else has."""
        rows = await self._connections.write(statements.SAVE, to_parameters(task))
        return replace(task, revision=rows[0][0]) if rows else None

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        """Remove the task where it is as expected."""
        statement = statements.REMOVE if revision is None else statements.REMOVE_AT_REVISION
        values = {"user_id": user_id, "id": task_id, "revision": revision, "now": now}
        return bool(await self._connections.write(statement, values))

    async def restore(self, user_id: str, task_id: UUID, quota: int | None = None) -> Task | None:
        """Take the task out of the trash."""
        values = {"user_id": user_id, "id": task_id, "quota": quota or NO_QUOTA}
        if rows := await self._connections.write(statements.RESTORE, values):
            return to_task(rows[0])
        state = await self._connections.read(statements.STATE, values)
        if quota is not None and state and state[0]["in_trash"]:
            raise QuotaExceededError(quota)
        return None

    async def edit(
        self,
        user_id: str,
        task_ids: Collection[UUID],
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        quota: int | None = None,
        key: IdempotencyKey[T] | None = None,
    ) -> Edited[T]:
        """Change several tasks together."""
        edit = Edit(user_id, task_ids, decide, now=now, quota=quota, key=key)
        return await edit.run(self._connections)

    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        """Return a page of the trash."""
        statement = statements.trash(resumed=after is not None)
        values = {"user_id": user_id, "limit": limit + 1, **_place(after)}
        return TrashPage.of([to_trashed_task(row) for row in await self._connections.read(statement, values)], limit)

    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        """Forget what is in the trash."""
        statement = statements.PURGE_ALL if task_id is None else statements.PURGE
        return len(await self._connections.write(statement, {"user_id": user_id, "id": task_id}))

    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        """Return what is of later revisions."""
        place = {"since": since.revision, "since_id": since.id, "whole": since.whole}
        rows = await self._connections.read(statements.CHANGES, {"user_id": user_id, "limit": limit + 1, **place})
        current, floor = rows[0][:2]
        if since.is_forgotten(current, floor):
            raise ForgottenRevisionError
        return Changes.page([to_change(row[2:]) for row in rows if row[2] is not None], limit, since, current)

    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        """Return a page of the list; one task more than asked for tells whether there is a next one."""
        after = query.after
        statement = statements.page(query.sort, query.order, query.status, resumed=after is not None)
        values = {"user_id": user_id, "limit": query.limit + 1, "known": known, **_place(after)}
        rows = await self._connections.read(statement, values)
        tasks = [to_task(row[1:]) for row in rows if row[1] is not None]
        return query.page(tasks, rows[0][0])

    async def check(self) -> None:
        """See whether the database answers, and has the schema that this version needs."""
        rows = await self._connections.read(schema.VERSION, {})
        if not rows or not schema.serves(rows[0][0]):
            raise RepositoryUnavailableError("the schema is older than this version: run `alembic upgrade head`")


def _place(after: Position | None) -> dict[str, Any]:
    return {} if after is None else {"key": after.key, "after": after.id}
