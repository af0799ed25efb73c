"""The task repository in PostgreSQL: each call except an edit is one statement, one round trip and one commit."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy import pages, schema, statements
from todo_api.adapters.sqlalchemy.changes import CHANGES
from todo_api.adapters.sqlalchemy.edits import Edit
from todo_api.adapters.sqlalchemy.errors import reads, violated_index, writes
from todo_api.adapters.sqlalchemy.execution import Row, fetch
from todo_api.adapters.sqlalchemy.filters import conditions
from todo_api.adapters.sqlalchemy.hot_path import HotPath
from todo_api.adapters.sqlalchemy.mapping import to_change, to_parameters, to_task, to_trashed_task
from todo_api.adapters.sqlalchemy.tables import OCCURRENCE_INDEX
from todo_api.domain.changes import Changes, SyncPoint
from todo_api.domain.errors import (
    ForgottenRevisionError,
    InvalidFieldError,
    OccurrenceExistsError,
    QuotaExceededError,
    RepositoryUnavailableError,
    TaskExistsError,
    TaskInTrashError,
    TaskNotFoundError,
)
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.listing import Position, TaskPage, TaskQuery, TrashPage
from todo_api.domain.positions import position_at
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.workspace import NO_SUCH_LIST, Workspace

T = TypeVar("T")


def is_taken_occurrence(error: BaseException) -> bool:
    """Return whether another task is the occurrence that was to be stored."""
    return violated_index(error) == OCCURRENCE_INDEX


WRITE_ERRORS = DBAPIError, PostgresError  # SQLAlchemy's, and on the hot path asyncpg's
NO_QUOTA = 2**31 - 1  # more tasks than can be stored


class SqlAlchemyTaskRepository:
    """Keeps tasks in the tables `users` and `tasks`.

    Get, list, changes, create and update run on the hot path if there is one.
    """

    def __init__(self, engine: AsyncEngine, hot_path: HotPath | None = None) -> None:
        self.engine = engine
        self._fetch = partial(fetch, engine)
        self._fetch_hot = self._fetch if hot_path is None else hot_path.fetch

    @writes
    async def add(self, task: Task, quota: int | None = None) -> Task:
        values = to_parameters(task) | {"owner": task.user_id, "quota": quota or NO_QUOTA}
        exists = False
        try:
            if rows := await self._fetch_hot(
                statements.ADD if task.list_id is None else statements.ADD_TO_LIST, values
            ):
                revision = rows[0]["revision"]
                return task.stored(revision, position_at(revision))
        except WRITE_ERRORS as error:
            if not violated_index(error):
                raise
            exists = True
        if state := await self._state(task.user_id, task.id):
            raise (TaskInTrashError if state["in_trash"] else TaskExistsError)(state["revision"])
        await self._require_list(task)
        if exists or await self._has_room(task.user_id, quota):  # it was purged, or its list restored, in the meantime
            return await self.add(task, quota)
        raise QuotaExceededError(quota or NO_QUOTA)

    @reads
    async def get(self, user_id: str, task_id: UUID) -> Task:
        rows = await self._fetch_hot(statements.GET, {"owner": user_id, "task_id": task_id})
        if not rows:
            raise TaskNotFoundError
        return to_task(rows[0])

    @writes
    async def save(self, task: Task, successor: Task | None = None, quota: int | None = None) -> Task | None:
        key = {"owner": task.user_id, "task_id": task.id, "expected_revision": task.revision}
        values = to_parameters(task) | key
        statement = statements.SAVE
        if successor is not None:
            statement = statements.SAVE_WITH_SUCCESSOR
            values |= to_parameters(successor, "next_") | {"quota": quota or NO_QUOTA}
        try:
            rows = await self._fetch_hot(statement, values)
        except WRITE_ERRORS as error:
            if successor is None or not is_taken_occurrence(error):
                raise
            existing = await self._fetch(statements.OCCURRENCE, to_parameters(successor, "next_"))
            return await self.save(replace(task, next_id=existing[0]["id"] if existing else None))
        if rows:
            return task.stored(rows[0]["revision"])
        if successor is None and task.list_id is None:
            return None
        state = await self._state(task.user_id, task.id)
        if not state or state["in_trash"] or state["revision"] != task.revision:
            return None
        await self._require_list(task)
        if successor is not None and not await self._has_room(task.user_id, quota):
            raise QuotaExceededError(quota or NO_QUOTA)
        return None

    @writes
    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        statement = statements.REMOVE if revision is None else statements.REMOVE_AT_REVISION
        values = {"owner": user_id, "task_id": task_id, "expected_revision": revision, "now": now}
        return bool(await self._fetch(statement, values))

    @writes
    async def restore(self, user_id: str, task_id: UUID, quota: int | None = None) -> Task | None:
        values = {"owner": user_id, "task_id": task_id, "quota": quota or NO_QUOTA}
        try:
            rows = await self._fetch(statements.RESTORE, values)
        except WRITE_ERRORS as error:
            if not is_taken_occurrence(error):
                raise
            raise OccurrenceExistsError from error
        if rows:
            return to_task(rows[0])
        state = await self._state(user_id, task_id)
        if quota is not None and state and state["in_trash"]:
            raise QuotaExceededError(quota)
        return None

    @writes
    async def edit(
        self,
        user_id: str,
        selection: Selection,
        decide: Callable[[Workspace], T],
        *,
        now: datetime,
        new_id: Callable[[], UUID],
        quota: int | None = None,
        key: IdempotencyKey[T] | None = None,
    ) -> Edited[T]:
        return await Edit(user_id, selection, decide, now, new_id, quota, key).run(self.engine)

    @reads
    async def trash(self, user_id: str, limit: int, after: Position | None = None) -> TrashPage:
        statement = pages.trash(resumed=after is not None)
        rows = await self._fetch(statement, {"owner": user_id, "limit": limit + 1, **_place(after)})
        return TrashPage.of([to_trashed_task(row) for row in rows], limit)

    @writes
    async def purge(self, user_id: str, task_id: UUID | None = None) -> int:
        statement = statements.PURGE_ALL if task_id is None else statements.PURGE
        return len(await self._fetch(statement, {"owner": user_id, "task_id": task_id}))

    @reads
    async def changes(self, user_id: str, since: SyncPoint, limit: int) -> Changes:
        point = {"since": since.revision, "since_id": since.id, "whole": since.whole}
        rows = await self._fetch_hot(CHANGES, {"owner": user_id, "limit": limit + 1, **point})
        current, floor = rows[0]["current"], rows[0]["floor"]
        if since.is_forgotten(current, floor):
            raise ForgottenRevisionError
        return Changes.page([to_change(row) for row in rows if row["id"] is not None], limit, since, current)

    @reads
    async def page(self, user_id: str, query: TaskQuery, known: Collection[int] = ()) -> TaskPage:
        names, values = conditions(query.filter)
        statement = pages.page(query.sort, query.order, query.status, names, resumed=query.after is not None)
        # One extra task shows whether there is a next page.
        values |= {"owner": user_id, "limit": query.limit + 1, "known": list(known), **_place(query.after)}
        rows = await self._fetch_hot(statement, values)
        return query.page([to_task(row) for row in rows if row["id"] is not None], rows[0]["current"])

    @reads
    async def check(self) -> None:
        rows = await self._fetch(schema.VERSION, {})
        if not rows or not schema.serves(rows[0]["version_num"]):
            raise RepositoryUnavailableError("the schema is older than this version: run `alembic upgrade head`")

    async def _require_list(self, task: Task) -> None:
        if task.list_id is None:
            return
        if not await self._fetch(statements.LIST_EXISTS, {"owner": task.user_id, "list_id": task.list_id}):
            raise InvalidFieldError("list_id", NO_SUCH_LIST)

    async def _has_room(self, user_id: str, quota: int | None) -> bool:
        rows = await self._fetch(statements.LIVE_TASKS, {"owner": user_id})
        return not rows or rows[0]["live_tasks"] < (quota or NO_QUOTA)

    async def _state(self, user_id: str, task_id: UUID) -> Row | None:
        rows = await self._fetch(statements.STATE, {"owner": user_id, "task_id": task_id})
        return rows[0] if rows else None


def _place(after: Position | None) -> dict[str, Any]:
    return {} if after is None else {"after_key": after.key, "after_id": after.id}
